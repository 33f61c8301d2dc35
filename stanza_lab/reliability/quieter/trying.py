"""What a change of one rule would have done to a history: which alerts and pages go, which come later."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, NamedTuple

import numpy as np

from stanza_lab.reliability.quieter.record import NEVER, SECOND

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from stanza_lab.reliability.quieter.record import Bools, Ints, Record

KINDS = ("debounce", "group", "hold", "notify", "delete")  # the gentlest first
SILENT = ("notify", "delete")  # the rule pages no more
HOLDS_S = (60, 120, 300, 600, 900, 1800)
DEBOUNCES_S = (300, 900, 1800, 3600)
GROUPS_S = (300, 900, 1800)
_SLACK = 2 * 86_400 * SECOND  # by how much a page may come after its alert
_WIDEST = 100_000  # alerts of one value: to group by it would be no grouping, and take long to try


class Change(NamedTuple):
    """One way to make one rule quieter."""

    kind: str
    seconds: int = 0  # hold: how much longer; debounce: how soon is again; group: how long one page stands for all
    by: str = ""  # what is grouped by


class Part(NamedTuple):
    """What a change does in one part of the history."""

    pages_saved: int
    alerts_saved: int
    occasions: int  # incidents, and alerts on their own, in which an alert or a page goes or comes later
    real: int  # of them: real ones
    missed: int  # real ones of which nobody is paged any more, or too late, or nothing is left
    late: int  # real ones of which somebody is paged later than before, within the limit
    later_s: float  # median over them; null where there is none
    later_max_s: float


@dataclass(frozen=True)
class Effect:
    """The rows that a change touches and what becomes of them; the units of these and how they are caught then."""

    rows: Ints
    alive: Bools
    page: Ints
    units: Ints
    first: Ints
    missed: Bools
    late: NDArray[np.float64]  # seconds
    earlier: Part
    later: Part


class Members(NamedTuple):
    """Units and the rows in them: each change of a rule asks for those of its rule."""

    units: Ints
    rows: Ints  # of one unit after the other
    begins: Ints  # where each unit begins in `rows`


class State:
    """A history under the changes taken so far."""

    def __init__(self, record: Record, *, max_later: int) -> None:
        self.record, self.max_later = record, max_later
        self.alive = np.ones(len(record.rule), dtype=bool)
        self.page = record.page.copy()
        self.grouped: dict[int, Change] = {}
        self._follows = np.zeros(len(record.rules), dtype=bool)
        self.missed = np.zeros(len(record.real), dtype=bool)
        self.late = np.zeros(len(record.real))
        self._members: tuple[int, Members] | None = None  # of the rule asked for last
        self._near: dict[tuple[int, str], tuple[Ints, Ints]] = {}  # as `_nearest` says, while nothing changes
        self._values: dict[tuple[int, str], set[int]] = {}

    def effect(self, rule: int, change: Change) -> Effect:
        """Return what the change would do; nothing is changed."""
        rows = self.record.by_rule.of(rule)
        alive, page = self._changed(rule, rows, change)
        followers = {other: how for other, how in self.grouped.items() if self._meet(rule, other, how.by)}
        if not followers:
            return self._weighed(rows, alive, page, self._of_rule(rule, rows))
        # Pages that join those of others ring again where what they joined is gone.
        kept = self.page, self._follows
        self.page, self._follows = self.page.copy(), self._follows.copy()
        self.page[rows], self._follows[rule] = page, change.kind == "group"
        self._near.clear()
        parts = [(rows, alive, page)]
        for follower, how in followers.items():
            own = self.record.by_rule.of(follower)
            parts.append((own, self.alive[own], self._joined(follower, own, how, self.record.page[own])))
        self.page, self._follows = kept
        self._near.clear()
        every, living, ringing = (np.concatenate([part[at] for part in parts]) for at in range(3))
        moved = (self.alive[every] != living) | (self.page[every] != ringing)
        members = self._of_units(np.unique(self.record.unit[every[moved]]))
        return self._weighed(every[moved], living[moved], ringing[moved], members)

    def take(self, rule: int, change: Change, effect: Effect) -> None:
        """Keep the change."""
        self._near.clear()
        self.alive[effect.rows], self.page[effect.rows] = effect.alive, effect.page
        self.missed[effect.units], self.late[effect.units] = effect.missed, effect.late
        if change.kind == "group":
            self.grouped[rule] = change
            self._follows[rule] = True

    def _of_rule(self, rule: int, rows: Ints) -> Members:
        """Return the units of a rule."""
        if self._members is None or self._members[0] != rule:
            self._members = rule, self._of_units(np.unique(self.record.unit[rows]))
        return self._members[1]

    def _of_units(self, units: Ints) -> Members:
        sizes = self.record.by_unit.sizes(units)
        return Members(units, self.record.by_unit.of_many(units), np.cumsum(sizes) - sizes)

    def _meet(self, rule: int, other: int, by: str) -> bool:
        """Return whether two rules share a value of what pages are grouped by; a rule meets itself not."""
        for one in (rule, other):
            if (one, by) not in self._values:
                self._values[one, by] = set(np.unique(self.record.keys[by][self.record.by_rule.of(one)]).tolist())
        return rule != other and not self._values[rule, by].isdisjoint(self._values[other, by] - {-1})

    def _changed(self, rule: int, rows: Ints, change: Change) -> tuple[Bools, Ints]:
        """Return which rows of the rule are left, and when each pages."""
        page, alive = self.record.page[rows], np.ones(len(rows), dtype=bool)
        if change.kind in ("delete", "notify"):
            return alive if change.kind == "notify" else ~alive, np.full(len(rows), NEVER)
        if change.kind == "group":
            return alive, self._joined(rule, rows, change, page)
        long = change.seconds * SECOND
        if change.kind == "hold":
            end = self.record.end[rows]
            short = (end < NEVER) & (end - self.record.start[rows] < long)
            return ~short, np.where(short | (page == NEVER), NEVER, page + long)
        order = np.argsort(self.record.series[rows], kind="stable")  # in order of time within each
        alive, left = np.empty(len(rows), dtype=bool), np.empty(len(rows), dtype=np.int64)
        sorted_ = rows[order]
        alive[order], left[order] = _debounced(
            self.record.series[sorted_], self.record.start[sorted_], self.record.end[sorted_], page[order], long
        )
        return alive, left

    def leaders(self, rule: int, change: Change) -> Ints:
        """Return for each row of the rule the row whose page it would join, -1: none."""
        rows = self.record.by_rule.of(rule)
        found, since = self._nearest(rule, rows, change.by, self.record.page[rows])
        return np.where(since <= change.seconds * SECOND, found, -1)

    def _joined(self, rule: int, rows: Ints, change: Change, page: Ints) -> Ints:
        """Return when each row pages: never where a page of another rule, not grouped itself, came shortly before."""
        _, since = self._nearest(rule, rows, change.by, page)
        return np.where(since <= change.seconds * SECOND, NEVER, page)

    def _nearest(self, rule: int, rows: Ints, by: str, page: Ints) -> tuple[Ints, Ints]:
        """Return for each row the last row of another rule that paged for the same value before, and how long before.

        -1 and NEVER: there is none. The rows and pages of a rule are always those of the record.
        """
        if (rule, by) in self._near:
            return self._near[rule, by]
        record, codes = self.record, self.record.keys[by][rows]
        found, since = np.full(len(rows), -1, dtype=np.int64), np.full(len(rows), NEVER, dtype=np.int64)
        if any(other != rule for other, _ in self._near):
            self._near.clear()
        self._near[rule, by] = found, since
        mine = np.flatnonzero((page < NEVER) & (codes >= 0))
        values, at = np.unique(codes[mine], return_inverse=True)
        places = record.by_key[by]
        if not len(mine) or places.sizes(values).sum() > _WIDEST:
            return found, since
        others = places.of_many(values)
        leads = (self.page[others] < NEVER) & (record.rule[others] != rule) & ~self._follows[record.rule[others]]
        code, others = np.repeat(np.arange(len(values)), places.sizes(values))[leads], others[leads]
        if not len(others):
            return found, since
        # One number says value and time, so that one search finds the last page before; it may be of the value before.
        begin = int(record.start[0])
        room = int(record.start[-1]) - begin + _SLACK
        led = code * room + (self.page[others] - begin)
        order = np.argsort(led, kind="stable")
        asked = at * room + (page[mine] - begin)
        last = np.searchsorted(led[order], asked, side="right") - 1
        before = led[order][np.maximum(last, 0)]
        same = (last >= 0) & (before >= at * room)
        found[mine[same]], since[mine[same]] = others[order[last[same]]], (asked - before)[same]
        return found, since

    def _weighed(self, rows: Ints, alive: Bools, page: Ints, touched: Members) -> Effect:
        """Return what becomes of the units of the rows."""
        record, units = self.record, touched.units
        old = self.alive[rows], self.page[rows]
        self.alive[rows], self.page[rows] = alive, page
        some = len(units) > 0
        first = np.minimum.reduceat(self.page[touched.rows], touched.begins) if some else np.zeros(0, dtype=np.int64)
        left = np.maximum.reduceat(self.alive[touched.rows], touched.begins) if some else np.zeros(0, dtype=bool)
        self.alive[rows], self.page[rows] = old
        real, before = record.real[units], record.first[units]
        paged = before < NEVER
        wait = np.where(paged & (first < NEVER), (first - before) / SECOND, 0.0)
        missed = real & (~left | (paged & ((first == NEVER) | (wait > self.max_later))))
        late = np.where(real & ~missed, np.maximum(wait, 0.0), 0.0)
        moved = (old[0] != alive) | (old[1] != page)
        gone = (old[1] < NEVER).astype(np.int64) - (page < NEVER)  # -1: a page that comes back
        ended = old[0].astype(np.int64) - alive
        at = np.searchsorted(units, record.unit[rows])
        parts = []
        for part in (record.earlier[units], ~record.earlier[units]):
            here = part[at]
            hit = np.zeros(len(units), dtype=bool)
            hit[at[here & moved]] = True
            waits = late[part & (late > 0)]
            parts.append(
                Part(
                    pages_saved=int(gone[here].sum()),
                    alerts_saved=int(ended[here].sum()),
                    occasions=int(hit.sum()),
                    real=int((hit & real).sum()),
                    missed=int((missed & part).sum()),
                    late=len(waits),
                    later_s=float(np.median(waits)) if len(waits) else np.nan,
                    later_max_s=float(waits.max()) if len(waits) else np.nan,
                )
            )
        return Effect(rows, alive, page, units, first, missed, late, parts[0], parts[1])


def _debounced(series: Ints, start: Ints, end: Ints, page: Ints, long: int) -> tuple[Bools, Ints]:
    """Return what is left where an alert that comes again within `long` counts as the same: its first page."""
    over = np.where(end < NEVER, np.maximum(end, start), start)
    # The latest end so far, each series apart: a number per series lifts it above all before.
    room = int(over.max(initial=0)) - int(start.min(initial=0)) + long + 2
    new = np.concatenate([[True], np.diff(series) != 0])
    lift = np.cumsum(new) * room
    fresh = new.copy()
    fresh[1:] |= (lift + start)[1:] - np.maximum.accumulate(lift + over)[:-1] > long
    chain = np.cumsum(fresh) - 1
    rings = np.flatnonzero(page < NEVER)
    rings = rings[np.lexsort((page[rings], chain[rings]))]
    first = rings[np.unique(chain[rings], return_index=True)[1]]
    alive, left = fresh.copy(), np.full(len(page), NEVER)
    alive[first], left[first] = True, page[first]
    return alive, left
