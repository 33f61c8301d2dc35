"""Pager load and what to tune down, as a person types it."""

from __future__ import annotations

import csv
import json
from pathlib import Path

import pytest

import stanza_lab as sl
from stanza_lab.cli.on_call import View

COLUMNS = {  # one that only this table has
    "teams": "per_shift",
    "shifts": "whole",
    "people": "weeks",
    "response": "n_excluded",
    "rules": "chronic",
    "storms": "usual",
    "duplicates": "how",
    "stages": "compression",
    "limits": "verdict",
}


@pytest.fixture
def shop(shop_on_call: Path) -> list[str]:
    return [str(shop_on_call / "history"), "--ownership", str(shop_on_call / "ownership.csv")]


@pytest.mark.parametrize("view", [view.value for view in View])
def test_each_table_of_the_load_can_be_asked_for(run, shop: list[str], tmp_path: Path, view: str) -> None:
    found = run("load", *shop, "--view", view, "--out", tmp_path / "load.csv")
    assert found.code == 0, found.err
    with (tmp_path / "load.csv").open(newline="") as file:
        rows = list(csv.reader(file))
    assert COLUMNS[view] in rows[0]
    assert len(rows) > 1 or view == "storms"


def test_the_load_is_a_table_with_sentences_and_what_was_not_seen(run, shop: list[str]) -> None:
    found = run("load", *shop, "--view", "people", "--tz", "Europe/Berlin")
    assert found.code == 0, found.err
    assert "Pager load: people (Europe/Berlin)" in found.out
    head = next(line for line in found.out.splitlines() if "person" in line)
    assert "team" in head.split()
    assert "person " in found.out  # a pseudonym, no name
    assert "by the clock of Europe/Berlin" in found.out
    assert "not seen:" in found.err


def test_definitions_differ_and_are_named(run, shop: list[str]) -> None:
    rows = json.loads(run("load", *shop, "--view", "response", "--definition", "all", "--format", "json").out)
    assert {row["definition"] for row in rows} == {"pagerduty", "moogsoft", "keep", "ours"}


@pytest.mark.parametrize(
    ("wrong", "said"),
    [(["--tz", "Mars/Base"], "no time zone"), (["--shift", "7h"], "shift='7h'"), (["--handover", "8"], "handover='8'")],
)
def test_what_makes_no_sense_is_refused_in_words(run, shop: list[str], wrong: list[str], said: str) -> None:
    found = run("load", *shop, *wrong)
    assert found.code == 2
    assert said in found.err
    assert "Traceback" not in found.err


def test_edits_are_written_as_the_name_of_the_file_says(run, shop: list[str], tmp_path: Path) -> None:
    found = run("tune-down", *shop, "--patches", tmp_path / "edits.md", "--html", tmp_path / "picture.html")
    assert found.code == 0, found.err
    assert "written to" in found.err
    assert "none was applied" in found.err
    text = (tmp_path / "edits.md").read_text()
    assert text.startswith("# Tune down: a list of edits to review")
    assert "Nothing here was applied" in text
    assert "plotly" in (tmp_path / "picture.html").read_text()
    assert "(UTC)" in found.out
    assert run("tune-down", *shop, "--patches", tmp_path / "edits.csv").code == 0
    assert (tmp_path / "edits.csv").read_text().startswith("number,source,where,rule")


def test_edits_are_not_written_under_a_name_that_says_something_else(run, shop: list[str], tmp_path: Path) -> None:
    found = run("tune-down", *shop, "--patches", tmp_path / "edits.json")
    assert found.code == 2
    assert "edits are written as .md or .csv" in found.err
    assert not list(tmp_path.iterdir())


def test_what_would_have_been_missed_is_listed_one_by_one(run, shop: list[str]) -> None:
    found = run("tune-down", *shop, "--missed", "--format", "json")
    assert found.code == 0, found.err
    rows = json.loads(found.out)
    assert all({"rule", "change", "part", "starts_at", "why"} <= set(row) for row in rows)


def test_a_split_outside_of_the_history_is_refused(run, shop: list[str]) -> None:
    found = run("tune-down", *shop, "--split", "2001-01-01")
    assert found.code == 2
    assert "one part is empty" in found.err


def test_a_hostile_title_cannot_write_to_the_terminal(run, tmp_path: Path) -> None:
    title = "\x1b]0;owned\x07\x1b[2J<script>"
    event = {
        "id": "E1", "event_type": "incident.triggered", "resource_type": "incident",
        "occurred_at": "2026-07-01T10:00:00Z", "agent": None, "data": {
            "id": "Q1", "type": "incident", "number": 1, "status": "triggered", "incident_key": title, "title": title,
            "service": {"id": "P1", "summary": title}, "assignees": [{"id": "U1", "summary": "Mira Altaby"}],
            "escalation_policy": {"summary": title}, "teams": [{"summary": title}],
        },
    }  # fmt: skip
    (tmp_path / "pagerduty_webhooks.ndjson").write_text(json.dumps({"event": event}) + "\n")
    sl.History(tmp_path / "history").ingest(tmp_path / "pagerduty_webhooks.ndjson")
    for view in ("teams", "shifts", "people"):
        found = run("load", tmp_path / "history", "--view", view)
        assert found.code == 0, found.err
        assert "\x1b]" not in found.out + found.err
        assert "\x1b[2J" not in found.out + found.err
        assert "Mira" not in found.out + found.err


def test_the_load_of_a_day_is_of_the_people_of_that_day(run, shop: list[str]) -> None:
    every = json.loads(run("load", *shop, "--view", "people", "--format", "json").out)
    first = min(row["starts_at"] for row in json.loads(run("load", *shop, "--view", "shifts", "--format", "json").out))
    until = f"{int(first[:4]):04d}{first[4:10]}T23:59:00Z"
    found = run("load", *shop, "--until", until, "--view", "people", "--format", "json")
    assert found.code == 0, found.err
    day = json.loads(found.out)
    assert sum(row["interruptions"] for row in day) < sum(row["interruptions"] for row in every)


def test_shifts_are_told_by_the_clock_of_people(run, shop: list[str]) -> None:
    found = run("load", *shop, "--view", "shifts", "--tz", "Europe/Berlin", "--handover", "07:30")
    assert found.code == 0, found.err
    assert " 07:30 " in found.out
    assert ":30Z" not in found.out


def test_definitions_side_by_side_are_told_apart(run, shop: list[str]) -> None:
    found = run("load", *shop, "--view", "response", "--definition", "all")
    assert "moogsoft" in found.out
    assert "Pager load: response (UTC)" in found.out


def test_a_split_is_a_share_or_a_time(run, shop: list[str]) -> None:
    half = run("tune-down", *shop, "--split", "0.5")
    assert half.code == 0, half.err
    assert half.out == run("tune-down", *shop).out
    wrong = run("tune-down", *shop, "--split", "soon")
    assert wrong.code == 2
    assert "soon" in wrong.err


def test_what_would_be_missed_names_change_and_part_and_no_rows_are_none(run, shop: list[str]) -> None:
    found = run("tune-down", *shop, "--missed")
    assert found.code == 0, found.err
    assert found.out.rstrip().endswith("none") or {"change", "part"} <= set(found.out.splitlines()[2].split())
