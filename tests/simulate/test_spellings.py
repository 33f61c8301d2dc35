"""Simulated spellings: reproducible, valid, and as hard as they say."""

from __future__ import annotations

import pandas as pd

from stanza_lab import schema
from stanza_lab.simulate.spellings import simulate_spellings


def test_the_same_seed_gives_the_same_tables():
    first, second = (simulate_spellings(services=40, random_state=5) for _ in range(2))
    pd.testing.assert_frame_equal(first.alerts, second.alerts)
    pd.testing.assert_frame_equal(first.names, second.names)


def test_tables_are_what_they_say():
    drawn = simulate_spellings(services=60, random_state=1)
    schema.check(drawn.alerts.assign(incident_id=-1), schema.ALERTS)
    schema.check(drawn.catalog, schema.OWNERSHIP)
    assert set(drawn.names["source"]) == set(drawn.alerts["source"])
    assert drawn.names["service"].nunique() >= 60


def test_every_stated_name_is_one_of_the_truth():
    drawn = simulate_spellings(services=60, random_state=2)
    stated = drawn.alerts.dropna(subset=["service"])
    truth = set(zip(drawn.names["source"], drawn.names["spelled"], strict=True))
    assert set(zip(stated["source"], stated["service"], strict=True)) <= truth


def test_knobs_do_what_they_say():
    plain = simulate_spellings(services=80, random_state=3, abbreviated=0, renamed=0, staging=0, evidence=0)
    hard = simulate_spellings(services=80, random_state=3, abbreviated=0.5, renamed=0.3, staging=0.5, evidence=0.9)
    assert not plain.names["service"].str.startswith("staging-").any()
    assert hard.names["service"].str.startswith("staging-").sum() > 10
    assert plain.alerts["resources"].str.len().sum() == 0 < hard.alerts["resources"].str.len().sum()
    per_tool = plain.names.groupby(["service", "source"]).size()
    assert (per_tool == 1).all()
    assert (hard.names.groupby(["service", "source"]).size() == 2).any()
