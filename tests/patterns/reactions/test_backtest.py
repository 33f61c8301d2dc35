"""`backtest` on histories small enough to count by hand."""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path

import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import stanza_lab as sl
from stanza_lab.errors import ParameterError, SchemaError
from stanza_lab.patterns.found import FAMILIES, OCCURRENCES, PATTERNS, STEPS, Patterns
from stanza_lab.patterns.reactions import Reactions
from stanza_lab.patterns.reactions.triggers import confidence

DAYS = pd.date_range("2026-03-01T14:00Z", periods=6, freq="D")
MIN = pd.Timedelta("1min")
EDGES = pd.DataFrame(
    [("api", "db", 0.99), ("web", "api", 0.99), ("batch", "db", 0.1)], columns=["src", "dst", "confidence"]
)
TEAMS = pd.DataFrame({"service": ["db", "api", "web", "batch"], "team": ["shop", "shop", "front", "ops"]})


def history(paged: int = 5) -> pd.DataFrame:
    """Return six days: at 14:00 the db, and of the first ones at 14:04 the api, which pages; all over at 14:30."""
    rows = [("db", day, day + 30 * MIN, "warning", number) for number, day in enumerate(DAYS)]
    rows += [("api", day + 4 * MIN, day + 20 * MIN, "critical", number) for number, day in enumerate(DAYS[:paged])]
    table = pd.DataFrame(rows, columns=["service", "starts_at", "ends_at", "severity", "incident_id"])
    lone = table.groupby("incident_id")["service"].transform("size") == 1
    return table.assign(incident_id=table["incident_id"].mask(lone, -1), alertname=table["service"], source="datadog")


def read(folder: Path, entry: str, team: str = "shop") -> Reactions:
    path = folder / "x.yaml"
    path.write_text(f"team: {team}\nreactions:\n  - {{name: R, command: c, {entry}}}\n", encoding="utf-8")
    return sl.read_reactions(path)


RESTART = "action: restart, risk: low, effect: 5min, when: {service: db}"


@dataclass(frozen=True, eq=False, repr=False)
class Told(Patterns):
    """Patterns that are recognised as a table says."""

    rows: pd.DataFrame = field(default_factory=pd.DataFrame)

    def recognise(self, alerts: pd.DataFrame, *, min_confidence: float = 0.5) -> pd.DataFrame:
        ids = set(alerts["incident_id"])
        return self.rows[(self.rows["confidence"] >= min_confidence) & self.rows["incident_id"].isin(ids)]


def mined(last: pd.Timestamp, rows: list[tuple[int, pd.Timestamp, float]]) -> Told:
    def table(columns: dict, *some: dict) -> pd.DataFrame:
        return pd.DataFrame(list(some), columns=list(columns)).astype(columns)

    steps = [
        {"pattern": "P-1", "position": k, "kind": f"{name}: {name}", "service": name, "what": name, "core": True}
        | {"count": 4, "share": 1.0, "after_s": 240.0 * k, "low_s": 0.0, "high_s": 300.0}
        for k, name in enumerate(("db", "api"))
    ]
    about = {"pattern": "P-1", "family": "F-1", "name": "db, then api", "support": 4, "expected": 0.1, "services": []}
    seen = pd.DataFrame(rows, columns=["incident_id", "at", "confidence"]).assign(pattern="P-1")
    return Told(
        table(PATTERNS, about | {"first": DAYS[0], "last": last}),
        table(STEPS, *steps),
        table(OCCURRENCES),
        table(FAMILIES, {"family": "F-1", "name": "shop brown-out", "support": 4}),
        "rule",
        {"last": last},
        rows=seen.assign(seen=[["db: db"]] * len(seen)),
    )


def test_a_reaction_is_counted_by_hand(tmp_path: Path) -> None:
    found = sl.backtest(read(tmp_path, RESTART), history())
    row = found.reactions.iloc[0]
    assert row[["looked_at", "triggers", "blocked", "fired", "right", "false"]].tolist() == [6, 6, 0, 6, 5, 1]
    assert row["false_share"] == pytest.approx(1 / 6)
    # Wilson, 1 of 6: (1/6 + z2/12 -+ z sqrt(5/216 + z2/144)) / (1 + z2/6), z = 1.96
    assert row[["false_low", "false_high"]].tolist() == pytest.approx([0.0301, 0.5635], abs=1e-4)
    assert row[["page_lead_s", "page_n", "before_page"]].tolist() == [240.0, 5, 5]
    assert row[["recovery_lead_s", "recovery_n"]].tolist() == [1800.0, 6]
    assert row[["saved_low_min", "saved_high_min", "saved_n"]].tolist() == [0.0, 5 * 25.0, 5]
    assert row["verdict"] == "not sure: half may be without a page"
    assert found.firings["right"].tolist() == [True] * 5 + [False]
    assert found.firings["incident_id"].tolist() == [0, 1, 2, 3, 4, -1]
    assert (
        found.firings["words"]
        .iloc[-1]
        .startswith("2026-03-06 14:00 UTC, R: restart db, because db alerts; nobody was paged; 30 min before recovery")
    )


def test_every_number_in_words_names_its_assumption(tmp_path: Path) -> None:
    found = sl.backtest(read(tmp_path, RESTART), history())
    said = found.reactions["words"].iloc[0]
    assert "saves 0 (no effect) to 125 min (always helps after 5 min) of trouble, 5 firings" in said
    assert "false (nobody was paged) 1 of 6: 0.17 (0.03 to 0.56); 4 min before the first page (median of 5)" in said
    assert any("what acting would have changed is in no history" in line for line in found.words)
    assert any("a page is an alert of severity error or worse" in line for line in found.words)


def test_too_few_firings_are_refused_with_the_number(tmp_path: Path) -> None:
    row = sl.backtest(read(tmp_path, RESTART), history()[history()["incident_id"].isin([0, 1])]).reactions.iloc[0]
    assert row["verdict"] == "needs 5 firings, has 2"
    unknown = ["false_share", "false_low", "page_lead_s", "recovery_lead_s", "saved_high_min", "budget_high"]
    assert row[unknown].isna().all()


def test_of_five_firings_with_two_pages_no_page_lead_is_stated(tmp_path: Path) -> None:
    row = sl.backtest(read(tmp_path, RESTART), history(paged=2)).reactions.iloc[0]
    assert pd.isna(row["page_lead_s"])
    assert "how long before the first page is known of 2 firings only" in row["words"]
    assert row["verdict"] == "not sure: half may be without a page"


def test_mostly_false_and_too_late_are_said(tmp_path: Path) -> None:
    eager = read(tmp_path, RESTART + ", guardrails: {min_confidence: 0}")
    row = sl.backtest(eager, history(paged=0)).reactions.iloc[0]
    assert row[["false", "verdict"]].tolist() == [6, "more often nobody is paged"]
    learned = sl.backtest(read(tmp_path, RESTART), history(paged=0)).reactions.iloc[0]
    assert learned[["fired", "blocked"]].tolist() == [1, 5]  # wrong once, it was no longer sure enough
    late = read(tmp_path, "action: restart, risk: low, effect: 45min, when: {service: db}")
    row = sl.backtest(late, history(paged=6)).reactions.iloc[0]
    assert row["verdict"] == "too late: half of the incidents are over before it helps"
    assert row["saved_high_min"] == 0.0


def test_all_right_and_early_is_worth_a_dry_run(tmp_path: Path) -> None:
    assert sl.backtest(read(tmp_path, RESTART), history(paged=6)).reactions["verdict"].tolist() == ["worth a dry run"]


def test_how_sure_a_when_is_knows_only_what_was_known(tmp_path: Path) -> None:
    found = sl.backtest(read(tmp_path, RESTART), history())
    # nothing known: 1/2; one right: usually 2/3, here (1 + 2 x 2/3) / 3
    assert found.firings["confidence"].head(2).tolist() == pytest.approx([0.5, 7 / 9])
    assert confidence([True, True, False, False], [True, True]) == pytest.approx((2 + 2 * 0.5) / 4)
    strict = read(tmp_path, RESTART + ", guardrails: {min_confidence: 0.6}")
    row = sl.backtest(strict, history()).reactions.iloc[0]
    assert row[["triggers", "blocked", "fired"]].tolist() == [6, 1, 5]


def test_cool_down_counts_from_the_last_firing_that_was_not_blocked(tmp_path: Path) -> None:
    found = sl.backtest(read(tmp_path, RESTART + ", guardrails: {cool_down: 25h}"), history())
    assert found.firings["blocked_by"].notna().tolist() == [False, True] * 3
    assert found.firings["blocked_by"].iloc[1] == "cool-down: done 24 h ago, again after 25 h at the soonest"


def test_without_a_map_a_limit_on_blast_radius_blocks_and_with_one_it_is_counted(tmp_path: Path) -> None:
    limited = read(tmp_path, RESTART + ", guardrails: {max_blast_radius: 1}")
    blind = sl.backtest(limited, history())
    assert blind.reactions["fired"].tolist() == [0]
    assert "blast radius: whom it would touch is not known" in blind.firings["blocked_by"].iloc[0]
    production = sl.ProductionMap(EDGES, history(), ownership=TEAMS)
    touched = sl.backtest(limited, history(), production=production).firings
    expected = production.blast_radius("db")
    expected = expected.loc[expected["hit"] >= 0.5, "service"].tolist()
    assert touched["touched"].iloc[0] == expected
    assert touched["n_touched"].iloc[0] == len(expected)


def test_a_map_with_a_model_is_asked_as_of_the_month(tmp_path: Path) -> None:
    alerts = history(paged=6)
    model = sl.DependencyModel().fit(alerts)
    production = sl.ProductionMap(model.edges_, alerts, ownership=TEAMS, model=model)
    then = sl.backtest(read(tmp_path, RESTART), alerts, production=production)
    assert then.firings["n_touched"].isna().all()  # on the first of March nothing was known yet
    now = sl.backtest(read(tmp_path, RESTART), alerts, production=production, hindsight=True)
    assert now.firings["n_touched"].notna().all()
    assert any("start of the month" in line for line in then.words)
    assert any("the map asked is today's" in line for line in now.words)


def test_a_service_of_another_team_is_left_alone_unless_it_is_shared(tmp_path: Path) -> None:
    production = sl.ProductionMap(EDGES, history(), ownership=TEAMS)
    wide = "action: restart, risk: low, when: {service: '*'}"
    theirs = sl.backtest(read(tmp_path, wide, team="ops"), history(), production=production)
    assert set(theirs.firings["blocked_by"]) == {"sharing: team ops does not share it with shop"}
    shared = sl.backtest(read(tmp_path, wide + ", for: [shop]", team="ops"), history(), production=production)
    assert shared.firings["blocked_by"].isna().all()


def test_near_and_alerting_waits_for_the_neighbour(tmp_path: Path) -> None:
    production = sl.ProductionMap(EDGES, history(), ownership=TEAMS)
    near = (
        "action: restart, risk: low, when: {service: db, near: [{service: api, direction: upstream, alerting: true}]}"
    )
    found = sl.backtest(read(tmp_path, near), history(), production=production).firings
    assert found["at"].tolist() == [day + 4 * MIN for day in DAYS[:5]]
    assert found["lead_to_page_s"].tolist() == [0.0] * 5
    assert "api, within 1 hop upstream of db, alerts" in found["words"].iloc[0]


def test_a_pattern_is_only_tried_on_what_came_after_it_was_mined(tmp_path: Path) -> None:
    by_pattern = read(tmp_path, "action: restart, risk: low, effect: 5min, pattern: 'P-*'")
    rows = [(number, DAYS[number], 0.8) for number in range(5)]
    found = sl.backtest(by_pattern, history(), patterns=mined(DAYS[2], rows))
    assert found.firings["incident_id"].tolist() == [3, 4]
    assert not found.firings["in_sample"].any()
    assert found.reactions["looked_at"].tolist() == [3]  # two incidents and the lone alert
    early = sl.backtest(by_pattern, history(), patterns=mined(DAYS[2], rows), since=DAYS[0])
    assert early.firings["incident_id"].tolist() == [3, 4]
    flattered = sl.backtest(by_pattern, history(), patterns=mined(DAYS[2], rows), hindsight=True)
    assert flattered.firings["in_sample"].tolist() == [True] * 3 + [False] * 2
    assert any("with hindsight" in line for line in flattered.words)


def test_a_pattern_that_did_not_come_is_a_false_trigger_and_one_too_unsure_is_blocked(tmp_path: Path) -> None:
    sure = read(
        tmp_path, "action: restart, risk: low, pattern: shop brown-*, for: ['*'], guardrails: {min_confidence: 0.7}"
    )
    rows = [(3, DAYS[3], 0.8), (4, DAYS[4], 0.6), (5, DAYS[5], 0.9)]
    found = sl.backtest(sure, history(), patterns=mined(DAYS[2], rows)).firings
    # case 5 is the lone alert of the db, which the api never followed
    assert found["became"].tolist() == [True, True, False]
    assert found["right"].tolist() == [True, True, False]
    assert found["blocked_by"].isna().tolist() == [True, False, True]
    assert found["blocked_by"].iloc[1] == "confidence: 0.60, asked for 0.7"
    assert found["target"].tolist() == ["db"] * 3  # the first mover


def test_a_pattern_that_is_not_there_is_not_tried(tmp_path: Path) -> None:
    lost = read(tmp_path, "action: restart, risk: low, pattern: P-9")
    assert sl.backtest(lost, history()).reactions["verdict"].tolist() == ["not tried: no patterns were given"]
    found = sl.backtest(lost, history(), patterns=mined(DAYS[2], []))
    assert found.reactions["verdict"].tolist() == ["not tried: no pattern like P-9 was mined"]
    assert any("names pattern P-9, and none was mined" in line for line in found.unseen)


def test_the_origin_is_asked_of_the_map(tmp_path: Path) -> None:
    production = sl.ProductionMap(EDGES, history(), ownership=TEAMS)
    origin = read(tmp_path, "action: restart, risk: low, target: origin, when: {service: api}, for: ['*']")
    found = sl.backtest(origin, history(), production=production).firings
    assert set(found["target"]) <= {"db", "api", "web", "batch"}
    assert (found["target"] != "").all()
    blind = sl.backtest(origin, history()).firings
    assert blind["blocked_by"].str.startswith("target: no service could be named (origin)").all()


def test_budget_is_an_interval_of_a_full_outage(tmp_path: Path) -> None:
    objectives = pd.DataFrame({"service": ["db"], "objective": [99.0], "window": ["30d"]})
    row = sl.backtest(read(tmp_path, RESTART), history(), objectives=objectives).reactions.iloc[0]
    # 5 x 25 min of (1 - 0.99) x 30 d = 432 min
    assert row[["budget_low", "budget_high"]].tolist() == pytest.approx([0.0, 125 / 432])


def test_a_silence_saves_nothing(tmp_path: Path) -> None:
    quiet = read(tmp_path, "action: silence, params: {for: 1h}, risk: low, when: {service: db}")
    row = sl.backtest(quiet, history(), effect="1min").reactions.iloc[0]
    assert row["saved_n"] == 0
    assert pd.isna(row["saved_high_min"])


def test_a_usual_effect_is_for_those_that_state_none(tmp_path: Path) -> None:
    unsaid = read(tmp_path, "action: restart, risk: low, when: {service: db}")
    assert sl.backtest(unsaid, history()).reactions["saved_n"].tolist() == [0]
    assert sl.backtest(unsaid, history(), effect="10min").reactions["saved_high_min"].tolist() == [5 * 20.0]
    assert sl.backtest(unsaid, history(), effect="10min", longest="15min").reactions["saved_high_min"].tolist() == [
        25.0
    ]


def test_since_leaves_out_firings_but_remembers_them(tmp_path: Path) -> None:
    found = sl.backtest(read(tmp_path, RESTART), history(), since=DAYS[2])
    assert found.firings["at"].tolist() == list(DAYS[2:])
    assert found.firings["confidence"].iloc[0] > 0.8


def test_nothing_is_a_result_too(tmp_path: Path) -> None:
    found = sl.backtest(read(tmp_path, RESTART), history().iloc[:0])
    assert (len(found.firings), found.reactions["verdict"].tolist()) == (0, ["needs 5 firings, has 0"])
    path = tmp_path / "none.yaml"
    path.write_text("team: shop\nreactions: []\n", encoding="utf-8")
    assert len(sl.backtest(path, history()).reactions) == 0


def test_bad_arguments_are_refused(tmp_path: Path) -> None:
    given_ = read(tmp_path, RESTART)
    with pytest.raises(SchemaError, match="incident_id"):
        sl.backtest(given_, history().drop(columns="incident_id"))
    with pytest.raises(ParameterError, match="min_support"):
        sl.backtest(given_, history(), min_support=0)
    with pytest.raises(ParameterError, match="effect"):
        sl.backtest(given_, history(), effect="soon")


def test_no_name_is_markup_and_a_page_is_small(tmp_path: Path) -> None:
    bad = history().assign(service="<script>x</script>")
    wide = read(tmp_path, "action: restart, risk: low, when: {service: '*', team: '*'}, for: ['*']")
    found = sl.backtest(wide, bad)
    assert "<script" not in found._repr_html_()
    assert len(found._repr_html_()) < 50_000
    assert repr(found) == "ReactionBacktest(1 reaction: fired 6 times, 1 false, 0 blocked)"


@settings(max_examples=5)
@given(st.permutations(range(11)), st.integers(min_value=-400, max_value=400))
def test_neither_the_order_of_rows_nor_the_date_matters(order: list[int], days: int) -> None:
    from stanza_lab.patterns.reactions.reaction import Reaction
    from stanza_lab.production.door.pattern import Pattern

    reaction = Reaction("R", "shop", "restart", "c", "low", when=Pattern(service=("db",)))
    catalogue = Reactions((reaction,), pd.DataFrame(columns=["team", "reviewed_by", "reviewed_on", "file"]))
    usual = sl.backtest(catalogue, history())
    shift = pd.Timedelta(days=days)
    moved = history().iloc[order]
    moved = moved.assign(starts_at=moved["starts_at"] + shift, ends_at=moved["ends_at"] + shift)
    found = sl.backtest(catalogue, moved)
    pd.testing.assert_frame_equal(found.reactions, usual.reactions)
    assert (found.firings["at"] - shift).tolist() == usual.firings["at"].tolist()


def test_patterns_mined_from_nothing_fire_nothing(tmp_path: Path) -> None:
    reactions = read(tmp_path, "action: restart, risk: low, pattern: 'P-*'")
    found = sl.backtest(reactions, history(), patterns=sl.mine_patterns(history().head(0)))
    assert found.reactions[["looked_at", "triggers"]].values.tolist() == [[6, 0]]
    assert "no pattern like P-* was mined" in found.reactions["verdict"][0]


def test_alerts_of_no_known_service_fire_nothing(tmp_path: Path) -> None:
    found = sl.backtest(read(tmp_path, RESTART), history().assign(service=None))
    assert found.firings.empty
