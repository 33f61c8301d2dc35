"""Logs: lines at level error or worse are notes, from which the history makes alerts where they come in bursts.

JSON lines of any library, as they are or inside what Docker, Kubernetes, CloudWatch Logs, GCP and journald put around
them, and log records of OTLP. One line is one event whatever else is in its file; `stanza_lab.history.bursts` counts.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from functools import cache
from typing import Any

import orjson

from stanza_lab.loaders import _log_lines, otel
from stanza_lab.loaders._log_levels import LEVEL_KEYS
from stanza_lab.loaders._records import (
    Envelope,
    Event,
    Ignored,
    Record,
    RecordError,
    Shape,
    embedded,
    ignore,
    listing,
    mapping,
    name,
)
from stanza_lab.loaders._tables import Row

# What a record holds that is an alert, or a row of a table of them; in lower case, letters only.
_ALERT = frozenset(
    (
        *("title", "alert", "alertname", "alertid", "alerttype", "rule", "rulename", "ruleid", "monitor"),
        *("monitorname", "incident", "incidentid", "incidentnumber", "condition", "conditionname", "policy"),
        *("policyname", "fingerprint", "dedup", "dedupkey", "startsat", "endsat", "startedat", "endedat", "firedat"),
        *("triggeredat", "openedat", "resolved", "resolvedat", "closedat", "acknowledged", "acknowledgedat"),
        *("urgency", "priority"),
    )
)
_STATES = frozenset(
    (
        *("firing", "fired", "alert", "alerting", "triggered", "trigger", "active", "open", "opened", "new", "closed"),
        *("resolved", "recovered", "recovery", "ok", "acknowledged", "acked", "suppressed", "no data", "pending"),
    )
)
# What only a log line says of itself.
_OWN = (
    *("logger", "logger_name", "loggername", "log.logger", "caller", "thread", "thread_name", "pid", "log.level"),
    *("msg", "__realtime_timestamp"),
)
_ECS = {"dataset", "module", "outcome", "ingested"}  # of the object "event" that Elastic gives every line
_LETTERS = re.compile(r"[^a-z]")


_OF_LOGS = frozenset(
    (
        *("level", "lvl", "loglevel", "log_level", "log.level", "levelname", "severitytext", "severity_text"),
        *("severitynumber", "severity_number", "logger", "log", "stream", "logstreamname", "@logstream", "@message"),
    )
)


def _is_line(record: Record) -> bool:
    """Return whether a record is a log line: it has a time, a message and a level, or comes from a log collector."""
    if isinstance(record, Row) and not any(key.lower() in _OF_LOGS for key in record):
        return False  # a table of times, severities and messages is one of alerts, unless a column is one of logs
    line = _log_lines.line_of(record)
    if _log_lines.first(line, _log_lines.TIME) is None or _log_lines.message_of(line) is None:
        return False
    if _log_lines.level_of(line)[0] is None and not _is_carried(line):
        return False
    return not _is_alert(line) and not _holds_another(record)


def _read_line(record: Record, envelope: Envelope) -> Event | Ignored:
    return _log_lines.read(_log_lines.line_of(record), envelope)


def _is_carried(line: _log_lines.Line) -> bool:
    """Return whether a line that names no level has around it what a log collector puts there."""
    if "log" in line and ("stream" in line or any(key.startswith("kubernetes.") for key in line)):
        return True
    if "message" in line and any(key in line for key in ("logstreamname", "logstream", "ingestiontime")):
        return True
    return "logname" in line and ("textpayload" in line or "insertid" in line)


def _is_alert(line: _log_lines.Line) -> bool:
    """Return whether a record with a level, a time and a message is an alert all the same, of whatever system."""
    if any(key in line for key in _OWN):
        return False
    keys = {_LETTERS.sub("", key.partition(".")[0]) for key in line}
    if not _ALERT.isdisjoint(keys):
        return True
    states = (name(line.get(key)) for key in ("status", "state"))
    return not _log_lines.traces_of(line) and any(state and state.lower() in _STATES for state in states)


def _holds_another(record: Record) -> bool:
    """Return whether a line was written about a record of another system that it holds: that one counts."""
    from stanza_lab.loaders import registry  # which imports this module

    held = [
        value
        for key, given in record.items()
        if key in registry._HOLDERS or (key in ("log", "textPayload", "MESSAGE") and isinstance(given, str))
        if isinstance(value := embedded(given), (dict, list)) and not (key == "event" and _ECS & mapping(value).keys())
    ]
    return bool(held) and any(isinstance(shape, Shape) for shape, *_ in registry.unwrap(held, Envelope(), _others()))


@cache
def _others() -> tuple[Shape, ...]:
    """Return the shapes of other systems; a table may be of anything."""
    from stanza_lab.loaders import registry, tabular

    tables = set(map(id, tabular.SHAPES))
    return tuple(shape for shape in registry.SHAPES if shape.source != "logs" and id(shape) not in tables)


def _log_records(record: Record) -> Iterator[tuple[str, Record]]:
    """Yield the log records of one element of ``resourceLogs``, each with its resource."""
    for key in ("scopeLogs", "instrumentationLibraryLogs"):
        for i, scope in enumerate(listing(record.get(key))):
            held = mapping(scope)
            for own in ("logRecords", "logs"):
                for j, log in enumerate(listing(held.get(own))):
                    about = mapping(held.get("scope")) or mapping(held.get("instrumentationLibrary"))
                    part = {"resource": record.get("resource"), "scope": {"name": about.get("name")}, "logRecord": log}
                    yield f".{key}[{i}].{own}[{j}]", part


def _read_log_record(part: Record, envelope: Envelope) -> Event | Ignored:
    if "logRecord" not in part:
        return Ignored("otlp logs without records")
    log = part["logRecord"]
    if not isinstance(log, dict):
        raise RecordError("not_an_object", f"a log record is a JSON object, this is {type(log).__name__}")
    body = _plain(log.get("body"))
    line = _log_lines.flat(otel.attributes(mapping(part.get("resource")).get("attributes")))
    line |= _log_lines.flat(otel.attributes(log.get("attributes")))
    if isinstance(body, dict):
        line |= _log_lines.flat(body)
    elif body is not None:
        line["message"] = body if isinstance(body, str) else orjson.dumps(body).decode()
    leveled = log.get("severityNumber") or log.get("severityText")
    others = (*_log_lines.TIME, *(LEVEL_KEYS if leveled else ()))  # the record's own are those of its fields
    line = {key: value for key, value in line.items() if key not in others}
    line |= {
        "severitynumber": log.get("severityNumber"),
        "severitytext": log.get("severityText"),
        "@timestamp": _set(log.get("timeUnixNano")) or _set(log.get("observedTimeUnixNano")),
        "traceid": log.get("traceId") or line.get("traceid"),
        "spanid": log.get("spanId") or line.get("spanid"),
        "eventname": log.get("eventName"),
        "logger": line.get("logger") or mapping(part.get("scope")).get("name"),
    }
    if isinstance(body, dict) and _log_lines.message_of(line) is None:
        line["message"] = orjson.dumps(body, option=orjson.OPT_SORT_KEYS).decode()
    return _log_lines.read({key: value for key, value in line.items() if value is not None}, envelope)


def _set(nanoseconds: Any) -> Any:
    return None if nanoseconds in (0, "0", "") else nanoseconds


def _plain(value: Any) -> Any:
    """Return an OTLP value of any type as plain JSON."""
    typed = mapping(value)
    for kind in ("stringValue", "intValue", "doubleValue", "boolValue", "bytesValue"):
        if kind in typed:
            return typed[kind]
    if "arrayValue" in typed:
        return [_plain(item) for item in listing(mapping(typed["arrayValue"]).get("values"))]
    if "kvlistValue" in typed:
        pairs = map(mapping, listing(mapping(typed["kvlistValue"]).get("values")))
        return {str(pair.get("key")): _plain(pair.get("value")) for pair in pairs}
    return None if isinstance(value, dict) else value


def _is_subscription(record: Record) -> bool:
    """Return whether this is what CloudWatch Logs hands a subscriber, and no line of it holds an alert."""
    if "messageType" not in record or "logGroup" not in record or not isinstance(record.get("logEvents"), list):
        return False
    return not any(_holds_another(line) for line in record["logEvents"] if isinstance(line, dict))


def _subscribed(record: Record) -> Iterator[tuple[str, Record]]:
    about = {key: record.get(key) for key in ("logGroup", "logStream", "owner")}
    for i, line in enumerate(record["logEvents"]):
        yield f".logEvents[{i}]", {**about, **mapping(line)}


def _read_subscribed(part: Record, envelope: Envelope) -> Event | Ignored:
    return Ignored("cloudwatch logs without lines") if "messageType" in part else _read_line(part, envelope)


SHAPES = (
    Shape("logs", "OTLP log record", otel.is_resource_logs, _read_log_record, _log_records),
    ignore("otel", "logs", otel.is_resource_logs, kind="otlp logs (read them with source 'logs')"),
    Shape("logs", "CloudWatch Logs subscription", _is_subscription, _read_subscribed, _subscribed),
    Shape("logs", "log line", _is_line, _read_line),
)
PAGES = ("logEvents",)
