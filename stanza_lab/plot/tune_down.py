"""What each further change saves, and what it misses: how quiet the pager can be, and from where it costs."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import plotly.graph_objects as go

from stanza_lab.errors import SchemaError
from stanza_lab.plot import _theme
from stanza_lab.production import words
from stanza_lab.reliability.quieter import tables
from stanza_lab.reliability.quieter.sentences import span

if TYPE_CHECKING:
    import pandas as pd

    from stanza_lab.reliability.quieter import TuneDown

_HEIGHT = 420  # px
_TAKEN, _LEFT, _BEYOND, _START = "#0072B2", "#E69F00", "#D55E00", "#9AA0A6"
_SAID = {
    "delete": "delete",
    "notify": "notify only",
    "hold": "wait longer",
    "debounce": "debounce",
    "group": "group by",
    "route": "page",
}
_NAMED = 8  # points with a name beside them
_APART = (0.2, 0.09)  # of the width and of the height that a name takes


def tune_down(result: TuneDown, *, title: str | None = None, height: int | None = None) -> go.Figure:
    """Draw how many pages the changes save together, against the real incidents they would have missed.

    Each point is one more change on top of all before it, measured on the later part of the history, where it was not
    chosen. Along the bottom nothing is missed: these are the changes to take. From where the line rises, more quiet
    costs incidents; those points are there to see what it would cost.

    Parameters
    ----------
    result : TuneDown
        What `tune_down` returned.
    title : str, optional
        Default: what the changes to take come to.
    height : int, optional
        Height in px. Default: as high as it needs to be.

    Returns
    -------
    plotly.graph_objects.Figure
        Hovering says what is changed, what it saves and misses, how sure that is.

    Raises
    ------
    SchemaError
        `result` is not what `tune_down` returns.

    See Also
    --------
    stanza_lab.tune_down : Finds the changes.

    Examples
    --------
    >>> import stanza_lab as sl
    >>> made = sl.simulate_production(services=12, teams=3, days=14, incidents=6)
    >>> figure = sl.plot.tune_down(sl.tune_down(sl.cluster_incidents(made.alerts)))
    >>> figure.layout.xaxis.title.text
    'pages saved on the later part, with all changes before'
    """
    if not hasattr(result, "combined") or not hasattr(result, "known"):
        raise SchemaError(f"result must be what tune_down returns, not {type(result).__name__}")
    known, pages = result.known, int(result.known["pages"])
    steps = result.combined.reset_index(drop=True)
    top = max(float(steps["missed"].max()) if len(steps) else 0.0, 1.0)
    steps = steps.assign(text=_names(steps, pages, top))
    proposed, leave = steps["proposed"].to_numpy(dtype=bool), (steps["verdict"] == "leave").to_numpy(dtype=bool)
    idle = tables.idle(steps, result.changes).to_numpy(dtype=bool)
    axes: dict[str, Any] = {"gridcolor": _theme.GRID, "zeroline": False, "automargin": True, "rangemode": "tozero"}
    marks = [f"{k:,}" for k in _ticks(top)]
    return _theme.figure(
        [
            _line(steps),
            _points(steps[proposed & ~leave & ~idle], pages, name="to take", colour=_TAKEN, symbol="circle"),
            _points(steps[proposed & leave], pages, name="looked safe, was not: leave", colour=_LEFT, symbol="square"),
            _points(steps[proposed & idle], pages, name="promised, and saved none: leave", colour=_START, symbol="x"),
            _points(steps[~proposed], pages, name="what more would cost", colour=_BEYOND, symbol="triangle-up"),
            _start(),
        ],
        title=_theme.safe(title, limit=120) if title else _title(steps[proposed & ~idle], pages),
        subtitle=_subtitle(known),
        plot_height=_HEIGHT,
        height=height,
        notes=_notes(result),
        axis=56,
        xaxis=axes
        | {
            "title": {"text": "pages saved on the later part, with all changes before"},
            "range": [-0.03 * max(pages, 1), 1.03 * max(pages, 1)],
        },
        yaxis=axes
        | {
            "title": {"text": "real incidents missed"},
            "range": [-0.06 * top, 1.15 * top],
            "tickvals": _ticks(top),
            "ticktext": marks,
        },
        legend={"orientation": "h", "x": 0, "y": 1.0, "yanchor": "bottom"},
        showlegend=True,
    )


def _title(taken: pd.DataFrame, pages: int) -> str:
    if taken.empty:
        return f"No change found that is safe: {words.count(pages, 'page')} stay"
    last = taken.iloc[-1]
    share = f" ({last['share']:.0%})" if pages else ""
    missed = int(last["missed"])
    return (
        f"{words.count(len(taken), 'change')} would spare {int(last['pages_saved']):,} of "
        f"{words.count(pages, 'page')}{share} and miss {missed:,} of {words.count(int(last['real']), 'real incident')}"
    )


def _subtitle(known: Any) -> str:
    return (
        f"Chosen on {span(known['first'], known['split'])}, measured on {span(known['split'], known['last'])}. "
        "Each point adds one change; right and low is better."
    )


def _notes(result: TuneDown) -> list[str]:
    known, notes = result.known, []
    notes.append(_theme.escaped(f"{known['page']}; {known['worth']}"))
    late = words.span(known["max_later_s"])
    notes.append(f"missed: nobody is paged any more, or more than {late} later, or no alert is left")
    alone = int((result.kept["alone"] > 0).sum())
    if alone:
        notes.append(f"{words.count(alone, 'loud rule')} left alone: the only witness of a real incident")
    return notes


def _ticks(top: float) -> list[int]:
    step = max(1, -(-int(top) // 6))
    return list(range(0, int(top) + step, step))


def _line(steps: pd.DataFrame) -> go.Scatter:
    """Return the way from one change to the next: across at the old cost, then up."""
    return go.Scatter(
        x=[0, *steps["pages_saved"]],
        y=[0, *steps["missed"]],
        mode="lines",
        line={"color": _START, "width": 1.2, "shape": "hv"},
        hoverinfo="skip",
        showlegend=False,
    )


def _start() -> go.Scatter:
    return go.Scatter(
        x=[0],
        y=[0],
        mode="markers",
        marker={"size": 9, "color": _theme.PAPER, "line": {"width": 1.5, "color": _START}},
        hovertext=["as it was: no change"],
        hoverinfo="text",
        name="as it was",
    )


def _points(part: pd.DataFrame, pages: int, *, name: str, colour: str, symbol: str) -> go.Scatter:
    rows = part.to_dict("records")
    return go.Scatter(
        x=part["pages_saved"],
        y=part["missed"],
        mode="markers+text",
        text=part["text"],
        textposition=[_side(row, pages) for row in rows],
        textfont={"size": 11, "color": _theme.INK},
        marker={"size": 10, "color": colour, "symbol": symbol, "line": {"width": 0.8, "color": _theme.PAPER}},
        hovertext=[_hover(row, pages) for row in rows],
        hoverinfo="text",
        name=name,
        showlegend=len(rows) > 0,
        cliponaxis=False,
    )


def _side(row: dict[Any, Any], pages: int) -> str:
    """Return the side of a point where no line runs: above it to the left, or below to the right."""
    if row["pages_saved"] > _APART[0] * pages:
        return "top left"
    return "bottom right" if row["missed"] else "top right"


def _names(steps: pd.DataFrame, pages: int, top: float) -> list[str]:
    """Return the name of each point, none where it would cover another: what costs most first, then what saves."""
    rises = steps["missed"].diff().fillna(steps["missed"])
    gains = steps["pages_saved"].diff().fillna(steps["pages_saved"])
    order = sorted(steps.index, key=lambda at: (-rises[at], -gains[at]))
    wide, high = _APART[0] * max(pages, 1), _APART[1] * top
    places = {at: _place(row, pages, wide, high) for at, row in zip(steps.index, steps.to_dict("records"), strict=True)}
    named: list[int] = []
    for at in order:
        x, y = places[at]
        if len(named) < _NAMED and all(
            abs(x - places[other][0]) >= wide or abs(y - places[other][1]) >= high for other in named
        ):
            named.append(at)
    return [_short(row) if at in named else "" for at, row in zip(steps.index, steps.to_dict("records"), strict=True)]


def _place(row: dict[Any, Any], pages: int, wide: float, high: float) -> tuple[float, float]:
    """Return the middle of the name of a point: it lies beside the point, to the side that `_side` says."""
    side = _side(row, pages)
    across = -0.5 if side.endswith("left") else 0.5
    return row["pages_saved"] + across * wide, row["missed"] + (0.5 if side.startswith("top") else -0.5) * high


def _short(row: dict[Any, Any]) -> str:
    about = row["service"] if isinstance(row["service"], str) else row["rule"]
    return _theme.safe(f"{about}: {_SAID[row['change']]}", limit=34)


def _hover(row: dict[Any, Any], pages: int) -> str:
    value = f" {row['value']}" if row["value"] else ""
    high = row["missed_high"]
    limit = f", at most {high:.0%} with 95 % certainty" if high == high else ""
    later = f", at most {words.span(row['later_max_s'])}" if row["late"] else ""
    return _theme.hover(
        row["rule"],
        [
            ("service", row["service"]),
            ("change", f"{_SAID[row['change']]}{value}"),
            ("with all before", f"{row['pages_saved']:,} of {words.count(pages, 'page')} saved"),
            ("promised on the earlier part", f"{row['promised']:,} ({row['promised_share']:.0%})"),
            ("missed", f"{row['missed']:,} of {words.count(row['real'], 'real incident')}{limit}"),
            ("paged for later", f"{words.count(row['late'], 'incident')}{later}"),
            ("verdict", "take" if row["proposed"] and row["verdict"] == "take" else row["verdict"]),
        ],
    )
