"""What Prometheus, Alertmanager and Grafana share: an alert is its labels.

Its rule key writes the labels out. Its fingerprint is a hash of them, the one Prometheus computes, so that records
that come without one (series, old webhooks) have the same.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any

from stanza_lab.loaders import _times
from stanza_lab.loaders._records import (
    Envelope,
    Event,
    Record,
    RecordError,
    canonical,
    dated,
    instant,
    listing,
    mapping,
    name,
    severity,
    text,
)

Labels = dict[str, str]

_SERVICE = ("exported_service", "service", "service_name", "app", "app_kubernetes_io_name", "label_app", "application")
_WORKLOAD = ("deployment", "statefulset", "daemonset", "workload")
_ENVIRONMENT = ("env", "environment", "stage")
_TEAM = ("team", "owner", "squad")
_RESOURCES = (
    *("exported_pod", "pod", "pod_name", "node", "nodename", "host", "hostname", "exported_instance", "instance"),
    *("instance_id", "dbinstance_identifier", "arn"),
)
# Words in the names of what watches others, and in those of jobs that scrape machines or probe from outside.
_SCRAPERS = frozenset(("exporter", "exporters", "ksm", "cadvisor", "kubelet", "blackbox"))
_JOBS = frozenset(
    (
        *("node", "nodes", "ping", "icmp", "probe", "probes", "snmp", "pushgateway", "federate", "kubernetes"),
        *("telegraf", "collectd", "statsd", "collector", "pods", "endpoints"),
    )
)
_WORD = re.compile(r"[a-z0-9]+")
_PROSE = ("summary", "title", "message", "description")  # annotations, the shortest first
# What a series has beside the labels of its alert.
_NOT_OF_THE_ALERT = ("__name__", "alertstate")


def identity(labels: Any) -> Labels:
    """Return the labels that identify an alert, as written."""
    return {
        key: value
        for key, value in mapping(labels).items()
        if isinstance(value, str) and value and not key.startswith("__") and key not in _NOT_OF_THE_ALERT
    }


def labels_of(value: Any) -> Labels:
    """Return tags that have a value."""
    return {key: given for key, raw in mapping(value).items() if (given := name(raw))}


def fingerprint(labels: Labels) -> str:
    """Return the fingerprint Prometheus gives these labels: 64-bit FNV-1a over them in order."""
    hashed = 0xCBF29CE484222325
    for key in sorted(labels):
        for byte in b"%s\xff%s\xff" % (key.encode(), labels[key].encode()):
            hashed = ((hashed ^ byte) * 0x100000001B3) & 0xFFFFFFFFFFFFFFFF
    return f"{hashed:016x}"


def rule_key(labels: Labels) -> str:
    """Return name and labels as Prometheus writes them: ``HighErrorRate{service="checkout", severity="critical"}``."""
    inner = ", ".join(f'{key}="{labels[key]}"' for key in sorted(labels) if key != "alertname")
    return f"{labels.get('alertname', '')}{{{inner}}}"


def about(labels: Labels) -> Event:
    """Return whom and what labels name. A scraper is not what it scrapes: its name and instance do not count."""
    given = {key: value for key, raw in labels.items() if (value := name(raw))}
    scraped_by = given.get("job", "") + " " + given.get("service", "")
    named = [given[key] for key in (*_SERVICE, *_WORKLOAD) if key in given and not _words(given[key]) & _SCRAPERS]
    job = given.get("job", "").rpartition("/")[2]
    if job and not _words(job) & (_SCRAPERS | _JOBS):
        named.append(job)
    resources = [key for key in _RESOURCES if key in given]
    if "ksm" in _words(scraped_by):  # its instance is where it runs itself
        resources = [key for key in resources if key != "instance"]
    word = given.get("severity") or given.get("priority")
    return {
        "service": next(iter(named), None),
        "environment": next((given[key] for key in _ENVIRONMENT if key in given), None),
        "team": next((given[key] for key in _TEAM if key in given), None),
        "resources": list(dict.fromkeys(given[key] for key in resources)),
        "severity": severity(word),
        "severity_raw": word,
    }


def _words(value: str) -> set[str]:
    return set(_WORD.findall(value.lower().replace("_", "-").replace("kube-state-metrics", "ksm")))


def parts(record: Record) -> Iterator[tuple[str, Record]]:
    """Yield the alerts of a notification or group, each with what is said of all of them."""
    said = {key: value for key, value in record.items() if key != "alerts"}
    for index, alert in enumerate(listing(record.get("alerts"))):
        yield f".alerts[{index}]", {"alert": alert, "notification": said}


def alert_of(part: Record) -> tuple[Record, Record]:
    """Return the alert in a part of a notification, and what is said of all."""
    alert = part.get("alert")
    if not isinstance(alert, dict) or not isinstance(alert.get("labels"), dict):
        raise RecordError("malformed", "an alert in this notification is no object with labels; export it again")
    return alert, mapping(part.get("notification"))


def time(value: Any) -> Any:
    """Return a time as it was written, or None for the zero time of Go in any of its spellings."""
    return None if isinstance(value, str) and value.startswith("0001-01-01") else value


def event(alert: Record, envelope: Envelope, *, firing: bool, also: Labels | None = None, extra: Record) -> Event:
    """Return the state of one alert: that it fires since it began, or that it ended.

    The fact is the same however often it is sent: repeated, to several receivers, by every instance of a cluster.
    `also` are labels that stand elsewhere and count where the alert has none; `extra` goes to the labels column.
    """
    labels = identity(alert.get("labels"))
    if not labels:
        raise RecordError("missing_field", "field 'labels' is missing or empty; without it the alert has no identity")
    annotations = mapping(alert.get("annotations"))
    print_ = name(alert.get("fingerprint")) or fingerprint(labels)
    start = instant(time(alert.get("startsAt")), "startsAt", envelope)
    end = None if firing else instant(time(alert.get("endsAt")), "endsAt", envelope)
    kind = "fired" if firing else "resolved"
    occurrence = None if start is None else f"{print_}|{_times.iso_ms(start)}"
    when = dated(start if firing else end, "startsAt" if firing else "endsAt", envelope)
    moments = [start, when["at"] if start is None or not firing else None]
    event_id = "|".join((print_, *(_times.iso_ms(at) for at in moments if at is not None), kind))
    alertname = labels.get("alertname") or rule_key(labels)
    said = [prose for key in _PROSE if (prose := text(annotations.get(key)))]
    return {
        "event_id": event_id,
        "native_ids": [envelope.delivery_id or event_id],
        "occurrence_key": occurrence,
        "rule_key": rule_key(labels),
        **when,
        "kind": kind,
        "has_recovery": True,
        "alertname": alertname,
        "starts_at": start,
        "ends_at": end,
        "summary": said[0] if said else alertname,
        "description": next((prose for prose in said[1:] if prose != said[0]), None),
        "url": text(alert.get("generatorURL")),
        **about({**(also or {}), **labels}),
        "labels": canonical(
            {
                "fingerprint": print_,
                "runbook_url": text(annotations.get("runbook_url")) or text(annotations.get("runbook")),
                **extra,
                **labels,
            }
        ),
    }
