"""Names of patterns and families: stable ones for machines, and words for people made of kinds and roles only."""

from __future__ import annotations

import hashlib
from collections import Counter
from collections.abc import Iterable, Sequence
from typing import TYPE_CHECKING

from stanza_lab.dependencies.evidence.roles import role_of_name
from stanza_lab.production import words

if TYPE_CHECKING:
    import pandas as pd

_SHOWN = 3  # steps in a name
_CALLED = {
    "store": "storage",
    "queue": "queue",
    "edge": "front end",
    "managed": "managed service",
}  # a service is what everything is: it is not said


def pattern_id(core: Iterable[str]) -> str:
    """Return "P-" and a hash of the core kinds, whatever their order."""
    return f"P-{_hash(sorted(core))}"


def family_id(first: str) -> str:
    """Return "F-" and a hash of the step that the family's most frequent pattern begins with."""
    return f"F-{_hash([first])}"


def step_name(service: object, what: str, kind: str) -> str:
    """Return a kind in a sentence: "orders-db latency"; by rule or service, or where no service is known, the kind."""
    return f"{service} {what}" if isinstance(service, str) and service and what else kind


def pattern_name(steps: Sequence[str]) -> str:
    """Return the first steps in words: "orders-db latency, then orders-api errors"."""
    more = len(steps) - _SHOWN
    return ", then ".join(steps[:_SHOWN]) + (f" and {more} more" if more > 0 else "")


def family_name(first: pd.DataFrame) -> str:
    """Return what a family is about, from its first steps (`service`, `what`, `weight`), heaviest first.

    "storage saturation at orders-db": the role that the service's name tells, the symptom, the service.
    """
    services, symptoms = Counter[str](), Counter[str]()
    for service, what, weight in first[["service", "what", "weight"]].itertuples(index=False):
        if isinstance(service, str):
            services[service] += weight
        symptoms[what] += weight
    symptom = _most(symptoms) or "trouble"
    if not services:
        return symptom
    service = _most(services)
    role = _CALLED.get(role_of_name(service) or "", "")
    more = words.listing([service, *sorted(set(services) - {service})], top=2)
    return f"{f'{role} ' if role else ''}{symptom} at {more}"


def _most(counted: Counter[str]) -> str:
    """Return the most frequent name; of equals the first in the alphabet."""
    return min(counted, key=lambda name: (-counted[name], name)) if counted else ""


def _hash(parts: list[str]) -> str:
    return hashlib.sha256("\n".join(parts).encode()).hexdigest()[:8]
