"""The tables of a coverage report: what is known by source, which services are heard of where, what has no name."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt
import pandas as pd

from stanza_lab import schema
from stanza_lab.entities import naming
from stanza_lab.history.report import count

if TYPE_CHECKING:
    from stanza_lab.entities._together import Together

Flags = npt.NDArray[np.bool_]

ASKED = ("time", "service", "team", "resource")  # of every alert


def percent(share: float) -> str:
    """Return a share in percent, never rounded to all or none."""
    if np.isnan(share):
        return ""
    return "under 1%" if 0 < share < 0.01 else "over 99%" if 0.99 < share < 1 else f"{share:.0%}"


def copies(alerts: pd.DataFrame) -> Flags:
    """Return which alerts copy one of a source that is itself read."""
    origin, source = alerts["origin"].astype("str"), alerts["source"].astype("str")
    return (origin.isin(source.dropna().unique()) & (origin != source)).to_numpy(dtype=bool)


def completed(alerts: pd.DataFrame) -> pd.DataFrame:
    """Return resolved alerts with the columns that are needed here and were not there, null."""
    needed = ("source", "origin", "alertname", "summary", "starts_at")
    nulls = pd.Series(index=alerts.index, dtype=object)
    missing = {n: schema.convert(nulls, schema.ALERTS[n]) for n in needed if n not in alerts.columns}
    return alerts.assign(**missing).reset_index(drop=True)


def traced(spans: pd.DataFrame | None) -> pd.Series:
    """Return how many spans each service of the traces has; a peer that looks like a host or address is no service."""
    if spans is None:
        return pd.Series(dtype="int64")
    spans = schema.check(spans, schema.SPANS, need=["service"])
    names = spans["service"].astype("str").dropna()
    if "peer" in spans.columns:
        peers = spans["peer"].astype("str").dropna()
        names = pd.concat([names, peers[~peers.str.contains(r"[.:/]")]])
    return names[names.map(naming.clean_service).notna()].value_counts()


def services(together: Together, traced: pd.Series, *, listed: bool, given: bool) -> pd.DataFrame:
    """Return every service with how much alerts, traces and catalogue say of it, and what is missing."""
    named = together.alerts[["service", "team"]].dropna(subset="service").astype("str")
    spans = traced.groupby(together.spelled(traced.index.to_series()).to_numpy()).sum()
    owned = together.owned.set_index("service")
    table = pd.DataFrame(index=pd.Index(sorted({*named["service"], *spans.index, *owned.index}), name="service"))
    teams = named.value_counts().reset_index().drop_duplicates("service").set_index("service")["team"]
    table["team"] = owned["team"].astype("str").reindex(table.index).fillna(teams.reindex(table.index))
    table["alerts"] = named["service"].value_counts().reindex(table.index, fill_value=0).astype("int64")
    table["spans"] = spans.reindex(table.index, fill_value=0).astype("int64")
    table["listed"] = table.index.isin(owned.index)
    words = [_missing(row, listed=listed, traced=given) for row in table.to_dict("records")]
    table = table.reset_index().assign(words=pd.Series(words, dtype="str"))
    return table.astype({"service": "str", "team": "category"})


def _missing(row: Mapping[Any, Any], *, listed: bool, traced: bool) -> str | None:
    """Say where a service is heard of and where it is not, of what was `listed` and `traced`; nothing if everywhere."""
    if not row["alerts"]:
        known = [
            *(["the catalogue lists it"] if row["listed"] else []),
            *([f"traces show {count(row['spans'], 'span')}"] if row["spans"] else []),
        ]
        return f"never alerts; {' and '.join(known)}"
    unknown = [
        *(["the catalogue does not list it"] if listed and not row["listed"] else []),
        *(["traces do not show it"] if traced and not row["spans"] else []),
    ]
    return f"alerts, but {' and '.join(unknown)}" if unknown else None


def nameless(alerts: pd.DataFrame) -> pd.DataFrame:
    """Return the alert names that name no service."""
    lacking = alerts.loc[alerts["service"].isna(), ["source", "alertname", "summary"]].astype("str")
    rules = lacking.groupby(["source", "alertname"], dropna=False)["summary"].agg(["size", "first"]).reset_index()
    rules = rules.rename(columns={"size": "alerts", "first": "summary"})[["source", "alertname", "alerts", "summary"]]
    return rules.sort_values(["alerts", "source", "alertname"], ascending=[False, True, True], ignore_index=True)


def by_source(
    alerts: pd.DataFrame, flags: Mapping[str, Flags], stated: Mapping[str, Flags], nameless: pd.DataFrame
) -> pd.DataFrame:
    """Return for each source how much of its alerts is known, and how much it states itself."""
    source = alerts["source"].astype("str").fillna("unknown")
    own = {f"stated_{name}": stated.get(name, False) for name in ("service", "team")}
    parts = pd.DataFrame({"alerts": 1, **flags, **own, "starts_at": alerts["starts_at"]})
    shares = {name: (name, "mean") for name in (*ASKED, "stated_service", "stated_team")}
    table = parts.groupby(source.rename("source")).agg(
        alerts=("alerts", "sum"),
        copies=("copies", "sum"),
        **shares,
        first=("starts_at", "min"),
        last=("starts_at", "max"),
    )
    rules = nameless.assign(source=nameless["source"].fillna("unknown")).dropna(subset="alertname").groupby("source")
    table["nameless_rules"] = rules.size().reindex(table.index, fill_value=0).astype("int64")
    table["example"] = rules["alertname"].first().reindex(table.index).astype("str")
    order = ["source", "alerts", "copies", *shares, "nameless_rules", "example", "first", "last"]
    table = table.reset_index().sort_values(["alerts", "source"], ascending=[False, True], ignore_index=True)
    return table[order].astype({"source": "category"} | dict.fromkeys(shares, "float64"))
