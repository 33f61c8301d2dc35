"""The verbs about names as a person types them."""

from __future__ import annotations

import json
from pathlib import Path

import pandas as pd
import pytest

import stanza_lab as sl

ROWS = [
    ("2026-03-01T10:00:00Z", "errors", "web", "shop"),
    ("2026-03-01T10:01:00Z", "slow", "db", "storage"),
    ("2026-03-02T10:00:00Z", "errors", "web", "pay"),
    ("2026-03-02T11:00:00Z", "errors", "web", "pay"),
    ("2026-03-03T10:00:00Z", "ping", "", ""),
]


@pytest.fixture
def history(tmp_path: Path) -> Path:
    table = tmp_path / "alerts.csv"
    lines = [",".join(row) for row in [("starts_at", "alertname", "service", "team"), *ROWS]]
    table.write_text("\n".join(lines))
    sl.History(tmp_path / "h").ingest(table)
    return tmp_path / "h"


@pytest.fixture
def ownership(tmp_path: Path) -> Path:
    path = tmp_path / "owners.csv"
    path.write_text("service,team\nweb,shop\nsearch,find\n")
    return path


def test_owners_begin_with_conflicts_and_say_what_they_are(run, history: Path, ownership: Path) -> None:
    result = run("owners", history, "--ownership", ownership)
    assert result.code == 0
    lines = result.out.splitlines()
    assert lines[0] == "3 services: 1 in conflict, 0 without a team"
    assert next(line for line in lines if line.strip().startswith(("web", "db", "search"))).split()[:2] == [
        "web",
        "shop",
    ]
    assert (
        lines[-1]
        == "* web: the catalogue says shop, but 2 of its 3 alerts that name a team name pay: correct one of them"
    )


def test_owners_leave_in_every_format(run, history: Path, tmp_path: Path) -> None:
    rows = json.loads(run("owners", history, "--format", "json").out)
    assert [(row["service"], row["team"], row["basis"]) for row in rows] == [
        ("db", "storage", "paged"),
        ("web", "pay", "paged"),
    ]
    for name in ("o.csv", "o.parquet", "o.txt"):
        assert run("owners", history, "--out", tmp_path / name).code == 0
    assert pd.read_csv(tmp_path / "o.csv")["service"].tolist() == ["db", "web"]


def test_teams_tell_what_each_owns_and_who_is_paged_together(run, history: Path, tmp_path: Path) -> None:
    result = run("teams", history)
    assert result.code == 0
    assert "3 teams; 1 without a service of their own" in result.out
    pairs = json.loads(run("teams", history, "--within", "2min", "--format", "json").out)
    assert [(pair["team"], pair["other"], pair["together"]) for pair in pairs] == [
        ("shop", "storage", 2),
        ("pay", "shop", 0),
    ]
    assert run("teams", history, "--out", tmp_path / "t.txt").code == 0
    assert "storage" in (tmp_path / "t.txt").read_text()
    assert run("teams", history, "--within", "soon").code == 2


def test_coverage_says_what_is_known_and_what_to_fix(run, history: Path, ownership: Path, tmp_path: Path) -> None:
    page = tmp_path / "coverage.html"
    result = run("coverage", history, "--ownership", ownership, "--html", page)
    assert result.code == 0
    assert result.out.startswith("* Coverage 64 of 100: 5 alerts of 1 source, 2026-03-01 to 2026-03-03; ")
    assert "1. table: all 5 alerts of 3 rules name no resource (mostly errors); " in result.out
    assert "Content-Security-Policy" in page.read_text()
    rows = json.loads(run("coverage", history, "--format", "json").out)
    assert [row["lacks"] for row in rows] == ["resource", "service"]
    assert run("coverage", history, "--out", tmp_path / "c.txt").code == 0
    assert "name no resource" in (tmp_path / "c.txt").read_text()


def test_traces_tell_of_services_that_never_alert(run, history: Path, tmp_path: Path) -> None:
    span = {
        "traceId": "0" * 31 + "1",
        "spanId": "0" * 15 + "1",
        "name": "send",
        "startTimeUnixNano": "1772359200000000000",
    }
    resource = {"attributes": [{"key": "service.name", "value": {"stringValue": "mailer"}}]}
    traces = tmp_path / "traces.json"
    traces.write_text(json.dumps({"resourceSpans": [{"resource": resource, "scopeSpans": [{"spans": [span]}]}]}))
    out = run("coverage", history, "--traces", traces).out
    assert "* Silent, for want of trouble or of a monitor: mailer." in out


def test_what_is_asked_for_is_chosen_by_resolved_names(run, history: Path) -> None:
    rows = json.loads(
        run("owners", history, "--where", "service = 'web'", "--until", "2026-03-02", "--format", "json").out
    )
    assert [(row["service"], row["team"]) for row in rows] == [("web", "shop")]
    for verb in ("owners", "teams", "coverage"):
        nothing = run(verb, history, "--since", "2030-01-01")
        assert (nothing.code, nothing.out) == (1, "")
        assert "without alerts there is nothing to show" in nothing.err


@pytest.fixture
def spelled(tmp_path: Path) -> Path:
    table = tmp_path / "names.csv"
    rows = [
        "starts_at,alertname,service",
        "2026-03-01T10:00:00Z,slow,checkout",
        "2026-03-01T11:00:00Z,slow,Checkout (P1)",
    ]
    table.write_text("\n".join(rows))
    sl.History(tmp_path / "n").ingest(table)
    return tmp_path / "n"


def test_names_lists_names_and_says_why(run, spelled: Path) -> None:
    assert run("names", spelled).out.startswith("1 name of 1 service; 0 conflicts")
    told = json.loads(run("names", spelled, "--format", "json").out)
    assert [(row["name"], row["service"], row["spellings"]) for row in told] == [
        ("checkout", "checkout", ["Checkout (P1)", "checkout"])
    ]
    assert "'Checkout (P1)' is checkout: confidence 1.00" in run("names", spelled, "--explain", "Checkout (P1)").out
    assert "is 'Checkout' with the note (P1)" in run("names", spelled, "--explain", "Checkout (P1)").out
    unknown = run("names", spelled, "--explain", "nobody")
    assert unknown.code == 2
    assert "no alert and no catalogue has a service called 'nobody'" in unknown.err


def test_overrides_win_in_every_verb(run, spelled: Path, tmp_path: Path) -> None:
    overrides = tmp_path / "names.yaml"
    overrides.write_text("services:\n  till: [checkout]\n")
    assert "till" in run("names", spelled, "--overrides", overrides).out
    told = json.loads(run("alerts", spelled, "--overrides", overrides, "--format", "json").out)
    assert "till" in {row["service"] for row in told}


def test_extract_reads_a_text(run) -> None:
    told = json.loads(
        run("extract", "dial tcp: lookup orders-db on 10.0.0.10:53: no such host", "--format", "json").out
    )
    assert [(row["kind"], row["name"], row["method"]) for row in told] == [("service", "orders-db", "callee")]
