"""What early warnings came to on later data: each pattern, how it may begin, each warning."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from stanza_lab._html import escaped
from stanza_lab.production import words

if TYPE_CHECKING:
    import pandas as pd

    from stanza_lab.patterns.found import Patterns

FORETOLD: dict[str, Any] = {
    "pattern": "str",
    "name": "str",
    "prefix": object,  # list of str: the beginning that most often warned in the earlier part; empty: none did
    "confidence": "float64",  # probability after it, from the earlier part alone
    "showed": "int64",  # earlier incidents that began so
    "were": "int64",  # of them, those that were the pattern
    "warnings": "int64",  # later incidents of which it was said
    "came": "int64",  # of them, those that became the pattern
    "precision": "float64",  # came / warnings; null with fewer than LEAST warnings
    "precision_low": "float64",  # Wilson, 95 %
    "precision_high": "float64",
    "happened": "int64",  # later incidents that were the pattern
    "recall": "float64",  # came / happened; null with fewer than LEAST
    "recall_low": "float64",
    "recall_high": "float64",
    "base": "float64",  # share of all later incidents that were the pattern: the precision of warning always
    "lead_s": "float64",  # median seconds from a warning that came true to the whole pattern
    "lead_low_s": "float64",  # tenth and ninetieth percentile of the same
    "lead_high_s": "float64",
    "page_lead_s": "float64",  # median seconds from a warning that came true to the first page; negative: page first
    "paged": "int64",  # warnings that came true and had a page
    "judged": "bool",  # whether precision or recall could be judged
    "words": "str",
}
BEGINNINGS: dict[str, Any] = {
    "pattern": "str",
    "kinds": object,  # list of str: members that fired first, in their usual order
    "confidence": "float64",
    "showed": "int64",
    "were": "int64",
    "warnings": "int64",  # later
    "came": "int64",
}
WARNINGS: dict[str, Any] = {
    "pattern": "str",
    "incident_id": "int64",
    "at": "datetime64[us, UTC]",  # of the warning; null: the pattern came without one
    "confidence": "float64",
    "seen": object,  # list of str
    "came": "bool",
    "whole_at": "datetime64[us, UTC]",  # when all that makes it the pattern had fired; null: it did not come
    "page_at": "datetime64[us, UTC]",
    "lead_s": "float64",  # whole_at - at
    "page_lead_s": "float64",  # page_at - at
}
LEAST = 5  # warnings, or later occurrences, from which a share of them is named
_ROWS = 12
_SENTENCE = 600


@dataclass(frozen=True, eq=False, repr=False)
class EarlyWarnings:
    """Which patterns announce themselves, and how well, as `early_warnings` returns it.

    Attributes
    ----------
    table : DataFrame
        `FORETOLD`, a row per pattern, those judged on most warnings first.
    beginnings : DataFrame
        `BEGINNINGS`: every prefix that is sure enough, the shortest first.
    warnings : DataFrame
        `WARNINGS`: every later incident that was warned of or was the pattern, in order of time.
    patterns : Patterns
        As mined from the earlier part.
    split : Timestamp
        Earlier is what was over before, later what began then or after.
    known : mapping
        min_confidence, earlier and later (incidents), astride (left out), page (definition of a page), and over all
        patterns: warnings, came, precision, precision_low, precision_high, happened, recall, recall_low, recall_high,
        lead_s, page_lead_s (medians).
    unseen : tuple of str
        Sentences: what could not be judged, and why.
    """

    table: pd.DataFrame
    beginnings: pd.DataFrame
    warnings: pd.DataFrame
    patterns: Patterns
    split: pd.Timestamp
    known: Mapping[str, Any]
    unseen: tuple[str, ...] = ()

    def __repr__(self) -> str:
        """Say how many patterns announce themselves, on how much."""
        known = self.known
        tell = int((self.table["prefix"].str.len() > 0).sum())
        return (
            f"EarlyWarnings({tell} of {words.count(len(self.table), 'pattern')}, {known['came']:,} of "
            f"{words.count(known['warnings'], 'warning')} came true, {known['came']:,} of {known['happened']:,} "
            f"occurrences warned of, split {self.split:%Y-%m-%d %H:%M} UTC)"
        )

    @property
    def words(self) -> list[str]:
        """Say what it all comes to, and what each pattern does."""
        known = self.known
        said = (
            f"patterns learned from {words.count(known['earlier'], 'incident')} over before "
            f"{self.split:%Y-%m-%d %H:%M} UTC, judged on {words.count(known['later'], 'incident')} from then on; a "
            f"warning is given once a pattern has probability {known['min_confidence']:.2f} or more and before it is "
            "whole"
        )
        came = share("warnings that came true", known, "came", "warnings", "precision")
        told = [said, f"{came}; {share('occurrences warned of', known, 'came', 'happened', 'recall')}"]
        if known["came"]:
            early = f"median lead of warnings that came true: {words.span(known['lead_s'])} to the whole pattern"
            paged = known["page_lead_s"]
            if paged == paged:
                way = "before" if paged >= 0 else "after"
                early += f", {words.span(paged)} {way} the first page (n={known['paged']}; {known['page']})"
            told.append(early)
        return [*told, *self.table["words"]]

    def _repr_html_(self) -> str:
        """Return the patterns as HTML, all text escaped."""
        overall = "".join(f"<p>{escaped(line, _SENTENCE)}</p>" for line in self.words[: -len(self.table) or None])
        rows = "".join(
            f"<tr><td>{escaped(row['name'], _SENTENCE)}</td><td>{escaped(row['words'], _SENTENCE)}</td></tr>"
            for row in self.table.head(_ROWS).to_dict("records")
        )
        more = len(self.table) - _ROWS
        rest = f"<p>{more} more in .table</p>" if more > 0 else ""
        gaps = "".join(f"<li>{escaped(line, _SENTENCE)}</li>" for line in self.unseen)
        return (
            f"<p><b>{escaped(repr(self), _SENTENCE)}</b></p>{overall}"
            + (f"<table><tr><th>pattern</th><th>what announces it</th></tr>{rows}</table>{rest}" if rows else "")
            + (f"<p>Could not be judged:</p><ul>{gaps}</ul>" if gaps else "")
        )


def share(what: str, row: Mapping[Any, Any], part: str, whole: str, name: str) -> str:
    """Return a share with its interval and n in words, or why there is none."""
    counts = f"{row[part]:,} of {row[whole]:,}"
    if row[name] != row[name]:
        return f"{what}: {counts}, too few to judge (at least {LEAST} are needed)"
    return f"{what}: {counts}, {row[name]:.2f} ({row[f'{name}_low']:.2f} to {row[f'{name}_high']:.2f})"
