from __future__ import annotations

from typing import Any

import pandas as pd
import pytest

import stanza_lab as sl
from tests.postmortem import scenes


def test_each_service_is_reached_from_the_likely_origin_over_the_likeliest_links(found: sl.Review) -> None:
    rows = found.spread.set_index("service")
    assert rows.loc[["orders-db", "orders", "shop"], "state"].tolist() == ["origin", "alerted", "alerted"]
    assert rows.loc[["orders-db", "orders", "shop"], "after_s"].tolist() == [0, 120, 180]
    assert rows.loc[["orders-db", "orders", "shop"], "hops"].tolist() == [0, 1, 2]
    assert rows["through"].dropna().to_dict()["shop"] == "orders"
    assert rows.loc["shop", "confidence"] == pytest.approx(0.8 * 0.9)
    assert rows.loc["shop", "words"] == (
        "shop alerted 3 min after the first alert; 2 links from orders-db (orders-db - orders - shop: 0.72)"
    )


def test_a_silent_origin_stands_first_and_is_asked_about(pinned: None, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(scenes, "ORIGINS", {"reports": 0.8, "orders": 0.1})
    made = sl.review(scenes.history(), incident=7, production=scenes.production(), pages=scenes.pages())
    assert made.spread.iloc[0][["service", "state"]].tolist() == ["reports", "origin"]
    assert pd.isna(made.spread["first_at"].iloc[0])
    assert "Which alert of reports itself would have shown this?" in made.questions["question"].tolist()
    assert any("reports of reporting (0.80), which itself raised no alert" in said for said in made.words)


def test_who_was_likely_hit_and_kept_silent_is_named(pinned: None, monkeypatch: pytest.MonkeyPatch) -> None:
    hit = pd.DataFrame({"service": ["reports", "archive"], "hit": [0.6, 0.4]})
    monkeypatch.setattr(sl.ProductionMap, "blast_radius", lambda *_, **__: hit)
    made = sl.review(scenes.history(), incident=7, production=scenes.production())
    silent = made.spread[made.spread["state"] == "expected"]
    assert silent["service"].tolist() == ["reports"]
    assert silent["words"].iloc[0].startswith("reports did not alert, though a failure of orders-db would likely show")
    assert "Was reports spared, or does nothing watch it?" in made.questions["question"].tolist()


def test_who_alerts_before_what_it_was_reached_through_is_said(pinned: None) -> None:
    alerts = scenes.history()
    orders = (alerts["service"] == "orders") & (alerts["incident_id"] == 7)
    late = alerts.assign(starts_at=alerts["starts_at"].mask(orders, scenes.at("14:08")))
    made = sl.review(late, incident=7, production=scenes.production(late))
    said = made.spread.set_index("service").loc["shop", "words"]
    assert said.endswith("; 5 min before orders, which may have noticed later")


def test_a_service_that_no_link_leads_to_is_said_and_asked_about(pinned: None) -> None:
    alerts = scenes.history()
    stray = alerts["service"] == "search"
    joined = alerts.assign(incident_id=alerts["incident_id"].mask(stray, 7))
    made = sl.review(joined, incident=7, production=scenes.production(joined))
    row = made.spread.set_index("service").loc["search"]
    assert pd.isna(row["hops"])
    assert row["words"].endswith("no known way leads there from orders-db")
    assert any(said.startswith("Does search depend on orders-db in a way") for said in made.questions["question"])


def test_teams_that_were_paged_and_those_that_should_have_been(found: sl.Review) -> None:
    rows = found.paged.set_index("team")
    assert rows.index.tolist() == ["orders", "web", "storage"]
    assert rows["pages"].tolist() == [1, 1, 0]
    assert rows["after_s"].tolist()[:2] == [180, 300]
    assert rows.loc["orders", "ack_s"] == 120
    assert rows["verdict"].tolist() == ["unclear", "not the origin", "missing"]
    assert rows["probability"].tolist() == pytest.approx([0.2, 0.1, 0.7])
    assert (
        rows.loc["storage", "words"] == "storage was not paged; the origin is theirs: 0.70 (on call: storage-primary)"
    )


def test_questions_come_from_what_was_found(found: sl.Review) -> None:
    asked = dict(zip(found.questions["question"], found.questions["because"], strict=True))
    assert asked["Did the change of orders-db have to do with it, and what would have shown it sooner?"] == (
        "orders-db 2.1 deployed, 10 min before the first alert; that it came before is all that is known"
    )
    assert "How would storage have been called?" in asked
    assert asked["Was there something for web to do, or would a note have been enough?"] == (
        "1 page; that the origin is theirs: 0.10"
    )
    assert asked["What does “ApiError” of shop tell that another alert does not?"] == (
        "it fired 11 times, 10 of them in no incident"
    )
    assert "Did the page for web reach anybody?" in asked


def test_a_page_in_time_is_not_asked_about_and_a_late_one_is(found: sl.Review, pinned: None) -> None:
    late = scenes.pages().iloc[:1].assign(starts_at=scenes.at("14:06"))
    made = sl.review(scenes.history(), incident=7, production=scenes.production(), pages=late)
    asked = "Could an earlier alert have paged?"
    assert asked not in found.questions["question"].tolist()
    because = made.questions.set_index("question").loc[asked, "because"]
    assert because == "the first page came 6 min after the first alert (orders-db: Slow queries)"


def test_a_service_without_an_owner_is_asked_about(pinned: None) -> None:
    owners = scenes.OWNERS[scenes.OWNERS["service"] != "orders-db"]
    known = sl.ProductionMap(scenes.EDGES, scenes.history(), ownership=owners)
    made = sl.review(scenes.history(), incident=7, production=known, pages=scenes.pages())
    assert "Whose is orders-db?" in made.questions["question"].tolist()


def test_the_summary_says_how_sure_it_is(found: sl.Review) -> None:
    assert found.words[:4] == (
        "4 alerts of 3 services (3 teams), all began within 4 min.",
        "It probably began at orders-db of storage (0.70); next: orders (0.20); where to look first, not a finding.",
        "1 change shortly before the first alert: orders-db (10 min before); whether that is why is not known.",
        "Known ways lead from there to 2 of 2 other services, at most 2 links away.",
    )
    assert "Not paged, though the origin is probably theirs: storage." in found.words
    assert "First page 3 min after the first alert, acknowledged 2 min after that." in found.words
    assert (
        "Of 3 alerts half over after 25 min, all after 30 min; the last was orders-db: Slow queries; nothing severe on "
        "after 30 min."
    ) in found.words


def test_what_could_not_be_seen_is_listed(found: sl.Review) -> None:
    assert "What raised 1 page: they fit by service and time alone." in found.unseen
    assert "When 1 alert ended: their source never reports it." in found.unseen
    assert any("chat" in said for said in found.unseen)
    assert "What happened at archive, reports, near it on the map: never alert." in found.unseen


@pytest.mark.parametrize(
    ("match", "missing", "told", "asked"),
    [
        (1.0, [], "(storage).", "What was agreed the last time, and what became of it?"),
        (0.6, ["shop: errors"], "(storage; 60% of it is here).", "Is it the same as then, and what helped?"),
    ],
)
def test_known_patterns_are_told(pinned: None, match: float, missing: list[str], told: str, asked: str) -> None:
    class Known:
        def seen_before(self, alerts: pd.DataFrame) -> pd.DataFrame:
            assert set(alerts["incident_id"]) == {7}
            said = "seen before: 4 times, last on 2026-02-11 09:00 UTC; each time nobody was paged"
            last = pd.Timestamp("2026-02-11 09:00", tz="UTC")
            row = {"pattern": "P-1", "name": "storage", "match": match, "times": 4, "last": last, "words": said}
            return pd.DataFrame([row | {"next": missing}])

    known: Any = Known()
    made = sl.review(scenes.history(), incident=7, production=scenes.production(), patterns=known)
    assert f"Seen before: 4 times, last on 2026-02-11 {told}" in made.words
    assert asked in made.questions["question"].tolist()
    assert made.to_markdown().count("each time nobody was paged") == 1  # the whole sentence stands in one place


def test_without_a_likely_origin_each_service_is_linked_with_what_alerted_before(
    pinned: None, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(scenes, "ORIGINS", {"orders-db": 0.15, "orders": 0.1})
    made = sl.review(scenes.history(), incident=7, production=scenes.production())
    rows = made.spread.set_index("service")
    assert rows.index.tolist() == ["orders-db", "orders", "shop"]
    assert rows["through"].tolist()[1:] == ["orders-db", "orders"]
    assert rows["hops"].isna().all()
    assert rows.loc["orders-db", "words"].endswith("no known way leads there from what alerted before")
    assert rows.loc["shop", "words"] == (
        "shop alerted 3 min after the first alert; linked with orders (0.90), which alerted 60 s before"
    )
    assert any(said.startswith("Where it began is not known") for said in made.words)


@pytest.mark.parametrize(
    ("ranked", "outside"),
    [
        ({"orders": 0.15, "shop": 0.1}, 0.75),  # nobody reaches 0.2
        ({"orders": 0.3, "shop": 0.1}, 0.6),  # something that is none of them is likelier
    ],
)
def test_where_it_began_is_not_known_no_page_is_judged(
    pinned: None, monkeypatch: pytest.MonkeyPatch, ranked: dict[str, float], outside: float
) -> None:
    def weighed(*_: object, **__: object) -> pd.DataFrame:
        table = scenes.origins()
        table.attrs = {"outside": outside, "words": ["no service stands out"]}
        return table

    monkeypatch.setattr(scenes, "ORIGINS", ranked)
    monkeypatch.setattr("stanza_lab.postmortem.origins.rank_origins", weighed)
    made = sl.review(scenes.history(), incident=7, production=scenes.production(), pages=scenes.pages())
    assert "Where it began is not known: no service stands out." in made.words
    assert set(made.paged["verdict"]) == {"not known"}
    assert made.paged.set_index("team").loc["orders", "probability"] == ranked["orders"]
    assert ", and where it began is not known" in made.paged["words"].iloc[0]
    assert set(made.spread["state"]) == {"alerted"}
    asked = made.questions["question"].tolist()
    assert "Where did it begin?" in asked
    assert not any(question.startswith("Was there something for") for question in asked)


def test_the_team_of_the_first_suspect_is_never_called_not_the_origin(
    pinned: None, monkeypatch: pytest.MonkeyPatch
) -> None:
    for share in (0.2, 0.35, 0.6):
        monkeypatch.setattr(scenes, "ORIGINS", {"orders": share, "shop": 0.1})
        made = sl.review(scenes.history(), incident=7, production=scenes.production(), pages=scenes.pages())
        assert made.paged.set_index("team").loc["orders", "verdict"] in ("unclear", "right")
