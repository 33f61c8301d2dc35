"""How a map shows itself in a notebook."""

from __future__ import annotations

import html
from collections.abc import Iterable
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import pandas as pd

_ROWS = 12  # per table
_NAME = 60  # characters per cell
_SENTENCE = 400
_EVIDENCE = ["src", "dst", "link_confidence", "confidence", "direction", "support", "lag_s", "verdict"]


def page(title: str, services: pd.DataFrame, links: pd.DataFrame, gaps: Iterable[str]) -> str:
    """Return teams, surest links and gaps as HTML of a few KB, all text escaped."""
    teams = services.assign(team=services["team"].fillna("unknown")).groupby("team")
    owned = teams.agg(services=("service", "size"), alerts=("alerts", "sum")).reset_index()
    owned = owned.sort_values("services", ascending=False, kind="stable")
    items = "".join(f"<li>{_text(gap, _SENTENCE)}</li>" for gap in gaps)
    return (
        f"<p><b>{_text(title, _SENTENCE)}</b></p>"
        + _table("Teams", owned)
        + _table("Surest dependencies", links[_EVIDENCE])
        + (f"<p>Could not be seen:</p><ul>{items}</ul>" if items else "")
    )


def _text(value: object, limit: int = _NAME) -> str:
    """Return `value` shortened and escaped."""
    said = f"{value:.3g}" if isinstance(value, float) else str(value)
    said = "" if said == "nan" else said
    return html.escape(said if len(said) <= limit else said[: limit - 1] + "…")


def _table(title: str, table: pd.DataFrame) -> str:
    """Return the first rows of a table, or nothing when it has none."""
    if table.empty:
        return ""
    head = "".join(f"<th>{_text(name)}</th>" for name in table.columns)
    rows = table.head(_ROWS).itertuples(index=False)
    body = "".join("<tr>" + "".join(f"<td>{_text(value)}</td>" for value in row) + "</tr>" for row in rows)
    more = f"<p>and {len(table) - _ROWS:,} more</p>" if len(table) > _ROWS else ""
    return f"<p>{title}</p><table><thead><tr>{head}</tr></thead><tbody>{body}</tbody></table>{more}"
