"""One row per incident, in words for people."""

from __future__ import annotations

import pandas as pd

from stanza_lab import schema

TITLE_SERVICES = 2  # named in a title; the rest is counted
TITLE_NAME = 60  # characters of an alert's name
_OPTIONAL = ("source", "rule_key", "alertname", "ends_at", "severity", "service", "team")
_COLUMNS = (
    "incident_id", "starts_at", "ends_at", "spread_s", "duration_s", "alerts", "open_alerts", "rules",
    "services", "teams", "sources", "severity", "first_service", "title",
)  # fmt: skip


def summarize_incidents(alerts: pd.DataFrame) -> pd.DataFrame:
    """Return one row per incident.

    Parameters
    ----------
    alerts : DataFrame
        Alerts with `starts_at` and `incident_id` (see `cluster_incidents`); `ends_at`, `severity`, `service`, `team`,
        `source`, `rule_key` and `alertname` are used when they are there. Noise (incident -1) is left out.

    Returns
    -------
    DataFrame
        Sorted by `starts_at`, then `incident_id`:

        - incident_id (int64)
        - starts_at, ends_at (datetime64[us, UTC]): first alert; last time anything was seen of it, be it a start or a
          recovery
        - spread_s (float64): seconds from the first to the last alert's start; one monitor that recovers late, or
          never, does not stretch it
        - duration_s (float64): seconds from `starts_at` to `ends_at`, a lower bound while `open_alerts` is above 0
        - alerts, open_alerts, rules (int64): how many, how many of them with no known end (Sentry never reports one),
          how many different rules
        - services, teams, sources (lists of str): services in the order in which they fired, the others sorted
        - severity (ordered category): the worst; null when no alert states one
        - first_service (category): what fired first; order within a minute means little
        - title (str): services and the commonest alert name, untrusted text

    Raises
    ------
    SchemaError
        `starts_at` or `incident_id` is missing, or a column does not fit.

    Examples
    --------
    >>> import pandas as pd
    >>> from stanza_lab import summarize_incidents
    >>> alerts = pd.DataFrame({
    ...     "incident_id": [0, 0, -1],
    ...     "starts_at": ["2026-03-01T14:02Z", "2026-03-01T14:04Z", "2026-03-01T19:30Z"],
    ...     "service": ["orders-db", "orders", "search"],
    ...     "alertname": ["High p99 latency", "High p99 latency", "Disk full"],
    ... })
    >>> summarize_incidents(alerts)[["incident_id", "alerts", "duration_s", "title"]]
       incident_id  alerts  duration_s                                title
    0            0       2       120.0  orders-db, orders: High p99 latency
    """
    unsaid = {name: None for name in _OPTIONAL if name not in alerts.columns}
    alerts = schema.check(alerts.assign(**unsaid), schema.ALERTS, need=["starts_at", "incident_id"])
    known = alerts[alerts["incident_id"] != schema.NOISE]
    known = known.assign(place=known["service"].astype("str")).sort_values(["starts_at", "place"], kind="stable")
    known = known.assign(
        rule=known["rule_key"].astype("str").fillna(known["alertname"].astype("str")),
        seen_at=known["ends_at"].fillna(known["starts_at"]),
        open=known["ends_at"].isna(),
        severity_code=known["severity"].cat.codes,
    )
    table = known.groupby("incident_id").agg(
        starts_at=("starts_at", "min"),
        last_start=("starts_at", "max"),
        ends_at=("seen_at", "max"),
        alerts=("incident_id", "size"),
        open_alerts=("open", "sum"),
        rules=("rule", "nunique"),
        severity_code=("severity_code", "max"),
    )
    services = _different(known, "service")
    table = table.assign(
        spread_s=(table["last_start"] - table["starts_at"]).dt.total_seconds(),
        duration_s=(table["ends_at"] - table["starts_at"]).dt.total_seconds(),
        services=services.reindex(table.index).map(_list),
        teams=_different(known, "team").reindex(table.index).map(_list).map(sorted),
        sources=_different(known, "source").reindex(table.index).map(_list).map(sorted),
        severity=pd.Categorical.from_codes(table.pop("severity_code"), dtype=schema.SEVERITY_DTYPE),
    )
    table["first_service"] = table["services"].str[0].astype("str").astype("category")
    table["title"] = _titles(table, known)
    return table.reset_index().sort_values(["starts_at", "incident_id"], ignore_index=True)[list(_COLUMNS)]


def _different(alerts: pd.DataFrame, column: str) -> pd.Series:
    """Return the different known values of `column` in each incident, in the order of the rows."""
    pairs = alerts[["incident_id", column]].dropna().drop_duplicates()
    return pairs.astype({column: object}).groupby("incident_id")[column].agg(list)


def _list(value: object) -> list[str]:
    return value if isinstance(value, list) else []


def _titles(table: pd.DataFrame, alerts: pd.DataFrame) -> pd.Series:
    """Say what an incident is about: where it was seen first, and the commonest alert name."""
    named = alerts[["incident_id", "alertname"]].dropna().astype({"alertname": "str"})
    counts = named.value_counts(sort=False).reset_index().sort_values(["count", "alertname"], ascending=[False, True])
    name = counts.drop_duplicates("incident_id").set_index("incident_id")["alertname"].reindex(table.index)
    place = table["services"].str[:TITLE_SERVICES].str.join(", ")
    more = table["services"].str.len() - TITLE_SERVICES
    place = place + (" +" + more.astype("str")).where(more > 0, "")
    short = name.where(name.str.len() <= TITLE_NAME, name.str[: TITLE_NAME - 3] + "...")
    count = table["alerts"].astype("str") + pd.Series(" alerts", index=table.index).mask(table["alerts"] == 1, " alert")
    what = short.fillna(count)
    return what.where(place == "", place + ": " + what).astype("str")
