"""Confidence of the point process: it means frequency, finds what is planted, and stays low where there is nothing."""

from __future__ import annotations

import json
from importlib import resources

import numpy as np
import pandas as pd
import pytest

from stanza_lab.dependencies.hawkes.confidence import VIEWS, Calibration, network_confidence


def follows(places: int = 15, alarms: int = 500) -> dict[str, np.ndarray]:
    """Alarms "a", of which most lead to "b" 20 s later, which clears right after; "c" goes its own way."""
    rng = np.random.default_rng(3)
    at, place = np.floor(rng.uniform(0, 4e6, alarms)), rng.integers(places, size=alarms)
    lead = rng.random(alarms) < 0.8
    ends = at + 60 + np.floor(rng.exponential(200, alarms))
    other = np.floor(rng.uniform(0, 4e6, alarms))
    return {
        "nodes": np.repeat([0, 1, 2], [alarms, lead.sum(), alarms]),
        "places": np.concatenate([place, place[lead], rng.integers(places, size=alarms)]),
        "starts": np.concatenate([at, at[lead] + 1 + np.floor(rng.exponential(20, lead.sum())), other]),
        "ends": np.concatenate([ends, ends[lead] + 1 + np.floor(rng.exponential(20, lead.sum())), other + 90]),
    }


def table(history: dict[str, np.ndarray], names: str = "abc", **more) -> pd.DataFrame:
    return network_confidence(
        history["nodes"],
        **{name: history[name] for name in ("places", "starts", "ends")},
        names=list(names),
        **({"replicates": 12} | more),
    )


def test_a_planted_cause_is_named_with_its_direction_and_lag() -> None:
    found = table(follows()).iloc[0]
    assert (found["cause"], found["effect"]) == ("a", "b")
    assert found["confidence"] > 0.7
    assert found["lag_s"] == pytest.approx(15, abs=6)
    assert found["strength"] == pytest.approx(0.8, abs=0.15)
    assert found["from_starts"] > 0
    assert found["from_clears"] > 0


def test_the_link_is_the_sum_of_both_directions() -> None:
    found = table(follows()).set_index(["cause", "effect"])
    back = found["confidence"].swaplevel().reindex(found.index)
    assert (found["confidence"] + back).to_numpy() == pytest.approx(found["link_confidence"].to_numpy())


def test_without_ends_the_starts_are_judged_alone() -> None:
    history = follows()
    found = table(history | {"ends": np.full(len(history["nodes"]), np.nan)})
    assert found.iloc[0][["cause", "effect"]].tolist() == ["a", "b"]
    assert found.iloc[0]["confidence"] > 0.5
    assert (found[["clear_share", "from_clears"]] == 0).all(axis=None)


def test_what_is_known_is_certain() -> None:
    required, forbidden = np.zeros((2, 3, 3), dtype=bool)
    required[2, 0] = forbidden[0, 1] = True
    found = table(follows(), required=required, forbidden=forbidden).set_index(["cause", "effect"])["confidence"]
    assert found["c", "a"] == 1
    assert found["a", "c"] == 0
    assert found.get(("a", "b"), 0) == 0


@pytest.mark.parametrize("seed", range(3))
def test_independent_kinds_get_hardly_any_confidence(seed: int) -> None:
    rng = np.random.default_rng(seed)
    at = np.floor(rng.uniform(0, 2e6, 4000))
    noise = {"nodes": rng.integers(10, size=4000), "places": rng.integers(20, size=4000), "starts": at}
    found = table(noise | {"ends": at + np.floor(rng.exponential(300, 4000))}, names="abcdefghij")
    assert (found["confidence"] < 0.5).all()


@pytest.mark.parametrize("kinds", [1, 3])
def test_all_in_one_second_gets_no_confidence(kinds: int) -> None:
    one = {"nodes": np.arange(300) % kinds, "places": np.zeros(300, dtype=int), "starts": np.zeros(300)}
    found = table(one | {"ends": np.full(300, 5.0)}, names="abc"[:kinds])
    assert (found["confidence"] < 0.5).all()


def test_no_alarms_give_an_empty_table() -> None:
    none = {name: np.zeros(0, dtype=int) for name in ("nodes", "places")}
    found = table(none | {"starts": np.zeros(0), "ends": np.zeros(0)}, names="")
    assert len(found) == 0
    assert found["cause"].dtype == "str"


def test_the_same_seed_gives_the_same_table() -> None:
    pd.testing.assert_frame_equal(table(follows(), random_state=4), table(follows(), random_state=4))


def test_weights_name_their_features_and_their_origin() -> None:
    text = resources.files("stanza_lab.dependencies.hawkes").joinpath("calibration.json").read_text(encoding="utf-8")
    content = json.loads(text)
    assert content["command"] == "python -m benchmarks.calibrate_network"
    assert content["fitted_on_seeds"][1] <= content["held_out_seeds"][0]
    assert not any("clears" in name for name in Calibration.load("starts_only").link)
    assert all(f"{view}_strength" in Calibration.load("with_clears").link for view in VIEWS)


@pytest.mark.parametrize("name", ["confidence", "link_confidence"])
@pytest.mark.parametrize("kind", ["with_clears", "starts_only"])
def test_confidence_is_frequency_on_networks_held_out(kind: str, name: str) -> None:
    text = resources.files("stanza_lab.dependencies.hawkes").joinpath("calibration.json").read_text(encoding="utf-8")
    bins = pd.DataFrame(json.loads(text)["held_out"][f"{kind}: {name}"])
    error = (bins["confidence"] - bins["real"]).abs() @ bins["pairs"] / bins["pairs"].sum()
    assert error <= 0.05
