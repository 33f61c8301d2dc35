"""What a backtest of reactions found: every firing, every reaction, and what cannot be known from history."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from stanza_lab._html import escaped
from stanza_lab.production import words

if TYPE_CHECKING:
    import pandas as pd

_ROWS, _CELL = 25, 300

FIRINGS: dict[str, Any] = {
    "reaction": "str",
    "team": "str",
    "incident_id": "int64",  # -1: an alert on its own
    "at": "datetime64[us, UTC]",
    "service": "str",  # where its `when` fits; empty for a pattern
    "target": "str",  # empty: none could be named
    "confidence": "float64",
    "page_at": "datetime64[us, UTC]",  # null: nobody was paged
    "lead_to_page_s": "float64",  # negative: the page came first
    "recovered_at": "datetime64[us, UTC]",  # null: open, or not known
    "lead_to_recovery_s": "float64",
    "touched": object,  # list of str: services hit likelier than not if the action fails its target
    "n_touched": "Int64",  # null: not known
    "risk": "str",
    "blocked_by": "str",  # null: no guardrail stood against it
    "became": "boolean",  # the incident came to be the pattern; null for a `when`
    "paged": "bool",
    "right": "bool",
    "saved_high_s": "float64",  # at most; null where it cannot be counted
    "budget_high": "float64",  # of one window's error budget, at most
    "in_sample": "bool",  # the patterns were mined from this incident too
    "words": "str",
}
REACTIONS: dict[str, Any] = {
    "reaction": "str",
    "team": "str",
    "action": "str",
    "bound_to": "str",
    "looked_at": "int64",  # incidents and lone alerts that it could have fired in
    "triggers": "int64",
    "blocked": "int64",
    "fired": "int64",
    "right": "int64",
    "false": "int64",
    "false_share": "float64",  # of those fired; null under min_support
    "false_low": "float64",  # Wilson, 95 %
    "false_high": "float64",
    "before_page": "int64",  # fired before the first page
    "page_lead_s": "float64",  # median; negative: the page comes first
    "page_n": "int64",
    "recovery_lead_s": "float64",  # median
    "recovery_n": "int64",
    "touched_most": "Int64",
    "effect_s": "float64",  # the soonest it helps
    "saved_low_min": "float64",
    "saved_high_min": "float64",
    "saved_n": "int64",
    "budget_low": "float64",
    "budget_high": "float64",
    "verdict": "str",
    "words": "str",
}


@dataclass(frozen=True, eq=False, repr=False)
class ReactionBacktest:
    """What reactions would have done, as `backtest` returns it.

    Attributes
    ----------
    reactions : DataFrame
        A row per reaction in the order of the catalogue, columns `REACTIONS`: how often it would have fired and was
        blocked, false triggers with a 95 % interval, median leads with their n, minutes and error budget saved as an
        interval, `verdict` or how many firings are missing for one.
    firings : DataFrame
        A row per reaction and incident (or lone alert) it would have fired in, by time, columns `FIRINGS`.
    words : list of str
        How it was split, what counts as what, what cannot be known.
    unseen : list of str
        What was left out and why.
    min_support : int
        Firings below which no share, lead or saving is stated.
    """

    reactions: pd.DataFrame
    firings: pd.DataFrame
    words: list[str]
    unseen: list[str]
    min_support: int

    def tried(self, reaction: str, *, team: str) -> pd.DataFrame:
        """Return the firings of one reaction, blocked ones too.

        Parameters
        ----------
        reaction, team : str
            Its name, and who contributed it.

        Returns
        -------
        DataFrame
            Columns `FIRINGS`, by time.
        """
        return self.firings[(self.firings["reaction"] == reaction) & (self.firings["team"] == team)]

    def __repr__(self) -> str:
        """Say in one line how much fired."""
        fired, false = int(self.reactions["fired"].sum()), int(self.reactions["false"].sum())
        size = words.count(len(self.reactions), "reaction")
        blocked = int(self.reactions["blocked"].sum())
        return f"ReactionBacktest({size}: fired {words.count(fired, 'time')}, {false} false, {blocked} blocked)"

    def __str__(self) -> str:
        """Return it as text for a terminal."""
        lines = [words.sentence(said) for said in (*self.reactions["words"], *self.words)]
        return "\n".join([*lines, *(f"Could not be seen: {said}." for said in self.unseen)])

    def _repr_html_(self) -> str:
        more = f"<p>and {len(self.reactions) - _ROWS:,} more</p>" if len(self.reactions) > _ROWS else ""
        unseen = f"<p>Could not be seen:</p>{_list(self.unseen)}" if self.unseen else ""
        told = f"{_list(self.reactions['words'])}{more}<p>How it was counted:</p>{_list(self.words)}"
        return f"<p><b>{escaped(repr(self), _CELL)}</b></p>{told}{unseen}"


def _list(sentences: Iterable[str]) -> str:
    said = [escaped(words.sentence(one), _CELL) for one in sentences]
    return f"<ul>{''.join(f'<li>{one}</li>' for one in said[:_ROWS])}</ul>"
