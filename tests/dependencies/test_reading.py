"""Reading: one row for each node of a usable alert; what cannot be used is counted, what is known is left out."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

from stanza_lab.dependencies.reading import firings_of, read
from stanza_lab.errors import SchemaError

TIMES = ["2026-03-01T10:00Z", "2026-03-01T11:00Z", "2026-03-01T12:00Z"]


def alerts(**columns: object) -> pd.DataFrame:
    return pd.DataFrame({"starts_at": TIMES, "service": ["web", "db", "web"]} | columns)


def nodes(frame: pd.DataFrame, node: str = "service", **how: object) -> list[str]:
    return read(frame, node=node, **({"place": None, "texts": True} | how)).rows["node"].tolist()


def test_one_row_per_alert() -> None:
    reading = read(alerts(alert_id=["x", "y", "z"]), node="service", place=None, texts=False)
    assert reading.rows["node"].tolist() == ["web", "db", "web"]
    assert reading.rows["alert_id"].tolist() == ["x", "y", "z"]
    assert reading.skipped == {"without a time": 0, "without a node": 0}
    assert len(reading.firings()) == 3


@pytest.mark.parametrize("kind", [list, tuple, np.array])
def test_lists_are_a_row_for_each(kind: type) -> None:
    hosts = pd.Series([kind(["a", "b"]), kind(["b", "b"]), kind(["c"])], dtype=object)
    assert nodes(alerts(hosts=hosts), "hosts") == ["a", "b", "b", "c"]


def test_an_alert_of_which_one_name_is_known_is_usable() -> None:
    reading = read(alerts(hosts=[["a", None], [], None]), node="hosts", place=None, texts=False)
    assert reading.rows["node"].tolist() == ["a"]
    assert reading.skipped == {"without a time": 0, "without a node": 2}
    assert reading.alerts["starts_at"].tolist() == [pd.Timestamp(TIMES[0])]


def test_what_cannot_be_used_is_counted_once() -> None:
    frame = alerts(service=[None, None, "web"], starts_at=[None, TIMES[1], TIMES[2]])
    reading = read(frame, node="service", place=None, texts=False)
    assert (reading.skipped, len(reading.rows)) == ({"without a time": 1, "without a node": 1}, 1)


def test_alerts_of_which_none_can_be_used_are_refused() -> None:
    with pytest.raises(
        SchemaError, match=r"none of 3 has both a time and a 'service' \(0 lack the time, 3 the service"
    ):
        nodes(alerts(service=None))


def test_no_alerts_are_no_rows() -> None:
    assert nodes(alerts().iloc[:0]) == []


def test_times_without_a_zone_are_refused() -> None:
    with pytest.raises(SchemaError, match="times have no zone"):
        nodes(alerts(starts_at=pd.to_datetime(TIMES).tz_localize(None)))


def test_times_of_another_zone_are_converted() -> None:
    tokyo = read(
        alerts(starts_at=pd.to_datetime(TIMES).tz_convert("Asia/Tokyo")), node="service", place=None, texts=False
    )
    assert tokyo.rows["starts_at"].tolist() == [pd.Timestamp(time) for time in TIMES]


def test_an_alert_that_is_there_twice_is_one() -> None:
    frame = alerts(alert_id=["x", "y", "x"])
    assert nodes(frame) == ["web", "db"]
    assert nodes(alerts(alert_id=["x", None, None])) == ["web", "db", "web"]


def test_known_alerts_are_left_out_by_id() -> None:
    reading = read(alerts(alert_id=["x", "y", "z"]), node="service", place=None, texts=False)
    new = reading.without(reading.rows.iloc[:2])
    assert new.rows["alert_id"].tolist() == ["z"]
    assert new.alerts["alert_id"].tolist() == ["z"]


def test_known_alerts_without_an_id_are_left_out_by_time_and_node() -> None:
    for frame in (alerts(), alerts(alert_id=None)):
        reading = read(frame, node="service", place=None, texts=False)
        assert reading.without(reading.rows.iloc[:2]).rows["starts_at"].tolist() == [pd.Timestamp(TIMES[2])]


def test_the_same_time_at_another_place_is_another_alert() -> None:
    frame = alerts(starts_at=TIMES[0], service="web", place=["p", "q", "q"])
    reading = read(frame, node="service", place="place", texts=False)
    assert reading.without(reading.rows.iloc[:1]).rows["place"].tolist() == ["q", "q"]


def test_saturation_is_the_things_own_trouble() -> None:
    frame = alerts(summary=["CPU saturation at 99 %", "5xx error rate high", "p99 latency high"])
    assert read(frame, node="service", place=None, texts=True).rows["inner"].tolist() == [True, False, False]
    assert not read(frame, node="service", place=None, texts=False).rows["inner"].any()


def test_places_come_with_ends() -> None:
    frame = alerts(device=["p", None, "q"], ends_at=[TIMES[1], None, TIMES[2]])
    firings = firings_of(read(frame, node="service", place="device", texts=False).rows)
    assert firings.place_names.tolist() == ["p", "q"]
    assert firings.to_frame()["ends_at"].isna().tolist() == [False, False]
    assert firings_of(read(frame, node="service", place=None, texts=False).rows).to_frame().columns.tolist() == [
        "starts_at",
        "node",
    ]


def test_a_missing_column_is_named() -> None:
    with pytest.raises(SchemaError, match="column 'host' is missing"):
        nodes(alerts(), "host")
    with pytest.raises(SchemaError, match="column 'site' is missing"):
        nodes(alerts(), place="site")


def test_the_argument_stays_as_it_was() -> None:
    frame = alerts(hosts=[["a", "b"], [], ["c"]], alert_id=["x", "x", "y"])
    before = frame.copy(deep=True)
    nodes(frame, "hosts")
    pd.testing.assert_frame_equal(frame, before)
