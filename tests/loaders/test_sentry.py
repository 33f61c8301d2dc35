from __future__ import annotations

import json
from collections import Counter

import pandas as pd
import pytest


def alert(**fields):
    """Return the webhook of an issue alert."""
    event = {
        "event_id": "4be2",
        "issue_id": "746",
        "title": "TypeError: x is undefined",
        "level": "error",
        "datetime": "2026-03-01T14:02:11.419000Z",
        "timestamp": 1_772_373_731.42,
        "url": "https://sentry.io/api/0/projects/acme/web/events/4be2/",
        "web_url": "https://sentry.io/organizations/acme/issues/746/events/4be2/",
        "tags": [["environment", "prod"], ["server_name", "web-1"]],
    }
    return {"action": "triggered", "data": {"triggered_rule": "every issue", "event": {**event, **fields}}}


@pytest.mark.shared
def test_real_issue_alert(shared, event) -> None:
    line = (shared / "data/nezha_tt_0129/alerts/sentry_issue_alerts.ndjson").read_text().partition("\n")[0]
    got = event(line)
    title = (
        "[getAllFood][Get the Get Food Request Failed!][foodStoresListResult is null][date: 2021-07-14, tripId: D1345]"
    )
    del got["raw"]
    assert json.loads(got.pop("labels")) == {
        "culprit": "f.s.FoodServiceImpl#302",
        "issue": "7461193516",
        "logger": "f.s.FoodServiceImpl",
        "platform": "java",
        "project": "5997459",
        "rule": "Send a notification for every issue (5 min)",
        "tags": [
            "environment:production",
            "level:error",
            "logger:f.s.FoodServiceImpl",
            "server_name:ts-food-service-f5756978c-k8vqf",
        ],
    }
    assert got == {
        "source": "sentry",
        "event_id": "4be2925a1fae9d1929966a71e3936aef",
        "native_ids": ["4be2925a1fae9d1929966a71e3936aef"],
        "rule_key": "7461193516",
        "at": pd.Timestamp("2023-01-29T08:42:22.419Z"),
        "time_source": "event",
        "kind": "fired",
        "has_recovery": False,
        "alertname": title,
        "severity": "error",
        "severity_raw": "error",
        "summary": title,
        "description": "f.s.FoodServiceImpl#302",
        "url": "https://sentry.io/organizations/acme/issues/7461193516/events/4be2925a1fae9d1929966a71e3936aef/",
        "service": "ts-food-service",
        "environment": "production",
        "resources": ["ts-food-service-f5756978c-k8vqf"],
        "trace_ids": ["ffc8ca7e4c8f06c75142c880d5595d96"],
    }


@pytest.mark.shared
@pytest.mark.parametrize(
    ("name", "event_id", "rule_key", "severity", "environment", "resources"),
    [
        (
            "issue_events_list",
            "9fac2ceed9344f2bbfdd1fdacb0ed9b1",
            "1889724436",
            "critical",
            "production",
            ["web1.example.com"],
        ),
        ("issue_event_detail", "9999aaaaca8b46d797c23c6077c6ff01", "1341191803", "error", "prod", []),
    ],
)
def test_real_events_of_the_api(shared, event, name, event_id, rule_key, severity, environment, resources) -> None:
    got = event((shared / f"formats/samples/sentry/{name}.json").read_bytes())
    assert (got["event_id"], got["rule_key"], got["severity"]) == (event_id, rule_key, severity)
    assert (got["environment"], got["resources"]) == (environment, resources)


@pytest.mark.shared
@pytest.mark.parametrize(
    ("name", "ignored"),
    [
        ("detectors_list", {"sentry monitor definition": 3}),
        ("discover_events_query", {"sentry table row that is no event of an issue": 3}),
        ("synthetic_issue_activities", {"sentry issue activity that names no issue (export the issue)": 1}),
    ],
)
def test_what_is_no_event_is_counted_by_kind(shared, read, name, ignored) -> None:
    batch = read((shared / f"formats/samples/sentry/{name}.json").read_bytes())
    assert (batch.ignored, batch.records) == (Counter(ignored), sum(ignored.values()))


@pytest.mark.shared
def test_old_sdk_samples_without_identity_are_rejected(shared, read) -> None:
    samples = sorted((shared / "formats/samples/sentry").glob("sdk_event_sample_*.json"))
    assert {tuple(read(path.read_bytes()).rejected["reason"]) for path in samples} == {("missing_field",)}


@pytest.mark.parametrize(
    "tags",
    [
        [["environment", "prod"], ["level", "fatal"]],
        [{"key": "environment", "value": "prod"}, {"key": "level", "value": "fatal"}],
        {"environment": "prod", "level": "fatal"},
    ],
)
def test_tags_in_every_encoding(event, tags) -> None:
    got = event(alert(tags=tags, level=None))
    assert (got["environment"], got["severity"], got["severity_raw"]) == ("prod", "critical", "fatal")


def test_issue_and_project_may_stand_in_urls_alone(event) -> None:
    got = event(alert(issue_id=None, issue_url="https://sentry.io/api/0/issues/746/"))
    assert (got["rule_key"], got["service"]) == ("746", "web")


@pytest.mark.parametrize(
    ("fields", "at"),
    [
        ({}, "2026-03-01T14:02:11.419Z"),
        ({"datetime": None}, "2026-03-01T14:02:11.420Z"),
        ({"datetime": None, "timestamp": None, "dateCreated": "2026-03-01T14:02:13Z"}, "2026-03-01T14:02:13Z"),
    ],
)
def test_time_is_that_of_the_event(event, fields, at) -> None:
    assert event(alert(**fields))["at"] == pd.Timestamp(at)


@pytest.mark.parametrize(
    ("fields", "reason"),
    [
        ({"datetime": None, "timestamp": None, "received": 1_772_373_731}, "no_time"),
        ({"datetime": "soon"}, "bad_time"),
        ({"event_id": None}, "missing_field"),
        ({"issue_id": ["746"], "web_url": None}, "missing_field"),
    ],
)
def test_alert_that_cannot_be_placed_is_rejected(read, fields, reason) -> None:
    assert read(alert(**fields)).rejected["reason"].tolist() == [reason]
