"""Compression: how many of what comes in are left at each stage."""

from __future__ import annotations

from typing import Any

import pandas as pd

STAGES: dict[str, Any] = {
    "stage": "str",  # "events to alerts", "alerts to incidents", "alerts to pages"
    "n_in": "int64",
    "n_out": "int64",
    "compression": "float64",  # 1 - n_out / n_in; null without anything that came in
}


def table(alerts: pd.DataFrame, pages: pd.DataFrame, *, paged: int) -> pd.DataFrame:
    """Return `STAGES`; a stage that the data do not tell is left out. `alerts` are those that are no page."""
    stages = []
    if alerts["event_ids"].notna().any():
        stages.append(("events to alerts", int(alerts["event_ids"].str.len().fillna(0).sum()), len(alerts)))
    if (alerts["incident_id"] >= 0).any():
        together = alerts.loc[alerts["incident_id"] >= 0, "incident_id"]
        alone = len(alerts) - len(together)
        stages.append(("alerts to incidents", len(alerts), int(together.nunique()) + alone))
    if len(alerts):
        stages.append(("alerts to pages", len(alerts), paged))
    if len(pages):
        stages.append(("pages to incidents that paged", len(pages), int(pages["incident"].nunique())))
    found = pd.DataFrame(stages, columns=["stage", "n_in", "n_out"])
    share = 1 - found["n_out"] / found["n_in"].where(found["n_in"] > 0)
    return found.assign(compression=share)[list(STAGES)].astype(STAGES)
