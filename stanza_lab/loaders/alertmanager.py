"""Prometheus and its Alertmanager: webhooks, API v2, and the series ``ALERTS`` that Prometheus itself keeps.

https://prometheus.io/docs/alerting/latest/configuration/#webhook_config
"""

from __future__ import annotations

import math
from collections.abc import Iterator
from itertools import pairwise
from typing import Any

from stanza_lab.loaders import _prometheus
from stanza_lab.loaders._records import (
    Envelope,
    Event,
    Ignored,
    Record,
    RecordError,
    Shape,
    ignore,
    instant,
    listing,
    mapping,
    moment,
    name,
)

# Alerts that always fire to show that alerting works, or fire to inhibit others: no incidents.
_HEARTBEATS = ("watchdog", "infoinhibitor", "deadmansswitch", "deadmanssnitch")
_SLACK = 1.5  # steps that may lie between two samples of one interval
_STATES = ("active", "suppressed", "unprocessed")


def _read_notification(part: Record, envelope: Envelope) -> Event | Ignored:
    """Read one alert of a webhook; the state of the notification is that of the group, not of each alert."""
    if "alerts" in part:
        return Ignored("alertmanager notification without alerts")
    alert, said = _prometheus.alert_of(part)
    state = name(alert.get("status")) or name(said.get("status"))
    if state not in ("firing", "resolved"):
        raise RecordError("bad_state", f"{state!r} is no state of an alert; they are firing and resolved")
    return _event(alert, envelope, firing=state == "firing", said=said)


def _read_api(part: Record, envelope: Envelope) -> Event | Ignored:
    """Read an alert of the API. A firing one ends in the future of its last update, when it is not sent again."""
    if "alerts" in part:
        return Ignored("alertmanager group without alerts")
    alert, said = _prometheus.alert_of(part) if "alert" in part else (part, {})
    state = name(mapping(alert.get("status")).get("state")) or name(alert.get("status"))
    end = instant(_prometheus.time(alert.get("endsAt")), "endsAt", envelope)
    updated = instant(_prometheus.time(alert.get("updatedAt")), "updatedAt", envelope)
    if state in ("firing", "resolved"):
        firing = state == "firing"
    elif end is not None and updated is not None:
        firing = end > updated
    else:  # without an update nothing tells future from past; what the API lists with a state is firing
        firing = end is None or state in _STATES
    return _event(alert, envelope, firing=firing, said=said)


def _event(alert: Record, envelope: Envelope, *, firing: bool, said: Record) -> Event | Ignored:
    if (ignored := _heartbeat(mapping(alert.get("labels")))) is not None:
        return ignored
    status = mapping(alert.get("status"))
    receivers = [said.get("receiver"), *listing(alert.get("receivers"))]
    names = [name(mapping(receiver).get("name")) or name(receiver) for receiver in receivers]
    extra = {
        "inhibited_by": listing(status.get("inhibitedBy")),
        "muted_by": listing(status.get("mutedBy")),
        "receivers": sorted({receiver for receiver in names if receiver}),
        "silenced_by": listing(status.get("silencedBy")),
    }
    return _prometheus.event(alert, envelope, firing=firing, extra=extra)


def _heartbeat(labels: Record) -> Ignored | None:
    alertname = name(labels.get("alertname")) or ""
    known = "".join(filter(str.isalnum, alertname)).lower() in _HEARTBEATS
    return Ignored("alertmanager heartbeat (Watchdog, InfoInhibitor, DeadMansSwitch)") if known else None


def _read_rule_alert(record: Record, envelope: Envelope) -> Event | Ignored:
    """Read an alert of the API of Prometheus itself, which tells since when its condition holds."""
    labels = mapping(record.get("labels"))
    state = (name(record.get("state")) or "").lower()
    if state != "firing":
        return Ignored("prometheus alert that is pending or inactive")
    alert = {**record, "startsAt": record.get("activeAt")}
    return _heartbeat(labels) or _prometheus.event(alert, envelope, firing=True, extra={})


def _series_parts(record: Record) -> Iterator[tuple[str, Record]]:
    """Yield the runs of samples of each series: a run ends where the next sample is more than a step away."""
    series = [mapping(item) for item in listing(record.get("result"))]
    step = _step(series)
    for index, item in enumerate(series):
        samples = _samples(item)
        if not samples:
            yield f".result[{index}]", item
            continue
        starts = [0, *(i for i, (a, b) in enumerate(pairwise(samples), 1) if b[0] - a[0] > _SLACK * step)]
        for start, stop in pairwise([*starts, len(samples)]):
            run = [sample for _, sample in samples[start:stop]]
            # One sample only, of an instant query: that it fires is told, not for how long.
            told = {"value": run[0]} if "value" in item else {"values": run, "step_s": step / 1e6}
            yield f".result[{index}].values[{start}]", {"metric": item.get("metric"), **told}


def _samples(series: Record) -> list[tuple[int, Any]]:
    """Return the samples of a series in order of time, each as (microseconds, as it came)."""
    given = listing(series.get("values")) or ([series["value"]] if isinstance(series.get("value"), list) else [])
    return sorted(((moment(sample[0], "values", Envelope()), sample) for sample in given), key=lambda pair: pair[0])


def _step(series: list[Record]) -> int:
    """Return the step of a query in microseconds: all samples of all series lie on its grid."""
    times = [[at for at, _ in _samples(item)] for item in series]
    gaps = {b - a for given in times for a, b in pairwise(given) if b > a}
    common = math.gcd(*gaps)
    # No grid, if the samples are as they were scraped: then the smallest gap.
    return common if common >= 1_000_000 else min(gaps, default=0)


def _read_series(part: Record, envelope: Envelope) -> Event | Ignored:
    """Read one run of samples of ``ALERTS``: fired at the first, over after the last, to within a step."""
    if "result" in part:
        return Ignored("prometheus result without series")
    metric = mapping(part.get("metric"))
    series, state = name(metric.get("__name__")), name(metric.get("alertstate"))
    if series == "ALERTS_FOR_STATE":
        return Ignored("prometheus ALERTS_FOR_STATE (pending or firing; export ALERTS)")
    if series not in ("ALERTS", None) or state is None:
        return Ignored("prometheus series that is no alert")
    if state != "firing":
        return Ignored("prometheus alert that is pending")
    samples = _samples(part)
    if not samples:
        return Ignored("prometheus series without samples")
    labels = _prometheus.identity(metric)
    if (ignored := _heartbeat(labels)) is not None:
        return ignored
    start, end = samples[0][0], samples[-1][0]
    seen_once = "value" in part
    alert = {"labels": labels, "startsAt": start, "endsAt": end}
    read = _prometheus.event(alert, envelope, firing=seen_once, extra={"step_s": part.get("step_s")})
    return {**read, "starts_at": None, "occurrence_key": None} if seen_once else read


def _is_notification(record: Record) -> bool:
    told = ("groupKey", "groupLabels", "commonLabels", "commonAnnotations")
    return isinstance(record.get("alerts"), list) and any(key in record for key in told)


def _is_group(record: Record) -> bool:
    about = (record.get("labels"), record.get("receiver"))
    return isinstance(record.get("alerts"), list) and all(isinstance(value, dict) for value in about)


def _is_alert(record: Record) -> bool:
    return isinstance(record.get("labels"), dict) and "startsAt" in record and "matchers" not in record


def _is_rule_alert(record: Record) -> bool:
    return isinstance(record.get("labels"), dict) and "activeAt" in record and "state" in record


def _is_result(record: Record) -> bool:
    """Return whether a record is the result of a query for ALERTS, or an empty one."""
    result = record.get("result")
    if record.get("resultType") not in ("matrix", "vector") or not isinstance(result, list):
        return False
    metrics = [mapping(mapping(series).get("metric")) for series in result]
    return not result or any(
        metric.get("__name__") in ("ALERTS", "ALERTS_FOR_STATE") or "alertstate" in metric for metric in metrics
    )


def _is_silence(record: Record) -> bool:
    return isinstance(record.get("matchers"), list) and "startsAt" in record


SHAPES = (
    Shape("alertmanager", "notification", _is_notification, _read_notification, _prometheus.parts),
    Shape("alertmanager", "alert group", _is_group, _read_api, _prometheus.parts),
    ignore("alertmanager", "silence", _is_silence),
    Shape("alertmanager", "alert", _is_alert, _read_api),
    Shape("alertmanager", "alert of Prometheus", _is_rule_alert, _read_rule_alert),
    Shape("alertmanager", "query result", _is_result, _read_series, _series_parts),
    ignore(
        "alertmanager", "rule group", lambda r: isinstance(r.get("rules"), list) and "interval" in r and "name" in r
    ),
    ignore("alertmanager", "status", lambda r: "versionInfo" in r and "uptime" in r),
)
PAGES = ("alerts", "groups", "blocks", "result")
