from __future__ import annotations

import pyarrow as pa
from hypothesis import given
from hypothesis import strategies as st

from stanza_lab.loaders._event_tables import EVENTS, events_table
from stanza_lab.loaders._records import Told

ABOUT = [
    {"rule_key": "7|env:prod", "kind": "fired", "severity": "error", "resources": ["i-1", "i-2"], "labels": '{"a":1}'},
    {"rule_key": "8|", "kind": "resolved", "has_recovery": False, "alertname": "Ausfall äöü", "summary": None},
]
own = st.fixed_dictionaries(
    {
        "event_id": st.text(max_size=3),
        "native_ids": st.lists(st.text(max_size=3), max_size=2),
        "at": st.none() | st.integers(10**15, 2 * 10**15),
        "description": st.none() | st.text(max_size=3),
        "url": st.none() | st.text(max_size=3),
    }
)
events = st.builds(Told, st.sampled_from(ABOUT), own)


def whole(event):
    return event.event() if isinstance(event, Told) else event


@given(st.lists(st.tuples(st.sampled_from(["datadog", "sentry"]), events | events.map(Told.event)), max_size=20))
def test_events_that_share_what_they_say_are_the_same_table_as_whole_ones(told) -> None:
    raws = pa.array([str(row) for row in range(len(told))], pa.string())
    table = events_table(told, raws)
    assert table.schema == EVENTS
    assert table.equals(events_table([(source, whole(event)) for source, event in told], raws))
    assert table["rule_key"].to_pylist() == [whole(event)["rule_key"] for _, event in told]
    assert table["raw"].to_pylist() == raws.to_pylist()


def test_what_an_event_does_not_say_is_null_or_what_most_events_are() -> None:
    [row] = events_table([("x", {"event_id": "1"})], pa.array(["{}"])).to_pylist()
    said = {name: value for name, value in row.items() if value is not None}
    lists = {"native_ids": [], "resources": [], "trace_ids": []}
    assert said == {"source": "x", "event_id": "1", "time_source": "event", "has_recovery": True, "raw": "{}", **lists}
