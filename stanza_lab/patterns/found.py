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
    "half_at": "datetime64[us, UTC]",  # when half of its alerts had recovered; null while fewer have, or not known
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
PREFIXES: dict[str, Any] = {
    "pattern": "str",
    "kinds": object,  # list of str: members that fired first, whatever their order; empty: before any did
    "whole": "bool",  # True: all that makes it the pattern had fired (kinds is empty then)
    "showed": "int64",  # incidents of the history that began so
    "were": "int64",  # of them, those that were the pattern
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
    prefixes : DataFrame, optional
        `PREFIXES`: how each pattern began, and how many incidents that began so were none (`learn_prefixes`).
    """

    table: pd.DataFrame
    steps: pd.DataFrame
    occurrences: pd.DataFrame
    families: pd.DataFrame
    by: str
    known: Mapping[str, Any]
    unseen: tuple[str, ...] = ()
    prefixes: pd.DataFrame | None = None

    def explain(self, pattern: str) -> str:
        """Return what is known of one pattern: its steps, how each time went, what speaks for it and against.

        Parameters
        ----------
        pattern : str
            Its name, as in the column `pattern` of `table`.

        Returns
        -------
        str
            Lines of plain text.

        Raises
        ------
        UnknownNameError
            There is no such pattern.
        """
        from stanza_lab.patterns.telling import explain

        return explain(self, pattern)

    def to_dict(self) -> dict[str, Any]:
        """Return all of it as plain JSON: names of services and kinds, counts and times, no alert text, no person.

        Returns
        -------
        dict
            For `from_dict`; times are ISO 8601 in UTC.
        """
        from stanza_lab.patterns.writing import to_dict

        return to_dict(self)

    @classmethod
    def from_dict(cls, told: Mapping[str, Any]) -> Patterns:
        """Return the patterns that `to_dict` wrote.

        Parameters
        ----------
        told : mapping
            What `to_dict` gave, also after a round trip through JSON.

        Returns
        -------
        Patterns
            Equal tables, with their dtypes.

        Raises
        ------
        BundleError
            It is of another format, incomplete or damaged.
        """
        from stanza_lab.patterns.writing import from_dict

        return cls(**from_dict(told))

    def __repr__(self) -> str:
        """Say in one line how many there are, and of what."""
        from stanza_lab.patterns.telling import headline

        return f"Patterns({headline(self)})"

    def _repr_html_(self) -> str:
        from stanza_lab.patterns.telling import page

        return page(self)

    def recognise(
        self, alerts: pd.DataFrame, *, min_confidence: float = 0.5, pages: pd.DataFrame | None = None
    ) -> pd.DataFrame:
        """Return when each incident could first be told to be a pattern, from its alerts up to then.

        Parameters
        ----------
        alerts : DataFrame
            `schema.ALERTS` with `incident_id`; alerts on their own (-1) are left out.
        min_confidence : float, default 0.5
            Probability from which an incident counts as recognised, 0 to 1; larger is later and surer.
        pages : DataFrame, optional
            A history that still has the pager's alerts, see `mine_patterns`.

        Returns
        -------
        DataFrame
            One row per incident and pattern recognised, in the order of `at`: incident_id (int64), pattern (str), at
            (datetime64[us, UTC]: start of the alert that made it sure enough), confidence (float64: probability then
            that this incident is the pattern), seen (list of str: members of the pattern that had fired by then),
            whole (bool: all that makes it the pattern had fired), page_at (datetime64[us, UTC]: the incident's first
            page; null: nobody was paged), lead_s (float64: page_at - at, negative when the page came first), words
            (str). ``attrs["definition"]`` says what counted as a page.

        Notes
        -----
        The probability is counted: of the incidents of the history whose first members were the same, whatever their
        order, how many were the pattern; what was known one member earlier is worth four such incidents.
        """
        from stanza_lab.patterns.recognising import recognise

        return recognise(self, alerts, min_confidence=min_confidence, pages=pages)

    def seen_before(self, alerts: pd.DataFrame) -> pd.DataFrame:
        """Return the patterns that one incident looks like, and what happened each time.

        Parameters
        ----------
        alerts : DataFrame
            `schema.ALERTS` of one incident, all it has or those it has by now.

        Returns
        -------
        DataFrame
            One row per pattern that happened before the incident began and of whose core members at least half are
            here, the best match first: pattern, name (str), match (float64: share of the pattern that is here, 0 to 1),
            times (int64), last (datetime64[us, UTC]), words (str), next (list of str: core members that have not fired,
            in their usual order).

        Raises
        ------
        ParameterError
            The alerts are of several incidents.
        """
        from stanza_lab.patterns.seen_before import seen_before

        return seen_before(self, alerts)
