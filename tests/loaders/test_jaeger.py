from __future__ import annotations

import pytest

from stanza_lab.loaders import jaeger
from stanza_lab.loaders._records import RecordError

SPAN = {"traceID": "3e241b731fcf8797", "spanID": "8098b17b3047cba7", "operationName": "pay", "processID": "p1"}
PROCESSES = {"p1": {"serviceName": "checkout", "tags": []}}


def row(span, **trace):
    """Return the one row of a span of a trace, or its refusal."""
    [(where, raw, row)] = jaeger.spans(
        {"traceID": span.get("traceID"), "processes": PROCESSES, "spans": [span], **trace}
    )
    assert (where, raw) == (".spans[0]", span)
    return row


def tag(key, value):
    return {"key": key, "type": "string", "value": value}


def child_of(span, **more):
    return {"refType": "CHILD_OF", "traceID": "3e241b731fcf8797", "spanID": span, **more}


def test_span_is_read_in_full() -> None:
    tags = [tag("span.kind", "client"), tag("peer.service", "orders-db"), tag("error", "true")]
    times = {"startTime": 1_715_695_331_000_391, "duration": 2_400_123}
    assert row({**SPAN, **times, "tags": tags, "references": [child_of("1")]}) == {
        "trace_id": "3e241b731fcf8797",
        "span_id": "8098b17b3047cba7",
        "parent_span_id": "0000000000000001",
        "service": "checkout",
        "name": "pay",
        "kind": "client",
        "starts_at": 1_715_695_331_000_391,
        "ends_at": 1_715_695_333_400_514,
        "status": "error",
        "peer": "orders-db",
    }


def test_span_as_elasticsearch_stores_it_has_its_process_and_a_map_of_tags() -> None:
    stored = {key: value for key, value in SPAN.items() if key != "processID"} | {
        "startTime": 1_715_695_331_000_391,
        "startTimeMillis": 1_715_695_331_000,
        "duration": 5,
        "tag": {"span@kind": "producer", "messaging@destination@name": "orders-events", "error": False},
        "process": {"serviceName": "checkout", "tag": {"host@name": "pod-1"}},
    }
    assert jaeger.SPAN.matches(stored)
    [(_, _, read)] = jaeger.stored(stored)
    assert (read["service"], read["kind"], read["peer"], read["status"]) == (
        "checkout",
        "producer",
        "orders-events",
        "unset",
    )


@pytest.mark.parametrize(
    ("references", "parent"),
    [
        ([], None),
        (None, None),
        ([child_of("2", refType="FOLLOWS_FROM")], "2"),
        ([child_of("2", refType="FOLLOWS_FROM"), child_of("3")], "3"),
        ([child_of("2", traceID="00000000000000003e241b731fcf8797")], "2"),
        ([child_of("2", traceID="beef")], None),  # a link to another trace
        ([child_of("0")], None),
    ],
)
def test_parent_is_the_span_it_is_a_child_of_else_the_one_it_follows(references, parent) -> None:
    assert row({**SPAN, "references": references})["parent_span_id"] == (parent and parent.zfill(16))


def test_old_spans_name_their_parent_in_a_field() -> None:
    assert row({**SPAN, "parentSpanID": "5"})["parent_span_id"] == "0000000000000005"
    assert row({**SPAN, "parentSpanID": "0"})["parent_span_id"] is None


@pytest.mark.parametrize(
    ("tags", "status"),
    [
        ([tag("error", True)], "error"),
        ([tag("error", "true")], "error"),
        ([tag("error", "false")], "unset"),
        ([tag("error", False), tag("otel.status_code", "OK")], "ok"),
        ([tag("otel.status_code", "ERROR")], "error"),
        (None, "unset"),
        ("odd", "unset"),
    ],
)
def test_status_is_told_by_tags(tags, status) -> None:
    assert row({**SPAN, "tags": tags})["status"] == status


@pytest.mark.parametrize(
    ("span", "expected"),
    [
        ({"processID": "p9"}, {"service": None}),
        ({"process": {"serviceName": "unknown_service:java"}}, {"service": None}),
        ({"tags": [tag("peer.service", "caller")]}, {"kind": None, "peer": None}),
        (
            {"tags": [tag("span.kind", "client"), tag("db.instance", "orders"), tag("db.type", "sql")]},
            {"peer": "orders"},
        ),
        ({"startTime": 1_715_695_331_000_391}, {"ends_at": None}),
        ({"duration": 5}, {"starts_at": None, "ends_at": None}),
    ],
)
def test_what_is_not_known_is_null(span, expected) -> None:
    read = row({**SPAN, **span})
    assert {key: read[key] for key in expected} == expected


@pytest.mark.parametrize(
    ("span", "reason"),
    [
        ({"spanID": None}, "missing_field"),
        ({"traceID": "xyz"}, "malformed"),
        ({"startTime": "soon"}, "bad_time"),
        ({"startTime": 1, "duration": -5}, "bad_time"),
        ({"references": [child_of("zz")]}, "malformed"),
    ],
)
def test_span_that_cannot_be_placed_is_refused(span, reason) -> None:
    refused = row({**SPAN, **span}, traceID=None)
    assert isinstance(refused, RecordError)
    assert refused.reason == reason


def test_entry_that_is_no_object_is_refused() -> None:
    [(_, _, refused)] = jaeger.spans({"traceID": "ab", "spans": ["text"]})
    assert refused.reason == "not_an_object"


@pytest.mark.parametrize(
    "record", [{"traceID": None, "spans": []}, {"traceID": "ab"}, {"traceId": "ab", "spanId": "1"}, {"spans": []}, {}]
)
def test_look_alikes_are_left_alone(record) -> None:
    assert not any(shape.matches(record) for shape in jaeger.SHAPES)
