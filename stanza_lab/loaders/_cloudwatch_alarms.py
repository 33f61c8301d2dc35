"""What every shape of a CloudWatch alarm has in common: its name, its metrics, and the event of a change of state."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from typing import Any

from stanza_lab.loaders import _times
from stanza_lab.loaders._records import (
    Event,
    Ignored,
    Record,
    RecordError,
    canonical,
    listing,
    mapping,
    name,
    need,
    text,
)

# Dimensions whose value is a resource (the others qualify a metric: a stage, an operation, a zone).
_RESOURCES = frozenset(
    (
        *("InstanceId", "VolumeId", "AutoScalingGroupName", "LoadBalancer", "LoadBalancerName", "TargetGroup"),
        *("DBInstanceIdentifier", "DBClusterIdentifier", "CacheClusterId", "ReplicationGroupId", "FunctionName"),
        *("QueueName", "TopicName", "TableName", "StreamName", "DeliveryStreamName", "ApiName", "ApiId"),
        *("StateMachineArn", "Topic", "DomainName", "FileSystemId", "BucketName", "NatGatewayId", "VpnId"),
        *("DistributionId", "HealthCheckId", "RuleName", "WebACL", "UserPoolId"),
        *("PodName", "FullPodName", "NodeName", "host"),
    )
)
_CLUSTER = ("ClusterName", "Cluster Name")
_SERVICE = ("ServiceName", "Service", "service")
_STATES = ("OK", "ALARM", "INSUFFICIENT_DATA")
_CREATED = "Unchecked: Initial alarm creation"
# How CloudWatch words why a metric alarm changed; set-alarm-state takes any text in its place, and no data beside it.
_WORDED = re.compile(r"threshold|datapoint|insufficient data|unchecked|[Aa]larm rule|transitioned to", re.IGNORECASE)
_WORD = re.compile(r"[^\W\d_]{3}")
_TARGET_TRACKING = "TargetTracking-"
# SNS names the region as the console does: a part of the world, and its place in brackets.
_PLACES = dict(
    pair.split("=")
    for pair in (
        *("virginia=us-east-1", "ohio=us-east-2", "california=us-west-1", "oregon=us-west-2", "cape town=af-south-1"),
        *("hong kong=ap-east-1", "taipei=ap-east-2", "mumbai=ap-south-1", "hyderabad=ap-south-2"),
        *("singapore=ap-southeast-1", "sydney=ap-southeast-2", "jakarta=ap-southeast-3", "melbourne=ap-southeast-4"),
        *("malaysia=ap-southeast-5", "new zealand=ap-southeast-6", "thailand=ap-southeast-7", "tokyo=ap-northeast-1"),
        *("seoul=ap-northeast-2", "osaka=ap-northeast-3", "calgary=ca-west-1", "frankfurt=eu-central-1"),
        *("zurich=eu-central-2", "stockholm=eu-north-1", "milan=eu-south-1", "spain=eu-south-2", "ireland=eu-west-1"),
        *("london=eu-west-2", "paris=eu-west-3", "tel aviv=il-central-1", "uae=me-central-1", "bahrain=me-south-1"),
        *("sao paulo=sa-east-1", "são paulo=sa-east-1", "us-west=us-gov-west-1", "us-east=us-gov-east-1"),
        *("beijing=cn-north-1", "ningxia=cn-northwest-1"),
    )
)
_CENTRAL = {"canada": "ca-central-1", "mexico": "mx-central-1"}
_CODE = re.compile(r"[a-z]{2,4}(?:-[a-z]+)+-\d")
_ACCOUNT = re.compile(r"\d{12}")


def metrics(holder: Record) -> list[Record]:
    """Return the metrics of an alarm as {namespace, name, dimensions, expression}, however its shape spells the keys.

    One metric stands in the alarm itself; several, and those of metric math and anomaly detection, in its `Metrics`.
    """
    holder = uncapitalised(holder)
    found = [holder]
    for metric in listing(holder.get("metrics")):
        inner = uncapitalised(metric)
        stat = uncapitalised(uncapitalised(inner.get("metricStat")).get("metric"))
        found.append({**stat, "expression": inner.get("expression")})
    return [
        {
            "namespace": name(metric.get("namespace")),
            "name": name(metric.get("metricName")) or (name(metric.get("name")) if metric is not holder else None),
            "dimensions": list(pairs(metric.get("dimensions"))),
            "expression": text(metric.get("expression")),
        }
        for metric in found
    ]


def uncapitalised(value: Any) -> Record:
    """Return a JSON object with the first letter of its keys in lower case: AWS writes them either way."""
    return {key[:1].lower() + key[1:]: held for key, held in mapping(value).items()}


def pairs(dimensions: Any) -> Iterator[tuple[str, str]]:
    """Yield dimensions as (name, value): a map, a list of Name/Value, or a list of name/value."""
    if isinstance(dimensions, dict):
        found = list(dimensions.items())
    else:
        listed = [mapping(pair) for pair in listing(dimensions)]
        found = [(pair.get("Name", pair.get("name")), pair.get("Value", pair.get("value"))) for pair in listed]
    for key, value in found:
        key, value = name(key), name(value)
        if key and value:
            yield key, value


def arn(alarm: str, *, account: Any, region: Any) -> str | None:
    """Return the ARN of an alarm whose shape does not write it, from the account and the region it does write."""
    owner, code = name(account), region_code(region)
    if owner is None or code is None or not _ACCOUNT.fullmatch(owner):
        return None
    partition = "aws-cn" if code.startswith("cn-") else "aws-us-gov" if code.startswith("us-gov-") else "aws"
    return f"arn:{partition}:cloudwatch:{code}:{owner}:alarm:{alarm}"


def region_code(region: Any) -> str | None:
    """Return the code of a region, given as such or by its display name; None for one that is not known."""
    shown = name(region)
    if shown is None or _CODE.fullmatch(shown):
        return shown
    world, _, place = shown.lower().replace(" - ", "(").partition("(")
    place = place.strip(" )").removeprefix("n. ").removeprefix("northern ").removesuffix("-local")
    return _CENTRAL.get(world.strip()) if place == "central" else _PLACES.get(place)


def alarm_of(record: Record, detail: Record) -> tuple[str, str | None]:
    """Return the alarm of an EventBridge event and its ARN."""
    alarm = need(text(detail.get("alarmName")), "alarmName")
    resources = (text(resource) for resource in listing(record.get("resources")))
    stated = text(record.get("alarmArn")) or next((r for r in resources if r and ":alarm:" in r), None)
    owner = name(record.get("account")) or record.get("accountId")
    return alarm, stated or arn(alarm, account=owner, region=record.get("region"))


def place(record: Record) -> dict[str, str | None]:
    """Return the account and the region of an EventBridge event, or of a Lambda alarm action."""
    return {
        "account": name(record.get("account")) or name(record.get("accountId")),
        "region": name(record.get("region")),
    }


def about(
    alarm: str,
    *,
    alarm_arn: str | None,
    described: list[Record],
    labels: dict[str, Any],
    actions: Iterable[Any] = (),
    contributor: Iterable[tuple[str, str]] = (),
) -> Event:
    """Return what an alarm is about, from its metrics (`described`) and the attributes of the series that changed."""
    dimensions = [*contributor, *(pair for metric in described for pair in metric["dimensions"])]
    keys = {key for key, _ in dimensions}
    _, _, _, region, account, *_ = (alarm_arn or "").split(":", 5) + [""] * 5
    named = [value for key, value in dimensions if key in _RESOURCES or value.startswith("arn:")]
    scaling = any(isinstance(action, str) and ":scalingPolicy:" in action for action in actions)
    return {
        "alertname": alarm,
        # A service of ECS has its name within its cluster only: alone it would merge those of two clusters.
        "service": None if "ClusterName" in keys else first(v for key, v in dimensions if key in _SERVICE),
        "environment": first(value for key, value in dimensions if key == "Environment"),
        "resources": list(dict.fromkeys(named or [value for key, value in dimensions if key in _CLUSTER])),
        "labels": {
            "account": name(account),
            "region": name(region),
            "namespace": first(metric["namespace"] for metric in described),
            "metric": first(metric["name"] for metric in described),
            "expression": first(metric["expression"] for metric in described),
            **{key: value for key, value in labels.items() if value},
            "alarm_arn": alarm_arn,
            "dimensions": dict(reversed(dimensions)),  # of several metrics the first is the one that counts
            # It scales a service or a group of machines: that is its work, and often no incident.
            "scaling_policy": scaling or alarm.startswith(_TARGET_TRACKING) or None,
        },
    }


def change(
    alarm: str,
    *,
    old: str | None,
    new: str,
    reason: str | None,
    details: Record,
    at: int,
    native_id: str | None,
    alarm_arn: str | None,
    subject: Event,
    contributor: str | None = None,
    by_hand: bool = False,
) -> Event | Ignored:
    """Return the event of one change of state, the same whatever shape told it.

    A state set by hand (a drill) is kept as a note about that moment, not as an alert.
    """
    if unknown := [state for state in (old, new) if state not in (*_STATES, None)]:
        message = f"{unknown[0]!r} is no state of an alarm; they are {', '.join(_STATES)}"
        raise RecordError("bad_state", message)
    kind = _kind(old, new, reason)
    if isinstance(kind, Ignored):
        return kind
    rule = alarm_arn or alarm
    event_id = "|".join(filter(None, (alarm, contributor, _times.iso_ms(at))))
    children = (text(mapping(child).get("arn")) for child in listing(details.get("triggeringAlarms")))
    told = {"old_state": old, "new_state": new, "triggering_alarms": [child for child in children if child]}
    return {
        **subject,
        "event_id": event_id,
        "native_ids": [native_id or event_id],
        "rule_key": rule if contributor is None else f"{rule}|{contributor}",
        "occurrence_key": event_id if by_hand else None,
        "at": at,
        "kind": "note" if by_hand else kind,
        "has_recovery": True,
        "summary": reason or f"{alarm} changed from {old or 'an unknown state'} to {new}",
        "labels": canonical({**subject["labels"], **told}),
    }


def set_by_hand(old: str | None, new: str | None, states: tuple[Record, Record]) -> bool:
    """Return whether a metric alarm was set to ALARM by hand, or leaves an ALARM it was set to by hand.

    `states` are the old and the new one as {reason, data}: what CloudWatch evaluates has its wording or its data.
    """
    was, now = states
    state = now if new == "ALARM" else was if old == "ALARM" else {}
    reason = text(state.get("reason"))
    return bool(reason and not state.get("data") and _WORD.search(reason) and not _WORDED.search(reason))


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


def first(values: Iterable[Any]) -> str | None:
    """Return the first value that is a name."""
    return next((found for value in values if (found := name(value))), None)
