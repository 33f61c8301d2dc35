from __future__ import annotations

import json

import pandas as pd
import pytest

import stanza_lab as sl
from stanza_lab.errors import BundleError, UnknownNameError
from tests.patterns.mining.histories import history


@pytest.fixture(scope="module")
def found() -> sl.Patterns:
    return sl.mine_patterns(history())


def test_repr_says_in_one_line_what_was_found(found: sl.Patterns) -> None:
    assert repr(found) == (
        "Patterns(1 pattern in 1 family, from 36 incidents of 75 alerts, 2026-03-02 to 2026-03-19 UTC)"
    )


def test_json_and_back_is_the_same(found: sl.Patterns) -> None:
    again = sl.Patterns.from_dict(json.loads(json.dumps(found.to_dict())))
    for name in ("table", "steps", "occurrences", "families", "prefixes"):
        pd.testing.assert_frame_equal(getattr(again, name), getattr(found, name))
    assert (again.by, again.known, again.unseen) == (found.by, found.known, found.unseen)


def test_json_of_something_else_is_told(found: sl.Patterns) -> None:
    with pytest.raises(BundleError, match="format 7"):
        sl.Patterns.from_dict({"format": 7})
    with pytest.raises(BundleError, match="lack steps"):
        sl.Patterns.from_dict({name: value for name, value in found.to_dict().items() if name != "steps"})


def test_explain_gives_steps_times_and_what_speaks_against(found: sl.Patterns) -> None:
    said = found.explain(found.table["pattern"][0])
    assert "orders-api: errors: after 60 s (52 s to 68 s), 6 of 6 times, core" in said
    assert "checkout: errors: after 3 min, 3 of 6 times, optional" in said
    assert "in 6 of 36 incidents" in said
    assert "incident 5: by itself" in said


def test_explain_of_an_unknown_pattern_names_the_known(found: sl.Patterns) -> None:
    with pytest.raises(UnknownNameError, match="P-"):
        found.explain("P-none")


def test_the_page_is_small_and_escaped() -> None:
    alerts = history().replace({"orders-db": "<script>alert(1)</script>"})
    page = sl.mine_patterns(alerts)._repr_html_()
    assert "<script>" not in page
    assert "&lt;script&gt;" in page
    assert len(page) < 50_000


@pytest.mark.parametrize(
    "damage",
    [{"known": 3}, {"known": {"first": "soon", "last": None}}, {"unseen": 4}, {"steps": [{"core": "x"}]}, {"table": 1}],
)
def test_json_that_is_damaged_is_told(found: sl.Patterns, damage: dict[str, object]) -> None:
    with pytest.raises(BundleError, match="damaged"):
        sl.Patterns.from_dict(found.to_dict() | damage)
