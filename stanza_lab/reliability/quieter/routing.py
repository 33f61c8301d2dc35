"""Pages that would go to another team: the owner in the catalogue, or the team of what usually alerts before."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

import numpy as np
import pandas as pd
from scipy.special import betaincinv

from stanza_lab.reliability.quieter.record import NEVER

if TYPE_CHECKING:
    from stanza_lab.production.contents import MapContents
    from stanza_lab.reliability.quieter.record import Record

_SURE = 0.5  # lower end of the interval from which the share of pages with a cause elsewhere counts as usual
_HOPS = 2  # along dependencies: further away, what alerted first says little
_DEEP = 200  # services looked at from one: a map in which all depends on all says nothing either


class Route(NamedTuple):
    """A rule whose pages go to one team while another has the cause."""

    rule: int
    paged: str
    owner: str
    because: str  # "catalogue" or "cause"
    service: str  # the service that tells: its own, or the one that alerts before
    times: int
    of: int


def routes(record: Record, production: MapContents | None, *, min_support: int) -> list[Route]:
    """Return the rules whose pages go elsewhere than the cause lies, those with most pages first.

    Looks at the pages of the whole history. A cause is a service that the rule's service depends on, owned by another
    team, which alerted first in the same incident.
    """
    if production is None:
        return []
    owner = production.services.dropna(subset=["team"]).set_index("service")["team"].astype("str")
    depends = _Depends(production)
    paging = pd.DataFrame({"rule": record.rule, "unit": record.unit, "at": record.start})
    paging["service"] = record.alerts["service"].astype("str").to_numpy(dtype=object)
    first = paging.drop_duplicates("unit").set_index("unit")["service"]  # in order of time
    paged = paging[record.page < NEVER]
    found = []
    for rule, rows in paged.groupby("rule"):
        about = record.rules.iloc[int(str(rule))]
        if len(rows) < min_support or pd.isna(about["team"]) or pd.isna(about["service"]):
            continue
        code, team, service = int(str(rule)), str(about["team"]), str(about["service"])
        own = owner.get(service)
        if own is not None and own != team:
            found.append(Route(code, team, own, "catalogue", service, len(rows), len(rows)))
            continue
        before = first.reindex(rows["unit"].unique())
        elsewhere = before[before.isin(depends.on(service))]
        teams = elsewhere.map(owner)
        teams = teams[teams.notna() & (teams != team)]
        if teams.empty:
            continue
        most = teams.value_counts()
        name = min(most.index[most == most.max()])
        times, of = int(most.max()), len(before)
        if times >= min_support and betaincinv(times, of - times + 1, 0.05) >= _SURE:
            cause = str(elsewhere[teams.index][teams == name].mode().iloc[0])
            found.append(Route(code, team, str(name), "cause", cause, times, of))
    return sorted(found, key=lambda route: (-route.times, route.rule))


class _Depends:
    """What each service depends on, over few hops of links that are worth a look."""

    def __init__(self, production: MapContents) -> None:
        edges = production.edges
        sure = edges[edges["confidence"] >= production.usual_confidence]
        self._out = sure.groupby("src")["dst"].agg(set).to_dict()
        self._known: dict[str, set[str]] = {}

    def on(self, service: str) -> set[str]:
        """Return what the service depends on."""
        if service not in self._known:
            seen, edge = {service}, {service}
            for _ in range(_HOPS):
                edge = {other for one in edge for other in self._out.get(one, ())} - seen
                if len(seen) + len(edge) > _DEEP:
                    break
                seen |= edge
            self._known[service] = seen - {service}
        return self._known[service]


def upper(times: int, of: int) -> float:
    """Return the share that is not exceeded with 95 % certainty when `times` of `of` were seen; null for none of none.

    The exact binomial limit: of 0 in 12, 22 %.
    """
    if of <= 0:
        return np.nan
    return 1.0 if times >= of else float(betaincinv(times + 1, of - times, 0.95))
