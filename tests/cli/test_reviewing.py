"""The review of an incident, as a person types it."""

from __future__ import annotations

import json
import re
from pathlib import Path

import pandas as pd
import pytest

import stanza_lab as sl


@pytest.fixture(scope="module")
def shop(tmp_path_factory: pytest.TempPathFactory) -> list[str]:
    """Return the arguments that the verb takes for a small simulated production."""
    folder = tmp_path_factory.mktemp("shop")
    sl.simulate_production(services=10, teams=3, days=14, incidents=10, random_state=3).export(folder, overwrite=True)
    sl.History(folder / "history").ingest(folder / "exports")
    return [str(folder / "history"), "--ownership", str(folder / "ownership.csv"), "--no-patterns"]


def test_a_review_is_markdown_and_a_table_of_it_is_a_table(run, shop: list[str]) -> None:
    found = run("review", *shop)
    assert found.code == 0, found.err
    assert found.out.startswith("# Incident ")
    assert "## Questions for the meeting" in found.out
    number = found.out.split()[2].rstrip(":")
    rows = json.loads(run("review", *shop, number, "--view", "timeline", "--format", "json").out)
    assert rows[0]["kind"] in ("alert", "deploy")
    assert {"recovery", "alert"} <= {row["kind"] for row in rows}


def test_a_view_says_which_incident_it_is_of_and_in_which_zone_its_times_are(
    run, shop: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("COLUMNS", "80")
    found = run("review", *shop, "0", "--view", "timeline", "--tz", "Asia/Tokyo")
    told, shown = " ".join(found.err.split()), " ".join(found.out.split())
    assert "numbers change with --traces, --params and --since, a time does not" in told
    began = pd.Timestamp(told.split("incident 0 began ")[1][:16], tz="UTC").tz_convert("Asia/Tokyo")
    assert shown.startswith("Incident 0: ")
    assert f", {began:%Y-%m-%d %H:%M}; timeline (times in Asia/Tokyo)" in shown
    assert re.search(rf"^ {began:%H:%M}:\d\d +alert", found.out, re.MULTILINE)  # not cut, and of that day without it


def test_files_are_written_as_their_names_say(run, shop: list[str], tmp_path: Path) -> None:
    assert run("review", *shop, "--out", tmp_path / "a.html").code == 0
    assert "over-the-map" in (tmp_path / "a.html").read_text()
    assert run("review", *shop, "--out", tmp_path / "a.json").code == 0
    told = json.loads((tmp_path / "a.json").read_text())
    assert {"incident", "words", "unseen", "timeline", "questions"} <= set(told)


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["--format", "csv"], "a review is several tables; add --view"),
        (["--out", "review.docx"], "a review is written as .md, .html or .json"),
    ],
)
def test_what_cannot_be_written_is_refused_at_once(run, arguments: list[str], said: str) -> None:
    found = run("review", "no-such-history", *arguments)
    assert found.code == 2
    assert said in found.err


def test_an_incident_that_is_not_there_is_said(run, shop: list[str]) -> None:
    found = run("review", *shop, "9999")
    assert found.code == 1
    assert "incident 9999 not found" in found.err


def test_a_folder_that_is_not_there_is_said(run, shop: list[str], tmp_path: Path) -> None:
    found = run("review", *shop, "--out", tmp_path / "no" / "a.md")
    assert found.code == 1
    assert "no/a.md" in found.err
