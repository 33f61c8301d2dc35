"""AWS CloudWatch alarms: alarm history, EventBridge, SNS; the same state change is one fact in every shape.

https://docs.aws.amazon.com/AmazonCloudWatch/latest/monitoring/cloudwatch-and-eventbridge.html
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any

from stanza_lab.loaders import _times
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

# Dimensions whose value is a resource (the others qualify a metric: a stage, an operation, a zone).
_RESOURCES = frozenset(
    [
        "InstanceId",
        "VolumeId",
        "AutoScalingGroupName",
        "LoadBalancer",
        "LoadBalancerName",
        "TargetGroup",
        "DBInstanceIdentifier",
        "DBClusterIdentifier",
        "CacheClusterId",
        "ReplicationGroupId",
        "FunctionName",
        "QueueName",
        "TopicName",
        "TableName",
        "StreamName",
        "DeliveryStreamName",
        "ApiName",
        "ApiId",
        "StateMachineArn",
        "Topic",
        "DomainName",
        "FileSystemId",
        "BucketName",
        "NatGatewayId",
        "VpnId",
        "DistributionId",
        "HealthCheckId",
        "PodName",
        "FullPodName",
        "NodeName",
        "host",
    ]
)
_SERVICE = ("ServiceName", "Service", "service")
_SUMMARY = re.compile(r"from (?P<old>[A-Z_]+) to (?P<new>[A-Z_]+)$")
_CREATED = "Unchecked: Initial alarm creation"
_STATES = ("OK", "ALARM", "INSUFFICIENT_DATA")


def _read_history(record: Record, envelope: Envelope) -> Event | Ignored:
    """Read an item of ``describe-alarm-history``, which knows neither ARN nor dimensions."""
    item = name(record.get("HistoryItemType"))
    if item not in ("StateUpdate", "AlarmContributorStateUpdate"):
        return _ITEMS.get(item or "", Ignored("cloudwatch history item of another type"))
    data = mapping(embedded(record.get("HistoryData")))
    old, new = mapping(data.get("oldState")), mapping(data.get("newState"))
    summary = _SUMMARY.search(text(record.get("HistorySummary")) or "")
    alarm = need(text(record.get("AlarmName")), "AlarmName")
    return _change(
        alarm,
        old=name(old.get("stateValue")) or (summary and summary["old"]),
        new=name(new.get("stateValue")) or (summary and summary["new"]),
        reason=text(new.get("stateReason")),
        details=mapping(embedded(new.get("stateReasonData"))),
        at=moment(record.get("Timestamp"), "Timestamp", envelope),
        native_id=f"{alarm}|{record.get('Timestamp')}",
        contributor=name(record.get("AlarmContributorId")),
        dimensions=list(_pairs(record.get("AlarmContributorAttributes"))),
        labels={"alarm_type": name(record.get("AlarmType"))},
    )


def _read_eventbridge(record: Record, envelope: Envelope) -> Event | Ignored:
    """Read an EventBridge state change, or the same inside the payload of a Lambda alarm action."""
    detail = mapping(record.get("alarmData")) or mapping(record.get("detail"))
    state, previous = mapping(detail.get("state")), mapping(detail.get("previousState"))
    configuration = mapping(detail.get("configuration"))
    resources = [text(arn) for arn in listing(record.get("resources"))]
    metrics = [
        mapping(mapping(mapping(metric).get("metricStat")).get("metric"))
        for metric in listing(configuration.get("metrics"))
    ]
    return _change(
        need(text(detail.get("alarmName")), "alarmName"),
        old=name(previous.get("value")),
        new=name(state.get("value")),
        reason=text(state.get("reason")),
        details=mapping(embedded(state.get("reasonData"))),
        at=moment(state.get("timestamp"), "state.timestamp", envelope),
        native_id=name(record.get("id")) or envelope.delivery_id,
        arn=text(record.get("alarmArn")) or next((arn for arn in resources if arn and ":alarm:" in arn), None),
        description=text(configuration.get("description")),
        dimensions=[pair for metric in metrics for pair in _pairs(metric.get("dimensions"))],
        labels={
            "account": name(record.get("account")) or name(record.get("accountId")),
            "region": name(record.get("region")),
            "namespace": _first(metric.get("namespace") for metric in metrics),
            "metric": _first(metric.get("name") for metric in metrics),
            "alarm_rule": text(configuration.get("alarmRule")),
            "actions_suppressed_by": name(state.get("actionsSuppressedBy")),
        },
    )


def _read_sns(record: Record, envelope: Envelope) -> Event | Ignored:
    """Read the message an alarm publishes to SNS."""
    trigger = mapping(record.get("Trigger"))
    stats = (mapping(mapping(metric).get("MetricStat")) for metric in listing(trigger.get("Metrics")))
    metrics = [trigger, *(mapping(stat.get("Metric")) for stat in stats)]
    return _change(
        need(text(record.get("AlarmName")), "AlarmName"),
        old=name(record.get("OldStateValue")),
        new=name(record.get("NewStateValue")),
        reason=text(record.get("NewStateReason")),
        details=mapping(embedded(record.get("NewStateReasonData"))),
        at=moment(record.get("StateChangeTime"), "StateChangeTime", envelope),
        native_id=envelope.delivery_id,
        arn=text(record.get("AlarmArn")),
        description=text(record.get("AlarmDescription")),
        dimensions=[pair for metric in metrics for pair in _pairs(metric.get("Dimensions"))],
        labels={
            "account": name(record.get("AWSAccountId")),
            "region_name": name(record.get("Region")),
            "namespace": _first(metric.get("Namespace") for metric in metrics),
            "metric": _first(metric.get("MetricName") for metric in metrics),
            "alarm_rule": text(record.get("AlarmRule")),
        },
    )


def _change(
    alarm: str,
    *,
    old: str | None,
    new: str | None,
    reason: str | None,
    details: Record,
    at: int,
    native_id: str | None,
    labels: dict[str, Any],
    dimensions: list[tuple[str, str]],
    arn: str | None = None,
    description: str | None = None,
    contributor: str | None = None,
) -> Event | Ignored:
    """Return the event of one state change, the same whatever shape told it."""
    need(new, "state")
    if unknown := [state for state in (old, new) if state not in (*_STATES, None)]:
        message = f"{unknown[0]!r} is no state of an alarm; they are {', '.join(_STATES)}"
        raise RecordError("bad_state", message)
    kind = _kind(old, new, reason)
    if isinstance(kind, Ignored):
        return kind
    rule = arn or alarm
    event_id = "|".join(filter(None, (alarm, contributor, _times.iso_ms(at))))
    keys = {key for key, _ in dimensions}
    _, _, _, region, account, *_ = (arn or "").split(":", 5) + [""] * 5
    named = [value for key, value in dimensions if key in _RESOURCES or value.startswith("arn:")]
    return {
        "event_id": event_id,
        "native_ids": [native_id or event_id],
        "rule_key": rule if contributor is None else f"{rule}|{contributor}",
        "at": at,
        "kind": kind,
        "has_recovery": True,
        "alertname": alarm,
        "summary": reason or f"{alarm} changed from {old or 'an unknown state'} to {new}",
        "description": description,
        # A service of ECS has its name within its cluster only: alone it would merge those of two clusters.
        "service": None if "ClusterName" in keys else _first(v for key, v in dimensions if key in _SERVICE),
        "environment": _first(value for key, value in dimensions if key == "Environment"),
        "resources": list(dict.fromkeys(named or [value for key, value in dimensions if key == "ClusterName"])),
        "labels": canonical(
            {
                "account": name(account),
                "region": name(region),
                **{key: value for key, value in labels.items() if value},
                "alarm_arn": arn,
                "dimensions": dict(reversed(dimensions)),  # of several metrics the first is the one that counts
                "old_state": old,
                "new_state": new,
                "triggering_alarms": [
                    alarm_arn
                    for child in listing(details.get("triggeringAlarms"))
                    if (alarm_arn := text(mapping(child).get("arn")))
                ],
            }
        ),
    }


def _kind(old: str | None, new: str | None, reason: str | None) -> str | Ignored:
    """Return what a change of state is: only entering, repeating and leaving ALARM are events."""
    if new == "ALARM":
        return "renotified" if old == "ALARM" else "fired"
    if reason == _CREATED and old != "ALARM":
        return Ignored("cloudwatch alarm creation")
    if old == "ALARM" or (old is None and new == "OK"):
        return "resolved"
    if old is None:
        return Ignored("cloudwatch change to INSUFFICIENT_DATA, previous state unknown")
    return Ignored("cloudwatch change between OK and INSUFFICIENT_DATA")


def _pairs(dimensions: Any) -> Iterator[tuple[str, str]]:
    """Yield dimensions as (name, value): a map, a list of Name/Value, or a list of name/value."""
    if isinstance(dimensions, dict):
        found = [(key, value) for key, value in dimensions.items()]
    else:
        pairs = [mapping(pair) for pair in listing(dimensions)]
        found = [(pair.get("Name", pair.get("name")), pair.get("Value", pair.get("value"))) for pair in pairs]
    for key, value in found:
        key, value = name(key), name(value)
        if key and value:
            yield key, value


def _first(values: Iterator[Any]) -> str | None:
    return next((found for value in values if (found := name(value))), None)


def _is_alarm_change(record: Record) -> bool:
    return record.get("detail-type") == "CloudWatch Alarm State Change" or (
        record.get("source") == "aws.cloudwatch" and isinstance(record.get("alarmData"), dict)
    )


def _is_aws_event(record: Record) -> bool:
    source = record.get("source")
    return "detail-type" in record and isinstance(source, str) and source.startswith("aws.") and "partner" not in source


_ITEMS = {
    "Action": Ignored("cloudwatch action"),
    "AlarmContributorAction": Ignored("cloudwatch action"),
    "ConfigurationUpdate": Ignored("cloudwatch configuration change"),
}
SHAPES = (
    Shape("cloudwatch", "history item", lambda r: "HistoryItemType" in r and "AlarmName" in r, _read_history),
    Shape("cloudwatch", "alarm state change", _is_alarm_change, _read_eventbridge),
    Shape("cloudwatch", "SNS message", lambda r: "AlarmName" in r and "NewStateValue" in r, _read_sns),
    ignore(
        "cloudwatch", "configuration change", lambda r: r.get("detail-type") == "CloudWatch Alarm Configuration Change"
    ),
    ignore("cloudwatch", "AWS event that is no alarm", _is_aws_event, kind="AWS event that is no alarm"),
    ignore(
        "cloudwatch", "alarm definition", lambda r: "AlarmName" in r and ("AlarmArn" in r or "EvaluationPeriods" in r)
    ),
)
PAGES = ("AlarmHistoryItems", "MetricAlarms", "CompositeAlarms", "LogAlarms", "Records")
