"""Grafana: alert annotations, the state history in Loki, notifications of unified and legacy alerting, OnCall.

Annotations and state history tell one transition a record, the same fact in both. A notification tells an occurrence.
That a rule finds no data or fails (DatasourceNoData, DatasourceError) is marked as `rule_health` in the labels.

https://grafana.com/docs/grafana/latest/alerting/ and its /developers/http_api/annotations/
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import TYPE_CHECKING, Any

from stanza_lab.loaders import _grafana_notifications as notifications
from stanza_lab.loaders import _grafana_oncall as oncall
from stanza_lab.loaders import _prometheus, _times
from stanza_lab.loaders._records import (
    Envelope,
    Event,
    Ignored,
    Record,
    RecordError,
    Shape,
    canonical,
    embedded,
    ignore,
    listing,
    mapping,
    moment,
    name,
    need,
    text,
)

if TYPE_CHECKING:
    from stanza_lab.loaders._prometheus import Labels

_FIRING = ("firing", "recovering")
# name {k=v, ...} - B=1.2
_IN_TEXT = re.compile(r"\{(?P<labels>.*?)\}(?=\s+-\s|\s*$)", re.DOTALL)


def _read_annotation(record: Record, envelope: Envelope) -> Event | Ignored:
    """Read the annotation of a transition; the labels stand in its text, in legacy alerting there are none."""
    found = _IN_TEXT.search(text(record.get("text")) or "")
    labels = notifications.pairs(found["labels"]) if found else {}
    alertname = name(record.get("alertName")) or labels.get("alertname")
    alert_id = name(record.get("alertId"))
    named = {"alertname": alertname, **labels} if alertname and labels else labels
    rule = _prometheus.rule_key(named) if named else (alert_id if alert_id != "0" else None) or alertname
    read = _transition(
        rule=need(rule, "alertName"),
        labels=named,
        alertname=alertname,
        before=name(record.get("prevState")),
        after=name(record.get("newState")),
        at=moment(record.get("time"), "time", envelope),
        extra={
            "dashboard": name(record.get("dashboardUID")) or name(record.get("dashboardId")),
            "panel": name(record.get("panelId")),
            "values": mapping(mapping(record.get("data")).get("values")),
        },
    )
    if isinstance(read, Ignored):
        return read
    return {**read, "native_ids": [name(record.get("id")) or read["event_id"]], "summary": text(record.get("text"))}


def _history_parts(record: Record) -> Iterator[tuple[str, Record]]:
    """Yield the lines of a stream of Loki."""
    for index, value in enumerate(listing(record.get("values"))):
        yield f".values[{index}]", {"stream": record.get("stream"), "value": value}


def _frame_parts(record: Record) -> Iterator[tuple[str, Record]]:
    """Yield the lines of the data frame that Grafana's own API makes of the state history."""
    fields = [name(mapping(f).get("name")) for f in listing(mapping(record.get("schema")).get("fields"))]
    columns = dict(zip(fields, listing(mapping(record.get("data")).get("values")), strict=False))
    times, lines = listing(columns.get("time")), listing(columns.get("line"))
    for index, (time, line) in enumerate(zip(times, lines, strict=True)):
        yield f".data.values[{index}]", {"stream": {}, "value": [time, line]}


def _read_history(part: Record, envelope: Envelope) -> Event | Ignored:
    """Read one transition of the state history."""
    if "values" in part and "stream" in part:
        return Ignored("grafana state history without lines")
    # A line that a log shipper wrapped has the time of the wrapper, which is that of the line.
    when, line = part["value"][:2] if "value" in part else (part.get("timestamp"), part.get("line", part))
    entry = embedded(line)
    if not isinstance(entry, dict):
        raise RecordError("malformed", "a line of the state history holds no JSON object; export it again")
    labels = _prometheus.identity(entry.get("labels"))
    title = name(entry.get("ruleTitle"))
    uid = name(entry.get("ruleUID"))
    named = {"alertname": title, **labels} if title else labels
    stream = {**mapping(part.get("labels")), **mapping(part.get("stream"))}
    return _transition(
        rule=_prometheus.rule_key(named) if named else need(uid, "ruleUID"),
        labels=named,
        alertname=title or uid,
        before=name(entry.get("previous")),
        after=name(entry.get("current")),
        at=moment(when or envelope.received, "timestamp", envelope),
        extra={
            "dashboard": name(entry.get("dashboardUID")),
            "error": text(entry.get("error")),
            "fingerprint": name(entry.get("fingerprint")),
            "folder": name(stream.get("folderUID")),
            "group": name(stream.get("group")),
            "org": name(stream.get("orgID")),
            "panel": name(entry.get("panelID")),
            "rule_uid": uid,
            "values": mapping(entry.get("values")),
        },
    )


def _transition(
    *,
    rule: str,
    labels: Labels,
    alertname: str | None,
    before: str | None,
    after: str | None,
    at: int,
    extra: Record,
) -> Event | Ignored:
    """Return the event of one transition, the same whichever shape told it."""
    old, new = notifications.state(before), notifications.state(need(after, "state"))
    if new == "firing":
        kind = "renotified" if old in _FIRING else "fired"
    elif new == "recovering":
        return Ignored("grafana alert that fires on (Recovering)")
    elif old in _FIRING:
        kind = "resolved"
    elif new == "unhealthy":
        kind = "note"
    else:
        return Ignored("grafana change between states that do not fire")
    health = next((word for state, word in ((new, after), (old, before)) if state == "unhealthy"), None)
    reason = re.search(r"\((NoData|Error)\)", after or "")
    event_id = f"{rule}|{_times.iso_ms(at)}|{kind}"
    return {
        "event_id": event_id,
        "native_ids": [event_id],
        "rule_key": rule,
        "at": at,
        "kind": kind,
        "has_recovery": True,
        "alertname": alertname or rule,
        "summary": f"{alertname or rule} changed from {before or 'an unknown state'} to {after}",
        **_prometheus.about(labels),
        "labels": canonical(
            {
                **extra,
                "new_state": after,
                "old_state": before,
                "rule_health": reason[1] if reason else health,
                **{key: value for key, value in labels.items() if key != "alertname" or value != alertname},
            }
        ),
    }


def _is_annotation(record: Record) -> bool:
    return "newState" in record and "time" in record and ("alertId" in record or "alertName" in record)


def _is_of_a_person(record: Record) -> bool:
    """Return whether an annotation was written by a person or a tool, not by an alert."""
    return _is_annotation(record) and not name(record.get("newState"))


def _is_stream(record: Record) -> bool:
    return isinstance(record.get("values"), list) and mapping(record.get("stream")).get("from") == "state-history"


def _is_entry(value: Any) -> bool:
    entry = mapping(embedded(value))
    return "current" in entry and "previous" in entry and ("ruleUID" in entry or "schemaVersion" in entry)


def _is_frame(record: Record) -> bool:
    fields = [name(mapping(f).get("name")) for f in listing(mapping(record.get("schema")).get("fields"))]
    lines = [column for column in listing(mapping(record.get("data")).get("values")) if isinstance(column, list)]
    return "line" in fields and "time" in fields and any(_is_entry(column[0]) for column in lines if column)


SHAPES = (
    ignore("grafana", "annotation that is no alert", _is_of_a_person),
    Shape("grafana", "alert annotation", _is_annotation, _read_annotation),
    Shape("grafana", "state history", _is_stream, _read_history, _history_parts),
    Shape("grafana", "state history line", lambda r: _is_entry(r.get("line", r)), _read_history),
    Shape("grafana", "state history frame", _is_frame, _read_history, _frame_parts),
    Shape("grafana", "notification", notifications.is_notification, notifications.read, _prometheus.parts),
    Shape("grafana", "alert", notifications.is_alert, notifications.read),
    Shape("grafana", "legacy notification", notifications.is_legacy, notifications.read_legacy),
    Shape("grafana", "OnCall alert group", oncall.matches, oncall.read),
    ignore("grafana", "empty query result", lambda r: r.get("resultType") == "streams" and r.get("result") == []),
)
PAGES = ("result", "results", "alert_groups")
