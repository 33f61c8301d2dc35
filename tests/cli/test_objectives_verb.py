"""How services kept their promises, as a person types it."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

SLOS = """
team: web
slos:
  - {name: Answers, service: "*", objective: 99.5, window: 30d, indicator: requests}
  - {name: Whole sessions, service: "*-web", objective: 95, window: 30d, kind: session}
"""


@pytest.fixture
def shop(shop_on_call: Path, tmp_path: Path) -> list[str]:
    (tmp_path / "web.yaml").write_text(SLOS)
    return [str(shop_on_call / "history"), "--objectives", str(tmp_path / "web.yaml")]


@pytest.fixture
def counted(shop: list[str], shop_on_call: Path) -> list[str]:
    return [*shop, "--indicators", str(shop_on_call / "indicators")]


def test_without_counts_alert_time_stands_in_and_is_called_a_proxy(run, shop_on_call: Path) -> None:
    found = run("reliability", shop_on_call / "history")
    assert found.code == 0, found.err
    assert "Statements at 2026-" in found.out
    assert "a proxy" in found.err
    assert "how sure" not in found.out  # seconds do not say


@pytest.mark.parametrize(
    ("view", "column"),
    [
        ("statements", "verdict"),
        ("objectives", "attained"),
        ("burn", "window"),
        ("golden", "p99_s"),
        ("rules", "recall"),
    ],
)
def test_each_table_can_be_asked_for(run, counted: list[str], view: str, column: str) -> None:
    found = run("reliability", *counted, "--view", view, "--format", "json")
    assert found.code == 0, found.err
    rows = json.loads(found.out)
    assert rows
    assert column in rows[0]


def test_sessions_are_counted_as_sessions_and_nines_are_cut(run, counted: list[str]) -> None:
    found = run("reliability", *counted, "--view", "objectives")
    assert found.code == 0, found.err
    assert "sessions (" in found.out
    assert "requests (" in found.out
    assert "definition" in found.err


def test_objectives_are_written_for_prometheus(run, counted: list[str], tmp_path: Path) -> None:
    found = run("reliability", *counted, "--prometheus", tmp_path / "out" / "slos.yaml", "--html", tmp_path / "a.html")
    assert found.code == 0, found.err
    assert "slo:error_ratio:rate1h" in (tmp_path / "out" / "slos.yaml").read_text()
    assert (tmp_path / "out" / "slos_test.yaml").is_file()
    assert "requests and sessions counted" in (tmp_path / "a.html").read_text()


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["--view", "rules"], "--view rules needs --indicators"),
        (["--view", "golden"], "--view golden needs --indicators"),
        (["--prometheus", "slos.yaml"], "--prometheus needs --objectives"),
        (["--indicators", "."], "--indicators needs --objectives"),
    ],
)
def test_what_is_missing_is_said_at_once(run, arguments: list[str], said: str) -> None:
    found = run("reliability", "no-such-history", *arguments)
    assert found.code == 2
    assert said in found.err


def test_a_wrong_file_or_zone_is_said_and_where(run, shop: list[str], tmp_path: Path) -> None:
    assert "no time zone" in run("reliability", *shop, "--tz", "Mars/Base").err
    (tmp_path / "web.yaml").write_text("team: web\nslos:\n  - {name: A, service: b, objective: 101, window: 30d}\n")
    found = run("reliability", *shop)
    assert found.code == 1
    assert "web.yaml" in found.err
    assert "3" in found.err


def test_nothing_follows_from_what_nobody_promised(run, shop_on_call: Path) -> None:
    found = run("reliability", shop_on_call / "history", "--objective", "99")
    assert found.code == 0, found.err
    assert "nobody promised" in found.out
    assert "99 % over 30 d is assumed" in found.out
    assert "freeze" not in found.out
    later = run("reliability", shop_on_call / "history", "--at", "2030-01-01", "--format", "json")
    assert {row["verdict"] for row in json.loads(later.out)} == {"cannot judge"}


def test_an_assumed_objective_and_a_promise_exclude_each_other(run, shop: list[str]) -> None:
    found = run("reliability", *shop, "--objective", "99")
    assert found.code == 2
    assert "--objectives says what was promised" in found.err
