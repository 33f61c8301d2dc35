"""The marks of a blast radius: services with how likely they are hit, and the lines trouble takes to them."""

from __future__ import annotations

import html
import re
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd
import plotly.graph_objects as go

from stanza_lab.plot import _theme

if TYPE_CHECKING:
    from collections.abc import Iterator

    from stanza_lab.production import ProductionMap

LABEL = 30  # characters of a name
_CHARACTER, _MARK = 7.2, 16.0  # px of a letter, and of the mark before it
_WIDE = 1000.0  # px between the first column and the right end, on a usual page
_CURVE = np.linspace(0.0, 1.0, 13)
_PLAIN = re.compile(r"</?b>")
_WIDTHS = ((0.8, 4.0), (0.5, 2.5), (0.0, 1.2))  # px of an inferred link at least so sure
_SEEN_WIDTH = 4.0
ROW = 27.0  # px per service


def links(nodes: pd.DataFrame, production: ProductionMap) -> pd.DataFrame:
    """Return the lines: from whom trouble comes to whom it reaches, with how sure the link is."""
    columns = max(int(nodes["x"].max()), 1) + 0.75
    text = [len(_PLAIN.sub("", html.unescape(_label(row)))) for row in nodes.to_dict("records")]
    beside = (_MARK + _CHARACTER * np.array(text)) * columns / _WIDE
    at = nodes.assign(after=nodes["x"] + np.minimum(beside, 0.7)).set_index("service")[["x", "y", "after"]]
    reached = nodes[nodes["parent"].isin(at.index)]
    known = production.links.set_index(["src", "dst"])[["strength", "seen"]]
    rows = []
    for name, parent in zip(reached["service"], reached["parent"], strict=True):
        pair = next((pair for pair in ((name, parent), (parent, name)) if pair in known.index), None)
        if pair is not None:
            rows.append(
                known.loc[[pair]].iloc[0].to_dict()
                | {"from": at.loc[parent], "to": at.loc[name], "words": production.explain(*pair)}
            )
    return pd.DataFrame(rows, columns=["strength", "seen", "from", "to", "words"])


def link_traces(links: pd.DataFrame) -> Iterator[go.Scatter]:
    """Yield one trace per kind of line, and one of invisible points that carry the evidence."""
    left = pd.Series(data=True, index=links.index)
    kinds = [(True, 0.0, _SEEN_WIDTH), *((False, least, width) for least, width in _WIDTHS)]
    for seen, least, width in kinds:
        here = links[left & (links["seen"].astype(bool) == seen) & (links["strength"] >= least)]
        left[here.index] = False
        if len(here):
            xs, ys = zip(*(_curve(row["from"], row["to"]) for row in here.to_dict("records")), strict=True)
            yield go.Scatter(
                x=np.concatenate(xs),
                y=np.concatenate(ys),
                mode="lines",
                line={
                    "width": width,
                    "color": _theme.SEEN if seen else _theme.INFERRED,
                    "dash": "solid" if seen else "4px,3px",
                },
                hoverinfo="skip",
            )
    middle = [
        tuple(line[len(_CURVE) // 2] for line in _curve(a, b)) for a, b in zip(links["from"], links["to"], strict=True)
    ]
    yield go.Scatter(
        x=[x for x, _ in middle],
        y=[y for _, y in middle],
        mode="markers",
        marker={"size": 14, "opacity": 0},
        hovertext=[_wrapped(line) for line in links["words"]],
        hoverinfo="text",
    )


def _curve(start: pd.Series, end: pd.Series) -> tuple[np.ndarray, np.ndarray]:
    """Return a line from beside the name of `start` that leaves and arrives level, and a gap."""
    smooth = 3 * _CURVE**2 - 2 * _CURVE**3
    x = start["after"] + (end["x"] - start["after"]) * _CURVE
    y = start["y"] + (end["y"] - start["y"]) * smooth
    return np.append(x, np.nan), np.append(y, np.nan)


def node_traces(nodes: pd.DataFrame, *, windowed: str) -> Iterator[go.Scatter]:
    """Yield the services that could be hit, those that never alert, and the one that fails."""
    scale = {
        "colorscale": [list(stop) for stop in _theme.COUNTS],
        "cmin": 0.0,
        "cmax": 1.0,
        "colorbar": {
            "title": {"text": f"alerts within {windowed}", "side": "right", "font": {"size": 11}},
            "tickvals": [0.0, 0.25, 0.5, 0.75, 1.0],
            "ticktext": ["0 %", "25 %", "50 %", "75 %", "100 %"],
            "thickness": 12,
            "lenmode": "pixels",
            "len": 150,
            "y": 1.0,
            "yanchor": "top",
            "outlinewidth": 0,
        },
    }
    hit, fails = nodes[nodes["x"] > 0], nodes[nodes["x"] == 0]
    for some, marker in (
        (
            hit[~hit["never"]],
            scale | {"color": hit.loc[~hit["never"], "hit"], "line": {"width": 1, "color": _theme.SEEN}},
        ),
        (hit[hit["never"]], {"color": _theme.PAPER, "line": {"width": 2, "color": _theme.UNKNOWN}}),
        (fails, {"color": "#D55E00", "symbol": "diamond", "line": {"width": 1, "color": _theme.INK}}),
    ):
        if len(some):
            yield go.Scatter(
                x=some["x"],
                y=some["y"],
                mode="markers+text",
                marker={"size": 15, **marker},
                text=[_label(row) for row in some.to_dict("records")],
                textposition="middle right",
                textfont={"color": _theme.INK, "shadow": _theme.HALO},
                cliponaxis=False,
                hovertext=[_wrapped(line) for line in some["words"]],
                hoverinfo="text",
            )


def _label(row: dict[object, object]) -> str:
    name = _theme.safe(row["service"], limit=LABEL)
    if row["x"] == 0:
        return f" <b>{name}</b> fails"
    return f" {name}, never alerts" if row["never"] else f" {name} <b>{percent(float(str(row['hit'])))}</b>"


def percent(value: float) -> str:
    return ">99 %" if value > 0.99 else "<1 %" if value < 0.01 else f"{100 * value:.0f} %"


def _wrapped(line: str) -> str:
    """Return a sentence with each of its parts on a line of its own, escaped."""
    first, *rest = line.rstrip(".").split("; ")
    return "<br>".join([f"<b>{_theme.safe(first, limit=120)}</b>", *(_theme.safe(part, limit=120) for part in rest)])
