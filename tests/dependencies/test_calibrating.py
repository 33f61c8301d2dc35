from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy.special import expit, logit
from sklearn.base import clone

import stanza_lab as sl
from stanza_lab import schema
from stanza_lab.dependencies import CalibrationReport
from stanza_lab.dependencies.curves import fit_curve
from stanza_lab.dependencies.judging import Truth, both_ways, judge
from stanza_lab.errors import ParameterError, SchemaError

if TYPE_CHECKING:
    from pathlib import Path

    from stanza_lab.dependencies.curves import Floats

CHANCES = st.floats(0, 1, allow_nan=False)


def edges_of(links: Floats, shares: Floats, services: int) -> pd.DataFrame:
    """Return both directions of the first pairs of so many services, with these link confidences."""
    a, b = np.triu_indices(services, 1)
    a, b = a[: len(links)], b[: len(links)]
    names = np.array([f"s{i:02d}" for i in range(services)])
    rows = [
        pd.DataFrame({"src": names[x], "dst": names[y], "confidence": links * part, "link_confidence": links})
        for x, y, part in ((a, b, shares), (b, a, 1 - shares))
    ]
    return pd.concat(rows, ignore_index=True)


def drawn(rng: np.random.Generator, services: int = 30) -> tuple[pd.DataFrame, pd.DataFrame]:
    """Return edges whose confidence means what it says, and the call graph drawn from it."""
    size = services * (services - 1) // 2
    links, shares = rng.beta(0.4, 1.6, size), rng.beta(2, 2, size)
    edges = edges_of(links, shares, services)
    there = rng.random(size) < links
    forward = rng.random(size) < shares
    calls = pd.concat([edges[:size][there & forward], edges[size:][there & ~forward]])
    return edges, calls[["src", "dst"]].set_axis(["caller", "callee"], axis=1)


def distorted(edges: pd.DataFrame, slope: float = 0.5, intercept: float = 1.0) -> pd.DataFrame:
    links = expit(slope * logit(edges["link_confidence"].clip(1e-9, 1 - 1e-9)) + intercept)
    return edges.assign(
        link_confidence=links, confidence=edges["confidence"] * links / edges["link_confidence"].clip(1e-9)
    )


def error(edges: pd.DataFrame, truth: pd.DataFrame) -> float:
    """Return the mean error of confidence over its bins, weighted by pairs."""
    table = sl.edge_reliability(edges, truth)
    return float(((table["confidence"] - table["real"]).abs() * table["pairs"]).sum() / table["pairs"].sum())


@pytest.mark.parametrize("method", ["platt", "isotonic"])
@pytest.mark.parametrize(("slope", "intercept"), [(0.5, 1.0), (2.0, 0.0), (1.0, -2.0)])
def test_a_distortion_is_mended_on_pairs_not_used(method: str, slope: float, intercept: float) -> None:
    rng = np.random.default_rng(3)
    edges, truth = drawn(rng)
    others, unseen = drawn(rng)
    calibrator = sl.EdgeCalibrator(method=method).fit(distorted(edges, slope, intercept), truth)
    before = distorted(others, slope, intercept)
    after = calibrator.transform(before)
    assert calibrator.report_.method == method
    assert error(before, unseen) > 0.07
    assert error(after, unseen) < 0.05
    directed = [sl.edge_reliability(table, unseen, directed=True) for table in (before, after)]
    off = [((t["confidence"] - t["real"]).abs() * t["pairs"]).sum() / t["pairs"].sum() for t in directed]
    assert off[1] < off[0]


def test_confidence_that_is_right_is_hardly_changed() -> None:
    for seed in range(5):
        edges, truth = drawn(np.random.default_rng(seed))
        after = sl.EdgeCalibrator().fit(edges, truth).transform(edges)
        both = edges.merge(after, on=["src", "dst"], suffixes=("", "_new"))
        assert (both["link_confidence_new"] - both["link_confidence"]).abs().mean() < 0.03


def test_few_pairs_change_nothing_and_the_report_says_so() -> None:
    edges, truth = drawn(np.random.default_rng(0), services=4)
    calibrator = sl.EdgeCalibrator().fit(distorted(edges), truth)
    assert str(calibrator.report_).startswith("6 pairs judged")
    assert "too few to correct anything (20 are asked for); left as they are." in str(calibrator.report_)
    after = calibrator.transform(distorted(edges))
    assert sorted(after["link_confidence"]) == sorted(distorted(edges)["link_confidence"])


def test_the_report_says_what_was_wrong_and_whether_it_helped() -> None:
    edges, truth = drawn(np.random.default_rng(1))
    report = sl.EdgeCalibrator().fit(distorted(edges), truth).report_
    assert report.corrected
    assert (report.pairs, report.unjudged) == (435, 0)
    assert report.brier_after < report.brier_before
    assert report.ece_after < report.ece_before
    assert 1.3 < report.slope < 2.5
    assert 0.5 < report.from_data < 1
    assert f"your confidences were too high by {report.said - report.found:.2f} on average" in str(report)
    assert "too near the middle; corrected" in str(report)
    low = sl.EdgeCalibrator().fit(distorted(edges, 1.0, -2.0), truth).report_
    assert "your confidences were too low by" in str(low)


def test_pairs_of_one_callee_change_nothing_for_nothing_can_be_held_out() -> None:
    edges = pairs(*(f"s{i}>db" for i in range(30)))
    calls = pd.DataFrame({"caller": ["s1"], "callee": ["db"]})
    report = sl.EdgeCalibrator().fit(edges, calls).report_
    assert not report.corrected
    assert "all of one callee" in str(report)


def test_a_stronger_prior_moves_less() -> None:
    edges, truth = drawn(np.random.default_rng(2), services=12)
    reports = [sl.EdgeCalibrator(prior_strength=k).fit(distorted(edges), truth).report_ for k in (1, 10, 100)]
    intercepts = [abs(report.intercept) for report in reports]
    assert intercepts == sorted(intercepts, reverse=True)
    told = [report.from_data for report in reports]
    assert told == sorted(told, reverse=True)


def test_too_few_for_steps_take_a_line_and_say_so() -> None:
    edges, truth = drawn(np.random.default_rng(4), services=15)
    report = sl.EdgeCalibrator(method="isotonic").fit(distorted(edges), truth).report_
    assert report.method == "platt"
    assert "steps need 200 pairs with 40 real" in str(report)


@pytest.mark.parametrize("method", ["platt", "isotonic"])
def test_order_and_bounds_hold(method: str) -> None:
    edges, truth = drawn(np.random.default_rng(5))
    before = distorted(edges)
    after = sl.EdgeCalibrator(method=method).fit(before, truth).transform(before)
    both = before.merge(after, on=["src", "dst"], suffixes=("", "_new")).sort_values("link_confidence")
    assert (both["link_confidence_new"].diff().dropna() >= -1e-12).all()
    assert (after["confidence"] <= after["link_confidence"] + 1e-12).all()
    pairs = both_ways(after)
    assert (pairs["ab"] + pairs["ba"] >= pairs["link"] - 1e-9).all()


@given(st.lists(st.tuples(CHANCES, st.booleans()), min_size=2, max_size=40), st.floats(0.1, 50))
@pytest.mark.parametrize("method", ["platt", "isotonic", "slope"])
def test_curves_rise_and_stay_probabilities(method: str, pairs: list[tuple[float, bool]], prior: float) -> None:
    said, real = np.array([p for p, _ in pairs]), np.array([float(r) for _, r in pairs])
    found = fit_curve(method, said, real, prior)(np.linspace(0, 1, 50))
    assert ((found >= 0) & (found <= 1)).all()
    assert (np.diff(found) >= -1e-9).all()


def test_confidence_that_says_the_opposite_is_not_turned_round() -> None:
    said = np.linspace(0.02, 0.98, 200)
    found = fit_curve("platt", said, (said < 0.5).astype(float), 4.0)(said)
    assert np.ptp(found) < 0.05


def test_settled_and_certain_pairs_stay() -> None:
    edges, truth = drawn(np.random.default_rng(6))
    edges = distorted(edges).assign(provenance=[["inferred"]] * len(edges))
    calibrator = sl.EdgeCalibrator().fit(edges, truth)
    told = edges.copy()
    told["provenance"] = [["declared", "inferred"] if i == 0 else ["inferred"] for i in range(len(told))]
    certain = (told["src"] == "s01") & (told["dst"] == "s02")
    told.loc[certain, ["confidence", "link_confidence"]] = 1.0
    back = (told["src"] == "s02") & (told["dst"] == "s01")
    told.loc[back, ["confidence", "link_confidence"]] = [0.0, 1.0]
    after = calibrator.transform(told).set_index(["src", "dst"])
    before = told.set_index(["src", "dst"])
    for pair in [("s00", "s01"), ("s01", "s00"), ("s01", "s02"), ("s02", "s01")]:
        assert after.loc[pair, "confidence"] == before.loc[pair, "confidence"]
        assert after.loc[pair, "link_confidence"] == before.loc[pair, "link_confidence"]
    assert after.loc[("s03", "s04"), "link_confidence"] != before.loc[("s03", "s04"), "link_confidence"]


def test_other_columns_stay_rows_are_sorted_and_nothing_is_changed_in_place() -> None:
    edges, truth = drawn(np.random.default_rng(7))
    edges = distorted(edges).assign(support=range(len(edges)), note="x")
    kept = edges.copy(deep=True)
    after = sl.EdgeCalibrator().fit(edges, truth).transform(edges)
    pd.testing.assert_frame_equal(edges, kept)
    assert list(after.columns) == list(edges.columns)
    assert after["confidence"].is_monotonic_decreasing
    number = edges.set_index(["src", "dst"])["support"]
    assert (after.set_index(["src", "dst"])["support"] == number.reindex(after[["src", "dst"]])).all()


def test_a_direction_said_too_surely_is_softened() -> None:
    rng = np.random.default_rng(8)
    edges, truth = drawn(rng, services=40)
    size = len(edges) // 2
    links = edges["link_confidence"][:size].to_numpy()
    share = edges["confidence"][:size].to_numpy() / links
    extreme = expit(4 * logit(share.clip(1e-6, 1 - 1e-6)))
    report = sl.EdgeCalibrator().fit(edges_of(links, extreme, 40), truth).report_
    assert report.direction_slope < 0.6
    assert "Directions, by" in str(report)


def test_row_order_does_not_matter() -> None:
    edges, truth = drawn(np.random.default_rng(9))
    edges = distorted(edges)
    shuffled = edges.sample(frac=1, random_state=0)
    found = [sl.EdgeCalibrator().fit(table, truth).transform(table) for table in (edges, shuffled)]
    pd.testing.assert_frame_equal(*found)


def test_one_direction_alone_is_taken_too() -> None:
    edges, truth = drawn(np.random.default_rng(10))
    half = distorted(edges)[: len(edges) // 2]
    after = sl.EdgeCalibrator().fit(half, truth).transform(half)
    assert len(after) == len(half)
    assert (after["confidence"] <= after["link_confidence"] + 1e-12).all()


@pytest.mark.parametrize(
    ("parameters", "message"),
    [({"method": "beta"}, "method='beta'"), ({"prior_strength": 0.0}, "prior_strength=0.0"),
     ({"min_pairs": 0}, "min_pairs=0"), ({"min_traces": 0}, "min_traces=0")],
)  # fmt: skip
def test_parameters_are_checked(parameters: dict[str, object], message: str) -> None:
    edges, truth = drawn(np.random.default_rng(0), services=5)
    with pytest.raises(ParameterError, match=message):
        sl.EdgeCalibrator(**parameters).fit(edges, truth)


def test_what_cannot_be_calibrated_is_refused() -> None:
    edges, truth = drawn(np.random.default_rng(0), services=5)
    with pytest.raises(SchemaError, match="is missing"):
        sl.EdgeCalibrator().fit(edges.drop(columns="confidence"), truth)
    with pytest.raises(SchemaError, match="truth: columns are"):
        sl.EdgeCalibrator().fit(edges, truth[["caller"]])
    with pytest.raises(SchemaError, match="no probability"):
        sl.EdgeCalibrator().fit(edges.assign(confidence=1.5), truth)
    with pytest.raises(SchemaError, match="more than once"):
        sl.EdgeCalibrator().fit(pd.concat([edges, edges]), truth)
    with pytest.raises(SchemaError, match="overlay afterwards"):
        sl.EdgeCalibrator().fit(edges.assign(verdict="confirmed"), truth)


def test_no_edges_and_no_truth_are_no_error() -> None:
    edges, truth = drawn(np.random.default_rng(0), services=5)
    for some, calls in ((edges[:0], truth), (edges, truth[:0]), (edges[:0], truth[:0])):
        calibrator = sl.EdgeCalibrator().fit(some, calls)
        assert len(calibrator.transform(some)) == len(some)
        assert not calibrator.report_.corrected


def test_it_is_a_scikit_learn_estimator() -> None:
    calibrator = clone(sl.EdgeCalibrator(method="isotonic", prior_strength=2.0))
    assert calibrator.get_params() == {
        "method": "isotonic", "prior_strength": 2.0, "min_pairs": 20, "min_traces": 10,
    }  # fmt: skip


def test_report_is_escaped() -> None:
    report = sl.EdgeCalibrator().fit(*drawn(np.random.default_rng(0), services=5)).report_
    hostile = CalibrationReport(**{**vars(report), "reason": "<script>"})
    assert "<script>" not in hostile._repr_html_()


# --- which pairs a truth can judge


def span(trace: str, number: str, parent: str | None, service: str, **more: object) -> dict[str, object]:
    return {"trace_id": trace, "span_id": number, "parent_span_id": parent, "service": service} | more


def judged(edges: pd.DataFrame, truth: pd.DataFrame, *, min_traces: int = 1) -> dict[str, bool | None]:
    """Return for each pair whether it is real, or None where nothing can tell."""
    table = judge(both_ways(edges), Truth.of(truth, edges, min_traces=min_traces))
    rows = zip(table["a"], table["b"], table["judged"], table["real"], strict=True)
    return {f"{a}-{b}": bool(real) if known else None for a, b, known, real in rows}


def pairs(*names: str) -> pd.DataFrame:
    rows = [name.split(">") for name in names]
    return pd.DataFrame(rows, columns=["src", "dst"]).assign(confidence=0.3, link_confidence=0.5)


SPANS = pd.DataFrame(
    [
        span("t1", "1", None, "web", kind="server"),
        span("t1", "2", "1", "api", kind="server"),
        span("t1", "3", "2", "api", kind="client", peer="orders-db"),
        span("t2", "1", None, "web", kind="server"),
    ]
)


def test_spans_judge_where_one_writes_spans_and_the_other_appears() -> None:
    edges = pairs("web>api", "web>orders-db", "orders-db>api", "web>mailer", "mailer>faxes")
    assert judged(edges, SPANS) == {
        "api-web": True, "orders-db-web": False, "api-orders-db": True, "mailer-web": None, "faxes-mailer": None,
    }  # fmt: skip


def test_callers_with_few_traces_judge_nothing_not_even_what_they_show() -> None:
    edges = pairs("web>api", "api>mailer", "api>orders-db")
    assert judged(edges, SPANS, min_traces=2) == {"api-web": True, "api-mailer": None, "api-orders-db": True}
    assert judged(pairs("web>api"), SPANS, min_traces=3) == {"api-web": None}


def test_names_are_matched_in_the_spelling_of_the_edges() -> None:
    assert judged(pairs("Web>API", "Web>orders_db"), SPANS) == {"API-Web": True, "Web-orders_db": False}


def test_calls_judge_among_the_names_they_hold() -> None:
    calls = pd.DataFrame({"src": ["web", "api"], "dst": ["api", "db"]})
    edges = pairs("web>api", "web>db", "web>mailer")
    assert judged(edges, calls) == {"api-web": True, "db-web": False, "mailer-web": None}


def test_a_call_graph_judges_every_pair() -> None:
    graph = pd.DataFrame({"caller": ["web"], "callee": ["api"]})
    assert judged(pairs("web>api", "web>db"), graph) == {"api-web": True, "db-web": False}


def test_services_on_one_queue_are_not_judged_by_it() -> None:
    calls = pd.DataFrame({
        "src": ["shop", "billing", "shop"], "dst": ["orders-queue", "orders-queue", "db"],
        "kind": ["messaging", "messaging", "database"], "dst_traced": [False, False, False],
    })  # fmt: skip
    edges = pairs("billing>shop", "shop>orders-queue", "billing>db", "db>orders-queue")
    found = judged(edges, calls)
    assert found == {"billing-shop": None, "orders-queue-shop": True, "billing-db": False, "db-orders-queue": False}


def test_reliability_counts_by_hand() -> None:
    edges = pairs("web>api", "web>db", "api>db").assign(link_confidence=[0.95, 0.25, 0.3], confidence=[0.9, 0.1, 0.2])
    graph = pd.DataFrame({"caller": ["api", "web"], "callee": ["db", "api"]})
    table = sl.edge_reliability(edges, graph)
    assert table[["from", "to", "pairs", "confidence", "real"]].round(3).to_numpy().tolist() == [
        [0.2, 0.3, 2, 0.275, 0.5],
        [0.9, 1.0, 1, 0.95, 1.0],
    ]
    assert (table["low"] < table["real"]).all()
    assert table["high"].round(3).tolist() == [0.905, 1.0]
    ways = sl.edge_reliability(edges, graph, directed=True, bins=1)
    assert ways[["pairs", "real"]].to_numpy().tolist() == [[3, 2 / 3]]
    assert ways.attrs == {"directed": True, "unjudged": 0}


def test_reliability_counts_what_it_cannot_judge() -> None:
    table = sl.edge_reliability(pairs("web>api", "web>mailer"), SPANS, min_traces=1)
    assert (table["pairs"].tolist(), table.attrs["unjudged"]) == ([1], 1)
    assert len(sl.edge_reliability(pairs("web>api"), SPANS[:0])) == 0
    with pytest.raises(ParameterError, match="bins=0"):
        sl.edge_reliability(pairs("web>api"), SPANS, bins=0)


# --- on simulated productions, with traces as a user has them


def test_traces_of_a_simulated_production_mend_a_distortion_elsewhere(tmp_path: Path) -> None:
    production = sl.simulate_production(services=40, incidents=200, random_state=14)
    production.export(tmp_path)
    spans = sl.read_traces(tmp_path / "traces")
    edges = sl.DependencyModel().fit(production.alerts).edges_
    bad = distorted(edges)
    mended = sl.EdgeCalibrator().fit(bad, spans).transform(bad)
    assert schema.check(mended, schema.EDGES)["confidence"].between(0, 1).all()
    judged_by = Truth.of(spans, edges, min_traces=10)
    whole = Truth.of(production.call_graph, edges, min_traces=1)

    def brier(table: pd.DataFrame) -> float:
        rows = judge(both_ways(table), whole)
        unseen = rows[~judge(both_ways(table), judged_by)["judged"]]
        assert len(unseen) > 50
        return float(((unseen["link"] - unseen["real"]) ** 2).mean())

    good, before, after = brier(edges), brier(bad), brier(mended)
    assert after < before * 0.6
    assert after < good + 0.02
    harmless = sl.EdgeCalibrator().fit(edges, spans).transform(edges)
    assert brier(harmless) < good + 0.02


def test_edges_with_a_verdict_are_not_compared_with_themselves() -> None:
    with pytest.raises(SchemaError, match="laid over them already"):
        sl.edge_reliability(pairs("web>api").assign(verdict="confirmed"), SPANS)
