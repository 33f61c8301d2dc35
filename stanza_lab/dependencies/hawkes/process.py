"""A sparse point process: alarms of which node raise the rate of which other, over many draws from the history."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, NamedTuple

import numpy as np
import numpy.typing as npt

from stanza_lab.errors import ParameterError

if TYPE_CHECKING:
    from stanza_lab.dependencies.hawkes._kernels import Columns, Stream

Floats = npt.NDArray[np.float64]
Ints = npt.NDArray[np.int64]
Mask = npt.NDArray[np.bool_]
Near = Sequence[tuple[Ints, Ints]]

FADES_S = ((10.0,), (100.0,), (1.0, 33.0))  # seconds in which an influence fades to a third; replicates take turns
REPLICATES = 36
PENALTY = 0.1  # of the Bayesian information criterion, per coefficient: one replicate may err, they vote
TRIES = 3
FEW_PLACES = 10  # with fewer, stretches of time are drawn instead of places
BLOCKS = 60
QUIET_S = 600.0  # a gap after which nothing is remembered
LONG_S = 3600.0  # a stretch so much longer than the memory that its ends hardly matter
LAGS_S = np.array([0.0, 1.0, 2.0, 5.0, 10.0, 20.0, 30.0, 60.0, 120.0, 200.0, 300.0, 600.0])
MOST_ENTRIES = 60_000_000  # of a design: half a gigabyte


@dataclass(frozen=True)
class Influence:
    """How surely and how strongly each node (row) brings about alarms of each other (column).

    Attributes
    ----------
    share : ndarray of float
        Share of the replicates that keep the pair, 0 to 1.
    effect : ndarray of float
        Expected alarms of the column's node that one alarm of the row's node causes directly, mean over the replicates
        (0 in those that do not keep it).
    """

    share: Floats
    effect: Floats

    @classmethod
    def none(cls, count: int) -> Influence:
        """Return that nothing is known."""
        return cls(np.zeros((count, count)), np.zeros((count, count)))


@dataclass(frozen=True)
class _History:
    """Alarms in order, and the units that replicates draw: places, or stretches of time."""

    stream: Stream
    unit: Ints  # of each alarm
    by_place: bool
    seconds: Floats  # of each unit


class _Design(NamedTuple):
    """What bears on what under one model."""

    columns: Columns
    exposure: Floats  # units x sources and influences: their sums over time
    unit_of_row: Ints
    alone: Floats  # units x nodes: alarms that nothing bears on


def fit_influence(
    nodes: Ints,
    *,
    places: Ints,
    times: Floats,
    count: int,
    near: Near,
    fades_s: Sequence[Sequence[float]] = FADES_S,
    replicates: int = REPLICATES,
    penalty: float = PENALTY,
    candidates: Mask | None = None,
    required: Mask | None = None,
    forbidden: Mask | None = None,
    random_state: int = 0,
) -> Influence:
    """Search, in many draws from the history, for the causes of every node's alarms.

    Each node's rate is a constant plus what earlier alarms at near places add, fading exponentially. Causes are added
    one by one, greedily over all nodes and never in a circle.

    Parameters
    ----------
    nodes : ndarray of int
        Node of each alarm, 0 to ``count - 1``.
    places : ndarray of int
        Place of each alarm, numbered as in `near`.
    times : ndarray of float
        Seconds since any instant. Alarms of the same instant count half as the earlier one, each for the other.
    count : int
        Number of nodes.
    near : sequence of (pointers, places)
        Per hop, the places whose alarms bear on each place, as the pointers and columns of a CSR matrix. The first is
        the place itself. More hops cost in proportion.
    fades_s : sequence of sequences of float
        Seconds in which influences fade, one or more per model; replicates take the models in turn.
    replicates : int
        Number of draws; more tell shares apart more finely.
    penalty : float
        Share of the BIC penalty a cause must earn; more keeps fewer.
    candidates, required, forbidden : ndarray of bool, optional
        Causes x effects: the only pairs to be considered (default: all); pairs in every replicate; pairs in none.
    random_state : int
        Seed of the draws.

    Returns
    -------
    Influence
        `share` and `effect`, each causes x effects.

    Raises
    ------
    ParameterError
        The design would need too much memory.

    Notes
    -----
    Replicates draw places, with Poisson(1) weights; with fewer than 10 of them, up to 60 stretches of time, cut where
    it is quiet. Never alarms: those of one cascade belong together.

    References
    ----------
    Cai, R. et al. (2022), "THPs: Topological Hawkes Processes for Learning Causal Structure on Event Sequences",
    IEEE TNNLS, doi:10.1109/TNNLS.2022.3175622.
    """
    if not len(nodes):
        return Influence.none(count)
    from stanza_lab.dependencies.hawkes import _kernels

    others = ~np.eye(count, dtype=bool)
    wanted = np.zeros_like(others) if required is None else required & others
    allowed = others if candidates is None else candidates & others
    allowed = (allowed if forbidden is None else allowed & ~forbidden) | wanted
    history = _history(nodes, places, times, len(near[0][0]) - 1)
    order = np.argsort(history.stream.nodes, kind="stable")
    designs = [_design(history, near, allowed | ~others, order, 1 / np.asarray(fades)) for fades in fades_s]
    fired = _counted(history.unit, history.stream.nodes, (len(history.seconds), count))
    rng = np.random.default_rng(random_state)
    share, effect, drawn = np.zeros((count, count)), np.zeros((count, count)), 0
    for replicate in range(replicates):
        columns, exposure, unit_of_row, alone = designs[replicate % len(designs)]
        weight = rng.poisson(1.0, len(fired)).astype(np.float64) if len(fired) > 1 else np.ones(1)
        if not (weight @ fired).any():
            continue
        sample = _kernels.Sample(
            weight[unit_of_row], weight @ alone, float(weight @ history.seconds), weight @ exposure
        )
        price = penalty * exposure.shape[1] / count * np.log(len(order)) / 2
        kept, caused = _kernels.search(columns, sample, allowed, wanted, price, TRIES)
        share += kept
        effect += caused / np.maximum(weight @ fired, 1.0)[:, None]
        drawn += 1
    return Influence(share / max(drawn, 1), effect / max(drawn, 1))


def _history(nodes: Ints, places: Ints, times: Floats, place_count: int) -> _History:
    from stanza_lab.dependencies.hawkes._kernels import Stream

    order = np.lexsort((nodes, times, places))
    nodes, places, times = nodes[order], places[order], times[order]
    stream = Stream(nodes, times, np.searchsorted(places, np.arange(place_count + 1)))
    alarming, number = np.unique(places, return_inverse=True)
    if len(alarming) >= FEW_PLACES:
        span = max(float(np.ptp(times)), 1.0)
        return _History(stream, number, by_place=True, seconds=np.full(len(alarming), span))
    by_time = np.argsort(times, kind="stable")
    block, seconds = blocks(times[by_time])
    unit = np.empty_like(block)
    unit[by_time] = block
    return _History(stream, unit, by_place=False, seconds=seconds * len(alarming))


def median_lags(nodes: Ints, *, places: Ints, times: Floats, count: int) -> Floats:
    """Return the median seconds from the latest alarm of each cause to the effect at its place, beyond chance.

    Chance is what lags of 5 to 10 minutes show, per second. Null where shorter ones show no more.

    Returns
    -------
    ndarray of float
        Causes x effects.
    """
    from stanza_lab.dependencies.hawkes import _kernels

    counts = np.zeros((count, count, len(LAGS_S) - 1))
    if len(nodes):
        order = np.lexsort((nodes, times, places))
        last = int(places.max()) + 1
        begins = np.searchsorted(places[order], np.arange(last + 1))
        _kernels.lags(_kernels.Stream(nodes[order], times[order], begins), LAGS_S, counts)
    widths = np.diff(LAGS_S)
    beyond = np.maximum(counts[..., :-1] - counts[..., -1:] * widths[:-1] / widths[-1], 0.0)
    below = beyond.cumsum(axis=-1)
    half = below[..., -1:] / 2
    at = np.minimum((below < half).sum(axis=-1, keepdims=True), beyond.shape[-1] - 1)
    inside = np.take_along_axis(beyond, at, axis=-1)
    part = (half - np.take_along_axis(below, at, axis=-1) + inside) / np.where(inside > 0, inside, np.nan)
    return np.asarray((LAGS_S[at] + part * widths[at])[..., 0])


def blocks(times: Floats) -> tuple[Ints, Floats]:
    """Cut sorted `times` into at most 60 stretches of about as many alarms each, at the widest gap around each cut.

    Cuts that are neither in a quiet gap nor an hour behind the one before are left out.

    Returns
    -------
    block : ndarray of int
        Of each time, from 0.
    seconds : ndarray of float
        Length of each block, until the next begins.
    """
    gaps = np.diff(times)
    middles = np.arange(1, BLOCKS) * len(times) / BLOCKS
    half = len(times) / BLOCKS / 2
    starts = [0]
    for middle in middles:
        low, high = max(int(middle - half), starts[-1]), int(middle + half)
        if high <= low:
            continue
        cut = low + int(np.argmax(gaps[low:high]))
        if gaps[cut] >= QUIET_S or (gaps[cut] > 0 and times[cut] - times[starts[-1]] >= LONG_S):
            starts.append(cut + 1)
    block = np.zeros(len(times), dtype=np.int64)
    block[starts[1:]] = 1
    return np.cumsum(block), np.maximum(np.diff(np.append(times[starts], times[-1])), 1.0)


def _design(history: _History, near: Near, allowed: Mask, order: Ints, paces: Floats) -> _Design:
    """Return all influences under one model."""
    from stanza_lab.dependencies.hawkes import _kernels

    stream, count = history.stream, len(allowed)
    row = np.empty_like(order)
    row[order] = np.arange(len(order))
    hops = [
        _kernels.Hop(number, len(near), *(np.ascontiguousarray(part, dtype=np.int64) for part in lists))
        for number, lists in enumerate(near)
    ]
    exposure = np.zeros((len(history.seconds), count, len(hops), len(paces)))
    at = np.zeros(count * count * len(hops) * len(paces), dtype=np.int64)
    nothing = np.zeros(0, dtype=np.int32), np.zeros(0, dtype=np.float32)
    for hop in hops:
        _kernels.exposures(stream, hop, paces, history.unit, history.by_place, exposure)
        _kernels.influences(stream, hop, paces, allowed, row, at, *nothing)
    starts = np.concatenate([[0], np.cumsum(at)])
    if starts[-1] > MOST_ENTRIES:
        raise ParameterError(
            f"{len(order):,} alarms of {count} nodes bear on each other {starts[-1]:,} times, which needs more than "
            f"{MOST_ENTRIES * 8 / 1e9:.1f} GB; pass fewer candidates, shorter fades_s, fewer hops or a shorter history"
        )
    at = starts[:-1].copy()
    rows, values = np.empty(starts[-1], dtype=np.int32), np.empty(starts[-1], dtype=np.float32)
    for hop in hops:
        _kernels.influences(stream, hop, paces, allowed, row, at, rows, values)
    borne, rows = np.unique(rows, return_inverse=True)
    alarms = order[borne]
    targets = np.searchsorted(stream.nodes[alarms], np.arange(count + 1))
    shape = len(exposure), count
    alone = _counted(history.unit, stream.nodes, shape) - _counted(history.unit[alarms], stream.nodes[alarms], shape)
    columns = _kernels.Columns(starts, rows.astype(np.int32), values, targets)
    return _Design(columns, exposure.reshape(len(exposure), -1), history.unit[alarms], alone)


def _counted(units: Ints, nodes: Ints, shape: tuple[int, int]) -> Floats:
    return np.bincount(units * shape[1] + nodes, minlength=shape[0] * shape[1]).reshape(shape).astype(np.float64)
