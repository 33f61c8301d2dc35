"""The table of what leads to what: probabilities beyond chance, lags, in numbers and in words."""

from __future__ import annotations

import itertools
import logging
from typing import Literal

import numpy as np
import numpy.typing as npt
import pandas as pd
import scipy.special
import scipy.stats

from stanza_lab import schema
from stanza_lab._params import Duration, at_least, choice, duration, fraction
from stanza_lab.dependencies.propagation.chance import WAYS, expect
from stanza_lab.dependencies.propagation.counting import Following, count_following
from stanza_lab.dependencies.propagation.episodes import Episodes
from stanza_lab.dependencies.propagation.words import sentences
from stanza_lab.entities.symptoms import classify_symptoms
from stanza_lab.errors import ParameterError, UnknownNameError
from stanza_lab.schema import Column, Table

logger = logging.getLogger(__name__)

Floats = npt.NDArray[np.float64]

_BLOCK = 4  # times `within`: what starts in one block is one occasion
_QUARTERS = (0.25, 0.5, 0.75)
_BY = {"edge": ["src", "dst"], "src": ["src"], "dst": ["dst"]}

PROPAGATION = Table(
    "propagation",
    (
        Column("callee_kind", "str", "what fires on the callee"),
        Column("caller_kind", "str", "what fires on its callers"),
        Column("edges", "int64", "edges on which both kinds were seen"),
        Column("callee_firings", "int64", "firings of the callee's kind, once per such edge"),
        Column("followed", "int64", "of these: the caller's kind fired within the time"),
        Column("expected", "float64", "of these: by chance, as often as around them and on other days"),
        Column("reverse", "int64", "of these: the caller's kind had fired already, within the time before"),
        Column("occasions", "float64", "effective number of separate occasions; unsure edges count less"),
        Column("probability", "float64", "share that is followed beyond chance; null with too few occasions"),
        Column("low", "float64", "lower end of its 95 % interval"),
        Column("high", "float64", "upper end"),
        Column("lift", "float64", "share followed over the share by chance"),
        Column("unlinked", "float64", "share followed on nodes that have no edge with the callee, at the same time"),
        Column("lag_s", "float64", "median seconds from callee to caller"),
        Column("lag_low_s", "float64", "a quarter comes sooner"),
        Column("lag_high_s", "float64", "a quarter comes later"),
        Column("p_value", "float64", "of as many by chance, or as on unlinked nodes if that is more"),
        Column("q_value", "float64", "p_value after Benjamini-Hochberg over the table"),
        Column("words", "str", "all of it for people; untrusted names"),
    ),
)


def infer_propagation(
    alerts: pd.DataFrame,
    edges: pd.DataFrame,
    *,
    kind: str = "symptom",
    node: str = "service",
    within: Duration = "15min",
    refractory: Duration = "30min",
    min_confidence: float = 0.5,
    min_occasions: int = 5,
    by: Literal["edge", "src", "dst"] | None = None,
) -> pd.DataFrame:
    """Tell which kinds of alerts on a callee lead to which on its callers, how often and after how long.

    A firing is an alert with none of the same kind on the same node in the `refractory` time before. It is followed
    when the caller's kind fires in the `within` time after it. The share followed is compared with chance: how often
    the caller fires that kind in the hours around, and at the same time of other days (the higher of the two).

    Parameters
    ----------
    alerts : DataFrame
        `schema.ALERTS`; `starts_at` and the columns of `node` and `kind` must be there. Rows without a value
        are left out.
    edges : DataFrame
        Topology of any provenance: `src` calls `dst`. `confidence`, where absent or null `link_confidence`, weights an
        edge; without both it is certain.
    kind : str, default "symptom"
        Column with the kinds, for example "alertname". "symptom" is read from the alerts by `classify_symptoms` unless
        such a column is there.
    node : str, default "service"
        Column with the names that stand in `edges`.
    within : duration, default "15min"
        Longest lag. Longer: slower effects are found, but more is chance.
    refractory : duration, default "30min"
        Quiet time that separates two firings, at least `within`. Longer: flapping counts less.
    min_confidence : float, 0 to 1, default 0.5
        Edges less sure are left out, and count as no link. Larger: fewer, surer edges.
    min_occasions : int, default 5
        Effective occasions (times 4 `within` apart) below which no probability is given. Larger: fewer, surer rows.
    by : {"edge", "src", "dst"}, optional
        Give a row per edge, per caller or per callee too, in columns of these names. Default: all edges together.

    Returns
    -------
    DataFrame
        `stanza_lab.dependencies.PROPAGATION` behind the columns of `by`: a row for every pair of kinds that were
        seen on both ends of an edge, the most probable first. Weighted by confidence: occasions, probability, lift,
        unlinked.

    Raises
    ------
    SchemaError
        A column is missing or malformed.
    UnknownNameError
        There is no column called `kind` or `node`.
    ParameterError
        A parameter is out of range, or `refractory` is shorter than `within`.

    Notes
    -----
    probability = (f - c) / (1 - c) with f the share followed and c that by chance. Its interval is Jeffreys' for f over
    the effective occasions (Kish) and not over firings, for the firings of one incident are one fact. It holds for
    these edges; others may differ. The p-value takes the share on `unlinked` nodes when that is higher than chance: a
    storm or a common cause is not propagation. Edges whose caller never fired a kind say nothing of it: its monitor may
    be missing.

    Times are those of monitors. One that looks once in 5 min may see the callee after the caller: this is in `reverse`.
    A caller that fires already cannot follow. Both make the probability a lower bound. Lags include the delay of both
    monitors; their quartiles are corrected for chance, which is spread evenly. Beyond some 1.5 million comparisons,
    chance is estimated on evenly spaced firings.

    References
    ----------
    L. D. Brown, T. T. Cai, A. DasGupta, Interval estimation for a binomial proportion, Statistical Science 16, 2001,
    doi:10.1214/ss/1009213286. L. Kish, Survey Sampling, Wiley 1965 (effective sample size).

    Examples
    --------
    >>> import pandas as pd
    >>> import stanza_lab as sl
    >>> start = pd.Timestamp("2026-03-01T08:00Z")
    >>> times = pd.Series([start + pd.Timedelta(hours=29 * i) for i in range(10)])
    >>> full = pd.DataFrame({"starts_at": times, "service": "orders-db", "alertname": "CPUUtilization"})
    >>> later = pd.Timedelta("40s")
    >>> failing = pd.DataFrame({"starts_at": times + later, "service": "orders", "alertname": "High error rate"})
    >>> alerts = pd.concat([full, failing.iloc[:8]])
    >>> table = sl.infer_propagation(alerts, pd.DataFrame({"src": ["orders"], "dst": ["orders-db"]}), by="edge")
    >>> table["words"][0].partition(" (")[0]
    'saturation on orders-db is followed by errors on orders 40 s later'
    >>> table.loc[0, ["callee_firings", "followed"]].tolist()
    [10, 8]
    """
    span, quiet = (_millis(value, name) for value, name in ((within, "within"), (refractory, "refractory")))
    if quiet < span:
        raise ParameterError(f"refractory={refractory!r} must be at least within={within!r}")
    at_least(min_occasions, "min_occasions", 1)
    split = [] if by is None else _BY[choice(by, "by", _BY)]
    links = _links(edges, fraction(min_confidence, "min_confidence"))
    episodes = _episodes(alerts, node=node, kind=kind, within=span, refractory=quiet)
    coded = _coded(links, episodes.nodes)
    cell = [{"src": "caller", "dst": "callee"}[name] for name in split] + ["callee_kind", "caller_kind"]
    following = count_following(episodes, coded, cell=cell, block=_BLOCK * span)
    table = _measured(following, expect(episodes, coded, cell=cell), min_occasions=min_occasions, within=span)
    for name, code in zip(split, cell, strict=False):
        table[name] = episodes.nodes.to_numpy()[table[code].to_numpy(np.int64)]
    for name in ("callee_kind", "caller_kind"):
        table[name] = episodes.kinds.to_numpy()[table[name].to_numpy(np.int64)]
    table = table.assign(words=sentences(table))[[*split, *PROPAGATION.names]]
    table = table.astype(dict.fromkeys([*split, "callee_kind", "caller_kind", "words"], "str"))
    order = ["probability", "callee_firings", *split, "callee_kind", "caller_kind"]
    return table.sort_values(order, ascending=[False, False] + [True] * (len(order) - 2), ignore_index=True)


def _millis(value: Duration, name: str) -> int:
    millis = int(duration(value, name).value // 1_000_000)
    if millis < 1:
        raise ParameterError(f"{name}={value!r} must be at least a millisecond")
    return millis


def _links(edges: pd.DataFrame, min_confidence: float) -> pd.DataFrame:
    """Return callee, caller and weight of the edges that are sure enough, each once."""
    edges = schema.check(edges, schema.EDGES, need=["src", "dst"], what="edges")
    weight = pd.Series(np.nan, index=edges.index)
    for name in ("confidence", "link_confidence"):
        if name in edges.columns:
            weight = weight.fillna(edges[name])
    links = pd.DataFrame({"callee": edges["dst"], "caller": edges["src"], "weight": weight.fillna(1.0)})
    if not links["weight"].between(0, 1).all():
        raise ParameterError("edges: a confidence is outside 0 to 1; pass probabilities")
    links = links[(links["weight"] >= min_confidence) & (links["weight"] > 0) & (links["callee"] != links["caller"])]
    return links.dropna().groupby(["callee", "caller"], as_index=False).agg(weight=("weight", "max"))


def _episodes(alerts: pd.DataFrame, *, node: str, kind: str, within: int, refractory: int) -> Episodes:
    alerts = schema.check(alerts, schema.ALERTS, need=["starts_at"])
    for name in (node, kind):
        if name not in alerts.columns and name != "symptom":
            raise UnknownNameError.among("column", name, map(str, alerts.columns))
    kinds = alerts[kind] if kind in alerts.columns else classify_symptoms(alerts)
    known = alerts["starts_at"].notna() & alerts[node].notna() & kinds.notna()
    if not known.all():
        logger.info("%d of %d alerts have no time, %s or %s: left out", (~known).sum(), len(known), node, kind)
    return Episodes.of(
        alerts.loc[known, "starts_at"], alerts.loc[known, node], kinds[known], within=within, refractory=refractory
    )


def _coded(links: pd.DataFrame, nodes: pd.Index) -> pd.DataFrame:
    """Return links with nodes as codes; those that never fired have nothing to tell."""
    coded = links.assign(
        callee=nodes.get_indexer(pd.Index(links["callee"])), caller=nodes.get_indexer(pd.Index(links["caller"]))
    )
    return coded[(coded["callee"] >= 0) & (coded["caller"] >= 0)].reset_index(drop=True)


def _measured(following: Following, chance: pd.DataFrame, *, min_occasions: int, within: int) -> pd.DataFrame:
    """Return the cells with what the counts say."""
    cells = following.cells
    weight = cells["weight"].to_numpy(np.float64)
    share = cells["hits"].to_numpy(np.float64) / weight
    # Half a hit more than was seen: chance is never ruled out by a few empty windows.
    rates = {way: (chance[f"{way}_hits"] + 0.5) / (chance[f"{way}_windows"] + 1.0) for way in WAYS}
    seen = {way: chance[f"{way}_windows"].to_numpy() > 0 for way in WAYS}
    told = {way: np.where(seen[way], np.clip(rates[way].to_numpy(np.float64), 0, 1), 0.0) for way in WAYS}
    usual = np.where(seen["flank"] | seen["day"], np.maximum(told["flank"], told["day"]), np.nan)
    sure = weight / cells["callee_firings"].to_numpy(np.float64)
    occasions = weight**2 / cells["squares"].to_numpy(np.float64) * sure
    enough = (occasions >= min_occasions) & ~np.isnan(usual)
    low, high = _jeffreys(share * occasions, occasions)
    return cells.assign(
        expected=usual * cells["callee_firings"],
        occasions=occasions,
        probability=np.where(enough, _beyond(share, usual), np.nan),
        low=np.where(enough, _beyond(low, usual), np.nan),
        high=np.where(enough, _beyond(high, usual), np.nan),
        lift=share / usual,
        unlinked=np.where(seen["unlinked"], told["unlinked"], np.nan),
        **_lags(following, usual, within),
        **_tests(share * occasions, occasions, np.maximum(usual, told["unlinked"]), enough),
    )


def _beyond(share: Floats, usual: Floats) -> Floats:
    """Return the share of what is not chance already."""
    return np.clip((share - usual) / np.maximum(1 - usual, 1e-9), 0.0, 1.0)


def _jeffreys(hits: Floats, trials: Floats) -> tuple[Floats, Floats]:
    a, b = hits + 0.5, trials - hits + 0.5
    low = np.where(hits > 0, scipy.special.betaincinv(a, b, 0.025), 0.0)
    return low, np.where(hits < trials, scipy.special.betaincinv(a, b, 0.975), 1.0)


def _tests(hits: Floats, trials: Floats, usual: Floats, enough: npt.NDArray[np.bool_]) -> dict[str, Floats]:
    """Return p and q values of the binomial tail; trials need not be whole."""
    p = np.where(
        hits > 0, scipy.special.betainc(np.maximum(hits, 1e-9), np.maximum(trials - hits + 1, 1e-9), usual), 1.0
    )
    p, q = np.where(enough, np.clip(p, 0, 1), np.nan), np.full(len(p), np.nan)
    if enough.any():
        q[enough] = scipy.stats.false_discovery_control(p[enough])
    return {"p_value": p, "q_value": q}


def _lags(following: Following, usual: Floats, within: int) -> dict[str, Floats]:
    """Return quartiles of the lags, less those by chance, which spread evenly over the window."""
    lags = following.lags
    count = len(following.cells)
    expected = usual * following.cells["callee_firings"].to_numpy(np.float64)
    quartiles = np.full((3, count), np.nan)
    at = lags["lag_ms"].to_numpy(np.float64)
    borders = np.searchsorted(lags["cell"].to_numpy(), np.arange(count + 1))
    for cell, (low, high) in enumerate(itertools.pairwise(borders)):
        if high == low:
            continue
        mine = at[low:high]
        chance = min(expected[cell], 0.9 * len(mine))
        rest = np.maximum.accumulate(np.arange(1, len(mine) + 1) - chance * mine / within)
        places = np.searchsorted(rest, np.array(_QUARTERS) * rest[-1])
        quartiles[:, cell] = mine[np.minimum(places, len(mine) - 1)] / 1e3
    return {"lag_low_s": quartiles[0], "lag_s": quartiles[1], "lag_high_s": quartiles[2]}
