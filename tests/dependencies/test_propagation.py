"""What a callee's trouble leads to on its callers, against what was planted."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import stanza_lab as sl
from stanza_lab.dependencies import PROPAGATION
from stanza_lab.dependencies.propagation.episodes import Episodes
from stanza_lab.errors import ParameterError, SchemaError, UnknownNameError

START = pd.Timestamp("2026-03-01", tz="UTC")
DAY = 86_400.0


def _alerts(rows: list[tuple[float, str, str]]) -> pd.DataFrame:
    """Return alerts of (seconds, service, kind)."""
    frame = pd.DataFrame(rows, columns=["at", "service", "kind"])
    return frame.assign(starts_at=START + pd.to_timedelta(frame["at"], unit="s")).drop(columns="at")


def _planted(rng: np.random.Generator, *, pairs: int, share: float, lag: float, noise: int, days: int = 30):
    """Return alerts and edges: `share` of the callees' firings are followed `lag` s (median) later; noise beside."""
    rows: list[tuple[float, str, str]] = []
    for pair in range(pairs):
        for at in rng.uniform(0, days * DAY, 20):
            rows.append((at, f"db{pair}", "saturation"))
            if rng.random() < share:
                rows.append((at + lag * rng.lognormal(0, 0.4), f"api{pair}", "errors"))
        rows += [(at, f"api{pair}", "errors") for at in rng.uniform(0, days * DAY, noise)]
    edges = pd.DataFrame({"src": [f"api{i}" for i in range(pairs)], "dst": [f"db{i}" for i in range(pairs)]})
    return _alerts(rows), edges


def _row(table: pd.DataFrame, callee: str, caller: str) -> pd.Series:
    return table[(table["callee_kind"] == callee) & (table["caller_kind"] == caller)].iloc[0]


def test_planted_share_and_lag_are_found_amid_noise() -> None:
    alerts, edges = _planted(np.random.default_rng(0), pairs=30, share=0.6, lag=60, noise=40)
    row = _row(sl.infer_propagation(alerts, edges, kind="kind"), "saturation", "errors")
    assert row["low"] < 0.6 < row["high"]
    assert row["probability"] == pytest.approx(0.6, abs=0.07)
    assert row["lag_s"] == pytest.approx(60, abs=10)
    assert row["lag_low_s"] < 60 < row["lag_high_s"] < 120
    assert row["q_value"] < 1e-6
    assert row["edges"] == 30
    assert "saturation on a callee is followed by errors on a caller" in row["words"]


def test_interval_holds_the_planted_share_about_as_often_as_it_says() -> None:
    held = 0
    for seed in range(25):
        alerts, edges = _planted(np.random.default_rng(seed), pairs=6, share=0.4, lag=60, noise=30)
        row = _row(sl.infer_propagation(alerts, edges, kind="kind"), "saturation", "errors")
        held += bool(row["low"] <= 0.4 <= row["high"])
    assert held >= 22


def test_without_propagation_nothing_is_claimed() -> None:
    p_values, claimed = [], 0
    for seed in range(20):
        alerts, edges = _planted(np.random.default_rng(seed), pairs=10, share=0.0, lag=60, noise=200)
        table = sl.infer_propagation(alerts, edges, kind="kind")
        p_values += table["p_value"].tolist()
        claimed += int((table["q_value"] < 0.05).sum())
    assert np.mean(np.array(p_values) < 0.05) <= 0.1
    assert claimed <= 3


def test_nightly_jobs_of_both_ends_explain_each_other() -> None:
    rows = [(day * DAY + 7200, "db", "saturation") for day in range(30)]
    rows += [(day * DAY + 7300, "api", "latency") for day in range(30)]
    edges = pd.DataFrame({"src": ["api"], "dst": ["db"]})
    row = _row(sl.infer_propagation(_alerts(rows), edges, kind="kind"), "saturation", "latency")
    assert row["followed"] == 30
    assert row["expected"] > 25
    assert not row["q_value"] < 0.05
    assert "no more often than chance or a common cause" in row["words"]


def test_storm_that_hits_everything_is_no_propagation() -> None:
    rng = np.random.default_rng(3)
    rows = []
    for at in rng.uniform(0, 60 * DAY, 40):
        rows += [(at, "db", "saturation")]
        rows += [(at + rng.uniform(0, 300), f"s{i}", "errors") for i in range(12) if rng.random() < 0.7]
    edges = pd.DataFrame({"src": ["s0"], "dst": ["db"]})
    row = _row(sl.infer_propagation(_alerts(rows), edges, kind="kind"), "saturation", "errors")
    assert row["unlinked"] == pytest.approx(0.7, abs=0.08)
    assert not row["q_value"] < 0.01


def test_wrong_edges_of_a_simulated_production_propagate_nothing_and_true_ones_do() -> None:
    production = sl.simulate_production(services=60, incidents=200, random_state=1)
    edges = production.call_graph.rename(columns={"caller": "src", "callee": "dst"})
    true = sl.infer_propagation(production.alerts, edges)
    assert (true["q_value"] < 0.05).sum() >= 3
    assert {"latency", "errors"} >= set(true.loc[true["q_value"] < 0.01, "caller_kind"])
    known = {frozenset(pair) for pair in zip(edges["src"], edges["dst"], strict=True)}
    wrong = edges.assign(src=np.random.default_rng(0).permutation(edges["src"].to_numpy()))
    wrong = wrong[[len({s, d}) == 2 and {s, d} not in known for s, d in zip(wrong["src"], wrong["dst"], strict=True)]]
    table = sl.infer_propagation(production.alerts, wrong)
    assert len(wrong) > 40
    assert (table["q_value"] < 0.05).sum() == 0


def test_flapping_is_one_firing_and_order_of_firing_counts() -> None:
    rows = [(at, "db", "down") for at in (0.0, 60.0, 120.0, 5 * DAY)]
    rows += [(30.0, "api", "errors"), (5 * DAY - 45, "api", "errors"), (20 * DAY, "api", "errors")]
    row = sl.infer_propagation(_alerts(rows), pd.DataFrame({"src": ["api"], "dst": ["db"]}), kind="kind").iloc[0]
    assert row[["callee_firings", "followed", "reverse"]].tolist() == [2, 1, 1]
    assert row["lag_s"] == 30


def test_too_few_occasions_are_not_judged() -> None:
    rows = [(day * DAY, "db", "down") for day in range(3)] + [(day * DAY + 30, "api", "errors") for day in range(3)]
    edges = pd.DataFrame({"src": ["api"], "dst": ["db"]})
    row = sl.infer_propagation(_alerts(rows), edges, kind="kind").iloc[0]
    assert row[["probability", "low", "high", "p_value", "q_value"]].isna().all()
    assert row["words"] == "down on a callee: too few occasions to say whether errors on a caller follows (3 of 3)"


def test_firings_of_one_incident_are_one_occasion() -> None:
    rows = [(day * DAY + i, f"db{i}", "down") for day in range(4) for i in range(20)]
    rows += [(at + 20, service.replace("db", "api"), "errors") for at, service, _ in rows]
    edges = pd.DataFrame({"src": [f"api{i}" for i in range(20)], "dst": [f"db{i}" for i in range(20)]})
    row = sl.infer_propagation(_alerts(rows), edges, kind="kind").iloc[0]
    assert row["callee_firings"] == 80
    assert row["occasions"] == pytest.approx(4)
    assert pd.isna(row["probability"])


def test_unsure_edges_count_less_and_unsurer_ones_not_at_all() -> None:
    rng = np.random.default_rng(5)
    alerts, edges = _planted(rng, pairs=20, share=0.8, lag=60, noise=2)
    edges = edges.assign(confidence=[0.9] * 10 + [0.5] * 9 + [0.4])
    wrong = alerts["service"].isin([f"api{i}" for i in range(10, 20)])  # on unsure edges nothing follows
    alerts = alerts[~wrong | (rng.random(len(alerts)) < 0.1)]
    row = _row(sl.infer_propagation(alerts, edges, kind="kind"), "saturation", "errors")
    even = _row(sl.infer_propagation(alerts, edges.assign(confidence=1.0), kind="kind"), "saturation", "errors")
    assert even["edges"] == row["edges"] + 1
    assert row["probability"] > even["probability"] + 0.05
    assert row["occasions"] < even["occasions"]


def test_confidence_falls_back_to_link_confidence_and_to_certainty() -> None:
    alerts, edges = _planted(np.random.default_rng(1), pairs=3, share=0.5, lag=60, noise=5)
    told = {"confidence": [0.9, None, None], "link_confidence": [0.1, 0.3, None]}
    row = _row(sl.infer_propagation(alerts, edges.assign(**told), kind="kind"), "saturation", "errors")
    assert row["edges"] == 2


def test_rows_per_edge_callee_and_caller() -> None:
    alerts, edges = _planted(np.random.default_rng(2), pairs=4, share=0.9, lag=60, noise=5)
    per_edge = sl.infer_propagation(alerts, edges, kind="kind", by="edge")
    assert per_edge.columns[:2].tolist() == ["src", "dst"]
    assert sorted(zip(per_edge["src"], per_edge["dst"], strict=True)) == [(f"api{i}", f"db{i}") for i in range(4)]
    assert per_edge["words"].iloc[0].startswith(f"saturation on {per_edge['dst'].iloc[0]} is followed by errors on api")
    per_callee = sl.infer_propagation(alerts, edges, kind="kind", by="dst").set_index("dst")
    assert per_callee["followed"].to_dict() == per_edge.set_index("dst")["followed"].to_dict()
    together = sl.infer_propagation(alerts, edges, kind="kind").iloc[0]
    assert per_edge["followed"].sum() == together["followed"]
    assert per_edge["callee_firings"].sum() == together["callee_firings"]


def test_kinds_are_classified_when_there_is_no_such_column() -> None:
    alerts, edges = _planted(np.random.default_rng(2), pairs=4, share=0.9, lag=60, noise=5)
    named = alerts.rename(columns={"kind": "alertname"})
    assert sl.infer_propagation(named, edges)["callee_kind"].tolist() == ["saturation"]


def test_columns_dtypes_and_arguments() -> None:
    alerts, edges = _planted(np.random.default_rng(2), pairs=2, share=0.9, lag=60, noise=5)
    before = alerts.copy(), edges.copy()
    for table in (
        sl.infer_propagation(alerts, edges, kind="kind"),
        sl.infer_propagation(alerts.head(0), edges, kind="kind"),
        sl.infer_propagation(alerts, edges.head(0), kind="kind", by="edge").drop(columns=["src", "dst"]),
    ):
        assert table.columns.tolist() == PROPAGATION.names
        dtypes = {column.name: column.dtype for column in PROPAGATION.columns}
        assert {name: str(dtype) for name, dtype in table.dtypes.items()} == dtypes
    pd.testing.assert_frame_equal(alerts, before[0])
    pd.testing.assert_frame_equal(edges, before[1])


def test_all_alerts_in_one_second_are_not_judged() -> None:
    rows = [(i / 40, service, "x") for i in range(40) for service in ("a", "b")]
    table = sl.infer_propagation(_alerts(rows), EDGES, kind="kind", min_occasions=1)
    assert table[["probability", "q_value", "lift"]].isna().all(axis=None)


def test_bad_parameters_say_what_to_pass() -> None:
    alerts, edges = _planted(np.random.default_rng(2), pairs=1, share=0.9, lag=60, noise=5)
    with pytest.raises(ParameterError, match=r"refractory='5min' must be at least within='15min'"):
        sl.infer_propagation(alerts, edges, kind="kind", refractory="5min")
    with pytest.raises(ParameterError, match="by='host' is not known"):
        sl.infer_propagation(alerts, edges, kind="kind", by="host")  # type: ignore[arg-type]
    with pytest.raises(ParameterError, match="outside 0 to 1"):
        sl.infer_propagation(alerts, edges.assign(confidence=7.0), kind="kind")
    with pytest.raises(UnknownNameError, match="column 'kinds' not found; did you mean 'kind'"):
        sl.infer_propagation(alerts, edges, kind="kinds")
    with pytest.raises(SchemaError, match="column 'dst' is missing"):
        sl.infer_propagation(alerts, edges.drop(columns="dst"), kind="kind")


ROWS = st.lists(
    st.tuples(st.integers(0, 20_000), st.sampled_from(["a", "b", "c"]), st.sampled_from(["x", "y"])), max_size=30
)
EDGES = pd.DataFrame({"src": ["a", "b"], "dst": ["b", "c"], "confidence": [0.9, 0.6]})


def _plainly(rows: list[tuple[int, str, str]]) -> dict[tuple[str, str], tuple[int, int, int]]:
    """Count firings, followed and reverse as one would by hand."""
    series: dict[tuple[str, str], list[int]] = {}
    for service, kind in {(service, kind) for _, service, kind in rows}:
        times = sorted(at for at, *rest in rows if rest == [service, kind])
        series[service, kind] = [at for i, at in enumerate(times) if i == 0 or at - times[i - 1] > 1800]
    counts: dict[tuple[str, str], tuple[int, int, int]] = {}
    for src, dst in zip(EDGES["src"], EDGES["dst"], strict=True):
        for (callee, a), firings in series.items():
            for (caller, b), others in series.items():
                if (callee, caller) == (dst, src):
                    told = counts.get((a, b), (0, 0, 0))
                    followed = sum(any(0 <= o - at <= 900 for o in others) for at in firings)
                    reverse = sum(any(0 < at - o <= 900 for o in others) for at in firings)
                    counts[a, b] = (told[0] + len(firings), told[1] + followed, told[2] + reverse)
    return counts


@settings(max_examples=30, deadline=None)
@given(ROWS)
def test_counts_are_those_of_counting_by_hand(rows) -> None:
    table = sl.infer_propagation(_alerts(rows).astype({"service": "str", "kind": "str"}), EDGES, kind="kind")
    counted = table.set_index(["callee_kind", "caller_kind"])[["callee_firings", "followed", "reverse"]]
    assert {key: tuple(row) for key, row in zip(counted.index, counted.to_numpy().tolist(), strict=True)} == _plainly(
        rows
    )


@settings(max_examples=15, deadline=None)
@given(ROWS, st.randoms(use_true_random=False), st.integers(-10_000, 10_000))
def test_order_of_rows_and_shift_in_time_change_nothing(rows, random, hours) -> None:
    alerts = _alerts(rows).astype({"service": "str", "kind": "str"})
    order = random.sample(range(len(rows)), len(rows))
    other = alerts.iloc[order].assign(starts_at=lambda frame: frame["starts_at"] + pd.Timedelta(hours=hours))
    pd.testing.assert_frame_equal(
        sl.infer_propagation(alerts, EDGES, kind="kind"), sl.infer_propagation(other, EDGES, kind="kind")
    )


def test_small_chunks_and_thinned_chance_change_little(monkeypatch: pytest.MonkeyPatch) -> None:
    alerts, edges = _planted(np.random.default_rng(0), pairs=10, share=0.6, lag=60, noise=50)
    whole = sl.infer_propagation(alerts, edges, kind="kind", by="edge")
    monkeypatch.setattr("stanza_lab.dependencies.propagation.episodes._CHUNK", 7)
    pd.testing.assert_frame_equal(sl.infer_propagation(alerts, edges, kind="kind", by="edge"), whole)
    exact = sl.infer_propagation(alerts, edges, kind="kind")
    monkeypatch.setattr("stanza_lab.dependencies.propagation.chance._SAMPLED", 500)
    thinned = sl.infer_propagation(alerts, edges, kind="kind")
    assert thinned["probability"].iloc[0] == pytest.approx(exact["probability"].iloc[0], abs=0.02)
    assert thinned["followed"].equals(exact["followed"])


def test_gaps_do_not_reach_into_the_next_series() -> None:
    times = pd.Series(START + pd.to_timedelta([0, 10, 20], unit="s"))
    episodes = Episodes.of(times, pd.Series(["a", "b", "c"]), pd.Series(["x"] * 3), within=900_000, refractory=900_000)
    searched = episodes.searched_by(np.arange(3))
    after, before = searched.gaps(np.array([0, 2]), np.array([10_000, 10_000]))
    assert after[0] > 900_000
    assert before[1] > 900_000
    assert (after[1], before[0]) == (10_000, 10_000)
