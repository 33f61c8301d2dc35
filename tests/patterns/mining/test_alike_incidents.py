from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
from scipy.sparse import csr_array

from stanza_lab.patterns.mining import alike
from stanza_lab.patterns.mining.members import settle

if TYPE_CHECKING:
    import pytest


def incidents(rows: list[list[int]], kinds: int = 10) -> csr_array:
    has = np.zeros((len(rows), kinds))
    for i, row in enumerate(rows):
        has[i, row] = 1.0
    return csr_array(has)


ROWS = [[0, 1, 2], [0, 1], [0, 1, 2, 9], [4, 5], [4, 5, 9], [4, 5], [3, 9], [6, 9], [7, 9]]


def test_incidents_that_share_rare_kinds_are_grouped() -> None:
    has = incidents(ROWS)
    weight = alike.weights(np.asarray(has.sum(axis=0)), np.zeros(10), len(ROWS))
    assert [group.tolist() for group in alike.groups(has, weight, least=3)] == [[0, 1, 2], [3, 4, 5]]


def test_a_kind_that_fires_everywhere_weighs_little() -> None:
    weight = alike.weights(np.array([2, 9, 2]), np.array([0, 0, 50]), 10)
    assert weight[0] > weight[1] > 0
    assert weight[0] > weight[2]


def test_core_and_optional_members_and_who_has_enough_of_them() -> None:
    has = incidents([*ROWS, [0, 1, 8]])
    weight = np.ones(10)
    first, second = settle(has, weight, [np.array([0, 1, 2]), np.array([3, 4, 5])], least=3)
    assert first.core.tolist() == [0, 1]
    assert first.optional.tolist() == [2]
    assert first.incidents.tolist() == [0, 1, 2, 9]
    assert first.match.tolist() == [1.0, 0.8, 1.0, 0.8]  # 2 of 2 + 1/2
    assert second.core.tolist() == [4, 5]


def test_two_patterns_in_one_incident_need_alerts_of_their_own() -> None:
    rows = [[0, 1], [0, 1], [0, 1], [4, 5], [4, 5], [4, 5], [0, 1, 4, 5]]
    found = settle(incidents(rows), np.ones(10), [np.array([0, 1, 2]), np.array([3, 4, 5])], least=3)
    assert [one.incidents.tolist() for one in found] == [[0, 1, 2, 6], [3, 4, 5, 6]]


def test_large_sets_are_cut_where_they_hold_least(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(alike, "_TOGETHER", 4)
    has = incidents([[0, 1, 2], [0, 1, 2], [0, 1, 2], [2, 4, 5], [2, 4, 5], [2, 4, 5]])
    assert [group.tolist() for group in alike.groups(has, np.ones(10), least=3)] == [[0, 1, 2], [3, 4, 5]]
