from __future__ import annotations

import pytest

from stanza_lab.loaders import otel
from stanza_lab.loaders._records import RecordError

SPAN = {"traceId": "5B8EFFF798038103D269B633813FC60C", "spanId": "EEE19B7EC3C1B174", "name": "pay", "kind": 2}


def attribute(key, value):
    return {"key": key, "value": {"stringValue": value}}


def row(span, service="checkout", scopes="scopeSpans"):
    """Return the one row of a span, or its refusal."""
    resource = {"attributes": [attribute("service.name", service)]} if service else {}
    [(_, _, row)] = otel.spans({"resource": resource, scopes: [{"scope": {}, "spans": [span]}]})
    return row


def test_span_is_read_in_full() -> None:
    times = {"startTimeUnixNano": "1544712660000000000", "endTimeUnixNano": 1_544_712_661_000_000_999}
    assert row({**SPAN, **times, "parentSpanId": "EEE19B7EC3C1B173", "status": {"code": 2}}) == {
        "trace_id": "5b8efff798038103d269b633813fc60c",
        "span_id": "eee19b7ec3c1b174",
        "parent_span_id": "eee19b7ec3c1b173",
        "service": "checkout",
        "name": "pay",
        "kind": "server",
        "starts_at": 1_544_712_660_000_000,
        "ends_at": 1_544_712_661_000_000,
        "status": "error",
        "peer": None,
    }


def test_old_files_name_their_scopes_otherwise() -> None:
    assert row(SPAN, scopes="instrumentationLibrarySpans")["service"] == "checkout"


@pytest.mark.parametrize("service", [None, "", "unknown_service", "unknown_service:java"])
def test_unknown_service_is_null(service) -> None:
    assert row(SPAN, service)["service"] is None


@pytest.mark.parametrize(
    ("kind", "word"),
    [(1, "internal"), ("3", "client"), ("SPAN_KIND_PRODUCER", "producer"), ("CONSUMER", "consumer")]
    + [(odd, None) for odd in (0, 6, -1, None, "x", {}, 1.5)],
)
def test_kind_is_a_number_or_a_name(kind, word) -> None:
    assert row({**SPAN, "kind": kind})["kind"] == word


@pytest.mark.parametrize(
    ("status", "word"),
    [({}, "unset"), (None, "unset"), ({"code": 1}, "ok"), ({"code": "STATUS_CODE_ERROR"}, "error"), ("x", "unset")],
)
def test_status_is_unset_unless_it_is_said(status, word) -> None:
    assert row({**SPAN, "status": status})["status"] == word


@pytest.mark.parametrize("parent", ["", None, "0000000000000000"])
def test_root_has_no_parent(parent) -> None:
    assert row({**SPAN, "parentSpanId": parent})["parent_span_id"] is None


@pytest.mark.parametrize(
    ("kind", "attributes", "peer"),
    [
        (3, [("db.system", "mysql"), ("server.address", "db-1"), ("peer.service", "orders")], "orders"),
        (3, [("db.system", "mysql"), ("db.name", "orders-db")], "orders-db"),
        (3, [("db.system", "mysql")], "mysql"),
        (4, [("messaging.destination.name", "orders-events")], "orders-events"),
        (2, [("peer.service", "orders")], None),
        (3, [], None),
    ],
)
def test_callers_name_whom_they_call(kind, attributes, peer) -> None:
    assert row({**SPAN, "kind": kind, "attributes": [attribute(*pair) for pair in attributes]})["peer"] == peer


@pytest.mark.parametrize(
    ("written", "trace"),
    [
        ("5B8EFFF798038103D269B633813FC60C", "5b8efff798038103d269b633813fc60c"),
        ("0b8efff798038103d269b633813fc60c", "0b8efff798038103d269b633813fc60c"),
        ("b8efff798038103d269b633813fc60c", "0b8efff798038103d269b633813fc60c"),
        ("00000000000000000269b633813fc60c", "0269b633813fc60c"),
        ("0269b633813fc60c", "0269b633813fc60c"),
        ("269b633813fc60c", "0269b633813fc60c"),
        ("W47/95gDgQPSabYzgT/GDA==", "5b8efff798038103d269b633813fc60c"),
    ],
)
def test_one_trace_has_one_id_however_it_is_written(written, trace) -> None:
    assert row({**SPAN, "traceId": written})["trace_id"] == trace


def test_ids_in_base64_are_read() -> None:
    read = row({**SPAN, "spanId": "7uGbfsPBsXQ=", "parentSpanId": "7uGbfsPBsXM="})
    assert (read["span_id"], read["parent_span_id"]) == ("eee19b7ec3c1b174", "eee19b7ec3c1b173")


@pytest.mark.parametrize("absent", [None, "", 0, "0"])
def test_absent_time_is_null(absent) -> None:
    assert row({**SPAN, "startTimeUnixNano": absent})["starts_at"] is None


@pytest.mark.parametrize(
    ("span", "reason"),
    [
        ("text", "not_an_object"),
        ({**SPAN, "traceId": None}, "missing_field"),
        ({**SPAN, "spanId": 7}, "missing_field"),
        ({**SPAN, "traceId": "0" * 32}, "missing_field"),
        ({**SPAN, "traceId": "not hex"}, "malformed"),
        ({**SPAN, "traceId": "a" * 33}, "malformed"),
        ({**SPAN, "startTimeUnixNano": "soon"}, "bad_time"),
        ({**SPAN, "startTimeUnixNano": True}, "bad_time"),
        ({**SPAN, "endTimeUnixNano": -1}, "bad_time"),
        ({**SPAN, "endTimeUnixNano": float("inf")}, "bad_time"),
    ],
)
def test_span_that_cannot_be_placed_is_refused(span, reason) -> None:
    refused = row(span)
    assert isinstance(refused, RecordError)
    assert refused.reason == reason
