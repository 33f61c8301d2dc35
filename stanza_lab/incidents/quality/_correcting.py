"""What statements about alerts add up to, and a grouping corrected by them."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Hashable, Iterable
from dataclasses import dataclass
from itertools import combinations
from typing import TYPE_CHECKING, Generic, TypeVar

import numpy as np
import pandas as pd

from stanza_lab.errors import ParameterError
from stanza_lab.schema import NOISE

if TYPE_CHECKING:
    from stanza_lab.incidents.quality._contingency import Ints

KINDS = ("together", "apart", "alone")
Node = TypeVar("Node", bound=Hashable)


@dataclass(frozen=True)
class Statement:
    """One thing a person said: of one group of alerts, or of several sides that are apart; `line` of its file."""

    kind: str
    sides: tuple[tuple[str, ...], ...]
    line: int = 0


class Joined(Generic[Node]):
    """Things that are joined two by two (union-find)."""

    def __init__(self) -> None:
        self._parent: dict[Node, Node] = {}

    def root(self, node: Node) -> Node:
        """Return what stands for all that `node` is joined to."""
        parent = self._parent.setdefault(node, node)
        while parent != self._parent[parent]:
            self._parent[node] = parent = self._parent[parent]
        return parent

    def join(self, nodes: Iterable[Node]) -> None:
        """Join all of `nodes`; the first one's root stands for them."""
        first, *others = nodes
        self.root(first)
        for other in others:
            self._parent[self.root(other)] = self.root(first)

    def groups(self) -> list[list[Node]]:
        """Return what is joined, in the order in which it was first named."""
        found = defaultdict(list)
        for node in self._parent:
            found[self.root(node)].append(node)
        return list(found.values())


@dataclass(frozen=True)
class Meaning:
    """What statements add up to.

    Attributes
    ----------
    group_of : dict
        Every alert that was spoken of -> the smallest alert it belongs together with; null = it is on its own.
    apart : list of tuple
        Pairs of groups that are different incidents, in the order said.
    """

    group_of: dict[str, str | None]
    apart: list[tuple[str, str]]


def meaning(statements: Iterable[Statement]) -> Meaning:
    """Add statements up; raise where they contradict each other."""
    statements = list(statements)
    joined: Joined[str] = Joined()
    for statement in statements:
        for side in statement.sides if statement.kind != "alone" else ((name,) for name in statement.sides[0]):
            joined.join(side)
    group_of: dict[str, str | None] = {}
    for names in joined.groups():
        group_of |= dict.fromkeys(names, min(names))
    alone = {name for statement in statements if statement.kind == "alone" for name in statement.sides[0]}
    for names in joined.groups():
        if len(names) > 1 and (both := alone.intersection(names)):
            raise ParameterError(f"{min(both)!r} is both alone and together with others; drop one of the two")
    apart = []
    for statement in statements:
        if statement.kind == "apart":
            for (one, *_), (other, *_) in combinations(statement.sides, 2):
                if group_of[one] == group_of[other]:
                    raise ParameterError(f"{one!r} and {other!r} are both apart and together; drop one of the two")
                apart.append((str(group_of[one]), str(group_of[other])))
    return Meaning(group_of | dict.fromkeys(alone), apart)


def corrected(found: Ints, ids: pd.Index, said: Meaning) -> Ints:
    """Return the numbers of incidents, corrected; see `Corrections.apply`."""
    names = list(said.group_of)
    positions = ids.get_indexer(pd.Index(names, dtype="str"))
    labels = np.array(found, dtype=np.int64)
    members: dict[str, list[int]] = defaultdict(list)
    touched: set[int] = set()
    for name, position in zip(names, positions.tolist(), strict=True):
        group = said.group_of[name]
        if position >= 0 and group is None:
            touched.add(int(labels[position]))
            labels[position] = NOISE
        elif position >= 0 and group is not None:
            members[group].append(position)
    fresh = int(labels.max(initial=NOISE)) + 1
    labels, fresh, joined = _join(labels, members, fresh)
    labels, parted = _part(labels, members, said.apart, fresh)
    return _without_single(labels, touched | joined | parted)


def _join(labels: Ints, members: dict[str, list[int]], fresh: int) -> tuple[Ints, int, set[int]]:
    """Make one incident of all that the alerts of a group lie in."""
    joined: Joined[int] = Joined()
    of_group: dict[str, int] = {}
    for group, positions in members.items():
        incidents = sorted({int(labels[at]) for at in positions} - {NOISE})
        if not incidents and len(positions) > 1:
            incidents, fresh = [fresh], fresh + 1
        if incidents and len(positions) > 1:
            joined.join(incidents)
            of_group[group] = incidents[0]
    renamed = {old: min(group) for group in joined.groups() for old in group}
    moved = {old: new for old, new in renamed.items() if old != new}
    if moved:
        labels = pd.Series(labels).replace(moved).to_numpy(dtype=np.int64)
    labels = labels.copy()
    for group, incident in of_group.items():
        labels[members[group]] = renamed[incident]
    return labels, fresh, set(renamed.values())


def _part(
    labels: Ints, members: dict[str, list[int]], apart: list[tuple[str, str]], fresh: int
) -> tuple[Ints, set[int]]:
    """Let groups that are apart leave the incident they share; the first named stays, with the rest of it."""
    labels = labels.copy()
    where = {group: int(labels[positions[0]]) for group, positions in members.items()}
    conflicts: dict[int, dict[str, set[str]]] = defaultdict(lambda: defaultdict(set))
    for one, other in apart:
        if one in where and where.get(other) == where[one] != NOISE:
            conflicts[where[one]][one].add(other)
            conflicts[where[one]][other].add(one)
    touched = set(conflicts)
    for against in conflicts.values():
        place: dict[str, int] = {}
        for group, others in against.items():
            taken = {place[other] for other in others if other in place}
            place[group] = next(number for number in range(len(against)) if number not in taken)
        for group, number in place.items():
            if number:
                labels[members[group]] = fresh + number - 1
        touched |= set(range(fresh, fresh + max(place.values())))
        fresh += max(place.values())
    return labels, touched


def _without_single(labels: Ints, touched: set[int]) -> Ints:
    """Set what is left of one alert on its own, among the incidents that were corrected."""
    numbers, first, counts = np.unique(labels, return_index=True, return_counts=True)
    single = (counts == 1) & np.isin(numbers, sorted(touched))
    labels = labels.copy()
    labels[first[single]] = NOISE
    return labels
