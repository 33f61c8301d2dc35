"""Pages per shift and rotation, against what the SRE book allows."""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt
import pandas as pd
import plotly.graph_objects as go

from stanza_lab import _params
from stanza_lab.errors import SchemaError
from stanza_lab.plot import _rows, _theme
from stanza_lab.production import words

_NEED = ("rotation", "local", "tz", "pages", "incidents", "limit", "over", "whole")
_MOST_SHIFTS, _MOST_NUMBERS = 70, 46  # columns: above, weeks are drawn; above, numbers no longer fit
_ROW, _TICKS = 30, 9  # px; labels on the time axis
# None, up to the limit, up to twice as many, more: two hues, each darker with more.
_COLOURS = ("#F6F7F9", "#9CC3E2", "#E8905A", "#A84600")
_CUT = "the ends of the history cut it"


def pager_load(shifts: pd.DataFrame, *, every: str = "auto", top: int = 30, title: str | None = None) -> go.Figure:
    """Draw how many incidents paged in each shift, a row per rotation, the most loaded on top.

    Blue is within the limit, orange above it. Over many shifts a cell is a week, and stands for its worst shift.

    Parameters
    ----------
    shifts : DataFrame
        `PagerLoad.shifts`.
    every : {"auto", "shift", "week"}, default "auto"
        What a column is; weeks begin on Monday. Default: a shift, where there are 70 or fewer, else a week.
    top : int, default 30
        Most rows; rotations beyond are counted in a note below.
    title : str, optional
        Default: how many shifts were above the limit.

    Returns
    -------
    plotly.graph_objects.Figure
        Times are those of each rotation's own clock.

    Raises
    ------
    SchemaError
        A column is missing.
    ParameterError
        `every` or `top` is none of what they may be.

    See Also
    --------
    interruptions : At what hours of life.

    Examples
    --------
    >>> import pandas as pd
    >>> import stanza_lab as sl
    >>> shifts = pd.DataFrame({
    ...     "rotation": "web", "local": pd.to_datetime(["2026-03-02 08:00", "2026-03-02 20:00"]), "tz": "UTC",
    ...     "pages": [1, 5], "incidents": [1, 3], "limit": 2.0, "over": [False, True], "whole": True,
    ... })
    >>> sl.plot.pager_load(shifts).layout.title.text
    'More than 2 incidents paged in 1 of 2 shifts'
    """
    missing = [name for name in _NEED if name not in getattr(shifts, "columns", ())]
    if missing:
        raise SchemaError(f"shifts: columns {missing} are missing; pass PagerLoad.shifts")
    _params.choice(every, "every", ("auto", "shift", "week"))
    _params.at_least(top, "top", 1)
    sums = _loads(shifts)
    shown, rest = sums.head(top), sums.iloc[top:]
    drawn = shifts[shifts["rotation"].isin(shown.index)]
    weekly = every == "week" or (every == "auto" and drawn["local"].nunique() > _MOST_SHIFTS)
    at = _monday(drawn["local"]) if weekly else drawn["local"]
    columns = pd.DatetimeIndex(np.sort(at.unique()))
    whole = shifts[shifts["whole"]]
    limit = float(shifts["limit"].max()) if len(shifts) else 0.0
    per = "week (its worst shift)" if weekly else "shift"
    notes = [f"a cell is a {per}; mean and limit are of whole shifts only, those cut by the ends are excluded"]
    if len(rest):
        notes.append(
            f"not shown: {words.count(len(rest), 'rotation')}, {_theme.safe(words.listing(rest.index, top=6))}"
        )
    said = f"More than {limit:g} incidents paged in {int(whole['over'].sum()):,} of {words.count(len(whole), 'shift')}"
    zones = sorted(set(shifts["tz"]))
    ticks = np.arange(0, len(columns), -(-len(columns) // _TICKS) or 1)
    labels = [
        f"{_theme.safe(name, limit=26)}  <span style='color:{_theme.FAINT}'>{_mean(row)}</span>"
        for name, row in zip(shown.index, shown.to_dict("records"), strict=True)
    ]
    return _theme.figure(
        [_cells(drawn, at, list(shown.index), columns, weekly=weekly)] if len(drawn) else [],
        title=_theme.safe(title, limit=120) if title else said,
        subtitle=f"{words.count(len(sums), 'rotation')}; incidents that paged per shift, at most {limit:g} (SRE book)",
        plot_height=max(90, _ROW * len(shown)),
        notes=notes,
        axis=58,
        xaxis={
            "title": {"text": f"{'week' if weekly else 'shift'} from ({_clock(zones)})"},
            "tickvals": [int(tick) for tick in ticks],
            "ticktext": _labels(columns[ticks], weekly=weekly) if len(columns) else [],
            "tickangle": 0,
            "showgrid": False,
            "zeroline": False,
            "ticks": "outside",
        },
        yaxis=_rows.axis([str(name) for name in shown.index]) | {"ticktext": labels, "showgrid": False},
    )


def _loads(shifts: pd.DataFrame) -> pd.DataFrame:
    """Return mean, over and n (whole shifts) of each rotation, the most loaded first."""
    whole = shifts[shifts["whole"]]
    groups = whole.groupby("rotation", sort=True)
    sums = pd.DataFrame({"over": groups["over"].sum(), "mean": groups["incidents"].mean(), "n": groups.size()}).reindex(
        sorted(set(shifts["rotation"]))
    )
    sums = sums.assign(over=sums["over"].fillna(0), n=sums["n"].fillna(0))
    return sums.sort_values(["over", "mean"], ascending=False, kind="stable")


def _mean(row: dict[Any, Any]) -> str:
    if not row["n"]:
        return "no whole shift"
    return f"{row['mean']:.2f} a shift, {int(row['over']):,} over"


def _cells(
    shifts: pd.DataFrame, at: pd.Series, names: list[str], columns: pd.DatetimeIndex, *, weekly: bool
) -> go.Heatmap:
    row = pd.Index(names).get_indexer(pd.Index(shifts["rotation"]))
    column = columns.get_indexer(pd.DatetimeIndex(at))
    cells = pd.DataFrame({"row": row, "column": column, **{k: shifts[k].to_numpy() for k in _NEED if k != "rotation"}})
    found = cells.groupby(["row", "column"]).agg(
        worst=("incidents", "max"), incidents=("incidents", "sum"), pages=("pages", "sum"), limit=("limit", "max"),
        over=("over", "sum"), n=("over", "size"), whole=("whole", "all"),
    ).reset_index()  # fmt: skip
    shade = np.full((len(names), len(columns)), np.nan)
    text = np.full(shade.shape, "", dtype=object)
    hover = np.full(shade.shape, "", dtype=object)
    for cell in found.to_dict("records"):
        place = cell["row"], cell["column"]
        load = cell["worst"] / cell["limit"]
        shade[place] = 0 if not load else 1 if load <= 1 else 2 if load <= 2 else 3
        text[place] = f"{cell['worst']:,}" if cell["worst"] else ""
        hover[place] = _hover(names[cell["row"]], columns[cell["column"]], cell, weekly=weekly)
    few = len(columns) <= _MOST_NUMBERS
    return go.Heatmap(
        x=list(range(len(columns))),
        y=list(range(len(names))),
        z=shade,
        zmin=-0.5,
        zmax=3.5,
        text=text if few else None,
        texttemplate="%{text}" if few else None,
        textfont={"color": _theme.INK},
        hovertext=hover,
        hoverinfo="text",
        hoverongaps=False,
        colorscale=_steps(),
        xgap=2 if few else 1,
        ygap=3,
        colorbar={
            "title": {"text": "incidents"},
            "tickvals": [0, 1, 2, 3],
            "ticktext": ["none", "in the limit", "up to twice", "more"],
            "thickness": 14,
            "len": min(1.0, 150 / max(90, _ROW * len(names))) if len(names) > 5 else 1.0,
            "yanchor": "top",
            "y": 1,
        },
    )


def _hover(name: str, at: pd.Timestamp, cell: dict[Any, Any], *, weekly: bool) -> str:
    when = f"week of {at:%Y-%m-%d}" if weekly else f"shift from {at:%a %Y-%m-%d %H:%M}"
    lines = [
        f"<b>{_theme.safe(name)}</b>, {when}",
        f"{words.count(int(cell['incidents']), 'incident')} in {words.count(int(cell['pages']), 'page')}",
    ]
    if weekly:
        lines.append(f"worst shift: {int(cell['worst']):,}; {int(cell['over']):,} of {int(cell['n']):,} over the limit")
    return "<br>".join([*lines, *([] if cell["whole"] else [_CUT])])


def _steps() -> list[tuple[float, str]]:
    edges: npt.NDArray[np.float64] = np.linspace(0, 1, len(_COLOURS) + 1)
    return [(float(edges[i + side]), colour) for i, colour in enumerate(_COLOURS) for side in (0, 1)]


def _labels(at: pd.DatetimeIndex, *, weekly: bool) -> list[str]:
    if not weekly:
        return _rows.tick_labels(at)
    return [
        f"{day:%m-%d}" + (f"<br>{day:%Y}" if not i or day.year != at[i - 1].year else "") for i, day in enumerate(at)
    ]


def _monday(local: pd.Series) -> pd.Series:
    monday: pd.Series = (local - pd.to_timedelta(local.dt.day_of_week, unit="D")).dt.normalize()
    return monday


def _clock(zones: list[str]) -> str:
    return _theme.safe(zones[0]) if len(zones) == 1 else "each rotation's own clock" if zones else "UTC"
