"""Streams that unpack as they are read: gzip, bzip2, xz, zstd, told apart by their first bytes; bombs are stopped."""

from __future__ import annotations

import bz2
import gzip
import lzma
import struct
import tarfile
import zipfile
import zlib
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Protocol, cast

# A bomb is what unpacks to over 1 GB and to over 500 times what it was packed as. Alert exports come to 10 to 30 times;
# lines that repeat but for their times and ids, packed by xz, to about 100. Zeros come to 1,030 times in gzip and zip.
MAX_RATIO = 500
BOMB_SIZE = 2**30
MAX_WINDOW = 128 * 2**20  # bytes of memory that unpacking may claim, as zstd sets it for itself
_CHUNK = 2**16
BROKEN_ARCHIVE = (
    OSError,
    EOFError,
    RuntimeError,
    NotImplementedError,
    ValueError,
    struct.error,
    lzma.LZMAError,
    tarfile.TarError,
    zipfile.BadZipFile,
    zlib.error,
)


class Stream(Protocol):
    """The part of a buffered binary file the decoder uses."""

    def peek(self, size: int, /) -> bytes:
        """Return bytes ahead without moving."""

    def read1(self, size: int, /) -> bytes:
        """Return the next bytes, up to `size`; none at the end."""


@dataclass(frozen=True, slots=True)
class Broken:
    """A piece of input that cannot be used: where, a short reason, what to do, the start of its text."""

    locator: str
    reason: str
    message: str
    raw: str | None = None


class BombError(OSError):
    """Report an archive that unpacks to more than any export does."""


def broken_archive(error: BaseException, read: str = "nothing was read from it") -> Broken:
    """Say that an archive breaks off or cannot be opened, and what was read."""
    if isinstance(error, BombError):
        return Broken("", "archive_bomb", f"{error}; {read}; if it is an export after all, pass it unpacked")
    return Broken("", "broken_archive", f"the archive cannot be unpacked further ({error}); {read}; export it again")


class Ahead:
    """A stream that gives as many bytes ahead as asked for, unless it ends; a break is told only when it is reached."""

    def __init__(self, read1: Callable[[int], bytes]) -> None:
        self._read1 = read1
        self._held = b""
        self._error: BaseException | None = None
        self.taken = 0  # bytes that were read

    def peek(self, size: int, /) -> bytes:
        """Return at least `size` bytes ahead without moving; fewer only before the end or a break."""
        while len(self._held) < size and self._error is None:
            try:
                more = self._read1(_CHUNK)
            except BROKEN_ARCHIVE as error:
                self._error = error
            else:
                if not more:
                    break
                self._held += more
        if not self._held and self._error is not None:
            raise self._error
        return self._held

    def read1(self, size: int = _CHUNK, /) -> bytes:
        """Return the next bytes, up to `size`; none at the end."""
        if self._held:
            data, self._held = self._held[:size], self._held[size:]
        elif self._error is not None:
            raise self._error
        else:
            data = self._read1(size)
        self.taken += len(data)
        return data

    def read(self, size: int, /) -> bytes:
        """Return the next `size` bytes; fewer only before the end or a break."""
        parts: list[bytes] = []
        missing = size
        while missing > 0:
            try:
                data = self.read1(min(missing, _CHUNK))
            except BROKEN_ARCHIVE as error:
                self._error = error
                if parts:
                    break
                raise
            if not data:
                break
            parts.append(data)
            missing -= len(data)
        return b"".join(parts)


def guarded(read1: Callable[[int], bytes], packed: Callable[[], int]) -> Callable[[int], bytes]:
    """Return `read1` that raises `BombError` once it gave more than `packed` bytes can honestly unpack to."""
    unpacked = 0

    def read(wanted: int) -> bytes:
        nonlocal unpacked
        if is_bomb(unpacked, packed()):
            raise BombError(bomb(unpacked, packed()))
        data = read1(wanted)
        unpacked += len(data)
        return data

    return read


def is_bomb(unpacked: int, packed: int) -> bool:
    """Return whether so many bytes out of so few are a bomb."""
    return unpacked > BOMB_SIZE and unpacked > MAX_RATIO * packed


def bomb(unpacked: int, packed: int) -> str:
    """Say what a bomb is."""
    size, times = f"{unpacked / 2**30:,.1f} GB", f"{unpacked // max(packed, 1):,} times"
    return f"it unpacks to {size} or more, {times} its packed size, as no alert export does; it is not unpacked further"


def unpack(stream: Ahead) -> Ahead | None:
    """Return `stream` unpacked if it holds gzip, bzip2, xz or zstd, else None; several one after another are one."""
    head = stream.peek(10)
    for is_packed, opened in _PACKED:
        if is_packed(head):
            return Ahead(guarded(opened(stream), lambda: stream.taken))
    return None


class _Frames:
    """Frames of bzip2 or xz, one after another."""

    def __init__(self, stream: Ahead, new: Callable[[], Any]) -> None:
        self._stream = stream
        self._new = new
        self._frame: Any = None
        self._rest = b""

    def read1(self, size: int) -> bytes:
        """Return the next bytes, up to `size`; none at the end of the last frame."""
        while True:
            if self._frame is None and not self._begin():
                return b""
            data: bytes = self._frame.decompress(self._rest, size)
            self._rest = b""
            if self._frame.eof:
                self._rest, self._frame = self._frame.unused_data, None
            elif not data and self._frame.needs_input:
                self._rest = self._stream.read1(_CHUNK)
                if not self._rest:
                    raise EOFError("it ends before its end-of-stream marker")
            if data:
                return data

    def _begin(self) -> bool:
        """Begin the next frame, if there is one. Zeros between frames are padding."""
        while not self._rest.lstrip(b"\0"):
            self._rest = self._stream.read1(_CHUNK)
            if not self._rest:
                return False
        self._rest = self._rest.lstrip(b"\0")
        self._frame = self._new()
        return True


def _bzip2(stream: Ahead) -> Callable[[int], bytes]:
    return _Frames(stream, bz2.BZ2Decompressor).read1


def _xz(stream: Ahead) -> Callable[[int], bytes]:
    return _Frames(stream, lambda: lzma.LZMADecompressor(lzma.FORMAT_XZ, memlimit=MAX_WINDOW)).read1


def _gzip(stream: Ahead) -> Callable[[int], bytes]:
    return gzip.GzipFile(mode="rb", fileobj=cast("gzip._ReadableFileobj", stream)).read1


def _zstd(stream: Ahead) -> Callable[[int], bytes]:
    import pyarrow as pa

    unpacked = pa.CompressedInputStream(pa.PythonFile(_Source(stream), mode="r"), "zstd")
    broken: list[BaseException] = []

    def read1(size: int) -> bytes:
        if broken:
            raise broken[0]
        buffer = bytearray(b"\xff") * size
        try:
            return bytes(buffer[: unpacked.readinto(buffer)])
        except BROKEN_ARCHIVE as error:
            # What was unpacked before the break is in the buffer; it ends where what no text holds begins.
            broken.append(error)
            arrived = bytes(buffer).rstrip(b"\xff")
            if not arrived:
                raise
            return arrived

    return read1


class _Source:
    """What pyarrow asks of a file; it closes nothing."""

    closed = False

    def __init__(self, stream: Ahead) -> None:
        self.read = stream.read

    def readable(self) -> bool:
        """Return True."""
        return True

    def close(self) -> None:
        """Do nothing: the stream belongs to whoever opened it."""


_BZIP2_BLOCKS = (b"\x31\x41\x59\x26\x53\x59", b"\x17\x72\x45\x38\x50\x90")
_PACKED: tuple[tuple[Callable[[bytes], bool], Callable[[Ahead], Callable[[int], bytes]]], ...] = (
    (lambda head: head[:2] == b"\x1f\x8b", _gzip),
    (lambda head: head[:3] == b"BZh" and head[4:10] in _BZIP2_BLOCKS, _bzip2),
    (lambda head: head[:6] == b"\xfd7zXZ\0", _xz),
    # A zstd frame, or one that holds no data and is passed over.
    (
        lambda head: (
            head[:4] == b"\x28\xb5\x2f\xfd" or (b"\x50" <= head[:1] <= b"\x5f" and head[1:4] == b"\x2a\x4d\x18")
        ),
        _zstd,
    ),
)
