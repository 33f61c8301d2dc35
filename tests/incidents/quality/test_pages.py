from __future__ import annotations

import json

import pandas as pd
import pytest

import stanza_lab as sl
from stanza_lab.errors import ParameterError, SchemaError

SERVICE = {"id": "PSVC1", "type": "service_reference", "summary": "Checkout"}


def incident(key, at="14:02", **more):
    return {
        "id": key,
        "type": "incident",
        "incident_number": int(key[1:]),
        "title": f"trouble {key}",
        "created_at": f"2026-03-01T{at}:00Z",
        "status": "triggered",
        "incident_key": f"rule-{key}",
        "service": SERVICE,
    } | more


def merged(key, into, at="14:02"):
    reason = {"type": "merge_resolve_reason", "incident": {"id": into, "type": "incident_reference"}}
    end = "2026-03-01T14:40:00Z"
    return incident(key, at, status="resolved", resolved_at=end, last_status_change_at=end, resolve_reason=reason)


def webhook(kind, data, at):
    event = {"id": f"01{kind}{data['id']}", "event_type": f"incident.{kind}", "resource_type": "incident"}
    return {"event": {**event, "occurred_at": f"2026-03-01T{at}:00.000Z", "data": {**data, "status": kind}}}


def page(at="14:02", **more):
    """Return a page in the alerts table."""
    return {
        "alert_id": "page",
        "source": "pagerduty",
        "origin": "datadog",
        "event_ids": ["Q1"],
        "starts_at": f"2026-03-01T{at}Z",
        "rule_key": "PSVC1|7|service:orders",
        "labels": json.dumps({"key": "7|service:orders"}),
        "alertname": "orders: errors high",
        "summary": "orders: errors high",
        "service": "orders",
    } | more


def raised(name="raised", at="14:01", **more):
    return {
        "alert_id": name,
        "source": "datadog",
        "origin": None,
        "event_ids": [name],
        "starts_at": f"2026-03-01T{at}Z",
        "rule_key": "7|service:orders",
        "labels": "{}",
        "alertname": "errors high",
        "summary": "Errors are high",
        "service": "orders",
    } | more


def ingested(tmp_path, records):
    exports = tmp_path / "exports"
    exports.mkdir()
    (exports / "pages.json").write_text("\n".join(map(json.dumps, records)))
    history = sl.History(tmp_path / "history")
    history.ingest(exports)
    return history.alerts(), history.events()


def names(alerts, labels):
    """Return incident -> the rules of its alerts."""
    table = labels.merge(alerts.assign(rule=alerts["alertname"].astype("str")), on="alert_id")
    return {str(key): sorted(rows) for key, rows in table.groupby("incident_id")["rule"]}


def grouped(*rows, **options):
    labels = sl.labels_from_pages(pd.DataFrame(rows), unmerged="incident", **options)
    return labels["alert_id"].tolist()


def test_merges_of_listed_incidents(tmp_path):
    records = [merged("Q1", "Q3"), merged("Q2", "Q3", "14:05"), incident("Q3", "14:06"), incident("Q4", "18:00")]
    alerts, _ = ingested(tmp_path, records)
    labels = sl.labels_from_pages(alerts)
    assert names(alerts, labels) == {"Q3": ["trouble Q1", "trouble Q2", "trouble Q3"]}


def test_merges_in_a_chain_and_into_what_is_not_there(tmp_path):
    records = [merged("Q1", "Q2"), merged("Q2", "Q9", "14:05"), merged("Q3", "Q9", "14:06")]
    alerts, _ = ingested(tmp_path, records)
    assert names(alerts, sl.labels_from_pages(alerts)) == {"Q9": ["trouble Q1", "trouble Q2", "trouble Q3"]}


def test_a_merge_told_by_a_webhook_is_in_the_events_alone(tmp_path):
    told = [webhook("triggered", incident("Q1"), "14:02"), webhook("triggered", incident("Q2"), "14:03")]
    alerts, events = ingested(tmp_path, [*told, webhook("resolved", merged("Q1", "Q2"), "14:40")])
    assert sl.labels_from_pages(alerts).empty
    assert names(alerts, sl.labels_from_pages(alerts, events=events)) == {"Q2": ["trouble Q1", "trouble Q2"]}


def test_alerts_bundled_into_one_incident_are_found_where_they_were_raised(tmp_path):
    def child(number, key):
        at = f"2026-03-01T14:0{number}:00Z"
        return {
            "incident": {"id": "Q1", "type": "incident_reference"},
            "integration": {"type": "events_api_v2_inbound_integration_reference", "summary": "Datadog"},
            "id": f"A{number}",
            "type": "alert",
            "status": "triggered",
            "created_at": at,
            "alert_key": key,
            "service": SERVICE,
        }

    records = [incident("Q1", incident_key=None), child(3, "7|service:orders"), child(4, "9|service:web")]
    pages, events = ingested(tmp_path, records)
    others = pd.DataFrame([raised("one", "14:02"), raised("two", "14:03", rule_key="9|service:web"), raised("three")])
    others = others.assign(starts_at=pd.to_datetime(others["starts_at"], format="ISO8601"))
    others.loc[2, "rule_key"] = "8"
    alerts = pd.concat([pages.astype({"starts_at": "datetime64[us, UTC]"}), others], ignore_index=True)
    labels = sl.labels_from_pages(alerts, events=events)
    assert labels["alert_id"].tolist() == [pages["alert_id"].iloc[0], "one", "two"]
    assert labels["incident_id"].nunique() == 1


def test_a_page_nobody_merged_is_unknown_unless_you_say_otherwise():
    assert sl.labels_from_pages(pd.DataFrame([page(), raised()])).empty
    assert grouped(page(), raised()) == ["page", "raised"]


def test_of_one_rule_the_last_that_fired_before_the_page():
    assert grouped(page(), raised("early", "13:59"), raised("late", "14:01"), raised("after", "14:03")) == [
        "page",
        "late",
    ]


@pytest.mark.parametrize(
    ("found", "more"),
    [
        (True, {"rule_key": "x", "summary": "orders: errors high"}),  # the title is its summary
        (True, {"rule_key": "x"}),  # the title is its service and name
        (True, {"rule_key": "x", "alertname": "7|service:orders", "service": None}),  # the key is its name
        (False, {"rule_key": "x", "service": "search"}),
        (False, {"source": "sentry"}),  # the page says that it comes from elsewhere
        (False, {"starts_at": "2026-03-01T13:50Z"}),
        (False, {"starts_at": None}),
    ],
)
def test_what_makes_a_page_the_copy_of_an_alert(found, more):
    assert (grouped(page(), raised(**more)) == ["page", "raised"]) is found


def test_a_title_that_fits_several_alerts_tells_nothing():
    two = [
        raised(name, at, rule_key=name, summary="orders: errors high") for name, at in (("a", "14:00"), ("b", "14:01"))
    ]
    assert grouped(page(), *two) == ["page"]


def test_a_longer_delay_finds_more():
    assert grouped(page(), raised(at="13:50")) == ["page"]
    assert grouped(page(), raised(at="13:50"), delay="15min") == ["page", "raised"]


def test_labels_that_are_no_json_say_nothing():
    for labels in ("{", "[]", '{"merged_into": 3}', "[" * 100_000, None):
        assert sl.labels_from_pages(pd.DataFrame([page(labels=labels)])).empty


def test_what_is_needed():
    with pytest.raises(SchemaError, match="event_ids"):
        sl.labels_from_pages(pd.DataFrame([page()]).drop(columns="event_ids"))
    with pytest.raises(ParameterError, match="unmerged"):
        grouped(page(), delay="5min") and sl.labels_from_pages(pd.DataFrame([page()]), unmerged="apart")


def test_pages_of_a_simulated_production_belong_where_their_alerts_do(tmp_path):
    production = sl.simulate_production(random_state=3, days=5)
    production.export(tmp_path)
    alerts = sl.read_alerts(tmp_path / "exports")
    labels = sl.labels_from_pages(alerts, unmerged="incident")
    copied = labels.groupby("incident_id")["alert_id"].agg(list)
    truth = sl.read_labels(tmp_path / "truth" / "alert_labels.csv", alerts=alerts).set_index("alert_id")["incident_id"]
    pairs = [(truth.get(ids[0]), truth.get(ids[1])) for ids in copied if len(ids) == 2]
    pages = int((alerts["source"] == "pagerduty").sum())
    assert len(pairs) > 0.9 * pages
    assert sum(a == b or (pd.isna(a) and pd.isna(b)) for a, b in pairs) == len(pairs)
