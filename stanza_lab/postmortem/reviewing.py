"""Look back on one incident: put together what alerts, pages, records, map and history say of it."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pandas as pd

from stanza_lab import _params, schema
from stanza_lab.errors import SchemaError
from stanza_lab.incidents.summaries import summarize_incidents
from stanza_lab.patterns.lookalikes import look_alikes
from stanza_lab.postmortem import found, origins, sentences, spreading, timeline, times
from stanza_lab.postmortem.engagements import engagements_of
from stanza_lab.postmortem.people import paged
from stanza_lab.postmortem.questions import Findings, questions
from stanza_lab.postmortem.scene import look
from stanza_lab.production import ProductionMap
from stanza_lab.production.hours import zone

if TYPE_CHECKING:
    from stanza_lab.patterns.found import Patterns
    from stanza_lab.postmortem.found import Review
    from stanza_lab.postmortem.scene import Scene

_ENGAGEMENTS = schema.Table(
    "engagements",
    (
        schema.Column("at", "time", "when somebody did it"),
        *(schema.Column(name, "str", "see read_engagements") for name in ("kind", "page", "service")),
    ),
)
_NO_PATTERNS = ("pattern", "name", "match", "times", "last", "words")


def review(
    alerts: pd.DataFrame,
    *,
    incident: int,
    production: ProductionMap | None = None,
    events: pd.DataFrame | None = None,
    pages: pd.DataFrame | None = None,
    patterns: Patterns | None = None,
    engagements: pd.DataFrame | None = None,
    before: _params.Duration = "1h",
    tz: str = "UTC",
    people: bool = False,
) -> Review:
    """Look back on one incident: what happened, where it probably began, who was called, what to ask.

    Parameters
    ----------
    alerts : DataFrame
        `schema.ALERTS` with `incident_id` (see `cluster_incidents`), the whole history: it says what is usual.
    incident : int
        Which one.
    production : ProductionMap, optional
        The map of it; best with its `model`, so that what was to be expected can be asked of the map as it was before.
        Default: none, then no way it spread and no silent origin can be named.
    events : DataFrame, optional
        `History.events()`: releases (kind changed) of services of the incident or within two links of them, and notes
        on its pages. Default: none are known.
    pages : DataFrame, optional
        Alerts of paging systems, or a whole history that still has them: who was paged, and who took it. Default: those
        among `alerts`; without any, alerts of severity error or worse count as a page, and nobody knows who was paged.
    patterns : Patterns, optional
        From `mine_patterns`; those that this is an occurrence of are named. Default: none are looked for.
    engagements : DataFrame, optional
        What people did: from `read_engagements`, and any chat of that time as rows of kind "said" (at, text; page and
        service may be null). Default: what `events` tell of the pages.
    before : duration, default "1h"
        How long before the first alert a release is worth a look. Larger: more releases, and more that have nothing to
        do with it.
    tz : str, default "UTC"
        Time zone of the times in text and pages, as "Europe/Berlin"; tables stay in UTC.
    people : bool, default False
        Whether the timeline says who did something, by pseudonym. A review is about systems: best left out.

    Returns
    -------
    Review
        Tables timeline, origins, first_movers, spread, paged, times, look_alikes, patterns, questions; `words` and
        `unseen` (sentences); `to_markdown()`, `sl.write_review` for a page.

    Raises
    ------
    UnknownNameError
        There is no such incident.
    SchemaError
        A table lacks a column or has a malformed one (times need a zone), or `production` is no map.
    ParameterError
        `incident` is no whole number, `before` no duration, or `tz` no time zone.

    See Also
    --------
    rank_origins : Where an incident probably began.
    look_alikes : Incidents like it.
    plot.replay : The same on the map, step by step.

    Notes
    -----
    Times. Everything counts from the first alert, unless it says otherwise; when the trouble began, alerts do not tell.
    TTA = first acknowledgement - first page. TTR (ours) = last recovery - first alert, over alerts whose source
    reports ends; not given while one of these is open. TTR (PagerDuty) = resolved - triggered. Mitigated = the last
    recovery of an alert of severity error or worse. An alert lingered if it took 10 times as long as half of them, and
    an hour longer; words name it apart.

    Pages. A page belongs to the incident when it copies one of its alerts (see `labels_from_pages`), or is about one of
    its services, began with it and copies no other alert; the latter is said. From 0.5, the origin is probably theirs
    and paging a team was right; below 0.2 it was for what was probably a consequence. Where no suspect has 0.2, or
    something that is none of them is likelier, it is not known where it began, and no page is judged.

    Spread. Trouble travels from what is depended on to who depends on it; each service is reached from the likeliest
    origin (as above) the likeliest way of at most 4 links, if all of it is there with 0.05. Services with a
    probability of a hit of 0.5 that never alerted are named too. Without an origin, each is linked with the surest of
    those it depends on (0.2 or more) that alerted before.

    Notes. One that says that something was done (restarted, rolled back, scaled, ...) is an action in the timeline, by
    a short list of such words; whether it helped is not judged.

    Questions come from what was found: releases before, silent origins, silent services that were likely hit, late,
    missing or many pages, rules that mostly fire in no incident (8 times or more, half of them), services nobody owns.

    Examples
    --------
    >>> import pandas as pd
    >>> import stanza_lab as sl
    >>> alerts = pd.DataFrame({
    ...     "starts_at": ["2026-03-01T14:02Z", "2026-03-01T14:04Z"],
    ...     "ends_at": ["2026-03-01T14:30Z", "2026-03-01T14:20Z"],
    ...     "service": ["orders-db", "orders"],
    ...     "alertname": ["Slow queries", "Errors"],
    ...     "incident_id": [7, 7],
    ... })
    >>> edges = pd.DataFrame({"src": ["orders"], "dst": ["orders-db"], "confidence": [0.9]})
    >>> found = sl.review(alerts, incident=7, production=sl.ProductionMap(edges, alerts))
    >>> found.timeline[["kind", "service"]].values.tolist()
    [['alert', 'orders-db'], ['alert', 'orders'], ['recovery', 'orders'], ['recovery', 'orders-db']]
    >>> found.times.set_index("what").loc["recovered", "seconds"]
    np.float64(1680.0)
    """
    span, place = _params.duration(before, "before", zero=True), zone(tz)
    _check_map(production)
    if events is not None:
        events = schema.check(events, schema.EVENTS, need=["kind", "at"])
    if engagements is not None:
        engagements = schema.check(engagements, _ENGAGEMENTS, need=["at", "kind", "page", "service"])
    scene = look(alerts, incident, production=production, pages=pages, before=span)
    return _reviewed(scene, events, engagements, patterns, tz=place, people=people)


def _check_map(production: object) -> None:
    if production is not None and not isinstance(production, ProductionMap):
        given = type(production).__name__
        raise SchemaError(f"production must be a ProductionMap, not {given}; pass sl.ProductionMap(edges, alerts)")


def _reviewed(
    scene: Scene,
    events: pd.DataFrame | None,
    engagements: pd.DataFrame | None,
    patterns: Patterns | None,
    *,
    tz: str,
    people: bool,
) -> Review:
    changes = timeline.changes(scene, events)
    ranked = origins.likely(scene, changes=None if events is None else changes, columns=found.ORIGINS)
    alike = look_alikes(scene.alerts, incident=scene.incident)
    findings = Findings(
        origins=ranked,
        spread=spreading.spread(scene, ranked, columns=found.SPREAD),
        paged=paged(scene, ranked, columns=found.PAGED),
        times=times.times(scene, columns=found.TIMES),
        changes=changes,
        look_alikes=alike,
        earlier=alike[(alike["starts_at"] < scene.begin) & (alike["similarity"] >= sentences.ALIKE)],
        patterns=_known(scene, patterns),
    )
    did = engagements_of(events, scene) if engagements is None else engagements
    line = timeline.timeline(scene, changed=changes, engagements=did, people=people, columns=found.TIMELINE)
    return found.Review(
        incident=scene.incident,
        title=str(summarize_incidents(scene.mine)["title"].iloc[0]),
        timeline=line,
        origins=ranked,
        first_movers=spreading.first_movers(scene, columns=found.FIRST_MOVERS),
        spread=findings.spread,
        look_alikes=findings.look_alikes,
        patterns=findings.patterns,
        paged=findings.paged,
        times=findings.times,
        questions=questions(scene, findings, columns=found.QUESTIONS),
        words=sentences.summary(scene, findings),
        unseen=sentences.unseen(
            scene, findings, events=events is not None, kinds=set(line["kind"]), patterns=patterns is not None
        ),
        tz=tz,
        scene=scene,
    )


def _known(scene: Scene, patterns: Patterns | None) -> pd.DataFrame:
    """Return the patterns of which at least half is here."""
    if patterns is None:
        return pd.DataFrame(columns=list(_NO_PATTERNS))
    seen = patterns.seen_before(scene.mine)
    return seen[seen["match"] >= sentences.ALIKE].reset_index(drop=True)
