"""PagerDuty: flat rows about incidents, from analytics pages and from CSV reports of several product generations.

The API writes times without a zone: UTC unless the request asked for another, which its page names. A report has them
in the zone of the account or of whoever exported it.

https://developer.pagerduty.com/api-reference/ (analytics, raw incidents)
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, tzinfo
from functools import lru_cache
from typing import Any
from zoneinfo import ZoneInfo

from stanza_lab.loaders._keys import fact
from stanza_lab.loaders._pagerduty_incident import about
from stanza_lab.loaders._records import (
    Envelope,
    Event,
    Ignored,
    Record,
    RecordError,
    Shape,
    instant,
    listing,
    mapping,
    moment,
    name,
    need,
    text,
)

_ZONE = "time_zone"
_ID = ("id", "incident_id")
_NUMBER = ("incident_number", "number")
_CREATED = ("created_on", "created_at", "created", "created_date", "created_time", "incident_created_at")
_RESOLVED = ("resolved_on", "resolved_at", "resolved", "resolved_date", "resolved_time", "incident_resolved_at")
_ACKED = ("acknowledged_on", "acknowledged_at", "first_acknowledged_on", "first_acknowledged_at", "acknowledged")
_TITLE = ("description", "title", "summary", "incident_title", "incident_description")
_SERVICE = ("service_name", "service", "service_summary")
_TEAM = ("team_name", "team", "teams", "team_names")
_POLICY = ("escalation_policy_name", "escalation_policy", "escalation_policy_summary")
_PRIORITY = ("priority_name", "priority", "incident_priority")
_URL = ("html_url", "url", "incident_url", "link")
# One of these beside an id and a time of creation tells that the row is PagerDuty's.
_OWN = frozenset(
    [
        *("seconds_to_first_ack", "seconds_to_resolve", "seconds_to_engage", "seconds_to_mobilize"),
        *("auto_escalation_count", "escalation_policy_id", *_POLICY),
    ]
)


def _read_row(record: Record, envelope: Envelope) -> Event | Ignored:
    row = {_header(key): value for key, value in record.items()}
    if _ZONE in row and _first(row, *_ID) is None and any(key.startswith("mean_") for key in row):
        return Ignored("pagerduty analytics summary")
    envelope = replace(envelope, tz=_zone(row, record, envelope))
    number = name(_first(row, *_NUMBER))
    key = need(name(_first(row, *_ID)) or (f"#{number.lstrip('#')}" if number else None), "id")
    created = moment(_written(_first(row, *_CREATED)), "created_at", envelope)
    acked = instant(_written(_first(row, *_ACKED)), "acknowledged_at", envelope)
    acked = _later(created, row.get("seconds_to_first_ack")) if acked is None else acked
    ended = instant(_written(_first(row, *_RESOLVED)), "resolved_at", envelope)
    ended = _later(created, row.get("seconds_to_resolve")) if ended is None else ended
    change, at = "trigger", created
    if ended is not None:
        change, at = "resolve", ended
    elif acked is not None:
        change, at = "acknowledge", acked
    return {
        "event_id": fact(key, change, at),
        "native_ids": [key],
        "occurrence_key": key,
        "at": at,
        "kind": {"trigger": "fired", "acknowledge": "acknowledged", "resolve": "resolved"}[change],
        "has_recovery": True,
        "starts_at": created,
        "acked_at": acked,
        "ends_at": ended,
        **about(
            {
                "html_url": _first(row, *_URL),
                "incident_key": row.get("incident_key"),
                "incident_number": number,
                "title": _first(row, *_TITLE),
                "priority": {"summary": _first(row, *_PRIORITY)},
                "escalation_policy": {"summary": _first(row, *_POLICY)},
                "service": {"id": row.get("service_id"), "summary": _first(row, *_SERVICE)},
                "status": row.get("status"),
                "teams": [{"summary": team} for team in _teams(_first(row, *_TEAM))],
                "urgency": row.get("urgency"),
            },
            fields={
                "auto_resolved": True if str(row.get("auto_resolved")).lower() in ("t", "true", "yes", "1") else None,
                "major": True if row.get("major") is True else None,
            },
        ),
    }


def _zone(row: Record, record: Record, envelope: Envelope) -> tzinfo | None:
    """Return the zone of times without one: that of the page, or of ``tz=``, or UTC for rows of the API."""
    if zone := text(row.get(_ZONE)):
        try:
            return ZoneInfo(zone)
        except (ValueError, OSError, LookupError):
            raise RecordError("bad_time", f"field 'time_zone': {zone[:40]!r} is no zone known here") from None
    if envelope.tz is not None:
        return envelope.tz
    typed = "created_at" in record and not all(isinstance(value, str) for value in record.values())
    return UTC if typed else None


def _written(value: Any) -> Any:
    """Return a time of a report as ISO 8601: the offset or "UTC" may stand apart."""
    if not isinstance(value, str):
        return value
    return re.sub(r"\s+(?=[+-]\d\d:?\d\d$)", "", re.sub(r"\s*UTC$", "Z", value.strip()))


def _later(created: int, seconds: Any) -> int | None:
    """Return the time so many seconds after the creation; None when the row does not say how many."""
    try:
        after = float(seconds)
    except (TypeError, ValueError, OverflowError):
        return None
    # Not NaN, infinity, or the decades that only a broken row has.
    return created + round(after * 1_000_000) if 0 <= after < 1e9 and not isinstance(seconds, bool) else None


def _teams(value: Any) -> list[str]:
    given = value if isinstance(value, list) else (text(value) or "").split(",")
    return [team for item in given if (team := name(item))]


def _first(row: Record, *keys: str) -> Any:
    return next((row[key] for key in keys if row.get(key) not in (None, "")), None)


def _header(key: str) -> str:
    return re.sub(r"[\W_]+", "_", key.strip().lower()).strip("_")


@lru_cache(2**10)
def _is_header(keys: tuple[str, ...]) -> bool:
    names = set(map(_header, keys))
    identified = not names.isdisjoint((*_ID, *_NUMBER)) and not names.isdisjoint(_CREATED)
    own = not names.isdisjoint(_OWN) or {"incident_number", "urgency"} <= names
    return identified and own and not names.isdisjoint((*_SERVICE, "service_id"))


def _is_row(record: Record) -> bool:
    # Pages of incidents have objects where a table has names.
    return len(record) < 100 and _is_header(tuple(record)) and not isinstance(record.get("service"), dict)


def _is_page(record: Record) -> bool:
    listed = record.get("data")
    if _ZONE not in record or not isinstance(listed, list):
        return False
    known = (_is_row(row) or "mean_seconds_to_resolve" in row for row in map(mapping, listed))
    return all(known) if listed else "filters" in record or "order_by" in record


def _rows(page: Record) -> Iterator[tuple[str, Record]]:
    """Yield the rows of a page with the zone in which the request asked for their times."""
    for index, row in enumerate(listing(page.get("data"))):
        yield f".data[{index}]", {**mapping(row), _ZONE: page.get(_ZONE)}


def _read_page(record: Record, envelope: Envelope) -> Event | Ignored:
    if isinstance(record.get("data"), list):
        return Ignored("pagerduty analytics page without incidents")
    return _read_row(record, envelope)


SHAPES = (
    Shape("pagerduty", "analytics page", _is_page, _read_page, parts=_rows),
    Shape("pagerduty", "incident as a row", _is_row, _read_row),
)
