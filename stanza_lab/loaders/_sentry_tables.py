"""Rows of Sentry's Discover and Explore (CSV, or the table that ``/events/`` returns), laid out as events of the API.

Users choose the columns; rows that count events, or that are transactions, spans or logs, are no alerts.
"""

from __future__ import annotations

import re
from collections.abc import Iterator

from stanza_lab.loaders._records import Record, listing, mapping, name, text

_COUNTED = re.compile(r"(?:[a-z_0-9]+\(.*\)|equation\|.*)", re.DOTALL)
_EVENT_ID = re.compile(r"[0-9a-f]{32}|[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}")
_OWN = frozenset(("issue", "issueid", "userdisplay", "culprit", "errorhandled", "errorunhandled"))
_BESIDE = frozenset(("project", "projectname", "projectid", "eventtype", "errortype", "errorvalue", "title", "level"))
_NO_EVENTS = ("transaction", "span", "log", "replay")
_PLAIN = (
    *("id", "eventid", "timestamp", "title", "message", "issue", "issueid", "project", "projectname", "projectid"),
    *("culprit", "level", "environment", "release", "servername", "platform", "platformname", "trace", "logger"),
    *("eventtype", "errorvalue", "errortype", "location"),
)


def _letters(key: str) -> str:
    return "".join(filter(str.isalnum, key.lower()))


def is_row(record: Record) -> bool:
    """Return whether these are columns of Discover or Explore; logs of others have a message and a time too."""
    if any(isinstance(value, (dict, list)) for value in record.values()) or not any(map(_known, record)):
        return False
    keys = {_letters(key) for key in record}
    if any(_COUNTED.fullmatch(key.lower()) for key in record):
        return not keys.isdisjoint(_OWN | _BESIDE)
    return (
        "timestamp" in record
        and not keys.isdisjoint(_OWN)
        and len(keys & (_OWN | _BESIDE)) >= 2
        and keys.isdisjoint(("incidentid", "conditionname", "policyname"))  # an issue of New Relic
    )


def _known(key: str) -> bool:
    return key.lower() in ("timestamp", "count()") or bool(_COUNTED.fullmatch(key.lower()))


def rows(record: Record) -> Iterator[tuple[str, Record]]:
    """Yield the rows of the table ``/events/`` returns."""
    for index, row in enumerate(listing(record.get("data"))):
        yield f".data[{index}]", mapping(row)


def event(row: Record) -> Record | None:
    """Lay out a row as an event, None when it is not one."""
    said = {_letters(key): value for key, value in row.items()}
    event_id = (name(said.get("id")) or name(said.get("eventid")) or "").lower()
    issue = next((i for key in ("issueid", "issue") if (i := name(said.get(key))) and i.lower() not in _NONE), None)
    project = name(said.get("project")) or name(said.get("projectname"))
    title = text(said.get("title")) or text(said.get("errorvalue"))
    kind = (name(said.get("eventtype")) or "").lower()
    if kind in _NO_EVENTS or not (title or issue) or not said.get("timestamp"):
        return None
    if not event_id and any(_COUNTED.fullmatch(key.lower()) for key in row):
        return None
    tags = {key: value for key, value in row.items() if _is_tag(key)}
    return {
        "event_id": event_id.replace("-", "") if _EVENT_ID.fullmatch(event_id) else None,
        "issue_id": issue or f"{project or ''}|{title}",
        "timestamp": said["timestamp"],
        "title": title or text(said.get("message")),
        "message": text(said.get("message")),
        "culprit": text(said.get("culprit")) or text(said.get("location")),
        "level": name(said.get("level")),
        "logger": name(said.get("logger")),
        "environment": name(said.get("environment")),
        "release": name(said.get("release")),
        "server_name": name(said.get("servername")),
        "platform": name(said.get("platform")) or name(said.get("platformname")),
        "project_slug": project,
        "project": name(said.get("projectid")),
        "contexts": {"trace": {"trace_id": name(said.get("trace"))}},
        "tags": tags,
    }


def _is_tag(key: str) -> bool:
    """Return whether a column is of the event and of none of its other fields; who ran into it does not matter."""
    letters = _letters(key)
    return letters not in _PLAIN and not letters.startswith("user") and not _COUNTED.fullmatch(key.lower())


_NONE = ("0", "unknown")
