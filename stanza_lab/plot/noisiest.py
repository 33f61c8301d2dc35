"""The rules that make most of the noise, and how much of all of it they make together."""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd
import plotly.graph_objects as go

from stanza_lab import _params
from stanza_lab.errors import SchemaError
from stanza_lab.plot import _theme
from stanza_lab.production import words

_NEED = ("rule", "service", "count", "pages", "chronic", "flapping")
_ROW = 26  # px
# What is said of a rule, the gravest first: each has a colour and a pattern.
_LOOKS = {
    "chronic and flapping": ("#D55E00", "x"),
    "chronic": ("#E69F00", "/"),
    "flapping": ("#56B4E9", "."),
    "neither": ("#0072B2", ""),
}
_SHORT = 30  # characters of a rule's name


def noisiest(rules: pd.DataFrame, *, by: str = "count", top: int = 20, title: str | None = None) -> go.Figure:
    """Draw the rules that fire most, and behind each bar how much of everything it and those above it make.

    Parameters
    ----------
    rules : DataFrame
        `PagerLoad.rules`.
    by : {"count", "pages"}, default "count"
        What is counted: alerts, or pages.
    top : int, default 20
        Most rules; the others are counted in a note below.
    title : str, optional
        Default: how few rules make half of it.

    Returns
    -------
    plotly.graph_objects.Figure
        Colour and pattern say whether a rule is chronic (fires on a quarter of the days) or flaps.

    Raises
    ------
    SchemaError
        A column is missing.
    ParameterError
        `by` or `top` is none of what they may be.

    See Also
    --------
    pager_load : Pages per shift.

    Examples
    --------
    >>> import pandas as pd
    >>> import stanza_lab as sl
    >>> rules = pd.DataFrame({
    ...     "rule": ["Disk full", "Errors"], "service": ["orders-db", "shop"], "count": [8, 2], "pages": [0, 2],
    ...     "chronic": [True, False], "flapping": False,
    ... })
    >>> sl.plot.noisiest(rules).layout.title.text
    'Half of 10 alerts come from 1 of 2 rules'
    """
    missing = [name for name in _NEED if name not in getattr(rules, "columns", ())]
    if missing:
        raise SchemaError(f"rules: columns {missing} are missing; pass PagerLoad.rules")
    _params.choice(by, "by", ("count", "pages"))
    _params.at_least(top, "top", 1)
    thing = "alert" if by == "count" else "page"
    loud = rules[rules[by] > 0].sort_values(by, ascending=False, kind="stable").reset_index(drop=True)
    total = int(loud[by].sum())
    loud = loud.assign(share=loud[by] / max(total, 1), so_far=loud[by].cumsum() / max(total, 1))
    shown, rest = loud.head(top), loud.iloc[top:]
    half = int(np.searchsorted(loud["so_far"].to_numpy(), 0.5 - 1e-9)) + 1
    said = f"Half of {words.count(total, thing)} come from {half:,} of {words.count(len(rules), 'rule')}"
    notes = ["at the end of a bar: how many, its share of all,", "and the share of it and all above"]
    if len(rest):
        notes.append(
            f"not shown: {words.count(len(rest), 'rule')} with {words.count(int(rest[by].sum()), thing)}"
            f" ({1 - shown['so_far'].iloc[-1]:.0%})"
        )
    most = float(shown[by].max()) if len(shown) else 0.0
    names = [_name(row) for row in shown.to_dict("records")]
    return _theme.figure(
        [trace for kind in _LOOKS for trace in _bars(shown, kind, by)],
        title=_theme.safe(title, limit=120) if title else (said if total else f"No {thing} is known"),
        subtitle=f"{thing}s per rule and service; chronic: on a quarter of the days; flapping: changes too often",
        plot_height=max(90, _ROW * len(shown)),
        notes=notes,
        axis=54,
        xaxis={
            "title": {"text": f"{thing}s"},
            "range": [0, most * 1.28 or 1],
            "gridcolor": _theme.GRID,
            "zeroline": False,
        },
        yaxis={
            "tickvals": list(range(len(names))),
            "ticktext": names,
            "range": [len(names) - 0.5, -0.5],
            "automargin": True,
            "showgrid": False,
            "zeroline": False,
            "ticklen": 0,
        },
        barmode="overlay",
        showlegend=True,
        # In the corner below the short bars; beside the plot it leaves a narrow page no room for them.
        legend={"title": {"text": "the rule is"}, "x": 1, "xanchor": "right", "y": 0, "yanchor": "bottom"},
    )


def _bars(shown: pd.DataFrame, kind: str, by: str) -> list[go.Bar]:
    chronic, flaps = shown["chronic"].astype(bool), shown["flapping"].astype(bool)
    mine = {
        "chronic and flapping": chronic & flaps,
        "chronic": chronic & ~flaps,
        "flapping": flaps & ~chronic,
        "neither": ~chronic & ~flaps,
    }[kind]
    rows = shown[mine]
    if rows.empty:
        return []
    colour, pattern = _LOOKS[kind]
    return [
        go.Bar(
            orientation="h",
            width=0.7,
            name=kind,
            x=rows[by],
            y=rows.index.tolist(),
            text=[_end(row, by) for row in rows.to_dict("records")],
            textposition="outside",
            cliponaxis=False,
            hovertext=[_hover(row, kind) for row in rows.to_dict("records")],
            hoverinfo="text",
            marker={"color": colour, "pattern": {"shape": pattern, "fillmode": "overlay", "size": 6, "solidity": 0.2}},
        )
    ]


def _end(row: dict[Any, Any], by: str) -> str:
    return f"{row[by]:,}  {row['share']:.0%}  {row['so_far']:.0%}"


def _name(row: dict[Any, Any]) -> str:
    service = "" if pd.isna(row["service"]) else f" · {_theme.safe(row['service'], limit=22)}"
    return f"{_theme.safe(row['rule'], limit=_SHORT)}{service}"


def _hover(row: dict[Any, Any], kind: str) -> str:
    known = {
        "service": row["service"],
        "alerts": f"{row['count']:,}",
        "pages": f"{row['pages']:,}",
        "days": row.get("days"),
        "fired again within 24 h": _percent(row.get("refired")),
        "nobody took its pages": _percent(row.get("never_acknowledged")),
        "it is": kind,
    }
    return _theme.hover(row["rule"], known.items())


def _percent(value: Any) -> str | None:
    return None if value is None or pd.isna(value) else f"{value:.0%}"
