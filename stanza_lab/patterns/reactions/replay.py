"""History played again: when each reaction would have fired, judged by what was known then."""

from __future__ import annotations

import math
from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING, Any

import pandas as pd

from stanza_lab.patterns.reactions import guardrails, triggers
from stanza_lab.patterns.reactions.backtested import FIRINGS
from stanza_lab.patterns.reactions.savings import Budget, at_most
from stanza_lab.patterns.reactions.vocabulary import ACTIONS
from stanza_lab.production import words

if TYPE_CHECKING:
    from stanza_lab.patterns.found import Patterns
    from stanza_lab.patterns.reactions.cases import Cases
    from stanza_lab.patterns.reactions.catalogue import Reactions
    from stanza_lab.patterns.reactions.places import Places
    from stanza_lab.patterns.reactions.reaction import Reaction
    from stanza_lab.patterns.reactions.triggers import Trigger

_AT_ONCE = 1.0  # seconds: no lead
_NOT_KNOWN = (
    "what acting would have changed is in no history: saved goes from nothing (no effect) to all the trouble between "
    "the stated effect time and recovery (it always helps), at most {} after it fired; approval is taken as given at "
    "once, harm by false triggers is not counted"
)
_BUDGET = "error budget saved is at most: as if every request had failed in the time saved"


@dataclass(frozen=True)
class Replay:
    """The history that is played, and what it is judged by."""

    cases: Cases
    places: Places
    patterns: Patterns | None
    budget: Budget
    effect: pd.Timedelta | None
    longest: pd.Timedelta
    hindsight: bool

    @cached_property
    def recognised(self) -> triggers.Recognised | None:
        """What began like which pattern."""
        return None if self.patterns is None else triggers.Recognised(self.cases, self.patterns)

    def run(self, catalogue: Reactions, since: pd.Timestamp | None) -> tuple[pd.DataFrame, list[int]]:
        """Return all firings by time, and per reaction how many cases it could have fired in."""
        rows: list[dict[str, Any]] = []
        looked = []
        for reaction in catalogue.items:
            start = self._start(reaction, since)
            starts = self.cases.table["starts_at"]
            after = starts > start if reaction.pattern else starts >= start
            looked.append(int(after.sum()) if reaction.when is not None or self.patterns is not None else 0)
            counted = set(starts.index[after])
            rows += [row for row in self._of(reaction) if row.pop("case") in counted]
        table = pd.DataFrame(rows, columns=list(FIRINGS))
        times = {name: pd.to_datetime(table[name], utc=True) for name in ("at", "page_at", "recovered_at")}
        table = table.assign(**times).astype(FIRINGS)
        return table.sort_values(["at", "team", "reaction"], kind="stable", ignore_index=True), looked

    @property
    def _last(self) -> pd.Timestamp | None:
        """The last alert that the patterns were mined from; None: there was none, or there are no patterns."""
        last: pd.Timestamp | None = None if self.patterns is None else self.patterns.known["last"]
        return last

    def _start(self, reaction: Reaction, since: pd.Timestamp | None) -> pd.Timestamp:
        """Return the time from which a reaction is judged; of a pattern not before all it was mined from is over."""
        first = pd.Timestamp.min.tz_localize("UTC").ceil("us") if since is None else since
        if not reaction.pattern or self._last is None or self.hindsight:
            return first
        return max(first, self._last)

    def _of(self, reaction: Reaction) -> list[dict[str, Any]]:
        """Return the firings of one reaction over all of history: those left out later still tell how sure it was."""
        if reaction.when is not None:
            found = triggers.of_when(reaction, self.cases, self.places)
        elif self.recognised is not None:
            found = triggers.of_patterns(reaction, self.recognised)
        else:
            found = []
        earlier: list[tuple[str, float]] = []
        done: dict[str, pd.Timestamp] = {}
        rows = []
        for trigger in sorted(found, key=lambda one: (one.at, one.case)):
            row = self._firing(trigger, earlier, done)
            rows.append(row)
            earlier.append((trigger.service, _instant(row["page_at"])))
            if row["blocked_by"] is None:
                done[row["target"]] = trigger.at
        return rows

    def _firing(
        self, trigger: Trigger, earlier: list[tuple[str, float]], done: dict[str, pd.Timestamp]
    ) -> dict[str, Any]:
        reaction, at = trigger.reaction, trigger.at
        case: dict[Any, Any] = self.cases.table.loc[trigger.case].to_dict()
        sure = trigger.confidence
        if reaction.when is not None:  # right so far: paged by now
            now = _instant(at)
            right = [(service, page <= now) for service, page in earlier]
            here = [good for service, good in right if service == trigger.service]
            sure = triggers.confidence([good for _, good in right], here)
        target = self.places.target(
            reaction,
            service=trigger.service,
            seen=self.cases.upto(trigger.case, at),
            at=at,
            patterns=self.patterns,
            pattern=trigger.pattern,
        )
        touched = self.places.touched(reaction, target, at)
        verdicts = guardrails.judge(
            reaction,
            target=target,
            team=self.places.team(target) if target else "",
            confidence=sure,
            touched=touched,
            since_last=at - done[target] if target in done else None,
        )
        paged = pd.notna(case["page_at"])
        row: dict[str, Any] = {
            "case": trigger.case,
            "reaction": reaction.name,
            "team": reaction.team,
            "incident_id": int(case["incident_id"]),
            "at": at,
            "service": trigger.service,
            "target": target,
            "confidence": sure,
            "page_at": case["page_at"],
            "lead_to_page_s": (case["page_at"] - at).total_seconds(),
            "recovered_at": case["recovered_at"],
            "lead_to_recovery_s": (case["recovered_at"] - at).total_seconds(),
            "touched": list(touched.services),
            "n_touched": len(touched.services) if touched.known else None,
            "risk": guardrails.risk_now(reaction, touched)[0],
            "blocked_by": guardrails.blocked(verdicts) or None,
            "became": trigger.became,
            "paged": paged,
            "right": paged if trigger.became is None else trigger.became,
            "in_sample": self._in_sample(reaction, case["starts_at"]),
        }
        saved = self._saved(reaction, row)
        row |= {"saved_high_s": saved, "budget_high": self.budget.share(target, saved)}
        return row | {"words": _words(reaction, row, trigger.why, touched)}

    def _in_sample(self, reaction: Reaction, starts_at: pd.Timestamp) -> bool:
        return bool(reaction.pattern) and self._last is not None and starts_at <= self._last

    def _saved(self, reaction: Reaction, row: dict[str, Any]) -> float:
        """Return the seconds saved at most; null where it was blocked, false, or cannot be counted."""
        counts = row["right"] and row["blocked_by"] is None and ACTIONS[reaction.action].ends_trouble
        soonest = reaction.effect[0] if reaction.effect else self.effect
        return at_most(row["at"], row["recovered_at"], soonest, self.longest) if counts else float("nan")

    def words(self, catalogue: Reactions, since: pd.Timestamp | None) -> list[str]:
        """Say how history was split, what counts as what, and what history cannot tell."""
        table, bound = self.cases.table, {one.bound for one in catalogue.items}
        lone = len(table) - self.cases.incidents
        said = [
            f"played: {words.count(self.cases.incidents, 'incident')} and {words.count(lone, 'alert')} on their own"
            + ("" if since is None else f"; what began from {since:%Y-%m-%d %H:%M} UTC on counts"),
            self.cases.page,
        ]
        if "pattern" in bound and self._last is not None:
            last = f"{self._last:%Y-%m-%d %H:%M} UTC"
            said.append(
                f"with hindsight: also incidents until {last}, which the patterns were mined from"
                if self.hindsight
                else f"bound to a pattern: only what began after {last}, when all that it was mined from was over"
            )
            said.append(
                "bound to a pattern, a trigger is right when the incident came to be it, by the rule that mined it"
            )
        if "when" in bound:
            said.append("bound to a when, a trigger is right when somebody was paged for the incident")
        return [
            *said,
            "which alerts belong together was decided with all of history at hand",
            self.places.words,
            _NOT_KNOWN.format(words.span(self.longest.total_seconds())),
            *([_BUDGET] if self.budget.seconds else []),
        ]

    def unseen(self, catalogue: Reactions) -> list[str]:
        """Say what was left out, and what the catalogue names that is not there."""
        table = self.cases.alerts
        services = set(table["service"].dropna().astype("str"))
        teams = {self.places.team(name) for name in services} - {""}
        unmatched = catalogue.unmatched(services=services, teams=teams, patterns=self.patterns)
        mute = [one.name for one in catalogue.items if one.pattern and self.patterns is None]
        said = [f"{words.listing(mute)}: bound to a pattern and none was given; pass patterns="] if mute else []
        return [*self.cases.unseen, *said, *unmatched]


def _instant(time: pd.Timestamp | None) -> float:
    """Return a time as a number; infinity where there is none."""
    return math.inf if time is None or pd.isna(time) else time.timestamp()


def _words(reaction: Reaction, row: dict[str, Any], why: str, touched: guardrails.Touched) -> str:
    """Return one firing as a sentence."""
    where = row["target"] or "no service that could be named"
    said = [f"{row['at']:%Y-%m-%d %H:%M} UTC, {reaction.name}: {reaction.does(where)}, because {why}"]
    said.append(_lead(row["lead_to_page_s"], "the first page", "nobody was paged"))
    said.append(_lead(row["lead_to_recovery_s"], "recovery", "when it recovered is not known"))
    said.append(f"confidence {words.probability(row['confidence'])}")
    said.append(touched.words)
    if row["became"] is not None:
        said.append("it became the pattern" if row["became"] else "false trigger: it did not become the pattern")
    elif not row["paged"]:
        said.append("false trigger: nobody was paged")
    if row["in_sample"]:
        said.append("the pattern was mined from this incident too")
    if row["blocked_by"]:
        said.append(f"blocked by {row['blocked_by']}")
    return "; ".join(said)


def _lead(seconds: float, event: str, never: str) -> str:
    if math.isnan(seconds):
        return never
    if abs(seconds) < _AT_ONCE:
        return f"at the moment of {event}"
    return f"{words.span(seconds)} {'before' if seconds > 0 else 'after'} {event}"
