"""A good grouping is told from a bad one, and no trivial one wins."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st
from sklearn.metrics import adjusted_rand_score

import stanza_lab as sl
from stanza_lab.errors import ParameterError
from stanza_lab.tuning.labels import names_of
from stanza_lab.tuning.objectives import WEIGHTS, ari, measures, read_objective
from stanza_lab.tuning.unlabelled import density_validity, stability, trace_agreement


def grouped(seconds: list[float], incidents: list[int], **columns: object) -> pd.DataFrame:
    at = pd.to_datetime(seconds, unit="s", utc=True)
    return pd.DataFrame({"starts_at": at, "incident_id": incidents, **columns})


@pytest.fixture(scope="module")
def made() -> sl.Production:
    return sl.simulate_production(services=12, teams=3, days=28, incidents=24, random_state=1)


@pytest.fixture(scope="module")
def edges(made: sl.Production) -> pd.DataFrame:
    return made.call_graph.rename(columns={"caller": "src", "callee": "dst"})


def judge(alerts: pd.DataFrame, edges: pd.DataFrame, group) -> dict[str, float]:
    objective = read_objective("auto", labelled=False, edges=edges, random_state=0)
    return objective(alerts.assign(incident_id=group(alerts)), None, group)


TRIVIAL = {
    "one incident": lambda alerts: np.zeros(len(alerts), dtype=np.int64),
    "all alone": lambda alerts: np.full(len(alerts), -1),
    "a fortnight each": lambda alerts: alerts["starts_at"].dt.day_of_year.to_numpy().astype(np.int64) // 14,
}


@pytest.mark.parametrize("name", TRIVIAL)
def test_a_trivial_grouping_loses_against_the_default(made, edges, name: str) -> None:
    usual = judge(made.alerts, edges, sl.IncidentClusterer().fit_predict)
    assert judge(made.alerts, edges, TRIVIAL[name])["value"] < usual["value"] - 0.1


@pytest.mark.parametrize("name", ["one incident", "all alone"])
def test_everything_together_and_everything_alone_score_nothing(made, edges, name: str) -> None:
    scores = judge(made.alerts, edges, TRIVIAL[name])
    assert {part: scores[part] for part in WEIGHTS} == dict.fromkeys(WEIGHTS, 0.0)


def test_the_true_grouping_has_the_best_score_with_labels(made) -> None:
    names = names_of(made.alerts, made.labels)
    objective = read_objective("auto", labelled=True, edges=None, random_state=0)
    true = made.alerts.assign(incident_id=names["code"])
    assert objective(true, names, None) == {"value": 1.0}
    assert objective(true.assign(incident_id=0), names, None)["value"] < 0.1
    assert objective(true.assign(incident_id=-1), names, None)["value"] < 0.1


def test_validity_is_the_pauses_within_against_the_time_between() -> None:
    alerts = grouped([0, 10, 30, 130, 140, 500], [0, 0, 0, 1, 1, -1])
    assert density_validity(alerts) == pytest.approx((3 * (100 - 20) / 100 + 2 * (100 - 10) / 100) / 6)


def test_incidents_that_overlap_in_time_are_not_valid() -> None:
    assert density_validity(grouped([0, 10, 20, 30], [0, 1, 0, 1])) == pytest.approx(-0.5)


def test_validity_does_not_depend_on_the_order_of_rows() -> None:
    alerts = grouped([0, 10, 30, 130, 140, 500], [0, 0, 0, 1, 1, -1])
    assert density_validity(alerts.iloc[::-1]) == density_validity(alerts)


def test_a_grouping_that_hangs_on_single_alerts_is_not_stable() -> None:
    seconds = np.arange(200) * 60.0
    seconds += np.arange(200) // 60 * 36_000  # most of the time nothing goes on
    chain = grouped(seconds.tolist(), [0] * 200).drop(columns="incident_id")

    def by_size(alerts: pd.DataFrame) -> np.ndarray:  # every fifth alert begins an incident
        return np.arange(len(alerts)) // 5

    def by_clock(alerts: pd.DataFrame) -> np.ndarray:
        return alerts["starts_at"].dt.floor("6h").astype("int64").to_numpy().astype(np.int64)

    def of(group) -> float:
        return stability(chain.assign(incident_id=group(chain)), regroup=group)

    assert of(by_clock) == 1.0
    assert of(by_size) < 0.7


EDGES = pd.DataFrame({"src": ["web", "mail"], "dst": ["db", "smtp"]})


def test_alerts_that_share_a_trace_should_be_together() -> None:
    traces = [["t1"], ["t1"], ["t2"]]
    alerts = grouped([0, 10, 20], [0, 0, -1], service=["web", "other", "mail"], trace_ids=traces)
    assert trace_agreement(alerts, edges=None) == 1.0
    assert trace_agreement(alerts.assign(incident_id=[0, 1, 0]), edges=None) == -0.5


@pytest.mark.parametrize(
    ("seconds", "services"),
    [([0, 1000], ["web", "db"]), ([0, 1], ["web", "web"]), ([0, 1], ["web", "unseen"]), ([0], ["web"])],
)
def test_pairs_that_traces_cannot_judge_say_nothing(seconds: list[float], services: list[str]) -> None:
    alerts = grouped(seconds, [0] * len(seconds), service=services)
    assert np.isnan(trace_agreement(alerts, edges=EDGES))


def test_a_part_that_cannot_be_computed_gives_its_weight_to_the_others() -> None:
    alerts = grouped([0, 10, 500, 510], [0, 0, 1, 1])
    objective = read_objective({"validity": 1, "traces": 9}, labelled=False, edges=None, random_state=0)
    assert objective(alerts, None, None)["value"] == density_validity(alerts)


@given(st.lists(st.tuples(st.integers(-1, 3), st.integers(-1, 3)), min_size=1))
def test_the_fast_rand_index_is_that_of_scikit_learn(pairs) -> None:
    true, found = np.array(pairs).T
    alone = -2 - np.arange(len(true))
    expected = adjusted_rand_score(np.where(true < 0, alone, true), np.where(found < 0, alone, found))
    assert ari(true, found)[1] == pytest.approx(expected, abs=1e-12)


def test_compression_stands_beside_recall() -> None:
    alerts = pd.DataFrame({"incident_id": [0, 0, 0, -1]})
    names = names_of(alerts, pd.Series(["A", "A", "B", "B"]))
    shown = measures(alerts, names)
    assert (shown["compression"], shown["recall"]) == (0.5, 0.5)
    assert np.isnan(measures(alerts, None)["recall"])


def test_alerts_of_which_the_truth_says_nothing_are_not_judged() -> None:
    alerts = pd.DataFrame({"alert_id": ["a", "b", "c"], "incident_id": [0, 0, 0]})
    names = names_of(alerts, pd.DataFrame({"alert_id": ["a", "b"], "incident_id": ["X", "X"]}))
    objective = read_objective("ari", labelled=True, edges=None, random_state=0)
    assert objective(alerts, names, None)["value"] == 1.0


def test_a_function_gets_alerts_and_truth() -> None:
    alerts = pd.DataFrame({"incident_id": [0, 0, -1]}, index=[5, 6, 7])
    names = names_of(alerts, pd.Series(["A", None, None], index=[5, 6, 7]))

    def share(known: pd.DataFrame, truth: pd.Series) -> float:
        return float((truth.notna() & (known["incident_id"] >= 0)).mean())

    objective = read_objective(share, labelled=True, edges=None, random_state=0)
    assert (objective.name, objective(alerts, names, None)["value"]) == ("share", pytest.approx(1 / 3))


@pytest.mark.parametrize(
    ("objective", "labelled", "said"),
    [
        ("aro", True, "'aro' is not known"),
        ("compression", True, "not known"),  # everything in one incident would win
        ("ari", False, "needs labels"),
        ({"validity": 0}, False, "above 0"),
        ({}, False, "no part"),
    ],
)
def test_an_objective_that_makes_no_sense_is_refused(objective, labelled: bool, said: str) -> None:
    with pytest.raises(ParameterError, match=said):
        read_objective(objective, labelled=labelled, edges=None, random_state=0)


def test_any_measure_of_score_incidents_can_be_named() -> None:
    alerts = pd.DataFrame({"incident_id": [0, 0, 0, -1]})
    names = names_of(alerts, pd.Series(["A", "A", "B", "B"]))
    scores = sl.score_incidents(alerts, truth=names["incident"])["pairwise_f1"]
    objective = read_objective("pairwise_f1", labelled=True, edges=None, random_state=0)
    assert objective(alerts, names, None)["value"] == scores.mean()
