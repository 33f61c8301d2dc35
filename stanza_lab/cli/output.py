"""Tables for the terminal and for files: readable first, safe always.

Alert text is untrusted. In a terminal its control characters could move the cursor or retitle the window; in a
spreadsheet a cell that starts with ``=`` is a formula. Both are taken apart here, where the text leaves.
"""

from __future__ import annotations

import os
import re
import sys
from collections.abc import Sequence
from enum import StrEnum
from pathlib import Path
from typing import Any

import orjson
import pandas as pd
from rich import box
from rich.console import Console
from rich.table import Table
from rich.text import Text

from stanza_lab.errors import ParameterError

stderr = Console(stderr=True, highlight=False, soft_wrap=True)

# C0 and C1 controls, line separators and what turns the direction of text; tab and newline become spaces below.
_CONTROL = re.compile(r"[\x00-\x1f\x7f-\x9f\u061c\u200e\u200f\u2028-\u202e\u2066-\u2069]")
_FORMULA = ("=", "+", "-", "@", "\t", "\r")
_PIPED_WIDTH = 200  # characters when nobody says how wide: into a file or a pager
_LEAST_WIDTH = 24  # characters a text column keeps before others are left out for it
_PADDING = 3  # characters between two columns
_JSON = orjson.OPT_INDENT_2 | orjson.OPT_APPEND_NEWLINE | orjson.OPT_SERIALIZE_NUMPY


class Format(StrEnum):
    """How a table leaves the program."""

    table = "table"
    json = "json"
    csv = "csv"
    parquet = "parquet"


def plain(value: Any) -> str:
    """Return `value` as one line of harmless text for a terminal."""
    if isinstance(value, float):
        if value != value:
            return ""
        return f"{value + 0.0:.3g}" if abs(value) < 1000 else f"{value:,.0f}"
    if isinstance(value, pd.Timestamp):
        return f"{value:%Y-%m-%d %H:%M}Z"
    if isinstance(value, list):
        return ", ".join(map(plain, value))
    if value is None or value is pd.NaT or value is pd.NA:
        return ""
    return _CONTROL.sub("\N{REPLACEMENT CHARACTER}", str(value).replace("\n", " ").replace("\t", " "))


def format_of(chosen: Format | None, out: Path | None) -> Format:
    """Return how to write: as chosen, else as the name of the file says, else for people."""
    if chosen is not None or out is None:
        return chosen or Format.table
    suffix = out.suffix.lower().removeprefix(".")
    if suffix in ("txt", "md", ""):
        return Format.table
    if suffix not in {*Format}:
        raise ParameterError(f"--out {out}: files are .csv, .json, .parquet or .txt; or pass --format")
    return Format(suffix)


def emit(
    frame: pd.DataFrame,
    *,
    format: Format,  # noqa: A002
    out: Path | None,
    title: str,
    limit: int = 40,
    spare: Sequence[str] = (),
    legend: str | None = None,
) -> None:
    """Write `frame` to standard output, or to the file `out`.

    Parameters
    ----------
    frame : DataFrame
        What to write.
    format : Format
        ``table`` is for people and shows at most `limit` rows; the others carry every row.
    out : Path or None
        File to write instead of standard output; needed for Parquet.
    title : str
        Heading of the readable table.
    limit : int
        Rows the readable table shows; 0 shows all.
    spare : sequence of str
        Columns the readable table leaves out where the terminal is narrow, the first first.
    legend : str, optional
        What the columns mean, under the readable table.

    Raises
    ------
    ParameterError
        Parquet without `out`: it is not text.
    """
    if format is Format.parquet:
        if out is None:
            raise ParameterError("--format parquet is not text; add --out FILE.parquet")
        frame.to_parquet(out, index=False)
    elif format is Format.table:
        if out is None:
            width = None if sys.stdout.isatty() or "COLUMNS" in os.environ else _PIPED_WIDTH
            _show(frame, Console(width=width), title, limit, spare, legend)
        else:
            with out.open("w", encoding="utf-8") as stream:
                _show(frame, Console(file=stream, width=_PIPED_WIDTH), title, 0, (), legend)
    else:
        text = _json(frame) if format is Format.json else frame.map(_cell).to_csv(index=False).encode()
        if out is None:
            sys.stdout.buffer.write(text)
            sys.stdout.buffer.flush()
        else:
            out.write_bytes(text)
    if out is not None:
        stderr.print(Text(f"{len(frame):,} rows written to {out}"))


def emit_json(value: dict[str, Any], *, out: Path | None = None) -> None:
    """Write one JSON object to standard output, or to the file `out`."""
    text = orjson.dumps(value, default=str, option=_JSON)
    if out is not None:
        out.write_bytes(text)
        return
    sys.stdout.buffer.write(text)
    sys.stdout.buffer.flush()


def records(frame: pd.DataFrame) -> list[dict[str, Any]]:
    """Return the rows of a table as JSON can carry them."""
    return [{str(key): _value(value) for key, value in row.items()} for row in frame.to_dict("records")]


def _show(
    frame: pd.DataFrame, console: Console, title: str, limit: int, spare: Sequence[str], legend: str | None
) -> None:
    """Print a line per row; what does not fit is left out by the column, then cut, and never wrapped."""
    console.print(Text(title, style="bold"))
    if frame.empty:
        return
    shown = (frame if not limit else frame.head(limit)).map(plain)
    natural = {name: max(len(str(name)), int(shown[name].str.len().max())) for name in shown.columns}
    widths = {name: min(width, max(len(str(name)), _LEAST_WIDTH)) for name, width in natural.items()}
    room = console.width - _PADDING * len(widths) - sum(widths.values())
    for name in spare:
        if room < 0 and name in widths:
            room += widths.pop(name) + _PADDING
    for name, width in widths.items():  # what is left over goes to the columns that are cut, from the left
        more = min(max(room, 0), natural[name] - width)
        widths[name] = width + more
        room -= more
    table = Table(box=box.SIMPLE_HEAD, header_style="bold", pad_edge=False)
    for name, width in widths.items():
        number = pd.api.types.is_numeric_dtype(frame[name])
        table.add_column(str(name), justify="right" if number else "left", no_wrap=True, width=width)
    for row in shown[list(widths)].itertuples(index=False):
        table.add_row(*map(Text, row))
    console.print(table)
    if len(shown) < len(frame):
        more = len(frame) - len(shown)
        console.print(f"{more:,} more rows; --limit 0 shows all, --out FILE.csv carries them", style="dim")
    if len(widths) < len(frame.columns):
        left = ", ".join(str(name) for name in frame.columns if name not in widths)
        console.print(Text(f"not shown for want of width: {left}", style="dim"))
    if legend:
        console.print(Text(legend, style="dim"))


def _json(frame: pd.DataFrame) -> bytes:
    return orjson.dumps(records(frame), option=_JSON, default=str)


def _value(value: Any) -> Any:
    if isinstance(value, pd.Timestamp):
        return value.isoformat().replace("+00:00", "Z")
    if isinstance(value, list):
        return [_value(item) for item in value]
    if isinstance(value, dict):
        return {str(key): _value(item) for key, item in value.items()}
    if isinstance(value, pd.Timedelta):
        return value.total_seconds()
    return None if value is pd.NaT or value is pd.NA or value != value else value


def _cell(value: Any) -> Any:
    if isinstance(value, list):
        value = ";".join(map(str, value))
    if not isinstance(value, str):
        return value
    value = _CONTROL.sub("\N{REPLACEMENT CHARACTER}", value.replace("\r\n", "\n").replace("\n", " "))
    return f"'{value}" if value.startswith(_FORMULA) else value
