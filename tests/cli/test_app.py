"""The command line as a person types it: output, messages and exit codes."""

from __future__ import annotations

import gzip
import json
from pathlib import Path

import pandas as pd
import pytest

import stanza_lab as sl


@pytest.fixture(scope="module")
def exports(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("shop")
    sl.simulate_production(services=10, teams=3, days=14, incidents=12, random_state=3).export(folder, overwrite=True)
    return folder


@pytest.fixture(scope="module")
def history(exports: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("history") / "h"
    sl.History(path).ingest(exports / "exports")
    return path


def test_ingest_accounts_for_every_record_and_adds_nothing_twice(run, exports: Path, tmp_path: Path) -> None:
    first = run("ingest", exports / "exports", "--history", tmp_path / "h", "--format", "json")
    again = run("ingest", exports / "exports", "--history", tmp_path / "h", "--format", "json")
    one, two = json.loads(first.out), json.loads(again.out)
    for report in (one, two):
        ignored = sum(report["ignored"].values())
        assert report["records"] == report["events"] + report["duplicates"] + ignored + len(report["rejected"])
    assert one["events"] > 0
    assert two["events"] == 0
    assert (first.code, again.code) == (0, 0)


BAD = {
    "empty.json": b"",
    "binary.json": bytes(range(256)) * 20,
    "unknown.json": b'{"hello": "world"}',
    "truncated.json": b'{"data":[{"id":"1","type":"event","attrib',
    "notes.txt": b"nothing to see",
    "no_time.json": (
        b'{"data":[{"id":"1","type":"event","attributes":{"message":"m","attributes":{"title":"[Triggered] x",'
        b'"status":"error","monitor_id":7,"sourcecategory":"monitor_alert","monitor":{"name":"x"}}}}]}'
    ),
}


@pytest.mark.parametrize("name", BAD)
def test_bad_file_is_one_clear_line_and_exit_1(run, tmp_path: Path, name: str) -> None:
    (tmp_path / name).write_bytes(BAD[name])
    result = run("ingest", tmp_path / name, "--history", tmp_path / "h", "--show-rejected")
    assert result.code == 1
    assert name in result.out
    assert "nothing could be used of" in result.err
    assert "Traceback" not in result.err


def test_folder_with_nothing_in_it_is_exit_1(run, tmp_path: Path) -> None:
    (tmp_path / "empty").mkdir()
    result = run("ingest", tmp_path / "empty", "--history", tmp_path / "h")
    assert result.code == 1
    assert "error:" in result.err


def test_bad_files_do_not_stop_the_good_ones(run, exports: Path, tmp_path: Path) -> None:
    mixed = tmp_path / "mixed"
    mixed.mkdir()
    for name, content in BAD.items():
        (mixed / name).write_bytes(content)
    for path in (exports / "exports").iterdir():
        (mixed / path.name).write_bytes(path.read_bytes())
    result = run("ingest", mixed, "--history", tmp_path / "h", "--format", "json")
    alone = run("ingest", exports / "exports", "--history", tmp_path / "alone", "--format", "json")
    assert result.code == 0
    assert json.loads(result.out)["events"] == json.loads(alone.out)["events"]
    assert len(json.loads(result.out)["rejected"]) == len(json.loads(alone.out)["rejected"]) + len(BAD)


def test_incidents_and_dependencies_leave_in_every_format(run, history: Path, tmp_path: Path) -> None:
    for verb in ("alerts", "incidents", "dependencies"):
        rows = json.loads(run(verb, history, "--format", "json").out)
        assert isinstance(rows, list)
        run(verb, history, "--format", "csv", "--out", tmp_path / f"{verb}.csv")
        run(verb, history, "--format", "parquet", "--out", tmp_path / f"{verb}.parquet")
        assert (
            len(pd.read_csv(tmp_path / f"{verb}.csv"))
            == len(pd.read_parquet(tmp_path / f"{verb}.parquet"))
            == len(rows)
        )


def test_map_around_a_service_is_an_offline_page(run, exports: Path, history: Path, tmp_path: Path) -> None:
    service = sl.History(history).alerts()["service"].value_counts().index[0]
    html = tmp_path / "map.html"
    result = run("map", history, "--service", service, "--hops", 2, "--html", html, "--traces", exports / "traces")
    assert result.code == 0
    assert "not seen: " in result.err
    page = html.read_text()
    assert service in page
    assert "In numbers" in page
    assert 'src="http' not in page
    assert "direction" in result.out


def test_map_lists_each_pair_once_from_the_usual_probability(run, history: Path) -> None:
    rows = json.loads(run("map", history, "--format", "json").out)
    pairs = [frozenset((row["src"], row["dst"])) for row in rows]
    assert len(set(pairs)) == len(pairs) > 0
    assert all(row["confidence"] >= row["back"] for row in rows)
    assert json.loads(run("map", history, "--format", "json", "--min-confidence", 1).out) == []


def test_map_of_a_team_names_the_next_clusters(run, exports: Path, history: Path) -> None:
    ownership = exports / "ownership.csv"
    team = pd.read_csv(ownership)["team"].iloc[0]
    result = run("map", history, "--team", team, "--ownership", ownership, "--min-confidence", 0)
    assert result.code == 0
    assert "* the next cluster over is " in result.out


def test_map_of_an_unknown_service_suggests_one(run, history: Path) -> None:
    service = str(sl.History(history).alerts()["service"].value_counts().index[0])
    result = run("map", history, "--service", service + "x")
    assert result.code == 1
    assert f"did you mean '{service}'" in result.err.replace("\n", "")


def test_report_and_bundle_are_written(run, exports: Path, history: Path, tmp_path: Path) -> None:
    ownership = exports / "ownership.csv"
    assert run("report", history, "--out", tmp_path / "r.html", "--ownership", ownership).code == 0
    assert (tmp_path / "r.html").stat().st_size > 100_000
    assert run("bundle", history, "--out", tmp_path / "b").code == 0
    assert len(sl.load_bundle(tmp_path / "b").edges) > 0
    again = run("bundle", history, "--out", tmp_path / "b")
    assert again.code == 1
    assert "--force" in again.err


def test_wrong_usage_is_exit_2(run, history: Path) -> None:
    assert run("incidents").code == 2
    assert run("incidents", history, "--since", "whenever").code == 2
    assert run("map", history, "--service", "a", "--team", "b").code == 2
    assert run("map", history, "--direction", "sideways").code == 2
    assert run("incidents", history, "--format", "parquet").code == 2


def test_where_sees_the_names_that_are_shown(run, exports: Path, history: Path) -> None:
    catalog = ("--ownership", exports / "ownership.csv")
    listed = json.loads(run("alerts", history, "--format", "json", *catalog).out)
    resolved = next(row for row in listed if row["source"] == "cloudwatch" and row["service"])
    where = f"service = '{resolved['service']}' and team = '{resolved['team']}'"
    found = json.loads(run("alerts", history, "--format", "json", "--where", where, *catalog).out)
    assert resolved in found
    assert {row["service"] for row in found} == {resolved["service"]}


def test_output_that_cannot_be_written_is_one_line(run, history: Path, tmp_path: Path) -> None:
    for out in (tmp_path, tmp_path / "no" / "such" / "a.csv"):
        result = run("alerts", history, "--format", "csv", "--out", out)
        assert result.code == 1
        assert str(out) in result.err.replace("\n", "")
        assert "Traceback" not in result.err


def test_names_of_files_cannot_write_to_the_terminal(run, tmp_path: Path) -> None:
    (tmp_path / "a\x1b]0;owned\x07.json").write_text('{"x": 1}')
    result = run("ingest", tmp_path, "--history", tmp_path / "h", "--show-rejected")
    assert "\x1b]" not in result.out + result.err


def test_the_name_of_the_file_says_the_format(run, history: Path, tmp_path: Path) -> None:
    for name in ("a.csv", "a.json", "a.parquet"):
        assert run("incidents", history, "--out", tmp_path / name).code == 0
    assert len(pd.read_csv(tmp_path / "a.csv")) == len(pd.read_json(tmp_path / "a.json"))
    assert len(pd.read_csv(tmp_path / "a.csv")) == len(pd.read_parquet(tmp_path / "a.parquet"))
    wrong = run("incidents", history, "--out", tmp_path / "a.xlsx")
    assert wrong.code == 2
    assert ".csv, .json, .parquet or .txt" in wrong.err


def test_nothing_found_says_what_there_is(run, history: Path, tmp_path: Path) -> None:
    listed = run("alerts", history, "--since", "2040-01-01")
    assert listed.code == 0
    assert "the history covers 2026-07-01" in listed.err
    assert run("report", history, "--since", "2040-01-01", "--out", tmp_path / "r.html").code == 1
    assert not (tmp_path / "r.html").exists()


def test_a_narrow_terminal_gets_a_line_an_alert(run, history: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("COLUMNS", "80")
    lines = run("alerts", history, "--limit", 10).out.splitlines()
    assert max(map(len, lines)) <= 80
    assert len(lines) <= 20


def test_missing_history_says_how_to_make_one(run, tmp_path: Path) -> None:
    result = run("incidents", tmp_path / "nowhere")
    assert result.code == 1
    assert "stanza-lab ingest" in result.err


def test_version(run) -> None:
    assert run("--version").out == f"stanza-lab {sl.__version__}\n"


@pytest.mark.parametrize(
    ("name", "alerts"), [("petshop_low", {"cloudwatch": 309}), ("nezha_tt_0129", {"datadog": 258})]
)
def test_real_exports(run, shared: Path, tmp_path: Path, name: str, alerts: dict[str, int]) -> None:
    ingested = run("ingest", shared / "data" / name / "alerts", "--history", tmp_path / "h", "--format", "json")
    assert ingested.code == 0
    listed = json.loads(run("alerts", tmp_path / "h", "--format", "json").out)
    for source, count in alerts.items():
        assert sum(row["source"] == source for row in listed) == count
    labels = pd.read_csv(shared / "data" / name / "truth" / "alert_labels.csv", dtype=str)
    told = {event_id for row in listed for event_id in row["event_ids"]}
    assert set(labels.loc[labels["kind"] == "firing", "native_id"]) <= told


def test_gzip_is_read_like_the_plain_file(run, exports: Path, tmp_path: Path) -> None:
    plain = next(path for path in sorted((exports / "exports").iterdir()) if path.suffix in {".json", ".ndjson"})
    (tmp_path / (plain.name + ".gz")).write_bytes(gzip.compress(plain.read_bytes()))
    one = json.loads(run("ingest", plain, "--history", tmp_path / "1", "--format", "json").out)
    two = json.loads(
        run("ingest", tmp_path / (plain.name + ".gz"), "--history", tmp_path / "2", "--format", "json").out
    )
    assert one["events"] == two["events"] > 0


def test_files_hold_both_directions_of_what_the_table_counts(run, exports: Path, history: Path) -> None:
    traced = ("--traces", exports / "traces", "--min-confidence", 1)
    told = run("dependencies", history, *traced)
    rows = json.loads(run("dependencies", history, *traced, "--format", "json").out)
    pairs = {frozenset((row["src"], row["dst"])) for row in rows}
    assert pairs
    assert told.out.startswith(f"{len(pairs)} dependencies of probability 1 or more")


def test_brackets_in_a_path_are_no_markup(run, tmp_path: Path) -> None:
    result = run("alerts", tmp_path / "h[" / "b]")
    assert result.code == 1
    assert "Traceback" not in result.err
