from __future__ import annotations

import pandas as pd
import pytest

from stanza_lab.production import ProductionMap
from stanza_lab.production.place import pager

EDGES = pd.DataFrame({"src": ["shop"], "dst": ["orders"], "confidence": [0.9]})


def production(rows: list[dict[str, object]]) -> ProductionMap:
    alerts = pd.DataFrame(rows)
    for name in ("starts_at", "ends_at", "acked_at"):
        if name in alerts:
            alerts[name] = pd.to_datetime(alerts[name], utc=True)
    return ProductionMap(EDGES, alerts)


@pytest.mark.parametrize(
    ("at", "tz", "kind"),
    [
        ("2026-07-01T09:00Z", "UTC", "business"),  # a Wednesday
        ("2026-07-01T08:00Z", "UTC", "business"),
        ("2026-07-01T07:59Z", "UTC", "sleep_hours"),
        ("2026-07-01T18:00Z", "UTC", "off_hours"),
        ("2026-07-01T22:00Z", "UTC", "sleep_hours"),
        ("2026-07-04T12:00Z", "UTC", "off_hours"),  # a Saturday
        ("2026-07-04T23:00Z", "UTC", "sleep_hours"),
        ("2026-07-01T07:00Z", "Europe/Berlin", "business"),
        ("2026-07-01T16:30Z", "Europe/Berlin", "off_hours"),
    ],
)
def test_hours_are_those_of_the_time_zone(at: str, tz: str, kind: str) -> None:
    weeks = pager.load(production([{"service": "shop", "starts_at": at}]), ["shop"], tz=tz)
    assert weeks[["business", "off_hours", "sleep_hours"]].sum().to_dict() == {
        name: int(name == kind) for name in ("business", "off_hours", "sleep_hours")
    }


def test_a_row_per_week_that_the_history_covers() -> None:
    rows = [
        {"service": "orders", "starts_at": "2026-07-01T09:00Z", "incident_id": 0},  # not of shop: the days count
        {"service": "shop", "starts_at": "2026-07-15T09:00Z", "incident_id": 1},
        {"service": "shop", "starts_at": "2026-07-15T23:00Z", "incident_id": 1},
        {"service": "shop", "starts_at": "2026-07-16T09:00Z", "incident_id": -1},
        {"service": "shop", "starts_at": "2026-07-16T10:00Z", "incident_id": -1},
    ]
    weeks = pager.load(production(rows), ["shop"], tz="UTC")
    assert weeks["week"].dt.strftime("%m-%d").tolist() == ["06-29", "07-06", "07-13"]
    assert weeks[["days", "pages", "incidents"]].to_numpy().tolist() == [[5, 0, 0], [7, 0, 0], [4, 4, 3]]
    assert weeks["off_hours_share"].tolist()[2] == 0.25
    assert weeks["off_hours_share"].isna().tolist() == [True, True, False]


def test_hours_sum_up_to_all_pages() -> None:
    times = pd.date_range("2026-07-01", periods=200, freq="97min", tz="UTC")
    weeks = pager.load(production([{"service": "shop", "starts_at": at} for at in times]), ["shop"], tz="Asia/Tokyo")
    assert (weeks[["business", "off_hours", "sleep_hours"]].sum(axis=1) == weeks["pages"]).all()
    assert weeks["pages"].sum() == 200


def test_a_rule_on_a_quarter_of_the_days_is_chronic_whatever_its_service_does_else() -> None:
    nightly = [
        {"service": "shop", "rule_key": "n", "alertname": "Night", "starts_at": f"2026-07-{day:02}T03:00Z"}
        for day in range(1, 17, 4)
    ]
    once = [{"service": "shop", "rule_key": "o", "alertname": "Once", "starts_at": "2026-07-02T12:00Z"}] * 3
    rules = pager.rules(production([*nightly, *once]), ["shop"])
    assert rules[["rule", "count", "days", "chronic"]].to_numpy().tolist() == [
        ["Night", 4, 4, True],
        ["Once", 3, 1, False],
    ]
    assert rules["days_share"].tolist() == [4 / 13, 1 / 13]


def test_what_comes_back_within_a_day_and_what_recovers_alone() -> None:
    rows = [
        {"at": "2026-07-01T00:00Z", "ends_at": "2026-07-01T01:00Z", "acked_at": None},
        {"at": "2026-07-01T20:00Z", "ends_at": "2026-07-01T21:00Z", "acked_at": "2026-07-01T20:05Z"},
        {"at": "2026-07-05T00:00Z", "ends_at": None, "acked_at": None},
    ]
    known = [
        {"service": "shop", "rule_key": "r", "source": "datadog", "starts_at": row.pop("at"), **row}
        for row in map(dict, rows)
    ]
    rule = pager.rules(production(known), ["shop"]).iloc[0]
    assert (rule["refired"], rule["auto_resolved"], rule["open"]) == (0.5, 0.5, 1)


def test_what_cannot_be_known_is_null() -> None:
    rows = [{"service": "shop", "rule_key": "r", "source": "sentry", "starts_at": "2026-07-01T00:00Z"}]
    rule = pager.rules(production(rows), ["shop"]).iloc[0]  # never acknowledged, and its source reports no recovery
    assert rule[["open", "auto_resolved", "refired"]].isna().all()


def test_without_alerts_there_are_no_rows() -> None:
    assert pager.load(ProductionMap(EDGES), ["shop"], tz="UTC").empty
    assert pager.rules(ProductionMap(EDGES), ["shop"]).empty
