"""Incidents and their reasons as a person asks for them."""

from __future__ import annotations

import json
from pathlib import Path

import pandas as pd
import pytest

import stanza_lab as sl

COLUMNS = ("starts_at", "alertname", "service")
ROWS = [
    ("2026-03-01T10:00:00Z", "errors", "web"),
    ("2026-03-01T10:00:30Z", "slow", "db"),
    ("2026-03-01T10:01:00Z", "\x1b[31mqueue = full", "jobs"),
    ("2026-03-02T10:00:00Z", "errors", "web"),
    ("2026-03-03T10:00:00Z", "<b>disk</b>", "search"),
]


@pytest.fixture
def history(tmp_path: Path) -> Path:
    table = tmp_path / "alerts.csv"
    pd.DataFrame(ROWS, columns=[*COLUMNS]).to_csv(table, index=False)
    sl.History(tmp_path / "h").ingest(table)
    return tmp_path / "h"


@pytest.fixture
def ids(history: Path) -> list[str]:
    return sl.History(history).alerts().sort_values("starts_at")["alert_id"].tolist()


@pytest.fixture
def settings(tmp_path: Path) -> tuple[str, Path]:
    """Parameters of our own: defaults may change."""
    gaps = {name: "0s" for name in sl.IncidentClusterer().get_params() if name.endswith("_gap")}
    given = gaps | {"max_gap": "20min", "resolution": "0s", "service_gap": "30s", "call_gap": "45s"}
    given |= {"min_alerts": 2, "min_rules": 2, "min_neighbours": 2, "passes": 1}
    (tmp_path / "params.yaml").write_text(json.dumps({"format": 1, "parameters": given}))
    return "--params", tmp_path / "params.yaml"


@pytest.fixture
def calls(tmp_path: Path):
    """Write a trace in which services call each other."""

    def write(*services: str) -> tuple[str, Path]:
        spans = [
            {"traceId": "1" * 32, "id": f"{k + 1:016x}", "localEndpoint": {"serviceName": name}, "name": "call",
             "timestamp": 1772359200000000, "duration": 1000, "kind": "SERVER"}
            | ({"parentId": f"{k:016x}"} if k else {})
            for k, name in enumerate(services)
        ]  # fmt: skip
        (tmp_path / "traces.json").write_text(json.dumps(spans))
        return "--traces", tmp_path / "traces.json"

    return write


@pytest.fixture(scope="module")
def shop(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A production whose pages are copies, with traces."""
    folder = tmp_path_factory.mktemp("shop")
    sl.simulate_production(services=10, teams=3, days=14, incidents=12, random_state=3).export(folder, overwrite=True)
    sl.History(folder / "h").ingest(folder / "exports")
    return folder


def test_incidents_are_listed(run, history, settings):
    result = run("incidents", history, *settings)
    assert result.code == 0
    assert result.out.startswith("1 incident of 3 alerts; 2 alerts on their own; times in UTC\n")
    assert [row["alerts"] for row in json.loads(run("incidents", history, *settings, "--format", "json").out)] == [3]


def test_an_incident_gives_a_reason_for_each_of_its_alerts(run, history, settings, ids):
    rows = json.loads(run("incidents", history, *settings, "--incident", 0, "--format", "json").out)
    assert [row["alert_id"] for row in rows] == ids[:3]
    assert {row["why"] for row in rows} == {"60 s: 30 s apart, service +30 s"}
    told = run("incidents", history, *settings, "--incident", 0)
    assert told.out.startswith("3 alerts of incident 0; times in UTC\n")
    assert all(name in told.out for name in ids[:3])
    assert "\x1b[31m" not in told.out


def test_alerts_of_no_incident_say_why(run, history, settings, ids):
    rows = json.loads(run("incidents", history, *settings, "--incident", -1, "--format", "json").out)
    assert [row["alert_id"] for row in rows] == ids[3:]
    assert all("the nearest alert is" in row["why"] for row in rows)


def test_the_table_of_an_incident_stops_at_the_limit_and_says_so(run, history, settings, ids):
    told = run("incidents", history, *settings, "--incident", 0, "--limit", 1)
    assert [name in told.out for name in ids[:3]] == [True, False, False]
    assert "2 more; --limit 0 shows all" in told.err


def test_explain_tells_words_evidence_neighbours_and_what_would_have_moved_it(run, history, settings, ids):
    told = run("incidents", history, *settings, "--explain", ids[0])
    assert told.out.startswith(f"{ids[0]}, 2026-03-01 10:00Z: web: errors\n{ids[0]} is in incident 0: ")
    assert f"Distance to {ids[1]}: " in told.out
    assert "30 s apart" in told.out
    assert "Nearest alerts" in told.out
    (row,) = json.loads(run("incidents", history, *settings, "--explain", ids[3], "--format", "json").out)
    assert (row["alert_id"], row["incident_id"]) == (ids[3], -1)
    assert row["distance_s"] > row["limit_s"]
    assert {"what", "seconds", "words", "other"} == set(row["evidence"][0])
    assert len(row["neighbours"]) == 4
    assert any("max_gap" in change["change"] for change in row["what_if"])


def test_evidence_leaves_as_a_table(run, history, settings, ids, tmp_path):
    for name in ("e.csv", "e.parquet", "e.json", "e.txt"):
        assert run("incidents", history, *settings, "--explain", ids[0], "--out", tmp_path / name).code == 0
    assert pd.read_csv(tmp_path / "e.csv")["what"].tolist() == pd.read_parquet(tmp_path / "e.parquet")["what"].tolist()
    assert "is in incident 0" in (tmp_path / "e.txt").read_text()


def test_an_alert_goes_by_the_id_its_own_system_gave_it(run, shop):
    alerts = sl.History(shop / "h").alerts()
    one = alerts[alerts["source"] == "sentry"].iloc[0]
    told = run("incidents", shop / "h", "--explain", one["event_ids"][0])
    assert told.out.startswith(one["alert_id"])


def test_rules_tell_their_habits(run, history, settings):
    rows = json.loads(run("incidents", history, *settings, "--rules", "--format", "json").out)
    assert sorted((row["alerts"], row["incidents"]) for row in rows) == [(1, 0), (1, 1), (1, 1), (2, 1)]
    assert run("incidents", history, *settings, "--rules").out.startswith("4 rules: ")


def test_pictures_are_offline_pages_with_nothing_to_run_from_alerts(run, history, settings, ids, tmp_path):
    for view in ((), ("--incident", 0), ("--explain", ids[4])):
        result = run("incidents", history, *settings, *view, "--html", tmp_path / "p.html")
        assert (result.code, f"picture written to {tmp_path / 'p.html'}" in result.err) == (0, True)
        page = (tmp_path / "p.html").read_text()
        assert "plotly" in page
        assert 'src="http' not in page
        assert "<b>disk</b>" not in page


def test_tuned_parameters_are_used(run, history, tmp_path):
    file = tmp_path / "p.yaml"
    file.write_text("{format: 1, parameters: {max_gap: 5s, resolution: 0s}}")
    result = run("incidents", history, "--params", file)
    assert result.out.startswith("0 incidents of 0 alerts; 5 alerts on their own")
    file.write_text("{format: 1, parameters: {max_gup: 5s}}")
    wrong = run("incidents", history, "--params", file)
    assert (wrong.code, "did you mean 'max_gap'" in wrong.err) == (1, True)


def test_calls_in_traces_are_evidence(run, history, settings, calls, ids):
    def parts(*options: object) -> dict[str, float]:
        told = run("incidents", history, *settings, *options, "--explain", ids[0], "--format", "json")
        return {part["what"]: part["seconds"] for part in json.loads(told.out)[0]["evidence"]}

    assert parts() == {"time": 30, "service": 30}
    assert parts(*calls("web", "db")) == {"time": 30, "service": 30, "calls": -45}


def test_traces_of_another_production_are_told(run, history, calls):
    told = run("incidents", history, *calls("till", "ledger"))
    assert "the traces show calls of 1 pair of services, none between services of the alerts" in told.err
    assert "the traces show" not in run("incidents", history, *calls("web", "db")).err


def test_copies_are_left_out_wherever_alerts_are_grouped(run, shop, tmp_path):
    alerts = sl.History(shop / "h").alerts()
    copies = int((alerts["source"] == "pagerduty").sum())
    assert copies > 0
    told = f"left out: {copies} of pagerduty: copies of alerts that are here as well"
    for verb, *options in (
        ("incidents",),
        ("dependencies",),
        ("map",),
        ("backtest", "--rule", "gap"),
        ("report", "--out", tmp_path / "r.html"),
        ("bundle", "--out", tmp_path / "b"),
    ):
        assert told in run(verb, shop / "h", *options).err.replace("\n", "")
    assert sl.load_bundle(tmp_path / "b").manifest["counts"]["alerts"] == len(alerts) - copies
    kept = run("incidents", shop / "h", "--keep-copies", "--rules", "--format", "json")
    assert "left out" not in kept.err
    rows = [sum(row["alerts"] for row in json.loads(kept.out))]
    rows += [sum(row["alerts"] for row in json.loads(run("incidents", shop / "h", "--rules", "--format", "json").out))]
    assert rows[0] - rows[1] == copies


def test_copies_alone_are_grouped(run, shop):
    told = run("incidents", shop / "h", "--where", "source = 'pagerduty'")
    assert "left out" not in told.err


def test_a_bundle_keeps_the_parameters_and_that_calls_were_known(run, shop, tmp_path):
    (tmp_path / "p.yaml").write_text("{format: 1, parameters: {max_gap: 7min}}")
    options = ("--params", tmp_path / "p.yaml", "--traces", shop / "traces")
    assert run("bundle", shop / "h", "--out", tmp_path / "b", *options).code == 0
    loaded = sl.load_bundle(tmp_path / "b")
    assert loaded.clusterer.max_gap == "7min"
    pd.testing.assert_frame_equal(loaded.clusterer.edges, loaded.edges)


@pytest.mark.parametrize(
    ("options", "code", "message"),
    [
        (("--incident", 0, "--rules"), 2, "three views"),
        (("--rules", "--html", "x.html"), 2, "--html draws one incident"),
        (("--incident", 7), 1, "incident 7 not found; they are 0 to "),
        (("--incident", 7, "--html", "x.html"), 1, "incident 7 not found; they are 0 to "),
        (("--explain", "nope"), 1, "alert 'nope' is none of the 5 alerts that were grouped"),
        (("--since", "2040-01-01", "--incident", 0), 1, "incident 0 not found; there is none"),
        (("--since", "2040-01-01", "--explain", "x"), 1, "is none of the 0 alerts"),
        (("--explain", "x", "--incident", 0), 2, "three views"),
    ],
)
def test_what_cannot_be_shown_is_told(run, history, options, code, message):
    result = run("incidents", history, *options)
    assert (result.code, message in result.err.replace("\n", "")) == (code, True)
    assert "Traceback" not in result.err


def test_without_alerts_nothing_is_listed(run, history):
    for view in ((), ("--rules",)):
        assert run("incidents", history, "--since", "2040-01-01", *view).code == 0
