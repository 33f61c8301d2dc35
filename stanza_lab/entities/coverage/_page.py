"""A small page for a notebook: sentences and the first rows of tables, all text escaped, a few KB."""

from __future__ import annotations

import html
from collections.abc import Iterable, Mapping
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import pandas as pd

_ROWS = 12  # per table
_CELL, _SENTENCE = 240, 600  # characters


def page(sentences: Iterable[str], tables: Mapping[str, pd.DataFrame]) -> str:
    """Return the first sentence as a heading, the others as a list, then the tables that have rows."""
    first, *rest = [_text(sentence, _SENTENCE) for sentence in sentences]
    items = "".join(f"<li>{sentence}</li>" for sentence in rest)
    shown = "".join(_table(title, table) for title, table in tables.items() if len(table))
    return f"<p><b>{first}</b></p>{f'<ul>{items}</ul>' if items else ''}{shown}"


def _table(title: str, table: pd.DataFrame) -> str:
    head = "".join(f"<th>{_text(str(name).replace('_', ' '))}</th>" for name in table.columns)
    rows = table.head(_ROWS).itertuples(index=False)
    body = "".join("<tr>" + "".join(f"<td>{_text(value)}</td>" for value in row) + "</tr>" for row in rows)
    more = f"<p>and {len(table) - _ROWS:,} more</p>" if len(table) > _ROWS else ""
    heading = f"<p>{_text(title)}</p>"
    return f"{heading}<table><thead><tr>{head}</tr></thead><tbody>{body}</tbody></table>{more}"


def _text(value: object, limit: int = _CELL) -> str:
    """Return `value` shortened and escaped; null is empty."""
    said = f"{value:,}" if isinstance(value, int) else str(value)
    said = "" if said in ("nan", "None", "<NA>", "NaT") else said
    return html.escape(said if len(said) <= limit else said[: limit - 1] + "…")
