from __future__ import annotations

import numpy as np
import pandas as pd

from stanza_lab.simulate.faults import SHOWS_AS, SYMPTOMS, Faults, make_faults
from stanza_lab.simulate.topology import Topology

# web calls api calls db; cache is called by nobody
SERVICES = pd.DataFrame(
    {
        "service": ["web", "api", "db", "cache"],
        "tier": ["edge", "api", "data", "data"],
        "kind": ["web", "service", "rds", "elasticache"],
    }
)
CALLS = pd.DataFrame({"caller": [0, 1], "callee": [1, 2], "transmit": [1.0, 1.0], "lag_s": [30.0, 30.0]})
CHAIN = Topology(SERVICES, CALLS)


def faults(topology: Topology = CHAIN, *, seed: int = 0, **more: float) -> Faults:
    options = {"incidents": 40, "start_ms": 0, "days": 10, "shared_causes": 0.0} | more
    return make_faults(np.random.default_rng(seed), topology, **options)


def test_trouble_travels_from_callee_to_caller_later_and_weaker() -> None:
    made = faults()
    for number, incident in made.incidents.iterrows():
        reached = made.reached[made.reached["incident"] == number].sort_values("start_ms")
        chain = {0: [0], 1: [1, 0], 2: [2, 1, 0], 3: [3]}[incident["root"]]
        assert reached["service"].tolist() == chain[: len(reached)]
        assert reached["intensity"].is_monotonic_decreasing
        assert (reached["end_ms"] > reached["start_ms"]).all()
        assert reached["shows_as"].tolist()[1:] == ["reached"] * (len(reached) - 1)


def test_calls_that_transmit_nothing_stop_it() -> None:
    made = faults(Topology(SERVICES, CALLS.assign(transmit=0.0)))
    assert len(made.reached) == len(made.incidents)


def test_incidents_are_numbered_in_order_of_time_and_end_with_the_last_service() -> None:
    made = faults()
    assert made.incidents["incident_id"].tolist()[:2] == ["INC-001", "INC-002"]
    assert made.incidents["start_ms"].is_monotonic_increasing
    ends = made.reached.groupby("incident")["end_ms"].max()
    assert ends.tolist() == made.incidents["end_ms"].tolist()


def test_a_pattern_has_one_root_and_one_type() -> None:
    by_pattern = faults().incidents.groupby("pattern_id")
    assert by_pattern["root"].nunique().eq(1).all()
    assert by_pattern["fault_type"].nunique().eq(1).all()
    assert by_pattern.size().max() > 1


def test_a_shared_cause_has_several_roots_and_recurs_on_the_same_ones() -> None:
    made = faults(Topology(SERVICES, CALLS.assign(transmit=0.0)), shared_causes=1.0)
    assert made.incidents["root"].eq(-1).all()
    hit = made.reached.groupby("incident")["service"].agg(lambda rows: tuple(sorted(rows)))
    assert hit.map(len).min() >= 2
    assert hit.groupby(made.incidents["pattern_id"]).nunique().eq(1).all()


def test_every_fault_says_how_it_shows() -> None:
    assert {len(row) for row in SHOWS_AS.values()} == {len(SYMPTOMS)}
    assert set(faults(shared_causes=0.5).reached["shows_as"]) <= set(SHOWS_AS)


def test_no_incidents() -> None:
    made = faults(incidents=0)
    assert len(made.incidents) == len(made.reached) == 0
