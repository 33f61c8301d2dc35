"""Claims: which node's alerts point to which other node, by text, by resources and by traces; counts that add up."""

from __future__ import annotations

from collections.abc import Collection, Iterable

import numpy as np
import pandas as pd

from stanza_lab.dependencies.evidence.facts import (
    AFFECTED_RESOURCE,
    CALLED,
    CALLED_RESOURCE,
    DAY,
    NAMED,
    OWNED,
    TOLD_RESOURCE,
    TRACE,
    Facts,
    check_alerts,
    node_rows,
    read_facts,
)
from stanza_lab.dependencies.evidence.names import SERVICE, NodeNames
from stanza_lab.dependencies.evidence.sums import add_up

SOURCES = ("mention", "resource", "shared_host", "text", "trace")
DIRECTED = ("resource", "text")  # src depends on dst; `mention` tells who names whom, which is less
UNDIRECTED = ("shared_host", "trace")
MOST_NODES = 20  # of one trace or host: what more nodes have in common links no two of them
COLUMNS = ("slice", "src", "dst", "source", "count")
_SOURCE_OF = {CALLED: "text", OWNED: "resource", NAMED: "mention"}


def count_claims(
    alerts: pd.DataFrame, *, node: str = SERVICE, slice_us: int = DAY, names: Iterable[str] = ()
) -> pd.DataFrame:
    """Count what the alerts of each node say of other nodes.

    Claims add up: those of two sets of whole slices are those of both together, if both know the same nodes (`names`).
    An alert counts once for a pair, by the most telling way in which it names the other: ``text`` (an error text, or a
    label such as peer.service, says the other was called; kept also for what is no node), ``resource`` (it names a
    resource that is the other's own: named after it, or affected in no other node's alerts of the slice), ``mention``
    (it names the other). Two nodes count ``trace`` for every trace their alerts share, and ``shared_host`` for every
    resource that the alerts of both are about and that neither is named after, once a slice; what more than 20 nodes
    share says nothing and is left out. Plain words of the language count only where an error says they were called.

    Parameters
    ----------
    alerts : DataFrame
        `schema.ALERTS` with at least `starts_at` and the column `node`. Alerts without either are left out.
    node : str, default "service"
        Column with the nodes, also one of lists. Spellings (case, prod-, pods) are seen through for services only.
    slice_us : int, default one day
        Length of a time slice in microseconds, at least 1. Longer: fewer rows, and more traces that stay whole.
    names : iterable of str, optional
        Nodes known from elsewhere, as from earlier slices, beside those of `alerts`.

    Returns
    -------
    DataFrame
        `slice` (start, datetime64[us, UTC]), `src`, `dst` (str), `source` (category), `count` (int64), sorted by these.
        Of ``text`` and ``resource`` src depends on dst, of ``mention`` src names dst, of the others src < dst.

    Raises
    ------
    SchemaError
        A column is missing or cannot be read.
    ParameterError
        `slice_us` is no whole number of at least 1.

    Examples
    --------
    >>> import pandas as pd
    >>> from stanza_lab.dependencies.evidence import count_claims
    >>> alerts = pd.DataFrame(
    ...     {
    ...         "starts_at": pd.to_datetime(["2026-03-01T14:00Z", "2026-03-01T14:02Z"]),
    ...         "service": ["orders-db", "checkout"],
    ...         "summary": ["CPU high", "connection refused to orders-db:5432"],
    ...     }
    ... )
    >>> count_claims(alerts)[["src", "dst", "source", "count"]].values.tolist()
    [['checkout', 'orders-db', 'text', 1]]
    """
    alerts = check_alerts(alerts, node)
    rows = node_rows(alerts, node, slice_us)
    known = NodeNames([*rows["node"].unique(), *map(str, names)], spellings=node == SERVICE)
    found = read_facts(alerts, rows, known, node=node)
    return _table(
        [_said(found), _shared(found, _traces(found), "trace"), _shared(found, _common(found), "shared_host")]
    )


def merge_claims(claims: Iterable[pd.DataFrame]) -> pd.DataFrame:
    """Add claims counted apart.

    Parameters
    ----------
    claims : iterable of DataFrame
        As `count_claims` returns them, from different slices or different alerts.

    Returns
    -------
    DataFrame
        The same columns, sorted.
    """
    return _table([*claims])


def candidates(
    claims: pd.DataFrame, *, nodes: Collection[str] | None = None, besides: pd.DataFrame | None = None
) -> pd.DataFrame:
    """Return the pairs that a directed claim names, so that those that never fired together are looked at too.

    Parameters
    ----------
    claims : DataFrame
        As from `count_claims`.
    nodes : collection of str, optional
        Only pairs of these; a name that is another spelling of one counts as it. By default also what never raised an
        alert itself, as an error text called it.
    besides : DataFrame, optional
        Pairs (`a`, `b`) that are known already.

    Returns
    -------
    DataFrame
        `a`, `b` (str, a < b), distinct, sorted.
    """
    told = claims.loc[claims["source"].isin(DIRECTED), ["src", "dst"]].drop_duplicates()
    if nodes is not None:
        told = resolve_names(told, nodes)
    a = np.minimum(told["src"].to_numpy(dtype=object), told["dst"].to_numpy(dtype=object))
    b = np.maximum(told["src"].to_numpy(dtype=object), told["dst"].to_numpy(dtype=object))
    pairs = pd.DataFrame({"a": a, "b": b}, dtype="str").drop_duplicates().sort_values(["a", "b"], ignore_index=True)
    pairs = pairs[pairs["a"] != pairs["b"]]
    if besides is not None:
        pairs = pairs[~pd.MultiIndex.from_frame(pairs).isin(pd.MultiIndex.from_frame(besides[["a", "b"]]))]
    return pairs.reset_index(drop=True)


def resolve_names(claims: pd.DataFrame, nodes: Collection[str]) -> pd.DataFrame:
    """Return the claims between `nodes`, with names that are other spellings of one written as the node's."""
    known = NodeNames(nodes, spellings=True)
    columns = {}
    for end in ("src", "dst"):
        codes, distinct = pd.factorize(claims[end])
        columns[end] = pd.array([known.match(name) for name in distinct], dtype="str").take(codes)
    resolved = claims.assign(**columns).dropna(subset=["src", "dst"])
    return resolved[resolved["src"] != resolved["dst"]]


def _said(found: Facts) -> pd.DataFrame:
    """Return the claims of single alerts: each once per pair, by the most telling way."""
    facts = pd.concat([found.facts[found.facts["how"] <= NAMED], _by_owner(found)])
    facts = facts.groupby(["row", "what"])["how"].min().reset_index()
    said = found.rows.merge(facts, on="row")
    own = pd.MultiIndex.from_frame(found.rows[["row", "node"]])
    said = said[~pd.MultiIndex.from_frame(said[["row", "what"]]).isin(own)]
    said = said.rename(columns={"node": "src", "what": "dst"}).assign(source=said["how"].map(_SOURCE_OF), count=1)
    return said[[*COLUMNS]]


def _by_owner(found: Facts) -> pd.DataFrame:
    """Return what texts say of resources that only one other node's alerts of the slice are about."""
    rows, facts = found.rows, found.facts
    told = facts[facts["how"].isin((CALLED_RESOURCE, TOLD_RESOURCE))]
    about = _affected(facts).merge(rows, on="row")[["slice", "what", "node"]].drop_duplicates()
    owned = about[~about.duplicated(["slice", "what"], keep=False)]
    when = told.merge(rows[["row", "slice"]].drop_duplicates(), on="row").merge(owned, on=["slice", "what"])
    how = np.where(when["how"] == CALLED_RESOURCE, CALLED, OWNED)
    return pd.DataFrame({"row": when["row"], "how": how, "what": when["node"]}).drop_duplicates()


def _affected(facts: pd.DataFrame) -> pd.DataFrame:
    """Return what alerts are about: what only their text names may be another's (resolving adds it to `resources`)."""
    about, told = facts[facts["how"] == AFFECTED_RESOURCE], facts[facts["how"].isin((CALLED_RESOURCE, TOLD_RESOURCE))]
    in_text = pd.MultiIndex.from_frame(about[["row", "what"]]).isin(pd.MultiIndex.from_frame(told[["row", "what"]]))
    return about.loc[~in_text, ["row", "what"]]


def _traces(found: Facts) -> pd.DataFrame:
    return found.facts.loc[found.facts["how"] == TRACE, ["row", "what"]]


def _common(found: Facts) -> pd.DataFrame:
    return _affected(found.facts)


def _shared(found: Facts, things: pd.DataFrame, source: str) -> pd.DataFrame:
    """Return how many of the things the alerts of two nodes share, slice by slice."""
    about = things.merge(found.rows, on="row")[["slice", "what", "node"]].drop_duplicates()
    sizes = about.groupby(["slice", "what"])["node"].transform("size")
    about = about[(sizes > 1) & (sizes <= MOST_NODES)]
    pairs = about.merge(about, on=["slice", "what"], suffixes=("", "_other"))
    pairs = pairs[pairs["node"] < pairs["node_other"]]
    return pairs.rename(columns={"node": "src", "node_other": "dst"}).assign(source=source, count=1)[[*COLUMNS]]


def _table(parts: list[pd.DataFrame]) -> pd.DataFrame:
    return add_up(parts, keys=COLUMNS[:-1], words="source", choices=SOURCES)
