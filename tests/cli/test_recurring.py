"""What recurs and what could be done about it, as a person types it."""

from __future__ import annotations

import json
from pathlib import Path

import pandas as pd
import pytest

import stanza_lab as sl

NOW = "2026-08-26T12:00Z"
CATALOGUE = """
team: catalog
reviewed: {by: maria, on: 2026-07-01}
for: ["*"]
reactions:
  - {name: Restart, action: restart, when: {service: "catalog-*"}, command: echo never-run, risk: low, effect: 5min}
  - {name: Roll back, action: roll_back, params: {to: previous}, pattern: "P-*", command: c, risk: medium, effect: 5min}
"""


@pytest.fixture(scope="module")
def shop(tmp_path_factory: pytest.TempPathFactory) -> list[str]:
    """Return the arguments that both verbs take for a small simulated production in which something recurs."""
    folder = tmp_path_factory.mktemp("shop")
    sl.simulate_production(services=10, teams=3, days=60, incidents=120, random_state=3).export(folder, overwrite=True)
    sl.History(folder / "history").ingest(folder / "exports")
    return [str(folder / "history"), "--ownership", str(folder / "ownership.csv")]


@pytest.fixture
def catalogue(tmp_path: Path) -> Path:
    path = tmp_path / "catalog.yaml"
    path.write_text(CATALOGUE, encoding="utf-8")
    return path


def told(found) -> list[dict]:
    assert found.code == 0, found.err
    return json.loads(found.out)


def test_patterns_are_listed_and_one_is_explained(run, shop: list[str], tmp_path: Path) -> None:
    page = tmp_path / "calendar.html"
    rows = told(run("patterns", *shop, "--format", "json", "--html", page))
    assert rows[0]["support"] >= rows[-1]["support"] >= 3
    assert "What recurs, and when" in page.read_text()
    found = run("patterns", *shop, "--pattern", rows[0]["pattern"])
    assert found.code == 0, found.err
    assert f"{rows[0]['name']} ({rows[0]['pattern']})" in found.out
    assert "Each time:" in found.out


def test_an_incident_was_seen_before_or_looks_like_others(run, shop: list[str]) -> None:
    found = run("patterns", *shop, "--incident", "40")
    assert found.code == 0, found.err
    assert "What looks most like incident 40" in found.out
    assert "seen before: " in found.out or "no pattern that was found fits it" in found.out
    rows = told(run("patterns", *shop, "--incident", "40", "--format", "json"))
    assert [row["similarity"] for row in rows] == sorted((row["similarity"] for row in rows), reverse=True)
    assert 40 not in {row["incident_id"] for row in rows}


def test_what_the_beginnings_warned_of_is_a_table(run, shop: list[str]) -> None:
    rows = told(run("patterns", *shop, "--early", "--format", "json"))
    assert rows
    assert all(row["came"] <= min(row["warnings"], row["happened"]) for row in rows)


@pytest.mark.parametrize(
    ("arguments", "code", "said"),
    [
        (["--early", "--incident", "1"], 2, "--pattern, --incident and --early are three views"),
        (["--incident", "9999"], 1, "incident 9999 not found"),
        (["--pattern", "P-none"], 1, "pattern 'P-none' not found"),
        (["--min-support", "1"], 2, "min-support"),
    ],
)
def test_patterns_that_cannot_be_told_are_refused(run, shop: list[str], arguments: list[str], code: int, said: str):
    found = run("patterns", *shop, *arguments)
    assert found.code == code
    assert said in found.err


def test_reactions_are_tried_on_what_came_after(run, shop: list[str], catalogue: Path, tmp_path: Path) -> None:
    page = tmp_path / "tried.html"
    rows = told(run("reactions", *shop, catalogue, "--format", "json", "--html", page))
    assert [row["reaction"] for row in rows] == ["Restart", "Roll back"]
    assert all(row["triggers"] == row["fired"] + row["blocked"] for row in rows)
    assert "Restart" in page.read_text()
    fired = told(run("reactions", *shop, catalogue, "--try-from", "2026-08-10", "--firings", "--format", "json"))
    assert fired
    assert min(row["at"] for row in fired) >= "2026-08-10"
    assert not any(row["in_sample"] for row in fired)


def test_what_applies_now_is_told_and_nothing_is_run(run, shop: list[str], catalogue: Path) -> None:
    late = max(sl.History(shop[0]).alerts().query("service == 'catalog-api'")["starts_at"])
    found = run("reactions", *shop, catalogue, "--now", late.isoformat())
    assert found.code == 0, found.err
    assert "Restart (of team catalog): restart catalog-" in found.out
    assert "echo never-run" in found.out
    assert "nothing here runs them" in found.err


def test_what_came_after_now_is_not_known(
    run, shop: list[str], catalogue: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    known: list[pd.Timestamp] = []

    def mine(alerts: pd.DataFrame, *, pages: pd.DataFrame, **more: object) -> sl.Patterns:
        for table in (alerts, pages):
            known.extend(table[name].max() for name in ("starts_at", "ends_at", "acked_at"))
        return mined(alerts, pages=pages, **more)

    mined = sl.mine_patterns
    monkeypatch.setattr(sl, "mine_patterns", mine)
    assert run("reactions", *shop, catalogue, "--now", NOW).code == 0
    assert len(known) == 6
    assert max(time for time in known if pd.notna(time)) < pd.Timestamp(NOW)


@pytest.mark.parametrize(
    ("arguments", "code", "said"),
    [
        (["--now", NOW, "--firings"], 2, "--now tells what applies at a time"),
        (["--try-from", "soon"], 2, "soon"),
    ],
)
def test_reactions_that_cannot_be_tried_are_refused(
    run, shop: list[str], catalogue: Path, arguments: list[str], code: int, said: str
) -> None:
    found = run("reactions", *shop, catalogue, *arguments)
    assert found.code == code
    assert said in found.err


def test_a_catalogue_with_a_mistake_is_told_with_its_line_before_anything_is_read(run, catalogue: Path) -> None:
    catalogue.write_text(CATALOGUE.replace("risk: low", "risk: lwo"), encoding="utf-8")
    found = run("reactions", "no-such-history", catalogue)
    assert found.code == 1
    assert "line 6" in found.err


def test_every_mistake_of_a_catalogue_is_on_a_line_of_its_own(run, catalogue: Path) -> None:
    catalogue.write_text(CATALOGUE.replace("risk: low", "risk: lwo").replace("pattern:", "patern:"), encoding="utf-8")
    lines = [line for line in run("reactions", "no-such-history", catalogue).err.splitlines() if "line " in line]
    assert len(lines) >= 2
    assert all(line.count("catalog.yaml, line") == 1 for line in lines)


def test_by_goes_to_look_alikes_and_early_warnings(run, shop: list[str]) -> None:
    rows = told(run("patterns", *shop, "--incident", "40", "--by", "service", "--format", "json"))
    assert not any(": " in kind for row in rows for kind in row["shared"])
    rows = told(run("patterns", *shop, "--early", "--by", "service", "--format", "json"))
    assert rows
    assert not any(": " in kind for row in rows for kind in row["prefix"])


def test_beyond_the_data_is_told(run, shop: list[str], catalogue: Path) -> None:
    found = run("reactions", *shop, catalogue, "--try-from", "2030-01-01")
    assert found.code == 2
    assert "nothing fired after it; the last alert is of 2026-" in found.err
    found = run("reactions", *shop, catalogue, "--now", "2030-01-01")
    assert found.code == 0, found.err
    assert "nothing fired in the hour before 2030-01-01 00:00 UTC; the nearest alerts fired 2026-" in found.out


def test_the_table_of_reactions_has_room_in_a_terminal(
    run, shop: list[str], catalogue: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("COLUMNS", "140")
    found = run("reactions", *shop, catalogue)
    assert found.code == 0, found.err
    head = next(line for line in found.out.splitlines() if "verdict" in line)
    assert all(name in head for name in ("team", "fired", "false", "blocked", "first page", "saves at most"))
