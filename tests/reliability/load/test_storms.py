from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

from stanza_lab.reliability.load import storms

WIDTH = pd.Timedelta("10min")


def alerts(counts: list[int]) -> pd.DataFrame:
    """Return so many alerts in each ten minutes."""
    bins = np.repeat(np.arange(len(counts)), counts)
    at = pd.Timestamp("2026-03-01", tz="UTC") + pd.to_timedelta(bins * 600 + 30, unit="s")
    return pd.DataFrame({"starts_at": at.as_unit("us"), "service": "shop", "incident_id": -1, "page": -1})


def test_modified_z_is_by_median_and_mad() -> None:
    # median 3, deviations 2 1 0 1 37, MAD 1
    assert storms.modified_z([1, 2, 3, 4, 40]).tolist() == pytest.approx([-1.349, -0.6745, 0, 0.6745, 24.9565])


def test_where_mad_is_0_the_mean_deviation_stands_in() -> None:
    # median 0, MAD 0, mean deviation 2
    assert storms.modified_z([0, 0, 0, 0, 10]).tolist() == pytest.approx([0, 0, 0, 0, 10 / (1.253314 * 2)])
    assert storms.modified_z([5, 5, 5]).tolist() == [0, 0, 0]
    assert storms.modified_z([]).tolist() == []


def test_neighbouring_bins_are_one_storm() -> None:
    found = storms.table(alerts([1, 2, 3, 2, 40, 30, 2, 1, 50, 2, 1]), width=WIDTH)
    assert found["alerts"].tolist() == [70, 50]
    assert found["starts_at"].dt.strftime("%H:%M").tolist() == ["00:40", "01:20"]
    assert found["ends_at"].dt.strftime("%H:%M").tolist() == ["01:00", "01:30"]
    assert found["words"].iloc[0] == "70 alerts of 1 service in 20 min, where 4 are usual; 0 pages; loudest: shop."


def test_few_alerts_are_no_storm_however_quiet_it_is_else() -> None:
    assert storms.table(alerts([0, 0, 9, 0, 0, 0, 1]), width=WIDTH).empty
    assert storms.table(alerts([]), width=WIDTH).empty


def test_a_storm_names_the_loudest_service_first() -> None:
    table = alerts([1, 1, 1, 20, 1])
    table.loc[5:20, "service"] = "db"
    assert storms.table(table, width=WIDTH)["services"].iloc[0] == ["db", "shop"]
