"""One identity for the names of one service, learned from what the alerts state, explained and bounded by people.

Pairs of names are weighed by a logistic model whose weights in `weights.json` were fitted to simulated productions
only (``python -m benchmarks.calibrate_identity``). Likely pairs are joined, the likeliest first, unless anything in
the two groups keeps them apart or most of what is known between them speaks against it.
"""

from __future__ import annotations

import json
from collections import defaultdict
from collections.abc import Mapping
from collections.abc import Set as AbstractSet
from dataclasses import dataclass, field
from functools import cache, cached_property
from importlib import resources
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

from stanza_lab.entities import naming
from stanza_lab.entities.identity.pairs import FEATURES, candidates

if TYPE_CHECKING:
    from stanza_lab.entities.identity.overrides import Overrides
    from stanza_lab.entities.identity.statements import Floats, Statements
    from stanza_lab.entities.naming import Names

# Joined from odds of more than 2 to 1 on: of 0.7, 0.8 and 0.9 the lowest that keeps a mean precision of 0.99 on the
# productions the weights were fitted to.
MIN_CONFIDENCE = 0.7
DOUBT = 0.3  # from here on a pair that was not joined is told as a conflict
_SUREST = 0.999  # nothing that is learned is certain
_NEVER = -1.0
_GIVEN = 1.0  # confidence of what a person says


@dataclass(frozen=True)
class Identity:
    """Names of services, and the one name of each.

    Attributes
    ----------
    spelled : Names
        The names, spellings unified.
    statements : Statements
        Who states which name.
    pairs : DataFrame
        `pairs.candidates` with `probability` that both mean one service.
    group : list of str
        Canonical name of each of `statements.names`.
    joined : list of tuple of int and float
        Pairs of names that were joined, in order, with their probability.
    by_people : set of tuple of int
        Those of them, the smaller number first, that people said.
    given : mapping of str to str
        Folded names to which a person gave a canonical one.
    """

    spelled: Names
    statements: Statements
    pairs: pd.DataFrame
    group: list[str]
    joined: list[tuple[int, int, float]]
    by_people: AbstractSet[tuple[int, int]] = frozenset()
    given: Mapping[str, str] = field(default_factory=dict)
    _of: dict[str, str] = field(init=False, repr=False)

    def __post_init__(self) -> None:
        of = dict(zip(self.statements.names, self.group, strict=True))
        object.__setattr__(self, "_of", of)

    def __contains__(self, name: str) -> bool:
        return name in self.spelled

    def canonical(self, name: str) -> str:
        """Return the one name of the service that `name` means; a name never seen is returned as it is."""
        stated = self.given.get(naming.key(name))
        spelled = self.spelled.canonical(name)
        return stated or self.given.get(naming.key(spelled)) or self._of.get(spelled, spelled)

    @cached_property
    def pair_at(self) -> dict[tuple[int, int], int]:
        """Position in `pairs` of each pair of names, the smaller number first."""
        columns = (self.pairs[name].tolist() for name in ("a", "b"))
        return {pair: at for at, pair in enumerate(zip(*columns, strict=True))}

    def paths(self) -> dict[str, list[tuple[int, int, float]]]:
        """Return for each name the joins that lead from it to the canonical name of its service."""
        beside: dict[int, list[tuple[int, float]]] = defaultdict(list)
        for a, b, probability in self.joined:
            beside[a].append((b, probability))
            beside[b].append((a, probability))
        names, found = self.statements.names, {}
        for start in self._heads():
            way: dict[int, list[tuple[int, int, float]]] = {start: []}
            queue = [start]
            while queue:
                here = queue.pop()
                for there, probability in beside[here]:
                    if there not in way:
                        way[there] = [(there, here, probability), *way[here]]
                        queue.append(there)
            found.update({names[k]: steps for k, steps in way.items()})
        return found

    def _heads(self) -> list[int]:
        """Return of each service the name that is its own or, where no alert has that, one that a person gave it."""
        heads: dict[str, int] = {}
        for k, (name, service) in enumerate(zip(self.statements.names, self.group, strict=True)):
            if name == service or (service not in heads and naming.key(name) in self.given):
                heads[service] = k
        return [*heads.values()]


@cache
def weights() -> dict[str, float]:
    """Read the weights of the features in the log odds that ship with the package, and their intercept."""
    text = resources.files(__package__).joinpath("weights.json").read_text(encoding="utf-8")
    return dict(json.loads(text)["weights"])


def odds(pairs: pd.DataFrame) -> Floats:
    """Return for each pair the odds that its two names mean one service, whatever else they may mean."""
    known = weights()
    score = pairs[list(FEATURES)].to_numpy(np.float64) @ [known[name] for name in FEATURES]
    return np.asarray(np.exp(score + known["intercept"]))


def probability(pairs: pd.DataFrame, statements: Statements) -> Floats:
    """Return the probability that the two names of each pair mean one service; 0 where something forbids it.

    A system has one name for a service. So what else a name may mean in one place shares its probability: of n names
    there that fit alike, each has at most 1 in n.
    """
    found = np.where(pairs["apart"].isna(), odds(pairs), 0.0)
    there = statements.owned
    least = np.minimum(found / (1 + found), _SUREST)
    # Names that differ in nothing but a note or a word for production are no rivals of each other.
    form = pd.factorize(pd.Series(statements.parts))[0]
    for one, other in (("a", "b"), ("b", "a")):
        place = there[pairs[other].to_numpy()].tocoo()
        pair = place.row
        rivals = pd.DataFrame(
            {
                "pair": pair,
                "name": pairs[one].to_numpy()[pair],
                "place": place.col,
                "form": form[pairs[other].to_numpy()[pair]],
                "odds": found[pair],
            }
        )
        meant = rivals.groupby(["name", "place", "form"], sort=False)["odds"].max()
        among = meant.groupby(["name", "place"], sort=False).sum()
        total = among.loc[pd.MultiIndex.from_frame(rivals[["name", "place"]])].to_numpy()
        np.minimum.at(least, pair, found[pair] / (1 + total))
    return np.asarray(least)


def learn(
    spelled: Names, statements: Statements, *, overrides: Overrides, listed: set[str], min_confidence: float
) -> Identity:
    """Join names that mean one service.

    Parameters
    ----------
    spelled : Names
        The names, spellings unified.
    statements : Statements
        What the alerts state about them.
    overrides : Overrides
        What people say; it always wins.
    listed : set of str
        Names of the catalogue, which a service is called by if it has one.
    min_confidence : float
        Probability from which on two names are joined.
    """
    pairs = candidates(statements)
    pairs = pairs.assign(probability=probability(pairs, statements))
    numbers = {name: k for k, name in enumerate(statements.names)}
    groups = _Groups(pairs, overrides.apart_among(statements.names))
    by_people = set()
    for service, alias in overrides.joined(spelled.canonical):
        if service in numbers and alias in numbers and service != alias:
            groups.join(numbers[service], numbers[alias], _GIVEN)
            by_people.add((min(numbers[service], numbers[alias]), max(numbers[service], numbers[alias])))
    likely = pairs[pairs["probability"] >= min_confidence].sort_values(
        ["probability", "a", "b"], ascending=[False, True, True]
    )
    for a, b, found in zip(likely["a"].tolist(), likely["b"].tolist(), likely["probability"].tolist(), strict=True):
        if groups.agree(a, b):
            groups.join(a, b, found)
    given = overrides.given(spelled.canonical)
    group = _called(statements, groups, listed, given)
    return Identity(spelled, statements, pairs, group, groups.joined, by_people, given)


class _Groups:
    """Names joined so far; two groups join unless anything forbids it or most of what is known speaks against it."""

    def __init__(self, pairs: pd.DataFrame, apart: set[tuple[int, int]]) -> None:
        self.joined: list[tuple[int, int, float]] = []
        self.members: dict[int, list[int]] = {}
        self._root: dict[int, int] = {}
        columns = (pairs[name].tolist() for name in ("a", "b", "probability", "apart"))
        self._known = {(a, b): found if why is None else _NEVER for a, b, found, why in zip(*columns, strict=True)}
        self._known |= dict.fromkeys(apart, _NEVER)

    def root(self, name: int) -> int:
        """Return the first name of the group that `name` is in."""
        return self._root.get(name, name)

    def agree(self, a: int, b: int) -> bool:
        """Return whether the groups of two names may be one."""
        one, other = self._of(a), self._of(b)
        if self.root(a) == self.root(b):
            return False
        known = [self._known.get((min(i, j), max(i, j))) for i in one for j in other]
        told = [found for found in known if found is not None]
        return min(told) >= 0 and sum(told) >= 0.5 * len(told)

    def join(self, a: int, b: int, found: float) -> None:
        """Make one group of two."""
        one, other = self.root(a), self.root(b)
        if one == other:
            return
        members = self._of(a) + self._of(b)
        self.members.pop(other, None)
        self.members[one] = members
        self._root |= dict.fromkeys(members, one)
        self.joined.append((a, b, found))

    def _of(self, name: int) -> list[int]:
        return self.members.get(self.root(name), [name])


def _called(statements: Statements, groups: _Groups, listed: AbstractSet[str], given: Mapping[str, str]) -> list[str]:
    """Return what each name's service is called.

    A person's word counts first, then the catalogue's; then what has nothing around its core, spells that out, stands
    in most places and alerts, and is the shortest.
    """
    names = statements.names
    said = [given.get(naming.key(name)) for name in names]
    alerts = np.asarray(statements.counts.sum(axis=1)).ravel()
    places = np.diff(statements.counts.indptr)

    def rank(k: int) -> tuple[bool, bool, int, int, float, int, str]:
        core = statements.parts[k].joined
        letters = "".join(letter for letter in names[k].lower() if letter.isalnum())
        around = letters != core
        return names[k] not in listed, around, -len(core), -int(places[k]), -alerts[k], len(names[k]), names[k]

    group = [service or name for service, name in zip(said, names, strict=True)]
    for members in groups.members.values():
        best = next((service for k in members if (service := said[k])), None) or names[min(members, key=rank)]
        for k in members:
            group[k] = best
    return group
