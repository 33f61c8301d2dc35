"""The golden signals of services over time, small and beside each other: traffic, errors, latency, saturation."""

from __future__ import annotations

from typing import Any

import pandas as pd
import plotly.graph_objects as go

from stanza_lab import _params
from stanza_lab.errors import SchemaError
from stanza_lab.plot import _rows, _theme
from stanza_lab.production import words

_ROW = 105  # px of a signal
_BETWEEN = 0.05  # of the height, and of the width
_COLUMNS = ("service", "at", "traffic_per_s", "error_ratio", "p50_s", "p90_s", "p99_s", "saturation")
_ROWS: tuple[tuple[str, tuple[tuple[str, str, str, str], ...], str], ...] = (
    ("traffic<br>per s", (("traffic_per_s", "traffic", "#0072B2", "solid"),), ",.3~g"),
    ("errors", (("error_ratio", "errors", "#D55E00", "solid"),), ".2~%"),
    (
        "latency<br>s",
        (("p99_s", "p99", "#56B4E9", "dot"), ("p90_s", "p90", "#009E73", "dash"), ("p50_s", "p50", "#0072B2", "solid")),
        ".3~g",
    ),
    ("saturation", (("saturation", "saturated", "#CC79A7", "solid"),), ".0%"),
)


def golden_signals(
    signals: pd.DataFrame, *, top: int = 3, title: str | None = None, height: int | None = None
) -> go.Figure:
    """Draw traffic, errors, latency and saturation over time, a column per service.

    Parameters
    ----------
    signals : DataFrame
        What `sl.golden_signals` returns.
    top : int, default 3
        Most services, those with the most requests first; the others are named in a note below.
    title : str, optional
        Default: how many services, and from when to when.
    height : int, optional
        Pixels.

    Returns
    -------
    plotly.graph_objects.Figure
        Times are UTC. Each signal has one scale for all services. Gaps: not seen. What nothing measures says so.

    Raises
    ------
    SchemaError
        A column is missing.

    Examples
    --------
    >>> import pandas as pd
    >>> import stanza_lab as sl
    >>> at = pd.date_range("2026-03-01 01:00", periods=24, freq="1h", tz="UTC")
    >>> counts = pd.DataFrame({"service": "shop", "indicator": "requests", "at": at, "covers_s": 3600.0,
    ...                        "good": 3590.0, "total": 3600.0})
    >>> sl.plot.golden_signals(sl.golden_signals(counts)).layout.title.text
    'Golden signals of 1 service'
    """
    missing = [name for name in _COLUMNS if name not in signals.columns]
    if missing:
        raise SchemaError(f"signals: column {missing[0]!r} is missing; pass what sl.golden_signals returns")
    _params.at_least(top, "top", 1)
    sizes = signals.groupby("service", sort=True)["traffic_per_s"].mean().fillna(0.0)
    ordered = sorted(sizes.index, key=lambda name: (-float(sizes[name]), str(name)))
    shown = [str(name) for name in ordered[:top]]
    traces: list[go.Scatter] = []
    axes: dict[str, Any] = {}
    labels: list[dict[str, Any]] = []
    for column, service in enumerate(shown):
        own = _gapped(signals[signals["service"] == service])
        labels.append(_heading(service, column, len(shown)))
        for row, (name, lines, form) in enumerate(_ROWS):
            number = row * len(shown) + column + 1
            suffix = "" if number == 1 else str(number)
            axes |= _axes(suffix, row, column, len(shown), name, form)
            known = [line for line in lines if own[line[0]].notna().any()]
            traces += [_line(own, line, suffix, service, form, legend=column == 0 and row == 2) for line in known]
            if not known:
                labels.append(_unknown(row, column, len(shown)))
    notes = _notes(signals, [str(name) for name in ordered[top:]])
    figure = _theme.figure(
        traces,
        title=_theme.safe(title, limit=120) if title else f"Golden signals of {words.count(len(ordered), 'service')}",
        subtitle=_theme.period(signals["at"]),
        plot_height=_ROW * len(_ROWS),
        height=height,
        notes=notes,
        axis=62,
        showlegend=True,
        legend={"orientation": "h", "y": 1.05, "yanchor": "bottom", "x": 1, "xanchor": "right"},
        **axes,
    )
    figure.update_layout(annotations=[*figure.layout.annotations, *labels], margin={"l": 78})
    return figure


def _gapped(own: pd.DataFrame) -> pd.DataFrame:
    """Return rows in order, an empty one wherever an interval is missing: no line may bridge what was not seen."""
    own = own.sort_values("at", ignore_index=True)
    step = own["at"].diff().mode()
    if step.empty:
        return own
    late = own["at"].diff() > 1.5 * step.iloc[0]
    holes = own[late].assign(at=own.loc[late, "at"] - step.iloc[0] / 2, **dict.fromkeys(_COLUMNS[2:], float("nan")))
    return pd.concat([own, holes]).sort_values("at", ignore_index=True) if len(holes) else own


def _spans(row: int, column: int, columns: int) -> tuple[tuple[float, float], tuple[float, float]]:
    """Return the share of the width and of the height that one small plot takes."""
    width = (1 - _BETWEEN * (columns - 1)) / columns
    left = column * (width + _BETWEEN)
    height = (1 - 0.06 - _BETWEEN * (len(_ROWS) - 1)) / len(_ROWS)
    top = 0.94 - row * (height + _BETWEEN)
    return (left, min(1.0, left + width)), (max(0.0, top - height), top)


def _axes(suffix: str, row: int, column: int, columns: int, name: str, form: str) -> dict[str, Any]:
    across, up = _spans(row, column, columns)
    first = str(row * columns + 1) if row * columns else ""
    last = row == len(_ROWS) - 1
    x = {**_rows.TIME, "type": "date", "domain": across, "anchor": f"y{suffix}", "matches": "x", "nticks": 5}
    x |= {"showticklabels": last, "title": {"text": "time (UTC)" if last else ""}, "ticks": "outside" if last else ""}
    y: dict[str, Any] = {
        "domain": up,
        "anchor": f"x{suffix}",
        "tickformat": form,
        "nticks": 4,
        "rangemode": "tozero",
        "gridcolor": _theme.GRID,
        "zeroline": False,
        "showticklabels": column == 0,
        "title": {"text": name if column == 0 else "", "font": {"size": 11}},
    }
    if column:
        y["matches"] = f"y{first}"
    if suffix == "":
        x.pop("matches")
    return {f"xaxis{suffix}": x, f"yaxis{suffix}": y}


def _line(
    own: pd.DataFrame, line: tuple[str, str, str, str], suffix: str, service: str, form: str, *, legend: bool
) -> go.Scatter:
    column, name, colour, dash = line
    shown = own[column].map(lambda value: f"{value:.2%}" if "%" in form else f"{value:.3g}")
    return go.Scatter(
        x=own["at"],
        y=own[column],
        xaxis=f"x{suffix}",
        yaxis=f"y{suffix}",
        mode="lines" if len(own) > 1 else "markers",
        line={"color": colour, "width": 1.6, "dash": dash},
        marker={"color": colour},
        connectgaps=False,
        name=name,
        legendgroup=name,
        showlegend=legend,
        hovertext=[
            _theme.hover(service, [(name, value), ("up to", _theme.utc(at))])
            for value, at in zip(shown, own["at"], strict=True)
        ],
        hoverinfo="text",
    )


def _heading(service: str, column: int, columns: int) -> dict[str, Any]:
    across, _ = _spans(0, column, columns)
    place = {"xref": "paper", "x": across[0], "xanchor": "left", "yref": "paper", "y": 0.95, "yanchor": "bottom"}
    return place | {"text": f"<b>{_theme.safe(service, limit=40)}</b>", "showarrow": False}


def _unknown(row: int, column: int, columns: int) -> dict[str, Any]:
    across, up = _spans(row, column, columns)
    place = {"xref": "paper", "x": sum(across) / 2, "yref": "paper", "y": sum(up) / 2, "showarrow": False}
    return place | {"text": "not measured", "font": {"color": _theme.FAINT, "size": 11}}


def _notes(signals: pd.DataFrame, rest: list[str]) -> list[str]:
    notes = []
    if rest:
        notes.append(
            f"not shown: {words.count(len(rest), 'service')} ({_theme.safe(words.listing(rest, top=6), limit=200)})"
        )
    notes.append(
        "errors: failed / all; latency: quantiles of buckets; saturation: share of the time with such an alert open"
    )
    said = [str(one) for one in signals.attrs.get("unseen", [])][:2]
    return notes + [_theme.safe(one, limit=160) for one in said]
