"""The scorer: what it answers, that it agrees with the batch, and that a break, disorder and garbage change nothing."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from sklearn.metrics import adjusted_rand_score

import stanza_lab as sl
from stanza_lab.artefacts.scoring import tables
from stanza_lab.errors import BundleError, ParameterError, SchemaError

HOUR_US = 3_600_000_000


@pytest.fixture(scope="session")
def rows(later: pd.DataFrame) -> list[dict[str, Any]]:
    return [row for _, row in tables.rows(later)]


def apart(labels: object) -> np.ndarray:
    """Give every alert on its own a group of its own."""
    found = np.array(labels)
    alone = found == -1
    found[alone] = 10**7 + np.arange(alone.sum())
    return found


def final(scorer: sl.Scorer, rows: list[dict[str, Any]]) -> dict[str, int]:
    """Return the incident of each alert in the end."""
    found: dict[str, int] = {}
    for row in rows:
        answer = scorer.push(row)
        found[answer["alert_id"]] = answer["incident_id"]
        found |= dict(answer["moved"])
        found = {a: answer["incident_id"] if i in answer["merged"] else i for a, i in found.items()}
    return found


def groups(found: dict[str, int]) -> set[frozenset[str]]:
    """Return the incidents as sets of alerts, whatever their numbers."""
    return {frozenset(a for a, i in found.items() if i == one) for one in set(found.values()) - {-1}}


def test_a_table_gets_an_answer_per_row_in_its_order(bundle: sl.Bundle, later: pd.DataFrame) -> None:
    shuffled = later.sample(frac=1, random_state=0)
    answers = bundle.score(shuffled)
    assert answers.index.tolist() == shuffled.index.tolist()
    assert answers["alert_id"].tolist() == shuffled["alert_id"].tolist()
    pd.testing.assert_frame_equal(answers.sort_index(), bundle.score(later).sort_index())


def test_it_groups_as_the_batch_does(bundle: sl.Bundle, later: pd.DataFrame) -> None:
    answers = bundle.score(later)
    assert adjusted_rand_score(apart(bundle.clusterer.predict(later)), apart(answers["incident_id"])) > 0.9


def test_new_incidents_are_numbered_on(bundle: sl.Bundle, later: pd.DataFrame) -> None:
    incidents = bundle.score(later)["incident_id"]
    assert incidents[incidents >= 0].min() == bundle.manifest["counts"]["incidents"]


def test_the_origin_is_the_one_that_rank_origins_names(bundle: sl.Bundle, later: pd.DataFrame) -> None:
    answers = bundle.score(later)
    inside = answers[answers["incident_id"] >= 0]
    sizes = inside["incident_id"].value_counts()
    small = sizes[sizes <= 4].index  # told anew with almost each of its alerts
    assert len(small)
    for incident in small:
        mine = later.loc[inside.index[inside["incident_id"] == incident]]
        first = sl.rank_origins(bundle.production, alerts=mine).iloc[0]
        told = inside[inside["incident_id"] == incident].iloc[-1]
        assert told["origin"] == first["service"]
        assert told["origin_probability"] == pytest.approx(first["probability"], abs=0.05)


def test_the_team_is_that_of_the_origin(bundle: sl.Bundle, later: pd.DataFrame) -> None:
    teams = bundle.services.set_index("service")["team"]
    told = bundle.score(later).dropna(subset=["origin"])
    known = told[told["origin"].map(teams).notna()]
    assert (known["team"] == known["origin"].map(teams)).all()


def test_a_reaction_is_told_where_one_applies(bundle: sl.Bundle, later: pd.DataFrame) -> None:
    told = bundle.score(later)["reaction"].dropna()
    assert len(told)
    assert told.str.contains("Restart|Scale").all()


def test_an_alert_without_a_time_is_said_so(bundle: sl.Bundle, later: pd.DataFrame) -> None:
    one = later.head(2).assign(starts_at=pd.Series([None, later["starts_at"].iloc[1]], index=later.index[:2]))
    answers = bundle.score(one.astype({"starts_at": later["starts_at"].dtype}))
    assert answers["status"].tolist()[0] == "untimed"
    with pytest.raises(ParameterError, match="microseconds"):
        bundle.scorer().push({"alert_id": "a", "starts_at": None})


def test_no_alert_gets_no_answer(bundle: sl.Bundle, later: pd.DataFrame) -> None:
    assert bundle.score(later.head(0)).empty
    with pytest.raises(SchemaError, match="starts_at"):
        bundle.score(pd.DataFrame({"service": ["a"]}))


def test_a_bundle_of_before_says_that_it_cannot_score(bundle: sl.Bundle) -> None:
    from dataclasses import replace

    old = replace(bundle, clusterer=sl.IncidentClusterer(), manifest=bundle.manifest | {"format": 2})
    with pytest.raises(BundleError, match="format 2"):
        old.scorer()


def test_a_checkpoint_at_any_point_changes_nothing(
    bundle: sl.Bundle, rows: list[dict[str, Any]], tmp_path: Path
) -> None:
    whole = sl.Scorer(bundle)
    expected = [whole.push(row) for row in rows]
    scorer, answers = sl.Scorer(bundle), []
    for place, row in enumerate(rows):
        if place % 17 == 3:
            scorer.save(tmp_path / "state.json")
            scorer, _ = sl.Scorer.resume(bundle, tmp_path / "state.json")
        answers.append(scorer.push(row))
    assert answers == expected


def test_a_recovery_after_a_checkpoint_is_known_to_its_incident(bundle: sl.Bundle, rows: list[dict[str, Any]]) -> None:
    scorer = sl.Scorer(bundle)
    for row in rows[:40]:
        scorer.push({**row, "ends_at": None})
    resumed = sl.Scorer.from_state(bundle, json.loads(json.dumps(scorer.state())))
    for row in rows[:40]:
        at = row["starts_at"] + 60_000_000
        assert scorer.ended(row["alert_id"], at) == resumed.ended(row["alert_id"], at)
    assert json.dumps(resumed.state()) == json.dumps(scorer.state())
    assert [resumed.push(row) for row in rows[40:60]] == [scorer.push(row) for row in rows[40:60]]


def test_every_incident_holds_the_alerts_that_are_in_it(bundle: sl.Bundle, rows: list[dict[str, Any]]) -> None:
    scorer = sl.Scorer(bundle)
    for place, row in enumerate(rows):
        scorer.push(row)
        if place % 20 == 0:
            for case in scorer.state()["cases"]:
                where = {scorer.incident_of(alert["alert_id"]) for alert in case["alerts"]}
                assert where <= {case["incident"], None}
                assert case["count"] >= len(case["alerts"]) > 0


def test_a_checkpoint_of_another_bundle_is_refused(bundle: sl.Bundle, tmp_path: Path) -> None:
    state = sl.Scorer(bundle).state()
    with pytest.raises(BundleError, match="belongs to bundle"):
        sl.Scorer.from_state(bundle, state | {"bundle": "0" * 16})
    for content in (b"", b"[]", b'{"format": 1}', b"\xff"):
        (tmp_path / "bad").write_bytes(content)
        with pytest.raises(BundleError):
            sl.Scorer.resume(bundle, tmp_path / "bad")
    damaged = json.loads(json.dumps(state)) | {"grouper": {"ids": [1]}}
    with pytest.raises(BundleError, match="damaged"):
        sl.Scorer.from_state(bundle, damaged)


@settings(max_examples=8)
@given(order=st.randoms(use_true_random=False))
def test_alerts_that_come_in_another_order_within_minutes_end_up_in_the_same_incidents(
    bundle: sl.Bundle, rows: list[dict[str, Any]], order: Any
) -> None:
    some = rows[:60]
    late = sorted(some, key=lambda row: row["starts_at"] + order.uniform(0, 120e6))
    first, second = groups(final(sl.Scorer(bundle), some)), groups(final(sl.Scorer(bundle), late))
    pairs = [{(a, b) for one in found for a in one for b in one} for found in (first, second)]
    assert len(pairs[0] & pairs[1]) >= 0.8 * len(pairs[0] | pairs[1])  # what fires later was not known when


def test_a_clock_years_ahead_does_not_end_what_goes_on(bundle: sl.Bundle, rows: list[dict[str, Any]]) -> None:
    wrong = {**rows[5], "alert_id": "clock", "starts_at": rows[5]["starts_at"] + 24 * 365 * HOUR_US}
    expected = final(sl.Scorer(bundle), rows)
    found = final(sl.Scorer(bundle), [*rows[:6], wrong, *rows[6:]])
    assert groups({a: i for a, i in found.items() if a != "clock"}) == groups(expected)


def test_a_late_alert_is_said_to_be_late(bundle: sl.Bundle, rows: list[dict[str, Any]]) -> None:
    scorer = sl.Scorer(bundle)
    for row in rows[:10]:
        scorer.push(row)
    late = scorer.push({**rows[0], "alert_id": "late", "starts_at": rows[9]["starts_at"] - 1000 * HOUR_US})
    assert (late["status"], late["incident_id"]) == ("late", -1)


def test_what_is_over_is_forgotten(bundle: sl.Bundle, rows: list[dict[str, Any]]) -> None:
    scorer = sl.Scorer(bundle, window=64)
    sizes = []
    for turn in range(4):
        for row in rows:
            at = row["starts_at"] + turn * 24 * 100 * HOUR_US
            scorer.push({**row, "alert_id": f"{turn}-{row['alert_id']}", "starts_at": at, "ends_at": None})
        sizes.append(len(json.dumps(scorer.state())))
    assert max(sizes[1:]) < 1.5 * sizes[0]


def test_hostile_names_stay_on_their_line(bundle: sl.Bundle, rows: list[dict[str, Any]]) -> None:
    scorer = sl.LineScorer(bundle)
    names = ["\x1b[31mred\x1b[0m", "a\nb", "</script><script>", "\u202erev", "x" * 100_000, "=cmd()"]
    lines = []
    for place, name in enumerate(names):
        at = pd.Timestamp(rows[0]["starts_at"] + place * 1_000_000, unit="us", tz="UTC").isoformat()
        lines.append(
            json.dumps(
                {"alert_id": f"h{place}", "source": "x", "starts_at": at, "service": name, "alertname": name}
            ).encode()
        )
    for answer in scorer.answer(lines):
        for text in (answer["service"] or "", answer["why"], answer["team"] or ""):
            assert len(text) < 1_000
            assert "\x1b" not in text
            assert "\n" not in text
            assert "\u202e" not in text
            assert len(text) < 2_000
