from __future__ import annotations

import json
from itertools import chain
from typing import Any

import pandas as pd
import pytest

from stanza_lab import History, fold_events, read_alerts, schema
from stanza_lab.history import bursts
from stanza_lab.history.folding import merge_shapes

SECOND = 1_000_000
MINUTE = 60 * SECOND


def lines(minute: float, count: int, rule: str = "checkout|no route to <ip>", **more: Any) -> list[dict[str, Any]]:
    """Return `count` log lines of one rule, a second apart."""
    service, _, template = rule.partition("|")
    return [
        {
            "source": "logs",
            "event_id": f"{rule}@{minute}+{i}",
            "native_ids": [f"{minute}+{i}"],
            "occurrence_key": f"{rule}@{minute}+{i}",
            "rule_key": rule,
            "alertname": template,
            "service": service,
            "severity": "error",
            "at": int(minute * MINUTE) + i * SECOND,
            "time_source": "event",
            "kind": "note",
            "has_recovery": False,
            **more,
        }
        for i in range(count)
    ]


def alerts(*rows: list[dict[str, Any]], **options: Any) -> pd.DataFrame:
    return fold_events(schema.build(chain(*rows), schema.EVENTS), **options)


def starts(frame: pd.DataFrame) -> list[float]:
    return [at.timestamp() / 60 for at in frame["starts_at"]]


def test_five_lines_in_a_minute_are_an_alert_and_four_are_none() -> None:
    found = alerts(lines(10, 5))
    assert starts(found) == [10]
    assert found["event_ids"].tolist() == [["10+0", "10+1", "10+2", "10+3", "10+4"]]
    assert found["ends_at"].isna().all()
    assert found[["source", "service", "alertname", "severity"]].to_numpy().tolist() == [
        ["logs", "checkout", "no route to <ip>", "error"]
    ]
    assert json.loads(found["labels"][0]) == {"lines": 5, "minutes": 1, "peak_per_minute": 5}
    assert alerts(lines(10, 4)).empty


def test_lines_are_counted_by_the_minute_of_the_clock() -> None:
    assert alerts(lines(10 + 57 / 60, 6)).empty  # three before the full minute, three after


def test_what_is_always_there_is_no_burst_until_it_is_three_times_as_much() -> None:
    always = [lines(minute, 6) for minute in range(120)]
    assert alerts(*always).empty
    assert starts(alerts(*always, lines(60.5, 11))) == []  # 17 in a minute, the mean is 6.1
    assert starts(alerts(*always, lines(60.5, 13))) == [60]  # 19 in a minute


def test_mean_of_what_is_new_is_taken_over_an_hour() -> None:
    assert starts(alerts(*(lines(minute, 6) for minute in range(20)))) == [0]  # 120 lines: 2 a minute
    assert alerts(*(lines(minute, 6) for minute in range(21))).empty


def test_minutes_close_together_are_one_alert_and_a_quiet_gap_parts_them() -> None:
    burst = [lines(0, 5), lines(5, 5), lines(36, 5)]
    assert starts(alerts(*burst)) == [0, 36]
    assert alerts(*burst)["event_ids"].map(len).tolist() == [10, 5]
    assert starts(alerts(*burst, quiet_gap="31min")) == [0]
    # The gap is that between the last line before and the first one after.
    assert starts(alerts(lines(0, 5), lines(30 + 3 / 60, 5))) == [0]
    assert starts(alerts(lines(0, 5), lines(30 + 5 / 60, 5))) == [0, 30 + 5 / 60]


def test_lines_outside_of_bursts_belong_to_no_alert() -> None:
    assert alerts(lines(0, 5), lines(1, 2), lines(2, 5))["event_ids"].map(len).tolist() == [10]


def test_rules_burst_by_themselves() -> None:
    found = alerts(lines(0, 5), lines(0, 4, "orders|no route to <ip>"), lines(1, 5, "checkout|out of memory"))
    assert found["rule_key"].tolist() == ["checkout|no route to <ip>", "checkout|out of memory"]


def test_alert_has_the_worst_severity_and_what_all_lines_know() -> None:
    rows = lines(0, 5, severity_raw="ERROR", labels='{"logger":"db","span_id":"ab"}')
    rows[1] |= {"resources": ["pod-2"], "trace_ids": ["t2", "t1"], "environment": "production"}
    rows[3] |= {"resources": ["pod-1", "pod-2"], "trace_ids": ["t1"], "severity": "critical", "severity_raw": "FATAL"}
    [found] = alerts(rows).to_dict("records")
    assert found["severity"] == "critical"
    assert found["severity_raw"] == "FATAL"
    assert found["environment"] == "production"
    assert found["resources"] == ["pod-2", "pod-1"]
    assert found["trace_ids"] == ["t2", "t1"]
    assert json.loads(found["labels"]) == {"logger": "db", "lines": 5, "minutes": 1, "peak_per_minute": 5}


def test_of_many_lines_the_first_thousand_are_named() -> None:
    rows = [row | {"at": row["at"] // 1_000} for row in lines(0, 1_200)]
    [found] = alerts(rows).to_dict("records")
    assert found["event_ids"] == [f"0+{i}" for i in range(1_000)]
    assert json.loads(found["labels"])["lines"] == 1_200


def test_order_split_and_repetition_change_nothing() -> None:
    rows = list(
        chain(*(lines(m, 4 if m % 45 else 20) for m in range(0, 200, 3)), lines(80, 30, "orders|gone"), lines(91, 9))
    )
    whole = schema.build(rows, schema.EVENTS)
    expected = fold_events(whole)
    assert len(expected) > 2
    for seed in range(3):
        shuffled = pd.concat([whole.sample(frac=1, random_state=seed), whole.head(40)], ignore_index=True)
        pd.testing.assert_frame_equal(fold_events(shuffled), expected)


def test_other_notes_and_lines_without_a_time_are_left_alone() -> None:
    assert alerts(lines(0, 9, source="cloudwatch")).empty
    assert alerts([row | {"at": None} for row in lines(0, 9)]).empty


def test_without_logs_the_facts_come_back_as_they_are() -> None:
    facts = merge_shapes(schema.build(lines(0, 9, source="datadog", kind="fired"), schema.EVENTS))
    assert bursts.add_bursts(facts, pd.Timedelta("30min")) is facts


@pytest.mark.parametrize(
    ("parameters", "minutes"),
    [({}, [0]), ({"burst_lines": 6}, []), ({"least_span": pd.Timedelta(0)}, []), ({"times_the_mean": 61}, [])],
)
def test_rule_of_bursts_can_be_set(parameters, minutes) -> None:
    facts = merge_shapes(schema.build(lines(0, 5), schema.EVENTS))
    found = bursts.add_bursts(facts, pd.Timedelta("30min"), **parameters)
    assert starts(found[found["kind"] == "fired"]) == minutes
    assert len(found) == 5 + len(minutes)


def test_history_and_reading_agree_and_a_second_ingest_adds_nothing(tmp_path) -> None:
    line = {"level": "error", "service": "checkout", "message": "no route to 10.0.0.1"}
    written = [line | {"time": f"2026-03-01T14:02:{s:02d}Z"} for s in range(7)]
    for name, part in (("a.jsonl", written[::2]), ("b.jsonl", written[1::2])):
        (tmp_path / name).write_text("\n".join(map(json.dumps, part)))
    history = History(tmp_path / "history")
    report = history.ingest([tmp_path / "a.jsonl", tmp_path / "b.jsonl"])
    assert (report.records, report.events) == (7, 7)
    again = history.ingest(tmp_path / "b.jsonl")
    assert (again.records, again.duplicates, again.events) == (3, 3, 0)
    found = history.alerts()
    pd.testing.assert_frame_equal(found, read_alerts([tmp_path / "a.jsonl", tmp_path / "b.jsonl"]))
    assert found[["service", "alertname"]].to_numpy().tolist() == [["checkout", "no route to <ip>"]]
    assert len(found["event_ids"][0]) == 7
