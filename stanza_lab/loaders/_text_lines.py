"""The lines of a text in any encoding, of which some may be put back; binary files of pieces."""

from __future__ import annotations

import csv
import io
from collections.abc import Iterator
from typing import Any

MAX_RECORD = 2**20  # characters of one row of a table


class Chunks(io.RawIOBase):
    """A binary file of pieces that an iterator gives."""

    def __init__(self, chunks: Iterator[bytes]) -> None:
        self._chunks = chunks
        self._rest = b""

    def readable(self) -> bool:
        """Return True."""
        return True

    def readinto(self, buffer: Any) -> int:
        """Fill `buffer` with the next bytes and return their number, 0 at the end."""
        while not self._rest:
            chunk = next(self._chunks, None)
            if chunk is None:
                return 0
            self._rest = chunk
        data, self._rest = self._rest[: len(buffer)], self._rest[len(buffer) :]
        buffer[: len(data)] = data
        return len(data)


class TextLines(Iterator[str]):
    """The lines of a table as text, of which some may be put back; `taken` are those since the last row."""

    def __init__(self, stream: io.BufferedReader[Any]) -> None:
        self._stream = stream
        self._back: list[tuple[int, str]] = []  # the next one last
        self._number = 0
        self._encoding: str | None = None  # told by the first line that is not ASCII
        self.taken: list[tuple[int, str]] = []
        self.width = 0
        self._size = 0

    def __next__(self) -> str:
        line = self._back.pop() if self._back else self._read()
        self.taken.append(line)
        self._size += len(line[1])
        if self._size > MAX_RECORD:
            raise csv.Error(f"it is over {MAX_RECORD // 2**20} MB long, or a quote in it is not closed")
        return line[1]

    def start(self) -> None:
        """Begin a new row."""
        self.taken, self._size = [], 0

    def put_back(self, lines: list[tuple[int, str]]) -> None:
        """Let `lines` be the next ones."""
        self._back.extend(reversed(lines))

    def _read(self) -> tuple[int, str]:
        line = self._stream.readline(4 * MAX_RECORD)
        if not line:
            raise StopIteration
        self._number += 1
        long = not line.endswith(b"\n") and len(line) == 4 * MAX_RECORD
        while long and (rest := self._stream.readline(4 * MAX_RECORD)):
            if rest.endswith(b"\n"):
                break
        return self._number, self._decoded(line.removeprefix(b"\xef\xbb\xbf") if self._number == 1 else line)

    def _decoded(self, line: bytes) -> str:
        if line.isascii():
            return line.decode()
        for encoding in (self._encoding,) if self._encoding else ("utf-8", "cp1252"):
            try:
                text = line.decode(encoding)
            except UnicodeDecodeError:
                continue
            self._encoding = encoding
            return text
        return line.decode("utf-8", "replace")


def text_of(sample: bytes) -> str | None:
    """Return the sample as text, None when it is binary."""
    if b"\0" in sample:
        return None
    try:
        text = sample.removeprefix(b"\xef\xbb\xbf").decode()
    except UnicodeDecodeError as error:
        cut = error.reason == "unexpected end of data"
        text = sample[: error.start].decode() if cut else sample.decode("cp1252", "replace")
    odd = sum((c < " " and not c.isspace()) or "\x7f" <= c < "\xa0" or c == "\ufffd" for c in text[:8192])
    return None if 20 * odd > len(text[:8192]) else text
