"""`propose`: which reactions apply to what fires now, the best first."""

from __future__ import annotations

import os
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING

import pandas as pd

from stanza_lab import _params
from stanza_lab.errors import SchemaError
from stanza_lab.patterns.reactions import guardrails, triggers, vocabulary
from stanza_lab.patterns.reactions.cases import Cases
from stanza_lab.patterns.reactions.catalogue import Reactions
from stanza_lab.patterns.reactions.places import Places
from stanza_lab.patterns.reactions.proposal import Proposal, Proposals
from stanza_lab.patterns.reactions.written import read_reactions
from stanza_lab.production import words

if TYPE_CHECKING:
    from stanza_lab.patterns.found import Patterns
    from stanza_lab.patterns.reactions.backtested import ReactionBacktest
    from stanza_lab.patterns.reactions.reaction import Reaction
    from stanza_lab.patterns.reactions.recorder import Recorder
    from stanza_lab.patterns.reactions.writing import Tried
    from stanza_lab.production import ProductionMap

_DONE = ("at", "reaction", "team", "target")


def propose(
    reactions: Reactions | str | os.PathLike[str],
    production: ProductionMap,
    *,
    alerts: pd.DataFrame,
    patterns: Patterns | None = None,
    history: ReactionBacktest | Tried | None = None,
    done: Recorder | pd.DataFrame | None = None,
    at: _params.Instant | None = None,
) -> Proposals:
    """Return what could be done now, the best first, each with what its guardrails say.

    Parameters
    ----------
    reactions : Reactions or path
        What teams wrote down, or where (see `read_reactions`).
    production : ProductionMap
        Who is near whom, whose a service is, whom an action touches.
    alerts : DataFrame
        `schema.ALERTS`: what fires now, and what belongs to the same incident; without `incident_id` all is one.
    patterns : Patterns, optional
        What was mined. Default: reactions bound to `pattern` are not judged.
    history : ReactionBacktest or Tried, optional
        How the reactions did in history: how sure a `when` is, and a word on each. Default: half sure, never tried.
    done : Recorder or DataFrame, optional
        What was applied before, for cool-downs; a table has `at`, `reaction`, `team`, `target`. Default: nothing.
    at : str or Timestamp, optional
        Now. Default: the last time that an alert fired.

    Returns
    -------
    Proposals
        In order, `items` (each for `DryRun().plan`), `table`, `unseen`. Nothing is done.

    Raises
    ------
    SchemaError
        A column is missing, or a file cannot be read.

    Examples
    --------
    >>> import pathlib, tempfile
    >>> import pandas as pd
    >>> import stanza_lab as sl
    >>> edges = pd.DataFrame({"src": ["shop"], "dst": ["orders-db"], "confidence": [0.9]})
    >>> production = sl.ProductionMap(edges)
    >>> now = pd.DataFrame({"starts_at": ["2026-03-01T14:02Z"], "service": ["orders-db"]})
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     file = pathlib.Path(folder, "orders.yaml")
    ...     _ = file.write_text('''
    ... team: orders
    ... reactions:
    ...   - {name: Fail over, action: shift_traffic, params: {to: replica}, when: {service: orders-db},
    ...      command: pg_ctl promote, risk: medium, guardrails: {max_blast_radius: 2}}
    ... ''')
    ...     found = sl.propose(file, production, alerts=now)
    >>> found
    Proposals(1 reaction at 2026-03-01 14:02 UTC, 0 blocked)
    >>> found[0].words
    'Fail over (of team orders): shift traffic away from orders-db (to: replica); ...; a person must approve'
    """
    catalogue = reactions if isinstance(reactions, Reactions) else read_reactions(reactions)
    given = alerts if "incident_id" in alerts.columns else alerts.assign(incident_id=0)
    known = Cases.of(given, pages=None)
    if known.alerts.empty and at is None:
        raise SchemaError("alerts: none has a time, so there is no now; pass at=")
    now = known.alerts["starts_at"].max() if at is None else _params.instant(at, "at")
    cases = Cases.of(given[given["starts_at"].pipe(pd.to_datetime, utc=True) <= now], pages=None)
    asked = _Now(cases, Places(production, cases.alerts, hindsight=True), patterns, history, _last(done, now), now)
    items = [one for reaction in catalogue.items for one in asked.proposals(reaction)]
    items.sort(key=lambda one: (bool(one.blocked_by), -one.confidence, vocabulary.RISKS.index(one.risk)))
    mute = [one.name for one in catalogue.items if one.pattern and patterns is None]
    unseen = [f"{words.listing(mute)}: bound to a pattern and none was given; pass patterns="] if mute else []
    proposed = {one.reaction.team for one in items}
    unseen += [said for team, said in catalogue.cautions(at=now).items() if team in proposed]
    return Proposals(tuple(items), now, unseen)


@dataclass(frozen=True)
class _Now:
    """What fires now, and what is known besides."""

    cases: Cases
    places: Places
    patterns: Patterns | None
    history: ReactionBacktest | Tried | None
    last: dict[tuple[str, str, str], pd.Timestamp]
    at: pd.Timestamp

    @cached_property
    def recognised(self) -> triggers.Recognised | None:
        """What begins like which pattern."""
        return None if self.patterns is None else triggers.Recognised(self.cases, self.patterns)

    def proposals(self, reaction: Reaction) -> Iterator[Proposal]:
        """Yield what a reaction would do now."""
        if reaction.when is not None:
            firing = self.cases.firing(self.at)
            for service, why in triggers.of_now(reaction, firing, self.places, self.at):
                sure, said = tried(self.history, reaction, service)
                case = int(firing.loc[firing["service"].astype("str") == service, "case"].iloc[0])
                yield self._proposal(reaction, case, service=service, pattern="", sure=sure, why=why, said=said)
        elif self.recognised is not None:
            for found in triggers.of_patterns(reaction, self.recognised):
                yield self._proposal(
                    reaction,
                    found.case,
                    service="",
                    pattern=found.pattern,
                    sure=found.confidence,
                    why=found.why,
                    said=tried(self.history, reaction, "")[1],
                )

    def _proposal(
        self, reaction: Reaction, case: int, *, service: str, pattern: str, sure: float, why: str, said: str
    ) -> Proposal:
        target = self.places.target(
            reaction,
            service=service,
            seen=self.cases.upto(case, self.at),
            at=self.at,
            patterns=self.patterns,
            pattern=pattern,
        )
        touched = self.places.touched(reaction, target, self.at)
        last = self.last.get((reaction.team, reaction.name, target))
        verdicts = guardrails.judge(
            reaction,
            target=target,
            team=self.places.team(target) if target else "",
            confidence=sure,
            touched=touched,
            since_last=None if last is None else self.at - last,
        )
        incident = int(self.cases.table["incident_id"].loc[case])
        return Proposal(reaction, target, incident, self.at, sure, touched, tuple(verdicts), why, said)


def tried(history: ReactionBacktest | Tried | None, reaction: Reaction, service: str) -> tuple[float, str]:
    """Return how sure a `when` is at a service (empty: of a pattern), and how the reaction did in history."""
    if history is None:
        return triggers.confidence([], []), ""
    rows = history.tried(reaction.name, team=reaction.team)
    here = rows.loc[rows["service"] == service, "right"].tolist()
    came = "somebody was paged" if reaction.when is not None else "it came to be the pattern"
    said = f"in history {came} {int(rows['right'].sum())} of {words.count(len(rows), 'time')}"
    said += f", at {service} {sum(here)} of {len(here)}" if service else ""
    if known := int(rows["in_sample"].sum()):
        said += f" ({known} of these the pattern was mined from, which flatters it)"
    return triggers.confidence(rows["right"].tolist(), here), said


def _last(done: Recorder | pd.DataFrame | None, now: pd.Timestamp) -> dict[tuple[str, str, str], pd.Timestamp]:
    """Return (team, reaction, target) -> when it was last applied, until now."""
    if done is None:
        return {}
    table = done if isinstance(done, pd.DataFrame) else done.applied
    absent = [name for name in _DONE if name not in table.columns]
    if absent:
        raise SchemaError(f"done: no column {absent[0]!r}; needed are {', '.join(_DONE)}")
    table = table.assign(at=pd.to_datetime(table["at"], utc=True))
    found: dict[tuple[str, str, str], pd.Timestamp] = {}
    for row in table[table["at"] <= now].sort_values("at", kind="stable").to_dict("records"):
        found[str(row["team"]), str(row["reaction"]), str(row["target"])] = row["at"]
    return found
