from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

from stanza_lab import plot, schema
from stanza_lab.errors import ParameterError, UnknownNameError

ALERTS = pd.DataFrame(
    {
        "service": ["shop", "shop", "db"],
        "starts_at": ["2026-03-01T10:00Z", "2026-03-01T23:00Z", "2026-03-02T01:00Z"],
        "team": ["web", "web", "<i>"],
    }
)


def test_cells_count_alerts_per_row_and_bin() -> None:
    cells = plot.firing_heatmap(ALERTS, every="1D").data[0]
    assert np.round(10 ** cells.z.astype(float)).tolist()[0][0] == 2
    assert np.isnan(cells.z).tolist() == [[False, True], [True, False]]
    assert cells.hovertext[0][0] == "<b>shop</b><br>2 alerts<br>from 2026-03-01 00:00:00 UTC"


def test_rows_may_be_another_column_and_are_escaped() -> None:
    figure = plot.firing_heatmap(ALERTS, by="team", every="1D")
    assert figure.layout.yaxis.ticktext == ("web", "&lt;i&gt;")
    assert figure.layout.title.text == "Alerts per team and day"


def test_bins_are_chosen_when_not_given() -> None:
    assert plot.firing_heatmap(ALERTS).layout.title.text == "Alerts per service and 15 min"


def test_a_very_long_quiet_time_becomes_one_empty_bin() -> None:
    late = ALERTS.assign(starts_at=["2026-03-01T10:00Z", "2026-03-01T11:00Z", "2026-08-01T10:00Z"])
    assert plot.firing_heatmap(late, every="1h").data[0].z.shape == (2, 4)


@pytest.mark.parametrize("rows", [0, 1])
def test_no_or_one_alert_is_a_figure_too(rows: int) -> None:
    assert len(plot.firing_heatmap(ALERTS.head(rows)).data) == rows
    assert not plot.firing_heatmap(schema.empty(schema.ALERTS)).data


def test_bins_too_narrow_are_refused() -> None:
    with pytest.raises(ParameterError, match="bins from 2026-03-01 to 2026-03-02; at most 5,000"):
        plot.firing_heatmap(ALERTS, every="1s")


def test_unknown_column_is_named() -> None:
    with pytest.raises(UnknownNameError, match="column 'teem' not found; did you mean 'team'"):
        plot.firing_heatmap(ALERTS, by="teem")
