"""What spans of every encoding have in common: ids, kinds, whom a caller calls, and the row they become."""

from __future__ import annotations

import base64
import binascii
from collections.abc import Mapping
from typing import Any

from stanza_lab.loaders._records import Record, RecordError, name

KINDS = ("internal", "server", "client", "producer", "consumer")
# What a caller says it calls, the most exact name first.
_PEERS = (
    "peer.service",
    "messaging.destination.name",
    "messaging.destination",
    "message_bus.destination",
    "db.namespace",
    "db.name",
    "db.instance",
    "rpc.service",
    "server.address",
    "net.peer.name",
    "peer.hostname",
    "db.system.name",
    "db.system",
    "db.type",
)
_LATEST = 2**52  # microseconds; a time after the year 2112 is none
_HEX = frozenset("0123456789abcdef")


def row(
    *,
    trace_id: str,
    span_id: str,
    parent_span_id: str | None,
    service: Any,
    operation: Any,
    kind: str | None,
    starts_at: int | None,
    ends_at: int | None,
    status: str,
    attributes: Mapping[str, str],
    peer: str | None = None,
) -> Record:
    """Return a row of `schema.SPANS`; `peer` is the callee where the encoding has a field of its own for it."""
    calls = kind in ("client", "producer")
    return {
        "trace_id": trace_id,
        "span_id": span_id,
        "parent_span_id": parent_span_id,
        "service": _service(service),
        "name": name(operation),
        "kind": kind,
        "starts_at": starts_at,
        "ends_at": ends_at,
        "status": status,
        "peer": (peer or _peer(attributes)) if calls else None,
    }


def trace_id(value: Any, field: str) -> str:
    """Return a trace id as 32 hexadecimal digits, 16 where 64 bits hold it.

    Tools write the same id of 64 bits bare, padded to 128 bits, or without its leading zeros.
    """
    digits = _digits(value, field).lstrip("0")
    return digits.zfill(16 if len(digits) <= 16 else 32)


def span_id(value: Any, field: str) -> str:
    """Return a span id as 16 hexadecimal digits."""
    return _digits(value, field).lstrip("0").zfill(16)


def parent_id(value: Any, field: str) -> str | None:
    """Return the id of a parent; none, empty or all zeros is a root."""
    if value is None or value == 0 or (isinstance(value, str) and not value.strip("0")):
        return None
    return span_id(value, field)


def microseconds(value: Any, field: str, *, per: int = 1) -> int | None:
    """Return whole microseconds of a time given in units of 1/`per` microsecond; 0 and absent are no time."""
    if value in (None, "", 0, "0"):
        return None
    try:
        at = int(value) // per
    except (TypeError, ValueError, OverflowError):
        at = -1
    if isinstance(value, bool) or not 0 <= at < _LATEST:
        unit = "nanoseconds" if per == 1_000 else "microseconds"
        raise RecordError("bad_time", f"field {field!r} is not a time in {unit}: {str(value)[:40]!r}")
    return at


def end(starts_at: int | None, duration: Any) -> int | None:
    """Return when a span ended that started at `starts_at` and lasted `duration` microseconds."""
    if starts_at is None or duration in (None, ""):
        return None
    return starts_at + (microseconds(duration, "duration") or 0)


def status(tags: Mapping[str, str]) -> str:
    """Return the outcome that tags tell: ``error``, or the status OpenTelemetry writes into them."""
    stated = tags.get("otel.status_code", "").lower()
    if stated == "error" or tags.get("error", "false").lower() != "false":
        return "error"
    return "ok" if stated == "ok" else "unset"


def _service(value: Any) -> str | None:
    """Return the name of a service; what SDKs write when nobody named it is none."""
    found = name(value)
    return None if found is None or found.startswith("unknown_service") else found


def _peer(attributes: Mapping[str, str]) -> str | None:
    return next((attributes[key] for key in _PEERS if attributes.get(key)), None)


def _digits(value: Any, field: str) -> str:
    if not isinstance(value, str) or not value.strip("0"):
        raise RecordError("missing_field", f"field {field!r} is missing; without it the span cannot be placed")
    digits = value.lower()
    if not _HEX.issuperset(digits):
        digits = _from_base64(value) or ""
    if not digits or len(digits) > 32:
        raise RecordError("malformed", f"field {field!r} is not hexadecimal: {value[:40]!r}")
    return digits


def _from_base64(value: str) -> str | None:
    """Return the digits of 8 or 16 bytes in base64, as plain protobuf JSON has them (Tempo)."""
    try:
        data = base64.b64decode(value, validate=True)
    except (binascii.Error, ValueError):
        return None
    return data.hex() if len(data) in (8, 16) else None
