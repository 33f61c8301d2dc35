"""What appeared on a map and what vanished, as a figure."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
import plotly.graph_objects as go

from stanza_lab import _params
from stanza_lab.errors import SchemaError
from stanza_lab.plot import _stage, _theme
from stanza_lab.plot.restyle import Theme, restyle
from stanza_lab.production import ProductionMap, words

if TYPE_CHECKING:
    import pandas as pd

    from stanza_lab.plot._stage import Stage

MOST = 60  # services drawn; of larger maps only what changed and who is next to it
_SIZE = 20.0  # px across: a service that changed
_LINES: dict[str, tuple[str, str, float]] = {  # colour, dash, px: each alone says which
    "dependency gone": ("#D55E00", "2px,5px", 4.5),
    "dependency appeared": ("#0072B2", "solid", 4.5),
    "became surer": ("#56B4E9", "10px,4px", 3.0),
    "became less sure": ("#E69F00", "10px,4px,2px,4px", 3.0),
}
_CLAIMS = ("service gone", "dependency gone", "service appeared", "dependency appeared")
_NODES = {"service gone": ("#D55E00", "x"), "service appeared": ("#0072B2", "star")}


def map_changes(
    production: ProductionMap,
    *,
    since: _params.Instant,
    until: _params.Instant | None = None,
    theme: Theme = "light",
    title: str | None = None,
    height: int | None = None,
) -> go.Figure:
    """Draw a map with what appeared on it and what vanished since a time; what stayed is pale.

    Colour and dash or shape say the same: blue and solid is new, vermilion and dotted is gone, a star is a new service,
    a cross one that is gone. Hovering a service, or the middle of a marked link, says why.

    Parameters
    ----------
    production : ProductionMap
        The map, or a view of it; with its model.
    since : str or Timestamp
        Since when, rounded down to the start of its day; without a zone it is UTC.
    until : str or Timestamp, optional
        Until when. Default: the end of the history.
    theme : {"light", "dark"}, default "light"
        What the page around the figure is.
    title : str, optional
        Default: the number of changes of each kind.
    height : int, optional
        Pixels. Default: as much as the names need.

    Returns
    -------
    plotly.graph_objects.Figure
        `layout.meta["description"]` is what changed in words. Of maps above 60 services only what changed and its
        neighbours are drawn.

    Raises
    ------
    ParameterError
        The map has no model, or the times are not in its history.
    SchemaError
        `production` is no map.

    See Also
    --------
    ProductionMap.changes : The same as a table, and the rules by which something counts as new or gone.

    Examples
    --------
    >>> import pandas as pd
    >>> import stanza_lab as sl
    >>> days = pd.date_range("2026-03-01T14:00Z", periods=40, freq="37h")
    >>> times = [*days, *(days[:20] + pd.Timedelta("70s"))]
    >>> alerts = pd.DataFrame({"starts_at": times, "service": ["orders-db"] * 40 + ["orders"] * 20})
    >>> model = sl.DependencyModel().fit(alerts)
    >>> production = sl.ProductionMap(model.edges_, alerts, model=model)
    >>> sl.plot.map_changes(production, since="2026-04-01").layout.title.text
    'Changes since 2026-04-01: 1 service gone'
    """
    if not isinstance(production, ProductionMap):
        raise SchemaError(
            f"production must be a ProductionMap, not {type(production).__name__}; pass sl.ProductionMap(edges, alerts)"
        )
    found = production.changes(since, until=until)
    known = found[found["what"] != "not judged"]
    then = production if until is None else production.as_of(until)
    pairs = [(str(a), str(b)) for a, b in known[["src", "dst"]].dropna().to_numpy()]
    changed = sorted({*known["service"].dropna(), *(name for pair in pairs for name in pair)})
    shown, notes = _shown(then, changed)
    notes += [_theme.escaped(text) for text in found.loc[found["what"] == "not judged", "words"]]
    start = _params.instant(since, "since")
    sizes = known["what"].value_counts(sort=False)
    counts = [_count(what, number) for what, number in sizes.items() if number and what in _CLAIMS]
    moved = [f"{number} {what}" for what, number in sizes.items() if number and what not in _CLAIMS]
    head = f"Changes since {start:%Y-%m-%d}: {', '.join(counts) or 'nothing appeared or vanished that shows'}"
    around = _theme.around("<br>" if moved else "", len(notes) + 1)
    stage = _stage.build(
        then, shown, size=_SIZE + 4, first=changed, also=pairs, height=height and max(160.0, height - around)
    )
    notes += map(_theme.escaped, stage.scene.notes)
    how = "Pale: what stayed. New and gone are claims: each says by hovering why, and how likely it is chance."
    if moved:
        how += f"<br>Links: {', '.join(moved)}; what only became surer may have been there all along."
    figure = _theme.figure(
        [*stage.backdrop(), *_links(stage, known), stage.names(size=_SIZE), *_nodes(stage, known)],
        title=_theme.safe(title, limit=120) if title else head,
        subtitle=how,
        plot_height=stage.sheet.height,
        height=height,
        notes=notes,
        description=_theme.as_plain([head, *map(_theme.escaped, known["words"])]),
        xaxis={"visible": False, "range": list(stage.sheet.x_range)},
        yaxis={"visible": False, "range": list(stage.sheet.y_range)},
        legend={"x": 1.01, "y": 1, "itemsizing": "trace", "tracegroupgap": 0},
        legend2={"orientation": "h", "x": 0, "y": 1, "yanchor": "bottom", "itemsizing": "trace"},
    )
    return restyle(figure, theme=theme)


def _count(what: object, number: int) -> str:
    thing, _, how = str(what).partition(" ")
    return f"{words.count(number, thing)} {how}"


def _shown(then: ProductionMap, changed: list[str]) -> tuple[list[str], list[str]]:
    """Return the services to draw: all that are linked, of a large map those that changed and who is next to them."""
    links = then._links[then._links["strength"] >= then.usual_confidence]
    linked = sorted({*links["src"], *links["dst"], *changed})
    if len(linked) <= MOST:
        return linked, []
    touched = links[links["src"].isin(changed) | links["dst"].isin(changed)]
    near = [name for name in dict.fromkeys(touched[["src", "dst"]].to_numpy().ravel()) if name not in set(changed)]
    shown = [*changed[:MOST], *near[: max(0, MOST - len(changed))]]
    return shown, [f"{len(shown)} of {len(linked):,} linked services drawn: what changed, and who is next to it"]


def _links(stage: Stage, known: pd.DataFrame) -> list[go.Scatter]:
    """Return a line for each kind of change, and points in the middle of each that say why."""
    traces, why = [], []
    for what, (colour, dash, width) in _LINES.items():
        mine = known[known["what"] == what]
        ends = mine[["src", "dst"]].to_numpy()
        rows = [(row, i) for i, pair in enumerate(ends) for row in stage.links_between([(pair[0], pair[1])])]
        if not rows:
            continue
        x, y = stage.path([row for row, _ in rows])
        line = {"color": colour, "dash": dash, "width": width}
        traces.append(go.Scatter(x=x, y=y, mode="lines", line=line, name=what, hoverinfo="skip"))
        why += [(row, what, mine.iloc[i]) for row, i in rows]
    middle = stage.xs.shape[1] // 2
    points: dict[str, Any] = {
        "x": stage.xs[[row for row, *_ in why], middle].astype("float32"),
        "y": stage.ys[[row for row, *_ in why], middle].astype("float32"),
        "hovertext": [_said(what, change) for _, what, change in why],
        "customdata": [["link", change["src"], change["dst"]] for *_, change in why],
    }
    marker = {"size": 16, "opacity": 0}
    traces.append(go.Scatter(**points, mode="markers", marker=marker, hoverinfo="text", name="why", showlegend=False))
    return traces


def _nodes(stage: Stage, known: pd.DataFrame) -> list[go.Scatter]:
    """Return the services: those that stayed, and on top those that appeared or are gone."""
    nodes = stage.nodes
    rows = known.dropna(subset=["service"]).set_index("service")
    what = nodes["name"].map(rows["what"].astype("str")).astype(object)
    traces = []
    for kind in ("stayed", *_NODES):
        mine = nodes[what.isna() if kind == "stayed" else what == kind]
        if mine.empty:
            continue
        colour, symbol = _NODES.get(kind, (_theme.PAPER, "circle"))
        rim = (_theme.UNKNOWN, 1.5) if kind == "stayed" else (_theme.PAPER, 1.0)
        size = _SIZE if kind in _NODES else 12.0
        said = list(mine["hover"]) if kind == "stayed" else [_said(kind, rows.loc[name]) for name in mine["name"]]
        traces.append(
            go.Scatter(
                x=mine["x"].to_numpy("float32"),
                y=mine["y"].to_numpy("float32"),
                mode="markers",
                marker={"color": colour, "symbol": symbol, "size": size, "line": {"color": rim[0], "width": rim[1]}},
                hovertext=said,
                hoverinfo="text",
                customdata=[["service", name] for name in mine["name"]],
                name=kind,
            )
        )
    return traces


def _said(what: str, change: pd.Series) -> str:
    """Return why, in lines a hover box has room for."""
    lines: list[str] = []
    line = ""
    for word in str(change["words"]).split():
        if len(line) + len(word) > 70:
            lines, line = [*lines, line], ""
        line = f"{line} {word}".strip()
    text = "<br>".join(_theme.safe(part, limit=100) for part in [*lines, line])
    chance = change["probability"]
    odds = "" if np.isnan(chance) else f" (chance of such a silence: {words.rate(float(chance))})"
    return f"<b>{what}</b>{odds}<br>{text}"
