from __future__ import annotations

import pandas as pd
import pytest

from stanza_lab import plot
from stanza_lab.errors import SchemaError
from stanza_lab.reliability.quieter import TuneDown
from stanza_lab.reliability.quieter.result import CHANGES, COMBINED, KEPT, MISSED

KNOWN = {
    "first": pd.Timestamp("2026-03-01", tz="UTC"), "split": pd.Timestamp("2026-04-01", tz="UTC"),
    "last": pd.Timestamp("2026-05-01", tz="UTC"), "pages": 40, "max_later_s": 300.0, "page": "a page is a <page>",
    "worth": "an incident counts as real when said",
}  # fmt: skip
STEPS = pd.DataFrame(
    {
        "step": [1, 2, 3],
        "rule": ["<img src=x>", "slow", "errors"],
        "service": ["shop", "db", None],
        "change": ["notify", "hold", "delete"],
        "value": ["", "5min", ""],
        "verdict": ["take", "leave", "leave"],
        "proposed": [True, True, False],
        "promised": [12, 20, 30],
        "promised_share": [0.3, 0.5, 0.75],
        "pages_saved": [10, 16, 30],
        "share": [0.25, 0.4, 0.75],
        "real": [6, 6, 6],
        "missed": [0, 1, 3],
        "missed_high": [0.39, 0.58, 0.85],
        "late": [0, 2, 2],
        "later_max_s": [0.0, 300.0, 300.0],
        "words": ["", "", ""],
        "rule_key": ["a", "b", "c"],
    }
)


def result(steps: pd.DataFrame) -> TuneDown:
    empty = [pd.DataFrame({name: [] for name in columns}) for columns in (CHANGES, MISSED, KEPT)]
    return TuneDown(empty[0], empty[1], steps[list(COMBINED)], empty[2], pd.DataFrame(), KNOWN)


def test_points_are_what_all_changes_so_far_save_and_miss() -> None:
    line, taken, left, idle, beyond, start = plot.tune_down(result(STEPS)).data
    assert list(zip(line.x, line.y, strict=True)) == [(0, 0), (10, 0), (16, 1), (30, 3)]
    assert [(list(part.x), list(part.y)) for part in (taken, left, beyond)] == [([10], [0]), ([16], [1]), ([30], [3])]
    assert len({part.marker.symbol for part in (taken, left, idle, beyond)}) == 4
    assert len(idle.x) == 0
    assert list(start.x) == [0]


def test_the_title_says_what_the_proposed_ones_come_to() -> None:
    figure = plot.tune_down(result(STEPS))
    assert figure.layout.title.text == "2 changes would spare 16 of 40 pages (40%) and miss 1 of 6 real incidents"
    assert "measured on 2026-04-01 to 2026-05-01 (UTC)" in figure.layout.title.subtitle.text
    assert "2 changes would spare" in figure.layout.meta["description"]


def test_hovering_explains_and_text_is_escaped() -> None:
    figure = plot.tune_down(result(STEPS))
    shown = str(figure.to_dict())
    assert "<img" not in shown
    assert "<page>" not in shown
    said = figure.data[2].hovertext[0]
    assert "change: wait longer 5min" in said
    assert "missed: 1 of 6 real incidents, at most 58% with 95 % certainty" in said
    assert "paged for later: 2 incidents, at most 5 min" in said


@pytest.mark.parametrize("rows", [0, 1])
def test_no_or_one_change_is_a_figure_too(rows: int) -> None:
    figure = plot.tune_down(result(STEPS.head(rows)))
    assert len(figure.data[1].x) == rows
    assert rows or figure.layout.title.text == "No change found that is safe: 40 pages stay"


def test_names_that_would_cover_each_other_are_left_out() -> None:
    many = pd.concat([STEPS.head(1).assign(pages_saved=k) for k in range(1, 41)], ignore_index=True)
    names = [text for text in plot.tune_down(result(many)).data[1].text if text]
    assert 1 < len(names) <= 5


def test_something_else_is_refused() -> None:
    with pytest.raises(SchemaError, match="result must be what tune_down returns, not DataFrame"):
        plot.tune_down(STEPS)  # type: ignore[arg-type]


def test_names_of_points_do_not_lie_over_each_other() -> None:
    # The name of the first lies right of it (x < 8), that of the second left of it: both over 6 to 14.
    near = STEPS.head(2).assign(pages_saved=[6, 14], missed=[0, 0], verdict="take")
    assert sum(bool(text) for text in plot.tune_down(result(near)).data[1].text) == 1


def test_what_saved_nothing_is_not_among_what_to_take() -> None:
    steps = STEPS.head(2).assign(pages_saved=[10, 10], missed=0, verdict="look")
    found = result(steps)
    found.changes[["rule_key", "change", "value"]] = steps[["rule_key", "change", "value"]]
    found.changes["pages_saved"] = [10, 0]
    figure = plot.tune_down(found)
    assert (list(figure.data[1].x), list(figure.data[3].x)) == ([10], [10])
    assert figure.layout.title.text.startswith("1 change would spare 10")
