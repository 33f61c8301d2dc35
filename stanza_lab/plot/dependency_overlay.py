"""What alerts, traces and declarations say of each dependency, side by side: confirmed, alert-only, trace-only."""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np
import pandas as pd
import plotly.graph_objects as go

from stanza_lab import schema
from stanza_lab._params import at_least, fraction
from stanza_lab.plot import _theme
from stanza_lab.production import words


class _Group(NamedTuple):
    """One group of dependencies: its name, what it means, colour and symbol."""

    name: str
    means: str
    colour: str
    symbol: str


_GROUPS = (
    _Group("confirmed", "alerts link the two, traces show the way", "#009E73", "circle"),
    _Group("alert-only", "traces that would show it do not", "#D55E00", "diamond"),
    _Group("not judged", "only alerts tell of it, traces cannot", "#6B7280", "pentagon"),
    _Group("trace-only", "traces show it, alerts do not", "#0072B2", "square"),
    _Group("declared", "a catalogue says so, nothing shows it", "#CC79A7", "triangle-up"),
)
_SOURCES = {"inferred": "alerts", "traced": "traces", "declared": "declared"}
_FIRST, _STEP = 1.1, 0.12  # where the columns of sources stand, right of the probabilities
_ROW = 19  # px
_TWICE = 2.0  # one way counts as known when at least so many times as likely as the other
_BAR = 46  # px above the rows


def dependency_overlay(
    edges: pd.DataFrame,
    *,
    top: int = 12,
    min_confidence: float = 0.5,
    title: str | None = None,
    height: int | None = None,
) -> go.Figure:
    """Draw what alerts, traces and declarations say of each dependency.

    A bar counts the dependencies of each kind. Below, a row per dependency, grouped: confirmed, alert-only, not judged,
    trace-only, declared; within a group the likeliest first. The filled mark is the probability of this direction, the
    hollow one that of a dependency either way; on the right stands who tells of it.

    Parameters
    ----------
    edges : DataFrame
        `schema.EDGES`, after `overlay_traces` or `overlay_catalog`.
    top : int, default 12
        Most rows of each group, at least 1; how many more there are is said. Larger: a higher figure.
    min_confidence : float, default 0.5
        Link confidence, from 0 to 1, from which a pair that nobody judged is shown. Larger: fewer of these.
    title : str, optional
        Default: how many dependencies there are, and how many of them traces confirm.
    height : int, optional
        Pixels. Default: as high as the rows need.

    Returns
    -------
    plotly.graph_objects.Figure
        A pair of services that no trace shows and no catalogue declares has one row, of its likelier direction.

    Raises
    ------
    SchemaError
        A column is missing.
    ParameterError
        `top` or `min_confidence` is out of range.

    Examples
    --------
    >>> import stanza_lab as sl
    >>> from stanza_lab import schema
    >>> edge = {"src": "web", "dst": "db", "confidence": 0.7, "link_confidence": 0.8, "support": 5}
    >>> edges = schema.build([edge | {"provenance": ["inferred"], "verdict": "alert-only"}], schema.EDGES)
    >>> sl.plot.dependency_overlay(edges).layout.title.text
    '1 dependency, 0 confirmed by traces'
    """
    edges = schema.check(edges, schema.EDGES).reset_index(drop=True)
    at_least(top, "top", 1)
    rows = _rows(edges, fraction(min_confidence, "min_confidence"))
    counts = {str(name): int(count) for name, count in rows["group"].value_counts().items()}
    present = [group for group in _GROUPS if counts.get(group.name)]
    shown = pd.concat([rows[rows["group"] == group.name].head(top) for group in present] or [rows])
    places, labels = _places(shown, present, counts)
    number = f"{words.count(len(rows), 'dependency')}, {counts.get('confirmed', 0):,} confirmed by traces"
    heading = _theme.safe(title) if title is not None else number if present else "No dependencies"
    plot_height = max(len(labels), 2) * _ROW + _BAR
    share = _BAR / plot_height
    faint = {"showgrid": False, "zeroline": False, "ticklen": 0}
    return _theme.figure(
        [*_bar(present, counts, len(rows)), *_marks(shown, places, present), *_told(shown, places)] if present else [],
        title=heading,
        subtitle="filled: probability of this direction; hollow: of either; right: who tells of it",
        plot_height=plot_height,
        height=height,
        axis=40,
        xaxis={
            "range": [-0.02, _FIRST + 2.6 * _STEP],
            "tickvals": [0, 0.25, 0.5, 0.75, 1, *_columns()],
            "ticktext": ["0", "0.25", "0.5", "0.75", "1", *_SOURCES.values()],
            "tickangle": 0,
            "gridcolor": _theme.GRID,
            "zeroline": False,
            "ticklen": 0,
            "anchor": "y",
        },
        yaxis={
            "domain": [0, 1 - share],
            "tickvals": list(range(len(labels))),
            "ticktext": labels,
            "range": [len(labels) - 0.4, -0.6],
            "automargin": True,
            **faint,
        },
        xaxis2={"range": [0, 1], "showticklabels": False, "anchor": "y2", **faint},
        yaxis2={"domain": [1 - share * 0.75, 1], "range": [-0.5, 0.5], "showticklabels": False, **faint},
        showlegend=False,
    )


def _columns() -> list[float]:
    return [_FIRST + i * _STEP for i in range(len(_SOURCES))]


def _rows(edges: pd.DataFrame, least: float) -> pd.DataFrame:
    """Return the dependencies to show with their group, the likeliest first within each."""
    pair = _pairs(edges)
    has = {word: edges["provenance"].map(lambda known, word=word: word in known).astype(bool) for word in _SOURCES}
    named = edges["verdict"].astype("str")
    seen = has["traced"] | has["declared"]
    pair_seen = seen.groupby(pair).transform("any")
    denied = (named == "alert-only").groupby(pair).transform("any")
    group = (
        pd.Series(None, edges.index, dtype="str")
        .mask(~pair_seen & (edges["link_confidence"] >= least), "not judged")
        .mask(~pair_seen & denied, "alert-only")
        .mask(has["declared"] & ~has["traced"], "declared")
        .mask(has["declared"] & (named == "alert-only"), "alert-only")
        .mask(has["traced"], "trace-only")
        .mask(named == "confirmed", "confirmed")
    )
    back = edges.set_index(["src", "dst"])["confidence"]
    back = back[~back.index.duplicated()].reindex(pd.MultiIndex.from_frame(edges[["dst", "src"]])).fillna(0.0)
    sure = edges["confidence"].fillna(0.0)
    rows = edges.assign(group=group, directed=seen | (sure >= _TWICE * back.to_numpy()), **has)[group.notna()]
    order = ["confidence", "link_confidence", "support", "src", "dst"]
    rows = rows.sort_values(order, ascending=[False, False, False, True, True])
    return rows[seen[rows.index] | ~pair[rows.index].duplicated()]


def _pairs(edges: pd.DataFrame) -> pd.Series:
    """Return a number that both directions of a pair share."""
    names = pd.Index(pd.unique(pd.concat([edges["src"], edges["dst"]])))
    src, dst = names.get_indexer(edges["src"]), names.get_indexer(edges["dst"])
    return pd.Series(np.minimum(src, dst) * len(names) + np.maximum(src, dst), index=edges.index)


def _places(shown: pd.DataFrame, present: list[_Group], counts: dict[str, int]) -> tuple[dict[int, int], list[str]]:
    """Return the line of each row by its index, and the labels of all lines: a heading, then the group's rows."""
    places, labels = {}, []
    for group in present:
        rows, count = shown[shown["group"] == group.name], counts[group.name]
        more = f", {len(rows):,} of {count:,} shown" if len(rows) < count else f", {count:,}"
        labels.append(f"<b>{group.name}</b>{more}")
        for index, src, dst, directed in zip(rows.index, rows["src"], rows["dst"], rows["directed"], strict=True):
            places[index] = len(labels)
            labels.append(f"{_theme.safe(src, limit=26)} {'→' if directed else '–'} {_theme.safe(dst, limit=26)}")
    return places, labels


def _bar(present: list[_Group], counts: dict[str, int], total: int) -> list[go.Scatter]:
    """Return one bar that shares the dependencies out among the groups."""
    traces, start = [], 0.0
    for group in present:
        share = counts[group.name] / total
        traces.append(
            go.Scatter(
                x=[start, start + share / 2, start + share],
                y=[0, 0, 0],
                mode="lines+text",
                line={"color": group.colour, "width": 20},
                text=["", f"{group.name} {counts[group.name]:,}" if share > 0.12 else "", ""],
                textfont={"color": _theme.PAPER, "size": 11},
                textposition="middle center",
                hovertext=f"{group.name}: {counts[group.name]:,} ({group.means})",
                hoverinfo="text",
                xaxis="x2",
                yaxis="y2",
            )
        )
        start += share
    return traces


def _marks(shown: pd.DataFrame, places: dict[int, int], present: list[_Group]) -> list[go.Scatter]:
    """Return for each group the lines and marks of its rows, and what it means beside its heading."""
    traces = []
    for group in present:
        rows = shown[shown["group"] == group.name]
        y = [places[index] for index in rows.index]
        x: list[Any] = []
        ends: list[Any] = []
        for low, high, place in zip(rows["confidence"], rows["link_confidence"], y, strict=True):
            x += [low, high, None]
            ends += [place, place, None]
        look = {"color": group.colour, "symbol": group.symbol, "size": 9}
        traces += [
            go.Scatter(x=x, y=ends, mode="lines", line={"color": group.colour, "width": 1.5}, hoverinfo="skip"),
            go.Scatter(
                x=rows["link_confidence"],
                y=y,
                mode="markers",
                marker=look | {"color": _theme.PAPER, "line": {"color": group.colour, "width": 1.5}},
                hoverinfo="skip",
            ),
            go.Scatter(
                x=rows["confidence"],
                y=y,
                mode="markers",
                marker=look,
                hovertext=[_hover(row, group) for row in rows.to_dict("records")],
                hoverinfo="text",
            ),
            go.Scatter(
                x=[0],
                y=[y[0] - 1],
                mode="text",
                text=[group.means],
                textposition="middle right",
                textfont={"color": group.colour, "size": 11},
                hoverinfo="skip",
            ),
        ]
    return traces


def _hover(row: dict[Any, Any], group: _Group) -> str:
    lines = [
        ("this way", words.probability(row["confidence"])),
        ("either way", words.probability(row["link_confidence"])),
        ("fired together", words.count(row["support"], "time")),
        ("times as often as chance", f"{row['lift']:.1f}" if pd.notna(row["lift"]) else None),
        ("told by", ", ".join(_SOURCES[word] for word in _SOURCES if row[word])),
        (group.name, group.means),
    ]
    return _theme.hover(f"{row['src']} {'depends on' if row['directed'] else 'and'} {row['dst']}", lines)


def _told(shown: pd.DataFrame, places: dict[int, int]) -> list[go.Scatter]:
    """Return a mark where alerts, traces or a catalogue tell of a row, and a faint one where not."""
    lines = [places[index] for index in shown.index]
    x, y, colours, hovers = [], [], [], []
    for (word, name), place in zip(_SOURCES.items(), _columns(), strict=True):
        x += [place] * len(lines)
        y += lines
        colours += [_theme.INK if tells else _theme.GRID for tells in shown[word]]
        hovers += [f"{name}: {'tells of it' if tells else 'silent'}" for tells in shown[word]]
    marker = {"symbol": "square", "size": 10, "color": colours}
    return [go.Scatter(x=x, y=y, mode="markers", marker=marker, hovertext=hovers, hoverinfo="text")]
