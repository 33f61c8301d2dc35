"""Datadog: webhooks, Events Explorer CSV, API v1, EventBridge, monitors and their groups.

All are laid out as the events of API v2 and read as those: one firing is one alert, whichever of them told it.

https://docs.datadoghq.com/integrations/webhooks/ https://docs.datadoghq.com/api/latest/monitors/
"""

from __future__ import annotations

from stanza_lab.loaders import _datadog_keys, _datadog_layouts, _times
from stanza_lab.loaders._records import (
    Envelope,
    Event,
    Ignored,
    Record,
    Shape,
    dated,
    ignore,
    moment,
    name,
    need,
    text,
)
from stanza_lab.loaders.datadog import _NO_MONITOR, _STATES, _about, _kind, _layers, _prefix, _word, fact_id


def _told(laid: Record, envelope: Envelope, *, timed: bool = True) -> Event | Ignored:
    """Read a record of another form that was laid out as an event of API v2; only what was received may lack a time."""
    outer, inner, monitor = _layers(laid)
    prefix = _prefix(text(inner.get("title")) or "")
    kind = _kind(inner, monitor, prefix)
    if kind is None:
        return Ignored("datadog notification of no state of a monitor")
    time = outer.get("timestamp")
    told = {"at": moment(time, "date", envelope)} if timed else dated(time, "date", envelope)
    about = _about(laid, prefix, laid["labels"])
    stated = told.get("time_source", "event") == "event"
    fact = f"{about['rule_key']}|{kind}|{_times.iso_ms(told['at'])}" if stated else None
    delivery_id = name(laid.get("delivery_id")) or envelope.delivery_id
    number = name(laid.get("id"))
    event_id = need(fact_id(number, kind) if number else fact or delivery_id, "id")
    native_id = number or delivery_id or event_id
    return {**about, **told, "event_id": event_id, "native_ids": [native_id], "kind": kind}


def _read_webhook(record: Record, envelope: Envelope) -> Event | Ignored:
    return _told(_stated(_datadog_keys.flat(record)), envelope, timed=False)


def _read_row(record: Record, envelope: Envelope) -> Event | Ignored:
    """Read a CSV row of the Events Explorer, whose columns are those on screen."""
    laid = _datadog_keys.flat(record, row=True)
    return _told(_stated(laid), envelope) if _is_alert(laid) else Ignored(_NO_MONITOR)


def _read_v1(record: Record, envelope: Envelope) -> Event | Ignored:
    laid = _datadog_layouts.event(record)
    return _told(laid, envelope) if _is_alert(laid) else Ignored(_NO_MONITOR)


def _read_partner(record: Record, envelope: Envelope) -> Event | Ignored:
    laid = _datadog_layouts.partner(record)
    _, _, monitor = _layers(laid)
    return _told(laid, envelope) if monitor.get("id") else Ignored(_NO_MONITOR)


def _read_group(record: Record, envelope: Envelope) -> Event | Ignored:
    """Read the last trigger of a monitor's group. When that ended is not told, for all that its status may be OK."""
    if not (record.get("last_triggered_ts") or record.get("last_resolved_ts")):
        return Ignored("datadog group that never triggered")
    return _told(_datadog_layouts.group(record), envelope)


def _read_monitor(record: Record, envelope: Envelope) -> Event | Ignored:
    """Read a monitor's definition as a note: webhooks and CSV rows lack its tags and query."""
    if "group" in record:
        return _read_group(record, envelope)
    monitor_id = need(name(record.get("id")), "id")
    told = dated(record.get("modified"), "modified", envelope)
    version = _times.iso_ms(told["at"]) if told["at"] is not None else ""
    laid = {"attributes": {"attributes": {"monitor": record}}}
    about = _about(laid, _prefix(""), {"state": name(record.get("overall_state"))})
    return {**about, **told, "event_id": f"monitor|{monitor_id}|{version}", "native_ids": [monitor_id], "kind": "note"}


def _stated(laid: Record) -> Record:
    """Take the state from any key that has one, where neither transition nor title tells it."""
    _, inner, monitor = _layers(laid)
    told = (name(monitor["transition"]["trans_name"]), _prefix(text(inner["title"]) or "")["state"])
    if not any(_word(word) in _STATES for word in told):
        monitor["transition"]["trans_name"] = next((word for word in laid["states"] if _word(word) in _STATES), None)
    return laid


def _is_alert(laid: Record) -> bool:
    """Return whether a monitor wrote an event: others stand beside its own in an export."""
    _, inner, monitor = _layers(laid)
    said = (monitor["transition"]["trans_name"], _prefix(text(inner["title"]) or "")["state"])
    return bool(inner["monitor_id"]) or (any(said) and _word(laid["source"]) in ("", *_SOURCES))


def _is_webhook(record: Record) -> bool:
    surely, strong, likely = _datadog_keys.is_webhook(record)
    return surely or (likely and _names_state(_datadog_keys.flat(record), anywhere=strong))


def _is_row(record: Record) -> bool:
    surely, likely = _datadog_keys.is_row(record)
    return surely or (likely and _names_state(_datadog_keys.flat(record, row=True), anywhere=False))


def _names_state(laid: Record, *, anywhere: bool) -> bool:
    """Return whether title or transition, or any key of a state, name one as Datadog alone does."""
    _, inner, monitor = _layers(laid)
    words = [_prefix(text(inner["title"]) or "")["state"], monitor["transition"]["trans_name"]]
    return any(_word(word) in _OWN_STATES for word in (*words, *(laid["states"] if anywhere else ())))


# States as Datadog alone writes them; "[OK] ..." is written by many.
_OWN_STATES = frozenset(_STATES) - {"alert", "warning", "ok", "resolved", "renotified", "missing data"}
_SOURCES = ("alert", "alerts", "monitor", "monitor alert", "datadog")
SHAPES = (
    Shape("datadog", "EventBridge event", _datadog_layouts.is_partner, _read_partner),
    Shape(
        "datadog",
        "event of API v1",
        lambda r: "date_happened" in r and ("alert_type" in r or "monitor_id" in r),
        _read_v1,
        _datadog_layouts.event_parts,
    ),
    Shape("datadog", "monitor group", lambda r: "monitor_id" in r and "last_triggered_ts" in r, _read_group),
    Shape(
        "datadog",
        "monitor definition",
        lambda r: "query" in r and "options" in r and ("overall_state" in r or "overall_state_modified" in r),
        _read_monitor,
        _datadog_layouts.monitor_parts,
    ),
    ignore(
        "datadog",
        "monitor search result",
        lambda r: "last_triggered_ts" in r and "scopes" in r and "query" in r,
    ),
    Shape("datadog", "CSV row", _is_row, _read_row),
    Shape("datadog", "webhook", _is_webhook, _read_webhook),
)
PAGES = ()
