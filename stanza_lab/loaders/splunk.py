"""Splunk: alert webhooks, the audit log of fired alerts, the REST list of them, notable events of Enterprise Security.

One run of a search is one fact, named by its search id (sid) in every shape. Splunk reports no recoveries.
https://docs.splunk.com/Documentation/Splunk/latest/Alert/Webhooks
"""

from __future__ import annotations

import re
from typing import Any

from stanza_lab.loaders._records import (
    Envelope,
    Event,
    Ignored,
    Record,
    Shape,
    canonical,
    dated,
    ignore,
    mapping,
    name,
    need,
    severity,
    text,
)

# alert.severity of a saved search; the page that sets it calls 1 to 5 Info, Low, Medium, High, Critical.
_SEVERITY = {"1": "info", "2": "info", "3": "warning", "4": "error", "5": "critical", "6": "critical"}
_RAN_AT = re.compile(r"_at_(\d{9,11})(?:_|$)")
_PAIR = re.compile(r'(\w+)=(?:"([^"]*)"|([^,\]\s]*))')
_SERVICE = ("service", "service_name", "service.name", "app_name", "application")
_ENVIRONMENT = ("environment", "env")
_TEAM = ("team", "squad")
_HOSTS = ("host", "hostname", "dest", "dvc", "instance", "instance_id", "pod", "pod_name", "node", "arn", "resource")
_CLOSED = ("4", "5", "resolved", "closed")


def _read_webhook(record: Record, envelope: Envelope) -> Event | Ignored:
    """Read what the webhook action sends: the search, and of its results the first row."""
    result = mapping(record.get("result"))
    sid = name(record.get("sid"))
    return _fired(
        need(name(record.get("search_name")), "search_name"),
        sid,
        result.get("_time") or _ran_at(sid),
        envelope,
        result=result,
        url=text(record.get("results_link")),
        labels={"app": name(record.get("app"))},
    )


def _read_audit(record: Record, envelope: Envelope) -> Event | Ignored:
    """Read an event of ``index=_audit action=alert_fired``; its fields may stand in the raw line only."""
    fields = {**_of_raw(record), **{key: value for key, value in record.items() if _one(value)}}
    sid = name(_one(fields.get("sid")))
    # The host of such an event is the search head.
    return _fired(
        need(name(_one(fields.get("ss_name"))), "ss_name"),
        sid,
        _one(fields.get("trigger_time")) or _one(fields.get("_time")) or _ran_at(sid),
        envelope,
        level=name(_one(fields.get("severity"))),
        labels={
            "app": name(_one(fields.get("ss_app"))),
            "alert_actions": name(_one(fields.get("alert_actions"))),
            "triggered_alerts": name(_one(fields.get("triggered_alerts"))),
        },
    )


def _read_rest(record: Record, envelope: Envelope) -> Event | Ignored:
    """Read an entry of ``/services/alerts/fired_alerts``, or the same as a row of ``| rest``."""
    content = mapping(record.get("content")) or record
    if not name(content.get("savedsearch_name")):
        return Ignored("splunk count of fired alerts")
    sid = name(content.get("sid"))
    acl = mapping(content.get("eai:acl")) or mapping(record.get("acl"))
    return _fired(
        need(name(content.get("savedsearch_name")), "savedsearch_name"),
        sid,
        content.get("trigger_time") or _ran_at(sid),
        envelope,
        level=name(content.get("severity")),
        labels={
            "app": name(acl.get("app")) or name(content.get("eai:acl.app")),
            "alert_actions": name(content.get("actions")),
            "alert_type": name(content.get("alert_type")),
            "triggered_alerts": name(content.get("triggered_alerts")),
        },
    )


def _fired(
    search: str,
    sid: str | None,
    when: Any,
    envelope: Envelope,
    *,
    labels: Record,
    level: str | None = None,
    result: Record | None = None,
    url: str | None = None,
) -> Event:
    """Return the event of a search that fired, the same whatever shape told it."""
    row = result or {}
    word = level or name(_one(row.get("severity"))) or name(_one(row.get("priority")))
    at = dated(when, "_time", envelope)
    event_id = sid or envelope.delivery_id or f"{search}|{at['at']}"
    return {
        **at,
        "event_id": event_id,
        "native_ids": [event_id],
        "rule_key": search,
        "kind": "fired",
        "has_recovery": False,
        "alertname": search,
        "severity": _SEVERITY.get(word or "") or severity(word),
        "severity_raw": word,
        "summary": search,
        "description": text(_one(row.get("message"))) or text(_one(row.get("_raw"))),
        "url": url,
        "service": _first(row, _SERVICE),
        "environment": _first(row, _ENVIRONMENT),
        "team": _first(row, _TEAM),
        "resources": _all(row, _HOSTS),
        "trace_ids": _all(row, ("trace_id", "traceId")),
        "labels": canonical({**labels, "result": {k: v for k, v in row.items() if k not in ("_raw", "_time")}}),
    }


def _read_notable(record: Record, envelope: Envelope) -> Event | Ignored:
    """Read a notable event; its status is what an analyst set, when is not told."""
    rule = need(_first(record, ("search_name", "source", "rule_name", "rule_title")), "search_name")
    hosts = _all(record, ("dest", "dvc", "dest_host", "orig_host"))
    word = _first(record, ("severity", "urgency"))
    at = dated(_one(record.get("_time")) or _one(record.get("orig_time")), "_time", envelope)
    native = _first(record, ("event_id", "rule_id", "event_hash"))
    event_id = native or f"{rule}|{at['at']}"
    title = _first(record, ("rule_title", "rule_name")) or rule
    return {
        **at,
        "event_id": event_id,
        "native_ids": [event_id],
        "rule_key": "|".join((rule, *hosts[:1])),
        "kind": "fired",
        "has_recovery": False,
        "alertname": _first(record, ("rule_name", "search_name")) or rule,
        "severity": severity(word) or ("info" if word and word.lower() == "informational" else None),
        "severity_raw": word,
        "summary": title,
        "description": text(_one(record.get("rule_description"))),
        "url": text(_one(record.get("drilldown_url"))),
        "service": _first(record, _SERVICE),
        "environment": _first(record, _ENVIRONMENT),
        "resources": hosts,
        "labels": canonical(
            {
                "closed": "true" if (_first(record, ("status",)) or "").lower() in _CLOSED else None,
                "security_domain": _first(record, ("security_domain",)),
                "sid": _first(record, ("orig_sid", "sid")),
                "status": _first(record, ("status_label", "status")),
                "urgency": _first(record, ("urgency",)),
                "mitre": _all(record, ("annotations.mitre_attack", "annotations.mitre_attack.mitre_technique_id")),
            }
        ),
    }


def _one(value: Any) -> Any:
    """Return the first of several values: a list in JSON, lines of one cell in CSV."""
    if isinstance(value, list):
        return next((item for item in value if item), None)
    return value.split("\n", 1)[0] if isinstance(value, str) else value


def _first(record: Record, keys: tuple[str, ...]) -> str | None:
    return next((found for key in keys if (found := name(_one(record.get(key))))), None)


def _all(record: Record, keys: tuple[str, ...]) -> list[str]:
    """Return every value of `keys`, each once."""
    found: dict[str, None] = {}
    for key in keys:
        value = record.get(key)
        several = value if isinstance(value, list) else value.split("\n") if isinstance(value, str) else [value]
        found |= dict.fromkeys(each for item in several if (each := name(item)))
    return list(found)


def _ran_at(sid: str | None) -> str | None:
    """Return when the scheduler ran a search, which stands in the id of the run."""
    match = _RAN_AT.search(sid or "")
    return match[1] if match else None


def _of_raw(record: Record) -> Record:
    """Return the fields of an audit line: ``Audit:[timestamp=..., action=alert_fired, ss_name="...", ...]``."""
    raw = record.get("_raw")
    if not isinstance(raw, str) or "alert_fired" not in raw:
        return {}
    return {key: quoted or bare for key, quoted, bare in _PAIR.findall(raw)}


def _is_audit(record: Record) -> bool:
    if "ss_name" in record:
        return _one(record.get("action")) in ("alert_fired", None) or "trigger_time" in record
    return "_raw" in record and _of_raw(record).get("action") == "alert_fired"


def _is_rest(record: Record) -> bool:
    content = record.get("content") if isinstance(record.get("content"), dict) else record
    return isinstance(content, dict) and (
        ("savedsearch_name" in content and "trigger_time" in content) or "triggered_alert_count" in content
    )


def _is_notable(record: Record) -> bool:
    return (
        ("rule_name" in record or "search_name" in record or "rule_title" in record)
        and ("urgency" in record or "security_domain" in record)
        and ("event_id" in record or "rule_id" in record or "event_hash" in record or "_time" in record)
    )


def _is_scheduler(record: Record) -> bool:
    return "savedsearch_name" in record and ("run_time" in record or "dispatch_time" in record)


SHAPES = (
    ignore("splunk", "end of an export", lambda r: r.get("lastrow") is True and "preview" in r and "result" not in r),
    # Rows of a search that still runs come again, complete, when it has ended.
    ignore("splunk", "preview of a result", lambda r: r.get("preview") is True and "result" in r),
    Shape(
        "splunk",
        "webhook",
        lambda r: "search_name" in r and "result" in r and ("sid" in r or "results_link" in r),
        _read_webhook,
    ),
    Shape("splunk", "audit of a fired alert", _is_audit, _read_audit),
    Shape("splunk", "fired alert", _is_rest, _read_rest),
    Shape("splunk", "notable event", _is_notable, _read_notable),
    ignore("splunk", "run of a search", _is_scheduler),
)
PAGES = ("result", "results", "entry", "_raw")
