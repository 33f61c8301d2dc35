"""The condensed tree: how alerts fall apart into clusters as the distance that joins them shrinks."""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd
import plotly.graph_objects as go

from stanza_lab import _params, schema
from stanza_lab.errors import SchemaError
from stanza_lab.plot import _icicle, _lengths, _theme
from stanza_lab.production import words

_HEIGHT = 560  # px
_WIDTH = 1000  # px that the figure has at least, to tell which numbers fit
_DIGIT = 8  # px
_LEAST_S = 1.0  # seconds: nothing that people mean by an incident is nearer
_PLAIN, _EDGE = "#D3D9E0", "#FFFFFF"
_NEED = ("parent", "child", "distance_s", "size")


def condensed_tree(tree: pd.DataFrame, *, title: str | None = None, max_clusters: int = 200) -> go.Figure:
    """Draw the tree of clusters: wide on top where everything is joined, falling apart below.

    Read it downwards: the largest distance that joins shrinks, alerts fall out (the shape narrows) and clusters part.
    Selected clusters, the incidents, are coloured and numbered, with what they fall into in a paler tone. A tall shape
    holds together over a wide range of distances; a flat one is hardly a cluster.

    Parameters
    ----------
    tree : DataFrame
        A row per alert or cluster that leaves a cluster: `parent` and `child` (int64, the numbers of the cluster and
        of what leaves it), `distance_s` (float64, seconds, at which it leaves), `size` (int64, alerts that leave).
        `incident_id` (int64, null or -1: none) on the row of a selected cluster numbers it; `label` (str) names it
        when hovering. ``hdbscan``'s ``condensed_tree_.to_pandas()`` is such a table with `size` for `child_size` and
        `distance_s` for ``1 / lambda_val``.
    title : str, optional
        Default: how many alerts and clusters.
    max_clusters : int, default 200
        Most clusters: the largest incidents with what is above them, then the largest others. Larger shows smaller
        ones. What is left out is counted in a note.

    Returns
    -------
    plotly.graph_objects.Figure
        The distance is logarithmic; below one second all is the same.

    Raises
    ------
    SchemaError
        A column is missing or malformed, or the rows are no tree.
    ParameterError
        `max_clusters` is below 1.

    See Also
    --------
    incident_swimlane : One of the incidents over time.

    References
    ----------
    R. J. G. B. Campello, D. Moulavi and J. Sander, "Density-based clustering based on hierarchical density estimates",
    PAKDD 2013, https://doi.org/10.1007/978-3-642-37456-2_14

    Examples
    --------
    >>> import pandas as pd
    >>> import stanza_lab as sl
    >>> tree = pd.DataFrame({
    ...     "parent": [4, 4, 5, 5, 6, 6], "child": [5, 6, 0, 1, 2, 3],
    ...     "distance_s": [3600.0, 3600.0, 60.0, 60.0, 120.0, 120.0], "size": [2, 2, 1, 1, 1, 1],
    ...     "incident_id": [0, 1, -1, -1, -1, -1],
    ... })
    >>> sl.plot.condensed_tree(tree).layout.title.text
    '4 alerts in 3 clusters, 2 of them incidents'
    """
    _params.at_least(max_clusters, "max_clusters", 1)
    rows = _checked(tree)
    if rows.empty:
        return _theme.figure([], title=_said(title, "No clusters"), subtitle="", plot_height=120)
    found = rows[_icicle.clusters(rows)].set_index("child")
    total = len(found) + len(_icicle.roots(rows))
    incidents = found["incident_id"][found["incident_id"] != schema.NOISE]
    numbers: dict[Any, int] = dict(zip(incidents.index.tolist(), incidents.tolist(), strict=True))
    shown = _icicle.chosen(rows, max_clusters, first=numbers.keys())
    seen = rows.loc[rows["parent"].isin(shown), "distance_s"]
    low, high = float(seen.min()), float(seen.max())
    span = max(high / low, 4.0)
    top, bottom = high * span**0.08, low / span**0.05
    outlines = _icicle.outlines(rows, shown, top=top)
    within = _selected(outlines, numbers)
    alerts = int(_icicle.roots(rows).sum())
    places, texts = _lengths.log_ticks(bottom, top)
    if low == _LEAST_S:
        texts = [f"{text} or less" if place == _LEAST_S else text for place, text in zip(places, texts, strict=True)]
    many = f", {len(numbers):,} of them incidents" if numbers else ""
    return _theme.figure(
        [*_areas(outlines, numbers, within), _centres(outlines, numbers, within, found), _numbers(outlines, numbers)],
        title=_said(title, f"{words.count(alerts, 'alert')} in {words.count(total, 'cluster')}{many}"),
        subtitle="Downwards alerts must be nearer to stay together; what is coloured was selected as an incident."
        if numbers
        else "Downwards alerts must be nearer to stay together.",
        plot_height=_HEIGHT,
        notes=_left_out(found, shown, numbers),
        axis=52,
        xaxis={
            "title": {"text": "alerts"},
            "range": [-0.01 * alerts, 1.01 * alerts],
            "showgrid": False,
            "zeroline": False,
            "tickformat": ",d",
        },
        yaxis={
            "title": {"text": "distance that joins", "standoff": 8},
            "type": "log",
            "range": [float(np.log10(bottom)), float(np.log10(top))],
            "tickvals": places,
            "ticktext": texts,
            "automargin": True,
            "gridcolor": _theme.GRID,
            "zeroline": False,
        },
        showlegend=False,
        hoverdistance=60,
    )


def _said(title: str | None, otherwise: str) -> str:
    return _theme.safe(title, limit=120) if title else otherwise


def _checked(tree: pd.DataFrame) -> pd.DataFrame:
    """Return the columns that are drawn, complete; distances at least a second, and finite."""
    if not isinstance(tree, pd.DataFrame):
        raise SchemaError(f"tree must be a pandas DataFrame, not {type(tree).__name__}")
    missing = [name for name in _NEED if name not in tree.columns]
    if missing:
        raise SchemaError(f"tree: column {missing[0]!r} is missing; columns are {list(map(str, tree.columns))}; add it")
    try:
        whole = {name: pd.to_numeric(tree[name]).astype("int64") for name in ("parent", "child", "size")}
        distance = pd.to_numeric(tree["distance_s"]).astype("float64")
        number = tree["incident_id"] if "incident_id" in tree.columns else pd.Series(schema.NOISE, index=tree.index)
        number = pd.to_numeric(number).fillna(schema.NOISE).astype("int64")
    except (ValueError, TypeError) as error:
        raise SchemaError(
            f"tree: {error}; parent, child, size and incident_id are whole, distance_s a number"
        ) from None
    if distance.isna().any() or (distance < 0).any():
        raise SchemaError("tree: column 'distance_s' has nulls or values below zero; pass seconds")
    if whole["child"].duplicated().any():
        twice = whole["child"][whole["child"].duplicated()].iloc[0]
        raise SchemaError(f"tree: child {twice} leaves more than one parent; pass each child once")
    finite = distance[np.isfinite(distance)]
    most = max(float(finite.max()), _LEAST_S) if len(finite) else _LEAST_S
    label = tree["label"] if "label" in tree.columns else None
    columns = whole | {"distance_s": distance.clip(_LEAST_S, most), "incident_id": number, "label": label}
    rows = pd.DataFrame(columns, index=tree.index)
    if len(rows) and _icicle.roots(rows).empty:
        raise SchemaError("tree: each cluster is the child of another, so none is on top; pass the rows of a tree")
    return rows


def _selected(outlines: list[_icicle.Outline], numbers: dict[Any, int]) -> dict[int, int]:
    """Return the incident each cluster is in: itself, or the nearest above it that is one."""
    within: dict[int, int] = {}
    for outline in outlines:
        if outline.cluster in numbers:
            within[outline.cluster] = numbers[outline.cluster]
        elif outline.parent in within:
            within[outline.cluster] = within[outline.parent]
    return within


def _areas(outlines: list[_icicle.Outline], numbers: dict[Any, int], within: dict[int, int]) -> list[go.Scatter]:
    """Return one trace per colour; what an incident falls into is paler."""
    groups: dict[tuple[str, float], list[_icicle.Outline]] = {}
    for outline in outlines:
        number = within.get(outline.cluster)
        colour = _PLAIN if number is None else _theme.PALETTE[number % len(_theme.PALETTE)]
        own = number is None or outline.cluster in numbers
        groups.setdefault((colour, 1.0 if own else 0.45), []).append(outline)
    traces = []
    for (colour, opacity), members in groups.items():
        parts = [_polygon(outline) for outline in members]
        edge = {"width": 0.6, "color": _EDGE if colour == _PLAIN else colour}  # a white edge would hide a thin shape
        look = {"fill": "toself", "fillcolor": colour, "line": edge, "opacity": opacity}
        x, y = (np.concatenate([np.append(part[axis], np.nan) for part in parts]) for axis in (0, 1))
        traces.append(go.Scatter(x=x, y=y, mode="lines", hoverinfo="skip", **look))
    return traces


def _polygon(outline: _icicle.Outline) -> tuple[np.ndarray, np.ndarray]:
    """Return the outline as a path: down the right side in steps, up the left one."""
    down = np.repeat(outline.levels, 2)[1:-1]
    right, left = np.repeat(outline.right, 2), np.repeat(outline.left, 2)
    if not len(down):  # nothing is known of what it falls into: a line
        return np.concatenate([outline.right[:1], outline.left[:1]]), np.repeat(outline.levels[:1], 2)
    right, left = right[: len(down)], left[: len(down)]
    return np.concatenate([right, left[::-1], right[:1]]), np.concatenate([down, down[::-1], down[:1]])


def _centres(
    outlines: list[_icicle.Outline], numbers: dict[Any, int], within: dict[int, int], found: pd.DataFrame
) -> go.Scatter:
    """Return an unseen mark in each cluster that says what it is."""
    labels = found["label"].to_dict()
    hovers = []
    for outline in outlines:
        number = within.get(outline.cluster)
        title = f"incident {number}" if outline.cluster in numbers else f"cluster {outline.cluster}"
        joined, ends = (_lengths.length(float(outline.levels[at])) for at in (0, -1))
        lines = [
            ("alerts", f"{outline.size:,}"),
            ("part of incident", None if outline.cluster in numbers else number),
            ("leaves what is above it at", joined if outline.parent is not None else None),
            ("falls apart at", ends),
            ("label", labels.get(outline.cluster)),
        ]
        hovers.append(_theme.hover(title, lines))
    middles = [
        (sum(outline.middle[:1]), float(np.sqrt(outline.levels[0] * outline.levels[-1]))) for outline in outlines
    ]
    x, y = zip(*middles, strict=True)
    return go.Scatter(x=x, y=y, mode="markers", marker={"size": 14, "opacity": 0}, hovertext=hovers, hoverinfo="text")


def _numbers(outlines: list[_icicle.Outline], numbers: dict[Any, int]) -> go.Scatter:
    """Return the numbers of the incidents, above each, the largest first; where two would overlap the smaller hides."""
    whole = max(float(outline.right[0]) for outline in outlines)
    levels = np.log(np.concatenate([outline.levels for outline in outlines]))
    tall = max(float(np.ptp(levels)), 1e-9)
    taken: list[tuple[float, float, float]] = []
    shown = []
    for outline in outlines:
        if outline.cluster not in numbers:
            continue
        text = str(numbers[outline.cluster])
        x, y = outline.middle
        place = (x / whole * _WIDTH, float(np.log(y)) / tall * _HEIGHT, len(text) * _DIGIT / 2 + 2)
        if all(abs(place[0] - a) > place[2] + half or abs(place[1] - b) > 16 for a, b, half in taken):
            taken.append(place)
            shown.append((x, y, f"<b>{text}</b>"))
    xs, ys, texts = ([row[at] for row in shown] for at in range(3))
    look = {"mode": "text", "textposition": "top center", "textfont": {"size": 11, "color": _theme.INK}}
    return go.Scatter(x=xs, y=ys, text=texts, hoverinfo="skip", **look)


def _left_out(found: pd.DataFrame, shown: list[int], numbers: dict[Any, int]) -> list[str]:
    """Say which clusters are not shown, and that small numbers may be hidden."""
    rest = found[~found.index.isin(shown)]
    if rest.empty:
        return []
    hidden = sum(cluster in numbers for cluster in rest.index)
    said = f"not shown: {words.count(len(rest), 'cluster')} of at most {words.count(int(rest['size'].max()), 'alert')}"
    return [said + (f", {words.count(hidden, 'incident')} among them" if hidden else "")]
