"""How much of production the alerts cover, and what to fix first: "how do you know you have captured everything?"."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import pandas as pd

from stanza_lab.entities._together import Catalog, Said, resolve_together
from stanza_lab.entities.coverage import _actions, _gaps, _page
from stanza_lab.entities.coverage import _tables as tables
from stanza_lab.entities.coverage._actions import Known, listing
from stanza_lab.entities.coverage._gaps import OBSERVED
from stanza_lab.entities.coverage._tables import ASKED, percent
from stanza_lab.history.report import count

_FIRST = 3  # actions the summary names


@dataclass(frozen=True, eq=False, repr=False)
class Coverage:
    """Tell what is known of every alert, which services are silent, when sources were, and what to fix first.

    Attributes
    ----------
    alerts : int
        Alerts that were looked at.
    score : float
        One figure from 0 to 1: the mean over alerts of 0.6 for a known service, 0.2 for a team, 0.2 for a resource,
        and nothing for an alert without a time. It is about the alerts that are there: what was never exported and who
        is silent stands in `gaps` and `services`. Copies of alerts that are there too (a page whose `origin` is another
        source read) are left out. NaN without alerts.
    overall : dict of str to float
        Share of the alerts, without copies, whose time, service, team, resource is known.
    by_source : DataFrame
        source, alerts, copies, time, service, team, resource (shares known, names resolved), stated_service,
        stated_team (share that states it in its own field; the rest was read from labels, resources, texts or the
        catalogue), nameless_rules, example (the alert name without service that has most alerts), first, last. Most
        alerts first.
    services : DataFrame
        service, team, alerts, spans, listed (stands in the catalogue), words (what is missing; null when nothing is):
        every service of alerts, catalogue and traces in one spelling, sorted by name.
    nameless : DataFrame
        source, alertname, alerts, summary (of the first): what names no service, most alerts first.
    days : DataFrame
        source, day, alerts: only days with alerts.
    gaps : DataFrame
        source, first, last, days, place (start, inside, end), usual (alerts a day otherwise), by_chance (such gaps to
        expect in a history as long), words: silent days that are hardly chance.
    actions : DataFrame
        rank, lacks, source, alerts (it would complete or bring), score_after (once it and all before are done), words.
    """

    alerts: int
    score: float
    overall: Mapping[str, float]
    by_source: pd.DataFrame
    services: pd.DataFrame
    nameless: pd.DataFrame
    days: pd.DataFrame
    gaps: pd.DataFrame
    actions: pd.DataFrame
    traced: bool
    catalogued: bool

    @property
    def summary(self) -> list[str]:
        """The findings in words, a sentence each; names in them are untrusted text."""
        if not self.alerts:
            return ["No alerts: nothing is covered."]
        first, last = self.by_source["first"].min(), self.by_source["last"].max()
        span = f", {first:%Y-%m-%d} to {last:%Y-%m-%d}" if pd.notna(first) else ""
        shares = ", ".join(f"{percent(self.overall[name])} a {name}" for name in ASKED).replace(" a ", " have a ", 1)
        sources = count(len(self.by_source), "source")
        return [
            f"Coverage {self.score * 100:.0f} of 100: {count(self.alerts, 'alert')} of {sources}{span}; {shares}.",
            *self._copies(),
            *self._nameless(),
            *self._services(),
            self._silence(),
            *(f"To fix, {row.rank}: {row.words}." for row in self.actions.head(_FIRST).itertuples()),
            "What was never exported and shows in no gap, trace or catalogue can't be told from here.",
        ]

    def _copies(self) -> list[str]:
        copies = self.by_source[self.by_source["copies"] > 0]
        listed = listing([f"{row.source} {row.copies:,}" for row in copies.itertuples()])
        return [f"Not counted: copies of alerts that are read where they were raised: {listed}."] if len(copies) else []

    def _nameless(self) -> list[str]:
        unstated = self.by_source[(self.by_source["stated_service"] == 0) & (self.by_source["service"] > 0)]
        said = []
        if len(unstated):
            names = listing(unstated["source"])
            said.append(f"{names}: no field names the service; it is read from labels, resources and texts.")
        lacking = self.by_source[self.by_source["service"] < 1]
        if len(lacking):
            pairs = zip(lacking["source"], 1 - lacking["service"], strict=True)
            shares = [f"{source} {percent(share)}" for source, share in pairs]
            said.append(f"Without a service: {listing(shares, top=6)} of their alerts.")
        return said

    def _services(self) -> list[str]:
        table = self.services
        alerted, known = table["alerts"] > 0, table["listed"] | (table["spans"] > 0)
        given = (("catalogue", self.catalogued), ("traces", self.traced))
        whence = " and ".join(name for name, there in given if there)
        if not whence:
            return ["Neither catalogue nor traces were given: which services are silent can't be said."]
        said = [f"{int((alerted & known).sum()):,} of {count(int(known.sum()), 'service')} of {whence} have alerts."]
        if (known & ~alerted).any():
            silent = table["service"][known & ~alerted]
            said.append(f"Silent, for want of trouble or of a monitor: {listing(silent, top=6)}.")
        if (alerted & ~known).any():
            said.append(f"With alerts, but not in {whence}: {listing(table['service'][~known], top=6)}.")
        return said

    def _silence(self) -> str:
        if len(self.gaps):
            return f"Silent when it should not be: {'; '.join(self.gaps['words'].head(_FIRST))}."
        spans = self.by_source["last"] - self.by_source["first"]
        if not (spans >= pd.Timedelta(days=OBSERVED)).any():
            return f"Silent days can't be told from quiet ones: that needs {OBSERVED} days of a source."
        return "No source is silent for longer than chance explains."

    def to_frame(self) -> pd.DataFrame:
        """Return what is known of the alerts of each source, and of all.

        Returns
        -------
        DataFrame
            The first columns of `by_source`, with a last row whose source is "all": `overall`, so without copies.
        """
        columns = ["source", "alerts", "copies", *ASKED, "stated_service", "stated_team", "nameless_rules", "example"]
        table = self.by_source[columns].astype({"source": "str"})
        if table.empty:
            return table
        weight = table["alerts"] / self.alerts
        stated = {name: float((table[name] * weight).sum()) for name in ("stated_service", "stated_team")}
        every = {"source": "all", "alerts": self.alerts, **self.overall, **stated}
        every |= {name: int(table[name].sum()) for name in ("copies", "nameless_rules")}
        return pd.concat([table, pd.DataFrame([every], columns=columns)], ignore_index=True).astype({"example": "str"})

    def __str__(self) -> str:
        return "\n".join(self.summary)

    def __repr__(self) -> str:
        return f"Coverage({count(self.alerts, 'alert')}, score {self.score:.2f}, {count(len(self.actions), 'action')})"

    def _repr_html_(self) -> str:
        shares = self.to_frame().drop(columns="example")
        for name in (*ASKED, "stated_service", "stated_team"):
            shares[name] = shares[name].map(percent).astype("str")
        lacking = self.services.dropna(subset="words").sort_values("alerts", kind="stable")
        fix = self.actions.assign(score_after=self.actions["score_after"].map(percent).astype("str"))
        return _page.page(
            self.summary,
            {
                "What is known of the alerts": shares,
                "What to fix first": fix[["rank", "alerts", "score_after", "words"]],
                "Services that are not everywhere": lacking[["service", "team", "alerts", "spans", "words"]],
                "Alerts that name no service": self.nameless[["source", "alertname", "alerts"]],
            },
        )


def coverage(
    alerts: pd.DataFrame,
    *,
    spans: pd.DataFrame | None = None,
    catalog: Catalog = None,
    overrides: Said = None,
) -> Coverage:
    """Tell how much of production the alerts cover, and what to fix first.

    Names are unified as `resolve_entities` does, those of traces and the catalogue with those of the alerts.

    Parameters
    ----------
    alerts : DataFrame
        `schema.ALERTS`; whatever columns are there. Best before `resolve_entities`: afterwards every service looks as
        if its source had stated it.
    spans : DataFrame, optional
        `schema.SPANS`, from `read_traces`, with at least trace_id and service: services seen there should be known to
        the alerts. Peers count too, but for addresses and host names.
    catalog : DataFrame or path, optional
        `schema.OWNERSHIP` or files for `read_ownership`: services listed there should too, and it says whose they are.
    overrides : path or mapping, optional
        What people say of names, as `EntityResolver` takes it.

    Returns
    -------
    Coverage
        Tables, sentences, one figure; prints as sentences, in a notebook as a page.

    Raises
    ------
    SchemaError
        A column cannot be read as what it should be.

    Examples
    --------
    >>> import pandas as pd
    >>> import stanza_lab as sl
    >>> alerts = pd.DataFrame(
    ...     {
    ...         "source": ["datadog", "datadog", "slack"],
    ...         "alertname": ["errors", "errors", "ping"],
    ...         "service": ["web", "web", None],
    ...         "starts_at": ["2026-03-01T10:00Z", "2026-03-01T11:00Z", "2026-03-02T09:00Z"],
    ...     }
    ... )
    >>> found = sl.coverage(alerts, catalog=pd.DataFrame({"service": ["web", "search"], "team": "shop"}))
    >>> round(found.score, 2), found.services.loc[found.services["alerts"] == 0, "service"].tolist()
    (0.53, ['search'])
    >>> print(found.actions["words"][0])
    slack: its one alert names no service (ping); put service:NAME into the messages of the bots
    """
    together = resolve_together(alerts, catalog, overrides=overrides, spans=spans)
    stated = {name: alerts[name].notna().to_numpy() for name in ("service", "team") if name in alerts.columns}
    together = together._replace(alerts=tables.completed(together.alerts))
    traced = tables.traced(spans)
    found = together.alerts
    flags = {
        "time": found["starts_at"].notna().to_numpy(),
        "service": found["service"].notna().to_numpy(),
        "team": found["team"].notna().to_numpy(),
        "resource": found["resources"].str.len().gt(0).to_numpy(dtype=bool),
    }
    services = tables.services(together, traced, listed=catalog is not None, given=spans is not None)
    days = _gaps.count_days(found)
    silent = _gaps.find_gaps(days)
    nameless = tables.nameless(found)
    copies = tables.copies(found)
    own = {name: known[~copies] for name, known in flags.items()}
    known = Known(own, found["source"][~copies], found["alertname"][~copies], found["service"][~copies])
    return Coverage(
        alerts=len(found),
        score=_actions.score(own),
        overall={name: float(own[name].mean()) if len(own[name]) else float("nan") for name in ASKED},
        by_source=tables.by_source(found, flags | {"copies": copies}, stated, nameless),
        services=services,
        nameless=nameless,
        days=days,
        gaps=silent,
        actions=_actions.rank_actions(known, services, silent),
        traced=spans is not None,
        catalogued=catalog is not None,
    )
