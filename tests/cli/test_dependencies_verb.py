"""The verb about what depends on what: its views, what is laid over, and options that do not go together."""

from __future__ import annotations

import json
from pathlib import Path

import pandas as pd
import pytest

import stanza_lab as sl


@pytest.fixture(scope="module")
def shop(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("shop")
    made = sl.simulate_production(services=10, teams=3, days=28, incidents=30, random_state=3)
    made.export(folder, overwrite=True)
    made.call_graph.to_csv(folder / "calls.csv", index=False)
    sl.History(folder / "h").ingest(folder / "exports")
    return folder


@pytest.fixture(scope="module")
def surest(shop: Path) -> tuple[str, str]:
    alerts = sl.resolve_entities(sl.History(shop / "h").alerts())
    row = sl.DependencyModel().fit(alerts).edges_.sort_values("support", ascending=False).iloc[0]
    return str(row["src"]), str(row["dst"])


def rows(result) -> list[dict]:
    assert result.code == 0, result.err
    return json.loads(result.out)


def test_declared_edges_are_laid_over_and_counted(run, shop: Path) -> None:
    result = run("dependencies", shop / "h", "--declared", shop / "calls.csv", "--format", "json")
    declared = {(row["src"], row["dst"]) for row in rows(result) if "declared" in row["provenance"]}
    calls = pd.read_csv(shop / "calls.csv")
    assert declared == set(zip(calls["caller"], calls["callee"], strict=True))
    assert f"declared: {len(calls)} dependencies; alerts of both ends of " in result.err


def test_declared_edges_reach_the_map_and_the_bundle(run, shop: Path, tmp_path: Path) -> None:
    given = ("--declared", shop / "calls.csv")
    assert any("declared" in row["provenance"] for row in rows(run("map", shop / "h", *given, "--format", "json")))
    assert run("bundle", shop / "h", "--out", tmp_path / "b", *given).code == 0
    bundle = sl.load_bundle(tmp_path / "b")
    assert any("declared" in told for told in bundle.edges["provenance"])
    assert not any("declared" in told for told in bundle.dependencies.edges_["provenance"])


def test_traces_say_what_they_can_see(run, shop: Path) -> None:
    result = run("dependencies", shop / "h", "--traces", shop / "traces")
    assert "traces: Traces see " in result.err
    assert "calibration" not in result.err


def test_calibration_reports_before_the_overlay(run, shop: Path) -> None:
    given = ("--traces", shop / "traces", "--min-confidence", 0, "--format", "json")
    plain, calibrated = (run("dependencies", shop / "h", *given, *more) for more in ((), ("--calibrate",)))
    assert "calibration: " in calibrated.err
    assert calibrated.err.index("calibration: ") < calibrated.err.index("traces: ")
    assert {(row["src"], row["dst"]) for row in rows(plain)} == {(row["src"], row["dst"]) for row in rows(calibrated)}


def test_unknown_lists_what_alerts_alone_tell(run, shop: Path) -> None:
    given = ("--unknown", "--min-confidence", 0)
    alone = rows(run("dependencies", shop / "h", *given, "--format", "json"))
    assert [row["rank"] for row in alone] == list(range(1, len(alone) + 1))
    assert {row["reason"] for row in alone} == {"no traces"}
    left = rows(run("dependencies", shop / "h", *given, "--declared", shop / "calls.csv", "--format", "json"))
    calls = pd.read_csv(shop / "calls.csv")
    known = {frozenset(pair) for pair in zip(calls["caller"], calls["callee"], strict=True)}
    assert known.isdisjoint(frozenset((row["src"], row["dst"])) for row in left)
    assert len(left) < len(alone)
    shown = run("dependencies", shop / "h", *given, "--limit", 2).out
    assert shown.startswith(f"{len(alone)} dependencies of probability 0 or more that neither traces nor declarations")
    assert [line for line in shown.splitlines() if line.startswith("* ")] == [f"* {row['words']}" for row in alone[:2]]


def test_explain_says_why(run, shop: Path, surest: tuple[str, str], tmp_path: Path) -> None:
    src, dst = surest
    told = run("dependencies", shop / "h", "--explain", src, dst, "--html", tmp_path / "why.html")
    assert told.code == 0
    assert told.out.startswith(src)
    for part in ("  + fired within 10 min of each other ", "co-firing", "What makes the two linked"):
        assert part in told.out
    page = (tmp_path / "why.html").read_text()
    assert f"Why {src} may depend on {dst}" in page
    assert 'src="http' not in page


def test_explain_leaves_as_json_with_all_its_tables(run, shop: Path, surest: tuple[str, str], tmp_path: Path) -> None:
    one = rows(run("dependencies", shop / "h", "--explain", *surest, "--format", "json"))[0]
    assert (one["src"], one["dst"]) == surest
    assert one["reasons_for"]
    assert sum(row["cofirings"] for row in one["lags"]) == one["support"]
    assert one["otherwise"] == ""
    run("dependencies", shop / "h", "--explain", *surest, "--out", tmp_path / "why.csv")
    assert [*pd.read_csv(tmp_path / "why.csv")["source"]] == [row["source"] for row in one["shares"]]


def test_explain_adds_what_is_known_beside_alerts(run, shop: Path, surest: tuple[str, str], tmp_path: Path) -> None:
    (tmp_path / "d.csv").write_text("src,dst\n{},{}\n".format(*surest))
    told = run("dependencies", shop / "h", "--explain", *surest, "--declared", tmp_path / "d.csv")
    assert "With traces and declarations: " in told.out
    assert "alerts and declaration" in told.out


def test_explain_of_an_unknown_name_suggests_one(run, shop: Path, surest: tuple[str, str]) -> None:
    src, dst = surest
    result = run("dependencies", shop / "h", "--explain", src, dst + "x")
    assert result.code == 1
    assert f"service '{dst}x' not found; did you mean " in result.err
    assert repr(dst) in result.err


def test_propagation_is_a_table_and_a_picture(run, shop: Path, tmp_path: Path) -> None:
    given = ("--propagation", "--declared", shop / "calls.csv")
    found = rows(run("dependencies", shop / "h", *given, "--format", "json"))
    assert found
    assert {"callee_kind", "caller_kind", "probability", "lag_s", "words"} <= set(found[0])
    shown = run("dependencies", shop / "h", *given, "--html", tmp_path / "p.html")
    assert f" of {len(found)} pairs of kinds" in shown.out
    assert (tmp_path / "p.html").exists()
    none = run("dependencies", shop / "h", "--propagation", "--min-confidence", 1)
    assert none.code == 0
    assert "no two kinds of alerts fired on both ends" in none.out


def test_as_of_knows_only_what_had_begun(run, shop: Path) -> None:
    whole = rows(run("dependencies", shop / "h", "--min-confidence", 0, "--format", "json"))
    back = rows(run("dependencies", shop / "h", "--min-confidence", 0, "--format", "json", "--as-of", "2026-07-12"))
    same = rows(run("dependencies", shop / "h", "--min-confidence", 0, "--format", "json", "--until", "2026-07-12"))
    support = lambda found: sum(row["support"] for row in found)  # noqa: E731
    assert 0 < support(back) < support(whole)
    assert support(back) == support(same)
    early = run("dependencies", shop / "h", "--as-of", "2020-01-01")
    assert early.code == 1
    assert "nothing had fired by then; the first alert is of 2026-07-" in early.err


def test_nodes_are_any_column(run, shop: Path) -> None:
    found = run("dependencies", shop / "h", "--node", "alertname", "--min-confidence", 0)
    assert found.code == 0
    assert " values of alertname; " in found.out
    wrong = run("dependencies", shop / "h", "--node", "alertnam")
    assert wrong.code == 1
    assert "column 'alertnam' not found; did you mean 'alertname'" in wrong.err


@pytest.mark.parametrize("near", ["calls", "traces", "nothing"])
def test_places_are_near_by_topology_traces_or_not_at_all(run, shop: Path, tmp_path: Path, near: str) -> None:
    pd.read_csv(shop / "calls.csv").set_axis(["src", "dst"], axis=1).to_csv(tmp_path / "t.csv", index=False)
    given = {"calls": ("--topology", tmp_path / "t.csv"), "traces": ("--traces", shop / "traces"), "nothing": ()}[near]
    found = run("dependencies", shop / "h", "--place", "service", *given, "--min-confidence", 0)
    assert found.code == 0, found.err
    assert " values of alertname; " in found.out


def test_a_topology_that_is_no_table_of_pairs_is_named(run, shop: Path, tmp_path: Path) -> None:
    (tmp_path / "t.csv").write_text("from,to\na,b\n")
    result = run("dependencies", shop / "h", "--place", "service", "--topology", tmp_path / "t.csv")
    assert result.code == 1
    assert "t.csv: columns ['src', 'dst'] are missing; columns are ['from', 'to']" in result.err.replace("\n", "")


@pytest.mark.parametrize(
    ("options", "said"),
    [
        (("--calibrate",), "add --traces"),
        (("--unknown", "--propagation"), "three views"),
        (("--explain", "a", "b", "--unknown"), "three views"),
        (("--html", "x.html"), "add --explain SRC DST or --propagation"),
        (("--propagation", "--as-of", "2026-07-12"), "--until instead"),
        (("--node", "team", "--declared", "calls.csv"), "leave out --node"),
        (("--place", "environment", "--traces", "traces"), "--place service, or --topology"),
        (("--place", "service", "--node", "service"), "--node alertname"),
        (("--place", "service", "--unknown"), "leave --place out"),
        (("--topology", "calls.csv"), "add --place"),
        (("--explain", "a", "b", "--calibrate", "--traces", "traces"), "leave one of them out"),
        (("--as-of", "whenever"), "is not a time"),
        (("--explain", "a"), ""),
    ],
)
def test_options_that_do_not_go_together_are_exit_2(run, shop: Path, options: tuple[str, ...], said: str) -> None:
    given = [shop / part if part in {"calls.csv", "traces"} else part for part in options]
    result = run("dependencies", shop / "h", *given)
    assert result.code == 2
    assert said in result.err.replace("\n", "")
