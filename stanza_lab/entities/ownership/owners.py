"""Whose every service is: what the catalogue declares, and who is in fact paged."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING

from stanza_lab import schema
from stanza_lab.entities import naming
from stanza_lab.entities._together import Catalog, Said, Together, resolve_together
from stanza_lab.entities.ownership.repositories import mentions, most_mentioned
from stanza_lab.history.report import count

if TYPE_CHECKING:
    import pandas as pd

# A rule, not a fit. Catalogues are taken to be right on 9 of 10 services until those of this catalogue that are paged
# say otherwise; every service starts from one page that nobody saw, so that a single alert never makes a team certain.
_RIGHT, _WRONG = 9, 1
_UNSEEN = 1
_SHARED, _SHARED_LEAST = 0.2, 2  # of the pages, and pages at least: a second team is paged too


def infer_ownership(alerts: pd.DataFrame, *, catalog: Catalog = None, overrides: Said = None) -> pd.DataFrame:
    """Tell which team owns each service, from the catalogue and from whom its alerts page.

    Pass alerts before `resolve_entities` has filled in teams from a catalogue: afterwards who is paged only repeats
    what the catalogue says. Names are unified here as `resolve_entities` does, with those of the catalogue.

    `confidence` is the probability that the next alert of the service that names a team names this one: its pages plus
    one page that nobody saw, (pages of the team + p) / (all pages + 1). For a catalogued service p is how often this
    catalogue agrees with the pages, (agreeing services + 9) / (services with both + 10), and the rest of that page is
    spread evenly over the other teams known and one that is not; without a catalogue all of it is. Nothing is fitted.
    A team that the catalogue declares and no alert names thus has a low one. Alerts of one noisy rule count each, and
    so do copies (a page of PagerDuty beside the alert it copies): leave out with `select_alerts` what should not.

    Parameters
    ----------
    alerts : DataFrame
        `schema.ALERTS`; whatever is there of service, team, labels, texts and resources is used, none is needed.
    catalog : DataFrame or path, optional
        `schema.OWNERSHIP` or files for `read_ownership`. Default: only the alerts say.
    overrides : path or mapping, optional
        What people say of names, as `EntityResolver` takes it.

    Returns
    -------
    DataFrame
        `schema.OWNERS`, one row per service of the alerts and the catalogue, sorted by service. `team` is the declared
        one, else the one paged most (of equals the first by name). `basis` is declared (the pages name another team, or
        none), paged, both (they agree) or none: an orphan. `conflict` is catalogue where more alerts name another team
        than the declared one, else shared where a second team has a fifth of the pages and two at least. `repository`
        and `on_call` are the catalogue's, else what the alerts of the service name most often.

    Raises
    ------
    SchemaError
        A column cannot be read as what it should be, or the catalogue has no column for the service.

    Examples
    --------
    >>> import pandas as pd
    >>> import stanza_lab as sl
    >>> alerts = pd.DataFrame({"service": ["orders"] * 4, "team": ["fulfilment"] * 3 + [None]})
    >>> catalog = pd.DataFrame({"service": ["orders", "search"], "team": ["shop", "shop"]})
    >>> owners = sl.infer_ownership(alerts, catalog=catalog)
    >>> owners[["service", "team", "basis", "conflict"]].values.tolist()
    [['orders', 'shop', 'declared', 'catalogue'], ['search', 'shop', 'declared', nan]]
    >>> owners["words"][0]
    'the catalogue says shop, but all its 3 alerts that name a team name fulfilment: correct one of them'
    """
    together = resolve_together(alerts, catalog, overrides=overrides, fill_teams=False)
    pages = _pages(together)
    sizes = together.alerts["service"].value_counts()
    alike = _reliability(pages)
    known: set[str] = set().union(*(each.teams for each in pages.values()))
    repositories = most_mentioned(mentions(together, "repository"))
    on_call = most_mentioned(mentions(together, "on_call"))
    rows = []
    for service in sorted(pages):
        each = pages[service]
        told = {
            "service": service,
            "repository": each.entry.get("repository") or repositories.get(service),
            "on_call": each.entry.get("on_call") or on_call.get(service),
        }
        rows.append(told | each.row(int(sizes.get(service, 0)), reliability=alike, teams=len(known)))
    return schema.build(rows, schema.OWNERS)


@dataclass(frozen=True)
class _Pages:
    """What is known about one service: how many of its alerts name each team, and what the catalogue states."""

    named: Counter[str]
    entry: Mapping[str, str]

    @property
    def declared(self) -> str | None:
        """The team of the catalogue."""
        return self.entry.get("team")

    @property
    def teams(self) -> set[str]:
        return {*self.named, *({self.declared} if self.declared else ())}

    @property
    def ranked(self) -> list[str]:
        """The teams its alerts name, the most paged first."""
        return sorted(self.named, key=lambda team: (-self.named[team], team))

    def confidence(self, team: str, *, reliability: float, teams: int) -> float:
        """Return the probability that the next alert that names a team names `team`."""
        others = teams if self.declared else teams + 1  # one of them not known yet
        prior = 1 / others if self.declared is None else reliability
        return (self.named[team] + prior * _UNSEEN) / (self.named.total() + _UNSEEN)

    def row(self, alerts: int, *, reliability: float, teams: int) -> dict[str, object]:
        ranked, pages = self.ranked, self.named.total()
        paged = ranked[0] if ranked else None
        team = self.declared or paged
        basis = "none" if team is None else "paged" if self.declared is None else "declared"
        conflict = None
        if self.declared and paged:
            basis = "both" if self.named[self.declared] == self.named[paged] else "declared"
            conflict = None if basis == "both" else "catalogue"
        if conflict is None and self._second() is not None:
            conflict = "shared"
        return {
            "team": team,
            "basis": basis,
            "confidence": self.confidence(team, reliability=reliability, teams=teams) if team else None,
            "declared": self.declared,
            "paged": self.declared if basis == "both" else paged,
            "pages": pages,
            "share": self.named[paged] / pages if paged else None,
            "also_paged": [name for name in ranked if name != (self.declared if basis == "both" else paged)],
            "alerts": alerts,
            "conflict": conflict,
            "words": self._words(basis, alerts),
        }

    def _second(self) -> str | None:
        """Return the second team of the pages, where it has enough of them."""
        ranked = self.ranked
        enough = len(ranked) > 1 and self.named[ranked[1]] >= max(_SHARED * self.named.total(), _SHARED_LEAST)
        return ranked[1] if enough else None

    def _words(self, basis: str, alerts: int) -> str:
        pages, ranked = self.named.total(), self.ranked
        if basis == "none":
            none = "none of its alerts names one" if alerts else "it has no alerts"
            return f"nobody's: the catalogue names no team and {none}; list its team in the catalogue"
        if not pages:
            return f"the catalogue says {self.declared}; no alert of it names a team"
        first = self.declared if basis == "both" else ranked[0]
        assert first is not None
        said = f"{self.named[first]:,} of its {pages:,} alerts that name a team name"
        if self.named[first] == pages:
            said = f"all its {pages:,} alerts that name a team name" if pages > 1 else "its one alert with a team names"
        if basis == "declared":
            return f"the catalogue says {self.declared}, but {said} {first}: correct one of them"
        told = f"the catalogue says {first}, and {said} it"
        told = told if basis == "both" else f"{said} {first}; nobody declares it"
        others = [f"{team} {self.named[team]:,}" for team in ranked if team != first]
        more = f" and {count(len(others) - 3, 'more team')}" if len(others) > 3 else ""
        split = "; it may have two owners, or be two services under one name" if self._second() else ""
        return f"{told}; others: {', '.join(others[:3])}{more}{split}" if others else told


def _pages(together: Together) -> dict[str, _Pages]:
    """Return by service what the catalogue says and whom its alerts name; teams in one spelling."""
    owned = together.owned.astype({"team": "str"})
    rows = together.alerts[["service", "team"]].dropna().astype("str").value_counts().reset_index().to_numpy().tolist()
    spellings: Counter[str] = Counter()
    for _, team, number in rows:
        spellings[team] += number
    given = together.evidence.overrides
    names = naming.Names(
        spellings,
        listed=[*owned["team"].dropna().unique(), *given.teams],
        bare=naming.bare_team,
        aliases=given.team_aliases(),
        fixed={naming.key(team) for team in given.teams},
    )
    named: Mapping[str, Counter[str]] = defaultdict(Counter)
    for service, team, number in rows:
        named[service][names.canonical(team)] += number
    entries: dict[str, dict[str, str]] = {}
    for row in owned.to_dict("records"):
        stated = {name: row[name] for name in ("team", "repository", "on_call") if isinstance(row[name], str)}
        entries[row["service"]] = stated | ({"team": names.canonical(row["team"])} if "team" in stated else {})
    services: Iterable[str] = {*together.alerts["service"].cat.categories.astype("str"), *entries}
    return {name: _Pages(named[name], entries.get(name, {})) for name in services}


def _reliability(pages: Mapping[str, _Pages]) -> float:
    """Return how often the catalogue and the pages agree on a service."""
    both = [each for each in pages.values() if each.declared and each.named]
    agree = sum(each.named[each.declared or ""] == max(each.named.values()) for each in both)
    return (agree + _RIGHT) / (len(both) + _RIGHT + _WRONG)
