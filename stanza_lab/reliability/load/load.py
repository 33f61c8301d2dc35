"""Pager load: what being on call was like, for teams, shifts and people, and which rules made it so."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from stanza_lab import _params
from stanza_lab.production import words
from stanza_lab.reliability.load import actions, notebook, response, shifts
from stanza_lab.reliability.load import pages as read_pages
from stanza_lab.reliability.load.measuring import Settings, did, measure, read_checks, zones_of

if TYPE_CHECKING:
    import pandas as pd


@dataclass(frozen=True, eq=False, repr=False)
class PagerLoad:
    """What being on call was like, as `pager_load` returns it.

    Attributes
    ----------
    teams : DataFrame
        A row per team: pages, incidents that paged, interruptions by hours of life, shifts over the limit, engaged
        hours; most interruptions first.
    shifts : DataFrame
        A row per rotation (escalation policy, else team) and shift, quiet ones too: pages, incidents, over, whole.
    people : DataFrame
        A row per person (pseudonym): pages, interruptions by hours of life, nights, what they took. Without rows where
        nobody is told.
    interruptions : DataFrame
        Each interruption: who (person, else rotation), at, local, kind, night, pages.
    response : DataFrame
        Times to acknowledge, resolve ... by the definition chosen: mean, median, p90, n, n_open, n_excluded; all teams
        (team is null) first.
    rules : DataFrame
        A row per rule and service, the most frequent first: pages, chronic, flapping, refired, never acknowledged.
    storms : DataFrame
        Stretches of time with far more alerts than usual.
    duplicates : DataFrame
        The same trouble told by several tools.
    stages : DataFrame
        How many of what comes in are left at each stage.
    actions : DataFrame
        How many alerts there was something to do about; without rows where nobody tagged them.
    limits : DataFrame
        What the SRE book allows, per team, with a verdict.
    words : tuple of str
        The load in sentences.
    unseen : tuple of str
        What could not be seen or was left out, and why.
    definitions : mapping of str to str
        What each figure means.
    known : mapping
        first, last (Timestamps), alerts, pages, tz, shift, dedupe, definition.
    """

    teams: pd.DataFrame
    shifts: pd.DataFrame
    people: pd.DataFrame
    interruptions: pd.DataFrame
    response: pd.DataFrame
    rules: pd.DataFrame
    storms: pd.DataFrame
    duplicates: pd.DataFrame
    stages: pd.DataFrame
    actions: pd.DataFrame
    limits: pd.DataFrame
    words: tuple[str, ...]
    unseen: tuple[str, ...]
    definitions: Mapping[str, str]
    known: Mapping[str, Any]

    def __repr__(self) -> str:
        """Count what is there."""
        parts = {
            "page": self.known["pages"],
            "team": len(self.teams),
            "rule": len(self.rules),
            "storm": len(self.storms),
        }
        said = ", ".join(words.count(number, thing) for thing, number in parts.items())
        return f"PagerLoad({said}; .words, .teams, .shifts ...)"

    def _repr_html_(self) -> str:
        return notebook.page(self)


def pager_load(
    alerts: pd.DataFrame,
    *,
    engagements: pd.DataFrame | None = None,
    pages: pd.DataFrame | None = None,
    tags: pd.DataFrame | None = None,
    checks: pd.DataFrame | None = None,
    shift: _params.Duration = "12h",
    handover: str = "08:00",
    tz: str | Mapping[str, str] = "UTC",
    definition: str = "pagerduty",
    dedupe: _params.Duration = "5min",
    delay: _params.Duration = "5min",
    storm_bin: _params.Duration = "10min",
) -> PagerLoad:
    """Measure what being on call was like: pages, interruptions, response, noise.

    Parameters
    ----------
    alerts : DataFrame
        `schema.ALERTS`; `starts_at` must be there. With incident_id pages of one incident count as one.
    engagements : DataFrame, optional
        What people did (see `read_engagements`). Default: nobody is told, so that load is that of rotations, and what a
        machine resolved is guessed from what nobody acknowledged.
    pages : DataFrame, optional
        `schema.ALERTS` of paging systems, or a whole history: its pages are used. Default: those among `alerts`; where
        there are none, alerts of severity error or worse count as pages.
    tags : DataFrame, optional
        alert_id and tag (the words of Etsy's opsweekly), woken_at and asleep_at where somebody was woken.
    checks : DataFrame, optional
        rule_key, at, state: a row per check of a monitor, for flapping as Nagios has it. Default: six changes of state
        in an hour are flapping.
    shift : duration, default "12h"
        Length of a shift: fits into a day, or is some days. Longer: the limit of 2 incidents per 12 h grows with it.
    handover : str, default "08:00"
        Time of day, in `tz`, at which shifts change; shifts of weeks change on Monday.
    tz : str or mapping, default "UTC"
        Time zone in which people live, or one by person, rotation or team (others: UTC).
    definition : {"pagerduty", "moogsoft", "keep", "ours", "all"}, default "pagerduty"
        By whose definition response is measured.
    dedupe : duration, default "5min"
        What reaches the same person so soon after an interruption counts as the same one. Longer: fewer interruptions.
    delay : duration, default "5min"
        How long after an alert its page may be raised, or another tool may tell the same. Longer finds more, and more
        wrong ones.
    storm_bin : duration, default "10min"
        Width of the bins in which storms are looked for. Longer: short storms drown.

    Returns
    -------
    PagerLoad
        Tables, sentences, definitions, and what could not be seen.

    Raises
    ------
    SchemaError
        A table lacks a column.
    ParameterError
        A parameter is outside its range, or a tag is not known.

    See Also
    --------
    read_engagements : What people did, from the records of their pager.

    Notes
    -----
    An interruption is told by a notification where the pager exports them, else by a page given to a person, else by
    what they did about it. Hours of life are sleep (22-08 every day), off hours (18-22 on weekdays, 08-22 at weekends)
    and business; they sum to all interruptions. A storm is a bin with a modified z above 3.5 and 10 alerts or more.
    Means exclude what is open, and say how much that is. People are pseudonyms, in a table of their own.

    References
    ----------
    B. Beyer et al., Site Reliability Engineering, 2016, ch. 5, 11 and 29. B. Iglewicz, D. Hoaglin, How to Detect and
    Handle Outliers, 1993 (modified z).

    Examples
    --------
    >>> import pandas as pd
    >>> import stanza_lab as sl
    >>> alerts = pd.DataFrame({
    ...     "alert_id": ["a", "b"], "source": "pagerduty", "service": "shop", "team": "web",
    ...     "starts_at": ["2026-03-02T23:10Z", "2026-03-03T10:00Z"],
    ...     "acked_at": ["2026-03-02T23:12Z", None], "ends_at": ["2026-03-02T23:40Z", "2026-03-03T10:20Z"],
    ... })
    >>> load = sl.pager_load(alerts)
    >>> load.teams[["team", "pages", "business", "sleep_hours"]]
      team  pages  business  sleep_hours
    0  web      2         1            1
    >>> load.response[["measure", "mean_s", "n", "n_open", "n_excluded"]].head(2)
                   measure  mean_s  n  n_open  n_excluded
    0  time to acknowledge   120.0  1       0           1
    1      time to resolve  1500.0  2       0           0
    """
    settings = Settings(
        shift=shifts.length(shift),
        handover=shifts.handover_at(handover),
        zones=zones_of(tz),
        definition=_params.choice(definition, "definition", (*response.CHOICES, "all")),
        dedupe=_params.duration(dedupe, "dedupe", zero=True),
        delay=_params.duration(delay, "delay"),
        storm_bin=_params.duration(storm_bin, "storm_bin"),
    )
    given = read_pages.filled(alerts)
    rung = None if pages is None else read_pages.filled(pages, what="pages")
    told = did(engagements)
    tagged = None if tags is None else actions.read(tags)
    return PagerLoad(**measure(given, rung, told, tagged, read_checks(checks), settings))
