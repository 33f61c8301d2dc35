"""What CloudWatch alarms are defined as: notes that fill what their history does not tell.

`describe-alarms` lists definitions, EventBridge and the alarm history tell of them when they change.
"""

from __future__ import annotations

from typing import Any

from stanza_lab.loaders import _times
from stanza_lab.loaders._cloudwatch_alarms import about, alarm_of, metrics, place, uncapitalised
from stanza_lab.loaders._records import (
    Envelope,
    Event,
    Ignored,
    Record,
    canonical,
    dated,
    listing,
    mapping,
    moment,
    name,
    need,
    text,
)

_ACTIONS = ("alarmActions", "okActions", "insufficientDataActions")


def read_definition(record: Record, envelope: Envelope) -> Event | Ignored:
    """Read an alarm of ``describe-alarms``: what it is now defined as, whatever state it is in."""
    return _definition(
        need(text(record.get("AlarmName")), "AlarmName"),
        record,
        when=dated(record.get("AlarmConfigurationUpdatedTimestamp"), "AlarmConfigurationUpdatedTimestamp", envelope),
        alarm_arn=text(record.get("AlarmArn")),
        native_id=None,
        said=None,
        kind="cloudwatch alarm definition",
    )


def read_change(record: Record, envelope: Envelope) -> Event | Ignored:
    """Read an EventBridge configuration change, which holds the alarm as it was created, updated or deleted."""
    detail = mapping(record.get("detail"))
    configuration = mapping(detail.get("configuration"))
    alarm, alarm_arn = alarm_of(record, detail)
    operation = name(detail.get("operation")) or "change"
    own = None if operation == "delete" else configuration.get("timestamp")  # of a deleted one: its last update
    return _definition(
        alarm,
        configuration,
        when=dated(own or record.get("time"), "time", envelope),
        alarm_arn=alarm_arn,
        native_id=name(record.get("id")) or envelope.delivery_id,
        said=f"{alarm}: configuration {operation}",
        kind="cloudwatch configuration change",
        labels=place(record),
    )


def read_item(alarm: str, data: Record, record: Record, envelope: Envelope) -> Event | Ignored:
    """Read the alarm inside a ConfigurationUpdate item of the alarm history."""
    holders = (mapping(data.get(key)) for key in ("updatedAlarm", "createdAlarm", "deletedAlarm"))
    held = next((holder for holder in holders if holder), {})
    return _definition(
        alarm,
        held,
        when={"at": moment(record.get("Timestamp"), "Timestamp", envelope)},
        alarm_arn=text(held.get("alarmArn")),
        native_id=f"{alarm}|{record.get('Timestamp')}",
        said=text(record.get("HistorySummary")),
        kind="cloudwatch configuration change",
    )


def _definition(
    alarm: str,
    defined: Record,
    *,
    when: Event,
    alarm_arn: str | None,
    native_id: str | None,
    said: str | None,
    kind: str,
    labels: dict[str, Any] | None = None,
) -> Event | Ignored:
    """Return a definition as a note; one that says nothing an alert could lack is ignored as `kind`."""
    keys = uncapitalised(defined)
    described = metrics(defined)
    rule_text = text(keys.get("alarmRule"))
    description = text(keys.get("alarmDescription")) or text(keys.get("description"))
    if not (alarm_arn or description or rule_text or any(metric["dimensions"] for metric in described)):
        return Ignored(kind)
    actions = [action for key in _ACTIONS for action in listing(keys.get(key))]
    subject = about(
        alarm,
        alarm_arn=alarm_arn,
        described=described,
        labels={**(labels or {}), "alarm_rule": rule_text},
        actions=actions,
    )
    rule = alarm_arn or alarm
    # A definition without a time is the only one of its alarm; the others are one each time they were changed.
    event_id = f"{rule}|definition" if when["at"] is None else f"{alarm}|definition|{_times.iso_ms(when['at'])}"
    return {
        **subject,
        **when,
        "event_id": event_id,
        "native_ids": [native_id or event_id],
        "rule_key": rule,
        "kind": "note",
        "has_recovery": True,
        "summary": said or f"{alarm}: definition",
        "description": description,
        "labels": canonical(subject["labels"]),
    }
