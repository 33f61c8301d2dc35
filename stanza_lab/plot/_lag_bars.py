"""The lags of two services that fired together: rates per bin of lag, chance, and each occasion."""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd
import plotly.graph_objects as go

from stanza_lab.plot import _lengths, _theme

FIRST, OTHER = "#0072B2", "#D55E00"  # dst fired first, as trouble travels; src did
_FLOOR = 0.07  # of the tallest bar: room for the occasions below
_HIGHEST = 420  # px
_MOST_OCCASIONS = 500


def _widths(lags: pd.DataFrame) -> pd.Series:
    """Return how wide to draw each bin: one of no width (the same moment) like the narrowest that has one."""
    width = lags["to_s"] - lags["from_s"]
    return width.where(width > 0, width[width > 0].min() if (width > 0).any() else 1.0)


def _drawn(lags: pd.DataFrame) -> pd.DataFrame:
    """Return the bins with `middle`, `width` (s), and rates per minute of lag: `rate` and `chance`."""
    width = _widths(lags)
    middle = (lags["from_s"] + lags["to_s"]) / 2
    rates = {"rate": lags["cofirings"] / width * 60, "chance": lags["expected"] / width * 60}
    return lags.assign(middle=middle, width=width, **rates).sort_values("middle", ignore_index=True)


def _tallest(lags: pd.DataFrame) -> float:
    rows = _drawn(lags)
    return max(float(rows[["rate", "chance"]].to_numpy().max()), 1e-9) if len(rows) else 1.0


def lag_traces(lags: pd.DataFrame) -> list[go.Bar | go.Scatter]:
    """Return the bars of co-firings and the line of what chance gives, both per minute of lag."""
    if not len(lags):
        return []
    rows = _drawn(lags)
    left, right = rows["middle"] - rows["width"] / 2, rows["middle"] + rows["width"] / 2
    colours = np.where(rows["middle"] > 0, FIRST, np.where(rows["middle"] < 0, OTHER, _theme.UNKNOWN))
    bars = go.Bar(
        x=rows["middle"],
        y=rows["rate"],
        width=rows["width"],
        marker={"color": list(colours), "opacity": 0.75, "line": {"width": 1, "color": _theme.PAPER}},
        hovertext=[_bin_hover(row) for row in rows.to_dict("records")],
        hoverinfo="text",
    )
    chance = go.Scatter(
        x=np.column_stack([left, right]).ravel(),
        y=np.repeat(rows["chance"], 2),
        mode="lines",
        line={"color": _theme.INK, "width": 1.5, "dash": "dot"},
        hoverinfo="skip",
    )
    return [bars, chance]


def _bin_hover(row: dict[Any, Any]) -> str:
    same = row["from_s"] == row["to_s"]
    span = "same moment" if same else f"{_lengths.signed(row['from_s'])} to {_lengths.signed(row['to_s'])}"
    seen = [("together", f"{row['cofirings']:,.0f}"), ("by chance", f"{row['expected']:.2g}")]
    return _theme.hover(span, [*seen, ("per minute of lag", f"{row['rate']:.3g}")])


def occasions(table: pd.DataFrame, lags: pd.DataFrame, *, src: str, dst: str) -> go.Scatter | None:
    """Return a tick per occasion below the bars; hovering tells when and which alerts."""
    if not len(table) or "lag_s" not in table.columns:
        return None
    shown = table.iloc[:_MOST_OCCASIONS]
    hovers = [
        _theme.hover(
            _theme.utc(row.get("at")) or "time not known",
            [
                ("lag", _lengths.signed(float(row["lag_s"])) if pd.notna(row["lag_s"]) else None),
                (_theme.safe(src, limit=30), row.get("src_alert")),
                (_theme.safe(dst, limit=30), row.get("dst_alert")),
            ],
        )
        for row in shown.to_dict("records")
    ]
    return go.Scatter(
        x=shown["lag_s"].astype("float64"),
        y=np.full(len(shown), -_FLOOR / 2 * _tallest(lags)),
        mode="markers",
        marker={"symbol": "line-ns", "size": 9, "line": {"width": 1, "color": _theme.INK}},
        hovertext=hovers,
        hoverinfo="text",
    )


def lag_axes(lags: pd.DataFrame, *, src: str, dst: str, high: int, domain: tuple[float, float]) -> dict[str, Any]:
    """Return the axes of the lags, within `domain` of the width and at most 420 of `high` px."""
    plain = {"gridcolor": _theme.GRID, "automargin": True, "fixedrange": True, "visible": bool(len(lags))}
    rows = _drawn(lags)
    low = float((rows["middle"] - rows["width"] / 2).min()) if len(rows) else -1.0
    up = float((rows["middle"] + rows["width"] / 2).max()) if len(rows) else 1.0
    places, texts = _lengths.ticks(low, up)
    x = {"domain": list(domain), "range": [low, up], "tickvals": places, "ticktext": texts, "anchor": "y"}
    bottom = max(0.0, 1 - _HIGHEST / high)  # many rows on the right must not make the lags a tower
    tallest = _tallest(lags)
    way = " to ".join(_theme.safe(name, limit=18) for name in (dst, src))
    y = {"domain": [bottom, 1], "range": [-_FLOOR * tallest, 1.05 * tallest]}
    return {
        "xaxis": plain | x | {"zerolinecolor": _theme.FAINT, "title": {"text": f"lag from {way}"}},
        "yaxis": plain
        | y
        | {"zerolinecolor": _theme.FAINT, "nticks": 6, "title": {"text": "co-firings per minute of lag"}},
    }
