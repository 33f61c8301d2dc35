from __future__ import annotations

import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

from stanza_lab.production import links, tables

ALERTS_ALONE = [("a", "b", 0.45, 0.76, ["inferred"]), ("b", "a", 0.32, 0.76, ["inferred"])]


def edges(rows: list[tuple]) -> pd.DataFrame:
    given = pd.DataFrame(rows, columns=["src", "dst", "confidence", "link_confidence", "provenance"])
    return tables.complete(given)


def test_a_pair_is_one_link_in_its_likelier_direction() -> None:
    found = links.of(edges(ALERTS_ALONE[::-1]))
    assert found[["src", "dst", "strength", "confidence", "back", "direction"]].to_numpy().tolist() == [
        ["a", "b", 0.76, 0.45, 0.32, "unknown"]
    ]


def test_what_traces_tell_leaves_nothing_of_the_opposite_row() -> None:
    traced = [("b", "a", 0.999, 1.0, ["inferred", "traced"]), ("a", "b", 0.06, 1.0, ["inferred"])]
    found = links.of(edges(traced))
    assert found[["src", "dst", "direction", "seen"]].to_numpy().tolist() == [["b", "a", "forward", True]]


def test_a_guess_about_the_opposite_of_what_was_seen_does_not_count() -> None:
    found = links.of(edges([("b", "a", 0.99, 1.0, ["traced"]), ("a", "b", 0.7, 1.0, ["inferred"])]))
    assert (found["src"][0], found["direction"][0], found["back"][0]) == ("b", "forward", 0.7)
    assert [way.tolist() for way in links.ways(found)] == [[1.0], [0.0]]


def test_traced_both_ways_is_both() -> None:
    found = links.of(edges([("a", "b", 0.99, 1.0, ["traced"]), ("b", "a", None, None, ["declared"])]))
    assert (found["direction"][0], found["strength"][0], found["back"][0]) == ("both", 1.0, 1.0)


def test_seen_wins_over_a_likelier_guess() -> None:
    found = links.of(edges([("a", "b", 0.9, 0.9, ["inferred"]), ("b", "a", None, None, ["declared"])]))
    assert (found["src"][0], found["strength"][0]) == ("b", 1.0)


def test_without_a_row_for_the_other_way_it_gets_what_the_link_leaves() -> None:
    found = links.of(edges([("a", "b", 0.45, 0.8, ["inferred"])]))
    assert found["back"].tolist() == pytest.approx([0.35])
    assert found["direction"].tolist() == ["unknown"]


def test_a_missing_link_confidence_follows_from_both_directions() -> None:
    table = edges(
        [("a", "b", 0.5, None, []), ("b", "a", 0.4, None, []), ("a", "c", 0.1, None, []), ("c", "d", None, None, [])]
    )
    assert table["link_confidence"].tolist() == pytest.approx([0.7, 0.7, 0.1, float("nan")], nan_ok=True)


def test_of_two_link_confidences_the_larger_counts() -> None:
    assert edges([("a", "b", 0.5, 0.6, []), ("b", "a", 0.1, 0.7, [])])["link_confidence"].tolist() == [0.7, 0.7]


def test_strength_is_one_for_both_rows_of_what_was_seen() -> None:
    table = edges([("a", "b", 0.2, 0.3, ["traced"]), ("b", "a", 0.1, 0.3, []), ("a", "c", 0.2, 0.2, ["inferred"])])
    assert links.strength(table).tolist() == [1.0, 1.0, 0.2]


def test_a_verdict_on_either_way_is_one_on_the_link() -> None:
    table = edges(ALERTS_ALONE).assign(verdict=pd.Series([None, "alert-only"], dtype="category"))
    assert links.of(table)["verdict"].tolist() == ["alert-only"]


def test_an_edge_to_itself_is_no_link() -> None:
    assert links.of(edges([("a", "a", 0.9, 0.9, [])])).empty


@pytest.mark.parametrize(
    ("forward", "back", "said"),
    [(0.6, 0.3, "forward"), (0.3, 0.6, "back"), (0.5, 0.3, "unknown"), (0.8, 0.6, "both"), (0.0, 0.0, "unknown")],
)
def test_a_way_is_known_when_it_is_twice_as_likely(forward: float, back: float, said: str) -> None:
    assert links.direction(forward, back) == said


@given(st.permutations(range(4)))
def test_order_of_rows_does_not_matter(order: list[int]) -> None:
    rows = [*ALERTS_ALONE, ("b", "c", 0.2, 0.4, []), ("c", "b", 0.2, 0.4, [])]
    pd.testing.assert_frame_equal(links.of(edges([rows[i] for i in order])), links.of(edges(rows)))


def test_a_single_row_of_the_less_likely_way_is_turned_round() -> None:
    given = edges([("a", "b", 0.2, 0.9, ["inferred"])]).assign(lag_s=-30.0)
    found = links.of(given)
    assert found[["src", "dst", "direction", "lag_s"]].to_numpy().tolist() == [["b", "a", "forward", 30.0]]
    assert found[["confidence", "back"]].to_numpy().tolist() == [[pytest.approx(0.7), 0.2]]
