from __future__ import annotations

import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

import stanza_lab as sl
from stanza_lab.errors import ParameterError, SchemaError

ALERTS = pd.DataFrame(
    {
        "alert_id": ["a", "b", "c", "d", "e"],
        "starts_at": ["2026-03-01T14:00Z", "2026-03-01T14:30Z", "2026-03-01T15:00Z", "2026-03-01T16:00Z", None],
        "service": ["orders", "checkout", "search", None, "orders"],
        "team": ["payments", "web", "web", None, None],
    }
)


def written(*rows, **more):
    table = pd.DataFrame(rows, columns=["incident_id", "start", "end"])
    return table.assign(**{side: "2026-03-01T" + table[side] for side in ("start", "end")}, **more)


def said(incidents, alerts=ALERTS, **options):
    labels = sl.labels_from_spans(alerts, incidents=incidents, **options)
    return {row.alert_id: row.incident_id if pd.notna(row.incident_id) else None for row in labels.itertuples()}


def test_a_span_holds_its_start_and_not_its_end():
    assert said(written(("I", "14:00", "15:00"))) == {"a": "I", "b": "I"}
    assert said(written(("I", "14:00", "15:00"), ("J", "15:00", "16:00"))) == {"a": "I", "b": "I", "c": "J"}


def test_a_margin_reaches_further():
    assert said(written(("I", "14:10", "14:50")), margin="11min") == {"a": "I", "b": "I", "c": "I"}


def test_outside_is_unknown_or_none_and_without_time_unknown():
    assert said(written(("I", "14:00", "15:00")), outside="none") == {"a": "I", "b": "I", "c": None, "d": None}


def test_overlapping_spans_leave_it_open():
    both = written(("I", "14:00", "15:00"), ("J", "14:20", "15:30"))
    assert said(both, outside="none") == {"a": "I", "c": "J", "d": None}  # b is in both: not even none


def test_of_overlapping_spans_the_one_that_names_the_service():
    both = written(("I", "14:00", "15:30"), ("J", "14:20", "15:30"), services=[None, "checkout, search"])
    assert said(both) == {"a": "I", "b": "J", "c": "J"}


def test_services_and_team_restrict_and_leave_the_others_unknown():
    span = written(("I", "14:00", "17:00"))
    assert said(span.assign(services="orders;billing"), outside="none") == {"a": "I"}
    assert said(span.assign(services=[["orders"]])) == {"a": "I"}
    assert said(span.assign(team="web")) == {"b": "I", "c": "I"}
    assert said(span.assign(services="orders", team="web")) == {"a": "I", "b": "I", "c": "I"}


def test_the_root_excludes_nothing_without_a_graph():
    span = written(("I", "14:00", "15:30"), root_service="orders")
    edges = pd.DataFrame({"src": ["web", "checkout"], "dst": ["checkout", "orders"]})
    assert said(span) == {"a": "I", "b": "I", "c": "I"}
    assert said(span, edges=edges) == {"a": "I", "b": "I"}
    assert said(span, edges=edges, hops=0) == {"a": "I"}


@pytest.mark.parametrize(
    ("incidents", "message"),
    [
        (written(("I", "14:00", "13:00")), "'I' ends before it starts"),
        (written(("I", "14:00", "15:00"), ("I", "16:00", "17:00")), "'I' is there twice"),
        (written(("I", "14:00", None)), "'I' has no start or no end"),
        (written(("I", "noon", "15:00")), "column 'start'"),
        (written(("I", "14:00", "15:00")).drop(columns="end"), r"columns \['end'\] are missing"),
    ],
)
def test_spans_that_say_nothing(incidents, message):
    with pytest.raises(SchemaError, match=message):
        said(incidents)


def test_parameters_out_of_range():
    span = written(("I", "14:00", "15:00"))
    for options in ({"outside": "noise"}, {"hops": -1}, {"margin": "-1min"}):
        with pytest.raises(ParameterError):
            said(span, **options)
    with pytest.raises(SchemaError, match="column 'service' is missing"):
        said(span.assign(services="orders"), alerts=ALERTS.drop(columns="service"))
    with pytest.raises(SchemaError, match=r"edges: columns \['dst'\]"):
        said(span, edges=pd.DataFrame({"src": ["a"]}))


def test_no_spans_and_no_alerts():
    assert said(written()) == {}
    assert said(written(), outside="none") == dict.fromkeys("abcd")
    assert said(written(("I", "14:00", "15:00")), alerts=ALERTS.iloc[:0]) == {}


minute = st.integers(0, 30)


@given(st.lists(minute, max_size=12), st.lists(st.tuples(minute, minute), max_size=4))
def test_agrees_with_looking_at_every_span(fired, spans):
    begin = pd.Timestamp("2026-03-01", tz="UTC")
    spans = [(min(span), max(span)) for span in spans]
    alerts = pd.DataFrame({"alert_id": [f"a{k}" for k in range(len(fired))]}).assign(
        starts_at=pd.Series([begin + pd.Timedelta(m, "min") for m in fired], dtype="datetime64[us, UTC]")
    )
    incidents = pd.DataFrame({"incident_id": [f"I{k}" for k in range(len(spans))]})
    for k, side in enumerate(("start", "end")):
        incidents[side] = [begin + pd.Timedelta(span[k], "min") for span in spans]
    expected = {}
    for k, at in enumerate(fired):
        holding = [f"I{i}" for i, (start, end) in enumerate(spans) if start <= at < end]
        if len(holding) < 2:
            expected[f"a{k}"] = holding[0] if holding else None
    incidents = incidents.astype({"start": "datetime64[us, UTC]", "end": "datetime64[us, UTC]"})
    assert said(incidents, alerts=alerts, outside="none") == expected
