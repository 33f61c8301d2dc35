from __future__ import annotations

import json
import re

import pandas as pd
import pytest

import stanza_lab as sl
from stanza_lab.simulate.exports import cloudwatch, datadog, otlp, pagerduty, render_exports, responders, sentry

KINDS = ("triggered", "acknowledged", "resolved", "annotated")


@pytest.fixture(scope="module")
def production():
    return sl.simulate_production(services=24, teams=4, days=40, incidents=25)


def rows(text: str) -> list[dict]:
    return [json.loads(line) for line in text.splitlines()]


def test_files_are_named_by_vendor_and_month(production) -> None:
    assert sorted(path for path, _ in render_exports(production)) == [
        "exports/cloudwatch_alarm_history_2026-07.json",
        "exports/cloudwatch_alarm_history_2026-08.json",
        "exports/cloudwatch_alarms.json",
        "exports/cloudwatch_eventbridge_2026-07.ndjson",
        "exports/cloudwatch_eventbridge_2026-08.ndjson",
        "exports/datadog_events_2026-07.ndjson",
        "exports/datadog_events_2026-08.ndjson",
        "exports/pagerduty_webhooks_v3.ndjson",
        "exports/sentry_issue_alerts_2026-07.ndjson",
        "exports/sentry_issue_alerts_2026-08.ndjson",
        "traces/otlp_2026-07-21.json",
        "traces/otlp_2026-07-22.json",
    ]


def test_datadog_pages_are_newest_first_and_linked(production) -> None:
    pages = [page for _, text in datadog.render(production) for page in rows(text)]
    for page in pages:
        times = [event["attributes"]["timestamp"] for event in page["data"]]
        assert times == sorted(times, reverse=True)
        assert ("links" in page) == ("after" in page["meta"]["page"])
        assert len(page["data"]) <= 200
    assert any("links" in page for page in pages)


def test_datadog_recoveries_say_how_long_it_fired(production) -> None:
    inner = [
        event["attributes"]["attributes"]
        for _, text in datadog.render(production)
        for page in rows(text)
        for event in page["data"]
    ]
    recovered = [one for one in inner if one["title"].count("[Recovered on {service:")]
    assert len(recovered) > 50
    assert all(one["duration"] % 60_000_000_000 == 0 and one["duration"] > 0 for one in recovered)
    deploys = [one for one in inner if one["title"].startswith("Deployed ")]
    assert len(deploys) == len(production.deploys)


def test_cloudwatch_tells_one_change_in_two_shapes(production) -> None:
    files = dict(cloudwatch.render(production))
    history = {}
    for path, text in files.items():
        if "history" in path:
            items = json.loads(text)["AlarmHistoryItems"]
            assert [item["Timestamp"] for item in items] == sorted((i["Timestamp"] for i in items), reverse=True)
            history |= {(item["AlarmName"], item["Timestamp"][:-1]): json.loads(item["HistoryData"]) for item in items}
    events = [event for path, text in files.items() if "eventbridge" in path for event in rows(text)]
    assert 0 < len(events) < len(history)
    for event in events:
        state = event["detail"]["state"]
        told = history[event["detail"]["alarmName"], state["timestamp"].removesuffix("+0000")]
        assert told["newState"]["stateValue"] == state["value"]
        assert event["resources"][0].endswith(f":alarm:{event['detail']['alarmName']}")


def test_sentry_names_a_project_and_no_person(production) -> None:
    records = [record for _, text in sentry.render(production) for record in rows(text)]
    aliases = set(production.services["alias"])
    for record in records:
        assert record["data"]["event"]["url"].split("/acme/")[1].split("/")[0] in aliases
        assert "user" not in record["data"]["event"]


def test_a_page_is_triggered_before_it_is_answered_and_resolved(production) -> None:
    events = pagerduty.webhooks(production)
    assert events["at_ms"].is_monotonic_increasing
    events = events[events["event_type"] != "incident.annotated"]
    order = events.groupby("page_id")["event_type"].agg(list)
    assert set(order.map(tuple)) <= {
        ("incident.triggered", "incident.acknowledged", "incident.resolved"),
        ("incident.triggered", "incident.resolved"),
    }
    assert 5 < len(order) < len(production.alerts)


def test_spans_hang_together(production) -> None:
    for _, text in otlp.render(production):
        groups = json.loads(text)["resourceSpans"]
        spans = [span for group in groups for span in group["scopeSpans"][0]["spans"]]
        known = {(span["traceId"], span["spanId"]) for span in spans}
        roots = [span for span in spans if "parentSpanId" not in span]
        assert len(known) == len(spans)
        assert {span["traceId"] for span in roots} == {trace for trace, _ in known}
        assert all((s["traceId"], s["parentSpanId"]) in known for s in spans if "parentSpanId" in s)
        assert all(int(span["endTimeUnixNano"]) > int(span["startTimeUnixNano"]) for span in spans)


def test_no_coverage_no_traces() -> None:
    dark = sl.simulate_production(services=12, teams=3, days=5, incidents=2, trace_coverage=0.0)
    assert list(otlp.render(dark)) == []
    full = sl.simulate_production(services=12, teams=3, days=5, incidents=2, trace_coverage=1.0)
    assert (
        otlp.instrumented(full).sum()
        == full.services["resource"].isna().sum() + (full.services["kind"] == "lambda").sum()
    )


def test_exporting_changes_nothing(production) -> None:
    before = production.alerts.copy(deep=True), production.records.copy(deep=True), production.deploys.copy(deep=True)
    list(render_exports(production))
    for old, new in zip(before, (production.alerts, production.records, production.deploys), strict=True):
        pd.testing.assert_frame_equal(old, new)


def test_nobody_is_real(production) -> None:
    text = "".join(text for _, text in render_exports(production))
    assert "@example" not in text
    assert set(re.findall(r":(\d{12}):", text)) == {"111122223333"}
    assert all(host not in text for host in ("sentry.io", "pagerduty.com", "datadoghq.com"))


def test_each_team_has_a_few_people_who_take_turns_by_the_week(production) -> None:
    staff = responders.staff(production)
    assert staff.groupby("team").size().between(4, 6).all()
    assert staff["id"].is_unique
    pages = pagerduty.webhooks(production)
    given = pages[pages["event_type"] == "incident.triggered"]
    week = (given["at_ms"] - 4 * 86_400_000 - 9 * 3_600_000) // (7 * 86_400_000)  # from Monday, 09:00 UTC
    assert given.groupby([given["team"], week])["assignee"].nunique().eq(1).all()
    assert (staff["team"].to_numpy()[given["assignee"]] == given["team"]).all()


def test_a_person_acknowledges_and_a_machine_or_a_person_resolves(production) -> None:
    events = [row["event"] for _, text in pagerduty.render(production) for row in rows(text)]
    kinds = {kind: [e["agent"] for e in events if e["event_type"] == f"incident.{kind}"] for kind in KINDS}
    assert all(agent["type"] == "user_reference" for agent in kinds["acknowledged"] + kinds["annotated"])
    assert set(kinds["triggered"]) == {None}
    assert None in kinds["resolved"]
    assert any(kinds["resolved"])


def test_a_note_tells_what_was_done_while_the_page_was_open() -> None:
    production = sl.simulate_production(services=24, teams=4, days=60, incidents=60)
    pages = pagerduty.webhooks(production)
    notes = pages[pages["note"].notna()]
    about = notes.dropna(subset="incident_id").merge(production.incidents, on="incident_id")
    assert len(about) > 3
    rolled_back = about["note"].str.contains("olled back")
    assert rolled_back.eq(about["fault_type"].isin(["deploy regression", "bad base image"])).all()
    named = about.dropna(subset="root_service")
    assert all(root in note for root, note in zip(named["root_service"], named["note"], strict=True))
    ended = pages[pages["event_type"] == "incident.resolved"].set_index("page_id")["at_ms"]
    assert (notes["at_ms"].to_numpy() < ended[notes["page_id"]].to_numpy()).all()
