"""`backtest`: go through history and see when each reaction would have fired, whom it would have touched, what for."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING

from stanza_lab import _params
from stanza_lab.patterns.reactions import summing
from stanza_lab.patterns.reactions.backtested import ReactionBacktest
from stanza_lab.patterns.reactions.cases import Cases
from stanza_lab.patterns.reactions.catalogue import Reactions
from stanza_lab.patterns.reactions.places import Places
from stanza_lab.patterns.reactions.replay import Replay
from stanza_lab.patterns.reactions.savings import Budget
from stanza_lab.patterns.reactions.written import read_reactions

if TYPE_CHECKING:
    import pandas as pd

    from stanza_lab.patterns.found import Patterns
    from stanza_lab.production import ProductionMap


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
        What began before is left out. Default: nothing for a `when`; for a `pattern` what began before the end of what
        it was mined from, and an earlier `since` does not change that.
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
    replay = Replay(cases, places, patterns, Budget.of(objectives), usual, most, hindsight)
    firings, looked = replay.run(catalogue, start)
    table = summing.reactions(catalogue, firings, looked, patterns=patterns, effect=usual, min_support=min_support)
    return ReactionBacktest(table, firings, replay.words(catalogue, start), replay.unseen(catalogue), min_support)
