"""The list of edits that follows from what was tried: a table, Markdown, CSV that no spreadsheet runs."""

from __future__ import annotations

import html
import json
import re
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd

from stanza_lab.production import words
from stanza_lab.reliability.quieter import terms

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from stanza_lab.reliability.quieter.record import Record

PATCHES: dict[str, Any] = {
    "number": "int64",
    "source": "str",
    "where": "str",
    "rule": "str",
    "service": "str",
    "change": "str",
    "value": "str",
    "edit": "str",
    "look": "str",
    "pages_saved": "int64",
    "missed": "int64",
    "occasions": "int64",
    "missed_high": "float64",
}
_CONTROL = re.compile(r"[\x00-\x1f\x7f-\x9f\u061c\u200e\u200f\u2028-\u202e\u2066-\u2069]")
_FORMULA = ("=", "+", "-", "@", "\t", "\r")
_MARKS = re.compile(r"([\\`*_\[\]{}()#+\-.!|~>])")
_LONGEST = 300  # characters of one text


def patches(changes: pd.DataFrame, chosen: Iterable[tuple[str, str, str]], record: Record) -> pd.DataFrame:
    """Return the edits for the `chosen` changes (rule, change, value) in that order, and for routes after them."""
    wanted = list(chosen)
    keyed = {(row["rule_key"], row["change"], row["value"]): row for row in changes.to_dict("records")}
    rows = [keyed[one] for one in wanted]
    rows += [row for row in changes.to_dict("records") if row["change"] == "route"]
    keys = pd.Index(record.rules["rule_key"])
    found = []
    for number, row in enumerate(rows, start=1):
        last = record.by_rule.of(int(keys.get_loc(row["rule_key"])))[-1]
        said = terms.edit(row, _labels(record.alerts["labels"].iloc[last]), words.listing(row["with_rules"]))
        found.append(row | {"number": number, **said._asdict()})
    return pd.DataFrame({name: pd.Series([r[name] for r in found], dtype=t) for name, t in PATCHES.items()})


def markdown(table: pd.DataFrame, heading: Iterable[str]) -> str:
    """Return the edits per source, with what was known, as Markdown; all text from alerts is escaped."""
    lines = ["# Tune down: a list of edits to review", ""]
    lines += [*(f"- {plain(said)}" for said in heading), "- Nothing here was applied: each edit is made by a person."]
    for source, rows in table.groupby(table["source"].fillna("unknown"), sort=True):
        lines += ["", f"## {plain(source)}", ""]
        for row in rows.to_dict("records"):
            about = f"{row['rule']} ({row['service']})" if isinstance(row["service"], str) else row["rule"]
            lines += [
                f"{row['number']}. **{plain(about)}**: {plain(row['change'])} {plain(row['value'])}".rstrip(),
                f"    - Where: {plain(row['where'])}",
                f"    - Edit: {plain(row['edit'])}",
                f"    - Look: {plain(row['look'])}",
                f"    - Later part: {plain(_figures(row))}",
            ]
    return "\n".join([*lines, ""])


def csv(table: pd.DataFrame) -> str:
    """Return a table as CSV in which no cell is a formula."""
    return str(table.map(cell).to_csv(index=False))


def cell(value: Any) -> Any:
    """Return a value that a spreadsheet shows and does not run."""
    if isinstance(value, (list, tuple, np.ndarray)):
        value = "; ".join(map(str, value))
    if not isinstance(value, str):
        return value
    value = _CONTROL.sub("\N{REPLACEMENT CHARACTER}", value.replace("\r\n", "\n").replace("\n", " "))
    return f"'{value}" if value.startswith(_FORMULA) else value


def plain(value: object) -> str:
    """Return untrusted text as one line of Markdown that shows as it is."""
    said = " ".join(_CONTROL.sub(" ", "" if value is None or value != value else str(value)).split())
    said = said if len(said) <= _LONGEST else said[: _LONGEST - 1] + "…"
    # Entities cannot begin a list or close a code span, and no renderer makes links of them.
    return html.escape(_MARKS.sub(r"\\\1", said), quote=False).replace("://", ":&#47;&#47;")


def _figures(row: Mapping[Any, Any]) -> str:
    if row["change"] == "route":
        return "moves pages, saves none"
    high = f", at most {row['missed_high']:.0%}" if row["missed_high"] == row["missed_high"] else ""
    return (
        f"{words.count(row['pages_saved'], 'page')} saved; {row['missed']:,} of "
        f"{words.count(row['occasions'], 'occasion')} missed{high}"
    )


def _labels(text: object) -> dict[str, Any]:
    try:
        found = json.loads(text) if isinstance(text, str) else {}
    except (ValueError, RecursionError):
        return {}
    return found if isinstance(found, dict) else {}
