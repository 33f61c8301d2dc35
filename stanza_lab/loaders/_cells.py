"""What single cells of a table of unknown origin say: states, times, severities, lists and tags."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any

from stanza_lab.loaders import _dates
from stanza_lab.loaders._columns import plain
from stanza_lab.loaders._records import Envelope, Record, RecordError, embedded, name, severity

_KINDS = {
    "fired": """firing fired fire open opened reopened reopen triggered trigger problem alarm alert alerting active
        activated down new created create raised raise started start failed failure failing fail unhealthy unreachable
        in_alarm breached critical crit warning warn error no_data nodata in_progress investigating identified
        monitoring escalated on_hold assigned true_positive red major minor suppressed silenced muted snoozed""",
    "renotified": "renotify renotified re_triggered retriggered re_alert reminder repeat repeated",
    "acknowledged": "ack acked acknowledged acknowledge acknowledgement accepted",
    "resolved": """ok okay resolved resolve closed close recovered recover recovery up normal clear cleared inactive
        ended end finished fixed done healthy success succeeded good green autoresolved auto_resolved auto_closed
        complete completed restored canceled cancelled expired""",
    "ignored": "pending disabled paused maintenance scheduled draft",
}
_STATES = {word: kind for kind, words in _KINDS.items() for word in words.split()}
# Words of a state that tell how bad it is, not whether it is over: an end beside them is believed.
LASTING = frozenset(("critical", "crit", "warning", "warn", "error", "major", "minor", "red", "down", "problem"))
# Headers under which a state stands only if its values are states.
_PERHAPS = frozenset(("condition", "event", "event_type", "kind", "action", "transition"))
_SEVERITIES = {
    **dict.fromkeys(("disaster", "emergency", "emerg", "crit", "blocker", "urgent"), "critical"),
    **dict.fromkeys(("major", "err", "severe"), "error"),
    **dict.fromkeys(("minor", "average", "moderate"), "warning"),
    **dict.fromkeys(("informational", "information", "notice", "normal", "trivial"), "info"),
}
_RANK = re.compile(r"\b(p[1-5]|sev[ -]?[0-4])\b", re.IGNORECASE)
_CLOCK = re.compile(r"\d{1,2}:\d\d(?::\d\d(?:[.,]\d+)?)?(?:\s?[ap]\.?m\.?)?", re.IGNORECASE)
TRUE, _FALSE = ("true", "yes", "t", "y"), ("false", "no", "f", "n")
_MISSING = ("-", "--", "—", "?", "(null)", "nat", "unknown", "#n/a", "\\n")


def cell(value: Any) -> str | None:
    """Return what a cell says, None for an empty one and for words that stand for that."""
    if isinstance(value, bool):
        return str(value).lower()
    if isinstance(value, float):
        return str(int(value)) if value.is_integer() else str(value)
    if isinstance(value, list):
        return next((found for item in value if (found := cell(item))), None)
    found = name(value)
    return None if found is None or found.lower() in _MISSING else found


def is_state(value: Any) -> bool:
    """Return whether a cell holds a word that stands for a state."""
    return plain(cell(value) or "") in _STATES


def state_of(word: str | None, header: str | None) -> tuple[str | None, str | None]:
    """Return the word under the header of the state, and the kind of event it stands for."""
    if word is None or header is None:
        return None, None
    key = plain(word)
    found = _STATES.get(key) or _STATES.get(key.partition("_")[0])
    if found is None and plain(header) not in _PERHAPS:
        known = "open, firing, acknowledged, resolved, ok, closed"
        message = f"{word[:40]!r} in column {header!r} is no state that is known ({known} ...)"
        raise RecordError("bad_state", f"{message}; if the column holds none, pass columns={{{header!r}: 'labels'}}")
    return (key if found else word), found


def time_of(cells: Record, header: str | None, envelope: Envelope, order: str | None) -> int | None:
    """Return the time under a header; that of a clock only belongs to the column of days beside it."""
    if header is None:
        return None
    value, told = cells.get(header), header
    if isinstance(value, bool):
        return None
    if isinstance(value, str):
        if value.strip().lower() in (*TRUE, *_FALSE) or cell(value) is None:
            return None
        day = next((key for key in cells if plain(key) in ("date", "day")), None)
        if day is not None and isinstance(cells[day], str) and _CLOCK.fullmatch(value.strip()):
            value, told = f"{cells[day].strip()} {value.strip()}", day
    try:
        return _dates.read(value, tz=envelope.tz, order=order or (envelope.hints or {}).get(told))
    except ValueError as error:
        raise RecordError("bad_time", f"column {header!r}: {error}") from None


def severity_of(word: str | None) -> str | None:
    """Return the severity of words such as "P1", "1 - Critical", "SEV-2" and "High"."""
    if word is None:
        return None
    if rank := _RANK.search(word):
        return severity(re.sub(r"[ -]", "", rank[1]))
    letters = re.findall(r"[a-z]+", word.lower())
    return next((found for each in letters if (found := severity(each) or _SEVERITIES.get(each))), None)


def listed(cells: Record, columns: Mapping[str, str], ours: str) -> list[str]:
    """Return all values under the columns of `ours`: cells may hold lists, or several lines."""
    found: dict[str, None] = {}
    for theirs, target in columns.items():
        if target == ours:
            value = embedded(cells.get(theirs))
            several = value if isinstance(value, list) else value.splitlines() if isinstance(value, str) else [value]
            if len(several) == 1 and isinstance(several[0], str) and plain(theirs).endswith("s"):
                several = re.split(r"[,;]\s*", several[0])
            found |= dict.fromkeys(each for item in several if (each := cell(item)))
    return list(found)


def tags_of(cells: Record) -> dict[str, str]:
    """Return what a column of tags says: "env:prod, team=payments" or a list of such."""
    found: dict[str, str] = {}
    for key, value in cells.items():
        if plain(key) in ("tags", "labels", "tag", "label"):
            value = embedded(value)
            if isinstance(value, dict):
                found |= {plain(str(k)): v for k, held in value.items() if (v := cell(held))}
                continue
            items = value if isinstance(value, list) else re.split(r"[,;\s]+", value) if isinstance(value, str) else []
            for item in items:
                if isinstance(item, str) and (match := re.fullmatch(r"([\w.-]+)[:=](.+)", item.strip('{}" '))):
                    found.setdefault(plain(match[1]), match[2].strip('"'))
    return found
