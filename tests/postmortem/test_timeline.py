from __future__ import annotations

import pandas as pd
import pytest

import stanza_lab as sl
from stanza_lab.postmortem.timeline import folded
from tests.postmortem import scenes
from tests.postmortem.scenes import at


def test_everything_stands_in_order(found: sl.Review) -> None:
    line = found.timeline
    assert line["at"].is_monotonic_increasing
    told = [(f"{row['at']:%H:%M}", row["kind"], row["service"]) for row in line.to_dict("records")]
    assert told == [
        ("13:50", "deploy", "orders-db"),
        ("14:00", "alert", "orders-db"),
        ("14:02", "alert", "orders"),
        ("14:03", "alert", "shop"),
        ("14:03", "page", "orders"),
        ("14:04", "alert", "shop"),
        ("14:05", "page", "shop"),
        ("14:05", "acknowledged", "orders"),
        ("14:12", "action", "orders"),
        ("14:20", "recovery", "shop"),
        ("14:25", "recovery", "orders"),
        ("14:30", "recovery", "orders-db"),
    ]


def test_releases_count_near_it_in_time_and_on_the_map(found: sl.Review) -> None:
    released = found.timeline[found.timeline["kind"] == "deploy"]
    assert released["what"].tolist() == ["orders-db 2.1 deployed"]
    assert released["words"].tolist() == [
        "orders-db: orders-db 2.1 deployed; 10 min before the first alert, a service of the incident"
    ]
    assert released["team"].tolist() == ["storage"]


@pytest.mark.parametrize(
    ("before", "released"), [("5min", []), ("2h", ["orders 1 deployed", "orders-db 2.1 deployed"])]
)
def test_before_says_how_far_back_releases_count(pinned: None, before: str, released: list[str]) -> None:
    made = sl.review(
        scenes.history(), incident=7, production=scenes.production(), events=scenes.events(), before=before
    )
    assert made.timeline.loc[made.timeline["kind"] == "deploy", "what"].tolist() == released


def test_a_release_two_links_away_counts_and_one_further_does_not(pinned: None) -> None:
    edges = pd.DataFrame({"src": ["shop", "cart", "tax"], "dst": ["cart", "tax", "bank"], "confidence": 0.9})
    known = sl.ProductionMap(pd.concat([scenes.EDGES, edges]), scenes.history())
    events = pd.DataFrame(
        {"kind": "changed", "at": at("13:58"), "service": ["tax", "bank", None], "summary": ["tax 2", "bank 3", "all"]}
    )
    made = sl.review(scenes.history(), incident=7, production=known, events=events)
    said = made.timeline.loc[made.timeline["kind"] == "deploy", "words"].tolist()
    assert said == [
        "tax: tax 2; 2 min before the first alert, 2 links from the incident",
        "all; 2 min before the first alert, it names no service",
    ]


def test_nobody_is_named_unless_people_are_asked_for(found: sl.Review, pinned: None) -> None:
    note = found.timeline[found.timeline["kind"] == "action"].iloc[0]
    assert note["words"] == "orders noted: rolled back 2.1"
    asked = sl.review(
        scenes.history(),
        incident=7,
        production=scenes.production(),
        events=scenes.events(),
        pages=scenes.pages(),
        people=True,
    )
    said = asked.timeline.loc[asked.timeline["kind"] == "action", "words"].iloc[0]
    assert said.startswith("person ")
    assert "Ann" not in asked.to_markdown()


def test_engagements_tell_what_people_did_once(pinned: None) -> None:
    did = pd.DataFrame(
        {
            "at": [at(clock) for clock in ("14:03", "14:05", "14:08", "14:15", "14:31", "14:09")],
            "kind": ["notified", "acknowledged", "joined", "noted", "resolved", "joined"],
            "person": "person 3f2a",
            "page": ["Q1"] * 5 + ["Q9"],  # the last is of another incident
            "service": "orders",
            "team": "Orders",
            "text": [None, None, None, "errors go down", None, None],
            "automatic": [None, False, None, None, True, None],
        }
    )
    made = sl.review(
        scenes.history(), incident=7, production=scenes.production(), pages=scenes.pages(), engagements=did
    )
    line = made.timeline[~made.timeline["kind"].isin(["alert", "recovery"])]
    assert line[["kind", "words"]].values.tolist() == [
        ["page", "orders was paged: orders: Errors"],
        ["page", "web was paged (which alert raised it is not known): Something is slow"],
        ["acknowledged", "orders acknowledged 2 min after the page: orders: Errors"],
        ["joined", "orders joined"],
        ["note", "orders noted: errors go down"],
    ]


def test_chat_can_be_passed_with_what_people_did(pinned: None) -> None:
    chat = pd.DataFrame(
        {
            "at": [at("14:06"), at("18:00")],
            "kind": "said",
            "page": None,
            "service": None,
            "text": ["seen it", "restarting"],
        }
    )
    made = sl.review(scenes.history(), incident=7, production=scenes.production(), engagements=chat)
    told = made.timeline[made.timeline["kind"].isin(["chat", "action"])]
    assert told["words"].tolist() == ["somebody wrote: seen it", "somebody wrote: restarting"]
    assert not any("chat" in said for said in made.unseen)


def test_what_one_rule_does_again_is_folded_into_one_row() -> None:
    rows = [
        ("alert", "a", 1),
        ("recovery", "a", 2),
        ("alert", "a", 3),
        ("recovery", "a", 4),
        ("page", "a", 5),
        ("page", "a", 6),
    ]
    line = pd.DataFrame(rows, columns=["kind", "service", "at"]).assign(what="Errors", source="datadog")
    assert folded(line)[["kind", "at", "times"]].values.tolist() == [
        ["alert", 1, 2],
        ["recovery", 4, 2],
        ["page", 5, 1],
        ["page", 6, 1],
    ]


def test_changes_of_its_own_services_are_told_first(pinned: None) -> None:
    edges = pd.DataFrame({"src": ["shop"], "dst": ["cart"], "confidence": 0.9})
    known = sl.ProductionMap(pd.concat([scenes.EDGES, edges]), scenes.history())
    events = pd.DataFrame(
        {"kind": "changed", "at": [at("13:30"), at("13:58")], "service": ["orders", "cart"], "summary": ["o 1", "c 2"]}
    )
    made = sl.review(scenes.history(), incident=7, production=known, events=events)
    assert (
        "2 changes shortly before the first alert: orders (30 min before), cart (2 min before); whether that is why is "
        "not known."
    ) in made.words
    asked = made.questions.loc[made.questions["topic"] == "change before", "question"]
    assert [said.split()[4] for said in asked] == ["orders", "cart"]
