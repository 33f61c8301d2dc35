"""What leads to what: kinds of alerts on a callee against kinds on its callers."""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd
import plotly.graph_objects as go

from stanza_lab import _params, schema
from stanza_lab.dependencies.propagation import PROPAGATION
from stanza_lab.entities.symptoms import SYMPTOMS
from stanza_lab.errors import ParameterError
from stanza_lab.plot import _rows, _theme
from stanza_lab.production import words

_SURE = 0.05  # q-value up to which a cell is shaded
_FULL, _SHORT = 8, 24  # kinds, up to which cells say everything, or the probability alone
_ROWS = ((_FULL, 64), (_SHORT, 30))  # px of a row, up to so many kinds
_THIN = 16  # px of a row beyond
_EMPTY = "#EEF0F2"
_NEED = ("callee_kind", "caller_kind", "callee_firings", "followed", "probability", "lag_s", "q_value")


def propagation(table: pd.DataFrame, *, top: int = 60) -> go.Figure:
    """Draw what trouble on a callee leads to on its callers: a row per kind there, a column per kind on the caller.

    The darker a cell, the more often the row's kind is followed by the column's, beyond chance. Grey cells are known
    but no more than chance or a common cause explains, or too rare to tell; white ones were never seen.

    Parameters
    ----------
    table : DataFrame
        From `stanza_lab.infer_propagation`, of all edges together or of one.
    top : int, default 60
        Most kinds per side, those with the most firings; more make smaller cells. The golden signals keep their order.

    Returns
    -------
    plotly.graph_objects.Figure
        Cells say probability, median lag and firings where there is room; their hovers say all of it.

    Raises
    ------
    SchemaError
        A column is missing or malformed.
    ParameterError
        A pair of kinds has several rows, as in a table made with `by=`.

    Examples
    --------
    >>> import stanza_lab as sl
    >>> production = sl.simulate_production(incidents=200)
    >>> edges = production.call_graph.rename(columns={"caller": "src", "callee": "dst"})
    >>> sl.plot.propagation(sl.infer_propagation(production.alerts, edges)).layout.title.text
    'What trouble on a callee leads to on its callers'
    """
    table = schema.check(table, PROPAGATION, need=_NEED)
    _params.at_least(top, "top", 1)
    if table.duplicated(["callee_kind", "caller_kind"]).any():
        raise ParameterError(
            "a pair of kinds has several rows; pass a table made without by=, or the rows of one edge: "
            'table[(table["src"] == "web") & (table["dst"] == "orders")]'
        )
    callee, caller = _kinds(table, "callee_kind", top), _kinds(table, "caller_kind", top)
    hidden = table["callee_kind"].nunique() + table["caller_kind"].nunique() - len(callee) - len(caller)
    many = max(len(callee), len(caller))
    shown = table[table["callee_kind"].isin(callee) & table["caller_kind"].isin(caller)]
    above = (shown["q_value"] <= _SURE) & shown["probability"].notna()
    notes = ["grey: no more than chance or a common cause explains, or too few occasions; white: never seen on an edge"]
    notes += [f"not shown: {words.count(hidden, 'kind')} with fewer firings"] if hidden else []
    return _theme.figure(
        [_known(shown, ~above, callee, caller, many), _shades(shown, above, callee, caller, many)]
        if len(shown)
        else [],
        title="What trouble on a callee leads to on its callers",
        subtitle="rows: what fires on the callee; columns: what follows on its caller; shade: how often, beyond chance"
        f"<br>{int(above.sum())} of {words.count(len(table), 'pair')} of kinds are followed",
        plot_height=max(120, len(callee) * next((px for most, px in _ROWS if many <= most), _THIN)),
        notes=notes,
        axis=40 + 6 * min(30, max([len(name) for name in caller], default=0)) * (many > _FULL),
        xaxis={
            "tickvals": list(range(len(caller))),
            "ticktext": [_theme.safe(name, limit=30) for name in caller],
            "range": [-0.5, len(caller) - 0.5],
            "tickangle": 0 if many <= _FULL else -90,
            "showgrid": False,
            "zeroline": False,
            "automargin": True,
        },
        yaxis=_rows.axis(callee) | {"showgrid": False},
    )


def _kinds(table: pd.DataFrame, column: str, top: int) -> list[str]:
    """Return the kinds with most firings, the golden signals in their order."""
    total = table.groupby(column)["callee_firings"].sum()
    names = sorted(total.index, key=lambda name: (-total[name], name))[:top]
    return sorted(names, key=SYMPTOMS.index) if set(names) <= set(SYMPTOMS) else names


def _grid(shown: pd.DataFrame, values: Any, callee: list[str], caller: list[str], empty: Any) -> np.ndarray:
    grid = np.full((len(callee), len(caller)), empty, dtype=object)
    rows, columns = (
        pd.Index(callee).get_indexer(pd.Index(shown["callee_kind"])),
        pd.Index(caller).get_indexer(pd.Index(shown["caller_kind"])),
    )
    grid[rows, columns] = np.asarray(values, dtype=object)
    return grid


def _known(shown: pd.DataFrame, plain: pd.Series, callee: list[str], caller: list[str], many: int) -> go.Heatmap:
    """Return grey cells for every pair that was seen; shades lie over all but the `plain` ones."""
    said = np.where(shown["probability"].isna(), "too few", "chance")
    return go.Heatmap(
        x=list(range(len(caller))),
        y=list(range(len(callee))),
        z=_grid(shown, np.zeros(len(shown)), callee, caller, np.nan).astype("float32"),
        text=_grid(shown, np.where(plain, said, ""), callee, caller, "").tolist() if many <= _FULL else None,
        texttemplate="%{text}" if many <= _FULL else None,
        textfont={"color": _theme.FAINT},
        hovertext=_grid(shown, _hovers(shown), callee, caller, "").tolist(),
        hoverinfo="text",
        hoverongaps=False,
        colorscale=[(0, _EMPTY), (1, _EMPTY)],
        showscale=False,
        xgap=2,
        ygap=2,
    )


def _shades(shown: pd.DataFrame, above: pd.Series, callee: list[str], caller: list[str], many: int) -> go.Heatmap:
    sure = shown[above]
    z = _grid(sure, sure["probability"], callee, caller, np.nan).astype("float32")
    most = max(0.1, float(np.nanmax(z)) if len(sure) else 0.0)
    text = _grid(sure, [_cell(*row, full=many <= _FULL) for row in _told(sure)], callee, caller, "")
    return go.Heatmap(
        x=list(range(len(caller))),
        y=list(range(len(callee))),
        z=z,
        zmin=0,
        zmax=most,
        text=text.tolist() if many <= _SHORT else None,
        texttemplate="%{text}" if many <= _SHORT else None,
        hovertext=_grid(sure, _hovers(sure), callee, caller, "").tolist(),
        hoverinfo="text",
        hoverongaps=False,
        colorscale=_theme.COUNTS,
        colorbar={"title": {"text": "followed"}, "tickformat": ".0%", "thickness": 12},
        xgap=2,
        ygap=2,
    )


def _told(shown: pd.DataFrame) -> list[tuple[float, float, int]]:
    return list(
        zip(shown["probability"].tolist(), shown["lag_s"].tolist(), shown["callee_firings"].tolist(), strict=True)
    )


def _cell(probability: float, lag_s: float, firings: int, *, full: bool) -> str:
    said = f"{probability:.0%}"
    return f"<b>{said}</b><br>{words.span(lag_s)}<br>n = {firings:,}" if full else said


def _hovers(shown: pd.DataFrame) -> list[str]:
    """Return all that the row says; an interval and the rest where the table has them."""
    said = []
    for row in shown.to_dict("records"):
        interval = f" ({row['low']:.0%} to {row['high']:.0%})" if "low" in row and row["low"] == row["low"] else ""
        known = row["probability"] == row["probability"]
        lines = [
            ("followed beyond chance", f"{row['probability']:.0%}{interval}" if known else "too few occasions to tell"),
            ("later", words.span(row["lag_s"]) if row["lag_s"] == row["lag_s"] else None),
            ("firings of the callee", f"{row['callee_firings']:,}, {row['followed']:,} followed"),
            ("expected by chance", f"{row['expected']:.1f}" if "expected" in row else None),
            ("caller first", f"{row['reverse']:,}" if "reverse" in row else None),
            ("edges", f"{row['edges']:,}" if "edges" in row else None),
            ("q", words.rate(row["q_value"]) if known else None),
        ]
        said.append(_theme.hover(f"{row['callee_kind']} → {row['caller_kind']}", lines))
    return said
