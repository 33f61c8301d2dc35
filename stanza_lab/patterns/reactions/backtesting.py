"""`backtest`: go through history and see when each reaction would have fired, whom it would have touched, what for."""

from __future__ import annotations

import math
import os
from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING, Any

import pandas as pd

from stanza_lab import _params
from stanza_lab.patterns.reactions import guardrails, summing, triggers
from stanza_lab.patterns.reactions.backtested import FIRINGS, ReactionBacktest
from stanza_lab.patterns.reactions.cases import Cases
from stanza_lab.patterns.reactions.catalogue import Reactions, read_reactions
from stanza_lab.patterns.reactions.places import Places
from stanza_lab.patterns.reactions.savings import Budget, at_most
from stanza_lab.patterns.reactions.vocabulary import ACTIONS
from stanza_lab.production import words

if TYPE_CHECKING:
    from stanza_lab.patterns.found import Patterns
    from stanza_lab.patterns.reactions.catalogue import Reaction
    from stanza_lab.patterns.reactions.triggers import Trigger
    from stanza_lab.production import ProductionMap

_AT_ONCE = 1.0  # seconds: no lead
_NOT_KNOWN = (
    "what acting would have changed is in no history: saved goes from nothing (no effect) to all the trouble between "
    "the stated effect time and recovery (it always helps), at most {} after it fired; approval is taken as given at "
    "once, harm by false triggers is not counted"
)
_BUDGET = "error budget saved is at most: as if every request had failed in the time saved"


def backtest(
    reactions: Reactions | str | os.PathLike[str],
    alerts: pd.DataFrame,
    *,
    production: ProductionMap | None = None,
    patterns: Patterns | None = None,
    pages: pd.DataFrame | None = None,
    since: _params.Instant | None = None,
    effect: _params.Duration | None = None,
    longest: _params.Duration = "6h",
    objectives: pd.DataFrame | None = None,
    min_support: int = 5,
    hindsight: bool = False,
) -> ReactionBacktest:
    """Go through history and say when each reaction would have fired, for what, and what it could have saved.

    Every incident, and every alert on its own, is played alert by alert; a reaction fires once in it, at the first
    moment that what it is bound to holds on what had fired by then. Guardrails are judged as of that moment.

    Parameters
    ----------
    reactions : Reactions or path
        What teams wrote down, or where (see `read_reactions`).
    alerts : DataFrame
        `schema.ALERTS` with `incident_id`; without the pager's copies, which go to `pages`.
    production : ProductionMap, optional
        Who is near whom, whose a service is, whom an action touches. One with a `model` is asked as of the start of the
        month. Default: none; then limits on blast radius cannot be checked and block.
    patterns : Patterns, optional
        What was mined from *earlier* alerts, for reactions bound to `pattern`. Default: these are not tried.
    pages : DataFrame, optional
        Alerts of the pager. Default: see `words`, which states what counted as a page.
    since : str or Timestamp, optional
        Firings before are left out. Default: all for a `when`; for a `pattern` the end of what it was mined from, and
        an earlier `since` does not change that.
    effect : duration, optional
        How long until a reaction helps that states no `effect`. Default: nothing is counted as saved by these.
    longest : duration, default "6h"
        Trouble later than this after a firing is not counted as saved: one monitor that recovers days later would make
        all of it. Longer counts more.
    objectives : DataFrame, optional
        `service` (a glob), `objective` (percent), `window`; as `read_contributed(...).slos`. Default: no error budget.
    min_support : int, default 5
        Firings needed to state a share, a lead or a saving; larger is more careful.
    hindsight : bool, default False
        Also count incidents that the patterns were mined from, and ask today's map: flattering, and marked so.

    Returns
    -------
    ReactionBacktest
        `reactions`, `firings` (tables), `words`, `unseen`.

    Raises
    ------
    SchemaError
        A column is missing, or a file cannot be read.
    ParameterError
        A parameter is out of its range.

    Notes
    -----
    A trigger is right when the incident came to be the pattern, by the rule that mined it; bound to a `when`, when
    somebody was paged for the incident. Shares have Wilson's 95 % interval. Saved is what lies between the effect time
    and the recovery, from nothing (no effect) to all of it, of right firings that no guardrail blocked; the time until
    somebody approves, and harm done by false triggers, are not in any history and not counted. How sure a `when` is
    counts its earlier triggers: the share (right + 1) / (all + 2), and where it fires (right there + 2 share) /
    (all there + 2); right are those for which somebody was paged by then.

    References
    ----------
    Wilson (1927), Probable inference, the law of succession, and statistical inference, JASA 22.

    Examples
    --------
    >>> import pathlib, tempfile
    >>> import pandas as pd
    >>> import stanza_lab as sl
    >>> days = pd.date_range("2026-03-01T14:00Z", periods=6, freq="D")
    >>> alerts = pd.DataFrame({
    ...     "starts_at": [*days, *(days + pd.Timedelta("4min"))],
    ...     "ends_at": [*(days + pd.Timedelta("30min"))] * 2,
    ...     "service": ["orders-db"] * 6 + ["orders-api"] * 6,
    ...     "severity": ["warning"] * 6 + ["critical"] * 6,
    ...     "incident_id": [0, 1, 2, 3, 4, 5] * 2,
    ... })
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     file = pathlib.Path(folder, "orders.yaml")
    ...     _ = file.write_text('''
    ... team: orders
    ... reactions:
    ...   - {name: Scale the database, action: scale, params: {to: +1}, when: {service: orders-db},
    ...      command: terraform apply -var replicas=3, risk: low, effect: 5min}
    ... ''')
    ...     found = sl.backtest(file, alerts)
    >>> found
    ReactionBacktest(1 reaction: fired 6 times, 0 false, 0 blocked)
    >>> found.reactions[["page_lead_s", "saved_low_min", "saved_high_min", "verdict"]].to_numpy().tolist()
    [[240.0, 0.0, 150.0, 'worth a dry run']]
    """
    _params.at_least(min_support, "min_support", 1)
    catalogue = reactions if isinstance(reactions, Reactions) else read_reactions(reactions)
    start = None if since is None else _params.instant(since, "since")
    cases = Cases.of(alerts, pages=pages)
    usual = None if effect is None else _params.duration(effect, "effect", zero=True)
    places = Places(production, cases.alerts, hindsight=hindsight)
    most = _params.duration(longest, "longest")
    replay = _Replay(cases, places, patterns, Budget.of(objectives), usual, most, hindsight)
    firings, looked = replay.run(catalogue, start)
    table = summing.reactions(catalogue, firings, looked, patterns=patterns, effect=usual, min_support=min_support)
    return ReactionBacktest(table, firings, replay.words(catalogue, start), replay.unseen(catalogue), min_support)


@dataclass(frozen=True)
class _Replay:
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

    def _start(self, reaction: Reaction, since: pd.Timestamp | None) -> pd.Timestamp:
        """Return the time from which a reaction is judged; of a pattern not before all it was mined from is over."""
        first = pd.Timestamp.min.tz_localize("UTC").ceil("us") if since is None else since
        if not reaction.pattern or self.patterns is None or self.hindsight:
            return first
        last: pd.Timestamp = self.patterns.known["last"]
        return max(first, last)

    def _of(self, reaction: Reaction) -> list[dict[str, Any]]:
        """Return the firings of one reaction over all of history: those left out later still tell how sure it was."""
        if reaction.when is not None:
            found = triggers.of_when(reaction, self.cases, self.places)
        elif self.recognised is not None:
            found = triggers.of_patterns(reaction, self.recognised)
        else:
            found = []
        earlier: list[tuple[str, Any]] = []
        done: dict[str, pd.Timestamp] = {}
        rows = []
        for trigger in sorted(found, key=lambda one: (one.at, one.case)):
            row = self._firing(trigger, earlier, done)
            rows.append(row)
            earlier.append((trigger.service, row["page_at"]))
            if row["blocked_by"] is None:
                done[row["target"]] = trigger.at
        return rows

    def _firing(
        self, trigger: Trigger, earlier: list[tuple[str, Any]], done: dict[str, pd.Timestamp]
    ) -> dict[str, Any]:
        reaction, at = trigger.reaction, trigger.at
        case: dict[Any, Any] = self.cases.table.loc[trigger.case].to_dict()
        sure = trigger.confidence
        if reaction.when is not None:  # right so far: paged by now
            right = [(service, pd.notna(page) and page <= at) for service, page in earlier]
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
        return bool(reaction.pattern) and self.patterns is not None and starts_at <= self.patterns.known["last"]

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
            + ("" if since is None else f"; firings from {since:%Y-%m-%d %H:%M} UTC on count"),
            self.cases.page,
        ]
        if "pattern" in bound and self.patterns is not None:
            last = f"{self.patterns.known['last']:%Y-%m-%d %H:%M} UTC"
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
