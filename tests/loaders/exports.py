"""Valid records of every shape that can be read, and the containers they come in, for property tests.

A `Kind` makes the record of one shape that tells a `Fact`. A new system adds its kinds to one of the two lists;
`test_exports.py` fails until it did.
"""

from __future__ import annotations

import bz2
import csv
import gzip
import io
import json
import tarfile
import zipfile
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from hypothesis import strategies as st

Record = dict[str, Any]

EPOCH = 1_772_373_600  # 2026-03-01T14:00:00Z
NAMES = ("errors high", "cpu-high", "p99 > 2s", "Diensteausfall äöü", "disk 91% full")


@dataclass(frozen=True)
class Fact:
    """What a record tells: alert `number`, which began at `start`, fires or does not at `at` (seconds since 1970)."""

    number: int
    minute: int
    name: str
    firing: bool

    @property
    def start(self) -> int:
        return EPOCH + 3600 * self.number

    @property
    def at(self) -> int:
        return self.start + 60 * self.minute

    def word(self, firing: str, recovered: str) -> str:
        return firing if self.firing else recovered


@dataclass(frozen=True)
class Kind:
    """One shape: the record of a fact, and the page its vendor lists such records on.

    A record without a time is `timeless`: it stands in a wrapper that says when it was received. One that is `flat` is
    a row of a table too.
    """

    source: str
    shape: str
    make: Callable[[Fact], Record]
    page: Callable[[list[Any]], Any] = lambda records: {"data": records}
    timeless: bool = False
    flat: bool = False

    def document(self, fact: Fact) -> Record:
        record = self.make(fact)
        return wrapped(record, fact.at) if self.timeless else record


def iso(at: float, *, fraction: int = 3, zone: str = "Z") -> str:
    """Return seconds since 1970 as a vendor writes them."""
    written = datetime.fromtimestamp(at, UTC).strftime("%Y-%m-%dT%H:%M:%S")
    return written + ("." + "123456789"[:fraction] if fraction else "") + zone


def under(key: str) -> Callable[[list[Any]], Any]:
    """Return how a page lists its records under `key`."""
    return lambda records: {key: records, "limit": 25, "offset": 0, "more": False}


def wrapped(record: Any, at: float, key: str = "payload") -> Record:
    """Return a record as whoever received it logs it."""
    return {"received_at": iso(at), key: record}


# Few alerts and names: most facts are about one that others are about too.
facts = st.builds(
    Fact,
    number=st.integers(1, 3),
    minute=st.integers(0, 50),
    name=st.sampled_from(NAMES[::2]),
    firing=st.booleans(),
)


# -- containers: documents in, a file's bytes out ----------------------------------------------------------------------


def bare(documents: Sequence[Any]) -> bytes:
    return b"".join(dumped(document) for document in documents)


def array(documents: Sequence[Any]) -> bytes:
    return dumped(list(documents))


def pretty(documents: Sequence[Any]) -> bytes:
    return "\n".join(json.dumps(document, indent=2, ensure_ascii=False) for document in documents).encode()


def lines(documents: Sequence[Any]) -> bytes:
    return b"".join(dumped(document) + b"\n" for document in documents)


def wrapped_lines(documents: Sequence[Any]) -> bytes:
    return lines([wrapped(document, EPOCH) for document in documents])


def text_in_lines(documents: Sequence[Any]) -> bytes:
    return lines([wrapped(dumped(document).decode(), EPOCH, "message") for document in documents])


def utf16(documents: Sequence[Any]) -> bytes:
    return json.dumps(list(documents), ensure_ascii=False).encode("utf-16")


def table(rows: Sequence[Record], delimiter: str = ",") -> bytes:
    """Return flat records as CSV; nothing stands for null."""
    out = io.StringIO()
    header = list(dict.fromkeys(key for row in rows for key in row))
    writer = csv.DictWriter(out, header, delimiter=delimiter, restval="", lineterminator="\r\n")
    writer.writeheader()
    writer.writerows({k: "" if v is None else v for k, v in row.items()} for row in rows)
    return out.getvalue().encode()


def zipped(data: bytes) -> bytes:
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("export/part.json", data)
    return out.getvalue()


def tarred(data: bytes) -> bytes:
    out = io.BytesIO()
    with tarfile.open(fileobj=out, mode="w:gz") as archive:
        member = tarfile.TarInfo("export/part.json")
        member.size = len(data)
        archive.addfile(member, io.BytesIO(data))
    return out.getvalue()


LAYOUTS: tuple[Callable[[Sequence[Any]], bytes], ...] = (
    bare,
    array,
    pretty,
    lines,
    wrapped_lines,
    text_in_lines,
    utf16,
)
PACKED: tuple[Callable[[bytes], bytes], ...] = (
    bytes,
    lambda data: gzip.compress(data, 1),
    lambda data: bz2.compress(data, 1),
    zipped,
    tarred,
    lambda data: gzip.compress(zipped(data), 1),
)


def dumped(value: Any) -> bytes:
    return json.dumps(value, ensure_ascii=False).encode()


def documents_of(told: Iterable[tuple[Kind, Fact]]) -> list[Record]:
    return [kind.document(fact) for kind, fact in told]
