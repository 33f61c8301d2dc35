"""Bad input: an answer or a clear refusal, never a confident wrong edge."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

import stanza_lab as sl
from stanza_lab.errors import ParameterError, SchemaError

START = pd.Timestamp("2026-03-01", tz="UTC")
MONTH = 30 * 24 * 60
ANIMALS = ("badger", "heron", "kestrel", "lynx", "marten", "otter", "raven", "stoat")  # names that say nothing


def alerts(table: list[tuple[float, str]]) -> pd.DataFrame:
    """Minutes since the start and services."""
    at = START + pd.to_timedelta([minute for minute, _ in table], unit="min")
    return pd.DataFrame({"starts_at": at, "service": pd.Series([name for _, name in table], dtype="str")})


def links(table: list[tuple[float, str]]) -> pd.Series:
    """Return the link confidence of every pair that was looked at, also of those not listed."""
    return sl.DependencyModel().fit(alerts(table)).evidence_.set_index(["a", "b"])["link_confidence"]


def together(*names: str, times: int = 12, lag: float = 1.0) -> list[tuple[float, str]]:
    return [(37 * 60 * k + lag * n, name) for k in range(times) for n, name in enumerate(names)]


# Little or nothing to go by


@pytest.mark.parametrize(
    "table", [[], [(1, "heron")], [(60 * k, "heron") for k in range(50)], [(1, "heron"), (1000, "lynx")]]
)
def test_nothing_together_gives_no_edge(table: list[tuple[float, str]]) -> None:
    model = sl.DependencyModel().fit(alerts(table))
    assert model.edges_.empty
    assert list(model.graph_) == sorted({name for _, name in table})


def test_no_overlaps_give_no_confident_edge() -> None:
    table = [(90 * (k * len(ANIMALS) + n), name) for k in range(30) for n, name in enumerate(ANIMALS)]
    assert links(table).max() < 0.25


def test_two_that_always_fire_together_are_linked_and_the_direction_is_open() -> None:
    model = sl.DependencyModel().fit(alerts(together("heron", "lynx", lag=0)))
    assert model.edges_["link_confidence"].min() > 0.5
    assert model.edges_["confidence"].tolist() == pytest.approx([model.edges_["link_confidence"][0] / 2] * 2)


def test_once_is_no_evidence() -> None:
    assert links([(1, "heron"), (2, "lynx")]).max() <= 0.25


def test_all_in_one_second_is_no_evidence() -> None:
    assert links([(k / 6000, f"s{k}x") for k in range(100)]).max() <= 0.25


# Causes that are not dependencies


def test_a_cause_that_hits_all_alike_stays_at_even_odds() -> None:
    assert links(together(*ANIMALS[:6], times=20, lag=0)).max() <= 0.5 + 1e-9


def test_the_ends_of_a_chain_are_not_confident() -> None:
    rng = np.random.default_rng(0)
    table = [(minute, name) for name in ANIMALS for minute in rng.uniform(0, 3 * MONTH, 60)]
    for start in rng.uniform(0, 3 * MONTH, 100):
        table.append((start, "heron"))
        if rng.random() < 0.7:
            table.append((at := start + rng.exponential(1.5), "lynx"))
            if rng.random() < 0.7:
                table.append((at + rng.exponential(1.5), "otter"))
    found = links(table)
    assert found["heron", "otter"] <= 0.5 + 1e-9
    assert min(found["heron", "lynx"], found["lynx", "otter"]) > 0.5


def test_one_service_with_nearly_all_alerts_is_linked_to_none() -> None:
    rng = np.random.default_rng(0)
    table = [(minute, "loud") for minute in rng.uniform(0, MONTH, 4000)]
    table += [(minute, f"quiet{k % 20}") for k, minute in enumerate(rng.uniform(0, MONTH, 400))]
    assert links(table).max() < 0.5


@pytest.mark.parametrize("count", [2, 3, 8])
def test_a_nightly_half_hour_is_no_evidence(count: int) -> None:
    rng = np.random.default_rng(count)
    nights = [(1440 * night + 180, name) for night in range(60) for name in ANIMALS[:count]]
    assert links([(minute + rng.uniform(0, 30), name) for minute, name in nights]).max() <= 0.5


@pytest.mark.parametrize("seed", range(4))
def test_a_nightly_hour_is_no_evidence(seed: int) -> None:
    rng = np.random.default_rng(seed)
    nights = [(1440 * night + 60, name) for night in range(60) for name in ANIMALS[:6]]
    assert links([(minute + rng.uniform(0, 60), name) for minute, name in nights]).max() <= 0.5


def test_pure_noise_with_a_daily_rhythm_gives_no_confident_edge() -> None:
    by_day = np.repeat([1.0, 3.0, 1.5], [8, 10, 6])
    confident = pairs = 0
    for seed in range(10):
        rng = np.random.default_rng(seed)
        table = []
        for k in range(50):
            count = rng.poisson(rng.gamma(1.0, 2.0) * 60)
            hours = rng.choice(24, size=count, p=by_day / by_day.sum())
            minutes = rng.integers(0, 60, count) * 24 * 60 + hours * 60 + rng.uniform(0, 60, count)
            table += [(minute, f"s{k:02d}x") for minute in minutes]
        found = links(table)
        confident, pairs = confident + int((found >= 0.5).sum()), pairs + len(found)
    assert pairs > 12_000
    assert confident / pairs < 0.001


# Columns that are not as they should be


def test_times_of_another_zone_are_converted() -> None:
    table = alerts(together("heron", "lynx"))
    moved = table.assign(starts_at=table["starts_at"].dt.tz_convert("Asia/Kathmandu"))
    pd.testing.assert_frame_equal(sl.DependencyModel().fit(moved).edges_, sl.DependencyModel().fit(table).edges_)


def test_times_without_a_zone_are_refused() -> None:
    table = alerts(together("heron", "lynx"))
    with pytest.raises(SchemaError, match=r"'starts_at': times have no zone; localise them"):
        sl.DependencyModel().fit(table.assign(starts_at=table["starts_at"].dt.tz_localize(None)))


def test_what_is_no_time_is_refused() -> None:
    with pytest.raises(SchemaError, match="not all values are times"):
        sl.DependencyModel().fit(pd.DataFrame({"starts_at": ["yesterday"], "service": ["heron"]}))


def test_unusable_alerts_are_counted_and_the_rest_is_used() -> None:
    frame = alerts([*together("heron", "lynx"), (1, "otter"), (2, "raven")])
    frame.loc[24, "starts_at"] = pd.NaT
    frame["service"] = frame["service"].where(frame["service"] != "raven")
    model = sl.DependencyModel().fit(frame)
    assert model.skipped_ == {"without a time": 1, "without a node": 1}
    assert model.edges_["support"].tolist() == [12, 12]


@pytest.mark.parametrize(
    ("column", "lack"), [("service", "0 lack the time, 2 the service"), ("starts_at", "2 lack the time")]
)
def test_alerts_of_which_none_can_be_used_are_refused(column: str, lack: str) -> None:
    with pytest.raises(SchemaError, match=f"none of 2 has both .*{lack}"):
        sl.DependencyModel().fit(alerts([(1, "heron"), (2, "lynx")]).assign(**{column: None}))


def test_a_missing_column_is_named() -> None:
    with pytest.raises(SchemaError, match="column 'host' is missing"):
        sl.DependencyModel(node="host").fit(alerts([(1, "heron")]))


@pytest.mark.parametrize(
    "name", ["<script>alert(1)</script>", "a\nb", "\x00", "x" * 10_000, "{src}", "%s", "naïve-café-数据库"]
)
def test_any_text_is_a_name(name: str) -> None:
    model = sl.DependencyModel().fit(alerts(together(name, "heron")))
    assert {*model.edges_["src"]} == {name, "heron"}
    told = model.explain("heron", name)
    assert told.support == 12
    assert name in str(told)
    assert "<script" not in told._repr_html_()


@pytest.mark.parametrize("name", ["", " ", "\t\n"])
def test_a_blank_name_is_none(name: str) -> None:
    model = sl.DependencyModel().fit(alerts([*together("heron", "lynx"), *[(k * 500, name) for k in range(20)]]))
    assert model.skipped_["without a node"] == 20
    assert model.nodes_.index.tolist() == ["heron", "lynx"]


def test_too_many_nodes_are_refused() -> None:
    with pytest.raises(ParameterError, match="at most 5,000"):
        sl.DependencyModel().fit(alerts([(k, f"n{k}") for k in range(5_001)]))
