from __future__ import annotations

import json

import pytest

from stanza_lab.errors import ParameterError
from stanza_lab.loaders import registry
from stanza_lab.loaders._records import Envelope, RecordError

SNS = {"AlarmName": "cpu", "NewStateValue": "ALARM", "OldStateValue": "OK", "StateChangeTime": "2026-03-01T14:02:11Z"}


def found(value, source="auto") -> list:
    """Return (shape or reason, locator) of everything inside a JSON value."""
    results = registry.unwrap(value, Envelope("$"), registry.shapes_of(source))
    return [(s.reason if isinstance(s, RecordError) else s.name, e.locator) for s, _, e in results]


@pytest.mark.parametrize(
    ("value", "locators"),
    [
        (SNS, ["$"]),
        ([SNS, [SNS]], ["$[0]", "$[1][0]"]),
        ({"data": [SNS, SNS], "meta": {}}, ["$.data[0]", "$.data[1]"]),
        ({"MetricAlarms": [], "CompositeAlarms": []}, []),
        ({"hits": {"hits": [{"_id": "1", "_source": SNS}]}}, ["$.hits.hits[0]._source"]),
        ({"Records": [{"Sns": {"MessageId": "m", "Message": json.dumps(SNS)}}]}, ["$.Records[0].Sns.Message"]),
        ({"received_at": "2026-03-01T14:02:12Z", "payload": {"body": json.dumps([SNS])}}, ["$.payload.body[0]"]),
        ({"events": [{"timestamp": 1, "message": json.dumps(SNS)}]}, ["$.events[0].message"]),
        ([], []),
    ],
)
def test_records_are_found_however_they_are_wrapped(value, locators) -> None:
    assert found(value) == [("SNS message", locator) for locator in locators]


@pytest.mark.parametrize(
    ("value", "reason", "locator"),
    [
        ({}, "unknown_system", "$"),
        ({"foo": 1}, "unknown_system", "$"),
        ({"payload": {"foo": 1}}, "unknown_system", "$.payload"),
        ({"message": "plain text"}, "unknown_system", "$"),
        ({"message": '{"broken'}, "unknown_system", "$"),
        (7, "not_an_object", "$"),
        ({"data": ["text"]}, "not_an_object", "$.data[0]"),
    ],
)
def test_what_no_system_writes_is_one_reason(value, reason, locator) -> None:
    assert found(value) == [(reason, locator)]


@pytest.mark.parametrize(
    ("value", "expected"),
    [
        ({"events": [], "payload": SNS}, [("SNS message", "$.payload")]),
        ({"data": [], "message": json.dumps(SNS)}, [("SNS message", "$.message")]),
        ({"payload": SNS, "body": SNS}, [("SNS message", "$.payload"), ("SNS message", "$.body")]),
        ({"data": [SNS], "event": {"a": 1}}, [("SNS message", "$.data[0]"), ("unknown_system", "$.event")]),
        ({"title": "disk full", "groups": []}, [("unknown_system", "$")]),
        ({"errors": ["Forbidden"], "data": []}, [("unknown_system", "$")]),
        ({"title": "disk full", "hits": {"hits": []}}, [("unknown_system", "$")]),
        ({"data": [], "message": "Forbidden"}, [("unknown_system", "$")]),
        ({"body": "[]"}, [("unknown_system", "$")]),
    ],
)
def test_nothing_beside_a_page_is_lost(value, expected) -> None:
    assert found(value) == expected


@pytest.mark.parametrize(
    "page",
    [
        {"data": []},
        {"data": [], "meta": {"page": {"after": None}}, "links": {"next": "https://..."}, "included": []},
        {"MetricAlarms": [], "CompositeAlarms": [], "NextToken": "abc", "ResponseMetadata": {"RetryAttempts": 0}},
        {"incidents": [], "offset": 0, "limit": 25, "more": False, "total": None},
        {"took": 3, "timed_out": False, "_shards": {}, "hits": {"total": {"value": 0}, "max_score": None, "hits": []}},
        {"ok": True, "events": [], "response_metadata": {"next_cursor": ""}, "has_more": False},
        {"data": [], "errors": None},
    ],
)
def test_empty_page_holds_nothing_but_paging(page) -> None:
    assert found(page) == []


def test_nesting_is_bounded() -> None:
    value = SNS
    for _ in range(40):
        value = {"payload": json.dumps(value)} if len(json.dumps(value)) < 10_000 else {"payload": value}
    [(reason, _)] = found(value)
    assert reason == "too_deep"


@pytest.mark.parametrize(
    ("payload", "delivery_ids"),
    [(SNS, ["d-1"]), ([SNS, SNS], [None, None])],  # the id of a delivery of several records is that of none
)
def test_wrapper_tells_the_delivery(payload, delivery_ids) -> None:
    wrapped = {"received_at": "2026-03-01T14:02:12Z", "headers": {"X-Webhook-Delivery-ID": "d-1"}, "payload": payload}
    results = registry.unwrap(wrapped, Envelope("$"), registry.SHAPES)
    assert [envelope.delivery_id for _, _, envelope in results] == delivery_ids


@pytest.mark.parametrize(
    ("wrapper", "received"),
    [
        ({"headers": {"sentry-hook-timestamp": "1772373731"}}, 1_772_373_731_000_000),
        ({"headers": {"Sentry-Hook-Timestamp": 1772373731}}, 1_772_373_731_000_000),
        ({"headers": {"Sentry-Hook-Timestamp": "soon", "Timestamp": "1772373731"}}, None),
        ({"headers": [["Sentry-Hook-Timestamp", "1772373731"]]}, None),
        # What the receiver wrote itself counts first.
        (
            {"received_at": "2026-03-01T14:02:12Z", "headers": {"Sentry-Hook-Timestamp": "1772373731"}},
            1_772_373_732_000_000,
        ),
        ({"received_at": "-", "headers": {"Sentry-Hook-Timestamp": "1772373731"}}, 1_772_373_731_000_000),
    ],
)
@pytest.mark.parametrize("key", ["payload", "body"])
def test_header_tells_when_the_webhook_was_sent(wrapper, received, key) -> None:
    issue = {"action": "created", "data": {"issue": {}}}
    [(shape, _, envelope)] = registry.unwrap({**wrapper, key: json.dumps(issue)}, Envelope("$"), registry.SHAPES)
    assert (shape.name, envelope.received) == ("issue webhook", received)


def test_source_restricts_the_shapes() -> None:
    assert found(SNS, "cloudwatch") == [("SNS message", "$")]
    assert found(SNS, "datadog") == [("unknown_system", "$")]


def test_unknown_source_names_the_known_ones() -> None:
    with pytest.raises(ParameterError, match=r"source='nagios' is not known; pass one of \['alertmanager', 'auto'"):
        registry.shapes_of("nagios")


@pytest.mark.parametrize(
    ("record", "shape"),
    [
        ({"source": "aws.partner/datadog.com/x", "detail-type": "Datadog Alert Notification"}, None),
        ({"source": "aws.ecs", "detail-type": "ECS Task State Change"}, "change"),
        ({"source": "aws.cloudwatch", "detail-type": "CloudWatch Alarm State Change"}, "alarm state change"),
        ({"AlarmName": "cpu", "HistoryItemType": "Action"}, "history item"),
        ({"AlarmName": "cpu", "AlarmArn": "arn:...", "StateValue": "OK"}, "alarm definition"),
        ({"type": "event", "attributes": {}}, "event"),
        ({"type": "incidents", "attributes": {}}, "incident"),
        ({"type": "alert", "attributes": {}}, None),
        ({"action": "triggered", "data": {"event": {}}}, "issue alert"),
        ({"action": "created", "data": {"issue": {}}}, "issue webhook"),
        ({"action": "opened", "data": {"alert": {}}}, None),
    ],
)
def test_look_alikes_are_told_apart(record, shape) -> None:
    [(got, _, _)] = list(registry.unwrap(record, Envelope("$"), registry.SHAPES))
    assert (None if isinstance(got, RecordError) else got.name) == shape
