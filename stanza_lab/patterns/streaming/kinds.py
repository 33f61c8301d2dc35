"""The kind of one alert, as `alert_kinds` says it of a table."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from stanza_lab.entities.symptoms import symptom_of

_UNKNOWN = "unknown"


def kind_of(alert: Mapping[str, Any], *, by: str = "symptom") -> str:
    """Return the kind of an alert, a row as a mapping.

    Of rules called the same `alert_kinds` tells those of one table apart by their key; here the name alone is said.
    """
    service = alert.get("service")
    service = _UNKNOWN if service is None else service
    if by == "service":
        return str(service)
    what = symptom_of(alert) if by == "symptom" else None
    for name in ("alertname", "rule_key"):
        what = alert.get(name) if what is None else what
    return f"{service}: {_UNKNOWN if what is None else what}"
