"""When reactions would have fired, against the first page and recovery: a band per reaction, a line per firing."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd
import plotly.graph_objects as go

from stanza_lab import _params
from stanza_lab.errors import SchemaError
from stanza_lab.patterns.reactions import ReactionBacktest
from stanza_lab.plot import _theme
from stanza_lab.production import words

if TYPE_CHECKING:
    from collections.abc import Iterable

_ROW, _HEAD, _GAP = 13.0, 2.6, 0.9  # px of a firing; rows of a heading and below a band
_MOST_BANDS = 25
_BLOCKED = 3  # lines of blocked ones at least, where there are more than fit
_TICKS = (60, 300, 900, 3600, 6 * 3600, 86_400, 7 * 86_400)  # seconds
_LEAST_SPAN = 900.0  # seconds that the axis shows on either side at least: to the right; to the left a third
_KINDS = {  # name -> colour, symbol
    "right": ("#0072B2", "circle"),
    "false trigger": ("#D55E00", "x"),
    "blocked": (_theme.UNKNOWN, "square-open"),
}
_TROUBLE, _SAVED = "#C5CAD0", "#9CC3E2"


def reaction_backtest(
    result: ReactionBacktest, *, top: int = 15, title: str | None = None, height: int | None = None
) -> go.Figure:
    """Draw when each reaction would have fired, how long before the first page, and how long before recovery.

    A line per firing, all at zero: to its left lies what happened before, to its right what came after. Triangles are
    first pages (right of zero: the reaction comes first), ticks are recoveries, blue is the trouble that acting could
    have saved at most. False triggers are crosses, what a guardrail blocked are hollow squares.

    Parameters
    ----------
    result : ReactionBacktest
        From `backtest`.
    top : int, default 15
        Most lines per reaction, the last ones: right and false ones in proportion, then those blocked; a note counts
        the rest.
    title : str, optional
        Default: how many reactions and firings.
    height : int, optional
        Pixels. Default: as much as the lines need.

    Returns
    -------
    plotly.graph_objects.Figure
        The time axis counts from each firing, on a scale that is finer near it.

    Raises
    ------
    SchemaError
        `result` is not from `backtest`.
    ParameterError
        `top` is below 1.

    Examples
    --------
    >>> import pathlib, tempfile
    >>> import pandas as pd
    >>> import stanza_lab as sl
    >>> alerts = pd.DataFrame({
    ...     "starts_at": ["2026-03-01T14:02Z"], "service": ["orders-db"], "incident_id": [0], "severity": ["critical"],
    ... })
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     file = pathlib.Path(folder, "orders.yaml")
    ...     _ = file.write_text('''
    ... team: orders
    ... reactions: [{name: Restart, action: restart, when: {service: orders-db}, command: reboot, risk: low}]
    ... ''')
    ...     figure = sl.plot.reaction_backtest(sl.backtest(file, alerts))
    >>> figure.layout.title.text
    '1 reaction would have fired 1 time: 0 false triggers, 0 blocked'
    """
    if not isinstance(result, ReactionBacktest):
        raise SchemaError(f"result must be a ReactionBacktest, not {type(result).__name__}; pass sl.backtest(...)")
    _params.at_least(top, "top", 1)
    bands = result.reactions.head(_MOST_BANDS)
    lines, heads, rows = _place(bands, result.firings, top=top)
    low, high = _reach(lines)
    notes = _notes(result, lines)
    table = result.reactions
    fired, false, blocked = (int(table[name].sum()) for name in ("fired", "false", "blocked"))
    heading = (
        f"{words.count(len(table), 'reaction')} would have fired {words.count(fired, 'time')}: "
        f"{words.count(false, 'false trigger')}, {blocked:,} blocked"
    )
    subtitle = (
        "Zero is when it would have fired. First page right of it: the reaction comes first. Left of it: too late."
    )
    said = [heading, subtitle, *(_theme.escaped(words.sentence(line)) for line in bands["words"]), *notes]
    figure = _theme.figure(
        _traces(lines),
        title=_theme.safe(title, limit=120) if title else heading,
        subtitle=subtitle,
        plot_height=max(120.0, rows * _ROW),
        height=height,
        notes=notes,
        axis=58,
        description=_theme.as_plain(said),
        xaxis=_axis(low, high),
        yaxis={"visible": False, "range": [rows, -0.4], "fixedrange": True},
        shapes=_shapes(lines, heads, rows),
        showlegend=True,
        legend={"orientation": "h", "x": 0, "y": 1, "yanchor": "bottom", "traceorder": "reversed"},
    )
    for y, text in heads:
        at = {"x": 0, "xref": "paper", "xanchor": "left", "y": y, "yanchor": "middle", "align": "left"}
        figure.add_annotation(text=text, showarrow=False, font={"size": 12, "color": _theme.INK}, **at)
    return figure


def _place(
    bands: pd.DataFrame, firings: pd.DataFrame, *, top: int
) -> tuple[pd.DataFrame, list[tuple[float, str]], float]:
    """Return the firings that are drawn with `y` and `kind`, y and text of each heading, and how many rows all take."""
    drawn, heads, y = [], [], 0.0
    for band in bands.to_dict("records"):
        heads.append((y + _HEAD / 2 - 0.3, _heading(band)))
        mine = firings[(firings["reaction"] == band["reaction"]) & (firings["team"] == band["team"])]
        blocked = mine["blocked_by"].notna()
        kind = np.select([blocked, mine["right"]], ["blocked", "right"], "false trigger")
        rank = np.select([blocked, mine["right"]], [2, 0], 1)
        mine = mine.assign(kind=kind, rank=rank, effect_s=band["effect_s"])
        mine = _some(mine.sort_values("at", ascending=False), top)
        mine = mine.sort_values(["rank", "lead_to_page_s", "at"], ascending=[True, False, True], kind="stable")
        drawn.append(mine.assign(y=y + _HEAD + np.arange(len(mine))))
        y += _HEAD + len(mine) + _GAP
    lines = pd.concat(drawn, ignore_index=True) if drawn else firings.assign(kind="", rank=0, effect_s=0.0, y=0.0)
    return lines, heads, max(y, 3.0)


def _some(mine: pd.DataFrame, top: int) -> pd.DataFrame:
    """Return the last ones: right and false ones in proportion, and at least a few of the blocked."""
    counts = mine["rank"].value_counts().reindex([0, 1, 2], fill_value=0)
    right, false, blocked = (int(count) for count in counts)
    room = top - min(blocked, max(top - right - false, min(_BLOCKED, top - 1)))
    crosses = min(false, -(-room * false // max(right + false, 1)))
    dots = min(right, room - crosses)
    quota = {0: dots, 1: crosses, 2: top - dots - crosses}
    return mine[mine.groupby("rank").cumcount() < mine["rank"].map(quota)]


def _heading(band: dict[Any, Any]) -> str:
    counts = f"fired {band['fired']:,}, {band['false']:,} false, {band['blocked']:,} blocked"
    name = f"<b>{_theme.safe(band['reaction'], limit=50)}</b> ({_theme.safe(band['team'], limit=24)})"
    if not band["triggers"]:
        return f"{name}: {_theme.safe(band['verdict'], limit=100)}"
    return f"{name}: {_theme.safe(band['verdict'], limit=70)}. <i>{counts}</i>"


def _scaled(seconds: pd.Series | np.ndarray | float) -> np.ndarray:
    """Return where seconds stand on the axis: near zero a minute counts, far from it a day."""
    value = np.asarray(seconds, dtype="float64")
    clipped = np.clip(value, -_TICKS[-1], _TICKS[-1])
    return np.asarray(np.sign(clipped) * np.log1p(np.abs(clipped) / 60))


def _reach(lines: pd.DataFrame) -> tuple[float, float]:
    times = np.concatenate([lines["lead_to_page_s"].dropna(), lines["lead_to_recovery_s"].dropna(), [0.0]])
    return min(float(times.min()), -_LEAST_SPAN / 3), max(float(times.max()), _LEAST_SPAN)


def _axis(low: float, high: float) -> dict[str, Any]:
    after = [tick for tick in _TICKS if tick <= high * 1.5]
    before = [tick for tick in reversed(_TICKS) if tick <= -low * 1.5]
    ticks = [*(-tick for tick in before), 0, *after]
    named = [
        *(f"−{words.span(tick)}" for tick in before),
        "fired",
        *(f"+{words.span(tick)}" for tick in after),
    ]
    left, right = float(_scaled(low)), float(_scaled(high))
    return {
        "title": {"text": "time before and after it would have fired (scale finer near zero)"},
        "range": [left - 0.4, right + 0.4],
        "tickvals": [float(_scaled(tick)) for tick in ticks],
        "ticktext": named,
        "gridcolor": _theme.GRID,
        "zeroline": False,
        "ticks": "outside",
    }


def _shapes(lines: pd.DataFrame, heads: list[tuple[float, str]], rows: float) -> list[dict[str, Any]]:
    """Return the line where all fired, and one above each band but the first."""
    zero = {"type": "line", "x0": 0, "x1": 0, "y0": 0, "y1": rows, "layer": "below"}
    over = [
        {"type": "line", "xref": "paper", "x0": 0, "x1": 1, "y0": y - _HEAD / 2, "y1": y - _HEAD / 2, "layer": "below"}
        for y, _ in heads[1:]
    ]
    shapes = [{**one, "line": {"width": 1, "color": _theme.GRID}} for one in over]
    return [*shapes, {**zero, "line": {"width": 1.2, "color": _theme.FAINT}}] if len(lines) else shapes


def _traces(lines: pd.DataFrame) -> list[go.Scatter]:
    known = lines[lines["lead_to_recovery_s"].notna()]
    saved = known[(known["saved_high_s"] > 0) & known["effect_s"].notna()]
    from_s = saved["effect_s"]
    ends = lines[lines["lead_to_recovery_s"].notna()]
    paged = lines[lines["lead_to_page_s"].notna()]
    traces = [
        _bars(
            known["y"],
            known["lead_to_recovery_s"] * 0,
            known["lead_to_recovery_s"],
            _TROUBLE,
            "trouble",
        ),
        _bars(saved["y"], from_s, from_s + saved["saved_high_s"], _SAVED, "saved at most"),
        _marks(ends, "lead_to_recovery_s", "recovery", _theme.FAINT, "line-ns-open", 8),
    ]
    for kind, (colour, symbol) in _KINDS.items():
        traces.append(_marks(lines[lines["kind"] == kind], None, kind, colour, symbol, 9))
    return [*traces, _marks(paged, "lead_to_page_s", "first page", _theme.INK, "triangle-down", 8)]


def _bars(y: pd.Series, start: pd.Series, end: pd.Series, colour: str, name: str) -> go.Scatter:
    """Return one path with gaps over all intervals."""
    gap = np.full(len(y), np.nan)
    xs = np.column_stack([_scaled(start), _scaled(end), gap]).ravel()
    ys = np.column_stack([y, y, gap]).ravel()
    line = {"width": 5, "color": colour}
    return go.Scatter(x=xs, y=ys, mode="lines", line=line, hoverinfo="skip", name=name, showlegend=len(y) > 0)


def _marks(lines: pd.DataFrame, column: str | None, name: str, colour: str, symbol: str, size: int) -> go.Scatter:
    at = np.zeros(len(lines)) if column is None else lines[column].to_numpy()
    edge = {
        "width": 1.4 if symbol.endswith("open") else 0.8,
        "color": colour if symbol.endswith("open") else _theme.PAPER,
    }
    return go.Scatter(
        x=_scaled(at),
        y=lines["y"],
        mode="markers",
        marker={"symbol": symbol, "size": size, "color": colour, "line": edge},
        hovertext=list(_hovers(lines)),
        hoverinfo="text",
        name=name,
        showlegend=len(lines) > 0,
    )


def _hovers(lines: pd.DataFrame) -> Iterable[str]:
    for row in lines.to_dict("records"):
        title = f"{row['reaction']}: {_theme.utc(row['at'])}"
        parts = [part for part in str(row["words"]).split("; ")[1:] if part]
        yield "<br>".join(
            [f"<b>{_theme.safe(title, limit=100)}</b>", *(_theme.safe(part, limit=110) for part in parts)]
        )


def _notes(result: ReactionBacktest, lines: pd.DataFrame) -> list[str]:
    notes = []
    if more := len(result.reactions) - _MOST_BANDS:
        notes += [f"not drawn: {words.count(more, 'more reaction')}"] if more > 0 else []
    shown = result.reactions.head(_MOST_BANDS)
    if left := int(shown["triggers"].sum()) - len(lines):
        notes.append(f"not drawn: {words.count(left, 'more trigger')}, earlier or blocked ones")
    if unknown := int(lines["lead_to_recovery_s"].isna().sum()):
        notes.append(f"{words.count(unknown, 'line')} without a recovery: it is open or not known")
    if never := int(lines["lead_to_page_s"].isna().sum()):
        notes.append(f"{words.count(never, 'line')} without a page: nobody was paged")
    return [
        *notes,
        "what acting would have changed is in no history: blue is the most it could have saved, nothing the least",
    ]
