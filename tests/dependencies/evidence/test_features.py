"""Features say 0 where a source is silent, and turn round with the pair."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

from stanza_lab.dependencies.evidence import FEATURES, count_claims, count_traits, pair_claims
from stanza_lab.errors import SchemaError

AT = pd.Timestamp("2026-03-01T00:00Z")
NONE = pd.DataFrame({"slice": [], "src": [], "dst": [], "source": [], "count": []})
NO_TRAITS = pd.DataFrame({"slice": [], "node": [], "trait": [], "count": []})


def _claims(*rows: tuple[str, str, str, int]) -> pd.DataFrame:
    return pd.DataFrame([(AT, *row) for row in rows], columns=["slice", "src", "dst", "source", "count"])


def _traits(*rows: tuple[str, str, int]) -> pd.DataFrame:
    return pd.DataFrame([(AT, *row) for row in rows], columns=["slice", "node", "trait", "count"])


def _pairs(*pairs: str) -> pd.DataFrame:
    return pd.DataFrame([pair.split() for pair in pairs], columns=["a", "b"], index=range(10, 10 + len(pairs)))


def test_without_any_source_all_is_zero() -> None:
    found = pair_claims(NONE, NO_TRAITS, _pairs("ada bob", "ada eve"))
    assert found.columns.tolist() == [*FEATURES]
    assert found.index.tolist() == [10, 11]
    assert (found == 0).all(axis=None)


def test_no_pairs_no_rows() -> None:
    assert pair_claims(NONE, NO_TRAITS, _pairs().astype("str")).shape == (0, len(FEATURES))


@pytest.mark.parametrize(
    ("source", "feature"),
    [("text", "text_ab"), ("resource", "resource_ab"), ("trace", "traces"), ("shared_host", "shared_host")],
)
def test_each_source_has_its_own_number_and_slices_add_up(source: str, feature: str) -> None:
    found = pair_claims(
        _claims(("ada", "bob", source, 3), ("ada", "bob", source, 4)), NO_TRAITS, _pairs("ada bob", "ada eve")
    )
    assert found.loc[10, feature] == pytest.approx(np.log1p(7))
    assert np.count_nonzero(found) == 1


def test_what_b_says_of_a_is_kept_apart() -> None:
    found = pair_claims(_claims(("bob", "ada", "text", 1)), NO_TRAITS, _pairs("ada bob"))
    assert found.loc[10, ["text_ab", "text_ba"]].tolist() == pytest.approx([0, np.log(2)])


def test_a_claim_in_another_spelling_counts() -> None:
    found = pair_claims(_claims(("ada", "prod-Bob_db", "text", 1)), NO_TRAITS, _pairs("ada bob-db"))
    assert found.loc[10, "text_ab"] > 0


def test_a_name_that_all_mention_says_nothing() -> None:
    once = _claims(("ada", "bob", "mention", 5))
    everyone = _claims(*((name, "bob", "mention", 5) for name in ("ada", "eve", "kim")))
    pairs = _pairs("ada bob", "bob eve", "eve kim")
    assert pair_claims(once, NO_TRAITS, pairs).loc[10, "mention_ab"] == pytest.approx(np.log(6))
    assert pair_claims(everyone, NO_TRAITS, pairs).loc[10, "mention_ab"] == 0


def test_same_team_different_team_unknown_team() -> None:
    traits = _traits(("ada", "team:x", 99), ("bob", "team:x", 99), ("eve", "team:y", 99))
    same, different, unknown = pair_claims(NONE, traits, _pairs("ada bob", "ada eve", "ada kim"))["same_team"]
    assert same > 0 > different
    assert unknown == 0


def test_a_team_that_is_paged_for_all_says_nothing() -> None:
    traits = _traits(*((name, "team:x", 99) for name in ("ada", "bob", "eve")))
    assert pair_claims(NONE, traits, _pairs("ada bob", "ada eve"))["same_team"].tolist() == pytest.approx([0, 0])


def test_roles_from_alerts_and_else_from_names() -> None:
    traits = _traits(("ada", "role:edge", 2), ("ada", "role:service", 1), ("bob", "role:store", 1))
    found = pair_claims(NONE, traits, _pairs("ada bob", "bob users-db", "ada eve", "ada mobile-app-ui"))
    roles = ["both_passive", "one_passive", "both_edge", "passive_ab", "edge_ab"]
    assert found[roles].to_numpy().tolist() == [[0, 1, 0, 1, 1], [1, 0, 0, 0, 0], [0, 0, 0, 0, 1], [0, 0, 1, 0, 0]]


def test_saturation_tells_the_callee() -> None:
    traits = _traits(("ada", "symptom:errors", 50), ("bob", "symptom:saturation", 50))
    assert pair_claims(NONE, traits, _pairs("ada bob")).loc[10, "strain_ab"] > 0.5


def test_names_are_alike_by_the_rare_words_they_share() -> None:
    names = [
        "ts-order-service",
        "ts-order-other-service",
        "ts-food-service",
        "ts-orders-db",
        "ts-user-db",
        "ts-seat-ui",
    ]
    pairs = pd.DataFrame(
        [(a, b) for i, a in enumerate(sorted(names)) for b in sorted(names)[i + 1 :]], columns=["a", "b"]
    )
    alike = pair_claims(NONE, NO_TRAITS, pairs)["names"].set_axis(pd.MultiIndex.from_frame(pairs))
    assert alike["ts-order-service", "ts-orders-db"] > alike["ts-order-other-service", "ts-order-service"] > 0
    assert alike["ts-food-service", "ts-order-service"] == 0  # ts and service are no one's own
    assert alike["ts-orders-db", "ts-user-db"] == 0  # db is a kind


def test_the_pair_turned_round_says_the_same() -> None:
    alerts = pd.DataFrame(
        {
            "starts_at": [AT] * 3,
            "service": ["checkout-web", "orders-db", "orders-api"],
            "team": ["shop", "orders", "orders"],
            "summary": ["connection refused to orders-api", "CPU high", "slow since orders-db is slow"],
        }
    )
    claims, traits = count_claims(alerts), count_traits(alerts)
    pairs = _pairs("checkout-web orders-api", "orders-api orders-db", "checkout-web orders-db")
    there = pair_claims(claims, traits, pairs)
    back = pair_claims(claims, traits, pairs.rename(columns={"a": "b", "b": "a"}))
    for name in FEATURES:
        if name.endswith("_ba") or name.replace("_ab", "_ba") in FEATURES:
            other = name.replace("_ab", "_xx").replace("_ba", "_ab").replace("_xx", "_ba")
            assert there[name].tolist() == back[other].tolist()
        else:
            sign = -1 if name.endswith("_ab") else 1
            assert there[name].to_numpy() == pytest.approx(sign * back[name].to_numpy())


def test_missing_columns_are_named() -> None:
    with pytest.raises(SchemaError, match=r"pairs: columns \['b'\]"):
        pair_claims(NONE, NO_TRAITS, pd.DataFrame({"a": ["x"]}))
