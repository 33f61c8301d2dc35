"""Notifications of Grafana: those of unified alerting, which look like Alertmanager's, and of legacy alerting."""

from __future__ import annotations

import hashlib
import re
from typing import TYPE_CHECKING

import orjson

from stanza_lab.loaders import _prometheus, _times
from stanza_lab.loaders._records import (
    Envelope,
    Event,
    Ignored,
    Record,
    RecordError,
    canonical,
    dated,
    instant,
    listing,
    mapping,
    name,
    need,
    text,
)

if TYPE_CHECKING:
    from stanza_lab.loaders._prometheus import Labels

# States as unified alerting writes them, before a reason in brackets, and as legacy alerting did.
_STATES = {
    **dict.fromkeys(("alerting",), "firing"),
    **dict.fromkeys(("recovering",), "recovering"),
    **dict.fromkeys(("normal", "ok", "paused"), "normal"),
    **dict.fromkeys(("pending", "unknown"), "pending"),
    **dict.fromkeys(("nodata", "error"), "unhealthy"),
}
_HEALTH = {"datasourcenodata": "NoData", "datasourceerror": "Error"}
_BETWEEN_LABELS = re.compile(r",\s*(?=[A-Za-z_][\w.\-/]*=)")
# [ var='A' labels={instance=x, job=y} value=1 ]
_IN_VALUES = re.compile(r"labels=\{([^}]*)\}")
_RULE_UID = re.compile(r"/alerting/(?:grafana/)?([\w-]+)/(?:view|edit)")


def read(part: Record, envelope: Envelope) -> Event | Ignored:
    """Read one alert of a notification of unified alerting, which is written like one of Alertmanager."""
    if "alerts" in part:
        return Ignored("grafana notification without alerts")
    alert, said = _prometheus.alert_of(part) if "alert" in part else (part, {})
    status = alert.get("status")
    state = name(status) or name(mapping(status).get("state")) or name(said.get("status"))
    if state not in ("firing", "resolved", "active", "suppressed", "unprocessed"):
        raise RecordError("bad_state", f"{state!r} is no state of an alert; they are firing and resolved")
    firing = state != "resolved"
    if isinstance(status, dict):  # of the API: a firing alert ends in the future of its last update
        end, updated = (instant(_prometheus.time(alert.get(key)), key, envelope) for key in ("endsAt", "updatedAt"))
        firing = end is None or updated is None or end > updated
    labels = mapping(alert.get("labels"))
    url = text(alert.get("generatorURL"))
    uid = name(labels.get("__alert_rule_uid__")) or next(iter(_RULE_UID.findall(url or "")), None)
    also: Labels = {}
    for inner in _IN_VALUES.findall(text(alert.get("valueString")) or ""):
        also = {**pairs(inner), **also}
    extra = {
        "dashboard_url": text(alert.get("dashboardURL")),
        "org": name(said.get("orgId")) or name(alert.get("orgId")),
        "panel_url": text(alert.get("panelURL")),
        "receiver": name(said.get("receiver")),
        "rule_health": _HEALTH.get((name(labels.get("alertname")) or "").lower()),
        "rule_uid": uid,
        "value_labels": {key: value for key, value in also.items() if key not in labels},
        "values": mapping(alert.get("values")),
    }
    return _prometheus.event(alert, envelope, firing=firing, also=also, extra=extra)


def read_legacy(record: Record, envelope: Envelope) -> Event | Ignored:
    """Read a notification of legacy alerting, which tells no time: only when it was received may be known."""
    word = need(name(record.get("state")), "state")
    now = state(word)
    if now == "pending" or word == "paused":
        return Ignored("grafana rule that is paused or pending")
    rule_id = need(name(record.get("ruleId")) or name(record.get("ruleName")), "ruleId")
    rule = "|".join(filter(None, (name(record.get("orgId")), rule_id)))
    kind = "resolved" if now == "normal" else "fired"
    when = dated(None, "received", envelope)
    if when["at"] is not None:
        event_id = f"{rule}|{_times.iso_ms(when['at'])}|{kind}"
    else:
        written = orjson.dumps(record, option=orjson.OPT_SORT_KEYS)
        event_id = envelope.delivery_id or f"{rule}|{hashlib.blake2b(written, digest_size=8).hexdigest()}"
    matches = [_prometheus.labels_of(mapping(match).get("tags")) for match in listing(record.get("evalMatches"))]
    tags = _prometheus.labels_of(record.get("tags"))
    about = _prometheus.about({**(matches[0] if matches else {}), **tags})
    resources = [host for match in matches for host in _prometheus.about(match)["resources"]]
    alertname = name(record.get("ruleName")) or name(record.get("title")) or rule
    return {
        "event_id": event_id,
        "native_ids": [envelope.delivery_id or event_id],
        "rule_key": rule,
        **when,
        "kind": kind,
        "has_recovery": True,
        "alertname": alertname,
        "summary": text(record.get("title")) or alertname,
        "description": text(record.get("message")),
        "url": text(record.get("ruleUrl")),
        **about,
        "resources": list(dict.fromkeys([*about["resources"], *resources])),
        "labels": canonical(
            {
                "dashboard": name(record.get("dashboardId")),
                "matches": [
                    f"{metric}={mapping(match).get('value')}"
                    for match in listing(record.get("evalMatches"))
                    if (metric := name(mapping(match).get("metric")))
                ],
                "org": name(record.get("orgId")),
                "panel": name(record.get("panelId")),
                "rule_health": "NoData" if now == "unhealthy" else None,
                "tags": sorted(f"{key}:{value}" for key, value in tags.items()),
            }
        ),
    }


def state(word: str | None) -> str:
    """Return our state for ``Alerting``, ``Normal (MissingSeries)``, ``no_data``; refuse what is none."""
    base = (word or "").partition("(")[0].strip().lower().replace("_", "").replace(" ", "")
    if base and base not in _STATES:
        raise RecordError("bad_state", f"{word!r} is no state of a Grafana alert")
    return _STATES.get(base, "normal")


def pairs(inner: str) -> Labels:
    """Return the labels of ``k=v, k=v``; a value may hold commas."""
    split = (pair.partition("=") for pair in _BETWEEN_LABELS.split(inner))
    return {key.strip(): value.strip() for key, _, value in split if key.strip() and value.strip()}


def is_notification(record: Record) -> bool:
    ours = "orgId" in record or ("title" in record and "state" in record and record.get("version") == "1")
    return isinstance(record.get("alerts"), list) and ours


def is_alert(record: Record) -> bool:
    labels = mapping(record.get("labels"))
    return (
        "startsAt" in record
        and "matchers" not in record
        and ("grafana_folder" in labels or "__alert_rule_uid__" in labels)
    )


def is_legacy(record: Record) -> bool:
    return "ruleName" in record and "state" in record and ("ruleId" in record or "evalMatches" in record)
