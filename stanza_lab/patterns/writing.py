"""Patterns as plain JSON and back: tables of counts and times, without alert text and without people."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

import pandas as pd

from stanza_lab import _params, schema
from stanza_lab.errors import BundleError
from stanza_lab.patterns.found import FAMILIES, OCCURRENCES, PATTERNS, PREFIXES, STEPS
from stanza_lab.patterns.kinds import BY

if TYPE_CHECKING:
    from stanza_lab.patterns.found import Patterns

FORMAT = 1
_TABLES = {"table": PATTERNS, "steps": STEPS, "occurrences": OCCURRENCES, "families": FAMILIES, "prefixes": PREFIXES}
_TIMES = ("first", "last")


def to_dict(patterns: Patterns) -> dict[str, Any]:
    """Return patterns as what JSON knows."""
    tables = {name: getattr(patterns, name) for name in _TABLES}
    known = {name: _plain(value) for name, value in patterns.known.items()}
    return {
        "format": FORMAT,
        "by": patterns.by,
        "known": known,
        "unseen": list(patterns.unseen),
        **{name: None if table is None else _rows(table, _TABLES[name]) for name, table in tables.items()},
    }


def from_dict(told: Mapping[str, Any]) -> dict[str, Any]:
    """Return the parts of patterns from what `to_dict` gave; says what is wrong with anything else."""
    if told.get("format") != FORMAT:
        raise BundleError(f"patterns of format {told.get('format')!r} are not known here; this version reads {FORMAT}")
    missing = [name for name in ("by", "known", "unseen", *_TABLES) if name not in told]
    if missing:
        raise BundleError(f"patterns lack {', '.join(missing)}; write them again with Patterns.to_dict")
    if told["by"] not in BY:
        raise BundleError(f"patterns by {str(told['by'])[:40]!r} are not known; one of {', '.join(BY)} belongs there")
    try:
        known = dict(told["known"])
        known |= {name: _params.instant(known[name], name) if known.get(name) else None for name in _TIMES}
        unseen = tuple(map(str, told["unseen"]))
        tables = {name: None if told[name] is None else _table(told[name], of) for name, of in _TABLES.items()}
    except (TypeError, ValueError, KeyError) as error:
        raise BundleError(f"the patterns are damaged: {error}; write them again with Patterns.to_dict") from error
    return {**tables, "by": told["by"], "known": known, "unseen": unseen}


def _rows(table: pd.DataFrame, columns: Mapping[str, Any]) -> list[dict[str, Any]]:
    shown = table[list(columns)].to_dict("records")
    return [{str(name): _plain(value) for name, value in row.items()} for row in shown]


def _plain(value: Any) -> Any:
    """Return a value as JSON knows it; what is null is None, a time ISO 8601 in UTC."""
    if isinstance(value, (list, dict)):
        return value
    if pd.isna(value):
        return None
    if isinstance(value, pd.Timestamp):
        return value.isoformat()
    return value.item() if hasattr(value, "item") else value


def _table(rows: list[dict[str, Any]], columns: Mapping[str, Any]) -> pd.DataFrame:
    table = pd.DataFrame(rows, columns=list(columns))
    for name, dtype in columns.items():
        if str(dtype).startswith("datetime64"):
            table[name] = pd.to_datetime(table[name], utc=True, format="ISO8601").astype(schema.TIME_DTYPE)
    return table.astype(dict(columns))
