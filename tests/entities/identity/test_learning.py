"""How well identities are found: on simulated spellings, and on recordings that list their services."""

from __future__ import annotations

from collections import Counter

import pandas as pd
import pytest

import stanza_lab as sl
from stanza_lab.entities.identity import learning, pairs
from stanza_lab.simulate.spellings import simulate_spellings


def scores(drawn):
    """Return pairwise precision and recall over the spellings of one production."""
    resolver = sl.EntityResolver(catalog=drawn.catalog).fit(drawn.alerts)
    names = drawn.names.drop_duplicates(["spelled", "service"])
    names = names.assign(found=[*map(resolver.canonical, names["spelled"])])
    found, real, both = (
        sum(n * (n - 1) // 2 for n in Counter(zip(*(names[c] for c in columns), strict=True)).values())
        for columns in (["found"], ["service"], ["found", "service"])
    )
    return both / found, both / real


def test_weights_say_what_their_features_mean():
    known = learning.weights()
    assert {*known} == {*pairs.FEATURES, "intercept"}
    assert all(known[name] >= 0 for name in ("same_words", "together", "hosts", "traces", "handover"))
    assert all(known[name] <= 0 for name in ("abbreviated", "plain", "soft_words", "contradicted"))


@pytest.mark.parametrize("options", [{}, {"evidence": 0.0, "catalogued": 0.0}, {"siblings": 1.0}, {"staging": 0.3}])
def test_identities_of_hard_names(options):
    precision, recall = scores(simulate_spellings(services=250, random_state=77, **options))
    assert precision >= 0.97
    assert recall >= 0.8


def test_confidence_of_learned_names_is_how_often_they_are_right():
    right, sure = [], []
    for seed in range(300, 304):
        drawn = simulate_spellings(services=150, random_state=seed, lookalikes=0.1)
        resolver = sl.EntityResolver(catalog=drawn.catalog, min_confidence=0.5).fit(drawn.alerts)
        means = drawn.names.groupby("spelled")["service"].agg(set).to_dict()
        for row in resolver.names_.query("basis == 'learned'").itertuples():
            ours, theirs = (
                set().union(*(means.get(s, set()) for s in each)) for each in (row.spellings, [row.service])
            )
            if ours and theirs:
                right.append(bool(ours & theirs))
                sure.append(row.confidence)
    table = pd.DataFrame({"right": right, "sure": sure})
    assert len(table) > 200
    assert abs(table["right"].mean() - table["sure"].mean()) < 0.06


@pytest.mark.shared
@pytest.mark.parametrize("name", ["nezha_tt_0129", "petshop_low"])
def test_services_of_recordings_are_one_identity_each(shared, name):
    folder = shared / "data" / name
    alerts = sl.read_alerts(folder / "alerts")
    labels = pd.read_csv(folder / "truth" / "alert_labels.csv").dropna(subset=["service"])
    named = sl.resolve_entities(alerts)[["event_ids", "service"]].explode("event_ids")
    found = labels.merge(
        named.drop_duplicates("event_ids"), left_on="native_id", right_on="event_ids", suffixes=("", "_found")
    )
    assert len(found) == len(labels)
    assert (found.groupby("service")["service_found"].nunique() == 1).all()
    assert (found.groupby("service_found", observed=True)["service"].nunique() == 1).all()
