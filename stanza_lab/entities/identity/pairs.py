"""Which two names may mean one service, and what speaks for and against it.

Names are compared only where something brings them together: the same words or initials, an alert that states both, a
host or a trace in common. So the work grows with the names, not with their square.
"""

from __future__ import annotations

from collections import defaultdict
from itertools import combinations
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd
from scipy import sparse, special

from stanza_lab.entities import naming
from stanza_lab.entities.identity.parts import align

if TYPE_CHECKING:
    from collections.abc import Iterable

    from stanza_lab.entities.identity.statements import Floats, Mask, Statements

FEATURES = (
    "same_words",
    "abbreviated",
    "plain",
    "soft_words",
    "together",
    "contradicted",
    "hosts",
    "traces",
    "handover",
)
_CROWD = 60  # names with the same initials: compared only where they also share a word or its beginning
_SPELLINGS = 200  # of one service at most
_BY_CHANCE = 0.01
_PLACES = 3  # more handovers say no more
_UNTOLD = 3.0  # alerts added to those with another name, so that one of them says little


def candidates(statements: Statements) -> pd.DataFrame:
    """Return pairs of names that may mean one service, with the features that `identity` weighs.

    Returns
    -------
    DataFrame
        One row per pair, a < b (positions in `statements.names`), sorted:

        * likeness: how well the words of the two cores match, 0 to 1; words: the pairs of words that differ
        * same_words (1: the same core), abbreviated (1 - likeness, if the cores match otherwise), plain (the cores do
          not match), soft_words (words such as api or web that only one has)
        * together: log of alerts that state both, times the share of them among all that name both places;
          contradicted: share of alerts with one that name something else in a place of the other
        * hosts, traces: log of the hosts, pods or traces that few but they have
        * handover: in one place, one after the other in time
        * apart: why they cannot be one service, or null
    """
    a, b = _brought_together(statements)
    parts = statements.parts
    aligned = [align(parts[i].core, parts[j].core) for i, j in zip(a.tolist(), b.tolist(), strict=True)]
    likeness = np.array([worst for worst, _ in aligned], dtype=np.float64)
    soft = [len(parts[i].soft ^ parts[j].soft) for i, j in zip(a.tolist(), b.tolist(), strict=True)]
    both, either = _named_together(statements, a, b)
    same_place, handover = _in_time(statements, a, b)
    pairs = pd.DataFrame(
        {
            "a": a,
            "b": b,
            "likeness": likeness,
            "words": [words for _, words in aligned],
            "same_words": (likeness >= 0.95).astype(np.float64),
            "abbreviated": np.where((likeness > 0) & (likeness < 0.95), 1 - likeness, 0.0),
            "plain": (likeness == 0).astype(np.float64),
            "soft_words": np.minimum(soft, 2).astype(np.float64) * (likeness > 0),
            "together": np.log1p(both) * np.divide(both, either, out=np.zeros_like(both), where=either > 0),
            "alerts": both.astype(np.int64),
            "contradicted": (either - both) / (either + _UNTOLD),
            # Two names in one alert share what it carries: that says nothing more.
            "hosts": np.log1p(_in_common(statements.shared, a, b)) * (both == 0),
            "traces": np.log1p(_in_common(statements.traced, a, b)) * (both == 0),
            "handover": handover,
            "same_place": same_place,
        }
    )
    return pairs.assign(apart=_apart(statements, pairs))


def _brought_together(statements: Statements) -> tuple[np.ndarray, np.ndarray]:
    found: set[tuple[int, int]] = set()
    for group in _blocks(statements):
        found.update(combinations(group, 2))
    for table in (statements.together, _touch(statements.shared), _touch(statements.traced)):
        pair = sparse.triu(table, k=1).tocoo()
        found.update(zip(pair.row.tolist(), pair.col.tolist(), strict=True))
    ordered = np.array(sorted(found), dtype=np.int64).reshape(-1, 2)
    return ordered[:, 0], ordered[:, 1]


def _blocks(statements: Statements) -> Iterable[list[int]]:
    """Yield groups of names worth comparing: the same letters, or the same initials (abbreviations keep those)."""
    letters: dict[str, list[int]] = defaultdict(list)
    initials: dict[tuple[str, ...], list[int]] = defaultdict(list)
    for number, parts in enumerate(statements.parts):
        letters[parts.joined].append(number)
        initials[tuple(sorted(word[0] for word in parts.core))].append(number)
    # More of the same letters are numbered things, such as runs of a job, and no spellings of one service.
    yield from (group for group in letters.values() if len(group) <= _SPELLINGS)
    for crowd in initials.values():
        if len(crowd) <= _CROWD:
            yield crowd
            continue
        finer: dict[tuple[str, ...], list[int]] = defaultdict(list)
        for number in crowd:  # one word may differ, the others are the same; a lone word keeps its first consonants
            core = sorted(statements.parts[number].core)
            for left_out in range(len(core)):
                kept = (*core[:left_out], *core[left_out + 1 :]) or (_skeleton(core[0]),)
                finer[kept].append(number)
        yield from (group for group in finer.values() if len(group) <= _CROWD)


def _skeleton(word: str) -> str:
    return word[0] + "".join(letter for letter in word[1:] if letter not in "aeiou")[:1]


def _touch(table: sparse.csr_array) -> sparse.csr_array:
    return (table @ table.T).tocsr()


def _in_common(table: sparse.csr_array, a: np.ndarray, b: np.ndarray) -> Floats:
    """Return how many columns each pair of rows has in common."""
    known = (table > 0).astype(np.float64).tocsr()
    return np.asarray((known[a] * known[b]).sum(axis=1)).ravel().astype(np.float64)


def _named_together(statements: Statements, a: np.ndarray, b: np.ndarray) -> tuple[Floats, Floats]:
    """Return for each pair the alerts that state both, and those with one that name anything in a place of the other.

    Only places with one name for one service count: tags may say now one name of it, now another. The latter number is
    the larger of the two sides: names that always come together are one, one that comes with many is a group's.
    """
    both = _at(statements.together, a, b)
    there = statements.owned
    return both, np.maximum(both, np.maximum(_partners(statements, there, a, b), _partners(statements, there, b, a)))


def _partners(statements: Statements, there: sparse.csr_array, one: np.ndarray, other: np.ndarray) -> Floats:
    """Return how many alerts with `one` name something in the place where `other` stands; of several, the most."""
    named = statements.beside[one].multiply(there[other]).tocsr()
    return np.asarray(named.max(axis=1).todense()).ravel().astype(np.float64)


def _in_time(statements: Statements, a: np.ndarray, b: np.ndarray) -> tuple[Mask, Floats]:
    """Return which pairs stand in one place, and in how many places one name takes over from the other.

    In all of them their times must not overlap, and would not by chance once in a hundred times: of n and m alerts in
    any order, all of one side come first in 2 of (n + m over n) orders.
    """
    there = statements.owned
    common = (there[a].multiply(there[b])).tocoo()
    pair, place = common.row, common.col
    i, j = a[pair], b[pair]
    start = np.maximum(statements.first[i, place], statements.first[j, place])
    end = np.minimum(statements.last[i, place], statements.last[j, place])
    n, m = _at(statements.counts, i, place), _at(statements.counts, j, place)
    one_by_one = (end < start) & (2 / special.comb(n + m, n) < _BY_CHANCE)  # False where a time is unknown
    same_place = np.bincount(pair, minlength=len(a)) > 0
    beside = np.bincount(pair, ~one_by_one, minlength=len(a)) > 0
    handovers = np.minimum(np.bincount(pair, one_by_one, minlength=len(a)), _PLACES)
    return same_place, np.where(beside, 0.0, handovers)


def _at(table: sparse.csr_array, row: np.ndarray, column: np.ndarray) -> Floats:
    """Return the entries of a table at rows and columns."""
    if not len(row):
        return np.zeros(0)
    found = table[row, column]
    return np.asarray(found.toarray() if sparse.issparse(found) else found, dtype=np.float64).ravel()


def _apart(statements: Statements, pairs: pd.DataFrame) -> pd.Series:
    """Return why the two cannot be one service, null where nothing forbids it."""
    reasons: list[str | None] = []
    columns = (pairs[name].tolist() for name in ("a", "b", "same_place", "handover"))
    for a, b, same_place, handover in zip(*columns, strict=True):
        one, other = statements.parts[a], statements.parts[b]
        if naming.key(statements.names[a]) == naming.key(statements.names[b]):
            reasons.append("they differ in case only, which AWS tells apart")
        elif one.environment != other.environment:
            stages = (one.environment or "production", other.environment or "production")
            reasons.append("one is of {}, one of {}".format(*stages))
        elif one.region and other.region and one.region != other.region:
            reasons.append(f"one is of {one.region}, one of {other.region}")
        elif same_place and not handover and one != other:
            reasons.append("a tool has both names side by side")
        else:
            reasons.append(None)
    return pd.Series(reasons, dtype=object)
