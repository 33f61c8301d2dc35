"""What an ingest shows while it runs: bytes read of all, the rate, the time left, the records so far."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Protocol

from tqdm.auto import tqdm

_EVERY = 0.5  # seconds


class _Piece(Protocol):
    @property
    def files(self) -> tuple[Path, ...]:
        """Return the files."""

    @property
    def size(self) -> int:
        """Return the bytes."""


@contextmanager
def shown(pieces: Sequence[_Piece], places: Sequence[Path], *, progress: bool) -> Iterator[Callable[[_Piece], None]]:
    """Show a bar over the bytes of all pieces; yields what is called with each piece that is done.

    The records are counted by the processes that read, in a file beside what they write.
    """
    with tqdm(
        total=sum(piece.size for piece in pieces), disable=not progress, unit="B", unit_scale=True, unit_divisor=1024
    ) as bar:
        over = threading.Event()

        def watch() -> None:
            while not over.wait(_EVERY):
                bar.set_postfix_str(f"{sum(map(_records, places)):,} records")

        watcher = threading.Thread(target=watch, daemon=True) if progress else None
        if watcher:
            watcher.start()

        def advance(piece: _Piece) -> None:
            bar.set_description(piece.files[-1].name[-30:], refresh=False)
            bar.update(piece.size)

        try:
            yield advance
        finally:
            over.set()
            if watcher:
                bar.set_postfix_str(f"{sum(map(_records, places)):,} records")
                watcher.join()


def _records(place: Path) -> int:
    try:
        return int((place / "records").read_text() or 0)
    except (OSError, ValueError):
        return 0
