"""What recurs: the kind of an alert, the same whenever the same thing goes wrong at the same service."""

from __future__ import annotations

import pandas as pd

from stanza_lab import _params, schema
from stanza_lab.entities.symptoms import classify_symptoms

BY = ("symptom", "rule", "service")
_UNKNOWN = "unknown"
_USED = ("service", "alertname", "rule_key", "labels", "summary", "description")


def alert_kinds(alerts: pd.DataFrame, *, by: str = "symptom") -> pd.DataFrame:
    """Return what kind each alert is of.

    Parameters
    ----------
    alerts : DataFrame
        `schema.ALERTS`; what is missing counts as unknown.
    by : {"symptom", "rule", "service"}, default "symptom"
        What makes two alerts the same kind: service and symptom (whatever tool or rule said so; where no symptom is
        known, service and name of the alert), the rule, or the service alone.

    Returns
    -------
    DataFrame
        Aligned with `alerts`; `kind` (category: "orders-db: latency"), `service` (str; null when unknown), `what` (str:
        the symptom, the name of the alert or "" by service).
    """
    _params.choice(by, "by", BY)
    given = alerts.assign(**{name: None for name in _USED if name not in alerts.columns})
    table = schema.check(given, schema.ALERTS, need=[])
    service = table["service"].astype("str")
    named = table["alertname"].astype("str").fillna(table["rule_key"].astype("str")).fillna(_UNKNOWN)
    if by == "service":
        what = pd.Series("", index=table.index, dtype="str")
    elif by == "symptom":
        what = classify_symptoms(table).astype("str").fillna(named)
    else:
        what = named
    where = service.fillna(_UNKNOWN)
    kind = where if by == "service" else where + ": " + what
    if by == "rule":  # two rules may be called the same; their key tells them apart
        key = table["rule_key"].astype("str").fillna(named)
        several = key.groupby(kind).transform("nunique") > 1
        kind = kind.where(~several, kind + " (" + key + ")")
    return pd.DataFrame({"kind": kind.astype("category"), "service": service, "what": what})
