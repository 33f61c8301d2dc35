"""The alerts an import of the exports gives, made directly from the records."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

from stanza_lab import schema
from stanza_lab.history import fold_events
from stanza_lab.simulate.monitors import RULES
from stanza_lab.simulate.records import KINDS

if TYPE_CHECKING:
    from stanza_lab.simulate.topology import Topology

ENVIRONMENT = {"datadog": "prod", "sentry": "production", "cloudwatch": None}
_KIND = {"firing": "fired", "renotification": "renotified", "recovery": "resolved"}
_OF_PRIORITY = {1: "critical", 2: "error", 3: "warning", 4: "info", 5: "info"}
_OF_LEVEL = {"fatal": "critical", "error": "error", "warning": "warning"}


def make_alerts(
    topology: Topology, monitors: pd.DataFrame, records: pd.DataFrame, incident_ids: Sequence[str]
) -> tuple[pd.DataFrame, pd.DataFrame]:
    """Return the alerts (schema.ALERTS without incident_id, sorted by starts_at) and their labels."""
    alerts = fold_events(_events(topology, monitors, records))
    opening = [ids[0] for ids in alerts["event_ids"]]
    incident = records.set_index("native_id")["incident"].reindex(opening).to_numpy(dtype=np.int64)
    names = np.array([*incident_ids, None], dtype=object)[incident]  # -1 = none
    return alerts, pd.DataFrame({"alert_id": alerts["alert_id"], "incident_id": pd.Series(names, dtype="str")})


def _events(topology: Topology, monitors: pd.DataFrame, records: pd.DataFrame) -> pd.DataFrame:
    monitor = records["monitor"].to_numpy()
    shared = {name: values.take(monitor).reset_index(drop=True) for name, values in _told(topology, monitors).items()}
    kinds = np.array([_KIND[kind] for kind in KINDS])[records["kind"]]
    return pd.DataFrame(
        {
            **shared,
            "event_id": records["event_id"].where(shared["source"] != "datadog", records["event_id"] + "|" + kinds),
            "native_ids": [[native] for native in records["native_id"]],
            "at": pd.Series(records["at_ms"].to_numpy().astype("datetime64[ms]")).dt.tz_localize("UTC"),
            "kind": kinds,
        }
    )


def _told(topology: Topology, monitors: pd.DataFrame) -> dict[str, pd.Series]:
    """Return what every record of a monitor tells, one value per monitor."""
    about = topology.services.take(monitors["service"].to_numpy()).reset_index(drop=True)
    vendor = monitors["vendor"]
    rules = [RULES[k] for k in monitors["rule"]]
    words = [f"P{r.priority}" if r.priority else r.level or ("error" if r.vendor == "datadog" else None) for r in rules]
    # Datadog without a priority takes the status of its event; CloudWatch has no severity at all.
    severity = [
        _OF_PRIORITY.get(r.priority) or _OF_LEVEL.get(r.level) or ("error" if r.vendor == "datadog" else None)
        for r in rules
    ]
    told = {
        "source": vendor,
        "rule_key": monitors["rule_key"],
        "alertname": monitors["alertname"],
        "time_source": pd.Series(["event"] * len(monitors)),
        "severity": pd.Series(severity),
        "severity_raw": pd.Series(words),
        "summary": about["service"] + ": " + monitors["alertname"],
        "service": about["service"],
        "environment": vendor.map(ENVIRONMENT),
        "team": about["team"].where(vendor == "datadog"),
        "resources": about["resource"].map(lambda arn: [arn], na_action="ignore"),
    }
    columns = {name: schema.convert(values, schema.EVENTS[name]) for name, values in told.items()}
    return columns | {"has_recovery": vendor != "sentry"}
