"""Which patterns announce themselves: how often a warning is right, how much it catches, how early it comes."""

from __future__ import annotations

from typing import Any

import pandas as pd
import plotly.graph_objects as go

from stanza_lab import _params
from stanza_lab.errors import ParameterError
from stanza_lab.patterns.warned import LEAST, EarlyWarnings
from stanza_lab.plot import _lengths, _theme
from stanza_lab.production import words

_ROW = 46  # px
_RIGHT, _CAUGHT, _LEAD, _PAGE = "#0072B2", "#E69F00", "#009E73", "#CC79A7"
_TIMES = (0.6, 1.0)  # of the width
_SHARE = {
    "domain": [0.0, 0.52],
    "range": [-0.03, 1.03],
    "tickformat": ".0%",
    "title": {"text": "share, later incidents"},
}
_ZERO = {"type": "line", "xref": "x2", "yref": "paper", "x0": 0, "x1": 0, "y0": 0, "y1": 1, "layer": "below"} | {
    "line": {"color": _theme.FAINT, "width": 1}
}
_OFF = 0.17  # of a row: precision above, recall below its middle
_LABEL = 46  # characters


def early_warning(
    found: EarlyWarnings, *, top: int = 20, title: str | None = None, height: int | None = None
) -> go.Figure:
    """Draw precision and recall of the warnings of each pattern on the left, how early they came on the right.

    A bar is the range the true share lies in, 95 times of 100. A pattern with too few later warnings or occurrences has
    its counts instead of a point: nothing is claimed of it. The line on the right goes from the tenth to the ninetieth
    percentile of the time from a warning that came true to the whole pattern; the diamond is the first page.

    Parameters
    ----------
    found : EarlyWarnings
        What ``sl.early_warnings`` returns.
    top : int, default 20
        Most patterns shown; those judged on most warnings come first.
    title : str, optional
        Default: how many warnings came true.
    height : int, optional
        Of the figure, in pixels. Larger: more room per pattern.

    Returns
    -------
    plotly.graph_objects.Figure
        A row per pattern.

    Raises
    ------
    ParameterError
        `found` is not what ``sl.early_warnings`` returns.

    Examples
    --------
    >>> import stanza_lab as sl
    >>> made = sl.simulate_production(services=12, teams=3, days=60, incidents=60, noise=0.05, random_state=4)
    >>> number = made.labels["incident_id"].str[4:].fillna("-1").astype("int64")
    >>> found = sl.early_warnings(made.alerts.assign(incident_id=number.to_numpy()))
    >>> sl.plot.early_warning(found).layout.xaxis.title.text
    'share, later incidents'
    """
    if not isinstance(found, EarlyWarnings):
        raise ParameterError(f"found must be EarlyWarnings, not {type(found).__name__}; pass sl.early_warnings(...)")
    _params.at_least(top, "top", 1)
    shown = found.table.head(top).reset_index(drop=True)
    rest = len(found.table) - len(shown)
    notes = [f"not shown: {words.count(rest, 'pattern')} judged on fewer warnings"] if rest else []
    notes += [f"counts instead of a point: fewer than {LEAST} to judge by, nothing is claimed"]
    notes += [_theme.safe(found.known["page"], limit=140)]
    seconds = [*shown["lead_low_s"].dropna(), *shown["lead_high_s"].dropna(), *shown["page_lead_s"].dropna(), 0.0, 60.0]
    places, labels = _lengths.ticks(min(seconds), max(seconds), wanted=5)
    room = (max(seconds) - min(seconds)) * 0.06
    axis: dict[str, Any] = {"gridcolor": _theme.GRID, "zeroline": False, "fixedrange": True}
    names = [_label(row) for row in shown.to_dict("records")]
    return _theme.figure(
        _traces(shown),
        title=_theme.safe(title, limit=120) if title else _verdict(found),
        subtitle=_subtitle(found),
        plot_height=max(120, _ROW * len(shown)),
        height=height,
        notes=notes,
        axis=56,
        xaxis=axis | _SHARE,
        xaxis2=axis
        | {
            "domain": list(_TIMES),
            "range": [min(seconds) - room, max(seconds) + room],
            "tickvals": places,
            "ticktext": labels,
            "title": {"text": "after the warning (0)"},
            "anchor": "y",
        },
        yaxis={
            "tickvals": list(range(len(names))),
            "ticktext": names,
            "range": [max(len(names), 1) - 0.45, -0.55],
            "automargin": True,
            "gridcolor": _theme.GRID,
            "zeroline": False,
            "ticklen": 0,
            "fixedrange": True,
        },
        shapes=[_ZERO],
        showlegend=False,
    )


def _traces(shown: pd.DataFrame) -> list[go.Scatter]:
    shares = (("precision", _RIGHT, "circle", -_OFF, "warnings"), ("recall", _CAUGHT, "square", _OFF, "happened"))
    said = {"precision": "warnings that came true", "recall": "occurrences warned of"}
    traces = []
    for name, colour, symbol, off, whole in shares:
        judged = shown[shown[name].notna()]
        traces.append(
            go.Scatter(
                x=judged[name],
                y=judged.index + off,
                mode="markers",
                name=said[name],
                marker={"size": 11, "color": colour, "symbol": symbol, "line": {"width": 1, "color": _theme.PAPER}},
                error_x={
                    "type": "data",
                    "array": (judged[f"{name}_high"] - judged[name]).clip(lower=0),
                    "arrayminus": (judged[name] - judged[f"{name}_low"]).clip(lower=0),
                    "color": colour,
                    "thickness": 2,
                    "width": 0,
                },
                hovertext=[_hover(row) for row in judged.to_dict("records")],
                hoverinfo="text",
                cliponaxis=False,
            )
        )
        thin = shown[shown[name].isna()]
        traces.append(
            go.Scatter(
                x=[0.0] * len(thin),
                y=thin.index + off,
                mode="text",
                text=[f"{said[name]}: {row['came']:,} of {row[whole]:,}" for row in thin.to_dict("records")],
                textposition="middle right",
                textfont={"size": 10, "color": _theme.FAINT},
                hovertext=[_hover(row) for row in thin.to_dict("records")],
                hoverinfo="text",
                showlegend=False,
            )
        )
    return traces + _leads(shown[shown["came"] > 0])


def _leads(shown: pd.DataFrame) -> list[go.Scatter]:
    gaps = pd.DataFrame({"a": shown["lead_low_s"], "b": shown["lead_high_s"], "c": None}).astype("float64")
    rows = pd.DataFrame({"a": shown.index, "b": shown.index, "c": None}).astype("float64")
    line = {"color": _LEAD, "width": 6}
    paged = shown[shown["page_lead_s"].notna()]
    right: dict[str, Any] = {"xaxis": "x2", "hoverinfo": "text", "mode": "markers", "cliponaxis": False}
    return [
        go.Scatter(
            x=gaps.to_numpy().ravel(),
            y=rows.to_numpy().ravel(),
            xaxis="x2",
            mode="lines",
            line=line,
            opacity=0.35,
            hoverinfo="skip",
            showlegend=False,
        ),
        go.Scatter(
            x=shown["lead_s"],
            y=shown.index,
            name="pattern whole (10 to 90 %)",
            marker={"size": 11, "color": _LEAD, "line": {"width": 1, "color": _theme.PAPER}},
            hovertext=[_hover(row) for row in shown.to_dict("records")],
            **right,
        ),
        go.Scatter(
            x=paged["page_lead_s"],
            y=paged.index,
            name="first page (median)",
            marker={"size": 11, "color": _theme.PAPER, "symbol": "diamond", "line": {"width": 2, "color": _PAGE}},
            hovertext=[_hover(row) for row in paged.to_dict("records")],
            **right,
        ),
    ]


def _label(row: dict[Any, Any]) -> str:
    """Return the pattern's name, and under it what warns."""
    begins = words.listing(row["prefix"], top=2) if row["prefix"] else "nothing tells it early"
    faint = f'<span style="color:{_theme.FAINT};font-size:10px">{_theme.safe(begins, limit=_LABEL + 8)}</span>'
    return f"{_theme.safe(row['name'], limit=_LABEL)}<br>{faint}"


def _hover(row: dict[Any, Any]) -> str:
    sure = words.probability(row["confidence"]) if row["prefix"] else None
    early = _lengths.length(row["lead_s"]) if row["came"] else None
    page = _lengths.signed(row["page_lead_s"]) if row["paged"] else None
    return _theme.hover(
        row["name"],
        [
            ("warns after", words.listing(row["prefix"], top=4)),
            ("said then", sure),
            ("earlier incidents", f"{row['were']:,} of {row['showed']:,} that began so"),
            ("later warnings that came true", f"{row['came']:,} of {row['warnings']:,}"),
            ("later occurrences warned of", f"{row['came']:,} of {row['happened']:,}"),
            ("of all later incidents", f"{row['base']:.1%}"),
            ("whole after", early),
            ("first page", page),
        ],
    )


def _verdict(found: EarlyWarnings) -> str:
    known = found.known
    if found.table.empty:
        return "No pattern recurs often enough to warn of"
    if not known["warnings"]:
        return "Nothing announced itself: no warning was given"
    return f"{known['came']:,} of {words.count(known['warnings'], 'warning')} came true"


def _subtitle(found: EarlyWarnings) -> str:
    known = found.known
    ends = f"learned from {words.count(known['earlier'], 'incident')}, judged on {known['later']:,} after"
    said = f"{ends} {found.split:%Y-%m-%d %H:%M} UTC"
    if known["came"]:
        said += f"; {_lengths.length(known['lead_s'])} before the pattern was whole (median)"
    marks = (
        (_RIGHT, "● warnings that came true"),
        (_CAUGHT, "■ occurrences warned of"),
        (_LEAD, "● pattern whole"),
        (_PAGE, "◇ first page"),
    )
    return said + "<br>" + ", ".join(f'<span style="color:{colour}">{name}</span>' for colour, name in marks)
