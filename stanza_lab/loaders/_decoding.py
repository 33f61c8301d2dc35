"""From a stream of bytes to JSON documents: by line where lines are documents, else whole; broken ends are salvaged."""

from __future__ import annotations

import json
import re
from collections.abc import Collection, Iterable, Iterator
from dataclasses import dataclass
from itertools import chain, islice
from typing import Any

import orjson

from stanza_lab.loaders._containers import BROKEN_ARCHIVE, Broken, Stream, broken_archive

MAX_DOCUMENT = 256 * 2**20  # bytes of one document that has to be in memory at once
MAX_FILE = 64 * 2**30  # bytes one file or archive member may unpack to
_SHOWN = 2_000  # characters of a broken piece that are kept
_SPACE = re.compile(r"[ \t\r\n\ufeff]*")
_BOM = b"\xef\xbb\xbf"
_EMPTY = "the file is empty; export it again"


@dataclass(frozen=True, slots=True)
class Document:
    """One JSON value and where it stood."""

    value: Any
    locator: str


def documents(stream: Stream, pages: Collection[str]) -> Iterator[Document | Broken]:
    """Yield the JSON documents in `stream`, and a `Broken` for every piece that is none.

    `pages` are the keys under which documents list records: there the complete records before a break are kept.
    """
    try:
        yield from _documents(stream, pages)
    except BROKEN_ARCHIVE as error:
        yield broken_archive(error)


def _documents(stream: Stream, pages: Collection[str]) -> Iterator[Document | Broken]:
    if json.detect_encoding(stream.peek(4)[:4]) not in ("utf-8", "utf-8-sig"):
        yield from _whole(_transcoded(stream), pages)
        return
    lines = _lines(stream)
    first = next(lines, None)
    if first is None:
        yield Broken("", "empty_file", _EMPTY)
        return
    value = _parsed(first[1])
    if value is not None:
        yield Document(value, f"line {first[0]}")
        yield from _by_line(lines, pages)
        return
    # Not a document in its first line: lines are records only if most of the next ones are.
    head = [first, *islice(lines, 19)]
    if 2 * sum(_parsed(line) is not None for _, line in head) >= len(head):
        yield from _by_line(chain(head, lines), pages)
        return
    start = b"".join(line for _, line in head)
    yield from _whole(start + stream.read(max(0, MAX_DOCUMENT + 1 - len(start))), pages)


def _lines(stream: Stream) -> Iterator[tuple[int, bytes]]:
    """Yield the lines that are not blank with their numbers; a line over the limit is cut and ends it."""
    size = number = 0
    while line := stream.readline(MAX_DOCUMENT + 1):
        number += 1
        size += len(line)
        if size > MAX_FILE:
            raise OSError(f"over {MAX_FILE // 2**30} GB unpacked")
        if number == 1:
            line = line.removeprefix(_BOM)
        if not line.isspace() and line:
            yield number, line
        if len(line) > MAX_DOCUMENT:
            return


def _parsed(line: bytes) -> Any:
    """Return the object or array a line holds, None when it holds no whole one."""
    try:
        value = orjson.loads(line)
    except orjson.JSONDecodeError:
        return None
    return value if isinstance(value, (dict, list)) else None


def _by_line(lines: Iterable[tuple[int, bytes]], pages: Collection[str]) -> Iterator[Document | Broken]:
    for number, line in lines:
        try:
            yield Document(orjson.loads(line), f"line {number}")
        except orjson.JSONDecodeError:
            yield from _whole(line, pages, line=number)


def _whole(data: bytes, pages: Collection[str], *, line: int = 1) -> Iterator[Document | Broken]:
    """Decode a piece that is held whole: one document, several one after another, or a broken one."""
    if len(data) > MAX_DOCUMENT:
        limit = f"{MAX_DOCUMENT // 2**20} MB"
        yield Broken(f"line {line}", "too_large", f"a JSON document over {limit}, not read; export one record a line")
        return
    try:
        yield Document(orjson.loads(data), "" if line == 1 else f"line {line}")
    except orjson.JSONDecodeError:
        yield from _tolerant(data, pages, line)


def _tolerant(data: bytes, pages: Collection[str], first_line: int) -> Iterator[Document | Broken]:
    text, undecodable = _decoded(data)
    at = _skip(text, 0)
    if text[at : at + 1] not in ("{", "["):
        yield _not_json(text, binary=b"\0" in data[:8192] or undecodable)
        return
    while at < len(text):
        locator = f"line {first_line + text.count(chr(10), 0, at)}"
        try:
            value, end = _DECODER.raw_decode(text, at)
        except (ValueError, RecursionError) as error:
            kept, broken_at = _salvage(text, at, pages)
            if kept is not None:
                yield Document(kept, locator)
            yield _break(text, broken_at, error, first_line, undecodable=undecodable)
            return
        yield Document(value, locator)
        at = _skip(text, end)


def _salvage(text: str, at: int, pages: Collection[str]) -> tuple[Any, int]:
    """Return the document at `at` up to its break, and where the piece that breaks starts.

    Only a list of records is cut short: whole elements of an array at the top or under one of `pages`. A record is
    never read in part, so a document that breaks elsewhere gives None.
    """
    if text[at] == "[":
        kept: list[Any] = []
        at = _skip(text, at + 1)
        while (got := _value(text, at)) is not None:
            kept.append(got[0])
            at = _skip(text, got[1])
            if text[at : at + 1] != ",":
                break
            at = _skip(text, at + 1)
        return kept or None, at
    members: dict[str, Any] = {}
    start, at = at, _skip(text, at + 1) if text[at] == "{" else len(text)
    while (key := _value(text, at)) is not None and isinstance(key[0], str):
        colon = _skip(text, key[1])
        if text[colon : colon + 1] != ":":
            break
        at = _skip(text, colon + 1)
        got = _value(text, at)
        if got is None:
            if key[0] in pages and text[at : at + 1] in ("{", "["):
                kept_part, at = _salvage(text, at, pages)
                if kept_part is not None:
                    return {**members, key[0]: kept_part}, at
            break
        members[key[0]] = got[0]
        at = _skip(text, got[1])
        if text[at : at + 1] != ",":
            break
        at = _skip(text, at + 1)
    # The break lies beside the lists of records: those that are complete still count.
    whole = {key: value for key, value in members.items() if key in pages and isinstance(value, list)}
    return (whole, at) if whole else (None, start)


def _value(text: str, at: int) -> tuple[Any, int] | None:
    try:
        return _DECODER.raw_decode(text, at)
    except (ValueError, RecursionError):
        return None


def _break(text: str, at: int, error: Exception, first_line: int, *, undecodable: bool) -> Broken:
    """Describe the piece of JSON that starts at `at` and cannot be read."""
    if isinstance(error, RecursionError):
        return Broken("", "too_deep", "the JSON is nested too deeply to be an alert export", text[at : at + _SHOWN])
    where = error.pos if isinstance(error, json.JSONDecodeError) else at
    cut = not text[where:].strip() or "Unterminated" in str(error)
    locator = f"line {first_line + text.count(chr(10), 0, at)}, character {at - text.rfind(chr(10), 0, at)}"
    if cut and not undecodable:
        message = "the JSON ends in the middle of this piece; export it again to have the rest. All before it was read"
        return Broken(locator, "truncated_json", message, text[at : at + _SHOWN])
    why = "it is not UTF-8" if undecodable and cut else str(error)
    message = f"not valid JSON from here on ({why}); correct it or export it again. All before it was read"
    return Broken(locator, "bad_json", message, text[at : at + _SHOWN])


def _not_json(text: str, *, binary: bool) -> Broken:
    if binary:
        return Broken("", "not_text", "binary or not UTF-8, so not a JSON export; nothing was read from it")
    if not text.strip():
        return Broken("", "empty_file", _EMPTY)
    return Broken(
        "", "not_json", "not JSON, so nothing was read from it; fine unless it is an alert export", text[:_SHOWN]
    )


def _decoded(data: bytes) -> tuple[str, bool]:
    """Return the text up to the first bytes that are not UTF-8, marked, and whether those are not just a cut end."""
    try:
        return data.decode(), False
    except UnicodeDecodeError as error:
        return data[: error.start].decode() + "\ufffd", error.reason != "unexpected end of data"


def _transcoded(stream: Stream) -> bytes:
    """Return JSON in UTF-16 or UTF-32 as UTF-8; what is neither comes back as it is."""
    data = stream.read(MAX_DOCUMENT + 1)
    try:
        text = data.decode(json.detect_encoding(data[:4])).removeprefix("\ufeff")
    except UnicodeError:
        return data
    return text.encode() if text.lstrip()[:1] in ("{", "[") else data


def _skip(text: str, at: int) -> int:
    match = _SPACE.match(text, at)
    return match.end() if match else at


_DECODER = json.JSONDecoder()
