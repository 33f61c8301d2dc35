"""The evidence on every pair of kinds of alarm, where alarms have places: from a point process over the places."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import pandas as pd
from scipy.special import logit

from stanza_lab.dependencies.hawkes.confidence import VIEWS, network_confidence
from stanza_lab.dependencies.inference.features import pair_features
from stanza_lab.dependencies.inference.fusion import WEAK_CEILING
from stanza_lab.dependencies.inference.pairs import PairCounts
from stanza_lab.dependencies.inference.table import Evidence
from stanza_lab.errors import ParameterError

if TYPE_CHECKING:
    from stanza_lab.dependencies.known import Known
    from stanza_lab.dependencies.sums import DependencyStatistics

_WORDS = {"starts": "starts", "clears": "clears", "starts_back": "starts, backwards in time"}
RARE = 10  # co-firings below which the simulated networks, all of hundreds of alarms, say little
RARE_CEILING = 0.5  # and what is then said at most
MOST_KINDS = 300
_NOWHERE_NEAR = 1e-6  # link confidence of a pair that the point process does not list


def place_table(
    statistics: DependencyStatistics, *, known: Known, min_support: int, replicates: int, random_state: int
) -> Evidence:
    """Fit the point process and write what it says of each pair beside the counts.

    Parameters
    ----------
    statistics : DependencyStatistics
        Sums with places.
    known : Known
        Required and forbidden edges.
    min_support : int
        Distinct occasions below which a pair stays at low confidence.
    replicates, random_state : int
        How many replicates of the places, and their seed.
    """
    if len(statistics.firings.nodes) > MOST_KINDS:
        raise ParameterError(
            f"{len(statistics.firings.nodes):,} nodes; with place= at most {MOST_KINDS}: leave rare ones out, or pass "
            "a coarser node="
        )
    counts = PairCounts.of(statistics.firings)
    table = pair_features(counts, statistics.claims, statistics.traits, known=known.pairs())
    told = _network(statistics, known, replicates=replicates, random_state=random_state)
    forth, back = (
        told.reindex(pd.MultiIndex.from_frame(table[ends])).reset_index(drop=True) for ends in (["a", "b"], ["b", "a"])
    )
    onto_b, onto_a = (side["confidence"].fillna(0.0).to_numpy() for side in (forth, back))
    link = forth["link_confidence"].fillna(_NOWHERE_NEAR).clip(_NOWHERE_NEAR, 1.0).to_numpy()
    few = (table["occasions"] < min_support).to_numpy()
    link = np.where(few, WEAK_CEILING * -np.expm1(-link / WEAK_CEILING), link)
    link = np.where(table["cofirings"] < RARE, np.minimum(link, RARE_CEILING), link)
    says = {f"says:{_WORDS[view]}": forth[f"from_{view}"].fillna(0.0).to_numpy() for view in VIEWS}
    inside = np.clip(link, _NOWHERE_NEAR, 1 - _NOWHERE_NEAR)
    table = table.assign(
        share_a=forth["share"].fillna(0.0).to_numpy(),
        share_b=back["share"].fillna(0.0).to_numpy(),
        **says,
        prior=logit(inside) - sum(says.values()),
        link_confidence=link,
        b_depends=(onto_b + _NOWHERE_NEAR) / (onto_b + onto_a + 2 * _NOWHERE_NEAR),
    )
    unknown = pd.Series(np.nan, index=counts.nodes, name="delay_s")
    return Evidence(table, unknown)


def _network(statistics: DependencyStatistics, known: Known, *, replicates: int, random_state: int) -> pd.DataFrame:
    """Return what the point process says, by (cause, effect)."""
    arrivals = statistics.firings.to_frames()["arrivals"]
    nodes, places = statistics.firings.nodes, statistics.firings.places
    seconds = [_seconds(arrivals[name]) for name in ("starts_at", "ends_at")]
    found = network_confidence(
        nodes.get_indexer(pd.Index(arrivals["node"].astype("str"))),
        places=places.get_indexer(pd.Index(arrivals["place"].astype("str"))),
        starts=seconds[0],
        ends=seconds[1],
        names=nodes.tolist(),
        near=_hops(statistics, places),
        replicates=replicates,
        required=_mask(known.required, nodes),
        forbidden=_mask(known.forbidden, nodes),
        random_state=random_state,
    )
    return found.set_index(["cause", "effect"])


def _seconds(times: pd.Series) -> np.ndarray:
    micros = times.dt.as_unit("us").astype("int64").to_numpy() / 1e6
    return np.where(times.isna().to_numpy(), np.nan, micros)


def _hops(statistics: DependencyStatistics, places: pd.Index) -> list[tuple[np.ndarray, np.ndarray]]:
    """Return each place itself and, where there is a topology, the other places near it."""
    count = len(places)
    hops = [(np.arange(count + 1), np.arange(count))]
    near = statistics.counting.near
    if near is not None:
        others = near.among(places) & ~np.eye(count, dtype=bool)
        if others.any():
            hops.append((np.concatenate([[0], np.cumsum(others.sum(axis=1))]), np.nonzero(others)[1]))
    return hops


def _mask(edges: set[tuple[str, str]], nodes: pd.Index) -> np.ndarray | None:
    """Return causes x effects of edges (src depends on dst: dst is the cause) among the nodes that fired."""
    if not edges:
        return None
    mask = np.zeros((len(nodes), len(nodes)), dtype=bool)
    src, dst = (nodes.get_indexer(pd.Index([edge[end] for edge in sorted(edges)], dtype="str")) for end in (0, 1))
    there = (src >= 0) & (dst >= 0)
    mask[dst[there], src[there]] = True
    return mask
