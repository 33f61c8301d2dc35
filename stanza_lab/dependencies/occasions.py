"""The co-firings behind an edge, as far back as the model still holds alerts."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd

from stanza_lab import schema

if TYPE_CHECKING:
    from stanza_lab.dependencies.statistics import Counting

_COLUMNS: dict[str, Any] = {"at": schema.TIME_DTYPE, "lag_s": "float64", "src_alert": "str", "dst_alert": "str"}


def occasions_of(recent: pd.DataFrame | None, *, src: str, dst: str, counting: Counting) -> pd.DataFrame:
    """Return for every alert of `src` the nearest one of `dst` within the window, latest first.

    Parameters
    ----------
    recent : DataFrame or None
        Rows with `starts_at`, `node` and, if known, `place`, `alert_id`.
    src, dst : str
        The edge.
    counting : Counting
        For its window.

    Returns
    -------
    DataFrame
        `at` (the later of the two), `lag_s` (positive: src fired after dst), `src_alert`, `dst_alert` (null where
        alerts have no id).
    """
    if recent is None or recent.empty:
        return pd.DataFrame({name: pd.Series([], dtype=dtype) for name, dtype in _COLUMNS.items()})
    rows = recent.assign(alert=recent["alert_id"] if "alert_id" in recent.columns else None)
    near = ["place"] if "place" in recent.columns else []
    one, other = (
        rows.loc[rows["node"] == name, ["starts_at", "alert", *near]].sort_values("starts_at") for name in (src, dst)
    )
    window = pd.Timedelta(counting.window, unit="us")
    met = pd.merge_asof(
        one.rename(columns={"alert": "src_alert"}),
        other.assign(there=other["starts_at"]).rename(columns={"alert": "dst_alert"}),
        on="starts_at",
        by=near or None,
        tolerance=window,
        direction="nearest",
    ).dropna(subset="there")
    lag = (met["starts_at"] - met["there"]).dt.total_seconds()
    at = met["starts_at"].where(met["starts_at"] >= met["there"], met["there"])
    table = met.assign(at=at, lag_s=np.round(lag, 3))[list(_COLUMNS)].astype(_COLUMNS)
    return table.sort_values(["at", "src_alert"], ascending=False, ignore_index=True)
