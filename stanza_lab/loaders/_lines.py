"""From a stream of bytes to numbered lines: a stream that breaks gives what arrived before, then ends."""

from __future__ import annotations

import io
from collections import deque
from collections.abc import Iterable, Iterator
from typing import Protocol

from stanza_lab.loaders._containers import BROKEN_ARCHIVE, Stream

MAX_DOCUMENT = 256 * 2**20  # bytes of one document that has to be in memory at once
MAX_FILE = 64 * 2**30  # bytes one file or archive member may unpack to
CHUNK = 2**16
_BOM = b"\xef\xbb\xbf"

Line = tuple[int, bytes]  # its number, from 1, and its text with the end of line


class _Buffer(Protocol):
    def __len__(self) -> int: ...

    def __setitem__(self, part: slice, data: bytes, /) -> None: ...


class Arriving(io.RawIOBase):
    """What arrives from a stream up to where it breaks; ``error`` says why it ended there, None at a true end."""

    def __init__(self, stream: Stream) -> None:
        self._stream = stream
        self._size = 0
        self.error: Exception | None = None

    def readable(self) -> bool:
        """Return True."""
        return True

    def readinto(self, buffer: _Buffer) -> int:  # type: ignore[override]
        """Fill `buffer` with the next bytes and return their number, 0 at the end and at a break."""
        try:
            if self._size > MAX_FILE:
                raise OSError(f"over {MAX_FILE // 2**30} GB unpacked")
            data = b"" if self.error else self._stream.read1(min(len(buffer), CHUNK))
        except BROKEN_ARCHIVE as error:
            self.error = error
            data = b""
        self._size += len(data)
        buffer[: len(data)] = data
        return len(data)


class Part(io.RawIOBase):
    """The next so many bytes of a file."""

    def __init__(self, stream: io.BufferedReader, size: int) -> None:
        self._stream = stream
        self._left = size

    def readable(self) -> bool:
        """Return True."""
        return True

    def readinto(self, buffer: _Buffer) -> int:  # type: ignore[override]
        """Fill `buffer` with the next bytes and return their number, 0 at the end of the part."""
        data = self._stream.read(min(len(buffer), self._left))
        self._left -= len(data)
        buffer[: len(data)] = data
        return len(data)


class Lines(Iterator[Line]):
    """The lines that are not blank, of which some may be put back; one over `MAX_DOCUMENT` is cut there."""

    def __init__(self, stream: io.BufferedReader) -> None:
        self._stream = stream
        self._back: deque[Line] = deque()
        self._number = 0

    def __next__(self) -> Line:
        if self._back:
            return self._back.popleft()
        while line := self._stream.readline(MAX_DOCUMENT + 1):
            self._number += 1
            if len(line) > MAX_DOCUMENT:
                rest = line
                while rest and not rest.endswith(b"\n"):  # passed over in pieces: it may go on for gigabytes
                    rest = self._stream.readline(CHUNK)
            if self._number == 1:
                line = line.removeprefix(_BOM)
            if line and not line.isspace():
                return self._number, line
            self._skip_blank()
        raise StopIteration

    def take(self, count: int, size: int) -> list[Line]:
        """Return the next `count` lines; fewer at the end, or once they come to over `size` bytes."""
        taken: list[Line] = []
        while len(taken) < count and size >= 0 and (line := next(self, None)) is not None:
            taken.append(line)
            size -= len(line[1])
        return taken

    def put_back(self, lines: Iterable[Line]) -> None:
        """Let `lines` be the next ones."""
        self._back.extendleft(reversed(list(lines)))

    def _skip_blank(self) -> None:
        """Pass over the blank lines that are in the buffer: read one by one, millions of them would take long."""
        while ahead := self._stream.peek():
            blank = len(ahead) - len(ahead.lstrip())
            lines_end = ahead.rfind(b"\n", 0, blank) + 1
            if not lines_end:
                return
            self._number += self._stream.read(lines_end).count(b"\n")
