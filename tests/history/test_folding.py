from __future__ import annotations

import random
from itertools import permutations
from typing import Any

import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from stanza_lab import fold_events, schema
from stanza_lab.errors import ParameterError, SchemaError
from stanza_lab.history.folding import ALERT_COLUMNS, merge_shapes

MINUTE = 60_000_000


def events(*rows: dict[str, Any], **common: Any) -> pd.DataFrame:
    """Build events; `at` in minutes, native id = event id unless said otherwise."""
    base = {"source": "datadog", "rule_key": "1|checkout", "has_recovery": True, "time_source": "event"} | common
    full = [base | {"native_ids": [row["event_id"]]} | row for row in rows]
    times = {name: [r.get(name) for r in full] for name in ("at", "starts_at", "acked_at", "ends_at")}
    for name, values in times.items():
        for row, value in zip(full, values, strict=True):
            row[name] = None if value is None else int(value * MINUTE)
    return schema.build(full, schema.EVENTS)


def fired(event_id: str, at: float | None, **more: Any) -> dict[str, Any]:
    return {"event_id": event_id, "at": at, "kind": "fired", **more}


def resolved(event_id: str, at: float | None, **more: Any) -> dict[str, Any]:
    return {"event_id": event_id, "at": at, "kind": "resolved", **more}


def acknowledged(event_id: str, at: float | None, **more: Any) -> dict[str, Any]:
    return {"event_id": event_id, "at": at, "kind": "acknowledged", **more}


def minutes(times: pd.Series) -> list[float | None]:
    return [None if pd.isna(t) else t.timestamp() / 60 for t in times]


def intervals(frame: pd.DataFrame, **parameters: Any) -> list[tuple[list[str], float | None, float | None]]:
    """Fold; return ids, start and end of each alert."""
    alerts = fold_events(frame, **parameters)
    return list(zip(alerts["event_ids"], minutes(alerts["starts_at"]), minutes(alerts["ends_at"]), strict=True))


def test_result_has_the_columns_and_dtypes_of_alerts() -> None:
    for frame in (events(), events(fired("a", 0), resolved("b", 1))):
        alerts = fold_events(frame)
        assert alerts.columns.tolist() == ALERT_COLUMNS
        whole = schema.check(alerts.assign(incident_id=-1), schema.ALERTS)
        pd.testing.assert_frame_equal(whole[ALERT_COLUMNS], alerts)
        assert alerts.index.tolist() == list(range(len(alerts)))


def test_firing_until_recovered_is_one_alert() -> None:
    assert intervals(events(fired("a", 0), resolved("b", 5))) == [(["a", "b"], 0, 5)]


def test_firing_again_before_recovery_is_a_renotification() -> None:
    frame = events(fired("a", 0), fired("b", 3), {**fired("c", 90), "kind": "renotified"}, resolved("d", 100))
    assert intervals(frame) == [(["a", "b", "c", "d"], 0, 100)]


@pytest.mark.parametrize(("firing", "recovery"), [("a", "b"), ("b", "a")])
def test_fired_and_recovered_at_one_instant_is_a_whole_alert(firing: str, recovery: str) -> None:
    frame = events(fired(firing, 5), resolved(recovery, 5))
    assert intervals(frame) == [([firing, recovery], 5, 5)]
    assert intervals(events(resolved("0", 1), fired(firing, 5), resolved(recovery, 5)))[1:] == [
        ([firing, recovery], 5, 5)
    ]


@pytest.mark.parametrize(("firing", "recovery"), [("a", "b"), ("b", "a")])
def test_recovered_and_fired_at_one_instant_while_open_is_a_new_alert(firing: str, recovery: str) -> None:
    frame = events(fired("0", 0), fired(firing, 5), resolved(recovery, 5), resolved("z", 9))
    assert intervals(frame) == [(["0", recovery], 0, 5), ([firing, "z"], 5, 9)]


def test_renotified_and_recovered_at_one_instant_is_over() -> None:
    frame = events(fired("0", 0), resolved("a", 5), {**fired("b", 5), "kind": "renotified"})
    assert intervals(frame) == [(["0", "b", "a"], 0, 5)]


def test_firing_after_recovery_is_a_new_alert() -> None:
    frame = events(fired("a", 0), resolved("b", 5), fired("c", 6), resolved("d", 7))
    assert intervals(frame) == [(["a", "b"], 0, 5), (["c", "d"], 6, 7)]


def test_never_recovered_has_no_end() -> None:
    assert intervals(events(fired("a", 0))) == [(["a"], 0, None)]


def test_recovery_with_nothing_open_has_no_start() -> None:
    frame = events(resolved("a", 1), fired("b", 2), resolved("c", 3), resolved("d", 4))
    assert intervals(frame) == [(["a"], None, 1), (["b", "c"], 2, 3), (["d"], None, 4)]


def test_rules_and_sources_do_not_mix() -> None:
    frame = events(fired("a", 0), fired("b", 1, rule_key="2"), fired("c", 2, source="sentry"), resolved("d", 3))
    assert intervals(frame) == [(["a", "d"], 0, 3), (["b"], 1, None), (["c"], 2, None)]


def test_first_acknowledgement_counts() -> None:
    alerts = fold_events(events(fired("a", 0), acknowledged("b", 2), acknowledged("c", 3), resolved("d", 9)))
    assert minutes(alerts["acked_at"]) == [2]
    assert alerts["event_ids"].tolist() == [["a", "b", "c", "d"]]


def test_acknowledgement_after_the_recovery_belongs_to_the_alert_before() -> None:
    alerts = fold_events(events(fired("a", 0), resolved("b", 1), acknowledged("c", 2), fired("d", 3)))
    assert alerts["event_ids"].tolist() == [["a", "b", "c"], ["d"]]
    assert minutes(alerts["acked_at"]) == [2, None]


def test_acknowledgement_of_something_never_seen_firing_has_no_start() -> None:
    alerts = fold_events(events(acknowledged("a", 0), resolved("b", 1)))
    assert (minutes(alerts["starts_at"]), minutes(alerts["acked_at"]), minutes(alerts["ends_at"])) == ([None], [0], [1])
    assert intervals(events(acknowledged("a", 0), fired("b", 1))) == [(["b"], 1, None), (["a"], None, None)]


def test_quiet_gap_ends_what_has_no_recovery() -> None:
    frame = events(*(fired(str(at), at) for at in (0, 30, 60, 91)), has_recovery=False)
    assert intervals(frame) == [(["0", "30", "60"], 0, None), (["91"], 91, None)]
    assert intervals(frame, quiet_gap="31min") == [(["0", "30", "60", "91"], 0, None)]


def test_gap_does_not_end_what_has_a_recovery() -> None:
    assert intervals(events(fired("a", 0), fired("b", 10_000))) == [(["a", "b"], 0, None)]


def test_source_without_recoveries_never_gives_an_end() -> None:
    frame = events(fired("a", 0), resolved("b", 5), has_recovery=False)
    assert intervals(frame) == [(["a", "b"], 0, None)]
    assert intervals(events(resolved("b", 5), has_recovery=False)) == []


def test_occurrence_key_decides_the_interval() -> None:
    frame = events(
        fired("a", 0, occurrence_key="x"),
        fired("b", 1, occurrence_key="y"),
        resolved("c", 2, occurrence_key="y"),
        resolved("d", 3, occurrence_key="x"),
    )
    assert intervals(frame) == [(["a", "d"], 0, 3), (["b", "c"], 1, 2)]


def test_occurrence_that_fires_again_is_open() -> None:
    key = {"occurrence_key": "x"}
    assert intervals(events(fired("a", 0, **key), resolved("b", 1, **key), fired("c", 2, **key))) == [
        (["a", "b", "c"], 0, None)
    ]


def test_own_times_of_a_record_count() -> None:
    frame = events(fired("a", 10, starts_at=1, acked_at=2, ends_at=3), fired("b", 11, starts_at=5))
    alerts = fold_events(frame)
    assert intervals(frame) == [(["a"], 1, 3), (["b"], 5, None)]
    assert minutes(alerts["acked_at"]) == [2, None]


def test_later_snapshot_of_an_occurrence_closes_it() -> None:
    first, later = fired("a", 1, starts_at=1), fired("b", 1, starts_at=1, ends_at=4)
    assert intervals(events(first, later)) == [(["a", "b"], 1, 4)]


def test_event_without_time_is_an_alert_without_times() -> None:
    frame = events(fired("a", None, time_source="none"), fired("b", None, time_source="none"), resolved("c", None))
    alerts = fold_events(frame)
    assert sorted(alerts["event_ids"]) == [["a"], ["b"]]
    assert alerts["starts_at"].isna().all()
    assert alerts["time_source"].tolist() == ["none", "none"]


def test_event_without_rule_is_an_alert_of_its_own() -> None:
    frame = events(fired("a", 0, rule_key=None), fired("b", 1, rule_key=None))
    assert intervals(frame) == [(["a"], 0, None), (["b"], 1, None)]


def test_notes_and_changes_are_no_alerts() -> None:
    frame = events({"event_id": "a", "at": 0, "kind": "changed"}, {"event_id": "b", "at": 0, "kind": "note"})
    assert len(fold_events(frame)) == 0


def test_highest_severity_of_the_firing_events_counts() -> None:
    frame = events(
        fired("a", 0, severity="warning", severity_raw="Warn"),
        fired("b", 1, severity="error", severity_raw="Alert"),
        fired("c", 2, severity="info", severity_raw="Info"),
        resolved("d", 3, severity="critical", severity_raw="OK"),
    )
    alerts = fold_events(frame)
    assert alerts["severity"].tolist() == ["error"]
    assert alerts["severity_raw"].tolist() == ["Alert"]


def test_unknown_severity_keeps_its_word() -> None:
    alerts = fold_events(events(fired("a", 0, severity_raw="odd")))
    assert alerts["severity"].isna().all()
    assert alerts["severity_raw"].tolist() == ["odd"]


def test_text_comes_from_the_first_firing_event_that_has_it() -> None:
    frame = events(
        fired("a", 0, resources=["i-1"]),
        fired("b", 1, summary="CPU high", service="checkout", resources=["i-2", "i-1"]),
        resolved("c", 2, summary="CPU fine", team="payments", trace_ids=["t"]),
    )
    [alert] = fold_events(frame).to_dict("records")
    assert (alert["summary"], alert["service"]) == ("CPU high", "checkout")
    assert pd.isna(alert["team"])
    assert (alert["resources"], alert["trace_ids"]) == (["i-1", "i-2"], ["t"])


def test_alert_without_firing_event_takes_the_text_it_has() -> None:
    assert fold_events(events(resolved("a", 0, summary="CPU fine")))["summary"].tolist() == ["CPU fine"]


def shapes() -> tuple[dict[str, Any], dict[str, Any]]:
    told = {"source": "cloudwatch", "alertname": "cpu", "at": 0, "kind": "fired", "event_id": "cpu|0"}
    history = told | {"native_ids": ["cpu|00:00"], "rule_key": "cpu", "raw": "1", "labels": "{}"}
    bridge = told | {"native_ids": ["uuid"], "rule_key": "arn:aws:alarm:cpu", "raw": "2", "service": "checkout"}
    return history, bridge | {"labels": '{"account":"1"}', "resources": ["i-1"]}


def test_two_shapes_of_a_fact_are_one() -> None:
    history, bridge = shapes()
    for frame in (events(history, bridge), events(bridge, history)):
        [fact] = merge_shapes(frame).to_dict("records")
        assert fact["native_ids"] == ["cpu|00:00", "uuid"]
        assert (fact["service"], fact["rule_key"], fact["resources"]) == ("checkout", "arn:aws:alarm:cpu", ["i-1"])
        assert (fact["raw"], fact["labels"]) == ("1", '{"account":"1"}')


def test_second_shape_does_not_change_the_alert_id() -> None:
    history, bridge = shapes()
    ids = {fold_events(events(*rows))["alert_id"].item() for rows in [(history,), (bridge,), (history, bridge)]}
    assert len(ids) == 1


def test_bare_rule_key_takes_the_only_full_one() -> None:
    _, bridge = shapes()
    later = resolved("cpu|5", 5, source="cloudwatch", alertname="cpu", rule_key="cpu")
    alerts = fold_events(events(bridge, later))
    assert alerts["rule_key"].tolist() == ["arn:aws:alarm:cpu"]
    assert minutes(alerts["ends_at"]) == [5]


def test_bare_rule_key_stays_when_two_full_ones_are_known() -> None:
    _, bridge = shapes()
    other = {**bridge, "event_id": "cpu|1", "rule_key": "arn:aws:eu:alarm:cpu"}
    later = resolved("cpu|5", 5, source="cloudwatch", alertname="cpu", rule_key="cpu")
    assert sorted(fold_events(events(bridge, other, later))["rule_key"]) == [
        "arn:aws:alarm:cpu",
        "arn:aws:eu:alarm:cpu",
        "cpu",
    ]


def two_accounts(*, alarm: str = "cpu") -> list[dict[str, Any]]:
    told = {"source": "cloudwatch", "alertname": alarm, "at": 0, "kind": "fired", "event_id": f"{alarm}|0"}
    keys = {"111": f"arn:111:alarm:{alarm}", "222": f"arn:222:alarm:{alarm}", "bare": alarm}
    return [told | {"rule_key": key, "native_ids": [name], "raw": name} for name, key in keys.items()]


@pytest.mark.parametrize("alarm", ["cpu", "a", "arn", "alarm"])
def test_equal_names_and_times_of_two_accounts_are_two_facts(alarm: str) -> None:
    one, other, _ = two_accounts(alarm=alarm)
    over = resolved(f"{alarm}|5", 5, source="cloudwatch", alertname=alarm, rule_key=one["rule_key"])
    for frame in (events(one, other, over), events(over, other, one, one)):
        assert sorted(intervals(frame)) == [(["111", f"{alarm}|5"], 0, 5), (["222"], 0, None)]
        assert merge_shapes(frame)["event_id"].is_unique
        assert fold_events(frame)["alert_id"].is_unique


@pytest.mark.parametrize("order", list(permutations(range(3))))
def test_bare_telling_of_one_of_several_facts_stays_by_itself(order: tuple[int, ...]) -> None:
    rows = two_accounts()
    facts = merge_shapes(events(*(rows[n] for n in order)))
    assert dict(zip(facts["rule_key"], facts["native_ids"].str.join(","), strict=True)) == {
        "arn:111:alarm:cpu": "111",
        "arn:222:alarm:cpu": "222",
        "cpu": "bare",
    }


def test_part_of_an_alarm_keeps_its_part_when_its_key_is_completed() -> None:
    full = fired("a", 0, alertname="cpu", rule_key="arn:alarm:cpu|host1")
    bare = resolved("b", 1, alertname="cpu", rule_key="cpu|host1")
    assert fold_events(events(full, bare))["rule_key"].tolist() == ["arn:alarm:cpu|host1"]


@pytest.mark.parametrize("order", list(permutations(range(3))))
def test_name_of_a_rule_gives_way_to_its_id_when_one_fact_is_told_with_both(order: tuple[int, ...]) -> None:
    named = fired("a", 0, native_ids=["1"], alertname="errors are high", rule_key="errors are high|shop")
    numbered = fired("a", 0, native_ids=["2"], alertname="errors are high", rule_key="7|shop")
    over = resolved("b", 1, alertname="errors are high", rule_key="7|shop")
    rows = [named, numbered, over]
    assert intervals(events(*(rows[n] for n in order))) == [(["1", "2", "b"], 0, 1)]
    unknown = fired("a", 0, native_ids=["0"], alertname="errors are high", rule_key=None)
    assert fold_events(events(unknown, named))["rule_key"].tolist() == ["errors are high|shop"]


def test_group_behind_the_name_is_another_rule() -> None:
    frame = events(fired("a", 0, alertname="cpu", rule_key="cpu|h1"), fired("b", 1, alertname="cpu", rule_key="cpu"))
    assert len(fold_events(frame)) == 2


def test_few_columns_are_enough() -> None:
    frame = events(fired("a", 0), resolved("b", 5))[["source", "event_id", "rule_key", "at", "kind"]]
    alerts = fold_events(frame)
    assert minutes(alerts["ends_at"]) == [5]
    assert alerts["event_ids"].tolist() == [[]]


def test_index_of_the_events_does_not_matter() -> None:
    frame = events(*shapes(), resolved("b", 5))
    same = frame.set_axis([7] * len(frame))
    pd.testing.assert_frame_equal(fold_events(same), fold_events(frame))
    pd.testing.assert_frame_equal(merge_shapes(same), merge_shapes(frame))


def test_argument_is_not_changed() -> None:
    frame = events(*shapes(), resolved("cpu|5", 5, source="cloudwatch", alertname="cpu", rule_key="cpu"))
    before = frame.copy(deep=True)
    fold_events(frame)
    pd.testing.assert_frame_equal(frame, before)


def test_problems_are_named() -> None:
    frame = events(fired("a", 0))
    with pytest.raises(SchemaError, match="'rule_key' is missing"):
        fold_events(frame.drop(columns="rule_key"))
    with pytest.raises(SchemaError, match="'event_id' is null in 1 of 1 rows"):
        fold_events(frame.assign(event_id=None))
    with pytest.raises(SchemaError, match="must be a pandas DataFrame, not list"):
        fold_events([])
    with pytest.raises(ParameterError, match="quiet_gap='soon' is not a duration"):
        fold_events(frame, quiet_gap="soon")


OPTIONAL = {"severity": [None, *schema.SEVERITIES], "service": [None, "a", "b"], "summary": [None, "x", "y"]}


@st.composite
def tables(draw: st.DrawFn) -> pd.DataFrame:
    """Draw events of few rules close in time, told more than once here and there."""
    kinds = st.sampled_from(["fired", "fired", "resolved", "acknowledged", "renotified", "note"])
    rows = []
    for number in range(draw(st.integers(0, 14))):
        row = {
            "event_id": f"e{number}",
            "at": draw(st.none() | st.integers(0, 120) | st.sampled_from([30, 60])),
            "kind": draw(kinds),
            "alertname": draw(st.sampled_from(["cpu", "disk"])),
            **{name: draw(st.sampled_from(values)) for name, values in OPTIONAL.items()},
        }
        row["rule_key"] = draw(st.sampled_from(["", "arn:"])) + row["alertname"]
        row["has_recovery"] = row["alertname"] == "cpu"
        row["occurrence_key"] = draw(st.sampled_from([None, None, None, "o1", "o2"]))
        row["starts_at"] = draw(st.sampled_from([None, None, None, 7, 70]))
        for shape in range(draw(st.sampled_from([1, 1, 2]))):
            told = {name: draw(st.sampled_from(values)) for name, values in OPTIONAL.items()} if shape else {}
            if shape:
                told["rule_key"] = draw(st.sampled_from(["", "arn:", "arn2:"])) + row["alertname"]
            rows.append({**row, **told, "native_ids": [f"n{number}{shape}"], "raw": f"{shape}"})
    return events(*rows)


@given(tables(), st.randoms(use_true_random=False))
@settings(max_examples=30)
def test_order_of_rows_does_not_matter(frame: pd.DataFrame, shuffle: random.Random) -> None:
    order = shuffle.sample(range(len(frame)), len(frame))
    pd.testing.assert_frame_equal(fold_events(frame.iloc[order]), fold_events(frame))


@given(tables())
@settings(max_examples=20)
def test_facts_told_again_change_nothing(frame: pd.DataFrame) -> None:
    alerts = fold_events(frame)
    pd.testing.assert_frame_equal(fold_events(pd.concat([frame, frame])), alerts)
    pd.testing.assert_frame_equal(fold_events(merge_shapes(frame)), alerts)


@given(tables(), st.integers(-(10**6), 10**6))
@settings(max_examples=20)
def test_shift_of_all_times_shifts_the_alerts(frame: pd.DataFrame, by: int) -> None:
    times = ["at", "starts_at", "acked_at", "ends_at"]
    shift = pd.Timedelta(by, unit="s")
    moved = fold_events(frame.assign(**{name: frame[name] + shift for name in times}))
    alerts = fold_events(frame)
    back = moved.assign(**{name: moved[name] - shift for name in times[1:]})
    pd.testing.assert_frame_equal(back, alerts)


@given(tables())
@settings(max_examples=20)
def test_alert_ids_are_unique_and_no_firing_event_is_lost(frame: pd.DataFrame) -> None:
    alerts = fold_events(frame)
    assert alerts["alert_id"].is_unique
    told = alerts["event_ids"].explode().dropna()
    assert told.is_unique
    firing = frame.loc[frame["kind"].isin(["fired", "renotified"]), "native_ids"].explode()
    assert set(firing) <= set(told)


@given(st.lists(st.integers(1, 90), max_size=12))
@settings(max_examples=20)
def test_alternation_gives_an_alert_per_firing(gaps: list[int]) -> None:
    at, rows = 0, []
    for number, gap in enumerate(gaps):
        at += gap
        rows.append((resolved if number % 2 else fired)(f"{number:02d}", at))
    alerts = fold_events(events(*rows))
    assert len(alerts) == (len(gaps) + 1) // 2
    assert alerts["ends_at"].notna().sum() == len(gaps) // 2
