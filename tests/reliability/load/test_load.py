from __future__ import annotations

import pandas as pd
import pytest

import stanza_lab as sl
from stanza_lab.errors import ParameterError, SchemaError

ALERTS = pd.DataFrame(
    {
        "alert_id": ["a", "b", "c"],
        "source": ["datadog", "datadog", "sentry"],
        "rule_key": ["slow|shop", "slow|shop", "err"],
        "alertname": ["High latency", "High latency", "TypeError"],
        "service": "shop",
        "starts_at": ["2026-03-02T09:59Z", "2026-03-03T02:59Z", "2026-03-03T03:00Z"],
        "ends_at": ["2026-03-02T10:29Z", "2026-03-03T03:29Z", None],
        "incident_id": [0, 1, 1],
    }
)
PAGES = pd.DataFrame(
    {
        "alert_id": ["p", "q"],
        "source": "pagerduty",
        "origin": "datadog",
        "event_ids": [["w1", "Q1"], ["w2", "Q2"]],
        "service": "shop",
        "team": "web",
        "starts_at": ["2026-03-02T10:00Z", "2026-03-03T03:00Z"],
        "acked_at": ["2026-03-02T10:02Z", None],
        "ends_at": ["2026-03-02T10:30Z", "2026-03-03T03:30Z"],
        "labels": '{"escalation_policy":"web on call","key":"slow|shop"}',
    }
)
DID = pd.DataFrame(
    {
        "at": ["2026-03-02T10:00Z", "2026-03-02T10:02Z", "2026-03-02T10:30Z", "2026-03-03T03:00Z", "2026-03-03T03:30Z"],
        "kind": ["assigned", "acknowledged", "resolved", "assigned", "resolved"],
        "person": ["person a", "person a", "person a", "person b", None],
        "page": ["Q1", "Q1", "Q1", "Q2", "Q2"],
        "automatic": [None, None, False, None, True],
    }
)


def test_pages_are_those_of_the_alerts_they_copy() -> None:
    load = sl.pager_load(ALERTS, pages=PAGES, engagements=DID)
    assert load.rules[["rule", "count", "pages"]].to_numpy().tolist() == [["High latency", 2, 2], ["TypeError", 1, 0]]
    team = load.teams.iloc[0]
    assert team[["team", "pages", "incidents", "business", "sleep_hours", "nights"]].tolist() == ["web", 2, 2, 1, 1, 1]
    assert team[["people", "auto_resolved", "never_acknowledged"]].tolist() == [2, 0.5, 0.5]
    assert team["engaged_h"] == pytest.approx(28 / 60)
    assert load.shifts["rotation"].unique().tolist() == ["web on call"]
    assert load.people[["person", "interruptions", "acknowledged"]].to_numpy().tolist() == [
        ["person a", 1, 1], ["person b", 1, 0],
    ]  # fmt: skip


def test_pages_may_stand_among_the_alerts() -> None:
    together = pd.concat([ALERTS, PAGES.assign(incident_id=-1)], ignore_index=True)
    apart, mixed = sl.pager_load(ALERTS, pages=PAGES), sl.pager_load(together)
    for name in ("teams", "shifts", "response", "rules", "duplicates"):
        pd.testing.assert_frame_equal(getattr(apart, name), getattr(mixed, name))


def test_pages_alone_are_a_load_too() -> None:
    load = sl.pager_load(PAGES, engagements=DID)
    assert load.teams[["pages", "incidents"]].to_numpy().tolist() == [[2, 2]]
    assert load.rules.empty


def test_pages_without_an_incident_beside_alerts_without_one() -> None:
    # no incident_id at all, as a history has it: every page is an incident of its own
    load = sl.pager_load(ALERTS.drop(columns="incident_id"), pages=PAGES, definition="ours")
    assert load.teams[["pages", "incidents"]].to_numpy().tolist() == [[2, 2]]
    assert load.response["mean_s"].head(2).tolist() == [120.0, 1860.0]  # 30 min and the minute from alert to page


def test_an_incident_of_pages_alone_ends_with_them() -> None:
    load = sl.pager_load(PAGES.assign(incident_id=[0, 1]), definition="ours")
    resolved = load.response[load.response["measure"] == "time to resolve"].iloc[0]
    assert resolved[["mean_s", "n", "n_open"]].tolist() == [1800, 2, 0]


def test_what_nobody_recorded_is_null_and_not_zero() -> None:
    load = sl.pager_load(ALERTS, pages=PAGES.assign(acked_at=None))
    assert load.teams[["never_acknowledged", "engaged_h", "auto_resolved"]].isna().all(axis=None)


def test_the_order_of_rows_does_not_matter_and_nothing_is_changed() -> None:
    before = ALERTS.copy(deep=True), PAGES.copy(deep=True), DID.copy(deep=True)
    first = sl.pager_load(ALERTS, pages=PAGES, engagements=DID, definition="all")
    other = sl.pager_load(ALERTS[::-1], pages=PAGES[::-1], engagements=DID[::-1], definition="all")
    for name in ("teams", "shifts", "people", "interruptions", "response", "rules", "duplicates", "limits"):
        pd.testing.assert_frame_equal(getattr(first, name), getattr(other, name))
    for old, new in zip(before, (ALERTS, PAGES, DID), strict=True):
        pd.testing.assert_frame_equal(old, new)


def test_without_a_pager_grave_alerts_are_pages_and_that_is_said() -> None:
    grave = ALERTS.assign(severity=["critical", "warning", "error"], team="web")
    load = sl.pager_load(grave)
    assert load.known["pages"] == 2
    assert load.rules["pages"].tolist() == [1, 1]
    assert "severity error or worse" in load.definitions["page"]
    assert any("no pager was exported" in said.lower() for said in load.unseen)
    assert any(said.startswith("Nobody is told") for said in load.unseen)
    assert load.people.empty


def test_two_pages_of_one_incident_are_one_incident_that_paged() -> None:
    both = ALERTS.assign(incident_id=0)
    load = sl.pager_load(both, pages=PAGES)
    assert load.teams[["pages", "incidents"]].to_numpy().tolist() == [[2, 1]]
    assert load.stages.set_index("stage").loc["pages to incidents that paged", "compression"] == 0.5


def test_every_figure_names_its_definition_zone_and_number() -> None:
    load = sl.pager_load(ALERTS, pages=PAGES, engagements=DID, tz={"web": "Asia/Tokyo", "wbe": "UTC"})
    said = " ".join(load.words)
    assert (
        "Time to acknowledge (pagerduty): mean 2 min, median 2 min, p90 2 min, n 1, 0 open; not acknowledged: 1" in said
    )
    assert "2 interruptions of 2 people (what rings within 5 min counts once)" in said
    assert "each team's or person's own zone" in said
    assert load.teams[["business", "off_hours"]].to_numpy().tolist() == [[1, 1]]  # 12:00 and 19:00 in Tokyo
    assert any("No page of wbe" in said for said in load.unseen)
    assert {"page", "interruption", "hours", "response, pagerduty", "storm", "flapping"} <= set(load.definitions)


def test_tags_are_of_pages_or_of_alerts() -> None:
    tags = pd.DataFrame({"alert_id": ["p", "q"], "tag": ["issue", "thresholdincorrect"]})
    load = sl.pager_load(ALERTS, pages=PAGES, tags=tags)
    assert load.actions.iloc[0][["alerts", "actionable", "coverage"]].tolist() == [2, 0.5, 1]
    assert any("50% actionable: of 2 alerts 2 are tagged (coverage 100%)" in said for said in load.words)


@pytest.mark.parametrize("rows", [0, 1])
def test_no_or_one_alert_is_a_load_too(rows: int) -> None:
    load = sl.pager_load(ALERTS.head(rows))
    assert len(load.rules) == rows
    assert load._repr_html_()
    sl.plot.pager_load(load.shifts)


def test_alerts_without_a_time_are_counted_and_left_out() -> None:
    load = sl.pager_load(ALERTS.assign(starts_at=[None, *ALERTS["starts_at"][1:]]))
    assert load.known["alerts"] == 2
    assert load.unseen[0] == "1 alert without a time: in no figure."


def test_html_is_escaped_and_small() -> None:
    rude = ALERTS.assign(alertname="<script>alert(1)</script>", service="<b>x")
    load = sl.pager_load(rude, pages=PAGES.assign(team="<i>web"), engagements=DID)
    page = load._repr_html_()
    assert "<script>alert" not in page
    assert "<i>web" not in page
    assert "<b>x" not in page
    assert len(page) < 50_000
    assert repr(load) == "PagerLoad(2 pages, 1 team, 2 rules, 0 storms; .words, .teams, .shifts ...)"


@pytest.mark.parametrize(
    ("wrong", "error", "said"),
    [
        ({"definition": "mine"}, ParameterError, "definition='mine'"),
        ({"shift": "7h"}, ParameterError, "shift='7h'"),
        ({"shift": "1s"}, ParameterError, "an hour or more"),
        ({"storm_bin": "1us"}, ParameterError, "more than 5,000,000 bins"),
        ({"tz": "Mars/Base"}, ParameterError, "no time zone"),
        ({"tz": 3}, ParameterError, "mapping of teams or people"),
        ({"handover": "8"}, ParameterError, "handover='8'"),
        ({"engagements": pd.DataFrame({"at": []})}, SchemaError, "read_engagements"),
        ({"checks": pd.DataFrame({"at": []})}, SchemaError, "rule_key"),
    ],
)
def test_wrong_parameters_are_said(wrong: dict[str, object], error: type[Exception], said: str) -> None:
    with pytest.raises(error, match=said):
        sl.pager_load(ALERTS, **wrong)  # type: ignore[arg-type]


def test_a_simulated_production_is_measured_from_its_export(tmp_path: object) -> None:
    production = sl.simulate_production(services=10, teams=2, days=14, incidents=8)
    production.export(f"{tmp_path}/made")
    history = sl.History(f"{tmp_path}/kept")
    history.ingest(f"{tmp_path}/made/exports")
    events, everything = history.events(), history.alerts()
    pagers = everything["source"] == "pagerduty"
    load = sl.pager_load(everything[~pagers], pages=everything, engagements=sl.read_engagements(events))
    assert load.known["pages"] == int(pagers.sum()) > 10
    assert int(load.rules["pages"].sum()) == int(pagers.sum())  # each copies one alert, and all were found
    assert (load.interruptions["who"].str.fullmatch(r"person [0-9a-f]{6}")).all()
    assert load.teams["people"].between(1, 6).all()
    kinds = load.interruptions["kind"].value_counts()
    assert int(kinds.sum()) == int(load.people["interruptions"].sum()) == len(load.interruptions)


def test_what_people_did_about_other_pages_is_left_out_and_counted() -> None:
    load = sl.pager_load(ALERTS, pages=PAGES.head(1), engagements=DID)
    assert load.people["person"].tolist() == ["person a"]
    assert len(load.interruptions) == 1
    assert any(
        said.startswith("2 things that people did left out: about pages that are not among these")
        for said in load.unseen
    )


def test_without_ids_of_pages_what_people_did_counts_within_the_time_of_the_history() -> None:
    other = DID.assign(page="X" + DID["page"])
    late = pd.concat([other, other.assign(at="2026-05-01T00:00Z", person="person c", kind="assigned")])
    load = sl.pager_load(ALERTS, pages=PAGES, engagements=late)
    assert sorted(load.people["person"]) == ["person a", "person b"]
    assert any(said.startswith("5 things that people did left out") for said in load.unseen)
    assert any(said.startswith("5 things that people did are about pages that are not here") for said in load.unseen)


def test_days_without_any_alert_are_said_for_they_may_be_a_gap() -> None:
    later = pd.concat([ALERTS, ALERTS.tail(1).assign(alert_id="z", starts_at="2026-03-10T03:00Z")])
    said = next(text for text in sl.pager_load(later, pages=PAGES).unseen if "no alert at all" in text.lower())
    assert said.startswith("No alert at all on 6 of 9 days (UTC), for up to 7 d")
    assert "a gap in the export would look the same" in said
    assert not any("no alert at all" in text.lower() for text in sl.pager_load(ALERTS, pages=PAGES).unseen)
