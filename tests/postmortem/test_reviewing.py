from __future__ import annotations

import dataclasses

import pandas as pd
import pytest

import stanza_lab as sl
from stanza_lab.errors import ParameterError, SchemaError, UnknownNameError
from stanza_lab.postmortem import found as tables
from tests.postmortem import scenes
from tests.postmortem.scenes import at


def test_tables_have_the_columns_and_dtypes_that_are_promised(found: sl.Review) -> None:
    for name, columns in (
        ("timeline", tables.TIMELINE),
        ("origins", tables.ORIGINS),
        ("first_movers", tables.FIRST_MOVERS),
        ("spread", tables.SPREAD),
        ("paged", tables.PAGED),
        ("times", tables.TIMES),
        ("questions", tables.QUESTIONS),
    ):
        table = getattr(found, name)
        assert list(table.columns) == list(columns), name
        assert table.dtypes.astype(str).to_dict() == {
            key: str(pd.Series(dtype=kind).dtype) for key, kind in columns.items()
        }
        assert len(table), name
    assert list(found.tables) == [
        "times", "timeline", "origins", "first_movers", "spread", "paged", "look_alikes", "patterns", "questions",
    ]  # fmt: skip


def test_an_incident_that_is_not_there_is_refused_with_its_neighbours() -> None:
    with pytest.raises(UnknownNameError, match=r"incident '8' not found; .*'7'"):
        sl.review(scenes.history(), incident=8)
    with pytest.raises(UnknownNameError, match="incident '-1' not found"):
        sl.review(scenes.history(), incident=-1)


def test_wrong_arguments_are_refused_before_any_work() -> None:
    alerts = scenes.history()
    with pytest.raises(SchemaError, match="production must be a ProductionMap, not DataFrame"):
        sl.review(alerts, incident=7, production=scenes.EDGES)  # type: ignore[arg-type]
    with pytest.raises(SchemaError, match="events: column 'kind' is missing"):
        sl.review(alerts, incident=7, events=scenes.events().drop(columns="kind"))
    with pytest.raises(SchemaError, match="engagements: column 'page' is missing"):
        sl.review(alerts, incident=7, engagements=pd.DataFrame({"at": [], "kind": [], "service": []}))
    with pytest.raises(ParameterError, match="before='soon' is not a duration"):
        sl.review(alerts, incident=7, before="soon")
    with pytest.raises(ParameterError, match="tz='Mars' is no time zone"):
        sl.review(alerts, incident=7, tz="Mars")


def test_an_incident_without_any_time_is_refused() -> None:
    alerts = scenes.history()
    lost = alerts.assign(starts_at=alerts["starts_at"].where(alerts["incident_id"] != 3))
    with pytest.raises(UnknownNameError, match="incident 3: none of its alerts has a time"):
        sl.review(lost, incident=3)


def test_nothing_that_was_passed_is_changed(pinned: None) -> None:
    given = {"alerts": scenes.history(), "events": scenes.events(), "pages": scenes.pages()}
    before = {name: table.copy(deep=True) for name, table in given.items()}
    sl.review(given["alerts"], incident=7, events=given["events"], pages=given["pages"], production=scenes.production())
    for name, table in given.items():
        pd.testing.assert_frame_equal(table, before[name])


def test_the_order_of_rows_does_not_matter(pinned: None, found: sl.Review) -> None:
    again = sl.review(
        scenes.history().iloc[::-1].reset_index(drop=True),
        incident=7,
        production=scenes.production(scenes.history().iloc[::-1].reset_index(drop=True)),
        events=scenes.events().iloc[::-1],
        pages=scenes.pages().iloc[::-1],
    )
    for name in ("timeline", "spread", "paged", "times", "questions"):
        pd.testing.assert_frame_equal(getattr(again, name), getattr(found, name))
    assert again.words == found.words


def test_pages_among_the_alerts_are_pages_and_no_alerts_of_it(pinned: None, found: sl.Review) -> None:
    copies = scenes.pages().assign(incident_id=[7, -1])
    again = sl.review(
        pd.concat([scenes.history(), copies], ignore_index=True),
        incident=7,
        production=scenes.production(),
        events=scenes.events(),
    )
    pd.testing.assert_frame_equal(again.timeline, found.timeline)
    pd.testing.assert_frame_equal(again.paged, found.paged)


def test_without_a_map_nothing_is_said_of_ways_and_that_is_told() -> None:
    made = sl.review(scenes.history(), incident=7)
    assert set(made.spread["state"]) <= {"origin", "alerted"}
    assert made.spread.loc[made.spread["state"] == "alerted", "hops"].isna().all()
    assert any(said.startswith("What depends on what: no map was given") for said in made.unseen)


def test_a_map_of_other_alerts_is_asked_with_these(pinned: None) -> None:
    other = scenes.history().assign(incident_id=1)
    made = sl.review(scenes.history(), incident=7, production=scenes.production(other))
    assert list(made.first_movers["service"]) == ["orders-db"]


def test_one_alert_without_a_service_makes_a_review_too() -> None:
    alone = pd.DataFrame({"starts_at": [at("14:00")], "incident_id": [0]})
    made = sl.review(alone, incident=0)
    assert made.timeline["kind"].tolist() == ["alert"]
    assert made.origins.empty
    assert made.spread.empty
    assert "Not known: no alert of this incident names a service." in made.to_markdown()
    assert repr(made) == "Review(incident 0 of 2026-03-02 14:00 UTC: 1 event, 0 services, 2 questions)"


def test_a_review_never_changes(found: sl.Review) -> None:
    with pytest.raises(dataclasses.FrozenInstanceError):
        found.tz = "Europe/Berlin"  # type: ignore[misc]
    assert repr(found).startswith("Review(incident 7 of 2026-03-02 14:00 UTC: ")


@pytest.mark.parametrize("incident", ["7", 7.5, None, [7], True])
def test_an_incident_is_a_whole_number(incident: object) -> None:
    with pytest.raises(ParameterError, match="must be a whole number"):
        sl.review(scenes.history(), incident=incident)  # type: ignore[arg-type]


def test_times_without_a_zone_are_refused_and_written_ones_are_read(pinned: None) -> None:
    alerts, events = scenes.history(), scenes.events()
    said = pd.DataFrame({"at": [pd.Timestamp("2026-03-02 14:06")], "kind": "said", "page": None, "service": None})
    with pytest.raises(SchemaError, match="events: column 'at': times have no zone"):
        sl.review(alerts, incident=7, events=events.assign(at=events["at"].dt.tz_localize(None)))
    with pytest.raises(SchemaError, match="engagements: column 'at': times have no zone"):
        sl.review(alerts, incident=7, engagements=said)
    made = sl.review(
        alerts,
        incident=7,
        events=events.assign(at=events["at"].astype("str")),
        engagements=pd.DataFrame(columns=said.columns),
    )
    assert made.timeline["kind"].tolist()[0] == "deploy"


def test_a_review_is_of_one_page_where_one_thing_is_said_once(found: sl.Review) -> None:
    said = found.to_markdown()
    for row in found.spread["words"]:
        assert row not in said  # service, time and links stand in columns of their own
    assert "(orders-db - orders - shop: 0.72)" in said


def test_suspects_that_are_next_to_impossible_are_only_counted(pinned: None, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(scenes, "ORIGINS", {"orders-db": 0.9, "orders": 0.005, "shop": 0.004})
    said = sl.review(scenes.history(), incident=7).to_markdown()
    assert "2 suspects less likely left out here" in said
    assert "<0.01" not in said


def test_no_reason_is_left_out(pinned: None, monkeypatch: pytest.MonkeyPatch) -> None:
    reasons = [f"reason {number}" for number in range(9)]
    ranked = scenes.origins().assign(reasons=[reasons] * 3)
    monkeypatch.setattr("stanza_lab.postmortem.origins.rank_origins", lambda *_, **__: ranked)
    assert "; ".join(reasons) in sl.review(scenes.history(), incident=7).to_markdown()
