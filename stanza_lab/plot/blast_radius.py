"""The blast radius of a service as a figure: trouble spreads from left to right, a column per hop."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

from stanza_lab import _params
from stanza_lab.errors import SchemaError
from stanza_lab.plot import _blast_marks, _theme
from stanza_lab.plot._blast_marks import LABEL, ROW, percent
from stanza_lab.production import ProductionMap, words

if TYPE_CHECKING:
    from collections.abc import Iterator

    import plotly.graph_objects as go

_TEAMS = 6  # lines about teams below the figure
_NAMED = 3  # services named under the title


def blast_radius(
    production: ProductionMap,
    *,
    service: str,
    hops: int = 3,
    window: _params.Duration = "15min",
    min_confidence: float | None = None,
    limit: int = 60,
    title: str | None = None,
    height: int | None = None,
) -> go.Figure:
    """Draw who is hit if a service fails: itself left, who depends on it directly next, then who depends on these.

    The darker a service (on a dark page the lighter), the likelier it alerts; the number beside it says how likely.
    Lines are the likeliest path to each, solid where the dependency was seen, dashed where it was inferred, the thicker
    the surer. Services that never alert are hollow: they may be hit and nobody would see it. Those that fire together
    with the service and have no link to it stand in the last column.

    Parameters
    ----------
    production : ProductionMap
        The map, or a view of it.
    service : str
        What fails.
    hops : int, default 3
        Most links that trouble travels; a larger value reaches further.
    window : str or Timedelta, default "15min"
        How soon an alert must come to count.
    min_confidence : float, optional
        From 0 to 1: inferred links below are not walked. Default: all are, as likely as they are.
    limit : int, default 60
        Most services drawn, the likeliest hit; the figure says how many more there are.
    title : str, optional
        Default: the service, with how many could be hit.
    height : int, optional
        Pixels. Default: as much as the names need.

    Returns
    -------
    plotly.graph_objects.Figure
        The same figure for the same map, on every machine. It shows `ProductionMap.blast_radius`.

    Raises
    ------
    UnknownNameError
        There is no such service.
    ParameterError
        A parameter is outside its range.
    SchemaError
        `production` is no map.

    Examples
    --------
    >>> import pandas as pd
    >>> import stanza_lab as sl
    >>> edges = pd.DataFrame({"src": ["shop", "cart"], "dst": ["cart", "cart-db"], "confidence": [0.9, 0.8]})
    >>> figure = sl.plot.blast_radius(sl.ProductionMap(edges), service="cart-db")
    >>> figure.layout.title.text
    'If cart-db fails: 2 services could be hit'
    """
    if not isinstance(production, ProductionMap):
        raise SchemaError(
            f"production must be a ProductionMap, not {type(production).__name__}; pass sl.ProductionMap(edges)"
        )
    _params.at_least(limit, "limit", 1)
    found = production.blast_radius(service, hops=hops, window=window, min_confidence=min_confidence)
    nodes = _place(found.head(limit), service, unseen=found.attrs["unseen"])
    links = _blast_marks.links(nodes, production)
    columns = int(nodes["x"].max()) + 1
    rows = float(nodes["y"].max() - nodes["y"].min()) + 2.0
    heading = f"If {_theme.safe(service)} fails: {words.count(len(found), 'service')} could be hit"
    subtitle, notes = _subtitle(found, window), [*_teams(found), *_notes(found, limit)]
    said = [heading, subtitle, *notes, *(_theme.escaped(line) for line in found["words"])]
    figure = _theme.figure(
        [*_blast_marks.link_traces(links), *_blast_marks.node_traces(nodes, windowed=words.span(_seconds(window)))],
        title=_theme.safe(title, limit=120) if title else heading,
        subtitle=subtitle,
        plot_height=max(150.0, rows * ROW),
        height=height,
        notes=notes,
        description=_theme.as_plain(said),
        xaxis={"visible": False, "range": [-0.12, max(columns - 1, 1) + 0.75]},
        yaxis={"visible": False, "range": [nodes["y"].min() - 0.7, nodes["y"].max() + 1.5]},
        showlegend=False,
    )
    for x, text in _headings(nodes):
        at = {"x": x, "y": nodes["y"].max() + 1.0, "xanchor": "left", "showarrow": False, "xshift": -10}
        figure.add_annotation(text=text, font={"size": 11, "color": _theme.FAINT}, **at)
    return figure


def _seconds(window: _params.Duration) -> float:
    return float(_params.duration(window, "window").total_seconds())


def _place(found: pd.DataFrame, service: str, *, unseen: list[str]) -> pd.DataFrame:
    """Return the service and those it could hit with `x` (column), `y` (row) and `parent`, whom trouble comes from.

    Within a column services stand in the order of their parents, so that no two lines cross.
    """
    start = {"service": service, "hit": np.nan, "x": 0, "parent": "", "never": False, "words": f"{service} fails"}
    there = {service, *found["service"]}
    last = int(found["hops"].max()) + 1 if found["hops"].notna().any() else 1
    rows = [
        {
            "service": row["service"],
            "hit": row["hit"],
            "x": last if pd.isna(row["hops"]) else row["hops"],
            "parent": next((name for name in reversed(row["via"][:-1]) if name in there), ""),
            "never": row["service"] in unseen,
            "words": row["words"],
        }
        for row in found.to_dict("records")
    ]
    nodes = pd.DataFrame([start, *rows]).assign(y=0.0)
    order = {service: 0, "": len(nodes)}
    for x in sorted(set(nodes["x"]) - {0}):
        here = nodes[nodes["x"] == x]
        here = here.assign(after=here["parent"].map(order).fillna(len(nodes)))
        here = here.sort_values(["after", "hit", "service"], ascending=[True, False, True])
        order |= {name: place for place, name in enumerate(here["service"])}
        nodes.loc[here.index, "y"] = (len(here) - 1) / 2 - np.arange(len(here))
    return nodes


def _headings(nodes: pd.DataFrame) -> Iterator[tuple[float, str]]:
    """Yield x and text above each column."""
    for x in sorted(set(nodes["x"]) - {0}):
        linked = (nodes.loc[nodes["x"] == x, "parent"] != "").any()
        yield float(x), words.count(int(x), "hop") if linked else "no link, fire together"


def _subtitle(found: pd.DataFrame, window: _params.Duration) -> str:
    """Say the likeliest first, then how to read it."""
    seen = found[~found["service"].isin(found.attrs["unseen"])].head(_NAMED)
    named = [
        f"{_theme.safe(name, limit=LABEL)} {percent(hit)}"
        for name, hit in zip(seen["service"], seen["hit"], strict=True)
    ]
    within = words.span(_seconds(window))
    first = (
        f"<b>Likeliest to alert within {within}: {', '.join(named)}.</b>"
        if named
        else "Nobody is known to depend on it."
    )
    how = (
        "Trouble spreads from left to right; the number says how likely. Solid line: dependency seen; dashed: inferred."
    )
    return f"{first}<br>{how}" if len(found) else first


def _teams(found: pd.DataFrame) -> list[str]:
    """Return one line per team: how many of its services could be hit, and the likeliest."""
    named = found.assign(team=found["team"].fillna("team not known"))
    groups = [(str(team), some) for team, some in named.groupby("team", sort=False)]
    said = []
    for team, some in groups[:_TEAMS]:
        top = some.iloc[0]
        likeliest = f"{_theme.safe(top['service'], limit=LABEL)} {percent(top['hit'])}"
        said.append(f"{_theme.safe(team, limit=LABEL)}: {words.count(len(some), 'service')}, likeliest {likeliest}")
    more = len(groups) - _TEAMS
    return [*said, f"and {words.count(more, 'more team')}"] if more > 0 else said


def _notes(found: pd.DataFrame, limit: int) -> list[str]:
    """Return what the numbers are known from, what could not be seen, and what is not drawn."""
    said = [_theme.safe(words.sentence(line), limit=200) for line in found.attrs["words"][1:]]
    more = len(found) - limit
    return [*said, f"{words.count(more, 'service')} less likely hit not drawn."] if more > 0 else said
