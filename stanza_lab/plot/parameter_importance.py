"""Which parameters of a study make the difference."""

from __future__ import annotations

import numpy as np
import pandas as pd
import plotly.graph_objects as go

from stanza_lab.errors import SchemaError
from stanza_lab.plot import _theme
from stanza_lab.production import words

_MOST = 20  # bars
_ROW = 30  # px
_BAR = "#0072B2"


def parameter_importance(importance: pd.DataFrame, *, title: str | None = None) -> go.Figure:
    """Draw how much each parameter explains of how good the trials were, the most important on top.

    Parameters
    ----------
    importance : DataFrame
        `parameter` (str) and `importance` (float, 0 or above; often a share of 1), a row each.
    title : str, optional
        Default: which parameter matters most.

    Returns
    -------
    plotly.graph_objects.Figure
        At most 20 bars; the others, and parameters of unknown importance, are counted in a note.

    Raises
    ------
    SchemaError
        A column is missing, or `importance` holds no numbers.

    See Also
    --------
    trade_off : The trials themselves.

    Notes
    -----
    Importance says how much the trials differed with a parameter over the range that was searched: of a parameter that
    was searched in a narrow range it is small, however much it matters outside.

    Examples
    --------
    >>> import pandas as pd
    >>> import stanza_lab as sl
    >>> importance = pd.DataFrame({"parameter": ["max_gap", "min_alerts"], "importance": [0.8, 0.2]})
    >>> sl.plot.parameter_importance(importance).layout.title.text
    'What matters most: max_gap'
    """
    if not isinstance(importance, pd.DataFrame):
        raise SchemaError(f"importance must be a pandas DataFrame, not {type(importance).__name__}")
    for name in ("parameter", "importance"):
        if name not in importance.columns:
            columns = list(map(str, importance.columns))
            raise SchemaError(f"importance: column {name!r} is missing; columns are {columns}; add it")
    try:
        values = pd.to_numeric(importance["importance"]).to_numpy(dtype="float64", na_value=np.nan)
    except (ValueError, TypeError) as error:
        raise SchemaError(f"importance: column 'importance': {error}; pass numbers") from None
    rows = pd.DataFrame({"parameter": importance["parameter"].astype("str").to_numpy(), "value": values})
    known = rows[np.isfinite(rows["value"])].sort_values(["value", "parameter"], ascending=[False, True])
    shown, rest = known.head(_MOST), known.iloc[_MOST:]
    notes = []
    if len(rest):
        notes.append(f"not shown: {words.count(len(rest), 'parameter')} of {rest['value'].max():.2g} or less")
    if len(rows) > len(known):
        notes.append(f"not shown: {words.count(len(rows) - len(known), 'parameter')} of unknown importance")
    text = f"What matters most: {_theme.safe(shown['parameter'].iloc[0])}" if len(shown) else "No importance known"
    names = [_theme.safe(name, limit=34) for name in shown["parameter"]]
    bars = go.Bar(
        orientation="h",
        x=shown["value"],
        y=list(range(len(shown))),
        text=[_share(value) for value in shown["value"]],
        textposition="outside",
        cliponaxis=False,
        hoverinfo="skip",
        marker={"color": _BAR},
    )
    most = float(shown["value"].max()) if len(shown) else 0.0
    return _theme.figure(
        [bars] if len(shown) else [],
        title=_theme.safe(title, limit=120) if title else text,
        subtitle="how much the trials differ with each parameter, over the range that was searched",
        plot_height=max(90, _ROW * len(shown)),
        notes=notes,
        axis=56,
        xaxis={
            "title": {"text": "importance"},
            "range": [0, most * 1.12 or 1],
            "gridcolor": _theme.GRID,
            "zeroline": False,
            "rangemode": "tozero",
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
        bargap=0.35,
        showlegend=False,
    )


def _share(value: float) -> str:
    """Return an importance for a bar, never rounded to none."""
    return "<0.01" if 0 < value < 0.01 else f"{value:.2f}"
