"""AWS CloudWatch alarms: alarm history, EventBridge, SNS; the same state change is one fact in every shape.

What alarms are defined as (`describe-alarms`, configuration changes) is kept as notes: the alarm history knows neither
the ARN nor the dimensions of the alarms it tells of, and gets them from there.

https://docs.aws.amazon.com/AmazonCloudWatch/latest/monitoring/cloudwatch-and-eventbridge.html
"""

from __future__ import annotations

import re

from stanza_lab.loaders import _aws_events, _cloudwatch_definitions
from stanza_lab.loaders._cloudwatch_alarms import (
    about,
    alarm_of,
    arn,
    change,
    first,
    metrics,
    pairs,
    place,
    region_code,
    set_by_hand,
)
from stanza_lab.loaders._records import (
    Envelope,
    Event,
    Ignored,
    Record,
    Shape,
    embedded,
    ignore,
    listing,
    mapping,
    moment,
    name,
    need,
    text,
)

_SUMMARY = re.compile(r"from (?P<old>[A-Z_]+) to (?P<new>[A-Z_]+)$")
_CHANGES = ("CloudWatch Alarm State Change", "CloudWatch Alarm Contributor State Change")
_CONFIGURED = "CloudWatch Alarm Configuration Change"


def _read_history(record: Record, envelope: Envelope) -> Event | Ignored:
    """Read an item of ``describe-alarm-history``, which knows neither ARN nor dimensions."""
    item = name(record.get("HistoryItemType"))
    data = mapping(embedded(record.get("HistoryData")))
    alarm = need(text(record.get("AlarmName")), "AlarmName")
    if item == "ConfigurationUpdate":
        return _cloudwatch_definitions.read_item(alarm, data, record, envelope)
    if item not in ("StateUpdate", "AlarmContributorStateUpdate"):
        return _ITEMS.get(item or "", Ignored("cloudwatch history item of another type"))
    was, now = mapping(data.get("oldState")), mapping(data.get("newState"))
    summary = _SUMMARY.search(text(record.get("HistorySummary")) or "")
    old = name(was.get("stateValue")) or (summary and summary["old"])
    new = name(now.get("stateValue")) or (summary and summary["new"])
    contributor = name(record.get("AlarmContributorId"))
    metric = name(record.get("AlarmType")) in (None, "MetricAlarm") and contributor is None
    return change(
        alarm,
        old=old,
        new=need(new, "state"),
        reason=text(now.get("stateReason")),
        details=mapping(embedded(now.get("stateReasonData"))),
        at=moment(record.get("Timestamp"), "Timestamp", envelope),
        native_id=f"{alarm}|{record.get('Timestamp')}",
        alarm_arn=None,
        contributor=contributor,
        subject=about(
            alarm,
            alarm_arn=None,
            described=[],
            contributor=pairs(record.get("AlarmContributorAttributes")),
            labels={"alarm_type": name(record.get("AlarmType"))},
        ),
        by_hand=metric and set_by_hand(old, new, (_stated(was), _stated(now))),
    )


def _stated(state: Record) -> Record:
    """Return why an alarm is in a state, as {reason, data}; the history calls it stateReason."""
    return {
        "reason": state.get("stateReason", state.get("reason")),
        "data": state.get("stateReasonData", state.get("reasonData")),
    }


def _read_eventbridge(record: Record, envelope: Envelope) -> Event | Ignored:
    """Read an EventBridge state change, or the same inside the payload of a Lambda alarm action."""
    detail = mapping(record.get("alarmData")) or mapping(record.get("detail"))
    state, previous = mapping(detail.get("state")), mapping(detail.get("previousState"))
    old, new = name(previous.get("value")), name(state.get("value"))
    configuration = mapping(detail.get("configuration"))
    alarm, alarm_arn = alarm_of(record, detail)
    series = mapping(detail.get("alarmContributor"))
    time = state.get("timestamp") or record.get("time")  # the envelope's time is exact to the second only
    return change(
        alarm,
        old=old,
        new=need(new, "state"),
        reason=text(state.get("reason")),
        details=mapping(embedded(state.get("reasonData"))),
        at=moment(time, "state.timestamp", envelope),
        native_id=name(record.get("id")) or envelope.delivery_id,
        alarm_arn=alarm_arn,
        contributor=name(series.get("id")),
        subject={
            "description": text(configuration.get("description")),
            **about(
                alarm,
                alarm_arn=alarm_arn,
                described=metrics({"metrics": configuration.get("metrics")}),
                contributor=pairs(series.get("attributes")),
                labels={
                    **place(record),
                    "alarm_rule": text(configuration.get("alarmRule")),
                    "actions_suppressed_by": name(state.get("actionsSuppressedBy")),
                    "muted_by": text(mapping(detail.get("muteDetail")).get("mutedByArn")),
                },
            ),
        },
        by_hand=bool(listing(configuration.get("metrics")))
        and not series
        and set_by_hand(old, new, (_stated(previous), _stated(state))),
    )


def _read_sns(record: Record, envelope: Envelope) -> Event | Ignored:
    """Read the message an alarm publishes to SNS; the older ones have no ARN."""
    trigger = mapping(record.get("Trigger"))
    alarm = need(text(record.get("AlarmName")), "AlarmName")
    account, region = record.get("AWSAccountId"), record.get("Region")
    alarm_arn = text(record.get("AlarmArn")) or arn(alarm, account=account, region=region)
    old, new = name(record.get("OldStateValue")), name(record.get("NewStateValue"))
    reason, data = text(record.get("NewStateReason")), embedded(record.get("NewStateReasonData"))
    described = metrics(trigger)
    contributor = name(record.get("AlarmContributorId"))
    return change(
        alarm,
        old=old,
        new=need(new, "state"),
        reason=reason,
        details=mapping(data),
        at=moment(record.get("StateChangeTime"), "StateChangeTime", envelope),
        native_id=envelope.delivery_id,
        alarm_arn=alarm_arn,
        contributor=contributor,
        subject={
            "description": text(record.get("AlarmDescription")),
            **about(
                alarm,
                alarm_arn=alarm_arn,
                described=described,
                contributor=pairs(record.get("AlarmContributorAttributes")),
                actions=listing(record.get("AlarmActions")),
                labels={
                    "account": name(account),
                    "region": None if alarm_arn else region_code(region),
                    "region_name": name(region),
                    "alarm_rule": text(record.get("AlarmRule")),
                    "actions_suppressed_by": name(record.get("ActionsSuppressedBy")),
                    "after_mute_window": record.get("ActionExecutedAfterMuteWindow") or None,
                },
            ),
        },
        by_hand=first(m["name"] or m["expression"] for m in described) is not None
        and contributor is None
        and set_by_hand(old, new, ({}, {"reason": reason, "data": data})),
    )


def _is_alarm_change(record: Record) -> bool:
    return record.get("detail-type") in _CHANGES or (
        record.get("source") == "aws.cloudwatch" and isinstance(record.get("alarmData"), dict)
    )


def _is_definition(record: Record) -> bool:
    return "AlarmName" in record and any(key in record for key in ("AlarmArn", "EvaluationPeriods", "AlarmRule"))


def _is_text(record: Record) -> bool:
    """Return whether a record is an SNS notification whose message is no JSON: mail text, not an alarm's message."""
    held = record.get("Message")
    return "TopicArn" in record and isinstance(held, str) and not isinstance(embedded(held), (dict, list))


def _is_subscription(record: Record) -> bool:
    return record.get("Type") in ("SubscriptionConfirmation", "UnsubscribeConfirmation") and "TopicArn" in record


_ITEMS = {
    "Action": Ignored("cloudwatch action"),
    "AlarmContributorAction": Ignored("cloudwatch action"),
}
SHAPES = (
    Shape("cloudwatch", "history item", lambda r: "HistoryItemType" in r and "AlarmName" in r, _read_history),
    Shape("cloudwatch", "alarm state change", _is_alarm_change, _read_eventbridge),
    Shape("cloudwatch", "SNS message", lambda r: "AlarmName" in r and "NewStateValue" in r, _read_sns),
    Shape(
        "cloudwatch",
        "configuration change",
        lambda r: r.get("detail-type") == _CONFIGURED,
        _cloudwatch_definitions.read_change,
    ),
    Shape("cloudwatch", "alarm definition", _is_definition, _cloudwatch_definitions.read_definition),
    *_aws_events.SHAPES,
    ignore("cloudwatch", "AWS event", _aws_events.is_aws_event, kind="AWS event that is no alarm"),
    ignore("cloudwatch", "SNS subscription", _is_subscription),
    ignore("cloudwatch", "SNS message of plain text", _is_text),
    ignore("cloudwatch", "control message of a log group", lambda r: r.get("messageType") == "CONTROL_MESSAGE"),
)
PAGES = (
    *("AlarmHistoryItems", "MetricAlarms", "CompositeAlarms", "LogAlarms", "Records"),
    *("Messages", "Body", "logEvents"),  # what SQS returns, and what a log group hands to a subscriber
)
