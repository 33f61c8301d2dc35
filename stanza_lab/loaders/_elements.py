"""JSON documents too large to be held whole: their records are decoded one by one as the text arrives."""

from __future__ import annotations

import codecs
import io
import json
import re
from collections.abc import Collection, Iterator
from typing import Any

from stanza_lab.loaders._containers import Broken
from stanza_lab.loaders._tables import Document

HELD = 32 * 2**20  # characters of a document that are tried as a whole
_RECORD = 64 * 2**20  # characters of one record
_READ = 2**20
_SHOWN = 2_000
_DECODER = json.JSONDecoder()
_SPACE = re.compile(r"[ \t\r\n\ufeff]*")


class _StopError(Exception):
    """Nothing more can be decoded: why, in words for people."""

    def __init__(self, reason: str, message: str) -> None:
        super().__init__(message)
        self.reason = reason
        self.message = message


def documents(stream: io.BufferedReader[Any], pages: Collection[str]) -> Iterator[Document | Broken]:
    """Yield the documents of a stream of one or more, of those over `HELD` characters the records in their lists.

    Lists of records are those at the top or under one of `pages`. What cannot be decoded ends the stream; all before it
    was read.
    """
    window = _Window(stream)
    going = True
    while going:
        try:
            while window.next():
                found = window.value(HELD)
                if found is not None:
                    yield Document(found[0], f"line {found[1]}")
                else:
                    yield from _records(window, pages, "$")
            return
        except _StopError as stop:
            yield Broken(f"line {window.line}", stop.reason, stop.message, window.ahead(_SHOWN))
            going = stop.reason == "too_large" and window.skip_line()


def _records(window: _Window, pages: Collection[str], path: str) -> Iterator[Document]:
    """Yield the records of a list, or of the lists of an object, that the window stands before."""
    if window.take("["):
        index = 0
        while not window.take("]"):
            yield window.document(f"{path}[{index}]")
            index += 1
            if not window.take(","):
                window.need("]")
                return
        return
    window.need("{")
    beside: dict[str, Any] = {}
    while not window.take("}"):
        key = window.document("key").value
        window.need(":")
        if key in pages and window.next() in ("[", "{"):
            yield from _records(window, pages, f"{path}.{key}")
        else:
            beside[key] = window.document(f"{path}.{key}").value
        if not window.take(","):
            window.need("}")
            break
    if any(isinstance(value, (dict, list)) for value in beside.values()):
        # What stands beside the lists may be a record as well; the lists count as empty ones of a page.
        yield Document({**beside, next(iter(pages)): []}, f"line {window.line} {path}")


class _Window:
    """The part of the text that is being decoded; what lies behind is dropped, what lies ahead is read when needed."""

    def __init__(self, stream: io.BufferedReader[Any]) -> None:
        self._stream = stream
        self._decoder = codecs.getincrementaldecoder("utf-8")()
        self._text = ""
        self._at = 0
        self._ended = False
        self.line = 1

    def next(self) -> str:
        """Return the next character that is no space, "" at the end."""
        while True:
            end = _SPACE.match(self._text, self._at).end()  # type: ignore[union-attr]  # it matches nothing too
            self._move(end)
            if self._at < len(self._text) or not self._fill(_READ):
                return self._text[self._at : self._at + 1]

    def take(self, sign: str) -> bool:
        """Pass over `sign` if it is next."""
        if self.next() != sign:
            return False
        self._move(self._at + 1)
        return True

    def need(self, sign: str) -> None:
        """Pass over `sign`, which must be next."""
        if not self.take(sign):
            raise self._stop(f"{sign!r} is missing")

    def document(self, path: str) -> Document:
        """Return the next value, a record or what stands beside records."""
        self.next()
        found = self.value(_RECORD)
        if found is None:
            limit = f"{_RECORD // 2**20} MB"
            raise _StopError("too_large", f"one record is over {limit}, not read; neither is the rest of its line")
        return Document(found[0], f"line {found[1]} {path}")

    def value(self, most: int) -> tuple[Any, int] | None:
        """Return the next value and its line; None if it is longer than `most` characters."""
        size = _READ
        while True:
            try:
                value, end = _DECODER.raw_decode(self._text, self._at)
            except RecursionError:
                raise _StopError("too_deep", "the JSON is nested too deeply to be an alert export") from None
            except json.JSONDecodeError as error:
                unfinished = len(self._text) - error.pos < 16 or "Unterminated" in error.msg
                if self._ended or not unfinished:
                    raise self._stop(error.msg) from None
            else:
                # A number may go on behind what was read.
                if end < len(self._text) or self._ended:
                    line = self.line
                    self._move(end)
                    return value, line
            if len(self._text) - self._at > most:
                return None
            self._fill(size)
            size *= 2

    def ahead(self, size: int) -> str:
        """Return the text that comes next."""
        return self._text[self._at : self._at + size]

    def skip_line(self) -> bool:
        """Pass over the rest of the line; False if the text ends with it."""
        while (end := self._text.find("\n", self._at)) < 0:
            self._at = len(self._text)
            if not self._fill(_READ):
                return False
        self._move(end + 1)
        return True

    def _stop(self, why: str) -> _StopError:
        if self._ended and not self.ahead(1):
            why = "the JSON ends in the middle of this piece; export it again to have the rest. All before it was read"
            return _StopError("truncated_json", why)
        if self._ended and "Unterminated" in why:
            return _StopError("truncated_json", f"the JSON ends in the middle of this piece ({why}); export it again")
        return _StopError("bad_json", f"not valid JSON from here on ({why}); correct it. All before it was read")

    def _move(self, to: int) -> None:
        self.line += self._text.count("\n", self._at, to)
        self._at = to

    def _fill(self, size: int) -> bool:
        """Read more, and drop what was decoded; False at the end."""
        if self._ended:
            return False
        data = self._stream.read(size)
        self._ended = not data
        try:
            more = self._decoder.decode(data, final=self._ended)
        except UnicodeDecodeError:
            self._ended = True
            raise _StopError("not_text", "not UTF-8 from here on; all before it was read") from None
        self._text = self._text[self._at :] + more
        self._at = 0
        return not self._ended
