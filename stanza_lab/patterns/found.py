"""What `mine_patterns` found: patterns, their steps, when each happened, and families of those alike."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    import pandas as pd

PATTERNS: dict[str, Any] = {
    "pattern": "str",  # stable name: "P-" and a hash of its core kinds
    "family": "str",
    "name": "str",  # words: "orders-db latency, then orders-api errors"
    "support": "int64",  # incidents in which it happened
    "expected": "float64",  # of them by chance, in a history shuffled in time
    "confidence": "float64",  # of the incidents in which its first step came first, the share that went on to it
    "lead_s": "float64",  # median seconds from its first alert to the first page; null where nobody was paged
    "p_value": "float64",
    "q_value": "float64",
    "first": "datetime64[us, UTC]",
    "last": "datetime64[us, UTC]",
    "services": object,  # list of str, first movers first
}
STEPS: dict[str, Any] = {
    "pattern": "str",
    "position": "int64",  # 0 = usually first
    "kind": "str",  # as `alert_kinds` names it
    "service": "str",
    "what": "str",
    "core": "bool",  # False: an optional member
    "count": "int64",  # occurrences in which it took part
    "share": "float64",  # of the occurrences
    "after_s": "float64",  # median seconds after the occurrence's first alert
    "low_s": "float64",  # tenth and ninetieth percentile of the same
    "high_s": "float64",
}
OCCURRENCES: dict[str, Any] = {
    "pattern": "str",
    "incident_id": "int64",
    "starts_at": "datetime64[us, UTC]",
    "ends_at": "datetime64[us, UTC]",  # last recovery; null when one alert is open or its end not known
    "page_at": "datetime64[us, UTC]",  # null: nobody was paged
    "lead_s": "float64",
    "match": "float64",  # 0 to 1: how much of the pattern was there
    "ended": "str",  # one of ENDINGS
}
FAMILIES: dict[str, Any] = {
    "family": "str",
    "name": "str",
    "patterns": object,  # list of str
    "support": "int64",  # different incidents
    "services": object,  # list of str
    "first_movers": object,  # list of str: kinds that came first, most often first
    "endings": object,  # dict of ending -> how often
    "words": "str",
}
ENDINGS = ("by itself", "after somebody took it", "open", "not known")


@dataclass(frozen=True, eq=False, repr=False)
class Patterns:
    """Recurring sequences of alert kinds, as `mine_patterns` returns them.

    Attributes
    ----------
    table : DataFrame
        `PATTERNS`, a row per pattern, the most frequent first.
    steps, occurrences, families : DataFrame
        `STEPS`, `OCCURRENCES`, `FAMILIES`.
    by : str
        What made a kind (see `alert_kinds`).
    known : mapping
        incidents, alerts, kinds (counts), first, last (Timestamps), page (definition of a page, in words).
    unseen : tuple of str
        Sentences: what could not be seen, what was left out and why.
    """

    table: pd.DataFrame
    steps: pd.DataFrame
    occurrences: pd.DataFrame
    families: pd.DataFrame
    by: str
    known: Mapping[str, Any]
    unseen: tuple[str, ...] = ()
