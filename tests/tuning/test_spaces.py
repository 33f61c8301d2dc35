"""What a person writes is what the estimator gets."""

from __future__ import annotations

import optuna
import pandas as pd
import pytest
from sklearn.base import BaseEstimator

import stanza_lab as sl
from stanza_lab.errors import ParameterError, UnknownNameError
from stanza_lab.tuning import default_space
from stanza_lab.tuning.spaces import read_space, words_of


class Model(BaseEstimator):
    def __init__(self, *, gap="5min", least=2, share=0.5, strict=False, by=None, zero="0s", n_jobs=2, random_state=7):
        self.gap, self.least, self.share, self.strict, self.by, self.zero = gap, least, share, strict, by, zero
        self.n_jobs, self.random_state = n_jobs, random_state

    def fit(self, alerts, y=None):
        if self.share > 1 or self.least < 2:
            raise ParameterError("out of range")
        return self


ALERTS = pd.DataFrame({"starts_at": pd.to_datetime([0, 1], unit="s", utc=True)})


def test_the_default_space_lies_around_what_the_estimator_has() -> None:
    assert default_space(Model()) == {
        "gap": ("1min 15s", "20min"),
        "least": (1, 4),
        "share": (0.125, 2.0),
        "strict": [False, True],
    }


def test_ends_that_the_estimator_refuses_are_drawn_in() -> None:
    space = default_space(Model(), alerts=ALERTS)
    assert (space["least"], space["share"]) == ((2, 4), (0.125, 1.0))


def test_the_default_space_of_the_clusterer_holds_its_defaults() -> None:
    model = sl.IncidentClusterer()
    alerts = sl.simulate_production(services=12, teams=3, days=14, incidents=12).alerts
    dimensions = read_space(default_space(model, alerts=alerts), estimator=model)
    assert dimensions
    outside = {name for name, dimension in dimensions.items() if not dimension.holds(model.get_params()[name])}
    assert outside == set()


@pytest.mark.parametrize(
    ("given", "stored", "value"),
    [
        (("1min", "1h"), 312, "5min 12s"),
        ((1, 5), 3, 3),
        ((0.0, 1.0), 0.123456, 0.1235),
        (["a", "b"], "b", "b"),
        ([["team"], ["team", "service"]], "['team', 'service']", ["team", "service"]),
        (optuna.distributions.FloatDistribution(0, 1), 0.25, 0.25),
    ],
)
def test_a_stored_value_is_read_back_as_the_estimator_takes_it(given, stored, value) -> None:
    dimension = read_space({"gap": given}, estimator=Model())["gap"]
    assert dimension.decode(stored) == value


def test_durations_and_wide_ranges_are_searched_by_ratio() -> None:
    dimensions = read_space({"gap": ("1min", "2min"), "share": (0.01, 1.0), "least": (1, 5)}, estimator=Model())
    assert {name: dimension.distribution.log for name, dimension in dimensions.items()} == {
        "gap": True,
        "share": True,
        "least": False,
    }


@pytest.mark.parametrize("given", [("1h", "1min"), ("soon", "later"), (1,), [], "5min", (1, "5min"), ("0s", "1min")])
def test_a_space_that_makes_no_sense_is_refused(given) -> None:
    with pytest.raises(ParameterError, match=r"space\['gap'\]"):
        read_space({"gap": given}, estimator=Model())


def test_an_unknown_parameter_is_told_with_what_was_meant() -> None:
    with pytest.raises(UnknownNameError, match="did you mean 'least'"):
        read_space({"leest": (1, 2)}, estimator=Model())


@pytest.mark.parametrize(("seconds", "said"), [(0, "0s"), (59, "59s"), (3600, "1h"), (90_061, "25h 1min 1s")])
def test_seconds_are_written_as_people_write_them(seconds: int, said: str) -> None:
    assert words_of(seconds) == said
    assert pd.Timedelta(said).total_seconds() == seconds
