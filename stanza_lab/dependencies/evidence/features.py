"""Features: what claims and traits say of pairs of nodes, in numbers that a fusion can weigh; 0 = says nothing."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt
import pandas as pd
from scipy.sparse import csr_array

from stanza_lab.dependencies.evidence.claims import resolve_names
from stanza_lab.dependencies.evidence.names import Likeness
from stanza_lab.dependencies.evidence.roles import PASSIVE, role_of_name
from stanza_lab.errors import SchemaError

Codes = npt.NDArray[np.int64]
Numbers = npt.NDArray[np.float64]

FEATURES = (
    *("text_ab", "text_ba", "resource_ab", "resource_ba", "mention_ab", "mention_ba", "traces", "shared_host"),
    *("same_team", "names", "both_passive", "one_passive", "both_edge", "passive_ab", "edge_ab", "strain_ab"),
)
_STRAIN = "symptom:saturation"  # what is local to a node; errors and availability are seen from outside as well


def pair_claims(claims: pd.DataFrame, traits: pd.DataFrame, pairs: pd.DataFrame) -> pd.DataFrame:
    """Say in numbers what claims and traits tell of each pair; every number is 0 where a source says nothing.

    Parameters
    ----------
    claims : DataFrame
        As from `count_claims`; its slices are added up. Names that are other spellings of a node count as its own.
    traits : DataFrame
        As from `count_traits`.
    pairs : DataFrame
        `a`, `b` (str, a < b).

    Returns
    -------
    DataFrame
        One row per row of `pairs`, in its order and with its index; columns `FEATURES`, float64. Columns that end in
        ``_ab`` alone change their sign when a and b change places.

        text_ab, text_ba, resource_ab, resource_ba
            log(1 + alerts of a that say b was called, or name what is b's own); and of b about a.
        mention_ab, mention_ba
            log(1 + alerts of a that name b) times the share of other nodes that do not: a name all know says little.
        traces, shared_host
            log(1 + how many both share).
        same_team
            log((1 + 1/f) / 2) for the same team, where f is the share of nodes it is paged for: 0 for a team of all;
            log(1/2) for different teams; in between where several are paged; less where few alerts tell.
        names
            Likeness of the two names, 0 to 1.
        both_passive, one_passive, both_edge
            1 where neither can call (stores, queues, managed), just one can, both are edges.
        passive_ab, edge_ab
            1 where only b is passive, only a is an edge: a calls then. -1 the other way round.
        strain_ab
            How much more of b's alerts than of a's are about saturation, -1 to 1: that is a callee's.

    Raises
    ------
    SchemaError
        A column is missing.
    """
    for table, name, need in (
        (claims, "claims", {"src", "dst", "source", "count"}),
        (traits, "traits", {"node", "trait", "count"}),
        (pairs, "pairs", {"a", "b"}),
    ):
        if missing := need - set(table.columns):
            raise SchemaError(f"{name}: columns {sorted(missing)} not found; columns are {list(table.columns)}")
    named = [pairs["a"].astype("str"), pairs["b"].astype("str"), traits["node"].astype("str")]
    nodes = pd.Index(sorted({name for column in named for name in column.unique()}), dtype="str")
    a, b = nodes.get_indexer(pd.Index(named[0])), nodes.get_indexer(pd.Index(named[1]))
    found = _of_claims(claims, nodes, a, b) | _of_traits(traits, nodes, a, b)
    found["names"] = Likeness(nodes).of(a, b)
    return pd.DataFrame({name: found[name] for name in FEATURES}, index=pairs.index, dtype="float64")


def _of_claims(claims: pd.DataFrame, nodes: pd.Index, a: Codes, b: Codes) -> dict[str, Numbers]:
    total = claims.groupby(["src", "dst", "source"], observed=True)["count"].sum().reset_index()
    total = resolve_names(total, nodes)
    found: dict[str, Numbers] = {}
    for source in ("text", "resource", "mention"):
        table = _matrix(total[total["source"] == source], nodes)
        found |= {f"{source}_ab": np.log1p(_at(table, a, b)), f"{source}_ba": np.log1p(_at(table, b, a))}
        if source == "mention":
            by = np.diff(table.tocsc().indptr)  # how many name each node
            rare = 1.0 - np.maximum(by - 1, 0) / max(len(nodes) - 2, 1)
            found["mention_ab"], found["mention_ba"] = found["mention_ab"] * rare[b], found["mention_ba"] * rare[a]
    for source, name in (("trace", "traces"), ("shared_host", "shared_host")):
        table = _matrix(total[total["source"] == source], nodes)
        found[name] = np.log1p(_at(table, a, b) + _at(table, b, a))
    return found


def _of_traits(traits: pd.DataFrame, nodes: pd.Index, a: Codes, b: Codes) -> dict[str, Numbers]:
    total = traits.groupby(["node", "trait"], observed=True)["count"].sum().reset_index()
    total = total.assign(code=nodes.get_indexer(pd.Index(total["node"])), trait=total["trait"].astype("str"))
    role = roles(total, nodes)
    passive = np.array([each in PASSIVE for each in role], dtype=np.float64)
    edge = np.array([each == "edge" for each in role], dtype=np.float64)
    strain = _strain(total, len(nodes))
    return {
        "same_team": _same_team(total[total["trait"].str.startswith("team:")], len(nodes), a, b),
        "both_passive": passive[a] * passive[b],
        "one_passive": np.abs(passive[a] - passive[b]),
        "both_edge": edge[a] * edge[b],
        "passive_ab": passive[b] - passive[a],
        "edge_ab": edge[a] - edge[b],
        "strain_ab": strain[b] - strain[a],
    }


def roles(traits: pd.DataFrame, nodes: pd.Index) -> list[str | None]:
    """Return the role of each node: the one most alerts tell, else what its name tells."""
    told = traits[traits["trait"].str.startswith("role:")].assign(trait=lambda t: t["trait"].str.removeprefix("role:"))
    told = told.groupby(["node", "trait"], observed=True)["count"].sum().reset_index()
    most = told.sort_values(["count", "trait"], ascending=[False, True]).drop_duplicates("node")
    known = dict(zip(most["node"].astype("str"), most["trait"], strict=True))
    return [known[name] if name in known else role_of_name(name) for name in nodes]


def _same_team(teams: pd.DataFrame, size: int, a: Codes, b: Codes) -> Numbers:
    """Return how much likelier than by chance such teams are of a linked pair, if every second link stays within one.

    That is the log of (1/2 + 1/2 / f) for a team paged for a share f of the nodes, and of 1/2 for different teams.
    """
    if teams.empty or not len(a):
        return np.zeros(len(a))
    code, names = pd.factorize(teams["trait"])
    paged = csr_array((teams["count"].to_numpy(np.float64), (teams["code"].to_numpy(), code)), shape=(size, len(names)))
    alerts = np.asarray(paged.sum(axis=1)).ravel()
    share = csr_array(paged.multiply(1.0 / np.maximum(alerts, 1.0)[:, None]))
    within = np.asarray(share.sum(axis=0)).ravel() / np.count_nonzero(alerts)
    both = csr_array(share[a].minimum(share[b]))
    overlap = np.asarray(both.sum(axis=1)).ravel()
    said = both @ np.log((1 + 1 / within) / 2) - (1 - overlap) * np.log(2)
    sure = alerts / (alerts + 1)  # one alert may have paged anyone
    return np.asarray(np.where((alerts[a] > 0) & (alerts[b] > 0), said * sure[a] * sure[b], 0.0))


def _strain(traits: pd.DataFrame, size: int) -> Numbers:
    """Return by how much more than usual the alerts of each node are about saturation; 0 where none tells."""
    told = traits[traits["trait"].str.startswith("symptom:")]
    count = told["count"].to_numpy(np.float64)
    alerts = np.bincount(told["code"], weights=count, minlength=size)
    strained = np.bincount(told["code"], weights=count * told["trait"].eq(_STRAIN).to_numpy(), minlength=size)
    usual = strained.sum() / max(alerts.sum(), 1.0)
    return np.asarray((strained - usual * alerts) / (alerts + 2.0))  # two alerts as usual are added


def _matrix(claims: pd.DataFrame, nodes: pd.Index) -> csr_array:
    src, dst = nodes.get_indexer(pd.Index(claims["src"])), nodes.get_indexer(pd.Index(claims["dst"]))
    table = csr_array((claims["count"].to_numpy(np.float64), (src, dst)), shape=(len(nodes), len(nodes)))
    table.sum_duplicates()  # sorted: found by bisection
    return table


def _at(table: csr_array, rows: Codes, columns: Codes) -> Numbers:
    return (
        np.asarray(table[rows, columns], dtype=np.float64).ravel() if len(rows) and table.nnz else np.zeros(len(rows))
    )
