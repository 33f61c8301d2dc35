"""Evidence as steps in the log odds: from what is expected of any pair to the confidence in this one."""

from __future__ import annotations

import math
import textwrap
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import plotly.graph_objects as go

from stanza_lab.plot import _theme

if TYPE_CHECKING:
    import pandas as pd

FOR, AGAINST = "#0072B2", "#D55E00"
TEXT = {FOR: FOR, AGAINST: "#A84600", _theme.UNKNOWN: _theme.FAINT, _theme.INK: _theme.INK}  # as text: darker
RIGHT = (0.44, 1.0)  # of the width
_MOST = 10  # pieces of evidence
_WRAP, _LINES = 76, 2  # characters of a line of words; lines
_CERTAIN = 1e-4  # probabilities nearer to 0 or 1 are drawn here: their log odds have no end
_CHANCES = (0.001, 0.01, 0.02, 0.05, 0.1, 0.2, 0.35, 0.5, 0.65, 0.8, 0.9, 0.95, 0.98, 0.99, 0.999)
_NEAR = 0.08  # of the width: ticks further apart than this do not touch
_REST = 0.02  # log odds that are not worth a row
_PRIOR = ("prior", "base rate")

Piece = tuple[str, str, float, float]  # source, words, log odds, share


@dataclass(frozen=True)
class Step:
    """One row on the right: from which log odds to which, and what to say."""

    what: str
    start: float
    end: float
    amount: str
    says: str
    colour: str


def _log_odds(chance: float) -> float:
    inside = min(max(chance, _CERTAIN), 1 - _CERTAIN)
    return math.log(inside / (1 - inside))


def _chance(log_odds: float) -> float:
    return 1 / (1 + math.exp(-log_odds))


def steps_of(shares: pd.DataFrame, *, log_odds: pd.Series, link_confidence: float) -> list[Step]:
    """Return the rows: where it starts, each piece of evidence, what they do not add up to, and where it ends."""
    added = log_odds.fillna(0.0).to_numpy()
    texts = {name: shares[name].astype("str").fillna("").tolist() if name in shares else [""] * len(shares)
             for name in ("source", "says")}  # fmt: skip
    part = shares["share"].astype("float64").tolist() if "share" in shares else [math.nan] * len(shares)
    pieces = list(zip(texts["source"], texts["says"], map(float, added), part, strict=True))
    if not pieces:
        return []
    end = _log_odds(link_confidence)
    prior = [piece for piece in pieces if piece[0].lower() in _PRIOR]
    others = _fewer([piece for piece in pieces if piece not in prior])
    start = sum(piece[2] for piece in prior) if prior else end - sum(piece[2] for piece in others)
    says = "; ".join(piece[1] for piece in prior if piece[1]) or "what is expected of any such pair"
    steps = [Step("before the evidence", start, start, _percent(_chance(start)), says, _theme.INK)]
    at = start
    for source, text, amount, share in others:
        of = "" if math.isnan(share) else f" ({share:.0%} of all)"
        colour = FOR if amount > 0 else AGAINST if amount < 0 else _theme.UNKNOWN
        steps.append(Step(source, at, at + amount, f"{_signed(amount)}{of}", text, colour))
        at += amount
    if abs(end - at) > _REST:
        said = "limits that hold whatever the evidence, or what the rows above do not add up to"
        steps.append(Step("the rest", at, end, _signed(end - at), said, _theme.UNKNOWN))
    said = "probability that the two are linked, in either direction"
    return [*steps, Step("link confidence", end, end, f"{link_confidence:.2f}", said, _theme.INK)]


def _fewer(pieces: list[Piece]) -> list[Piece]:
    """Return at most 10 pieces: of more, the smallest become one."""
    if len(pieces) <= _MOST:
        return pieces
    order = sorted(range(len(pieces)), key=lambda i: -abs(pieces[i][2]))
    kept, small = ([pieces[i] for i in sorted(part)] for part in (order[: _MOST - 1], order[_MOST - 1 :]))
    names = ", ".join(dict.fromkeys(piece[0] for piece in small))
    return [*kept, ("the others", f"{len(small)} smaller pieces: {names}", sum(piece[2] for piece in small), math.nan)]


def _signed(amount: float) -> str:
    return f"{'−' if amount < 0 else '+'}{abs(amount):.2f}"


def _percent(chance: float) -> str:
    if chance < 0.001:
        return "under 0.1%"
    return f"{chance:.1%}" if chance < 0.1 or chance > 0.9 else f"{chance:.0%}"


def _range(steps: list[Step]) -> tuple[float, float]:
    places = [place for step in steps for place in (step.start, step.end)] or [0.0]
    low, up = min(*places, -1.0), max(*places, 1.0)
    room = (up - low) * 0.06
    return low - room, up + room


def step_traces(steps: list[Step]) -> list[go.Bar | go.Scatter]:
    """Return the bars, and a diamond where it starts and ends, which holds the scale of probabilities above."""
    if not steps:
        return []
    hovers = [_theme.hover(step.what, [("adds", step.amount), ("why", step.says)]) for step in steps]
    bars = go.Bar(
        orientation="h",
        xaxis="x2",
        yaxis="y2",
        y=[row + 0.24 for row in range(len(steps))],
        base=[min(step.start, step.end) for step in steps],
        x=[abs(step.end - step.start) for step in steps],
        width=0.26,
        marker={"color": [step.colour for step in steps]},
        hovertext=hovers,
        hoverinfo="text",
    )
    ends = [0, len(steps) - 1]
    diamonds = go.Scatter(
        xaxis="x3",
        yaxis="y2",
        x=[steps[row].end for row in ends],
        y=[row + 0.24 for row in ends],
        mode="markers",
        marker={"symbol": "diamond", "size": 13, "color": _theme.INK},
        hovertext=[hovers[row] for row in ends],
        hoverinfo="text",
    )
    return [bars, diamonds]


def step_axes(steps: list[Step]) -> dict[str, Any]:
    """Return the axes: log odds below, probabilities above."""
    low, up = _range(steps)
    rows = max(len(steps), 1)
    chances: list[float] = []
    for chance in sorted(_CHANCES, key=lambda chance: abs(chance - 0.5)):  # the middle matters most
        place = _log_odds(chance)
        if low < place < up and all(abs(place - _log_odds(other)) > _NEAR * (up - low) for other in chances):
            chances.append(chance)
    there: dict[str, Any] = {"domain": list(RIGHT), "range": [low, up], "fixedrange": True, "anchor": "y2"}
    look = {"gridcolor": _theme.GRID, "zerolinecolor": "#C5CAD0", "ticklen": 0}
    above = {
        "overlaying": "x2",
        "side": "top",
        "tickvals": [_log_odds(chance) for chance in chances],
        "showgrid": False,
    }
    above |= {"ticktext": [f"{chance * 100:g}%" for chance in chances], "zeroline": False}
    y = {"domain": [0, 1], "range": [rows - 0.5, -0.7], "visible": False, "anchor": "x2", "fixedrange": True}
    return {
        "xaxis2": there | look | {"title": {"text": "log odds of a link (above: as a probability)"}, "nticks": 9},
        "xaxis3": there | above,
        "yaxis2": y,
        "bargap": 0,
    }


def threads(steps: list[Step]) -> list[dict[str, Any]]:
    """Return a thread from each bar to the next."""
    thin = {"width": 1, "color": _theme.FAINT}
    return [
        {"type": "line", "xref": "x2", "yref": "y2", "x0": step.end, "x1": step.end, "y0": row + 0.37, "y1": row + 1.11,
         "line": thin, "layer": "below"}
        for row, step in enumerate(steps[:-1])
    ]  # fmt: skip


def captions(steps: list[Step]) -> list[dict[str, Any]]:
    """Return above each bar what it is, what it adds, and why."""
    found: list[dict[str, Any]] = []
    for row, step in enumerate(steps):
        name, amount = _theme.safe(step.what, limit=40), _theme.safe(step.amount)
        head = f'<b>{name}</b>  <span style="color:{TEXT[step.colour]}"><b>{amount}</b></span>'
        lines = textwrap.wrap(" ".join(step.says.split()), _WRAP, max_lines=_LINES, placeholder=" …")
        text = "<br>".join([head, *(_theme.safe(line, limit=_WRAP) for line in lines)])
        found.append(
            {
                "xref": "paper",
                "yref": "y2",
                "x": RIGHT[0],
                "y": row + 0.08,
                "xanchor": "left",
                "yanchor": "bottom",
                "align": "left",
                "showarrow": False,
                "text": text,
                "bgcolor": "rgba(255,255,255,0.85)",
                "borderpad": 0,
            }
        )
    return found
