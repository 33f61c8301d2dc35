"""Where an incident likely began as a figure: a bar per suspect, the likeliest on top, with its reasons below."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import plotly.graph_objects as go

from stanza_lab import _params
from stanza_lab.errors import SchemaError
from stanza_lab.plot import _theme
from stanza_lab.production import words

if TYPE_CHECKING:
    from collections.abc import Hashable

    import pandas as pd

_NEEDED = ("service", "probability", "alerts", "first_at", "silent", "reasons", "words")
_ROW = 46  # px per suspect: a bar, and its reasons below
_LABEL, _REASONS = 34, 110  # characters of a name, and of the reasons below a bar
_ALERTED, _SILENT, _NONE = "#0072B2", "#E69F00", _theme.UNKNOWN
_OUTSIDE = "none of these"
_FAINT, _FEWEST = 0.01, 3  # probability below which a suspect is only counted, beyond so many
_NEARLY = 0.93  # probability from which its number has no room beside the bar
_AGAINST = "against it: "


def likely_origins(
    origins: pd.DataFrame, *, limit: int = 10, title: str | None = None, height: int | None = None
) -> go.Figure:
    """Draw how likely an incident began at each suspect, with what speaks for it.

    Filled bars alerted, hatched ones did not and are suspected through the links alone; the grey bar is how likely it
    is none of them. Below a bar stand reasons for it; all of them, for and against, show on hover.

    Parameters
    ----------
    origins : DataFrame
        What `rank_origins` returns.
    limit : int, default 10
        Most suspects drawn, the likeliest; beyond three only those of 0.01 or more. The figure says how many more
        there are.
    title : str, optional
        Default: whether one stands out.
    height : int, optional
        Pixels. Default: as much as the bars need.

    Returns
    -------
    plotly.graph_objects.Figure
        The same figure for the same table, on every machine.

    Raises
    ------
    SchemaError
        A column of `rank_origins` is missing.
    ParameterError
        `limit` is under 1.

    Examples
    --------
    >>> import pandas as pd
    >>> import stanza_lab as sl
    >>> edges = pd.DataFrame({"src": ["shop"], "dst": ["orders-db"], "confidence": [0.9]})
    >>> times = ["2026-03-01T14:02Z", "2026-03-01T14:09Z"]
    >>> alerts = pd.DataFrame({"starts_at": times, "service": ["orders-db", "shop"]})
    >>> figure = sl.plot.likely_origins(sl.rank_origins(sl.ProductionMap(edges, alerts), alerts=alerts))
    >>> figure.layout.yaxis.ticktext[0]
    '1. orders-db'
    """
    missing = [name for name in _NEEDED if name not in origins.columns]
    if missing:
        raise SchemaError(f"origins: columns {missing} are missing; pass what sl.rank_origins returns")
    _params.at_least(limit, "limit", 1)
    said = [str(line) for line in origins.attrs.get("words", [])]
    shown = origins.head(min(limit, max(_FEWEST, int((origins["probability"] >= _FAINT).sum()))))
    rows = _rows(shown, origins.attrs.get("outside"))
    heading = words.sentence(said[0])[:-1] if said else f"{words.count(len(origins), 'suspect')} of an incident"
    more = len(origins) - len(shown)
    notes = [_theme.safe(words.sentence(line), limit=200) for line in said[1:]]
    notes += [f"{words.count(more, 'suspect')} less likely not drawn."] if more > 0 else []
    subtitle = (
        "Probability that it began there, and why. Blue: it alerted; orange, hatched: silent, suspected through links."
    )
    named = [f"{row['name']}: {row['share']}" for row in rows]
    heading = _theme.safe(title or heading, limit=120)
    return _theme.figure(
        _traces(rows),
        title=heading,
        subtitle=subtitle,
        plot_height=max(120.0, _ROW * len(rows) + 30.0),
        height=height,
        notes=notes,
        axis=46,
        description=_theme.as_plain([heading, *named, *notes]),
        xaxis={
            "title": {"text": "probability that it began there", "standoff": 6},
            "range": [0.0, 1.0],
            "tickformat": ".0%",
            "gridcolor": _theme.GRID,
            "fixedrange": True,
        },
        yaxis={
            "range": [len(rows) - 0.3, -0.5],
            "tickvals": list(range(len(rows))),
            "ticktext": [row["name"] for row in rows],
            "automargin": True,
            "showgrid": False,
            "zeroline": False,
            "fixedrange": True,
        },
        showlegend=False,
    )


def _rows(origins: pd.DataFrame, outside: float | None) -> list[dict[str, Any]]:
    """Return what is drawn, top to bottom; names are told apart by their rank, as two may be shortened to the same."""
    rows = [_row(rank, row) for rank, row in enumerate(origins.to_dict("records"), start=1)]
    if outside is not None and rows:
        rows.append(
            {
                "name": _OUTSIDE,
                "value": float(outside),
                "share": words.probability(float(outside)),
                "colour": _NONE,
                "shape": "",
                "below": "a shared host or network, or what is not on the map",
                "hover": f"<b>{_OUTSIDE}: {_escaped_share(float(outside))}</b>",
            }
        )
    return rows


def _row(rank: int, row: dict[Hashable, Any]) -> dict[str, Any]:
    probability, reasons = float(row["probability"]), [str(reason) for reason in row["reasons"]]
    supporting = [reason for reason in reasons if not reason.startswith(_AGAINST)] or reasons
    first = _theme.utc(row["first_at"])
    lines = [f"first alert {first}" if first else "silent", *reasons]
    head = f"<b>{_theme.safe(row['service'], limit=100)}: {_escaped_share(probability)}</b>"
    return {
        "name": f"{rank}. {_theme.safe(row['service'], limit=_LABEL)}",
        "value": probability,
        "share": words.probability(probability),
        "colour": _SILENT if row["silent"] else _ALERTED,
        "shape": "/" if row["silent"] else "",
        "below": _theme.safe(_fitting(supporting), limit=_REASONS),
        "hover": "<br>".join([head, *(_theme.safe(line, limit=120) for line in lines)]),
    }


def _fitting(reasons: list[str]) -> str:
    """Return the last of the reasons, whole ones, as many as have room: the first only count."""
    for start in range(len(reasons)):
        said = "; ".join(reasons[start:])
        if len(said) <= _REASONS:
            return said
    return reasons[-1]


def _escaped_share(probability: float) -> str:
    return _theme.escaped(words.probability(probability))


def _traces(rows: list[dict[str, Any]]) -> list[go.Bar | go.Scatter]:
    if not rows:
        return []
    places = list(range(len(rows)))
    bars = go.Bar(
        x=[row["value"] for row in rows],
        y=places,
        width=0.42,
        orientation="h",
        marker={
            "color": [row["colour"] for row in rows],
            "pattern": {"shape": [row["shape"] for row in rows], "fgcolor": _theme.PAPER, "size": 6},
        },
        text=[f"<b>{_theme.escaped(row['share'])}</b>" for row in rows],
        textposition=["inside" if row["value"] > _NEARLY else "outside" for row in rows],
        insidetextfont={"color": _theme.PAPER},
        cliponaxis=False,
        hovertext=[row["hover"] for row in rows],
        hoverinfo="text",
    )
    below = go.Scatter(
        x=[0.003] * len(rows),
        y=[place + 0.37 for place in places],
        mode="text",
        text=[row["below"] for row in rows],
        textposition="middle right",
        textfont={"size": 11, "color": _theme.FAINT},
        cliponaxis=False,
        hoverinfo="skip",
    )
    return [bars, below]
