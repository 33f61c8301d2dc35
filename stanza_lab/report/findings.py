"""What was found, in sentences, and where to look first."""

from __future__ import annotations

import html
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

import pandas as pd

from stanza_lab import schema
from stanza_lab.production import words
from stanza_lab.report.shell import listing

if TYPE_CHECKING:
    from stanza_lab.production import ProductionMap

RECENT = 7  # days before the last alert whose incidents come first
_MOST_INCIDENTS, _MOST_RULES, _MOST_SERVICES = 5, 3, 3  # to look at first
_MOST_SOURCES = 12  # told one by one
_CHRONIC = 0.25  # of all days: a service that alerts on so many is chronic


def first(alerts: pd.DataFrame) -> str:
    """Return what a tired reader should see if nothing else: recent incidents, noisy rules, chronic services."""
    times = alerts["starts_at"].dropna()
    if times.empty:
        return ""
    days = (times.max().normalize() - times.min().normalize()).days + 1
    blocks = {
        f"Largest incidents, {RECENT} days to {times.max():%Y-%m-%d}": _recent(alerts, times.max()),
        "Noisiest rules": [rule(row, len(alerts)) for row in noisiest(alerts).head(_MOST_RULES).to_dict("records")],
        f"Chronic services: alerts on {_CHRONIC:.0%} of days or more": _chronic(alerts, days),
    }
    return "".join(f"<h3>{html.escape(title)}</h3>{listing(said)}" for title, said in blocks.items() if said)


def _recent(alerts: pd.DataFrame, until: pd.Timestamp) -> list[str]:
    """Return the most severe, then largest incidents of the last days, a line each."""
    if "incident_id" not in alerts.columns:
        return []
    from stanza_lab.incidents import summarize_incidents

    incidents = summarize_incidents(alerts)
    incidents = incidents[incidents["starts_at"] > until - pd.Timedelta(days=RECENT)]
    ranked = incidents.sort_values(["severity", "alerts"], ascending=False, na_position="last", kind="stable")
    said = []
    for row in ranked.head(_MOST_INCIDENTS).to_dict("records"):
        severity = f", {row['severity']}" if pd.notna(row["severity"]) else ""
        size = f"{words.count(row['alerts'], 'alert')} within {words.span(row['spread_s'])}"
        said.append(f"{row['starts_at']:%Y-%m-%d %H:%M} UTC{severity}: {row['title']} ({size})")
    return said


def rule(row: Mapping[Any, Any], total: int, *, of: str = "all") -> str:
    """Say how noisy a rule is, and what share of the `total` alerts of somebody that makes."""
    name, *where = [str(row[key]) for key in ("alertname", "service", "source") if pd.notna(row.get(key))] or [
        "no name"
    ]
    at = f" ({', '.join(where)})" if where else ""
    return f"{name}{at}: {words.count(row['alerts'], 'alert')}, {_share(row['alerts'] / total)} of {of}"


def _chronic(alerts: pd.DataFrame, days: int) -> list[str]:
    """Return the services that alert on most days, of those that do so on many."""
    if days < RECENT:
        return []
    on = alerts.assign(day=alerts["starts_at"].dt.normalize(), service=alerts["service"].astype("str"))
    on = on.dropna(subset=["day", "service"]).groupby("service")["day"].agg(["nunique", "size"]).reset_index()
    on = on[on["nunique"] >= _CHRONIC * days].sort_values(["nunique", "size"], ascending=False, kind="stable")
    return [
        f"{service}: on {on_days:,} of {days:,} days, {words.count(size, 'alert')}"
        for service, on_days, size in on.head(_MOST_SERVICES).itertuples(index=False)
    ]


def _share(part: float) -> str:
    return "under 1%" if part < 0.01 else f"{part:.0%}"


def about_alerts(alerts: pd.DataFrame) -> list[str]:
    """Say how many alerts there are, from where and when."""
    known = alerts["starts_at"].dropna()
    span = f", from {known.min():%Y-%m-%d %H:%M} to {known.max():%Y-%m-%d %H:%M} UTC" if len(known) else ""
    services = alerts["service"].nunique()
    said = [f"{words.count(len(alerts), 'alert')} of {words.count(services, 'service')}{span}."]
    if "source" in alerts.columns:
        counts = alerts["source"].value_counts()
        listed = [f"{name} {number:,}" for name, number in counts[counts > 0].items()]
        said.append(f"By source: {words.listing(listed, top=_MOST_SOURCES)}.")
    if "alertname" in alerts.columns and alerts["alertname"].notna().any():
        rules = alerts["alertname"].value_counts()
        number, share = words.count(int((rules > 0).sum()), "rule"), rules.iloc[0] / len(alerts)
        said.append(f"The noisiest of {number} is {rules.index[0]}: {_share(share)} of all alerts.")
    nameless = int(alerts["service"].isna().sum())
    verb = "names" if nameless == 1 else "name"
    return [*said, f"{words.count(nameless, 'alert')} {verb} no service."] if nameless else said


def about_incidents(alerts: pd.DataFrame) -> list[str]:
    """Say how many incidents they make."""
    if "incident_id" not in alerts.columns:
        return []
    sizes = alerts.loc[alerts["incident_id"] != schema.NOISE, "incident_id"].value_counts()
    alone = len(alerts) - int(sizes.sum())
    largest = f" The largest has {words.count(int(sizes.max()), 'alert')}." if len(sizes) else ""
    stand = "stands on its own" if alone == 1 else "stand on their own"
    return [f"{words.count(len(sizes), 'incident')}; {words.count(alone, 'alert')} {stand}.{largest}"]


def about_map(production: ProductionMap | None) -> list[str]:
    """Say how much is on the map, and what alerts and traces each found of it."""
    if production is None:
        return []
    links, services = production.links, words.count(len(production.services), "service")
    lost = int(production.services["team"].isna().sum())
    whose = f"; the team of {lost:,} of them is not known" if lost else ""
    said = [f"On the map: {services}, {words.count(len(production.teams), 'team')}{whose}."]
    verdicts = links["verdict"].astype("str")
    unjudged = verdicts.isna() & ~links["seen"] & (links["link_confidence"] >= 0.5)
    confirmed, added, denied = (int((verdicts == name).sum()) for name in ("confirmed", "trace-only", "alert-only"))
    inferred = int(unjudged.sum()) + confirmed + denied
    told = f"Alerts alone: {words.count(inferred, 'dependency')} of probability 0.5 or more"
    if not verdicts.notna().any():
        known = int((unjudged & (links["direction"] != "unknown")).sum())
        said.append(f"{told}" + (f"; for {known:,} of those {inferred:,} it is known which way." if inferred else "."))
    else:
        said.append(f"{told}; traces added {added:,} and confirmed {confirmed:,} of those inferred.")
        if inferred > confirmed:
            rest = f"show no call for {denied:,}, and do not judge {int(unjudged.sum()):,}"
            said.append(f"Of the {inferred:,} inferred from alerts, traces confirm {confirmed:,}, {rest}.")
    other = int((links["seen"] & (verdicts.isna() | (verdicts == "declared-only"))).sum())
    fainter = len(links) - inferred - added - other
    said += [f"{words.count(other, 'more dependency')} traced or declared."] if other else []
    return [*said, f"Not counted: {words.count(fainter, 'pair')} of probability below 0.5."] if fainter else said


def caution(production: ProductionMap) -> str:
    """Return what to be wary of before a map is read, or nothing."""
    return f'<p class="caution">{html.escape(words.sentence(production.caution))}</p>' if production.caution else ""


def by_source(alerts: pd.DataFrame) -> pd.DataFrame:
    """Return one row per source: how many alerts it sent, the first and the last."""
    if "source" not in alerts.columns:
        return pd.DataFrame()
    sources = alerts.groupby("source", observed=True)
    return sources.agg(
        alerts=("starts_at", "size"), first=("starts_at", "min"), last=("starts_at", "max")
    ).reset_index()


def noisiest(alerts: pd.DataFrame) -> pd.DataFrame:
    """Return one row per rule, the noisiest first: how many alerts it raised, the first and the last."""
    keys = [name for name in ("source", "alertname", "service") if name in alerts.columns]
    rules = alerts.groupby(keys, observed=True, dropna=False)["starts_at"].agg(["size", "min", "max"]).reset_index()
    rules = rules.rename(columns={"size": "alerts", "min": "first", "max": "last"})
    return rules.sort_values(["alerts", *keys], ascending=[False, *[True] * len(keys)])
