from __future__ import annotations

import pandas as pd
import pytest

from stanza_lab import plot
from stanza_lab.errors import ParameterError, SchemaError


def shifts(incidents: list[int], rotation: str = "web") -> pd.DataFrame:
    local = pd.date_range("2026-03-02 08:00", periods=len(incidents), freq="12h")
    table = pd.DataFrame({"rotation": rotation, "local": local, "tz": "Europe/Berlin", "incidents": incidents})
    return table.assign(pages=table["incidents"], limit=2.0, over=table["incidents"] > 2, whole=True)


SHIFTS = pd.concat([shifts([0, 1, 3]), shifts([0, 9, 4], "<b>db")], ignore_index=True)


def test_cells_say_how_far_a_shift_is_in_the_limit() -> None:
    cells = plot.pager_load(SHIFTS).data[0]
    assert cells.z.tolist() == [[0, 3, 2], [0, 1, 2]]  # none, in the limit, up to twice, more; the most loaded first
    assert cells.text.tolist() == [["", "9", "4"], ["", "1", "3"]]
    assert cells.hovertext[1][2] == "<b>web</b>, shift from Tue 2026-03-03 08:00<br>3 incidents in 3 pages"


def test_title_axis_and_rows_say_what_and_where() -> None:
    figure = plot.pager_load(SHIFTS)
    assert figure.layout.title.text == "More than 2 incidents paged in 3 of 6 shifts"
    assert figure.layout.xaxis.title.text == "shift from (Europe/Berlin)"
    assert figure.layout.yaxis.ticktext[0].startswith("&lt;b&gt;db")
    assert "4.33 a shift, 2 over" in figure.layout.yaxis.ticktext[0]
    assert "More than 2 incidents" in figure.layout.meta["description"]


def test_over_many_shifts_a_cell_is_a_week_and_its_worst_shift() -> None:
    figure = plot.pager_load(shifts([1] * 99 + [5]))
    assert figure.data[0].z.shape == (1, 8)
    assert figure.data[0].text.tolist()[0] == ["1"] * 7 + ["5"]
    assert figure.layout.xaxis.title.text == "week from (Europe/Berlin)"
    assert "worst shift: 5; 1 of 2 over the limit" in figure.data[0].hovertext[0][7]


def test_rotations_beyond_the_most_are_counted_in_a_note() -> None:
    assert "not shown: 1 rotation, web" in plot.pager_load(SHIFTS, top=1).layout.annotations[0].text


@pytest.mark.parametrize("rows", [0, 1])
def test_no_or_one_shift_is_a_figure_too(rows: int) -> None:
    assert len(plot.pager_load(SHIFTS.head(rows)).data) == rows


def test_what_is_no_table_of_shifts_is_refused() -> None:
    with pytest.raises(SchemaError, match=r"\['rotation'"):
        plot.pager_load(SHIFTS.drop(columns="rotation"))
    with pytest.raises(ParameterError, match="every='day'"):
        plot.pager_load(SHIFTS, every="day")
