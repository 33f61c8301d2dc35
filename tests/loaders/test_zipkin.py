from __future__ import annotations

import pytest

from stanza_lab.loaders import zipkin
from stanza_lab.loaders._records import RecordError

SPAN = {
    "traceId": "5af7183fb1d4cf5f",
    "id": "352bff9a74ca9ad2",
    "name": "get /api",
    "kind": "SERVER",
    "timestamp": 1_556_604_172_355_737,
    "duration": 1_431,
    "localEndpoint": {"serviceName": "backend", "ipv4": "192.168.99.1", "port": 3306},
}


def row(span):
    [(_, _, row)] = zipkin.spans(span)
    return row


def test_span_is_read_in_full() -> None:
    remote = {"serviceName": "orders-db", "ipv4": "172.19.0.2", "port": 3306}
    more = {"parentId": "6b221d5bc9e6496c", "kind": "CLIENT", "remoteEndpoint": remote, "tags": {"error": "timeout"}}
    assert row({**SPAN, **more}) == {
        "trace_id": "5af7183fb1d4cf5f",
        "span_id": "352bff9a74ca9ad2",
        "parent_span_id": "6b221d5bc9e6496c",
        "service": "backend",
        "name": "get /api",
        "kind": "client",
        "starts_at": 1_556_604_172_355_737,
        "ends_at": 1_556_604_172_357_168,
        "status": "error",
        "peer": "orders-db",
    }


@pytest.mark.parametrize(
    ("span", "expected"),
    [
        ({"kind": None}, {"kind": "internal"}),
        ({"kind": "CONSUMER"}, {"kind": "consumer"}),
        ({"kind": "odd"}, {"kind": None}),
        ({"remoteEndpoint": {"serviceName": "browser"}}, {"peer": None}),  # who called a server is not whom it calls
        (
            {"kind": "PRODUCER", "remoteEndpoint": {"ipv4": "::1"}, "tags": {"messaging.destination.name": "q"}},
            {"peer": "q"},
        ),
        ({"localEndpoint": {"ipv4": "::1"}}, {"service": None}),
        ({"localEndpoint": None}, {"service": None}),
        ({"timestamp": None}, {"starts_at": None, "ends_at": None}),
        ({"duration": None}, {"ends_at": None}),
        ({"tags": {"error": ""}}, {"status": "error"}),
        ({"tags": {"error": "false"}}, {"status": "unset"}),
        ({"tags": {"otel.status_code": "OK"}}, {"status": "ok"}),
        ({"tags": "odd"}, {"status": "unset"}),
    ],
)
def test_fields_that_may_lack_or_vary(span, expected) -> None:
    read = row({**SPAN, **span})
    assert {key: read[key] for key in expected} == expected


@pytest.mark.parametrize(
    ("span", "reason"),
    [({"traceId": "xyz"}, "malformed"), ({"id": "0"}, "missing_field"), ({"timestamp": "soon"}, "bad_time")],
)
def test_span_that_cannot_be_placed_is_refused(span, reason) -> None:
    refused = row({**SPAN, **span})
    assert isinstance(refused, RecordError)
    assert refused.reason == reason


def test_only_spans_of_the_second_version_are_taken() -> None:
    old = {"traceId": "5af7183fb1d4cf5f", "id": "1", "annotations": [], "binaryAnnotations": []}
    assert zipkin.SPAN.matches(SPAN)
    assert not zipkin.SPAN.matches(old)
    assert zipkin.OLD.matches(old)


@pytest.mark.parametrize(
    "record",
    [
        {"traceId": "ab", "id": "7", "level": "error", "message": "x"},
        {"traceId": "ab", "spanId": "7", "kind": 2},
        {"traceId": 5, "id": "7", "kind": "SERVER"},
        {"id": "7", "kind": "SERVER", "annotations": []},
        {},
    ],
)
def test_look_alikes_are_left_alone(record) -> None:
    assert not any(shape.matches(record) for shape in zipkin.SHAPES)
