"""What to tune down, as `tune_down` returns it: tables, sentences, and a list of edits."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from stanza_lab.production import card, words
from stanza_lab.reliability.quieter import patching, sentences

if TYPE_CHECKING:
    import pandas as pd

VERDICTS = ("take", "look", "leave")
CHANGES: dict[str, Any] = {
    "rule_key": "str",
    "rule": "str",  # name; untrusted text, as are the next three
    "service": "str",
    "source": "str",
    "team": "str",  # who is paged
    "change": "str",  # delete, notify, hold, debounce, group, route
    "value": "str",  # how long, by what, to whom
    "verdict": "str",  # one of VERDICTS
    "best": "bool",  # of the changes of this rule
    "promised": "int64",  # pages saved on the earlier part, where it was chosen
    "pages_before": "int64",  # pages of the rule on the earlier part
    "missed_before": "int64",  # real incidents missed on the earlier part
    "pages": "int64",  # pages of the rule on the later part
    "pages_saved": "int64",  # of them, alone
    "pages_saved_per_week": "float64",
    "alerts_saved": "int64",
    "occasions": "int64",  # incidents, and alerts on their own, of the later part that it touches
    "real": "int64",  # of them: real ones
    "missed": "int64",  # of them: nobody is paged in time any more, or no alert is left
    "missed_high": "float64",  # share of the occasions not exceeded with 95 % certainty
    "late": "int64",  # real ones that somebody is paged for later
    "later_s": "float64",  # median and longest of these delays
    "later_max_s": "float64",
    "caught_by": object,  # list of str: rules that page first for the real ones then, the most frequent first
    "with_rules": object,  # list of str: rules whose pages it joins
    "only_rule": "bool",  # of its service that pages
    "seconds": "int64",
    "by": "str",
    "reason": "str",
    "words": "str",
}
MISSED: dict[str, Any] = {
    "rule_key": "str",
    "rule": "str",
    "change": "str",
    "value": "str",
    "part": "str",  # earlier, later
    "incident_id": "int64",  # -1: an alert on its own
    "alert_id": "str",  # its first alert
    "starts_at": "datetime64[us, UTC]",
    "paged_at": "datetime64[us, UTC]",
    "alerts": "int64",
    "services": object,  # list of str
    "later_s": "float64",  # how much later somebody is paged; null: never
    "why": "str",  # what makes it real
}
COMBINED: dict[str, Any] = {
    "step": "int64",
    "rule_key": "str",
    "rule": "str",
    "service": "str",
    "change": "str",
    "value": "str",
    "verdict": "str",
    "proposed": "bool",  # False: not to be taken, there to see what more would cost
    "promised": "int64",  # pages saved on the earlier part by this and all before; so all that follows
    "promised_share": "float64",
    "pages_saved": "int64",  # on the later part
    "share": "float64",
    "real": "int64",  # real incidents of the later part that somebody was paged for
    "missed": "int64",
    "missed_high": "float64",
    "late": "int64",
    "later_max_s": "float64",
    "words": "str",
}
KEPT: dict[str, Any] = {
    "rule_key": "str",
    "rule": "str",
    "service": "str",
    "source": "str",
    "pages": "int64",  # on the earlier part
    "alone": "int64",  # real incidents nobody would be paged for in time without it
    "words": "str",
}
_ROWS, _CELL = 12, 160
_SHOWN = ("rule", "service", "change", "value", "verdict", "promised", "pages_saved", "pages", "missed", "occasions")


@dataclass(frozen=True, eq=False, repr=False)
class TuneDown:
    """Which rules to make quieter, what it saves and what it would have missed.

    Attributes
    ----------
    changes : DataFrame
        `CHANGES`, a row per rule and change: first the best of each rule, those that save most pages on the later part
        first; then the others. Changes that miss something are there with the verdict "leave".
    missed : DataFrame
        `MISSED`: the real incidents that each change would have missed, in which part; the first 100 of each change.
    combined : DataFrame
        `COMBINED`: the changes to take together (`proposed`), in the order taken, with running totals: each is measured
        with all before it. Behind them what more would cost.
    kept : DataFrame
        `KEPT`: loud rules of which no change was safe.
    patches : DataFrame
        The edits for the changes of `combined` that saved pages and missed nothing on the later part, in the terms of
        each tool: number, source, where, rule, service, change, value, edit, look (what a person must look at),
        pages_saved, missed, occasions, missed_high. Text only: nothing is applied.
    known : mapping
        Definitions and counts: page, worth, tz, first, split, last, alerts, pages_before, pages, real, weeks, copies,
        timeless, max_later_s, min_support; edits (how many changes are among them), edits_saved, edits_missed (pages of
        the later part that they save together, and real incidents that they miss), edits_idle (changes that saved none
        and are not among them, and what these promised).
    unseen : tuple of str
        What could not be seen or tried, in sentences.
    """

    changes: pd.DataFrame
    missed: pd.DataFrame
    combined: pd.DataFrame
    kept: pd.DataFrame
    patches: pd.DataFrame
    known: Mapping[str, Any]
    unseen: tuple[str, ...] = ()

    @property
    def summary(self) -> list[str]:
        """The findings in sentences; names in them are untrusted text."""
        known, taken = self.known, self.combined[self.combined["proposed"]]
        last = taken.tail(1)
        parts = f"chosen on {sentences.span(known['first'], known['split'])}"
        parts += f", measured on {sentences.span(known['split'], known['last'])}"
        together = " together" if len(taken) > 1 else ""
        found = f"{words.count(len(taken), 'change')}{together}, {parts}." if len(last) else f"No change: {parts}."
        said = [found]
        said += [*last["words"]]
        left = int((taken["verdict"] == "leave").sum())
        idle, promised = known.get("edits_idle", (0, 0))
        if left:
            is_ = "is" if left == 1 else "are"
            said.append(
                f"{words.count(left, 'change')} of them would have missed something on the later part and {is_} not "
                "among the edits."
            )
        if idle:
            is_ = "is" if idle == 1 else "are"
            said.append(
                f"{words.count(idle, 'change')} of them promised {words.count(promised, 'page')}, came 0 on the later "
                f"part: {is_} not among the edits."
            )
        if (left or idle) and known["edits"]:
            said.append(
                f"The others alone: {known['edits_saved']:,} of {words.count(known['pages'], 'page')} fewer, "
                f"{known['edits_missed']:,} missed; these were picked by the later part too, so expect less."
            )
        alone = self.kept[self.kept["alone"] > 0]
        if len(alone):
            said.append(f"{words.count(len(alone), 'loud rule')} left alone: the only witness of a real incident.")
        return [*said, f"{known['page'][:1].upper()}{known['page'][1:]}; {known['worth']}."]

    def to_markdown(self) -> str:
        """Return the list of edits as Markdown to review; text from alerts is escaped.

        Returns
        -------
        str
            What was found and how, then per source each edit: where, what, what to look at, what it saved and missed.

        Examples
        --------
        >>> import stanza_lab as sl
        >>> made = sl.simulate_production(services=12, teams=3, days=14, incidents=6)
        >>> tuned = sl.tune_down(sl.cluster_incidents(made.alerts))
        >>> tuned.to_markdown().splitlines()[0]
        '# Tune down: a list of edits to review'
        """
        return patching.markdown(self.patches, [*self.summary, *self.unseen])

    def to_csv(self) -> str:
        """Return the list of edits as CSV in which no cell is a formula.

        Returns
        -------
        str
            `patches`, a line per edit.

        Examples
        --------
        >>> import stanza_lab as sl
        >>> made = sl.simulate_production(services=12, teams=3, days=14, incidents=6)
        >>> sl.tune_down(sl.cluster_incidents(made.alerts)).to_csv().partition(",")[0]
        'number'
        """
        return patching.csv(self.patches)

    def __repr__(self) -> str:
        last = self.combined[self.combined["proposed"]].tail(1)
        idle, _ = self.known.get("edits_idle", (0, 0))
        rules = words.count(int(last["step"].iloc[0]) - idle if len(last) else 0, "rule")
        saved = int(last["pages_saved"].iloc[0]) if len(last) else 0
        pages = words.count(self.known["pages"], "page")
        return f"TuneDown({rules} can be quieter, {saved:,} of {pages} fewer; see .changes, .summary)"

    def _repr_html_(self) -> str:
        best = self.changes[self.changes["best"]]
        said = "".join(f"<li>{card.text(line, limit=400)}</li>" for line in [*self.summary, *self.unseen])
        head = "".join(f"<th>{name}</th>" for name in _SHOWN)
        rows = "".join(
            "<tr>" + "".join(f"<td>{card.text(value, limit=_CELL)}</td>" for value in row) + "</tr>"
            for row in best[list(_SHOWN)].head(_ROWS).itertuples(index=False)
        )
        more = f"<p>and {len(best) - _ROWS:,} more</p>" if len(best) > _ROWS else ""
        return f"<ul>{said}</ul><table><thead><tr>{head}</tr></thead><tbody>{rows}</tbody></table>{more}"
