"""Which pattern an incident begins like, and how likely it becomes it: `Patterns.recognise`, alert by alert."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, NamedTuple

from stanza_lab.patterns.mining.members import MATCH, quorum
from stanza_lab.patterns.recognising import BACK_OFF, DEPTH

if TYPE_CHECKING:
    from stanza_lab.patterns.found import Patterns

LEAST = 0.5  # less likely, and no pattern is named


class Recognised(NamedTuple):
    """A pattern that an incident begins like, and how likely it becomes it."""

    pattern: str
    name: str
    confidence: float
    seen: tuple[str, ...]  # its members that fired, in this order


@dataclass(frozen=True)
class _Known:
    """One pattern: its members with their share and whether they are core, and how incidents of history began."""

    pattern: str
    name: str
    share: Mapping[str, float]
    core: frozenset[str]
    need: int
    began: Mapping[frozenset[str], tuple[float, float]]  # members that fired first -> incidents, those that were it
    base: float
    complete: float  # that it is the pattern once all that makes it fired

    def confidence(self, kinds: list[str]) -> float:
        """Return how likely an incident is the pattern, given its members in the order they fired."""
        sure, match, cores = self.base, 0.0, 0
        fired: set[str] = set()
        for kind in kinds:
            fired.add(kind)
            showed, were = (0.0, 0.0) if len(fired) > DEPTH else self.began.get(frozenset(fired), (0.0, 0.0))
            sure = (were + BACK_OFF * sure) / (showed + BACK_OFF)
            match += self.share[kind]
            cores += kind in self.core
        whole = match / sum(self.share.values()) >= MATCH - 1e-9 and cores >= self.need
        return max(self.complete, sure) if whole else sure


class PatternTeller:
    """Tell which pattern incidents begin like.

    Parameters
    ----------
    patterns : Patterns
        What was mined.
    """

    def __init__(self, patterns: Patterns) -> None:
        self._of: dict[str, list[_Known]] = {}
        for known in _all(patterns):
            for kind in known.share:
                self._of.setdefault(kind, []).append(known)

    def tell(self, kinds: Iterable[tuple[str, int | None]], *, least: float = LEAST) -> Recognised | None:
        """Return the likeliest pattern of an incident so far.

        Parameters
        ----------
        kinds : iterable of (str, int or None)
            The kind of each alert, and when it fired; a kind may come again, and one without a time says nothing.
        least : float, 0 to 1, default 0.5
            Less likely ones are not told. Larger: fewer, later, surer.

        Returns
        -------
        Recognised or None
            None: none is likely enough.
        """
        first: dict[str, int] = {}
        for kind, at in kinds:
            if kind in self._of and at is not None:
                first[kind] = min(first.get(kind, at), at)
        if not first:
            return None
        order = sorted(first, key=lambda kind: (first[kind], kind))
        best: Recognised | None = None
        for known in {known.pattern: known for kind in order for known in self._of[kind]}.values():
            seen = [kind for kind in order if kind in known.share]
            found = Recognised(known.pattern, known.name, known.confidence(seen), tuple(seen))
            if found.confidence >= least and (best is None or _rank(found) < _rank(best)):
                best = found
        return best


def _rank(one: Recognised) -> tuple[float, int, str]:
    return -one.confidence, -len(one.seen), one.pattern


def _all(patterns: Patterns) -> list[_Known]:
    found = []
    steps = {str(name): some for name, some in patterns.steps.groupby("pattern")}
    begins = {} if patterns.prefixes is None else {str(n): some for n, some in patterns.prefixes.groupby("pattern")}
    for row in patterns.table.to_dict("records"):
        name = str(row["pattern"])
        if name not in steps:
            continue
        share = dict(zip(steps[name]["kind"].astype("str"), steps[name]["share"].astype(float), strict=True))
        core = frozenset(steps[name].loc[steps[name]["core"], "kind"].astype("str"))
        began: dict[frozenset[str], tuple[float, float]] = {}
        showed, were = 0.0, 0.0
        whole = (0.0, 0.0)
        for one in begins[name].to_dict("records") if name in begins else ():
            counted = float(one["showed"]), float(one["were"])
            if one["whole"]:
                whole = counted
            elif len(one["kinds"]):
                began.setdefault(frozenset(one["kinds"]), counted)
            else:
                showed, were = counted
        size, times = whole if whole[0] > 0 else (float(row["support"]),) * 2
        base = were / max(showed, 1.0)
        complete = (times + 1) / (size + 2)
        found.append(_Known(name, str(row["name"]), share, core, quorum(len(core)), began, base, complete))
    return found
