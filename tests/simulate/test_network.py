from __future__ import annotations

import pandas as pd
import pytest

import stanza_lab as sl
from stanza_lab import schema
from stanza_lab.errors import ParameterError
from stanza_lab.simulate.network import simulate_network

SMALL = {"kinds": 8, "devices": 12, "days": 20, "alarms": 2000}


def lagged(network, cause: str, effect: str) -> pd.Series:
    """Return the seconds from each alarm of `cause` to the next of `effect` at its device."""
    alerts = network.alerts.astype({"service": "str"})
    left, right = (alerts.loc[alerts["alertname"] == kind, ["starts_at", "service"]] for kind in (cause, effect))
    right = right.assign(then=right["starts_at"])
    found = pd.merge_asof(left, right, on="starts_at", by="service", direction="forward")
    return (found["then"] - found["starts_at"]).dt.total_seconds()


def test_the_same_seed_gives_the_same_tables() -> None:
    one, two = (simulate_network(**SMALL, random_state=3) for _ in range(2))
    for name in ("alerts", "causes", "topology"):
        pd.testing.assert_frame_equal(getattr(one, name), getattr(two, name))
    assert not one.causes.equals(simulate_network(**SMALL, random_state=4).causes)


def test_alerts_are_the_table_every_room_takes() -> None:
    alerts = simulate_network(**SMALL).alerts
    need = [name for name in schema.ALERTS.names if name != "incident_id"]
    assert list(alerts.columns) == need
    pd.testing.assert_frame_equal(schema.check(alerts, schema.ALERTS, need=need), alerts)
    assert alerts["starts_at"].is_monotonic_increasing
    assert alerts["alert_id"].is_unique
    assert (alerts["ends_at"] > alerts["starts_at"]).all()


@pytest.mark.parametrize("alarms", [0, 500, 5000])
def test_there_are_about_as_many_alarms_as_asked(alarms: int) -> None:
    network = simulate_network(**SMALL | {"alarms": alarms}, branching=0.6, shared_shocks=0.3, chatter=0.3)
    assert len(network.alerts) == pytest.approx(alarms, rel=0.25)


def test_causes_go_in_no_circle() -> None:
    import networkx as nx

    causes = simulate_network(**SMALL, density=1.0).causes
    assert len(causes) == 28  # every pair, one way
    assert nx.is_directed_acyclic_graph(nx.from_pandas_edgelist(causes, "cause", "effect", create_using=nx.DiGraph))


def test_effects_follow_their_causes() -> None:
    network = simulate_network(**SMALL, branching=0.9, chatter=0.0)
    soon = [(lagged(network, cause, effect) < 120).mean() for cause, effect in network.causes.to_numpy()]
    back = [(lagged(network, effect, cause) < 120).mean() for cause, effect in network.causes.to_numpy()]
    assert sum(soon) > 3 * sum(back)


def test_clears_are_tied_to_the_cause_when_asked() -> None:
    def together(tied: float) -> float:
        alerts = simulate_network(**SMALL, branching=0.9, chatter=0.0, tied_clears=tied).alerts
        ends = alerts.sort_values("ends_at").groupby("service", observed=True)["ends_at"].diff().dt.total_seconds()
        return float((ends < 30).mean())

    assert together(0.9) > 1.5 * together(0.0)


def test_spilt_effects_show_next_door() -> None:
    network = simulate_network(**SMALL, branching=0.9, spill=1.0, chatter=0.0)
    at_home = [(lagged(network, cause, effect) < 120).mean() for cause, effect in network.causes.to_numpy()]
    home = simulate_network(**SMALL, branching=0.9, chatter=0.0)
    assert sum(at_home) < 0.3 * sum((lagged(home, c, e) < 120).mean() for c, e in home.causes.to_numpy())
    both = network.topology.rename(columns={"src": "dst", "dst": "src"})
    assert set(map(tuple, both[["src", "dst"]].to_numpy())) == set(map(tuple, network.topology.to_numpy()))


def test_the_clock_ticks() -> None:
    alerts = simulate_network(**SMALL, tick="15s").alerts
    assert (alerts["starts_at"].dt.second % 15 == 0).all()
    assert (alerts["ends_at"].dt.second % 15 == 0).all()


def test_ends_may_be_unknown() -> None:
    assert simulate_network(**SMALL, missing_clears=0.3).alerts["ends_at"].isna().mean() == pytest.approx(0.3, abs=0.05)


def test_one_device_has_no_neighbour() -> None:
    network = simulate_network(kinds=3, devices=1, days=5, alarms=100, spill=0.5)
    assert len(network.topology) == 0
    assert set(network.alerts["service"]) == {"device-1"}


@pytest.mark.parametrize(
    ("parameter", "value"),
    [("kinds", 1), ("devices", 0), ("branching", 1.0), ("density", 1.5), ("tick", "0s"), ("alarms", -1)],
)
def test_a_parameter_outside_its_range_is_refused(parameter: str, value: object) -> None:
    with pytest.raises(ParameterError, match=parameter):
        simulate_network(**{parameter: value})


def test_it_is_public() -> None:
    assert sl.simulate_network is simulate_network
