from __future__ import annotations

from itertools import combinations

import numpy as np
import pandas as pd
import pytest
import sklearn.metrics as sk
from hypothesis import given
from hypothesis import strategies as st

import stanza_lab as sl
from stanza_lab.errors import ParameterError

label = st.integers(-1, 5)
two_groupings = st.lists(st.tuples(label, label), min_size=1, max_size=40)


def named_apart(labels):
    """Return labels with a name of its own for each alert on its own."""
    return [label if label != -1 else f"alone {k}" for k, label in enumerate(labels)]


def split(rows):
    return [row[0] for row in rows], [row[1] for row in rows]


@given(two_groupings)
def test_what_scikit_learn_measures_is_the_same_number(rows):
    true, found = split(rows)
    a, b = map(named_apart, (true, found))
    a, b = (np.array(list(map(str, labels))) for labels in (a, b))
    assert sl.metrics.ari(true, found) == pytest.approx(sk.adjusted_rand_score(a, b), abs=1e-9)
    assert sl.metrics.v_measure(true, found) == pytest.approx(sk.v_measure_score(a, b), abs=1e-9)
    assert sl.metrics.homogeneity(true, found) == pytest.approx(sk.homogeneity_score(a, b), abs=1e-9)
    assert sl.metrics.completeness(true, found) == pytest.approx(sk.completeness_score(a, b), abs=1e-9)
    if sl.metrics.ari(true, found) < 1:  # where both are the same, chance may reach it and scikit-learn rounds
        assert sl.metrics.ami(true, found) == pytest.approx(sk.adjusted_mutual_info_score(a, b), abs=1e-6)
    else:
        assert sl.metrics.ami(true, found) == 1


def test_ami_of_large_groups_is_scikit_learns_too():
    rng = np.random.default_rng(0)
    true = rng.choice(6, 3_000, p=[0.6, 0.2, 0.1, 0.05, 0.03, 0.02])
    found = np.where(rng.random(3_000) < 0.7, true, rng.choice(9, 3_000))
    assert sl.metrics.ami(true, found) == pytest.approx(sk.adjusted_mutual_info_score(true + 10, found + 10), rel=1e-9)


def naive_b_cubed(true, found):
    """Ask every alert about every alert."""
    a, b = named_apart(true), named_apart(found)
    n = range(len(a))
    precision = np.mean([np.mean([a[i] == a[j] for j in n if b[i] == b[j]]) for i in n])
    recall = np.mean([np.mean([b[i] == b[j] for j in n if a[i] == a[j]]) for i in n])
    return precision, recall, 2 * precision * recall / (precision + recall)


@given(two_groupings)
def test_b_cubed_is_what_asking_every_pair_gives(rows):
    true, found = split(rows)
    assert sl.metrics.b_cubed(true, found) == pytest.approx(naive_b_cubed(true, found))
    assert sl.metrics.b_cubed_f1(true, found) == sl.metrics.b_cubed(true, found).f1


@given(two_groupings)
def test_pairwise_is_what_counting_pairs_gives(rows):
    a, b = (named_apart(labels) for labels in split(rows))
    pairs = list(combinations(range(len(a)), 2))
    belong, together = ({(i, j) for i, j in pairs if x[i] == x[j]} for x in (a, b))
    got = sl.metrics.pairwise(*split(rows))
    for value, whole in ((got.precision, together), (got.recall, belong)):
        assert value == pytest.approx(len(belong & together) / len(whole) if whole else np.nan, nan_ok=True)


@given(two_groupings, st.randoms())
def test_order_and_names_do_not_matter(rows, random):
    true, found = split(rows)
    shuffled = list(rows)
    random.shuffle(shuffled)
    again, found_again = split(shuffled)
    again = [None if label == -1 else f"INC-{9 - label}" for label in again]
    for measure in (sl.metrics.ari, sl.metrics.ami, sl.metrics.v_measure, sl.metrics.b_cubed_f1):
        assert measure(true, found) == pytest.approx(measure(again, found_again), abs=1e-9)
    assert sl.metrics.pairwise_f1(true, found) == pytest.approx(sl.metrics.pairwise_f1(again, found_again), nan_ok=True)


@pytest.mark.parametrize(
    "alone",
    [[-1, -1], [None, None], ["", None], ["-1", "-1"], pd.Series([None, -1], dtype=object), np.array([np.nan, np.nan])],
)
def test_every_spelling_of_on_its_own(alone):
    assert np.isnan(sl.metrics.pairwise(alone, alone).precision)
    assert sl.metrics.coverage(alone) == 0
    assert sl.metrics.pairwise([1, 1], alone).recall == 0


def test_labels_may_be_categories_of_pandas():
    true = pd.Series(["A", "A", None, "B"], dtype="category")
    assert sl.metrics.ari(true, [7, 7, -1, -1]) == 1


def test_leaving_noise_alone_is_right_and_grouping_it_costs():
    true = ["A", "A", None, None]
    assert sl.metrics.b_cubed(true, [0, 0, -1, -1]) == (1, 1, 1)
    assert sl.metrics.b_cubed(true, [0, 0, 1, 1]).precision == 0.75
    assert sl.metrics.pairwise(true, [0, 0, 1, 1]) == (0.5, 1, 2 / 3)


def test_without_alerts_every_measure_is_null():
    for name in ("ari", "ami", "v_measure", "homogeneity", "completeness", "pairwise_f1", "b_cubed_f1"):
        assert np.isnan(getattr(sl.metrics, name)([], [])), name
    assert np.isnan(sl.metrics.coverage([]))


def test_different_lengths_are_told():
    with pytest.raises(ParameterError, match="labels_true has 2 labels and labels_pred 1"):
        sl.metrics.ari([1, 1], [1])


def test_very_many_alerts_alone_are_no_table_of_all_against_all():
    alone = np.full(300_000, -1)
    true = np.arange(300_000) // 3
    assert sl.metrics.ami(true, alone) == pytest.approx(0, abs=1e-3)
    assert sl.metrics.b_cubed(true, alone) == pytest.approx((1, 1 / 3, 0.5))
