"""Tables in a page: escaped, captioned, and with what their columns mean."""

from __future__ import annotations

import html
from collections.abc import Mapping

import pandas as pd

from stanza_lab.production import display, words

ROWS = 50  # in sight at first; the page's filter finds the others
FEW = 10  # a table of so few rows needs no filter
_MOST = 1_000  # rows in the page
_CELL, _SHORT, _TOOLTIP = 200, 28, 2_000  # characters: of a cell, of one that never wraps, of a list in full
_LISTED = 2  # names per cell; the rest is counted, and all stand in its tooltip
_INCIDENT = {
    "incident_id": "incident", "starts_at": "first alert (UTC)", "spread_s": "all began within", "alerts": "alerts",
    "open_alerts": "open", "severity": "severity", "services": "services", "teams": "teams", "title": "what",
}  # fmt: skip
_TOLD_OTHERWISE = ["ends_at", "duration_s", "rules", "sources", "first_service"]  # of an incident; not for this page


def table(frame: pd.DataFrame, thing: str, order: str = "", *, most: int = _MOST) -> str:
    """Return the first rows of a frame as an HTML table; its caption counts the `thing` a row is."""
    if not len(frame):
        return ""
    shown = frame.head(most)
    marks = [f' class="{_kind(str(name), shown[name])}"' for name in shown.columns]
    head = "".join(f'<th scope="col"{m}>{html.escape(str(c))}</th>' for c, m in zip(frame.columns, marks, strict=True))
    rows = "".join(
        "<tr>" + "".join(f"<td{m}{_all(v)}>{_cell(v)}</td>" for v, m in zip(row, marks, strict=True)) + "</tr>"
        for row in shown.itertuples(index=False)
    )
    first = "" if len(shown) == len(frame) else f"; the first {len(shown):,} are here"
    caption = html.escape(f"{words.count(len(frame), thing)}{order}{first}")
    inner = f"<table><caption>{caption}</caption><thead><tr>{head}</tr></thead><tbody>{rows}</tbody></table>"
    return f'<div class="wide">{inner}</div>'


def incidents(found: pd.DataFrame) -> str:
    """Return incidents as a table for people: the newest first, lengths of time in words."""
    shown = found.drop(columns=_TOLD_OTHERWISE, errors="ignore")
    if "starts_at" in shown.columns:
        shown = shown.sort_values("starts_at", ascending=False, kind="stable")
    told: dict[str, list[str]] = {}
    if "spread_s" in shown.columns:
        told["spread_s"] = ["" if pd.isna(seconds) else words.span(seconds) for seconds in shown["spread_s"]]
    if "open_alerts" in shown.columns:
        told["open_alerts"] = [f"{number:,} still open" if number else "" for number in shown["open_alerts"].fillna(0)]
    if {"services", "title"} <= set(shown.columns):  # a title that repeats the services says them twice
        told["title"] = [
            title.split(": ", 1)[-1] if isinstance(who, list) and title.startswith(tuple(who[:1])) else title
            for who, title in zip(shown["services"], shown["title"].fillna("").astype("str"), strict=True)
        ]
    known = [name for name in _INCIDENT if name in shown.columns]
    shown = shown.assign(**told)[[*known, *shown.columns.drop(known)]].rename(columns=_INCIDENT)
    notes = {
        "all began within": "from the first alert's start to the last one's",
        "open": "alerts without an end; sources such as Sentry never report one",
    }
    return table(shown, "incident", ", the newest first") + legend(shown, notes)


def links(found: pd.DataFrame, thing: str, order: str) -> str:
    """Return links (or edges) as a table with what its columns mean."""
    shown = display.evidence(found)
    return table(shown, thing, order) + legend(shown, display.LEGEND)


def legend(shown: pd.DataFrame, meanings: Mapping[str, str]) -> str:
    """Return what the columns of `shown` mean."""
    items = [
        f"<li><b>{html.escape(name)}</b>: {html.escape(said)}</li>"
        for name, said in meanings.items()
        if name in shown.columns and len(shown)
    ]
    return f'<ul class="legend faint">{"".join(items)}</ul>' if items else ""


def _kind(name: str, column: pd.Series) -> str:
    """Return what a column is: a number, short (never wrapped) or text."""
    if pd.api.types.is_numeric_dtype(column) or name in display.PROBABILITIES:
        return "number"
    longest = max((len(_cell(value)) for value in column), default=0)
    return "short" if longest <= _SHORT else "text"


def _all(value: object) -> str:
    """Return all of a long list as a tooltip."""
    if not isinstance(value, (list, tuple)) or len(value) <= _LISTED:
        return ""
    return f' title="{html.escape(", ".join(map(str, value))[:_TOOLTIP])}"'


def _cell(value: object) -> str:
    """Return one value as escaped text."""
    if isinstance(value, (list, tuple)):
        more = f" +{len(value) - _LISTED} more" if len(value) > _LISTED else ""
        said = ", ".join(map(str, value[:_LISTED])) + more
    elif isinstance(value, pd.Timestamp):
        said = f"{value:%Y-%m-%d %H:%M}"
    elif value is None or value is pd.NaT or value is pd.NA or value != value:
        said = ""
    elif isinstance(value, float):
        said = f"{value:.3g}" if abs(value) < 1000 else f"{value:,.0f}"
    else:
        said = str(value)
    return html.escape(said if len(said) <= _CELL else said[: _CELL - 1] + "…")
