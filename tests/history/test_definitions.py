from __future__ import annotations

import json
from typing import Any

import pandas as pd
import pytest

from stanza_lab import fold_events, schema
from stanza_lab.loaders import read_files

NOTHING = {"service": None, "environment": None, "team": None, "description": None, "url": None}


def events(*rows: dict[str, Any]) -> pd.DataFrame:
    base = {"source": "cloudwatch", "alertname": "cpu", "has_recovery": True, "time_source": "event"}
    return schema.build([base | {"native_ids": [row["event_id"]]} | row for row in rows], schema.EVENTS)


def fired(event_id: str = "f", rule: str = "cpu", **more: Any) -> dict[str, Any]:
    return {"event_id": event_id, "kind": "fired", "rule_key": rule, "at": 60_000_000, **more}


def definition(event_id: str = "d", rule: str = "cpu", at: int | None = 0, **more: Any) -> dict[str, Any]:
    return {"event_id": event_id, "kind": "note", "rule_key": rule, "at": at, **more}


def told(frame: pd.DataFrame) -> dict[str, Any]:
    """Fold events of one alert; return what the alert says that a definition may know."""
    [alert] = fold_events(frame).to_dict("records")
    return {key: None if alert[key] != alert[key] else alert[key] for key in (*NOTHING, "resources", "labels")}


def test_alert_gets_what_it_lacks() -> None:
    known = {"service": "shop", "environment": "prod", "team": "web", "description": "CPU", "url": "https://x.example"}
    frame = events(fired(), definition(**known, resources=["i-1"], labels='{"metric":"CPU"}'))
    assert told(frame) == {**known, "resources": ["i-1"], "labels": '{"metric":"CPU"}'}


def test_alert_keeps_what_it_says_itself() -> None:
    own = {"service": "shop", "description": "own", "resources": ["i-9"], "labels": '{"a":1}'}
    got = told(events(fired(**own), definition(service="x", team="web", resources=["i-1"], labels='{"a":2,"b":3}')))
    assert got == {**NOTHING, **own, "team": "web", "labels": '{"a":1,"b":3}'}


@pytest.mark.parametrize(
    "other",
    [
        definition(rule="disk", service="x", alertname="disk"),
        definition(rule="cpu", service="x", source="datadog"),
        definition(rule="cpu", service="x", occurrence_key="o"),
        {**definition(rule="cpu", service="x"), "kind": "changed"},
        definition(service="x", rule=None),  # type: ignore[arg-type]
    ],
)
def test_alert_without_a_definition_of_its_rule_is_unchanged(other: dict[str, Any]) -> None:
    alone, both = fold_events(events(fired())), fold_events(events(fired(), other))
    pd.testing.assert_frame_equal(alone, both)


def test_key_without_what_stands_before_the_name_is_completed() -> None:
    frame = events(fired(), definition(rule="arn:1:cpu", service="shop"))
    assert fold_events(frame)[["rule_key", "service"]].to_numpy().tolist() == [["arn:1:cpu", "shop"]]


def test_name_with_two_definitions_fills_none() -> None:
    frame = events(fired(), definition("1", "arn:1:cpu", service="a"), definition("2", "arn:2:cpu", service="b"))
    assert fold_events(frame)[["rule_key", "service"]].isna().to_numpy().tolist() == [[False, True]]


@pytest.mark.parametrize(
    ("alert", "rule", "name", "fits"),
    [
        ("arn:1:cpu|6d44", "arn:1:cpu", "cpu", True),  # one series of the alarm
        ("cpu|6d44", "arn:1:cpu", "cpu", True),  # the same, told without ARN
        ("7|host:a,env:b", "7|", "cpu", True),  # a group of a monitor that is defined without one
        ("7|host:a|b", "7", "cpu", True),
        ("7|host:a", "7", "other", False),  # a name may hold '|'
        ("77|host:a", "7", "cpu", False),
        ("7|host:a", "7|host:b", "cpu", False),
    ],
)
def test_definition_holds_for_the_groups_of_its_rule(alert: str, rule: str, name: str, fits: bool) -> None:
    got = told(events(fired(rule=alert), definition(rule=rule, alertname=name, service="shop")))
    assert got["service"] == ("shop" if fits else None)


def test_definition_of_the_group_comes_before_that_of_the_rule() -> None:
    frame = events(
        fired(rule="7|host:a"),
        definition("1", "7", service="rule"),
        definition("2", "7|host:a", service="group"),
    )
    assert told(frame)["service"] == "group"


def test_latest_value_counts_whatever_the_order() -> None:
    frame = events(
        fired(),
        definition("b", at=None, service="undated", url="https://undated.example"),
        definition("c", at=1_000_000, service="old", team="web", resources=["i-1"]),
        definition("d", at=2_000_000, service="new"),
        definition("e", at=2_000_000, service="newer"),
    )
    wanted = {**NOTHING, "service": "newer", "team": "web", "url": "https://undated.example"}
    for seed in range(5):
        assert told(frame.sample(frac=1, random_state=seed)) == {**wanted, "resources": ["i-1"], "labels": None}


def test_result_has_the_dtypes_of_alerts() -> None:
    alerts = fold_events(events(fired(), definition(service="shop", resources=["i-1"])))
    whole = schema.check(alerts.assign(incident_id=-1), schema.ALERTS)
    pd.testing.assert_frame_equal(whole.drop(columns="incident_id"), alerts)


def test_resources_are_no_part_of_the_events() -> None:
    frame = events(fired("1"), {**fired("2", "cpu|x"), "alertname": "cpu"}, definition(resources=["i-1"]))
    alerts = fold_events(frame)
    alerts["resources"][0].append("i-2")
    assert (alerts["resources"][1], frame["resources"][2]) == (["i-1"], ["i-1"])


def test_labels_that_are_no_object_are_kept() -> None:
    for labels in ("[1]", "{broken"):
        assert told(events(fired(labels=labels), definition(labels='{"a":1}')))["labels"] == labels


@pytest.mark.shared
def test_alarm_history_with_definitions_tells_what_eventbridge_tells(shared) -> None:
    def read(*names: str) -> pd.DataFrame:
        paths = [shared / "data/petshop_low/alerts" / name for name in names]
        return fold_events(pd.concat([batch.events for batch in read_files(paths)], ignore_index=True))

    history, alarms = "cloudwatch_alarm_history.json", "cloudwatch_alarms.json"
    told, bus, all_three = (
        read(history, alarms),
        read("cloudwatch_eventbridge.ndjson"),
        read(history, alarms, "cloudwatch_eventbridge.ndjson"),
    )
    columns = ["alert_id", "rule_key", "starts_at", "ends_at", "service", "description"]
    assert len(all_three) == 309
    pd.testing.assert_frame_equal(told[columns], bus[columns])
    pd.testing.assert_frame_equal(all_three[columns], bus[columns])
    assert read(history)["service"].isna().all()
    for one, other in zip(told["labels"], bus["labels"], strict=True):
        assert json.loads(one) == {**json.loads(other), "alarm_type": "MetricAlarm"}
