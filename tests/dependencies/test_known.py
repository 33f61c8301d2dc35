"""Known edges: pairs or a table, never both ways of one claim, and a clear answer for names that never fired."""

from __future__ import annotations

import pandas as pd
import pytest

from stanza_lab.dependencies.known import Known, known_edges
from stanza_lab.errors import ParameterError


def edges(**changed: list) -> pd.DataFrame:
    table = {
        "src": ["b", "a"],
        "dst": ["a", "b"],
        "confidence": [0.6, 0.2],
        "link_confidence": [0.8, 0.8],
        "support": [5, 5],
        "lift": [9.0, 9.0],
        "lag_s": [30.0, -30.0],
        "p_value": [0.01, 0.01],
        "q_value": [0.02, 0.02],
        "provenance": [["inferred"], ["inferred"]],
        "verdict": [None, None],
    }
    return pd.DataFrame(table | changed)


@pytest.mark.parametrize(
    "given",
    [
        [("web", "db")],
        {("web", "db")},
        (["web", "db"],),
        pd.DataFrame({"src": ["web", None], "dst": ["db", "db"], "more": [1, 2]}),
        pd.DataFrame({"caller": ["web"], "callee": ["db"]}),
        pd.DataFrame({"src": ["web", "web"], "dst": ["db", "db"]}, dtype="category"),
    ],
)
def test_pairs_or_a_table(given: object) -> None:
    assert known_edges(given, "required") == {("web", "db")}


def test_nothing_is_no_edge() -> None:
    assert known_edges(None, "required") == known_edges([], "required") == set()


@pytest.mark.parametrize(
    ("given", "says"),
    [
        ("ab", "must be pairs"),
        (3, "must be pairs"),
        (zip(["web"], ["db"], strict=True), "must be pairs"),  # empty when read once more
        (["ab"], "no pair"),
        ([("web",)], "no pair"),
        ([("web", "db", "x")], "no pair"),
        ([{"web", "db"}], "no pair"),  # no order
        ([("web", None)], "lacks a name"),
        ([("web", "web")], "'web' cannot depend on itself"),
        (pd.DataFrame({"from": ["web"], "to": ["db"]}), r"columns are \['from', 'to'\]; pass src and dst"),
    ],
)
def test_what_is_no_pair_is_refused(given: object, says: str) -> None:
    with pytest.raises(ParameterError, match=f"required.*{says}"):
        known_edges(given, "required")


def test_required_and_forbidden_is_refused() -> None:
    with pytest.raises(ParameterError, match=r"\('web', 'db'\) is both required and forbidden"):
        Known({("web", "db")}, {("web", "db")})


def test_pairs_of_required_edges_are_in_order() -> None:
    assert Known({("web", "db"), ("a", "z")}, {("b", "c")}).pairs() == {("db", "web"), ("a", "z")}


@pytest.mark.parametrize(
    ("required", "forbidden", "sign"),
    [
        ({("b", "a")}, set(), 1),
        ({("a", "b")}, set(), -1),
        (set(), {("b", "a")}, 0),
        ({("a", "b"), ("b", "a")}, set(), 0),
        ({("x", "y")}, set(), 0),
    ],
)
def test_log_odds_are_of_b_depending_on_a(required: set, forbidden: set, sign: int) -> None:
    log_odds = Known(required, forbidden).log_odds(pd.DataFrame({"a": ["a"], "b": ["b"]}))
    assert log_odds[0] > 3 if sign > 0 else log_odds[0] < -3 if sign < 0 else log_odds[0] == 0


def test_required_is_sure_and_declared() -> None:
    told = Known({("b", "a")}, set()).applied(edges()).set_index(["src", "dst"])
    assert told.loc[("b", "a"), ["confidence", "link_confidence"]].tolist() == [1, 1]
    assert told.loc[("b", "a"), "provenance"] == ["declared", "inferred"]
    assert told.loc[("a", "b"), ["confidence", "link_confidence"]].tolist() == [0.2, 1]
    assert told.loc[("a", "b"), "provenance"] == ["inferred"]


def test_forbidden_is_gone_and_the_link_is_the_other_direction() -> None:
    table = edges()
    link, gone = table.loc[0, "link_confidence"], table.loc[0, "confidence"]
    told = Known(set(), {("b", "a")}).applied(table)
    left = (link - gone) / (1 - gone)  # of the odds without the direction that is ruled out
    assert told[["src", "dst"]].to_numpy().tolist() == [["a", "b"]]
    assert told[["confidence", "link_confidence"]].to_numpy().ravel() == pytest.approx([left, left])
    assert Known(set(), {("b", "a"), ("a", "b")}).applied(edges()).empty


def test_required_of_a_name_that_never_fired_is_listed_as_declared() -> None:
    told = Known({("b", "ghost")}, set()).applied(edges())
    assert told[["src", "dst"]].to_numpy().tolist() == [["b", "a"], ["a", "b"], ["b", "ghost"]]
    last = told.iloc[-1]
    assert last[["confidence", "link_confidence", "support", "p_value"]].tolist() == [1, 1, 0, 1]
    assert last["provenance"] == ["declared"]
    assert pd.isna(last["lag_s"])


def test_the_argument_stays_as_it_was() -> None:
    table = edges()
    Known({("b", "a"), ("b", "ghost")}, {("a", "b")}).applied(table)
    pd.testing.assert_frame_equal(table, edges())
