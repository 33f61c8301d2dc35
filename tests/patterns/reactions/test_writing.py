"""Reactions and how they did, as JSON and back: the same, but for people."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path
from typing import Any

import pandas as pd
import pytest

import stanza_lab as sl
from stanza_lab.errors import BundleError
from stanza_lab.patterns.reactions.catalogue import Reactions
from stanza_lab.patterns.reactions.writing import Tried
from tests.patterns.reactions.test_catalogue import FILE, written
from tests.patterns.reactions.test_propose import FIRING, PRODUCTION, read


def again(reactions: Reactions, **more: bool) -> Reactions:
    return Reactions.from_dict(json.loads(json.dumps(reactions.to_dict(**more))))


def test_all_of_it_comes_back_when_people_may_be_kept(tmp_path: Path) -> None:
    known = sl.read_reactions(written(tmp_path, FILE))
    back = again(known, keep_personal_data=True)
    assert back.items == tuple(replace(one, file=Path(one.file).name) for one in known.items)
    assert back.teams.assign(file="").equals(known.teams.assign(file=""))
    assert back.teams.dtypes.equals(known.teams.dtypes)
    assert again(back, keep_personal_data=True).to_dict() == back.to_dict()


def test_nobody_and_no_folder_is_written_unless_asked_for(tmp_path: Path) -> None:
    path = read(tmp_path, "name: R, action: restart, risk: low, when: {service: db}, owner: ines")
    path.write_text(path.read_text().replace("command: c", "command: mail maria.h@example.org"), encoding="utf-8")
    known = sl.read_reactions(path)
    said = json.dumps(known.to_dict())
    assert not [word for word in ("maria", "ines", "example.org", str(tmp_path)) if word in said]
    back = again(known)
    assert back.items[0].owner == "shop"
    assert back.cautions() == {}  # that somebody reviewed it is kept
    kept = json.dumps(known.to_dict(keep_personal_data=True))
    assert "maria.h@example.org" in kept
    assert "ines" in kept


def test_no_reactions_come_back_as_none() -> None:
    empty = Reactions((), pd.DataFrame(columns=["team", "reviewed_by", "reviewed_on", "file"]))
    assert len(again(empty)) == len(again(empty).teams) == 0


def damaged(**change: Any) -> dict[str, Any]:
    item: dict[str, Any] = {
        "name": "R", "team": "shop", "action": "restart", "command": "c", "risk": "low", "target": "", "undo": "",
        "owner": "", "file": "", "line": 1, "params": {}, "pattern": ["P-1"], "shared_with": [], "when": None,
        "effect_s": None, "guardrails": {"min_confidence": 0.5, "max_blast_radius": None, "max_risk": "high",
        "cool_down": 60.0, "approval": "human"},
    }  # fmt: skip
    return {"format": 1, "items": [item | change], "teams": []}


@pytest.mark.parametrize(
    "told",
    [
        {},
        [],
        {"format": 2, "items": [], "teams": []},
        {"format": 1, "items": [{}], "teams": []},
        {"format": 1, "items": 7, "teams": []},
        damaged(action="rm"),
        damaged(risk=None),
        damaged(name=["R"]),
        damaged(pattern="P-1"),
        damaged(line="x"),
        damaged(effect_s=[-1.0, 2.0]),
        damaged(when={"severity": "loud"}),
        damaged(params="x"),
        damaged(guardrails={}),
    ],
)
def test_what_is_damaged_is_refused(told: Any) -> None:
    with pytest.raises(BundleError, match="reactions are"):
        Reactions.from_dict(told)


def test_whole_example_is_not_refused() -> None:
    assert Reactions.from_dict(damaged()).items[0].pattern == ("P-1",)


PAST = pd.DataFrame(
    {
        "starts_at": pd.date_range("2026-02-01", periods=8, freq="D", tz="UTC"),
        "service": ["db"] * 5 + ["api"] * 3,
        "severity": ["critical", "info"] * 4,
        "incident_id": range(8),
    }
)


def test_sums_say_what_the_whole_backtest_says(tmp_path: Path) -> None:
    path = read(
        tmp_path,
        "name: A, action: restart, risk: low, when: {service: db}",
        "name: B, action: restart, risk: low, when: {service: '*'}",
    )
    whole = sl.backtest(path, PAST)
    sums = Tried.read(Tried.of(whole).table.copy())
    assert Tried.of(sums) is sums
    assert len(sums.table) < len(whole.firings)
    assert int(sums.table["times"].sum()) == len(whole.firings)
    found, expected = (sl.propose(path, PRODUCTION, alerts=FIRING, history=one).table for one in (sums, whole))
    pd.testing.assert_frame_equal(found, expected)


def test_sums_without_a_column_are_refused(tmp_path: Path) -> None:
    path = read(tmp_path, "name: A, action: restart, risk: low, when: {service: db}")
    table = Tried.of(sl.backtest(path, PAST)).table
    with pytest.raises(BundleError, match="lacks"):
        Tried.read(table.drop(columns="times"))
