"""The benchmark of edges: its histories hold what they say, and its baselines find what is plain."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

from benchmarks.edges import averaged, records
from benchmarks.edges.baselines import binned, co_occurrence, edges, lagged_poisson
from benchmarks.edges.cascades import NUISANCES, cascade
from benchmarks.edges.cases import Case
from benchmarks.edges.measuring import score, watched
from benchmarks.edges.noise import HISTORIES, independent
from benchmarks.edges.scale import history

NO_CALLS = pd.DataFrame({"caller": ["web"], "callee": ["db"]})


def case(*rows: tuple[float, str] | tuple[float, str, str], place: str | None = None) -> Case:
    """Make a case from (seconds, node) or (seconds, node, place)."""
    alerts = pd.DataFrame(rows, columns=["at", "service", "place"][: len(rows[0])])
    alerts["starts_at"] = pd.Timestamp("2026-03-01", tz="UTC") + pd.to_timedelta(alerts.pop("at"), unit="s")
    return Case(name="literal", alerts=alerts, call_graph=NO_CALLS, place=place)


def repeated(*fired: tuple[float, str], times: int = 30) -> Case:
    """Repeat the firings every three hours, and let another service fire in between."""
    rows = [(k * 10_800 + at, name) for k in range(times) for at, name in fired]
    return case(*rows, *((k * 10_800 + 5_400.0, "search") for k in range(times)))


def test_events_are_sorted_by_place_then_time() -> None:
    events = case((9, "b", "y"), (5, "a", "x"), (7, "b", "x"), place="place").events()
    assert events.times.tolist() == [0, 2, 4]
    assert [events.names[k] for k in events.nodes] == ["a", "b", "b"]
    assert events.places.tolist() == [0, 0, 1]


def test_co_occurrence_is_the_share_of_the_most_frequent_pair() -> None:
    found = co_occurrence(case((0, "a"), (10, "b"), (5000, "a"), (5010, "b"), (5020, "c")))
    link = found.set_index(["src", "dst"])["link_confidence"]
    assert link.to_dict() == {
        ("a", "b"): 1.0, ("b", "a"): 1.0, ("a", "c"): 0.5, ("c", "a"): 0.5, ("b", "c"): 0.5, ("c", "b"): 0.5,
    }  # fmt: skip


@pytest.mark.parametrize("method", [co_occurrence, lagged_poisson])
def test_other_places_have_nothing_to_do_with_each_other(method) -> None:
    rows = [(k * 10_800 + at, node, place) for k in range(30) for at, node, place in [(0, "a", "x"), (60, "b", "y")]]
    assert method(case(*rows, place="place")).empty


def test_lagged_poisson_says_that_the_later_depends_on_the_earlier() -> None:
    found = lagged_poisson(repeated((0, "db"), (70, "web"))).set_index(["src", "dst"])["confidence"]
    assert found[("web", "db")] == 1.0
    assert found[("db", "web")] == 0.0
    assert "search" not in found.index.get_level_values("src")


def test_lagged_poisson_finds_nothing_where_nothing_is() -> None:
    alerts = independent(seed=1, history="a shared day", services=20)
    assert len(lagged_poisson(Case(name="noise", alerts=alerts, call_graph=NO_CALLS))) <= 2  # one pair, both ways


def test_bins_cut_silence_and_keep_places_apart() -> None:
    counted = binned(
        case((0, "a", "x"), (60, "b", "x"), (6000, "a", "x"), (0, "b", "y"), place="place").events(), bin_s=60, gap=3
    )
    assert counted.toarray().tolist() == [[1, 0], [0, 1], [0, 0], [0, 0], [1, 0], [0, 0], [0, 0], [0, 1]]


def test_a_matrix_becomes_edges_with_its_rows_as_src() -> None:
    found = edges(np.array([[0.0, 0.7], [0.2, 0.0]]), ["web", "db"])
    assert found.to_dict("records") == [
        {"src": "web", "dst": "db", "confidence": 0.7, "link_confidence": 0.7},
        {"src": "db", "dst": "web", "confidence": 0.2, "link_confidence": 0.7},
    ]


def test_cascades_travel_from_callee_to_caller() -> None:
    alerts, calls = cascade(seed=1, services=10, events=2000)
    rows = {name: group["starts_at"].astype("int64").to_numpy() / 1e6 for name, group in alerts.groupby("service")}

    def followed(first: str, second: str) -> float:
        gaps = rows[second][:, None] - rows[first]
        return float(((gaps > 0) & (gaps < 300)).any(axis=1).mean())

    forward = [followed(callee, caller) for caller, callee in calls.itertuples(index=False)]
    backward = [followed(caller, callee) for caller, callee in calls.itertuples(index=False)]
    assert np.mean(forward) > 2 * np.mean(backward)


def test_cascades_have_no_circles() -> None:
    networkx = pytest.importorskip("networkx")
    calls = cascade(seed=2, events=10)[1]
    assert len(calls) == 100
    assert networkx.is_directed_acyclic_graph(networkx.DiGraph(list(calls.itertuples(index=False))))


@pytest.mark.parametrize("name", NUISANCES)
def test_cascades_are_the_same_for_the_same_seed(name: str) -> None:
    first, again = (cascade(seed=3, events=500, **NUISANCES[name]) for _ in range(2))
    assert first[0].equals(again[0])
    assert first[1].equals(again[1])


def test_a_nuisance_leaves_the_calls_as_they_are() -> None:
    graphs = [cascade(seed=3, events=500, **nuisance)[1] for nuisance in NUISANCES.values()]
    assert all(graph.equals(graphs[0]) for graph in graphs)


def test_shocks_are_about_the_share_of_alerts_that_was_asked_for() -> None:
    def in_large_groups(shocks: float) -> float:
        alerts = cascade(seed=4, services=50, events=20_000, shocks=shocks)[0]
        gaps = alerts["starts_at"].diff().dt.total_seconds().fillna(0)
        sizes = alerts.groupby((gaps > 900).cumsum())["service"].nunique()
        return float(sizes[sizes >= 10].sum() / sizes.sum())  # a shock hits ten services at once

    assert 0.1 < in_large_groups(0.3) - in_large_groups(0.0) < 0.35


@pytest.mark.parametrize("history_name", HISTORIES)
def test_noise_is_of_the_size_it_says_and_repeats(history_name: str) -> None:
    alerts = independent(seed=5, history=history_name)
    assert alerts.equals(independent(seed=5, history=history_name))
    assert alerts["service"].nunique() == 50
    assert alerts["starts_at"].is_monotonic_increasing


def test_the_large_history_has_about_the_events_it_was_asked_for() -> None:
    alerts = history(20_000, 50)
    assert len(alerts) == pytest.approx(20_000, rel=0.15)
    assert alerts["starts_at"].is_monotonic_increasing


def test_counts_have_no_calibration_and_given_pairs_are_not_judged() -> None:
    told = pd.DataFrame({"src": ["web"], "dst": ["db"]})
    three = case((0, "web"), (1, "db"), (2, "search"))
    found = edges(np.array([[0, 0, 0], [0, 0, 0], [0.9, 0, 0]]), ["db", "search", "web"])
    assert score(three, found)["auprc"] == 1.0
    assert np.isnan(score(three, found, counted=True)["brier"])
    assert score(three, found, given=told)["true_edges"] == 0


def test_the_table_averages_over_seeds_and_keeps_notes() -> None:
    rows = [
        {"set": "s", "method": "m", "seed": 1, "auprc": 0.5, "true_edges": 2},
        {"set": "s", "method": "slow", "seed": None, "note": "not run"},
        {"set": "s", "method": "m", "seed": 2, "auprc": 0.7, "true_edges": 4},
    ]
    found = averaged(rows)
    assert found["method"].tolist() == ["m", "slow"]
    assert found["auprc"].tolist()[0] == pytest.approx(0.6)
    assert found["seeds"].tolist() == [2, 1]
    assert found["note"].tolist() == ["", "not run"]


def test_a_record_stands_in_only_for_what_was_not_run() -> None:
    key = {"set": "gcastle_18V", "method": "TTPM (gcastle)"}
    missing, ran, other = {**key, "note": "not run"}, {**key, "auprc": 0.9}, {**key, "set": "new", "note": "not run"}
    filled = records.filled([missing, ran, other])
    assert filled[0]["note"].startswith("recorded ")
    assert filled[0]["f1"] == pytest.approx(0.617, abs=0.001)
    assert filled[1:] == [ran, other]


def test_memory_is_what_was_held_at_the_highest() -> None:
    with watched() as row:
        held = np.ones(4_000_000)
        del held
    assert np.isnan(row["peak_mb"]) or 25 < row["peak_mb"] < 100
    assert row["seconds"] >= 0
