"""From groups of incidents alike to patterns: which kinds belong, and in which incidents each pattern happened.

A kind belongs to a pattern when more of its occurrences have it than chance and other incidents explain: in most of
them it is core, in some optional. An incident is an occurrence when enough of the pattern, by weight, is there, in
whatever company: what else fired does not count against it, but what explains one pattern does not count for another.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
from scipy.sparse import csc_array, csr_array

if TYPE_CHECKING:
    from numpy.typing import NDArray

    Floats = NDArray[np.float64]
    Ints = NDArray[np.int64]

CORE = 0.6  # share of the occurrences from which a member is core
OPTIONAL = 0.25  # and from which it belongs at all
UNUSUAL = 1.5  # times as often as in the other incidents
MATCH = 0.7  # share of a pattern's weight that makes an occurrence
QUORUM = 0.6  # share of the core members that must be there, at least two
SAME = 0.5  # of the occurrences of two patterns in common: they are one
_ROUNDS = 3


@dataclass(frozen=True)
class Member:
    """A pattern as rows of the table of kinds and of the incidents."""

    core: Ints
    optional: Ints
    share: Floats  # of the occurrences, core first, then optional
    incidents: Ints  # rising
    match: Floats  # per incident

    @property
    def members(self) -> Ints:
        """Core and optional kinds."""
        return np.concatenate([self.core, self.optional])

    @property
    def quorum(self) -> int:
        """How many core members an occurrence has at least."""
        return quorum(len(self.core))


def quorum(core: int) -> int:
    """Return how many of so many core members must be there."""
    return max(2, int(np.ceil(QUORUM * core - 1e-9)))


def settle(
    has: csr_array, weight: Floats, groups: list[Ints], *, least: int, usual: Floats | None = None
) -> list[Member]:
    """Return the patterns that groups of incidents come to, each with all incidents in which it happened.

    `usual` is how likely each kind fires around any moment: what fires all the time belongs to no pattern.
    """
    usual = np.zeros(has.shape[1]) if usual is None else usual
    found = groups
    columns = csc_array(has)
    matches = [np.ones(len(group)) for group in groups]
    described: list[tuple[Ints, Ints, Floats]] = []
    for _ in range(_ROUNDS):
        described, found, matches = _described(has, found, matches, least, usual)
        if not described:
            return []
        found, matches = _occurrences(columns, weight, described)
    described, found, matches = _described(has, found, matches, least, usual)
    settled = [
        Member(core, optional, share, rows, match)
        for (core, optional, share), rows, match in zip(described, found, matches, strict=True)
    ]
    return _different(settled)


def _described(
    has: csr_array, found: list[Ints], matches: list[Floats], least: int, usual: Floats
) -> tuple[list[tuple[Ints, Ints, Floats]], list[Ints], list[Floats]]:
    """Return core, optional and shares of each group that is a pattern, and those groups."""
    counts, whole = np.asarray(has.sum(axis=0)).ravel(), has.shape[0]
    described, rows, kept = [], [], []
    for group, match in zip(found, matches, strict=True):
        if len(group) < least:
            continue
        kinds, inside = np.unique(has[group].indices, return_counts=True)
        share = inside / len(group)
        elsewhere = (counts[kinds] - inside) / max(1, whole - len(group))
        belongs = (share >= OPTIONAL) & (inside >= 2) & (share >= UNUSUAL * np.maximum(elsewhere, usual[kinds]))
        core = belongs & (share >= CORE) & (inside >= least)
        if core.sum() < 2:
            continue
        optional = belongs & ~core
        described.append((kinds[core], kinds[optional], np.concatenate([share[core], share[optional]])))
        rows.append(group)
        kept.append(match)
    return described, rows, kept


def _occurrences(
    columns: csc_array, weight: Floats, described: list[tuple[Ints, Ints, Floats]]
) -> tuple[list[Ints], list[Floats]]:
    """Return per pattern the incidents in which it happened, and how much of it was there."""
    pattern = np.repeat(np.arange(len(described)), [len(core) + len(optional) for core, optional, _ in described])
    kind = np.concatenate([np.concatenate([core, optional]) for core, optional, _ in described])
    worth = np.concatenate([share for _, _, share in described]) * weight[kind]
    shape = len(described), columns.shape[1]
    whole = np.bincount(pattern, worth, minlength=len(described)).astype(np.float64)
    is_core = np.concatenate([np.r_[np.ones(len(core)), np.zeros(len(opt))] for core, opt, _ in described])
    table = csr_array((worth, (pattern, kind)), shape=shape)
    cores = csr_array((is_core, (pattern, kind)), shape=shape)
    need = np.array([float(quorum(len(core))) for core, _, _ in described])
    there, core_there = csr_array(columns @ table.T), csr_array(columns @ cores.T)
    of = np.repeat(np.arange(there.shape[0]), np.diff(there.indptr))
    enough = there.data >= MATCH * whole[there.indices] - 1e-9
    of, which, worth_there = of[enough], there.indices[enough].astype(np.int64), there.data[enough]
    quorate = np.asarray(core_there[of, which]).ravel() >= need[which]
    of, which, worth_there = of[quorate], which[quorate], worth_there[quorate]
    kept = _apart(of, which, worth_there, table, cores, csr_array(columns), whole, need)
    rows, matches = [], []
    order = np.argsort(which[kept], kind="stable")
    bounds = np.cumsum(np.bincount(which[kept], minlength=len(described)))[:-1]
    for part in np.split(kept[order], bounds):
        rows.append(of[part])
        matches.append(np.minimum(1.0, worth_there[part] / np.maximum(whole[which[part]], 1e-12)))
    return rows, matches


def _apart(
    of: Ints,
    which: Ints,
    worth: Floats,
    table: csr_array,
    cores: csr_array,
    has: csr_array,
    whole: Floats,
    need: Floats,
) -> Ints:
    """Return the elements to keep: of patterns that one incident could be, those that explain different alerts of it.

    The pattern that explains most comes first; another one stays if without the alerts explained so far enough is left.
    """
    order = np.lexsort((which, -worth, of))
    first = np.ones(len(order), bool)
    first[1:] = of[order][1:] != of[order][:-1]
    kept = list(order[first])
    rest = order[~first]
    explained: dict[int, set[int]] = {}
    if len(rest):
        shared = set(of[rest].tolist())
        for one in kept:
            if int(of[one]) in shared:
                explained[int(of[one])] = set(_row(table, int(which[one])).tolist())
    for one in rest:
        incident, pattern = int(of[one]), int(which[one])
        low, high = table.indptr[pattern], table.indptr[pattern + 1]
        free = {int(k) for k in _row(has, incident)} - explained[incident]
        kinds = table.indices[low:high]
        left = np.fromiter((k in free for k in kinds.tolist()), bool, len(kinds))
        core = cores.data[cores.indptr[pattern] : cores.indptr[pattern + 1]] > 0
        if table.data[low:high][left].sum() >= MATCH * whole[pattern] and (left & core).sum() >= need[pattern]:
            kept.append(one)
            explained[incident] |= set(kinds.tolist())
    return np.sort(np.array(kept, dtype=np.int64))


def _row(matrix: csr_array, row: int) -> Ints:
    return np.asarray(matrix.indices[matrix.indptr[row] : matrix.indptr[row + 1]])


def _different(settled: list[Member]) -> list[Member]:
    """Return patterns of which no two are one: with mostly the same occurrences or the same core; the larger stays."""
    order = sorted(range(len(settled)), key=lambda i: (-len(settled[i].incidents), -len(settled[i].core), i))
    of: dict[int, list[int]] = {}
    kept: list[int] = []
    seen: set[bytes] = set()
    for i in order:
        mine = settled[i]
        near = {j for incident in mine.incidents.tolist() for j in of.get(incident, ())}
        if mine.core.tobytes() in seen or any(_overlap(mine.incidents, settled[j].incidents) >= SAME for j in near):
            continue
        seen.add(mine.core.tobytes())
        kept.append(i)
        for incident in mine.incidents.tolist():
            of.setdefault(incident, []).append(i)
    return [settled[i] for i in sorted(kept)]


def _overlap(a: Ints, b: Ints) -> float:
    both = len(np.intersect1d(a, b, assume_unique=True))
    return both / (len(a) + len(b) - both)
