"""A study is the same whatever interrupts it, and says honestly what it found."""

from __future__ import annotations

from pathlib import Path

import networkx as nx
import numpy as np
import optuna
import pandas as pd
import pytest
from sklearn.base import BaseEstimator, ClusterMixin

import stanza_lab as sl
from stanza_lab.errors import MissingExtraError, ParameterError, SchemaError
from stanza_lab.tuning import comparison, study, tuner
from stanza_lab.tuning.study import with_front

SPACE = {"gap": ("10s", "2h"), "min_alerts": (2, 5)}


@pytest.fixture(scope="module")
def made() -> sl.Production:
    return sl.simulate_production(services=12, teams=3, days=28, incidents=24, random_state=1)


def tune(made: sl.Production, **given: object) -> sl.TuningResult:
    usual = {"truth": made.labels, "estimator": sl.GapRule(gap="15s"), "space": SPACE, "n_trials": 12, "cv": 2}
    return sl.tune(made.alerts, **(usual | given))


@pytest.fixture(scope="module")
def result(made: sl.Production) -> sl.TuningResult:
    return tune(made)


def same(one: sl.TuningResult, other: sl.TuningResult) -> None:
    pd.testing.assert_frame_equal(one.trials, other.trials)
    pd.testing.assert_frame_equal(one.comparison, other.comparison)
    pd.testing.assert_frame_equal(one.importance, other.importance)
    assert one.best_params == other.best_params


def test_the_first_trial_is_what_the_estimator_has_and_the_best_is_no_worse(result) -> None:
    first = result.trials.iloc[0]
    assert (first["param_gap"], first["param_min_alerts"]) == ("15s", 2)
    assert result.trials["value"].max() > first["value"]
    assert result.best_params["gap"] != "15s"


def test_the_best_estimator_is_fitted_on_all_alerts(made, result) -> None:
    assert len(result.best_estimator.labels_) == len(made.alerts)
    assert result.best_estimator.get_params()["gap"] == result.best_params["gap"]


def test_the_same_seed_finds_the_same(made, result) -> None:
    same(tune(made), result)
    assert tune(made, random_state=1).trials["param_gap"].tolist() != result.trials["param_gap"].tolist()


def test_the_order_of_rows_does_not_matter(made, result) -> None:
    mixed = made.alerts.sample(frac=1, random_state=0)
    pd.testing.assert_frame_equal(
        sl.tune(
            mixed, truth=made.labels, estimator=sl.GapRule(gap="15s"), space=SPACE, n_trials=12, cv=2
        ).trials,
        result.trials,
    )  # fmt: skip


def test_workers_change_nothing(made, result) -> None:
    same(tune(made, n_jobs=2), result)


def test_a_killed_study_goes_on_as_if_nothing_had_happened(made, result, tmp_path: Path, monkeypatch) -> None:
    asked = []
    judged = tuner.judged

    def killed(*arguments: object, **named: object):
        asked.append(1)
        if len(asked) == 6:
            raise KeyboardInterrupt
        return judged(*arguments, **named)

    monkeypatch.setattr(tuner, "judged", killed)
    with pytest.raises(KeyboardInterrupt):
        tune(made, storage=tmp_path / "study.db")
    same(tune(made, storage=tmp_path / "study.db"), result)
    assert len(asked) == 6 + 12 - 5


def test_a_process_that_died_leaves_a_trial_that_is_given_up(made, result, tmp_path: Path) -> None:
    storage = tmp_path / "study.db"
    tune(made, storage=storage, n_trials=4)
    left = optuna.load_study(study_name="stanza_lab", storage=f"sqlite:///{storage}")
    left.ask()  # never told
    left._storage._backend.engine.dispose()
    same(tune(made, storage=storage), result)


def test_a_finished_study_is_not_run_again(made, result, tmp_path: Path, monkeypatch) -> None:
    tune(made, storage=tmp_path / "study.db")
    monkeypatch.setattr(study, "_try", lambda *_: pytest.fail("tried again"))
    same(tune(made, storage=tmp_path / "study.db"), result)


@pytest.mark.parametrize(
    ("given", "said"),
    [
        ({"objective": "ami"}, "other objective"),
        ({"space": {"gap": ("1min", "1h")}}, "other space"),
        ({"truth": None, "objective": "validity"}, "other labels, objective"),
        ({"cv": 3}, "other alerts"),
        ({"random_state": 2}, "other random_state"),
    ],
)
def test_a_study_about_something_else_is_not_gone_on_with(made, tmp_path: Path, given, said: str) -> None:
    tune(made, storage=tmp_path / "study.db", n_trials=1)
    with pytest.raises(ParameterError, match=said):
        tune(made, storage=tmp_path / "study.db", **given)


def test_a_storage_that_is_none_is_told(made, tmp_path: Path) -> None:
    (tmp_path / "text.db").write_text("no database, but long enough to be taken for one\n" * 50)
    for storage, said in [("sqlite:///x.db", "path of an SQLite"), (tmp_path / "no" / "x.db", "no folder")]:
        with pytest.raises(ParameterError, match=said):
            tune(made, storage=storage)
    with pytest.raises(ParameterError, match="no SQLite file"):
        tune(made, storage=tmp_path / "text.db")


def test_trials_that_fall_behind_are_stopped_early(result) -> None:
    stopped = result.trials[result.trials["state"] == "pruned"]
    assert len(stopped) > 0
    assert stopped["value"].isna().all()
    assert stopped["fold_2"].isna().any()


def test_without_a_pruner_every_trial_is_finished(made) -> None:
    assert set(tune(made, pruner=None).trials["state"]) == {"complete"}


class Moody(ClusterMixin, BaseEstimator):
    """Refuses some parameters, learns how often alerts come, and predicts."""

    def __init__(self, *, gap: int = 300, least: int = 2) -> None:
        self.gap = gap
        self.least = least

    def fit(self, alerts, y=None):
        if self.least > 3:
            raise ParameterError(f"least={self.least} is too many")
        self.until_ = alerts["starts_at"].max()
        self.labels_ = self._group(alerts)
        return self

    def predict(self, alerts):
        assert alerts["starts_at"].min() > self.until_, "fitted on the future"
        return self._group(alerts)

    def _group(self, alerts):
        return sl.GapRule(gap=f"{self.gap}s", min_alerts=self.least).fit_predict(alerts)

    def score(self, alerts, y):
        known = pd.Series(y, dtype="str").reset_index(drop=True)
        found = alerts.reset_index(drop=True).assign(incident_id=self.predict(alerts))
        return sl.score_incidents(found, truth=known)["ari"].mean()


def test_parameters_that_are_refused_are_told_and_passed_over(made) -> None:
    found = tune(made, estimator=Moody(), space={"gap": (30, 3600), "least": (2, 6)})
    refused = found.trials[found.trials["state"] == "refused"]
    assert set(refused["param_least"]) <= {4, 5, 6}
    assert refused["refused"].str.contains("too many").all()
    assert len(refused) > 0
    assert found.best_params["least"] <= 3


def test_when_all_is_refused_the_reason_is_told(made) -> None:
    with pytest.raises(ParameterError, match=r"no trial could be judged: least=\d is too many"):
        tune(made, estimator=Moody(least=4), space={"least": (4, 6)}, n_trials=3)


def test_a_model_that_predicts_is_fitted_on_the_past_only(made) -> None:
    assert tune(made, estimator=Moody(), space={"gap": (30, 3600)}, n_trials=2).trials["value"].notna().all()


def test_the_estimator_is_not_changed(made) -> None:
    model = sl.GapRule(gap="15s")
    before = made.alerts.copy()
    tune(made, estimator=model, n_trials=2)
    assert model.get_params()["gap"] == "15s"
    assert not hasattr(model, "labels_")
    pd.testing.assert_frame_equal(made.alerts, before)


def test_what_is_held_out_is_not_seen_by_the_trials(made, result) -> None:
    since = result.held_out["since"].item()
    late = made.alerts["starts_at"] >= since
    changed = made.labels["incident_id"].mask(late.to_numpy(), "ANOTHER")
    other = tune(made, truth=made.labels.assign(incident_id=changed))
    assert other.trials["value"].equals(result.trials["value"])
    assert other.comparison["score"].tolist() != result.comparison["score"].tolist()


def test_the_comparison_has_the_baselines(result) -> None:
    assert result.comparison["method"].str.replace(r" \(.*", "", regex=True).tolist() == [
        "tuned",
        "defaults",
        "gap 5min",
        "best gap of the past",
        "HDBSCAN over time",
        "Alertmanager group_by",
    ]
    assert result.comparison.dtypes.astype(str).to_dict() | {"score": "float64", "incidents": "int64"} == (
        result.comparison.dtypes.astype(str).to_dict()
    )


def test_a_bad_start_is_beaten_beyond_noise(made) -> None:
    found = tune(made, estimator=sl.GapRule(gap="1s"), space={"gap": ("1s", "1h")})
    assert found.helped
    assert found.recommended_params == found.best_params
    assert "better than the defaults by more than noise: use the tuned parameters" in found.words


def test_the_same_again_is_within_noise(made) -> None:
    found = tune(made, estimator=sl.GapRule(gap="10min"), space={"gap": ("10min", "10min")}, n_trials=1)
    assert not found.helped
    assert found.recommended_params == {"gap": "10min"}
    assert "within noise: keep the defaults" in found.words
    assert found.importance.empty


def test_without_labels_recall_is_unknown_and_words_still_say_something(made) -> None:
    edges = made.call_graph.rename(columns={"caller": "src", "callee": "dst"})
    found = tune(made, truth=None, traces=edges, n_trials=4)
    assert found.comparison[["recall", "precision", "ari_all"]].isna().all(axis=None)
    assert found.trials["traces"].notna().any()
    assert found.comparison["ahead_low"].notna().all()
    assert "known incidents" not in found.words


def test_the_best_gap_is_that_of_the_folds(made) -> None:
    from stanza_lab.tuning.folds import Fold
    from stanza_lab.tuning.labels import names_of
    from stanza_lab.tuning.objectives import read_objective

    alerts = pd.DataFrame({"starts_at": pd.to_datetime([0, 50, 100, 9000, 9050, 9100], unit="s", utc=True)})
    names = names_of(alerts, pd.Series(["A", "A", "A", "B", "B", "B"]))
    target = read_objective("ari", labelled=True, edges=None, random_state=0)
    assert comparison.best_gap([Fold(alerts, alerts, names)], target) == 60


def test_the_front_is_what_nothing_beats_in_both() -> None:
    trials = pd.DataFrame(
        {
            "state": ["complete"] * 4 + ["pruned"],
            "compression": [0.9, 0.5, 0.4, 0.9, 1.0],
            "recall": [0.2, 0.8, 0.7, 0.2, 1.0],
            "value": [0.0] * 5,
        }
    )
    assert with_front(trials)["front"].tolist() == [True, True, False, True, False]


def test_importance_names_every_parameter_and_sums_to_one(result) -> None:
    assert set(result.importance["parameter"]) == set(SPACE)
    assert result.importance["importance"].sum() == pytest.approx(1.0)


@pytest.mark.parametrize(
    ("given", "said"),
    [
        ({"n_trials": 0}, "n_trials"),
        ({"holdout": 0.0}, "holdout"),
        ({"holdout": 0.9}, "holdout"),
        ({"space": None}, "GapRule needs space="),
        ({"cv": "later"}, "does not split"),
        ({"pruner": "mean"}, "'mean' is not known"),
        ({"timeout": "soon"}, "timeout"),
    ],
)
def test_what_makes_no_sense_is_refused(made, given, said: str) -> None:
    with pytest.raises(ParameterError, match=said):
        tune(made, **given)


def test_too_few_alerts_are_told(made) -> None:
    with pytest.raises(ParameterError, match="5 alerts with a time are too few"):
        sl.tune(made.alerts.head(5))


def test_labels_of_other_alerts_are_told(made) -> None:
    with pytest.raises(SchemaError, match="names no incident of these alerts"):
        tune(made, truth=made.labels.assign(alert_id="unknown"))


def test_without_optuna_the_extra_is_named(made, monkeypatch) -> None:
    import sys

    monkeypatch.setitem(sys.modules, "optuna", None)
    with pytest.raises(MissingExtraError, match=r"stanza_lab\[tune\]"):
        tune(made)


def test_optuna_is_left_as_it_was_and_says_nothing(made, tmp_path: Path, capfd) -> None:
    before = optuna.logging.get_verbosity()
    tune(made, storage=tmp_path / "study.db", n_trials=1)
    assert optuna.logging.get_verbosity() == before
    assert capfd.readouterr() == ("", "")


def test_no_trial_begins_after_the_timeout(made) -> None:
    assert len(tune(made, timeout="1us", n_trials=50).trials) == 1


def test_the_clusterer_is_tuned_in_a_space_of_its_own(made) -> None:
    found = sl.tune(made.alerts, truth=made.labels, n_trials=2, cv=2)
    assert isinstance(found.best_estimator, sl.IncidentClusterer)
    assert len(found.best_params) > 3


def test_splits_and_a_grouper_work_in_the_grid_search_of_scikit_learn(made) -> None:
    from sklearn.model_selection import GridSearchCV

    y = made.labels["incident_id"]
    search = GridSearchCV(Moody(), {"gap": [1, 600, 86_400]}, cv=sl.TimeSplits(n_splits=2))
    search.fit(made.alerts, y)
    assert search.best_params_ == {"gap": 600}
    scores = search.cv_results_["mean_test_score"]
    assert scores[1] > max(scores[0], scores[2]) + 0.2
    assert np.isfinite(scores).all()


@pytest.mark.skipif(not hasattr(sl.IncidentClusterer, "score"), reason="IncidentClusterer has no score yet")
def test_the_clusterer_works_in_the_grid_search_of_scikit_learn(made) -> None:
    from sklearn.model_selection import GridSearchCV

    search = GridSearchCV(sl.IncidentClusterer(), {"min_alerts": [2, 3]}, cv=sl.TimeSplits(n_splits=2))
    search.fit(made.alerts, made.labels["incident_id"])
    assert np.isfinite(search.cv_results_["mean_test_score"]).all()


def test_a_study_knows_the_graph_of_its_estimator_again_in_another_process() -> None:
    def known(*edges: tuple[str, str]) -> object:
        return tuner._digest(tuner._lasting(sl.IncidentClusterer(edges=nx.Graph(edges))))

    assert known(("orders", "orders-db")) == known(("orders", "orders-db"))
    assert known(("orders", "orders-db")) != known(("orders", "search"))
    many = [pd.DataFrame({"src": "a", "dst": [str(i) for i in range(100)]}) for _ in range(2)]
    many[1].loc[50, "dst"] = "other"
    one, other = (tuner._digest(tuner._lasting(sl.IncidentClusterer(edges=edges))) for edges in many)
    assert one != other
