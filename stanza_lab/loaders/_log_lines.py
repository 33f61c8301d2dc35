"""One log line: what it says under the keys that libraries and collectors use, and the event it becomes."""

from __future__ import annotations

import hashlib
import re
from collections.abc import Iterable
from typing import Any

import orjson

from stanza_lab.loaders import _spans
from stanza_lab.loaders._log_levels import LEVEL_KEYS, level_in, rank
from stanza_lab.loaders._log_templates import first_line, template
from stanza_lab.loaders._records import (
    Envelope,
    Event,
    Ignored,
    Record,
    RecordError,
    canonical,
    embedded,
    moment,
    name,
    text,
)

# Where a line says what, the most exact key first: in lower case, keys of inner objects behind a dot.
TIME = (
    *("@timestamp", "__realtime_timestamp", "_source_realtime_timestamp", "timestamp", "time", "ts", "_time", "@t"),
    *("datetime", "asctime", "timemillis", "t.$date", "instant.epochsecond", "receivetimestamp"),
)
_MESSAGE = (
    *("message", "msg", "@m", "@mt", "renderedmessage", "short_message", "jsonpayload.message", "jsonpayload.msg"),
    *("textpayload", "body", "log", "event", "text", "error.message", "err.message", "exception.message"),
    *("protopayload.status.message", "eventname"),
)
_SERVICE = (
    *("service", "service.name", "servicename", "service_name", "dd.service", "_service", "app", "app.name"),
    *("app_name", "appname", "application", "application.name", "jsonpayload.service", "resource.service.name"),
    *("container.name", "kubernetes.labels.app", "kubernetes.labels.app.kubernetes.io/name"),
    *("kubernetes.labels.app_kubernetes_io/name", "kubernetes.labels.k8s-app", "kubernetes.container_name"),
    *("kubernetes.container.name", "labels.k8s-pod/app", "resource.labels.service_name"),
    *("resource.labels.container_name", "resource.labels.module_id", "resource.labels.function_name"),
    *("container_name", "syslog_identifier"),
)
_ENVIRONMENT = (
    *("environment", "env", "service.environment", "deployment.environment.name", "deployment.environment", "dd.env"),
    *("labels.environment", "labels.env", "kubernetes.labels.env", "kubernetes.labels.environment"),
)
_TEAM = ("team", "labels.team", "kubernetes.labels.team")
_TRACE = (
    *("trace_id", "traceid", "trace.id", "trace", "dd.trace_id", "oteltraceid", "_trace_id", "context.trace_id"),
    *("logging.googleapis.com/trace", "attributes.trace_id", "mdc.traceid", "mdc.trace_id", "contextmap.traceid"),
    *("contextmap.trace_id", "jsonpayload.trace_id", "properties.traceid", "@tr"),
)
_SPAN = ("span_id", "spanid", "span.id", "dd.span_id", "otelspanid", "mdc.spanid", "@sp")
_RESOURCES = (
    *("host", "hostname", "host.name", "_hostname", "kubernetes.pod.name", "kubernetes.pod_name", "k8s.pod.name"),
    *("pod", "pod_name", "resource.labels.pod_name", "resource.labels.instance_id", "cloud.resource_id"),
    *("cloud.instance.id", "instance_id", "kubernetes.host"),
)
_LABELS = {
    "logger": ("logger", "logger.name", "logger_name", "loggername", "log.logger", "category", "logging.logger"),
    "exception": ("error.type", "exception.type", "err.type", "exc_type", "exception.class", "error.kind"),
    "namespace": ("kubernetes.namespace", "kubernetes.namespace_name", "k8s.namespace.name", "service.namespace"),
    "cluster": ("k8s.cluster.name", "kubernetes.cluster", "orchestrator.cluster.name", "resource.labels.cluster_name"),
    "container": ("container_name", "kubernetes.container_name", "kubernetes.container.name", "container.name"),
    "log_group": ("loggroup", "loggroupname", "logname"),
    "log_stream": ("logstream", "logstreamname"),
}
CARRIED = ("log", "message", "textpayload")  # keys under which collectors keep a line as the program wrote it
_LOGFMT = re.compile(r"\bmsg=(?:\"((?:[^\"\\]|\\.)*)\"|(\S+))")
_GCP_TRACE = re.compile(r"projects/[^/]+/traces/(\w+)")
_BELOW = Ignored("log line below error")
_NO_LEVEL = Ignored("log line without a level")
_DEPTH = 6
_KEYS = 400  # of one line that are looked at

Line = dict[str, Any]  # values that are no objects, by key in lower case, inner keys behind a dot


def read(line: Line, envelope: Envelope) -> Event | Ignored:
    """Return the event of a line at level error or worse."""
    level, word = level_of(line)
    message = message_of(line)
    if level is None and message is not None:
        level, word = level_in(_written(line) or message)
    if level is None:
        return _NO_LEVEL
    if level == "below":
        return _BELOW
    if message is None:
        raise RecordError("missing_field", "a log line without a message; without it nobody knows what it is about")
    at = _at(line, envelope)
    service = _service(line)
    said = first_line(message)
    kind = template(said)
    traces = traces_of(line)
    resources = list(dict.fromkeys(value for key in _RESOURCES if (value := name(line.get(key)))))
    span = first(line, _SPAN)
    labels = {label: first(line, keys) for label, keys in _LABELS.items()}
    told = (at, service, traces, span, message, resources, labels["logger"], level)
    event_id = hashlib.blake2b(orjson.dumps(told), digest_size=12).hexdigest()
    return {
        "event_id": event_id,
        "native_ids": [_stated_id(line) or event_id],
        "occurrence_key": event_id,  # a note about one thing that happened, no definition of a rule
        "rule_key": f"{service or ''}|{kind}",
        "at": at,
        "kind": "note",
        "has_recovery": False,
        "alertname": kind,
        "severity": level,
        "severity_raw": word,
        "summary": said[:500],
        "description": message if message.strip() != said[:500] else None,
        "service": service,
        "environment": first(line, _ENVIRONMENT),
        "team": first(line, _TEAM),
        "resources": resources,
        "trace_ids": traces,
        "labels": canonical({**labels, "span_id": span}),
    }


def _stated_id(line: Line) -> str | None:
    """Return the id a store of logs gave the line (CloudWatch, GCP, journald, Elastic)."""
    stored = ("eventid",) if "ingestiontime" in line or "logstreamname" in line else ()
    return first(line, ("insertid", "__cursor", "event.id", *stored))


def line_of(record: Record) -> Line:
    """Return what a line says: its own keys before those of what carried it, where the line is JSON inside text."""
    line = flat(record)
    for key in CARRIED:
        if isinstance(line.get(key), str) and isinstance(held := embedded(line[key].strip()), dict):
            inner = flat(held)
            own_time = first(inner, TIME) is not None
            outer = {k: v for k, v in line.items() if k != key and not (own_time and k in TIME)}
            if message_of(inner) is not None:
                return {**outer, **inner}
    return line


def flat(record: Record) -> Line:
    """Return the values of a record that are no objects or lists, by key in lower case, inner keys behind a dot."""
    found: Line = {}

    def add(values: Record, before: str, depth: int) -> None:
        for key, value in values.items():
            if len(found) >= _KEYS:
                return
            path = before + key.lower()
            if isinstance(value, dict):
                if depth < _DEPTH:
                    add(value, f"{path}.", depth + 1)
            elif value is not None and not isinstance(value, list):
                found.setdefault(path, value)

    add(record, "", 0)
    return found


def level_of(line: Line) -> tuple[str | None, str | None]:
    """Return how bad a line is ("error", "critical" or "below"; None when it does not say) and its own word."""
    for key in LEVEL_KEYS:
        value = line.get(key)
        if value is not None and (found := rank(key, value)) is not None:
            stated = line.get("severitytext", line.get("severity_text")) if "number" in key else None
            return found, name(stated) or name(value) or str(value)
    if "@t" in line and ("@m" in line or "@mt" in line):  # Serilog leaves the level out where it is "Information"
        return "below", None
    return None, None


def message_of(line: Line) -> str | None:
    """Return what happened, of a line in logfmt only its ``msg``."""
    written = _written(line)
    match = _LOGFMT.search(written) if written and "msg=" in written else None
    return (match[1] or match[2] or written) if match else written


def _written(line: Line) -> str | None:
    return next((message for key in _MESSAGE if key in line and (message := text(line[key]))), None)


def _at(line: Line, envelope: Envelope) -> int:
    """Return when the line was written; of two times the one the program wrote, not the one of its collector."""
    for key in TIME:
        value = line.get(key)
        if value in (None, "", 0, "0"):
            continue
        if key == "instant.epochsecond":
            value = int(value) * 10**9 + int(line.get("instant.nanoofsecond") or 0)
        elif isinstance(value, str) and value.endswith(" UTC"):
            value = value.removesuffix(" UTC") + "Z"
        return moment(value, key, envelope)
    return moment(None, "timestamp", envelope)


def _service(line: Line) -> str | None:
    service = first(line, _SERVICE)
    if service is None and "pid" in line and "hostname" in line:  # bunyan calls the program "name"
        service = name(line.get("name"))
    if service is None and (unit := name(line.get("_systemd_unit"))):
        service = unit.removesuffix(".service")
    if service is None and (group := first(line, ("loggroup", "loggroupname"))):  # /aws/lambda/checkout
        parts = group.strip("/").split("/")
        service = parts[2] if len(parts) == 3 and parts[:2] == ["aws", "lambda"] else None
    return None if service is not None and service.startswith("unknown_service") else service


def traces_of(line: Line) -> list[str]:
    """Return the trace a line names, written as `schema.SPANS` has it."""
    for key in _TRACE:
        found = name(line.get(key))
        if found and (match := _GCP_TRACE.search(found)):
            found = match[1]
        if not found or not found.strip("0"):
            continue
        try:
            return [found if key.startswith("dd.") else _spans.trace_id(found, key)]
        except RecordError:
            return [found]
    return []


def first(line: Line, keys: Iterable[str]) -> str | None:
    """Return the first value that says something, as text."""
    return next((found for key in keys if key in line and (found := _word(line[key]))), None)


def _word(value: Any) -> str | None:
    return str(value) if isinstance(value, float) else name(value)
