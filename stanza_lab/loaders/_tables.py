"""Rows of tables as documents: text with delimiters of any dialect, told from prose by its header and times."""

from __future__ import annotations

import csv
import io
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from itertools import islice
from typing import Any

from stanza_lab.loaders import _dates, _text_lines
from stanza_lab.loaders._columns import TIMES, guess_columns
from stanza_lab.loaders._containers import Broken
from stanza_lab.loaders._text_lines import TextLines, text_of

SAMPLE = 2**20  # bytes that are looked at to tell a table
SHOWN = 2_000  # characters of a broken piece that are kept
_AHEAD_ROWS, _AHEAD_SIZE = 10_000, 8 * 2**20  # rows, and characters in them, that decide on the order of dates
_LOOKED_AT = 20  # rows that tell a table
_STYLES: tuple[dict[str, Any], ...] = ({}, {"escapechar": "\\", "doublequote": False}, {"quoting": csv.QUOTE_NONE})
_ESCAPED, _UNQUOTED = 1, 2  # styles that are tried where there is reason to: quotes behind backslashes, tabs
_DELIMITERS = ",;\t|"
_NO_TIMES = (
    "a table in which no column holds times, so nothing was read from it; fine unless it is an alert export: then "
    "export it with its times, written like 2026-03-01T14:02:11Z"
)
_EMPTY = "a table with a header and no rows; fine if there was nothing to export, else export it again"


@dataclass(slots=True)
class Document:
    """One JSON value and where it stood; `hints` says of columns whose dates need it: "day" or "month" comes first."""

    value: Any
    locator: str
    hints: Mapping[str, str] | None = None


class Row(dict[str, Any]):
    """The row of a table as {header: value}: known to be no log line and no page of an API."""


@dataclass(frozen=True, slots=True)
class Table:
    """How a text with delimiters is written: the options for `csv`, whether the first line only names the delimiter."""

    options: Mapping[str, Any]
    names_delimiter: bool = False


def sniff(sample: bytes, *, whole: bool) -> Table | Broken | None:
    """Tell whether a text that begins with `sample` is a table; a `Broken` is one in which there is nothing to read.

    A table has a header of names and rows of as many fields. That is true of some prose too: only where a column holds
    times, or is called so, there is something to read.
    """
    text = text_of(sample)
    if text is None:
        return None
    if not whole:
        text = text[: text.rfind("\n") + 1]
    first, _, rest = text.partition("\n")
    named = (
        first.strip().strip('"').lower().removeprefix("sep=") if first.lower().lstrip('"').startswith("sep=") else ""
    )
    delimiters = named if len(named) == 1 else ("\t" if first.lower().startswith("sep=\t") else _DELIMITERS)
    text = rest if delimiters != _DELIMITERS else text
    found = []
    for delimiter in delimiters:
        for rank, style in enumerate(_STYLES):
            if (rank == _ESCAPED and '\\"' not in text) or (rank == _UNQUOTED and delimiter != "\t"):
                continue
            options = {"delimiter": delimiter, "strict": True, **style}
            head = _head(text, options)
            if not head or isinstance(head[0], Broken) or not _is_header(head[0]):
                continue
            width = len(head[0])
            fitting = [row for row in head[1:] if not isinstance(row, Broken) and _fitted(row, width) is not None]
            if 2 * len(fitting) >= len(head) - 1:
                found.append((len(fitting), -rank, width, head[0], fitting, options))
    if not found:
        return None
    *_, headers, rows, options = max(found, key=lambda each: each[:3])
    timed = bool(set(guess_columns(headers).values()) & set(TIMES))
    if not rows:
        return Broken("line 1", "empty_table", _EMPTY, text[:SHOWN]) if timed else None
    if not timed and not any(_dates.is_time(cell) for row in rows for cell in row):
        return Broken("", "not_json", _NO_TIMES, text[:SHOWN])
    return Table(options, names_delimiter=delimiters != _DELIMITERS)


def rows(table: Table, stream: io.BufferedReader[Any]) -> Iterator[Document | Broken]:
    """Yield the rows of a text table, and a `Broken` for each that does not have the fields of the header."""
    lines = TextLines(stream)
    if table.names_delimiter:
        next(lines, None)
    records = _records(lines, table.options)
    headers: tuple[str, ...] = ()
    for line, cells, raw in records:
        if isinstance(cells, Broken):
            yield cells
        elif not headers:
            headers = unique(cells)
            lines.width = len(headers)
        elif (fitted := _fitted(cells, len(headers))) is not None:
            yield Document(Row(zip(headers, fitted, strict=True)), f"line {line}")
        else:
            yield _ragged(line, cells, headers, raw)


def hinted(pieces: Iterator[Document | Broken]) -> Iterator[Document | Broken]:
    """Yield `pieces` with the hints that the first rows give: up to 10,000, as many as are small."""
    ahead: list[Document | Broken] = []
    columns: dict[str, list[str]] = {}
    size = 0
    for piece in islice(pieces, _AHEAD_ROWS):
        ahead.append(piece)
        if isinstance(piece, Document):
            for header, value in piece.value.items():
                if isinstance(value, str):
                    size += len(value)
                    columns.setdefault(header, []).append(value)
        if size > _AHEAD_SIZE:
            break
    orders = {header: _dates.order_of(values) for header, values in columns.items()}
    hints = {header: order for header, order in orders.items() if order is not None}
    for piece in ahead:
        yield replace(piece, hints=hints) if isinstance(piece, Document) else piece
    for piece in pieces:
        yield replace(piece, hints=hints) if isinstance(piece, Document) else piece


def unique(names: list[str]) -> tuple[str, ...]:
    """Return headers as written, those without a name and those that come again numbered."""
    taken: dict[str, None] = {}
    for number, name in enumerate(names, 1):
        header = name = name.strip() or f"column {number}"
        count = 1
        while header in taken:
            count += 1
            header = f"{name} ({count})"
        taken[header] = None
    return tuple(taken)


def _records(lines: TextLines, options: Mapping[str, Any]) -> Iterator[tuple[int, list[str] | Broken, str]]:
    """Yield each record as (its first line, its cells, its text); of a broken one only the lines that are no rows."""
    csv.field_size_limit(max(csv.field_size_limit(), _text_lines.MAX_RECORD))
    reader = csv.reader(lines, **options)
    while True:
        lines.start()
        try:
            cells = next(reader)
        except StopIteration:
            return
        except csv.Error as error:
            number = lines.taken[0][0]
            raw, behind = _broken_off(lines, options)
            lines.put_back(behind)
            yield number, _bad_row(number, error, raw), raw
            reader = csv.reader(lines, **options)
            continue
        if cells and any(cells):
            raw = "".join(line for _, line in lines.taken)
            number = lines.taken[0][0]
            if "\ufffd" in raw:
                message = f"row in line {number} holds bytes that are no text in the file's encoding; save it as UTF-8"
                yield number, Broken(f"line {number}", "not_text", message, raw[:SHOWN]), raw
            else:
                yield number, cells, raw


def _broken_off(lines: TextLines, options: Mapping[str, Any]) -> tuple[str, list[tuple[int, str]]]:
    """Split the lines of a row that breaks: up to the first later one that is a row by itself, and those from there."""
    taken = lines.taken
    stop = 1
    while stop < len(taken):
        try:
            [cells] = csv.reader([taken[stop][1]], **options)
        except (csv.Error, ValueError):
            cells = []
        if len(cells) == lines.width:
            break
        stop += 1
    return "".join(line for _, line in taken[:stop]), taken[stop:]


def _bad_row(line: int, error: csv.Error, raw: str) -> Broken:
    if "unexpected end" in str(error):
        message = f"the row that begins in line {line} is cut off or its quote is not closed; export the table again"
        return Broken(f"line {line}", "truncated_row", message, raw[:SHOWN])
    message = f"the row that begins in line {line} is not written as the others are ({error}); correct its quotes"
    return Broken(f"line {line}", "bad_row", message, raw[:SHOWN])


def _ragged(line: int, cells: list[str], headers: tuple[str, ...], raw: str) -> Broken:
    if not raw.endswith("\n") and len(cells) < len(headers):
        message = f"the table ends in the middle of the row in line {line}; export it again to have the rest"
        return Broken(f"line {line}", "truncated_row", message, raw[:SHOWN])
    message = f"the row in line {line} has {len(cells)} fields, the header has {len(headers)}; correct the row"
    return Broken(f"line {line}", "ragged_row", message, raw[:SHOWN])


def _fitted(cells: list[str], width: int) -> list[str] | None:
    """Return the cells of a row that has as many as the header, or more that are empty."""
    if len(cells) < width or any(cell.strip() for cell in cells[width:]):
        return None
    return cells[:width]


def _head(text: str, options: Mapping[str, Any]) -> list[list[str] | Broken]:
    """Return the first records."""
    lines = TextLines(io.BufferedReader(io.BytesIO(text.encode())))
    head: list[list[str] | Broken] = []
    for _, cells, _ in islice(_records(lines, options), _LOOKED_AT + 1):
        head.append(cells)
        if len(head) == 1 and not isinstance(cells, Broken):
            lines.width = len(cells)
    return head


def _is_header(cells: list[str]) -> bool:
    """Return whether the first record names columns: two or more short names, and no values."""
    names = [cell.strip() for cell in cells]
    named = [name for name in names if name]
    if len(set(named)) < 2 or 2 * len(named) < len(names) or any(_dates.is_time(name) for name in named):
        return False
    good = [
        name
        for name in named
        if len(name) <= 80 and len(name.split()) <= 6 and name[-1] not in ".!?:," and any(map(str.isalpha, name))
        if name[0] not in "{["
    ]
    return 5 * len(good) >= 4 * len(named)
