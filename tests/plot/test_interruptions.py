from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

from stanza_lab import plot
from stanza_lab.errors import SchemaError

MET = pd.DataFrame(
    {
        "local": pd.to_datetime(["2026-03-02 03:10", "2026-03-02 03:50", "2026-03-07 10:00", None]),
        "tz": "Asia/Tokyo",
        "kind": ["sleep_hours", "sleep_hours", "off_hours", "business"],
    }
)


def test_cells_count_by_weekday_and_hour() -> None:
    cells = plot.interruptions(MET).data[0]
    counts = np.nan_to_num(cells.z)
    assert counts.shape == (7, 24)
    assert (counts[0, 3], counts[5, 10], counts.sum()) == (2, 1, 3)
    assert cells.hovertext[0][3] == "<b>Monday 03:00-03:59</b><br>2 interruptions"


def test_title_and_axis_say_how_many_and_whose_clock() -> None:
    figure = plot.interruptions(MET)
    assert figure.layout.title.text == "4 interruptions: 2 in sleep hours, 1 in off hours"
    assert figure.layout.xaxis.title.text == "hour of the day (Asia/Tokyo)"
    mixed = plot.interruptions(MET.assign(tz=["UTC", "UTC", "Asia/Tokyo", "UTC"]))
    assert mixed.layout.xaxis.title.text == "hour of the day (each one's own clock)"
    assert "sleep is 22-08 every day" in figure.layout.meta["description"]


@pytest.mark.parametrize("rows", [0, 1])
def test_no_or_one_is_a_figure_too(rows: int) -> None:
    assert len(plot.interruptions(MET.head(rows)).data) == rows


def test_what_is_no_table_of_interruptions_is_refused() -> None:
    with pytest.raises(SchemaError, match=r"\['kind'\]"):
        plot.interruptions(MET.drop(columns="kind"))
