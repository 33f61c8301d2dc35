"""The why-together card: what pushes an alert and its incident apart, what draws them together."""

from __future__ import annotations

import math
import textwrap
from dataclasses import dataclass
from typing import Any

import pandas as pd
import plotly.graph_objects as go

from stanza_lab.errors import SchemaError
from stanza_lab.plot import _lengths, _theme

_MOST = 12  # rows
_ROW = 46  # px
_WRAP, _LINES = 54, 3  # characters of a line of words; lines
_BARS, _WORDS = 0.42, 0.53  # of the width: where the bars end, where the words begin
_BEYOND = 2.5  # limits that the axis shows at most: what is far over the limit is over it, how far does not matter
_APART, _TOGETHER = "#D55E00", "#0072B2"
_TEXT = {_APART: "#A84600", _theme.UNKNOWN: _theme.FAINT}  # as text these need to be darker
_ABOVE = 10  # px
_LEGEND = (
    f'<span style="color:{_TEXT[_APART]}">Orange pushes apart,</span> '
    f'<span style="color:{_TOGETHER}">blue draws together</span>; each bar starts where the one above ends.'
)
_APART_SHADE, _TOGETHER_SHADE = "#FCEFE6", "#EAF3F9"


@dataclass(frozen=True)
class _Bar:
    """One row of the card: a bar from `start` by `seconds`, and what to say about it."""

    what: str
    seconds: float
    start: float
    words: str
    hover: str
    colour: str

    @property
    def end(self) -> float:
        """Where the bar ends."""
        return self.start + (0.0 if math.isnan(self.seconds) else self.seconds)

    def beyond(self, low: float, high: float) -> bool:
        """Tell whether it does not fit between `low` and `high`."""
        return min(self.start, self.end) < low or max(self.start, self.end) > high


def why_together(evidence: pd.DataFrame, *, title: str | None = None) -> go.Figure:
    """Draw why an alert is in its incident, or why it is not: a bar per piece of evidence, and their sum.

    Bars to the right push apart, bars to the left draw together; each starts where the one above it ends, so that the
    last one is the distance. Left of the limit the two belong together.

    Parameters
    ----------
    evidence : DataFrame
        A row per piece, drawn in this order: `what` (str: time, service, calls ...), `seconds` (float: how much it
        adds to the distance; negative draws together, infinite forbids, null is not known) and `words` (str, for
        people). `other` (alert_id), if it is there, is shown when hovering. Of ``evidence.attrs``, "distance_s" is the
        distance (default: the sum) and "limit_s" the largest that still joins (default: not shown).
    title : str, optional
        Default: whether they are together, by how much.

    Returns
    -------
    plotly.graph_objects.Figure
        At most 12 rows; of more, the smallest share one. Far beyond the limit bars are cut, their labels are not.

    Raises
    ------
    SchemaError
        A column is missing, `seconds` holds no numbers, or "distance_s" or "limit_s" is none.

    See Also
    --------
    incident_swimlane : The whole incident, and what was left out.

    Examples
    --------
    >>> import pandas as pd
    >>> import stanza_lab as sl
    >>> evidence = pd.DataFrame({
    ...     "what": ["time", "service", "calls"],
    ...     "seconds": [240.0, 60.0, -120.0],
    ...     "words": ["fired 4 min later", "another service", "checkout calls orders"],
    ... })
    >>> evidence.attrs["limit_s"] = 1200
    >>> sl.plot.why_together(evidence).layout.title.text
    'Together: a distance of 3 min, and the limit is 20 min'
    """
    limit, stated = _scalar(evidence, "limit_s"), _scalar(evidence, "distance_s")
    rows = _fewer(_checked(evidence))
    bars = _bars(rows, stated)
    total = None
    if bars or stated is not None:
        total = _sum(rows["seconds"]) if stated is None else stated
        bars.append(_Bar("distance", total, 0.0, _short(total, limit), "", _theme.INK))
    low, high = _range(bars, limit)
    notes = ["bars are cut at the edge; their lengths are not"] if any(bar.beyond(low, high) for bar in bars) else []
    figure = _theme.figure(
        [_drawn(bars, low, high)] if bars else [],
        title=_theme.safe(title, limit=120) if title else _verdict(total, limit),
        subtitle=_LEGEND if bars else "",
        plot_height=max(1, len(bars)) * _ROW + _ABOVE,
        notes=notes,
        axis=56,
        **_axes(bars, low, high),
        shapes=_shapes(bars, limit, low, high),
        showlegend=False,
        bargap=0.5,
    )
    figure.layout.annotations = [*figure.layout.annotations, *_said(bars), *_sides(limit, high, len(bars))]
    return figure


def _checked(evidence: pd.DataFrame) -> pd.DataFrame:
    """Return what, seconds, words and other, or say what is wrong."""
    if not isinstance(evidence, pd.DataFrame):
        raise SchemaError(f"evidence must be a pandas DataFrame, not {type(evidence).__name__}")
    missing = [name for name in ("what", "seconds", "words") if name not in evidence.columns]
    if missing:
        raise SchemaError(
            f"evidence: column {missing[0]!r} is missing; columns are {list(map(str, evidence.columns))}; add it"
        )
    try:
        seconds = pd.to_numeric(evidence["seconds"]).astype("float64")
    except (ValueError, TypeError) as error:
        raise SchemaError(f"evidence: column 'seconds': {error}; pass numbers") from None
    other = evidence["other"] if "other" in evidence.columns else None
    columns = {"what": evidence["what"], "seconds": seconds, "words": evidence["words"], "other": other}
    return pd.DataFrame(columns, index=evidence.index).reset_index(drop=True)


def _scalar(evidence: pd.DataFrame, name: str) -> float | None:
    value = getattr(evidence, "attrs", {}).get(name)
    if value is None or pd.isna(value):
        return None
    try:
        return float(value)
    except (ValueError, TypeError):
        raise SchemaError(f"evidence.attrs[{name!r}]={value!r} is not a number of seconds") from None


def _fewer(rows: pd.DataFrame) -> pd.DataFrame:
    """Return at most 12 rows: of more, the smallest become one."""
    if len(rows) <= _MOST:
        return rows
    order = rows["seconds"].abs().fillna(0).sort_values(ascending=False, kind="stable").index
    kept, small = rows.loc[sorted(order[: _MOST - 1])], rows.loc[sorted(order[_MOST - 1 :])]
    text = f"{len(small)} smaller pieces: {', '.join(dict.fromkeys(small['what'].astype('str')))}"
    rest = {"what": "the others", "seconds": small["seconds"].sum(), "words": text, "other": None}
    return pd.DataFrame([*kept.to_dict("records"), rest])


def _bars(rows: pd.DataFrame, stated: float | None) -> list[_Bar]:
    """Return a bar per row, each from where the one before ends, and one for what the rows do not add up to."""
    at, bars = 0.0, []
    for row in rows.to_dict("records"):
        what, seconds, words = str(row["what"]), float(row["seconds"]), row["words"]
        text = str(words) if pd.notna(words) else ""
        hover = _theme.hover(what, [("adds", _amount(seconds)), ("beside", row["other"]), ("why", text)])
        bars.append(_Bar(what, seconds, at, text, hover, _APART if seconds > 0 else _TOGETHER))
        at += seconds if math.isfinite(seconds) else 0.0
    gap = 0.0 if stated is None else stated - at
    if rows["seconds"].map(math.isinf).any() or not math.isfinite(gap) or abs(gap) < max(1.0, 0.01 * abs(at)):
        return bars
    text = "what the rows above do not add up to"
    if at < 0 and stated == 0:
        text = "a distance is never below zero"
    return [*bars, _Bar("the rest", gap, at, text, _theme.hover("the rest", [("why", text)]), _theme.UNKNOWN)]


def _sum(seconds: pd.Series) -> float:
    """Return the distance that the evidence makes: what forbids, forbids; and it is never below zero."""
    if (seconds == math.inf).any():
        return math.inf
    return 0.0 if (seconds == -math.inf).any() else max(0.0, float(seconds.sum()))


def _amount(seconds: float) -> str:
    if math.isinf(seconds):
        return "forbids it" if seconds > 0 else "decides it"
    return "not known" if math.isnan(seconds) else _lengths.signed(seconds)


def _verdict(total: float | None, limit: float | None) -> str:
    """Return the whole card in one line."""
    if total is None:
        return "No evidence"
    if limit is None:
        return f"A distance of {_lengths.length(total)}"
    if math.isinf(total):
        return "Apart, whatever the limit"
    side, but = ("Together", "and") if total <= limit else ("Apart", "but")
    return f"{side}: a distance of {_lengths.length(total)}, {but} the limit is {_lengths.length(limit)}"


def _short(total: float, limit: float | None) -> str:
    if limit is None:
        return "all of it together"
    if math.isinf(total):
        return "apart, whatever the limit"
    return f"{_lengths.length(limit - total)} {'under' if total <= limit else 'over'} the limit"


def _range(bars: list[_Bar], limit: float | None) -> tuple[float, float]:
    """Return from where to where the axis goes: all bars and the limit, but not far beyond it."""
    ends = [place for bar in bars for place in (bar.start, bar.end) if math.isfinite(place)]
    low, high = min(ends, default=0.0), max(ends, default=0.0)
    if limit is not None and 0 < limit < math.inf:
        high, low = min(max(high, limit * 1.3), limit * _BEYOND), max(low, -limit * _BEYOND)
    low, high = min(low, 0.0), max(high, 1.0)
    room = (high - low) * 0.05
    return low - (room if low < 0 else 0.0), high + room


def _drawn(bars: list[_Bar], low: float, high: float) -> go.Bar:
    left = [min(max(min(bar.start, bar.end), low), high) for bar in bars]
    right = [min(max(bar.start, bar.end, low), high) for bar in bars]
    return go.Bar(
        orientation="h",
        y=list(range(len(bars))),
        base=left,
        x=[end - start for start, end in zip(left, right, strict=True)],
        marker={"color": [bar.colour for bar in bars]},
        hovertext=[bar.hover for bar in bars],
        hoverinfo="text",
    )


def _axes(bars: list[_Bar], low: float, high: float) -> dict[str, Any]:
    places, texts = _lengths.ticks(low, high)
    length = {"domain": [0, _BARS], "range": [low, high], "tickvals": places, "ticktext": texts, "fixedrange": True}
    names = [f"<b>{_theme.safe(bar.what, limit=24)}</b>" for bar in bars]
    rows = {"range": [len(bars) - 0.5, -0.5 - _ABOVE / _ROW], "tickvals": list(range(len(bars))), "ticktext": names}
    look = {"gridcolor": _theme.GRID, "zerolinecolor": _theme.FAINT, "title": {"text": "distance"}}
    plain = {"automargin": True, "showgrid": False, "zeroline": False, "ticklen": 0, "fixedrange": True}
    return {"xaxis": length | look | {"showgrid": bool(bars)}, "yaxis": rows | plain}


def _shapes(bars: list[_Bar], limit: float | None, low: float, high: float) -> list[dict[str, Any]]:
    """Return the two sides of the limit, the limit, a line above the sum, and threads from bar to bar."""
    if not bars:
        return []
    y0, y1 = -0.5 - _ABOVE / _ROW, len(bars) - 0.5
    shapes: list[dict[str, Any]] = []
    if limit is not None and limit < high:
        tall: dict[str, Any] = {"y0": y0, "y1": y1, "layer": "below"}
        shades = [(low, limit, _TOGETHER_SHADE), (limit, high, _APART_SHADE)]
        shapes += [{**tall, "type": "rect", "x0": a, "x1": b, "fillcolor": c, "line_width": 0} for a, b, c in shades]
        line = {"width": 2, "color": _theme.INK, "dash": "dash"}
        shapes.append({**tall, "type": "line", "x0": limit, "x1": limit, "line": line, "layer": "above"})
    threads = [(bar.end, row) for row, bar in enumerate(bars[:-1]) if low < bar.end < high]
    thin = {"width": 1, "color": _theme.FAINT}
    shapes += [
        {"type": "line", "x0": x, "x1": x, "y0": row + 0.25, "y1": row + 0.75, "line": thin} for x, row in threads
    ]
    if len(bars) > 1:
        y = len(bars) - 1.5
        shapes.append({"type": "line", "xref": "paper", "x0": 0, "x1": 1, "y0": y, "y1": y, "line": thin})
    return shapes


def _said(bars: list[_Bar]) -> list[dict[str, Any]]:
    """Return beside each bar how long it is, and its words."""
    found: list[dict[str, Any]] = []
    place = {"xref": "paper", "showarrow": False, "yanchor": "middle"}
    for row, bar in enumerate(bars):
        last = row == len(bars) - 1
        amount = _lengths.length(bar.seconds) if last else _amount(bar.seconds)
        colour = _theme.FAINT if math.isnan(bar.seconds) else _TEXT.get(bar.colour, bar.colour)
        lines = textwrap.wrap(" ".join(bar.words.split()), _WRAP, max_lines=_LINES, placeholder=" …")
        text = "<br>".join(_theme.safe(line, limit=_WRAP) for line in lines)
        right = {"x": _WORDS - 0.01, "xanchor": "right", "text": f"<b>{amount}</b>", "font": {"color": colour}}
        left = {"x": _WORDS, "xanchor": "left", "align": "left", "text": f"<b>{text}</b>" if last else text}
        found += [{**place, **right, "y": row}, {**place, **left, "y": row}]
    return found


def _sides(limit: float | None, high: float, rows: int) -> list[dict[str, Any]]:
    """Return what the two sides of the limit mean, above the bars."""
    if limit is None or limit >= high or not rows:
        return []
    place = {"y": -0.5 - _ABOVE / _ROW, "yanchor": "bottom", "showarrow": False, "font": {"size": 11}}
    sides = [
        (limit, "right", "together\u2002", _TOGETHER),
        (limit, "left", f"\u2002apart (limit {_lengths.length(limit)})", _TEXT[_APART]),
    ]
    return [
        {**place, "x": x, "xanchor": anchor, "text": text, "font": {"size": 11, "color": colour}}
        for x, anchor, text, colour in sides
    ]
