"""Places: which kind of alarm leads to which, where they are near each other."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest
from pandas.testing import assert_frame_equal

import stanza_lab as sl
from stanza_lab.errors import ParameterError, SchemaError

START = pd.Timestamp("2026-03-01", tz="UTC")
PLACES = 6
RING = pd.DataFrame({"src": [f"p{k}" for k in range(PLACES)], "dst": [f"p{(k + 1) % PLACES}" for k in range(PLACES)]})


def alarms(*, reach: int = 0, times: int = 50) -> pd.DataFrame:
    """LinkDown at a place, then mostly PeerLost `reach` places on; FanBroken whenever."""
    rng = np.random.default_rng(0)
    table = []
    for place in range(PLACES):
        for k in range(times):
            at = k * 37 * 60 + place * 97 + rng.uniform(0, 60)
            table.append((at, "LinkDown", place))
            if rng.random() < 0.8:
                table.append((at + rng.exponential(0.5), "PeerLost", (place + reach) % PLACES))
            table.append((rng.uniform(0, times * 37 * 60), "FanBroken", place))
    frame = pd.DataFrame(table, columns=["minute", "alertname", "place"]).sort_values("minute", ignore_index=True)
    at = START + pd.to_timedelta(frame["minute"], unit="min")
    return frame.assign(starts_at=at, ends_at=at + pd.Timedelta("1min"), device="p" + frame["place"].astype("str"))[
        ["starts_at", "ends_at", "alertname", "device"]
    ]


def model(**parameters: object) -> sl.DependencyModel:
    return sl.DependencyModel(node="alertname", place="device", replicates=8, **parameters)


def link(fitted: sl.DependencyModel, src: str, dst: str) -> float:
    edges = fitted.edges_.set_index(["src", "dst"])["link_confidence"]
    return float(edges.get((src, dst), 0.0))


def assert_same(one: sl.DependencyModel, other: sl.DependencyModel) -> None:
    assert one.statistics_.equals(other.statistics_)
    assert_frame_equal(one.edges_, other.edges_)


def test_what_follows_at_the_same_place_is_linked() -> None:
    fitted = model().fit(alarms())
    assert fitted.edges_.loc[0, ["src", "dst"]].tolist() == ["PeerLost", "LinkDown"]
    assert fitted.edges_.loc[0, "confidence"] > 0.5
    assert link(fitted, "FanBroken", "LinkDown") < 0.25


def test_a_topology_says_which_places_are_near() -> None:
    next_door = alarms(reach=1)
    alone = model().fit(next_door)
    near = model(topology=RING).fit(next_door)
    assert link(alone, "PeerLost", "LinkDown") < 0.25 < link(near, "PeerLost", "LinkDown")
    support = near.edges_.set_index(["src", "dst"])["support"]
    assert support["PeerLost", "LinkDown"] > 200


def test_hops_say_how_far() -> None:
    two_on = alarms(reach=2)
    supports = [
        model(topology=RING, hops=hops).fit(two_on).explain("PeerLost", "LinkDown").support for hops in (0, 1, 2)
    ]
    assert max(supports[:2]) < 50 < supports[2]


def test_however_alarms_arrive_it_is_the_same() -> None:
    table = alarms()
    whole = model(topology=RING).fit(table)
    assert_same(model(topology=RING).fit(table.sample(frac=1, random_state=0)), whole)
    assert_same(model(topology=RING).fit(table.iloc[:500]).partial_fit(table.iloc[500:]), whole)


def test_alarms_without_ends_go_on() -> None:
    table = alarms().drop(columns="ends_at")
    assert_same(model().fit(table.iloc[:500]).partial_fit(table.iloc[500:]), model().fit(table))
    assert_same(model().fit(table.iloc[:500].assign(ends_at=None)).partial_fit(table.iloc[500:]), model().fit(table))


def test_saved_and_made_again_it_is_the_same() -> None:
    fitted = model(topology=RING).fit(alarms())
    frames, settings = fitted.to_frames(), fitted.statistics_.settings()
    assert_same(sl.DependencyModel.from_statistics(frames, settings=settings, **fitted.get_params()), fitted)
    with pytest.raises(ParameterError, match="counted with places"):
        sl.DependencyModel.from_statistics(frames, settings=settings)


def test_as_of_a_day_is_a_fit_on_what_was_known() -> None:
    table = alarms()
    assert_same(
        model().fit(table).as_of("2026-04-01"),
        model().fit(table[table["starts_at"] < pd.Timestamp("2026-04-01T00:00Z")]),
    )


def test_required_and_forbidden_are_heeded() -> None:
    known = {"required": [("FanBroken", "LinkDown")], "forbidden": [("PeerLost", "LinkDown")]}
    edges = model(**known).fit(alarms()).edges_.set_index(["src", "dst"])
    assert edges.loc[("FanBroken", "LinkDown"), "confidence"] == 1
    assert ("PeerLost", "LinkDown") not in edges.index


def test_another_seed_draws_other_replicates_and_the_same_seed_the_same() -> None:
    table = alarms(times=10)
    assert_same(model(random_state=3).fit(table), model(random_state=3).fit(table))


@pytest.mark.parametrize("count", [0, 1, 2, 3])
def test_next_to_nothing_gives_no_confident_edge(count: int) -> None:
    edges = model().fit(alarms().iloc[:count]).edges_
    assert not (edges["confidence"] > 0.5).any()


def test_without_a_place_it_is_skipped() -> None:
    table = alarms()
    fitted = model().fit(table.assign(device=table["device"].where(table["device"] != "p0")))
    assert fitted.skipped_["without a place"] == (table["device"] == "p0").sum()
    assert "p0" not in fitted.statistics_.firings.places
    with pytest.raises(SchemaError, match=r"none of .* has a 'device'"):
        model().fit(table.assign(device=None))


def test_an_end_told_later_is_taken() -> None:
    table = alarms(times=30)
    whole = model().fit(table)
    live = model().fit(table.assign(ends_at=table["ends_at"].where(table.index < 0)))
    frame = live.partial_fit(table[table["starts_at"] >= table["starts_at"].max() - pd.Timedelta("1D")])
    ends = frame.statistics_.to_frames()["arrivals"]["ends_at"]
    assert 0 < ends.notna().sum() < whole.statistics_.to_frames()["arrivals"]["ends_at"].notna().sum()


def test_a_topology_that_is_none_is_refused() -> None:
    with pytest.raises(SchemaError, match="topology"):
        model(topology=pd.DataFrame({"from": ["p0"]})).fit(alarms(times=2))


def test_too_many_places_are_refused() -> None:
    table = alarms(times=1)
    many = pd.concat([table.assign(device=f"q{k}") for k in range(5_001)], ignore_index=True)
    with pytest.raises(ParameterError, match="coarser place"):
        model().fit(many)
