"""Fusion: log odds add up source by source, none beyond its bound, and a missing source adds nothing."""

from __future__ import annotations

import json
from importlib import resources

import numpy as np
import pandas as pd
import pytest
from scipy.special import logit

import stanza_lab as sl
from stanza_lab.dependencies.evidence import merge_claims, merge_traits
from stanza_lab.dependencies.inference import fusion
from stanza_lab.dependencies.inference.features import pair_features
from stanza_lab.dependencies.inference.fusion import Weights, fuse_direction, fuse_link
from stanza_lab.dependencies.inference.pairs import PairCounts
from stanza_lab.dependencies.metrics import reliability
from stanza_lab.dependencies.statistics import CoFiringStatistics, Counting, Firings

COUNTING = Counting.of(window="10min", refractory="15min", block="1h", slice="1D")
START = pd.Timestamp("2026-03-01", tz="UTC")
LINK = [name for names in fusion.LINK.values() for name in names]
DIRECTION = [name for names in fusion.DIRECTION.values() for name in names]
SAYS = {
    "text": ("text_ab", "text_ba", "mention_ab", "mention_ba"),
    "traces": ("traces",),
    "resources": ("resource_ab", "resource_ba", "shared_host"),
    "teams": ("same_team",),
    "names": ("names",),
    "roles": ("both_passive", "one_passive", "both_edge"),
}


def weights(size: float = 0.5, **changed: float) -> Weights:
    link = dict.fromkeys(LINK, size) | {"intercept": -3.0, "log_nodes": -0.3} | changed
    return Weights(link, dict.fromkeys(DIRECTION, size))


def counts(times: int = 12) -> PairCounts:
    """Kestrel, then marten a minute later, again and again; otter on its own."""
    parts = {"kestrel": 0, "marten": 1, "otter": 700}
    table = [(37 * 60 * k + lag, name) for k in range(times) for name, lag in parts.items()]
    at = pd.Series(START + pd.to_timedelta([minute for minute, _ in table], unit="min"), dtype="datetime64[us, UTC]")
    firings = Firings.of(at, pd.Series([name for _, name in table], dtype="str"))
    return PairCounts.of(CoFiringStatistics.count(firings, COUNTING))


def linked(
    pairs: PairCounts, weigh: Weights, *, min_support: int = 3, max_q: float = 0.05, **said: float
) -> pd.DataFrame:
    """Rows: kestrel-marten, kestrel-otter, marten-otter."""
    table = pair_features(pairs, merge_claims([]), merge_traits([])).assign(**said)
    return fuse_link(table, min_support=min_support, max_q=max_q, weights=weigh)


def of(table: pd.DataFrame, prefix: str) -> pd.DataFrame:
    return table[[name for name in table.columns if name.startswith(prefix)]]


def test_a_missing_source_adds_exactly_nothing() -> None:
    told = linked(counts(), weights(3.0))
    silent = [f"says:{source}" for source in SAYS]
    assert (told[silent].to_numpy() == 0).all()
    assert (told.loc[0, ["says:co-firing", "says:direct effect"]] != 0).all()


@pytest.mark.parametrize("said", [{}, {"text_ab": 2.0}, {"names": 0.8, "same_team": -0.7}, {"one_passive": 1.0}])
def test_prior_and_sources_are_the_log_odds(said: dict[str, float]) -> None:
    told = linked(counts(), weights(), **said)
    np.testing.assert_allclose(told["prior"] + of(told, "says:").sum(axis=1), logit(told["link_confidence"]))


@pytest.mark.parametrize("source", SAYS)
def test_each_source_moves_the_log_odds_within_its_bound(source: str) -> None:
    for sign in (1, -1):
        said = dict.fromkeys(SAYS[source], 50.0 * sign)
        told = linked(counts(), weights(3.0), **said)[f"says:{source}"]
        assert told.abs().max() == pytest.approx(fusion.CEILINGS[source])


def test_a_source_speaks_for_itself_alone() -> None:
    without, said = linked(counts(), weights()), linked(counts(), weights(), traces=1.0)
    changed = (of(said, "says:") != of(without, "says:")).any()
    assert changed[changed].index.tolist() == ["says:traces"]


def test_times_alone_say_little_of_few_occasions() -> None:
    sure = weights(5.0)
    assert linked(counts(2), sure).loc[0, "link_confidence"] <= fusion.WEAK_CEILING
    assert linked(counts(12), sure).loc[0, "link_confidence"] > 0.9
    assert linked(counts(12), sure, min_support=13).loc[0, "link_confidence"] <= fusion.WEAK_CEILING


def test_times_alone_say_little_of_what_may_be_chance() -> None:
    assert linked(counts(), weights(5.0), max_q=0.0).loc[0, "link_confidence"] <= fusion.WEAK_CEILING


def test_times_alone_say_at_most_even_odds_of_what_a_third_explains() -> None:
    assert linked(counts(), weights(5.0), rival=0.0).loc[0, "link_confidence"] <= fusion.RIVALLED_CEILING


def test_what_is_said_comes_on_top_of_bounds() -> None:
    bounded = linked(counts(2), weights(5.0)).loc[0]
    said = linked(counts(2), weights(5.0), text_ab=1.0).loc[0]
    assert logit(said["link_confidence"]) - logit(bounded["link_confidence"]) == pytest.approx(5.0)


def test_faint_times_keep_their_order() -> None:
    told = [linked(counts(2), weights(size)).loc[0, "link_confidence"] for size in (0.2, 0.5, 1.0, 5.0)]
    assert told == sorted(told)


def test_never_together_and_nothing_said_stays_low() -> None:
    told = linked(counts(30), Weights.load())
    assert told.loc[1:, "link_confidence"].max() < fusion.WEAK_CEILING


def test_the_weights_that_ship_fit_the_features() -> None:
    shipped = Weights.load()
    assert {*shipped.link} == {*LINK, *fusion.PRIOR, "intercept"}
    assert {*shipped.direction} == {*DIRECTION}
    assert np.isfinite([*shipped.link.values(), *shipped.direction.values()]).all()


def directed(known: np.ndarray | None = None, weigh: Weights | None = None, **said: float) -> pd.DataFrame:
    pairs = counts()
    weigh = weights() if weigh is None else weigh
    return fuse_direction(linked(pairs, weigh, **said), pairs, weights=weigh, known=known)[0]


@pytest.mark.parametrize("said", [{}, {"text_ba": 2.0}, {"passive_ab": -1.0, "edge_ab": 0.5}])
def test_ways_are_the_log_odds_of_the_direction(said: dict[str, float]) -> None:
    told = directed(**said)
    np.testing.assert_allclose(of(told, "way:").sum(axis=1), logit(told["b_depends"]), atol=1e-9)


def test_later_depends_and_nothing_known_is_even() -> None:
    told = directed()
    assert told.loc[0, "b_depends"] > 0.6
    assert told.loc[1, "b_depends"] == pytest.approx(0.5)


@pytest.mark.parametrize(
    ("said", "follows"),
    [
        ({"text_ba": 1.0}, True),  # b says that a was called
        ({"text_ab": 1.0}, False),
        ({"mention_ba": 1.0}, True),
        ({"resource_ab": 1.0}, False),
        ({"passive_ab": 1.0}, False),  # b cannot call
        ({"edge_ab": -1.0}, True),  # b is where requests come in
        ({"strain_ab": 1.0}, False),  # b was the one short of something
    ],
)
def test_what_is_said_tells_who_depends(said: dict[str, float], *, follows: bool) -> None:
    never_together = directed(**said).loc[1, "b_depends"]
    assert (never_together > 0.5) == follows
    assert never_together != 0.5


def test_who_fires_more_often_never_says_more_than_four_to_one() -> None:
    told = directed(weigh=weights(20.0), imbalance=0.9)["way:who fires more"]
    assert told.abs().max() == pytest.approx(np.log(4))


def test_what_is_known_decides() -> None:
    assert directed(known=np.array([-8.0, 0, 0])).loc[0, "b_depends"] < 0.1
    assert directed(known=np.array([8.0, 0, 0])).loc[0, "b_depends"] > 0.99


def test_the_weights_name_their_command_and_there_is_one_for_each_feature() -> None:
    content = json.loads(
        resources.files("stanza_lab.dependencies.inference").joinpath("weights.json").read_text("utf-8")
    )
    assert content["command"] == "python -m benchmarks.calibrate_edges"
    assert set(Weights.load().link) == {*LINK, *fusion.PRIOR, "intercept"}
    assert set(Weights.load().direction) == set(DIRECTION)


def test_confidence_means_frequency_on_productions_not_fitted() -> None:
    claimed, real = [], []
    for seed in range(9000, 9006):
        production = sl.simulate_production(services=40, incidents=250, random_state=seed)
        edges = sl.DependencyModel().fit(production.alerts).edges_
        calls = set(production.call_graph.itertuples(index=False, name=None))
        claimed.append(edges["confidence"])
        real.append([edge in calls for edge in zip(edges["src"], edges["dst"], strict=True)])
    table = reliability(np.concatenate(claimed), np.concatenate(real))
    assert (abs(table["confidence"] - table["real"]) * table["pairs"]).sum() / table["pairs"].sum() < 0.05
    filled = table[table["pairs"] >= 30]
    assert (filled["real"] > filled["confidence"] - 0.15).all()  # never much too bold
