"""The verbs that keep a history: ingest with its options, sql, verify, retain."""

from __future__ import annotations

import io
import json
from pathlib import Path

import pandas as pd
import pytest

import stanza_lab as sl


def change(alarm: str, state: str, at: str) -> str:
    return json.dumps({"AlarmName": alarm, "NewStateValue": state, "StateChangeTime": at})


@pytest.fixture
def exports(tmp_path: Path) -> Path:
    folder = tmp_path / "exports"
    folder.mkdir()
    old = [change("cpu", "ALARM", "2026-01-01T10:00:00Z"), change("cpu", "OK", "2026-01-01T11:00:00Z")]
    new = [change("cpu", "ALARM", "2026-03-01T10:00:00Z"), change("disk", "ALARM", "2026-03-02T10:00:00Z")]
    (folder / "old.json").write_text("\n".join(old))
    (folder / "new.json").write_text("\n".join(new))
    return folder


@pytest.fixture
def history(exports: Path, tmp_path: Path) -> Path:
    path = tmp_path / "h"
    sl.History(path).ingest(exports)
    return path


@pytest.fixture
def asked(monkeypatch: pytest.MonkeyPatch) -> dict[str, object]:
    """Return what the next ingest is asked for."""
    options: dict[str, object] = {}
    real = sl.History.ingest

    def ingest(history: sl.History, paths: list[str], **given: object) -> object:
        options.update(given)
        return real(history, paths, **given)

    monkeypatch.setattr(sl.History, "ingest", ingest)
    return options


def test_the_report_gives_the_sums_then_the_alerts(run, exports: Path, tmp_path: Path) -> None:
    lines = run("ingest", exports, "--history", tmp_path / "h").out.splitlines()
    assert lines[0] == "4 records in 2 files = 4 events + 0 duplicates + 0 ignored + 0 rejected"
    assert lines[-1] == "alerts: 3 (3 new)"


def test_the_options_of_ingest_are_passed_on(run, asked, tmp_path: Path) -> None:
    table = tmp_path / "a.csv"
    table.write_text("when=,what\n05/06/2024 10:00,cpu\n")
    key = tmp_path / "key"
    key.write_text("secret=1\n")
    result = run(
        "ingest", table, "--history", tmp_path / "h", "--tz", "UTC", "--columns", "when==starts_at",
        "--columns", "what=alertname", "--monthfirst", "--redact-ips", "--pseudonym-key-file", key, "--jobs", -1,
        "--memory-limit", "2GB", "--keep-personal-data",
    )  # fmt: skip
    assert result.code == 0
    assert asked == {
        "source": "auto",
        "tz": "UTC",
        "columns": {"when=": "starts_at", "what": "alertname"},
        "dayfirst": False,
        "keep_personal_data": True,
        "redact_ips": True,
        "pseudonym_key": "secret=1",
        "n_jobs": -1,
        "memory_limit": "2GB",
        "progress": False,
    }
    assert sl.History(tmp_path / "h").alerts()["starts_at"].tolist() == [pd.Timestamp("2024-05-06T10:00Z")]


def test_the_key_in_the_file_is_the_key_of_the_function(run, tmp_path: Path) -> None:
    table = tmp_path / "a.csv"
    table.write_text("starts_at,alertname,owner\n2024-05-06T10:00:00Z,cpu of jo@example.com,jo@example.com\n")
    (tmp_path / "key").write_text("k\n")
    run("ingest", table, "--history", tmp_path / "h", "--pseudonym-key-file", tmp_path / "key")
    there = sl.History(tmp_path / "h").alerts()
    pd.testing.assert_frame_equal(there, sl.read_alerts(table, pseudonym_key="k"))
    assert there["alertname"].tolist() != sl.read_alerts(table)["alertname"].tolist()
    assert "jo@example.com" in sl.read_alerts(table, keep_personal_data=True)["alertname"].tolist()[0]


def test_processes_are_used_for_much_only(run, asked, exports: Path, tmp_path: Path, monkeypatch) -> None:
    run("ingest", exports, "--history", tmp_path / "1")
    assert asked["n_jobs"] == 1
    monkeypatch.setattr("stanza_lab.history.pieces.SIZE", 300)
    run("ingest", exports, "--history", tmp_path / "2")
    assert asked["n_jobs"] == -1


@pytest.mark.parametrize(
    ("options", "message"),
    [
        (["--columns", "starts_at"], "--columns starts_at: pass their column and ours"),
        (["--columns", "a="], "pass their column and ours"),
        (["--columns", "a=nope"], "nope"),
        (["--memory-limit", "1MB"], "memory_limit='1MB' is too little"),
        (["--pseudonym-key-file", "{empty}"], "holds no text; make one with: openssl rand -hex 32"),
        (["--pseudonym-key-file", "{binary}"], "holds no text"),
        (["--pseudonym-key-file", "{empty}-missing"], "does not exist"),
    ],
)
def test_wrong_options_are_exit_2(run, exports: Path, tmp_path: Path, options: list[str], message: str) -> None:
    (tmp_path / "empty").write_text("\n")
    (tmp_path / "binary").write_bytes(b"\xff\xfe\x00")
    options = [o.format(empty=tmp_path / "empty", binary=tmp_path / "binary") for o in options]
    result = run("ingest", exports, "--history", tmp_path / "h", *options)
    assert result.code == 2
    assert message in " ".join(result.err.replace("│", " ").split())
    assert not (tmp_path / "h").exists()


def test_patterns_and_standard_input_are_read(run, exports: Path, tmp_path: Path, monkeypatch) -> None:
    monkeypatch.setattr("sys.stdin", io.TextIOWrapper(io.BytesIO((exports / "old.json").read_bytes())))
    result = run("ingest", "-", exports / "n*.json", "--history", tmp_path / "h", "--format", "json")
    assert json.loads(result.out)["events"] == 4
    missing = run("ingest", exports / "x*.json", "--history", tmp_path / "h")
    assert missing.code == 1
    assert "x*.json" in missing.err


def test_sql_leaves_in_every_format(run, history: Path, tmp_path: Path) -> None:
    query = "select alertname, count(*) as n, max(ends_at - starts_at) as longest from alerts group by all order by 1"
    rows = json.loads(run("sql", history, query, "--format", "json").out)
    assert rows == [
        {"alertname": "cpu", "n": 2, "longest": 3600.0},
        {"alertname": "disk", "n": 1, "longest": None},
    ]
    shown = run("sql", history, query).out
    assert shown.startswith("2 rows, times in UTC")
    assert "0 days 01:00:00" in shown
    for name in ("a.csv", "a.parquet"):
        assert run("sql", history, query, "--out", tmp_path / name).code == 0
    assert pd.read_csv(tmp_path / "a.csv")["n"].tolist() == pd.read_parquet(tmp_path / "a.parquet")["n"].tolist()


def test_sql_shows_values_of_any_type(run, history: Path) -> None:
    query = "select * from (values (1, [1, null], {'a': date '2026-01-01'}), (null, null, null)) t(n, l, s)"
    rows = json.loads(run("sql", history, query, "--format", "json").out)
    assert rows == [{"n": 1, "l": [1, None], "s": {"a": "2026-01-01"}}, {"n": None, "l": None, "s": None}]
    assert "NA" not in run("sql", history, query).out


def test_sql_from_standard_input(run, history: Path, monkeypatch) -> None:
    monkeypatch.setattr("sys.stdin", io.StringIO("select count(*) as n\nfrom events"))
    assert json.loads(run("sql", history, "-", "--format", "json").out) == [{"n": 4}]


def test_a_wrong_query_is_one_line_and_exit_2(run, history: Path) -> None:
    result = run("sql", history, "select nope from alerts", "--memory-limit", "500MB")
    assert result.code == 2
    assert 'Referenced column "nope" not found' in result.err
    assert "Traceback" not in result.err
    assert run("sql", history, "copy events to 'x'").code == 2


def test_verify_is_exit_0_while_the_history_is_whole(run, history: Path, exports: Path) -> None:
    (exports / "old.json").unlink()
    result = run("verify", history)
    assert result.code == 0
    assert " ".join(result.out.split()).startswith(
        f"4 checks of {history}: 0 wrong; 1 of 2 export files changed or are no longer there"
    )
    rows = json.loads(run("verify", history, "--format", "json").out)
    assert [row["state"] for row in rows] == ["ok"] * 5 + ["missing"]


def test_verify_is_exit_1_and_says_what_to_do_when_it_is_not(run, history: Path) -> None:
    [part] = history.glob("events/*")
    part.unlink()
    result = run("verify", history)
    assert result.code == 1
    assert f"first of 2: events/{part.name} missing: the file is not there; restore it" in result.err
    assert next(line for line in result.out.splitlines() if "part-" in line).split()[-1] != "ok"


def test_retain_tells_then_removes(run, history: Path, exports: Path) -> None:
    told = run("retain", history, "--since", "2026-02-01", "--dry-run")
    assert told.out.splitlines()[:2] == [
        "2 events of 4 would be removed, 2 kept",
        "1 alert of 3 would be removed, 2 kept",
    ]
    done = json.loads(run("retain", history, "--since", "2026-02-01", "--format", "json").out)
    assert (done["events_after"], done["alerts_after"], done["removed"]) == (2, 2, {"cloudwatch": 2})
    assert done["kept_from"] == "2026-02-01T00:00:00.000000Z"
    again = run("ingest", exports, "--history", history)
    assert "ignored: 2 x event older than what the history keeps" in again.out
    assert run("verify", history).code == 0
    assert run("retain", history, "--since", "soon").code == 2
    assert run("retain", history).code == 2


def test_ownership_may_be_several_and_is_read_once(run, tmp_path: Path, monkeypatch) -> None:
    for name in ("a", "b"):
        (tmp_path / f"{name}.csv").write_text(f"service,team\nshop-{name},team-{name}\n")
    rows = [f"2026-03-01T1{hour}:00:00Z,cpu,shop-{name}" for hour in range(4) for name in ("a", "b")]
    (tmp_path / "alerts.csv").write_text("\n".join(["starts_at,alertname,service", *rows]))
    run("ingest", tmp_path / "alerts.csv", "--history", tmp_path / "h")
    read, calls = sl.read_ownership, []
    monkeypatch.setattr(sl, "read_ownership", lambda paths: calls.append(paths) or read(paths))
    catalogues = ("--ownership", tmp_path / "a.csv", "--ownership", tmp_path / "b.csv")
    assert run("map", tmp_path / "h", *catalogues).code == 0
    assert calls == [[tmp_path / "a.csv", tmp_path / "b.csv"]]
    teams = json.loads(run("alerts", tmp_path / "h", *catalogues, "--format", "json").out)
    assert {row["team"] for row in teams} == {"team-a", "team-b"}


def test_help_names_the_systems(run) -> None:
    told = " ".join(run("ingest", "--help").out.split())
    assert all(name in told for name in ("Alertmanager", "ServiceNow", "Splunk", "New Relic", "Parquet"))
