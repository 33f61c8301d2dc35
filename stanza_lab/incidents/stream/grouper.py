"""`StreamGrouper`: to which incident an alert belongs, told as soon as it fires."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Self

import numpy as np
from sklearn.utils.validation import check_is_fitted

from stanza_lab import _params
from stanza_lab.errors import BundleError, ParameterError
from stanza_lab.incidents.correlation.recurrence import PRIOR
from stanza_lab.incidents.density import tree
from stanza_lab.incidents.stream.codes import Codes, text
from stanza_lab.incidents.stream.window import LISTED, PARTS, Learned, Weights, Window
from stanza_lab.schema import NOISE

if TYPE_CHECKING:
    from stanza_lab.incidents.clusterer import IncidentClusterer

MOST = 512  # alerts that hang together and are looked at as a whole; in a larger storm an alert joins its nearest
AGAIN = 0.1  # a storm is not looked at again before it grew by so much
JUMP_S = 86_400.0  # an alert so far ahead of all others waits for a second one: its clock may be wrong
_COLUMNS = ("at", "ends", "service", "team", "place", "rule", "family", "kind", "habit", "near", "around", "crowd")


_COUNTS = ("near", "around", "crowd")


@dataclass(slots=True)
class Placed:
    """Where an alert belongs.

    Attributes
    ----------
    incident_id : int
        Its incident; -1: on its own so far.
    status : str
        "alone"; "new" (an incident begins, with what stands in `moved`); "joined"; "merged" (it holds several
        together, see `merged`); "late" (older than what is remembered: on its own).
    confidence : float
        How firmly it belongs there, 0 to 1: HDBSCAN's membership strength, no frequency.
    distance_s : float, optional
        The distance at which it joins what holds it most.
    nearest : str, optional
        Id of that alert.
    parts : dict of str to float
        The seconds of each part of the distance to it, those that are not 0.
    moved : tuple of (str, int)
        Earlier alerts that came into another incident by it, and into which.
    merged : tuple of int
        Incidents that are part of this one from now on.
    closed : tuple of int
        Incidents that no later alert can join any more.
    """

    incident_id: int = NOISE
    status: str = "alone"
    confidence: float = 0.0
    distance_s: float | None = None
    nearest: str | None = None
    parts: dict[str, float] = field(default_factory=dict)
    moved: tuple[tuple[str, int], ...] = ()
    merged: tuple[int, ...] = ()
    closed: tuple[int, ...] = ()


class StreamGrouper:
    """Group alerts one at a time, by what a clusterer learned.

    Each alert is compared with those around it by the same distance, and what hangs together with it is cut by the same
    density rule, as `IncidentClusterer` does with a whole history; only what fires later is not known yet. So an
    earlier alert may come into another incident (`Placed.moved`), and two incidents may prove one (`Placed.merged`).
    Alerts may come late, up to some three hours, and in any order within that.

    Parameters
    ----------
    clusterer : IncidentClusterer
        Fitted, or from a bundle. It is not changed, and learns nothing.
    first : int, optional
        Number of the first new incident. Default: after those that the clusterer was fitted to.
    window : int, default 16384
        Alerts that are remembered at most, at least 64. In a storm of more within three hours the oldest are let go
        early (`let_go` counts them). Larger: more memory.

    Raises
    ------
    NotFittedError
        The clusterer is not fitted.
    ParameterError
        `window` is too small.

    Notes
    -----
    Where more than 512 alerts hang together, an alert joins the nearest that is in an incident; the whole is looked at
    again once it has grown by a tenth. Of an alert up to 8 resources and 8 traces are compared.

    Examples
    --------
    >>> import pandas as pd
    >>> from stanza_lab import IncidentClusterer
    >>> from stanza_lab.incidents.stream import StreamGrouper
    >>> past = pd.DataFrame({"starts_at": ["2026-03-01T14:02Z"], "service": ["orders"]})
    >>> grouper = StreamGrouper(IncidentClusterer().fit(past))
    >>> minute = 60_000_000
    >>> grouper.push({"alert_id": "a", "starts_at": 0, "service": "orders"}).status
    'alone'
    >>> grouper.push({"alert_id": "b", "starts_at": minute, "service": "orders"})
    Placed(incident_id=0, status='new', confidence=1.0, ..., moved=(('a', 0),), merged=(), closed=())
    """

    def __init__(self, clusterer: IncidentClusterer, *, first: int | None = None, window: int = 16_384) -> None:
        check_is_fitted(clusterer)
        _params.at_least(window, "window", 64)
        learned = clusterer.learned
        settings = clusterer.settings
        self._weights, self._learned = Weights.of(settings), Learned.of(clusterer.calls, learned.recurrence)
        self._min_alerts, self._min_rules = settings.min_alerts, settings.min_rules
        rules = np.arange(len(learned.recurrence.alerts))
        self._family, self._habit = learned.recurrence.family.tolist(), learned.recurrence.habit(rules).tolist()
        self._codes = Codes(learned.vocabulary, learned.nobody().telling)
        self._furthest, self._horizon = self._weights.furthest, self._weights.horizon
        self._window, self._capacity, self._n = Window.empty(window), window, 0
        self._free = list(range(window - 1, -1, -1))
        self._ids: list[str | None] = [None] * window
        self._labels = np.full(window, NOISE, dtype=np.int64)
        self._slot_of: dict[str, int] = {}
        self._size: dict[int, int] = {}  # alerts of each open incident that are remembered
        self._wait: dict[int, int] = {}  # alerts that a storm must grow by before it is looked at again
        self._next = learned.incidents if first is None else first
        self._now = -np.inf
        self._origin = 0  # microseconds that times count from
        self._ahead: tuple[dict[str, Any], int] | None = None
        self.let_go = 0
        self.late = 0

    def push(self, alert: Mapping[str, Any]) -> Placed:
        """Say where an alert belongs, and remember it.

        Parameters
        ----------
        alert : mapping
            Columns of `schema.ALERTS`, `starts_at` and `ends_at` as microseconds since 1970 (UTC) or None.

        Returns
        -------
        Placed
            Its incident as far as can be said now.

        Raises
        ------
        ParameterError
            It has no time.
        """
        micros = alert.get("starts_at")
        if not isinstance(micros, int | np.integer):
            raise ParameterError(f"starts_at={micros!r:.60} must be whole microseconds since 1970")
        if not self._n and self._now == -np.inf:
            self._origin = int(micros)
        at = (int(micros) - self._origin) / 1e6
        if at < self._now - self._horizon:
            self.late += 1
            return Placed(status="late")
        if at > self._now + JUMP_S and self._n:
            waiting, self._ahead = self._ahead, (dict(alert), int(micros))
            if waiting is None or abs(waiting[1] - micros) > JUMP_S * 1e6:
                return Placed()  # on its own until another one tells the same time
            self._ahead = None
            closed = self._forget_before((min(waiting[1], micros) - self._origin) / 1e6)
            first = self._place(waiting[0], (waiting[1] - self._origin) / 1e6)
            second = self._place(alert, at)
            second.closed = (*closed, *first.closed, *second.closed)
            return second
        return self._place(alert, at)

    def ended(self, alert_id: str, at: int) -> bool:
        """Tell when an alert recovered, in microseconds since 1970; return whether it is still remembered."""
        slot = self._slot_of.get(alert_id)
        if slot is None:
            return False
        self._window.ends[slot] = (at - self._origin) / 1e6
        return True

    def incident_of(self, alert_id: str) -> int | None:
        """Return the incident of an alert by now, -1 for none; None where the alert is not remembered any more."""
        slot = self._slot_of.get(alert_id)
        return None if slot is None else int(self._labels[slot])

    def _place(self, alert: Mapping[str, Any], at: float) -> Placed:
        from stanza_lab.incidents.stream import _kernels

        self._now = max(self._now, at)
        closed = self._forget_before(self._now - self._horizon)
        if self._n == self._capacity:
            closed += self._forget(max(self._capacity // 16, 1))
            self.let_go += self._capacity // 16
        slot = self._write(alert, at)
        position = _kernels.insert(self._window, self._n, slot)
        self._n += 1
        _kernels.count_in(self._window, self._n, position)
        placed = self._group(slot, position)
        placed.closed = closed
        return placed

    def _write(self, alert: Mapping[str, Any], at: float) -> int:
        """Return the slot of an alert, filled."""
        slot, w = self._free.pop(), self._window
        codes = self._codes.of(alert)
        ends = alert.get("ends_at")
        w.at[slot] = at
        w.ends[slot] = (ends - self._origin) / 1e6 if isinstance(ends, int | np.integer) else np.nan
        for name, code in codes.items():
            getattr(w, name)[slot] = code
        rule = codes["rule"]
        known = rule < len(self._family)
        w.family[slot] = self._family[rule] if known else rule + len(self._family)
        w.habit[slot] = self._habit[rule] if known else PRIOR
        for column, name, lists in (("resources", "resources", w.resources), ("trace_ids", "traces", w.traces)):
            listed = self._codes.listed(alert, column, name, LISTED)
            lists[slot] = -1
            lists[slot, : len(listed)] = listed
        alert_id = text(alert, "alert_id")
        self._ids[slot], self._labels[slot] = alert_id, NOISE
        if alert_id is not None:
            self._slot_of[alert_id] = slot
        return slot

    def _group(self, slot: int, position: int) -> Placed:
        from stanza_lab.incidents.stream import _kernels

        storm = self._storm_around(position)
        most = 1 if storm else MOST
        places, left, right, reach, nearest, held, whole = _kernels.explore(
            self._window, self._learned, self._weights, self._furthest, self._n, position, most
        )
        if not whole:
            return self._into_storm(slot, nearest, held, storm=storm)
        if len(places) < self._min_alerts:  # at least two
            return Placed()
        slots = self._window.order[places]
        found, strength = self._cut(slots, left, right, reach)
        return self._name(slot, slots, found, strength, nearest=nearest, distance=held)

    def _cut(
        self, slots: np.ndarray, left: np.ndarray, right: np.ndarray, reach: np.ndarray
    ) -> tuple[np.ndarray, np.ndarray]:
        """Return group and strength of all that hangs together, as `grouping.from_pairs` does of everything."""
        merges = tree.joined(left, right, reach, len(slots))
        clusters = tree.condense(merges, min_alerts=self._min_alerts, furthest=self._weights.max_gap)
        labels, strength = tree.flat(clusters)
        habit, rules = self._window.habit[slots], self._window.rule[slots]
        for label in range(int(labels.max(initial=NOISE)) + 1):
            inside = labels == label
            few = len(set(rules[inside].tolist())) < self._min_rules
            if few or habit[inside].min() > self._weights.max_chronic:
                labels[inside], strength[inside] = NOISE, 0.0
        return labels, strength

    def _name(
        self,
        slot: int,
        slots: np.ndarray,
        found: np.ndarray,
        strength: np.ndarray,
        *,
        nearest: int,
        distance: float,
    ) -> Placed:
        """Give the found groups the incidents that most of their alerts had; what has none is a new one."""
        before = self._labels[slots]
        mine = int(found[slots == slot][0])
        names = _names(found, before)
        fresh = mine != NOISE and mine not in names
        for label in dict.fromkeys(found.tolist()):
            if label != NOISE and label not in names:
                names[label], self._next = self._next, self._next + 1
            self._relabel(slots[found == label], names.get(label, NOISE))
        after = self._labels[slots]
        changed = np.flatnonzero((after != before) & (slots != slot))
        moved = tuple((self._ids[slots[i]] or "", int(after[i])) for i in changed)
        incident = int(self._labels[slot])
        if incident == NOISE:
            return Placed(moved=moved)  # alone, and yet what is near it may hold together now
        had = set(before[found == mine].tolist()) - {NOISE, incident}
        gone = tuple(sorted(one for one in had if one not in self._size))
        status = "new" if fresh else "merged" if gone else "joined"
        near = self._nearest(slot, nearest)
        return Placed(incident, status, float(strength[slots == slot][0]), distance, *near, moved=moved, merged=gone)

    def _nearest(self, slot: int, nearest: int) -> tuple[str | None, dict[str, float]]:
        """Return the id of the alert at a position, and the parts of the distance to it."""
        from stanza_lab.incidents.stream import _kernels

        if nearest < 0:
            return None, {}
        other, told = int(self._window.order[nearest]), np.empty((1, len(PARTS)))
        _kernels.parts(self._window, self._learned, self._weights, slot, np.array([other]), 1, told, np.empty(1))
        return self._ids[other], {name: value for name, value in zip(PARTS, told[0].tolist(), strict=True) if value}

    def _storm_around(self, position: int) -> bool:
        """Tell whether the alert before belongs to a storm that has not grown enough to be looked at again."""
        if not self._wait or position == 0:
            return False
        return self._wait.get(int(self._labels[self._window.order[position - 1]]), 0) > 0

    def _into_storm(self, slot: int, nearest: int, distance: float, *, storm: bool) -> Placed:
        """Join the incident of the nearest alert: too much hangs together to look at it as a whole."""
        other = int(self._window.order[nearest]) if nearest >= 0 else -1
        incident = int(self._labels[other]) if other >= 0 else NOISE
        if distance > self._weights.max_gap or other < 0:
            return Placed()
        moved: tuple[tuple[str, int], ...] = ()
        status = "joined"
        if incident == NOISE:
            incident, self._next, status = self._next, self._next + 1, "new"
            self._relabel(np.array([other]), incident)
            moved = ((self._ids[other] or "", incident),)
        self._relabel(np.array([slot]), incident)
        if storm:
            self._wait[incident] = self._wait.get(incident, 1) - 1
        else:
            self._wait[incident] = int(AGAIN * max(self._size.get(incident, 0), MOST))
        near = self._nearest(slot, nearest)
        return Placed(incident, status, 0.5, distance, *near, moved=moved)

    def _relabel(self, slots: np.ndarray, incident: int) -> None:
        for slot, was in zip(slots.tolist(), self._labels[slots].tolist(), strict=True):
            if was == incident:
                continue
            self._count(was, -1)
            self._count(incident, 1)
            self._labels[slot] = incident

    def _count(self, incident: int, by: int) -> None:
        if incident != NOISE:
            left = self._size.get(incident, 0) + by
            if left > 0:
                self._size[incident] = left
            else:
                self._size.pop(incident, None)
                self._wait.pop(incident, None)

    def _forget_before(self, at: float) -> tuple[int, ...]:
        """Let go of what is older; return the incidents that thereby are closed."""
        w, count = self._window, 0
        while count < self._n and w.at[w.order[count]] < at:
            count += 1
        return self._forget(count) if count else ()

    def _forget(self, count: int) -> tuple[int, ...]:
        from stanza_lab.incidents.stream import _kernels

        closed = []
        for slot in self._window.order[:count].tolist():
            incident = int(self._labels[slot])
            self._count(incident, -1)
            if incident != NOISE and incident not in self._size:
                closed.append(incident)
            name = self._ids[slot]
            if name is not None and self._slot_of.get(name) == slot:
                del self._slot_of[name]
            self._ids[slot], self._labels[slot] = None, NOISE
            self._free.append(slot)
        _kernels.forget(self._window, self._n, count)
        self._n -= count
        return tuple(closed)

    def state(self) -> dict[str, Any]:
        """Return all that `resume` needs to go on exactly from here, as what JSON knows."""
        w = self._window
        slots = w.order[: self._n]
        columns = {name: getattr(w, name)[slots].tolist() for name in _COLUMNS}
        columns["ends"] = [None if end != end else end for end in columns["ends"]]
        flags = {name: getattr(w, name)[slots].tolist() for name in ("family_begins", "rule_begins")}
        lists = {name: getattr(w, name)[slots].tolist() for name in ("resources", "traces")}
        return {
            "alerts": columns | flags | lists,
            "ids": [self._ids[slot] for slot in slots.tolist()],
            "labels": self._labels[slots].tolist(),
            "names": self._codes.state(),
            "next": self._next,
            "now": None if self._now == -np.inf else self._now,
            "origin": self._origin,
            "ahead": self._ahead,
            "wait": list(self._wait.items()),
            "let_go": self.let_go,
            "late": self.late,
        }

    @classmethod
    def resume(cls, clusterer: IncidentClusterer, state: Mapping[str, Any], *, window: int = 16_384) -> Self:
        """Go on from what `state` returned, with the same clusterer.

        Raises
        ------
        BundleError
            The state is damaged, or holds more than the `window`.
        """
        grouper = cls(clusterer, window=window)
        try:
            grouper._resume(state)
        except (KeyError, TypeError, ValueError, IndexError) as error:
            raise BundleError(f"the state of the stream is damaged ({error}); begin without it") from error
        return grouper

    def _resume(self, state: Mapping[str, Any]) -> None:
        ids = list(state["ids"])
        n = len(ids)
        if n > self._capacity:
            raise ValueError(f"it remembers {n:,} alerts, and there is room for {self._capacity:,}")
        w, told = self._window, state["alerts"]
        for name in (*_COLUMNS, "family_begins", "rule_begins"):
            values = [np.nan if value is None else value for value in told[name]] if name == "ends" else told[name]
            getattr(w, name)[:n] = np.asarray(values).reshape(n)
        for name in ("resources", "traces"):
            getattr(w, name)[:n] = np.asarray(told[name], dtype=np.int64).reshape(n, LISTED)
        codes = (w.rule[:n], w.family[:n])
        if any((code < 0).any() for code in codes) or not np.isfinite(w.at[:n]).all() or (np.diff(w.at[:n]) < 0).any():
            raise ValueError("its alerts are not in order of time, or of no rule")
        counts = [getattr(w, name)[:n] for name in _COUNTS]
        if any(not ((count >= 0) & (count <= self._capacity)).all() for count in counts):
            raise ValueError("it counts more than there can be")
        w.order[:n] = np.arange(n)
        self._n = n
        self._free = list(range(self._capacity - 1, n - 1, -1))
        self._ids[:n] = [None if name is None else str(name) for name in ids]
        self._labels[:n] = np.asarray(state["labels"], dtype=np.int64).reshape(n)
        self._slot_of = {name: slot for slot, name in enumerate(self._ids[:n]) if name is not None}
        for label in self._labels[:n].tolist():
            self._count(label, 1)
        self._codes.resume(state["names"])
        self._next, self._origin = int(state["next"]), int(state["origin"])
        self._now = -np.inf if state["now"] is None else float(state["now"])
        self._ahead = None if state["ahead"] is None else (dict(state["ahead"][0]), int(state["ahead"][1]))
        self._wait = {int(incident): int(count) for incident, count in state["wait"]}
        self.let_go, self.late = int(state["let_go"]), int(state["late"])


def _names(found: np.ndarray, before: np.ndarray) -> dict[int, int]:
    """Return which group keeps which incident: the one that most of its alerts had, each incident at most once."""
    shared = Counter(zip(found.tolist(), before.tolist(), strict=True))
    names: dict[int, int] = {}
    for label, incident in sorted(shared, key=lambda pair: (-shared[pair], pair[1], pair[0])):
        if NOISE not in (label, incident) and label not in names and incident not in names.values():
            names[label] = incident
    return names
