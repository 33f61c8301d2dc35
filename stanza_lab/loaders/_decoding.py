"""From a stream of bytes to documents: JSON by line where lines are documents, else whole; rows of tables.

Broken ends are salvaged.
"""

from __future__ import annotations

import codecs
import io
import json
import re
from collections.abc import Collection, Iterator
from itertools import chain
from typing import Any

import orjson

from stanza_lab.loaders import _arrow, _elements, _lines, _tables
from stanza_lab.loaders._containers import Broken, Stream, broken_archive
from stanza_lab.loaders._lines import Arriving, Line, Lines
from stanza_lab.loaders._tables import SHOWN, Document
from stanza_lab.loaders._text_lines import Chunks

__all__ = ["SHOWN", "Document", "documents"]
_SPACE = re.compile(r"[ \t\r\n\ufeff]*")
_EMPTY = "the file is empty; export it again"


def documents(stream: Stream, pages: Collection[str]) -> Iterator[Document | Broken]:
    """Yield the JSON documents and rows of tables in `stream`, and a `Broken` for every piece that is none.

    `pages` are the keys under which documents list records: there the complete records before a break are kept. A
    stream that breaks is read as far as it goes.
    """
    arriving = Arriving(stream)
    buffered = io.BufferedReader(arriving, _lines.CHUNK)
    if (form := _arrow.form(buffered.peek(8)[:8])) is not None:
        yield from _tables.hinted(_arrow.rows(form, stream, buffered))
    else:
        for piece in _documents(buffered, pages):
            if arriving.error is None or not (isinstance(piece, Broken) and piece.reason == "empty_file"):
                yield piece
    if arriving.error is not None:
        yield broken_archive(arriving.error, "the complete records before it were read")


def _documents(stream: io.BufferedReader[Any], pages: Collection[str]) -> Iterator[Document | Broken]:
    ahead = stream.peek()
    encoding = json.detect_encoding(ahead[:4])
    if encoding not in ("utf-8", "utf-8-sig") or ahead.removeprefix(b"\xef\xbb\xbf").lstrip()[:1] not in _JSON:
        sample = stream.read(_tables.SAMPLE)
        stream = _chunked(chain([sample], _chunks(stream)))
        start = _utf8(sample, encoding)
        is_json = start.lstrip()[:1] in _JSON  # in another encoding than UTF-8
        table = None if is_json else _tables.sniff(start, whole=len(sample) < _tables.SAMPLE)
        if isinstance(table, Broken):
            yield table
            return
        if table is not None:
            yield from _tables.hinted(_tables.rows(table, _recoded(stream, encoding, sample)))
            return
    if encoding not in ("utf-8", "utf-8-sig"):
        yield from _whole(_transcoded(stream), pages)
        return
    start = stream.read(_elements.HELD + 1)
    stream = _chunked(chain(_cut(start), _chunks(stream)))
    if len(start) > _elements.HELD and not _begins_with_lines(start):
        yield from _elements.documents(stream, pages)
        return
    lines = Lines(stream)
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
    head = [first, *lines.take(19, _lines.MAX_DOCUMENT)]
    if 2 * sum(_parsed(line) is not None for _, line in head) >= len(head):
        lines.put_back(head)
        yield from _by_line(lines, pages)
        return
    start = _joined(head)
    rest = stream.read(max(0, _lines.MAX_DOCUMENT + 1 - len(start)))
    yield from _whole(start + rest, pages, line=first[0])


def _cut(data: bytes) -> Iterator[bytes]:
    return (data[at : at + _lines.CHUNK] for at in range(0, len(data), _lines.CHUNK))


def _begins_with_lines(start: bytes) -> bool:
    """Return whether the first lines of a large file are documents, or most of them."""
    *lines, _ = start.split(b"\n", 20)
    return 2 * sum(_parsed(line) is not None for line in lines) >= max(1, len(lines))


def _parsed(line: bytes) -> Any:
    """Return the object or array a line holds, None when it holds no whole one."""
    try:
        value = orjson.loads(line)
    except orjson.JSONDecodeError:
        return None
    return value if isinstance(value, (dict, list)) else None


def _by_line(lines: Lines, pages: Collection[str]) -> Iterator[Document | Broken]:
    for number, line in lines:
        try:
            yield Document(orjson.loads(line), f"line {number}")
        except orjson.JSONDecodeError:
            yield from _from_line((number, line), lines, pages)


def _from_line(line: Line, lines: Lines, pages: Collection[str]) -> Iterator[Document | Broken]:
    """Decode the document that starts in `line` and goes on in the next ones, or else the piece that breaks.

    Twice as many lines are looked at as long as the document is only unfinished; those behind it are put back.
    """
    held, size, broken_at = [line], len(line[1]), 0
    while line[1].lstrip()[:1] in (b"{", b"[") and size <= _lines.MAX_DOCUMENT:
        more = lines.take(len(held), _lines.MAX_DOCUMENT - size)
        held += more
        size += sum(len(text) for _, text in more)
        text, _ = _decoded(_joined(held))
        try:
            value, end = _DECODER.raw_decode(text, _skip(text, 0))
        except RecursionError:
            break
        except json.JSONDecodeError as error:
            unfinished = not text[error.pos :].strip()
            broken_at = len(held) if unfinished else text.count("\n", 0, error.pos)
            if unfinished and more:
                continue
            break
        (number, last), *behind = held[text.count("\n", 0, end) :]
        rest = last[len(text[text.rfind("\n", 0, end) + 1 : end].encode()) :]
        lines.put_back(behind if rest.isspace() or not rest else [(number, rest), *behind])
        yield Document(value, f"line {line[0]}")
        return
    # The piece that breaks ends before the line it breaks in, and before the first that is a document by itself.
    stop = next((i for i in range(1, broken_at) if _parsed(held[i][1]) is not None), max(1, broken_at))
    lines.put_back(held[stop:])
    yield from _whole(_joined(held[:stop]), pages, line=line[0])


def _joined(lines: list[Line]) -> bytes:
    return b"".join(line for _, line in lines)


def _whole(data: bytes, pages: Collection[str], *, line: int = 1) -> Iterator[Document | Broken]:
    """Decode a piece that is held whole: one document, several one after another, or a broken one."""
    if len(data) > _lines.MAX_DOCUMENT:
        limit = f"{_lines.MAX_DOCUMENT // 2**20} MB"
        yield Broken(f"line {line}", "too_large", f"a JSON document over {limit}, not read; export one record a line")
        return
    try:
        yield Document(orjson.loads(data), "" if line == 1 else f"line {line}")
    except orjson.JSONDecodeError:
        yield from _tolerant(data, pages, line)


def _tolerant(data: bytes, pages: Collection[str], line: int) -> Iterator[Document | Broken]:
    text, undecodable = _decoded(data)
    at = _skip(text, 0)
    if text[at : at + 1] not in ("{", "["):
        yield _not_json(text, binary=b"\0" in data[:8192] or undecodable)
        return
    counted = 0
    while at < len(text):
        line += text.count("\n", counted, at)
        counted = at
        try:
            value, end = _DECODER.raw_decode(text, at)
        except (ValueError, RecursionError) as error:
            kept, broken_at = _salvage(text, at, pages)
            if kept is not None:
                yield Document(kept, f"line {line}")
            line += text.count("\n", at, broken_at)
            yield _break(text, broken_at, error, line, undecodable=undecodable)
            return
        yield Document(value, f"line {line}")
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


def _break(text: str, at: int, error: Exception, line: int, *, undecodable: bool) -> Broken:
    """Describe the piece of JSON that starts at `at` and cannot be read."""
    if isinstance(error, RecursionError):
        return Broken("", "too_deep", "the JSON is nested too deeply to be an alert export", text[at : at + SHOWN])
    where = error.pos if isinstance(error, json.JSONDecodeError) else at
    cut = not text[where:].strip() or "Unterminated" in str(error)
    locator = f"line {line}, character {at - text.rfind(chr(10), 0, at)}"
    if cut and not undecodable:
        message = "the JSON ends in the middle of this piece; export it again to have the rest. All before it was read"
        return Broken(locator, "truncated_json", message, text[at : at + SHOWN])
    why = "it is not UTF-8" if undecodable and cut else str(error)
    message = f"not valid JSON from here on ({why}); correct it or export it again. All before it was read"
    return Broken(locator, "bad_json", message, text[at : at + SHOWN])


def _not_json(text: str, *, binary: bool) -> Broken:
    if binary:
        return Broken("", "not_text", "binary or not UTF-8, so not a JSON export; nothing was read from it")
    if not text.strip():
        return Broken("", "empty_file", _EMPTY)
    return Broken(
        "", "not_json", "not JSON, so nothing was read from it; fine unless it is an alert export", text[:SHOWN]
    )


def _decoded(data: bytes) -> tuple[str, bool]:
    """Return the text up to the first bytes that are not UTF-8, marked, and whether those are not just a cut end."""
    try:
        return data.decode(), False
    except UnicodeDecodeError as error:
        return data[: error.start].decode() + "\ufffd", error.reason != "unexpected end of data"


def _chunked(chunks: Iterator[bytes]) -> io.BufferedReader[Any]:
    return io.BufferedReader(Chunks(chunks), _lines.CHUNK)


def _chunks(stream: io.BufferedReader[Any]) -> Iterator[bytes]:
    while chunk := stream.read1(_lines.CHUNK):
        yield chunk


def _utf8(sample: bytes, encoding: str) -> bytes:
    """Return a sample as UTF-8; what is not what its first bytes look like comes back as it is."""
    if encoding in ("utf-8", "utf-8-sig"):
        return sample if b"\n" in sample else sample.replace(b"\r", b"\n")
    try:
        return codecs.getincrementaldecoder(encoding)().decode(sample).encode()
    except UnicodeError:
        return sample


def _recoded(stream: io.BufferedReader[Any], encoding: str, sample: bytes) -> io.BufferedReader[Any]:
    """Return the text of a table in UTF-8, its lines ended as those of other files are."""
    if encoding not in ("utf-8", "utf-8-sig"):
        text = io.TextIOWrapper(stream, encoding, "replace", newline="")
        return _chunked(iter(lambda: text.read(_lines.CHUNK).encode("utf-8", "replace"), b""))
    if b"\n" in sample:
        return stream
    return _chunked(chunk.replace(b"\r", b"\n") for chunk in _chunks(stream))


def _transcoded(stream: io.BufferedReader[Any]) -> bytes:
    """Return JSON in UTF-16 or UTF-32 as UTF-8; what is neither comes back as it is."""
    data = stream.read(_lines.MAX_DOCUMENT + 1)
    try:
        text = data.decode(json.detect_encoding(data[:4])).removeprefix("\ufeff")
    except UnicodeError:
        return data
    return text.encode() if text.lstrip()[:1] in ("{", "[") else data


def _skip(text: str, at: int) -> int:
    match = _SPACE.match(text, at)
    return match.end() if match else at


def _integer(text: str) -> int | float:
    """Return a whole number as orjson does: one beyond 64 bits is a float, so that the layout does not matter."""
    number = int(text) if len(text) < 21 else 2**64  # more digits than 64 bits hold, and perhaps than int() takes
    return number if -(2**63) <= number < 2**64 else float(text)


_DECODER = json.JSONDecoder(parse_int=_integer)
_JSON = (b"", b"{", b"[")  # what a file of documents begins with; nothing: it is empty or begins with blank lines
