"""What could be done now: what applies, in which order, and what stands against it."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pandas as pd
import pytest

import stanza_lab as sl
from stanza_lab.errors import SchemaError
from stanza_lab.patterns.reactions import vocabulary

NOW = pd.Timestamp("2026-03-01T14:02Z")
PRODUCTION = sl.ProductionMap(
    pd.DataFrame({"src": ["api", "web"], "dst": ["db", "api"], "confidence": [0.99, 0.99]}),
    ownership=pd.DataFrame({"service": ["db", "api", "web"], "team": ["shop", "shop", "front"]}),
)
FIRING = pd.DataFrame({"starts_at": [NOW, NOW - pd.Timedelta("1min")], "service": ["api", "db"]})


def read(folder: Path, *entries: str) -> Path:
    path = folder / "x.yaml"
    lines = "".join(f"  - {{command: c, {entry}}}\n" for entry in entries)
    path.write_text(f"team: shop\nreviewed: {{by: maria, on: 2026-02-01}}\nreactions:\n{lines}", encoding="utf-8")
    return path


def test_not_blocked_comes_first_then_little_risk(tmp_path: Path) -> None:
    path = read(
        tmp_path,
        "name: A, action: restart, risk: low, when: {service: db}, guardrails: {min_confidence: 0.9}",
        "name: B, action: page_team, params: {team: ops}, risk: medium, when: {service: db}",
        "name: C, action: page_team, params: {team: ops}, risk: low, when: {service: db}",
        "name: D, action: restart, risk: low, when: {service: web}",
    )
    found = sl.propose(path, PRODUCTION, alerts=FIRING)
    assert found.table["reaction"].tolist() == ["C", "B", "A"]
    assert found.table["blocked_by"].isna().tolist() == [True, True, False]
    assert found[2].blocked_by == "confidence: 0.50, asked for 0.9"
    assert found.table["rank"].tolist() == [1, 2, 3]
    assert repr(found) == "Proposals(3 reactions at 2026-03-01 14:02 UTC, 1 blocked)"
    assert len(list(found)) == len(found) == 3


def test_where_it_fits_is_where_it_acts_and_every_service_is_asked(tmp_path: Path) -> None:
    path = read(tmp_path, "name: A, action: restart, risk: low, when: {service: '*'}, for: ['*']")
    assert sorted(sl.propose(path, PRODUCTION, alerts=FIRING).table["target"]) == ["api", "db"]


def test_only_what_fires_at_that_time_is_known(tmp_path: Path) -> None:
    path = read(tmp_path, "name: A, action: restart, risk: low, when: {service: '*'}, for: ['*']")
    found = sl.propose(path, PRODUCTION, alerts=FIRING, at=NOW - pd.Timedelta("30s"))
    assert found.table["target"].tolist() == ["db"]
    over = FIRING.assign(ends_at=[pd.NaT, NOW - pd.Timedelta("10s")])
    assert sl.propose(path, PRODUCTION, alerts=over).table["target"].tolist() == ["api"]


def test_history_says_how_sure_it_is(tmp_path: Path) -> None:
    path = read(tmp_path, "name: A, action: restart, risk: low, when: {service: db}")
    days = pd.date_range("2026-02-01", periods=4, freq="D", tz="UTC")
    past = pd.DataFrame({"starts_at": days, "service": "db", "severity": "critical", "incident_id": range(4)})
    found = sl.propose(path, PRODUCTION, alerts=FIRING, history=sl.backtest(path, past))
    # 4 of 4 right: usually 5/6, here (4 + 2 x 5/6) / 6
    assert found[0].confidence == pytest.approx((4 + 10 / 6) / 6)
    assert "in history somebody was paged 4 of 4 times, at db 4 of 4" in found[0].words
    assert "never tried on history" in sl.propose(path, PRODUCTION, alerts=FIRING)[0].words


def test_what_was_done_lately_cools_down(tmp_path: Path) -> None:
    path = read(tmp_path, "name: A, action: restart, risk: low, when: {service: db}")
    done = pd.DataFrame({"at": [NOW - pd.Timedelta("5min")], "reaction": ["A"], "team": ["shop"], "target": ["db"]})
    assert "cool-down: done 5 min ago" in sl.propose(path, PRODUCTION, alerts=FIRING, done=done)[0].blocked_by
    assert sl.propose(path, PRODUCTION, alerts=FIRING, done=done.assign(target="api"))[0].blocked_by == ""
    assert sl.propose(path, PRODUCTION, alerts=FIRING, done=done.assign(at=NOW + NOW.resolution))[0].blocked_by == ""
    with pytest.raises(SchemaError, match="no column 'team'"):
        sl.propose(path, PRODUCTION, alerts=FIRING, done=done.drop(columns="team"))


def test_what_cannot_be_judged_is_said(tmp_path: Path) -> None:
    path = read(tmp_path, "name: A, action: restart, risk: low, pattern: P-1")
    assert sl.propose(path, PRODUCTION, alerts=FIRING).unseen == [
        "A: bound to a pattern and none was given; pass patterns="
    ]
    with pytest.raises(SchemaError, match="pass at="):
        sl.propose(path, PRODUCTION, alerts=FIRING.iloc[:0])
    assert len(sl.propose(path, PRODUCTION, alerts=FIRING.iloc[:0], at=NOW)) == 0


def test_no_name_and_no_command_is_markup(tmp_path: Path) -> None:
    path = tmp_path / "x.yaml"
    path.write_text(
        "team: <b onclick=x>\nreactions:\n  - {name: <img src=x>, action: restart, risk: low, when: {service: '*', "
        "team: '*'}, for: ['*'], command: '<script>alert(1)</script>'}\n",
        encoding="utf-8",
    )
    shown = sl.propose(path, PRODUCTION, alerts=FIRING)._repr_html_()
    assert not any(mark in shown for mark in ("<img", "<script", "<b onclick"))


def test_history_that_the_pattern_was_mined_from_is_said_to_flatter(tmp_path: Path) -> None:
    path = read(tmp_path, "name: A, action: restart, risk: low, when: {service: db}")
    days = pd.date_range("2026-02-01", periods=4, freq="D", tz="UTC")
    past = pd.DataFrame({"starts_at": days, "service": "db", "severity": "critical", "incident_id": range(4)})
    tried = sl.backtest(path, past)
    assert "mined from" not in sl.propose(path, PRODUCTION, alerts=FIRING, history=tried)[0].words
    tried = replace(tried, firings=tried.firings.assign(in_sample=[True, True, True, False]))
    said = sl.propose(path, PRODUCTION, alerts=FIRING, history=tried)[0].words
    assert "(3 of these the pattern was mined from, which flatters it)" in said


@pytest.mark.parametrize(
    ("command", "target", "said"),
    [
        ("undo deploy/{service} -n {service}", "orders-api.v2", "undo deploy/orders-api.v2 -n orders-api.v2"),
        ("undo {service}", "x; rm -rf /", "undo {service}"),
        ("undo {service}", "-rf", "undo {service}"),
        ("undo {service}", "x\n", "undo {service}"),
        ("undo ${service} {{service}}", "x", "undo ${service} {{service}}"),
        ("undo {service}", "", "undo {service}"),
    ],
)
def test_the_target_stands_in_the_command_where_its_name_is_safe(command: str, target: str, said: str) -> None:
    assert vocabulary.filled(command, target) == said


def test_a_name_that_is_not_safe_is_left_out_of_the_command_and_said(tmp_path: Path) -> None:
    path = tmp_path / "x.yaml"
    path.write_text(
        "team: shop\nreactions:\n  - {name: A, action: restart, risk: low, when: {service: '*', team: '*'}, "
        "command: 'restart {service}', undo: 'stop {service}'}\n",
        encoding="utf-8",
    )
    found = sl.propose(path, PRODUCTION, alerts=FIRING.head(1))[0]
    assert (found.command, found.undo) == ("restart api", "stop api")
    assert "stands in its command" not in found.words
    assert any("restart api" in step for step in sl.DryRun().plan(found).steps)
    odd = replace(found, target="$(reboot)")
    assert odd.command == "restart {service}"
    assert "{service} stands in its command as written" in odd.words
