"""Burn rates over the long and the short window of each rule, its threshold, and when it fired."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
import plotly.graph_objects as go

from stanza_lab.errors import SchemaError, UnknownNameError
from stanza_lab.plot import _rows, _theme
from stanza_lab.production import words

if TYPE_CHECKING:
    import pandas as pd

_ROW, _GAP = 130, 0.28  # px of a rule; share of it between two
_FLOOR = 0.05  # burn rate that stands for less, on the logarithmic axis
_MOST = 4_000  # points of a line; above, the highest of each stretch is drawn
_LONG, _SHORT, _FIRED = "#0072B2", "#9AC7E6", "#F8E3D3"
_COLUMNS = ("service", "objective", "rule", "severity", "at", "long_burn", "short_burn", "rate", "judged", "firing")


def burn_rate(
    rates: pd.DataFrame,
    *,
    service: str | None = None,
    objective: str | None = None,
    title: str | None = None,
    height: int | None = None,
) -> go.Figure:
    """Draw how fast the error budget of one objective burnt, a row per alert rule.

    Parameters
    ----------
    rates : DataFrame
        What `burn_rates` returns.
    service, objective : str, optional
        Which one is drawn. Default: the one whose rules fired longest.
    title : str, optional
        Default: whose, and how often something fired.
    height : int, optional
        Pixels. Default: as much as the rules need.

    Returns
    -------
    plotly.graph_objects.Figure
        Times are UTC; burn rates on a logarithmic axis, below 0.05 as 0.05. Shaded: the rule fired. Gaps: not judged.

    Raises
    ------
    SchemaError
        A column is missing.
    UnknownNameError
        `service` or `objective` is not there.

    Examples
    --------
    >>> import pandas as pd
    >>> import stanza_lab as sl
    >>> at = pd.date_range("2026-03-01 00:05", periods=36, freq="5min", tz="UTC")
    >>> counts = pd.DataFrame({"service": "shop", "indicator": "requests", "at": at, "covers_s": 300.0,
    ...                        "good": [100.0] * 12 + [90.0] * 12 + [100.0] * 12, "total": 100.0})
    >>> promised = sl.Objective(name="Answers", service="shop", objective=99.9)
    >>> sl.plot.burn_rate(sl.burn_rates(counts, objectives=promised)).layout.title.text
    'shop, Answers: burn-rate rules fired 1 time'
    """
    missing = [name for name in _COLUMNS if name not in rates.columns]
    if missing:
        raise SchemaError(f"rates: column {missing[0]!r} is missing; pass what sl.burn_rates returns")
    own, whose = _chosen(rates, service, objective)
    rules = list(dict.fromkeys(own["rule"]))
    traces: list[go.Scatter] = []
    axes: dict[str, Any] = {}
    shapes: list[dict[str, Any]] = []
    fired = 0
    for number, rule in enumerate(rules):
        mine = own[own["rule"] == rule].sort_values("at", ignore_index=True)
        axis, domain = _place(number, len(rules))
        runs = _runs(mine)
        fired += len(runs)
        traces += _lines(mine, axis, first=number == 0)
        shapes += [_shade(start, end, domain) for start, end in runs]
        shapes.append(_limit(float(mine["rate"].iloc[0]), axis))
        axes[f"yaxis{axis[1:]}"] = _y_axis(mine, rule, domain)
    lowest = _place(max(0, len(rules) - 1), max(1, len(rules)))[0]
    return _theme.figure(
        traces,
        title=_theme.safe(title, limit=120)
        if title
        else f"{_theme.safe(whose, limit=100)}: burn-rate rules fired {words.count(fired, 'time')}"
        if whose
        else "No burn rates",
        subtitle="Times the error budget burns as fast as allowed: over the long window (dark) and the short (light); "
        "a rule fires while both are above the dashed line",
        plot_height=max(_ROW, _ROW * len(rules)),
        height=height,
        notes=_notes(rates, own),
        axis=72,
        xaxis=_rows.TIME | {"type": "date", "anchor": lowest},
        shapes=shapes,
        showlegend=bool(traces),
        legend={"orientation": "h", "y": -0.02, "yanchor": "top", "x": 1, "xanchor": "right"},
        **axes,
    )


def _chosen(rates: pd.DataFrame, service: str | None, objective: str | None) -> tuple[pd.DataFrame, str]:
    """Return the rows of one objective at one service, and what it is called."""
    kept = rates
    for name, value in (("service", service), ("objective", objective)):
        if value is not None:
            if value not in set(kept[name]):
                raise UnknownNameError.among(name, value, map(str, kept[name].unique()))
            kept = kept[kept[name] == value]
    if kept.empty:
        return kept, ""
    sums = kept.groupby(["service", "objective"], sort=True)["firing"].sum()
    first = sums.index[int(np.argmax(sums.to_numpy()))]
    kept = kept[(kept["service"] == first[0]) & (kept["objective"] == first[1])]
    return kept, f"{first[0]}, {first[1]}"


def _place(number: int, count: int) -> tuple[str, tuple[float, float]]:
    """Return the y axis of a row and where it lies, the first on top."""
    top = 1 - number / count
    return ("y" if number == 0 else f"y{number + 1}"), (top - (1 - _GAP) / count, top)


def _lines(mine: pd.DataFrame, axis: str, *, first: bool) -> list[go.Scatter]:
    drawn = _thinned(mine)
    hovers = [
        _theme.hover(
            row["rule"],
            [
                ("at", _theme.utc(row["at"])),
                ("long window", f"{row['long_burn']:.2f}"),
                ("short window", f"{row['short_burn']:.2f}"),
                ("fires above", f"{row['rate']:g}"),
            ],
        )
        for row in drawn.to_dict("records")
    ]
    made = []
    for column, colour, width, name in (
        ("short_burn", _SHORT, 1.0, "short window"),
        ("long_burn", _LONG, 2.0, "long window"),
    ):
        values = drawn[column].where(drawn["judged"]).clip(lower=_FLOOR)
        made.append(
            go.Scatter(
                x=drawn["at"],
                y=values,
                mode="lines" if len(drawn) > 1 else "markers",
                line={"color": colour, "width": width},
                marker={"color": colour},
                yaxis=axis,
                name=name,
                legendgroup=name,
                showlegend=first,
                hovertext=hovers,
                hoverinfo="text" if column == "long_burn" else "skip",
            )
        )
    return made


def _thinned(mine: pd.DataFrame) -> pd.DataFrame:
    """Return at most so many rows: of each stretch the one that burns fastest."""
    if len(mine) <= _MOST:
        return mine
    stretch = np.arange(len(mine)) * _MOST // len(mine)
    burn = mine["short_burn"].fillna(-1.0)
    return mine.loc[burn.groupby(stretch).idxmax()]


def _runs(mine: pd.DataFrame) -> list[tuple[pd.Timestamp, pd.Timestamp]]:
    turns = np.diff(np.r_[False, mine["firing"].to_numpy(), False].astype(np.int8))
    starts, ends = np.flatnonzero(turns == 1), np.flatnonzero(turns == -1)
    last = len(mine) - 1
    return [(mine["at"].iloc[int(s)], mine["at"].iloc[min(int(e), last)]) for s, e in zip(starts, ends, strict=True)]


def _shade(start: pd.Timestamp, end: pd.Timestamp, domain: tuple[float, float]) -> dict[str, Any]:
    rect = {"type": "rect", "yref": "paper", "y0": domain[0], "y1": domain[1], "layer": "below"}
    return rect | {"x0": start, "x1": end, "fillcolor": _FIRED, "line": {"width": 1, "color": "#E8905A"}}


def _limit(rate: float, axis: str) -> dict[str, Any]:
    line = {"type": "line", "xref": "paper", "x0": 0, "x1": 1, "yref": axis, "y0": rate, "y1": rate}
    return line | {"line": {"color": "#A84600", "width": 1.5, "dash": "dash"}}


def _y_axis(mine: pd.DataFrame, rule: str, domain: tuple[float, float]) -> dict[str, Any]:
    rate = float(mine["rate"].iloc[0])
    highest = float(np.nanmax([rate, *mine[["long_burn", "short_burn"]].max().to_numpy()]))
    return {
        "type": "log",
        "domain": domain,
        "range": [np.log10(_FLOOR), np.log10(highest * 1.6)],
        "tickvals": [0.1, 1, 10, 100, 1000],
        "ticktext": ["0.1", "1", "10", "100", "1000"],
        "title": {"text": f"<b>{_theme.safe(rule, limit=24)}</b><br>above {rate:g}", "font": {"size": 11}},
        "gridcolor": _theme.GRID,
        "zeroline": False,
        "automargin": True,
    }


def _notes(rates: pd.DataFrame, own: pd.DataFrame) -> list[str]:
    notes = []
    silent = 1 - float(own["judged"].mean()) if len(own) else 0.0
    if silent > 0.0005:
        notes.append(f"gaps: not judged, {silent:.1%} of the times (too few requests, or too little was seen)")
    others = rates[["service", "objective"]].drop_duplicates()
    if len(others) > 1:
        notes.append(f"not shown: {words.count(len(others) - 1, 'objective')}; pass service= and objective=")
    return notes
