"""Events to alerts one at a time: what begins an alert, what only repeats it, what ends it.

As `history.folding` does with a whole history, as far as the events before are known.
"""

from __future__ import annotations

import hashlib
from collections import OrderedDict
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Literal

import pandas as pd

from stanza_lab import schema
from stanza_lab.history.folding import QUIET_GAP

MOST = 100_000  # rules and occurrences, and facts, that are remembered
_LONGEST = 200  # characters of a key
_QUIET_US = int(pd.Timedelta(QUIET_GAP).total_seconds() * 1e6)
_COLUMNS = tuple(name for name in schema.ALERTS.names if name not in ("incident_id", "alert_id", "event_ids"))


@dataclass(slots=True)
class Fact:
    """What an event is: a new alert, one again, its end, or something that is none; `alert` only of a new one."""

    kind: Literal["fired", "again", "ended", "noted", "untimed"]
    alert_id: str | None = None
    at: int | None = None
    alert: dict[str, Any] | None = None


class Folder:
    """Fold a stream of events; what has not been heard of for longest is forgotten first."""

    def __init__(self) -> None:
        self._open: OrderedDict[str, list[Any]] = OrderedDict()  # thread -> [alert id, ended, last time]
        self._seen: OrderedDict[str, None] = OrderedDict()  # facts

    def take_alert(self, alert: Mapping[str, Any]) -> Fact:
        """Return what a row of an alerts table is: new, or one that came before and may have ended since."""
        alert_id, ends = str(alert["alert_id"]), alert.get("ends_at")
        fact = _short(f"{alert_id} row")
        if fact not in self._seen:
            self._remember(self._seen, fact, None)
            return Fact("fired", alert_id, alert["starts_at"], dict(alert))
        self._seen.move_to_end(fact)
        return Fact("again", alert_id) if ends is None else Fact("ended", alert_id, ends)

    def take(self, event: Mapping[str, Any]) -> Fact:
        """Return what an event is."""
        kind, at = event.get("kind"), event.get("at")
        if kind not in ("fired", "renotified", "resolved", "acknowledged"):
            return Fact("noted")
        alert_id = _alert_id(event)
        thread = _thread(event)
        known = self._open.get(thread)
        fact = f"{alert_id} {kind}"
        if fact in self._seen:
            return Fact("again", known[0] if known else alert_id)
        self._remember(self._seen, fact, None)
        recovers = event.get("has_recovery", True)
        if kind == "acknowledged" or (kind == "resolved" and not recovers):
            return Fact("noted", known[0] if known else None)
        if kind == "resolved":
            if known is None or known[1]:
                return Fact("ended", None, at)
            known[1], known[2] = True, at
            return Fact("ended", known[0], event.get("ends_at") or at)
        starts = event.get("starts_at") if event.get("starts_at") is not None else at
        if starts is None:
            return Fact("untimed")
        if known is not None and not self._begins(event, known):
            known[2] = max(known[2] or starts, at or starts)
            self._open.move_to_end(thread)
            return Fact("again", known[0])
        self._remember(self._open, thread, [alert_id, event.get("ends_at") is not None, at or starts])
        alert = {name: event.get(name) for name in _COLUMNS if event.get(name) is not None}
        return Fact("fired", alert_id, starts, alert | {"alert_id": alert_id, "starts_at": starts})

    @staticmethod
    def _begins(event: Mapping[str, Any], known: list[Any]) -> bool:
        """Tell whether a firing of a known thread begins a new alert."""
        _, ended, last = known
        at = event.get("at")
        if event.get("occurrence_key") is not None or event.get("starts_at") is not None:
            return bool(ended and event.get("starts_at") == at)  # an occurrence that was reopened
        quiet = not event.get("has_recovery", True) and at is not None and last is not None and at - last > _QUIET_US
        return bool(ended or quiet)

    @staticmethod
    def _remember(memory: OrderedDict[str, Any], key: str, value: Any) -> None:
        memory[key] = value
        memory.move_to_end(key)
        if len(memory) > MOST:
            memory.popitem(last=False)

    def state(self) -> dict[str, Any]:
        """Return what is remembered as what JSON knows."""
        return {"open": list(self._open.items()), "seen": list(self._seen)}

    def resume(self, state: Mapping[str, Any]) -> None:
        """Go on from what `state` returned."""
        self._open = OrderedDict((str(thread), list(known)) for thread, known in state["open"])
        self._seen = OrderedDict.fromkeys(map(str, state["seen"]))


def _thread(event: Mapping[str, Any]) -> str:
    """Return what the intervals of an event are told apart by."""
    source, rule = event["source"], event.get("rule_key")
    occurrence = event.get("occurrence_key")
    if occurrence is None and event.get("starts_at") is not None and rule is not None:
        occurrence = f"{rule}\n{event['starts_at']}"
    if occurrence is not None:
        return _short(f"{source}\n1\n{occurrence}")
    if event.get("at") is None or rule is None:
        return f"{source}\n2\n{event['event_id']}"
    return _short(f"{source}\n0\n{rule}")


def _short(key: str) -> str:
    """Return a key that is not endless: its digest where it is long, as nobody reads it."""
    return key if len(key) <= _LONGEST else _digest(key, size=16)


def _alert_id(event: Mapping[str, Any]) -> str:
    return _digest(f"{event['source']}\n{event['event_id']}", size=8)


def _digest(text: str, *, size: int) -> str:
    return hashlib.blake2b(text.encode("utf-8", "surrogatepass"), digest_size=size).hexdigest()
