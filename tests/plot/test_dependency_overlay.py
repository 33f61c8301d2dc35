from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest
from pandas.testing import assert_frame_equal

from stanza_lab import plot, schema
from stanza_lab.errors import ParameterError

if TYPE_CHECKING:
    import pandas as pd


def edges(*rows: tuple[str, str, float, list[str], str | None]) -> pd.DataFrame:
    names = ["src", "dst", "confidence", "provenance", "verdict"]
    told = [dict(zip(names, row, strict=True)) for row in rows]
    return schema.build([row | {"link_confidence": row["confidence"], "support": 3} for row in told], schema.EDGES)


KNOWN = edges(
    ("web", "orders", 0.99, ["inferred", "traced"], "confirmed"),
    ("web", "<b>cart", 0.7, ["inferred"], "alert-only"),
    ("<b>cart", "web", 0.6, ["inferred"], "alert-only"),
    ("web", "mail", 0.8, ["inferred"], None),
    ("orders", "db", 0.97, ["traced"], "trace-only"),
    ("orders", "old", 0.3, ["declared"], "declared-only"),
    ("web", "far", 0.1, ["inferred"], None),
    ("orders", "web", 0.02, ["inferred"], None),
)


def labels(figure: Any) -> list[str]:
    return list(figure.layout.yaxis.ticktext)


def test_each_group_has_a_heading_and_a_row_per_dependency() -> None:
    figure = plot.dependency_overlay(KNOWN)
    assert labels(figure) == [
        "<b>confirmed</b>, 1", "web → orders",
        "<b>alert-only</b>, 1", "web – &lt;b&gt;cart",
        "<b>not judged</b>, 1", "web → mail",
        "<b>trace-only</b>, 1", "orders → db",
        "<b>declared</b>, 1", "orders → old",
    ]  # fmt: skip
    assert figure.layout.title.text == "5 dependencies, 1 confirmed by traces"


def test_who_tells_of_it_stands_beside_each_row() -> None:
    cells = plot.dependency_overlay(KNOWN).data[-1]
    told = {
        (x, y) for x, y, said in zip(cells.x, cells.y, cells.hovertext, strict=True) if said.endswith("tells of it")
    }
    alerts, traces, declared = sorted(set(cells.x))
    assert told == {(alerts, 1), (traces, 1), (alerts, 3), (alerts, 5), (traces, 7), (declared, 9)}


def test_more_than_the_top_are_counted() -> None:
    many = edges(*((f"s{k:03}", "db", 0.9 - k / 1000, ["inferred"], "alert-only") for k in range(500)))
    figure = plot.dependency_overlay(many, top=3)
    assert labels(figure) == ["<b>alert-only</b>, 3 of 500 shown", "s000 → db", "s001 → db", "s002 → db"]
    assert figure.data[0].hovertext == "alert-only: 500 (traces that would show it do not)"


def test_all_kinds_at_their_most_still_fit_a_page() -> None:
    alerts, traces, declared = ["inferred"], ["traced"], ["declared"]
    judged = [(alerts + traces, "confirmed"), (alerts, "alert-only"), (traces, "trace-only")]
    kinds = [*judged, (alerts, None), (declared, None)]
    rows = [(f"a{i}-{k}", f"b{i}-{k}", 0.9, *kind) for i, kind in enumerate(kinds) for k in range(100)]
    figure = plot.dependency_overlay(edges(*rows))
    assert len(labels(figure)) == 5 * 13
    assert figure.layout.height < 1600


def test_no_or_one_edge_is_a_figure_too() -> None:
    assert plot.dependency_overlay(schema.empty(schema.EDGES)).layout.title.text == "No dependencies"
    assert labels(plot.dependency_overlay(KNOWN.head(1))) == ["<b>confirmed</b>, 1", "web → orders"]


def test_names_and_titles_are_escaped_and_edges_stay_as_they_are() -> None:
    before = KNOWN.copy(deep=True)
    figure = plot.dependency_overlay(KNOWN, title="<script>")
    assert figure.layout.title.text == "&lt;script&gt;"
    assert "<b>cart" not in figure.to_json().replace("<b>confirmed", "")
    assert_frame_equal(KNOWN, before)


@pytest.mark.parametrize("wrong", [{"top": 0}, {"min_confidence": 2}])
def test_parameters_out_of_range_are_refused(wrong: dict[str, Any]) -> None:
    with pytest.raises(ParameterError, match=next(iter(wrong))):
        plot.dependency_overlay(KNOWN, **wrong)
