"""What the fuzz targets start from beside the records: spans, protobuf, Arrow files, packed forms."""

from __future__ import annotations

import io
import lzma
import struct
import tarfile
from typing import Any

import pyarrow as pa
import pyarrow.csv
import pyarrow.feather
import pyarrow.parquet as pq

from tests.loaders.exports import Fact, zipped
from tests.loaders.exports_all import KINDS

_SPAN = {
    "traceId": "5b8efff798038103d269b633813fc60c",
    "spanId": "eee19b7ec3c1b174",
    "parentSpanId": "eee19b7ec3c1b173",
    "name": "GET /pay",
    "kind": 2,
    "startTimeUnixNano": "1772373731000000000",
    "endTimeUnixNano": "1772373732000000000",
    "attributes": [{"key": "http.route", "value": {"stringValue": "/pay"}}],
    "status": {"code": 2, "message": "no"},
}
_SERVICE = {"attributes": [{"key": "service.name", "value": {"stringValue": "checkout"}}]}
_JAEGER = {
    "traceID": "5b8efff798038103",
    "spanID": "eee19b7ec3c1b174",
    "operationName": "GET /pay",
    "references": [{"refType": "CHILD_OF", "traceID": "5b8efff798038103", "spanID": "eee19b7ec3c1b173"}],
    "startTime": 1772373731000000,
    "duration": 1000,
    "tags": [{"key": "error", "type": "bool", "value": True}],
    "processID": "p1",
}
SPANS: tuple[Any, ...] = (
    {"resourceSpans": [{"resource": _SERVICE, "scopeSpans": [{"scope": {"name": "a"}, "spans": [_SPAN]}]}]},
    {"data": [{"traceID": "5b8efff798038103", "spans": [_JAEGER], "processes": {"p1": {"serviceName": "checkout"}}}]},
    {
        "traceId": "5b8efff798038103",
        "id": "eee19b7ec3c1b174",
        "parentId": "eee19b7ec3c1b173",
        "name": "get",
        "kind": "CLIENT",
        "timestamp": 1772373731000000,
        "duration": 1000,
        "localEndpoint": {"serviceName": "checkout"},
        "tags": {"error": "x"},
    },
    {"resourceMetrics": [{"resource": _SERVICE, "scopeMetrics": []}]},
)


def _field(number: int, data: bytes) -> bytes:
    return _varint(number << 3 | 2) + _varint(len(data)) + data


def _varint(value: int) -> bytes:
    out = bytearray()
    while value > 0x7F:
        out.append(value & 0x7F | 0x80)
        value >>= 7
    return bytes([*out, value])


def _protobuf() -> tuple[bytes, ...]:
    """Return OTLP messages: spans and logs, alone and behind their lengths."""
    named = _field(1, b"service.name") + _field(2, _field(1, b"checkout"))
    resource = _field(1, _field(1, named))
    times = b"\x39" + struct.pack("<Q", 1_772_373_731 * 10**9) + b"\x41" + struct.pack("<Q", 1_772_373_732 * 10**9)
    span = _field(1, bytes(range(16))) + _field(2, bytes(range(8))) + _field(5, b"GET /pay") + b"\x30\x02" + times
    log = (
        b"\x09" + struct.pack("<Q", 1_772_373_731 * 10**9) + b"\x10\x11" + _field(5, _field(1, b"no route to 10.0.0.1"))
    )
    found = []
    for item in (span, log):
        message = _field(1, resource + _field(2, _field(1, _field(1, b"a.B")) + _field(2, item)))
        many = message * 3
        found += [message, many, struct.pack(">I", len(many)) + many, _varint(len(many)) + many]
        found.append((struct.pack(">I", len(message)) + message) * 4)
    return tuple(found)


def _arrow() -> tuple[bytes, ...]:
    """Return tables of every file format of Arrow."""
    rows = [kind.make(Fact(n, n, "cpu-high", n % 2 == 1)) for kind in KINDS if kind.source == "table" for n in range(9)]
    held = pa.Table.from_pylist(rows)
    nested = held.append_column("labels", pa.array([{"env": "prod", "n": [1, 2]}] * 9))
    found = []
    for columns in (held, nested):
        parquet, stream, feather = io.BytesIO(), io.BytesIO(), io.BytesIO()
        pq.write_table(columns, parquet)
        with pa.ipc.new_stream(stream, columns.schema) as writer:
            writer.write_table(columns)
        pa.feather.write_feather(columns, feather, compression="uncompressed")
        found += [parquet.getvalue(), stream.getvalue(), feather.getvalue()]
    return tuple(found)


def _tar(data: bytes) -> bytes:
    out = io.BytesIO()
    with tarfile.open(fileobj=out, mode="w") as archive:
        for name in ("a.json", "folder/b.json"):
            member = tarfile.TarInfo(name)
            member.size = len(data)
            archive.addfile(member, io.BytesIO(data))
    return out.getvalue()


def _zstd(data: bytes) -> bytes:
    return bytes(pa.compress(data, codec="zstd", asbytes=True))


SEEDS: dict[str, tuple[Any, ...]] = {
    "tokens": (
        *(b'"', b"\\", b"{", b"}", b"[", b"]", b",", b":", b"\n", b"\r", b"\0", b"\xef\xbb\xbf", b"\xff\xfe"),
        *(b"1e999", b"NaN", b'"\\ud800"', b"{" * 300, b"[" * 3000, b"\x80" * 10),
        *(b"PK\x03\x04", b"\x1f\x8b", b"ustar", b"PAR1"),
    ),
    "packs": (lzma.compress, _tar, _zstd, zipped),
    "protobuf": _protobuf(),
    "Arrow": _arrow(),
}
