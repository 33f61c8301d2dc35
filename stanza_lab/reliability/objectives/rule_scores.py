"""Precision, recall, detection and reset time of alert rules, from alerts and the events that matter."""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd

from stanza_lab.production import words
from stanza_lab.reliability.objectives.sureness import Share

RULES: dict[str, Any] = {
    "rule": "str",
    "kind": "str",  # burn rate, threshold
    "alerts": "int64",  # in the time that was counted
    "significant_alerts": "int64",  # of them during a significant event
    "precision": "float64",
    "precision_low": "float64",
    "precision_high": "float64",
    "events": "int64",  # significant ones it could have found
    "detected": "int64",
    "recall": "float64",
    "recall_low": "float64",
    "recall_high": "float64",
    "detection_s": "float64",  # median from the begin of the event to the first alert
    "detection_p90_s": "float64",
    "reset_s": "float64",  # median from the end of the event to the end of the last alert
    "resets": "int64",  # events of which that is known
    "words": "str",
}
LEAST = 5  # alerts, or events, below which a share is not given


def during(alerts: pd.DataFrame, events: pd.DataFrame, late: pd.Timedelta) -> pd.DataFrame:
    """Return the alerts with whether each was open during an event of its service."""
    hit = np.zeros(len(alerts), dtype=bool)
    ends = alerts["ends_at"].fillna(alerts["starts_at"])
    for event in events.to_dict("records"):
        same = _same(alerts, event)
        hit |= (same & (alerts["starts_at"] <= event["ends_at"] + late) & (ends >= event["starts_at"])).to_numpy()
    return alerts.assign(significant=hit)


def _same(alerts: pd.DataFrame, event: dict[Any, Any]) -> pd.Series:
    """Tell which alerts are about what an event is about: its service, and of burn rates its objective."""
    about = alerts["objective"].isna() | (alerts["objective"] == event["objective"])
    return pd.Series((alerts["service"] == event["service"]) & about)


def rows(alerts: pd.DataFrame, events: pd.DataFrame, late: pd.Timedelta, *, kinds: list[str]) -> list[dict[str, Any]]:
    """Return `RULES`: for each kind all rules together, then each."""
    made = []
    for kind in kinds:
        own = alerts[alerts["kind"] == kind]
        made.append(_row(f"all {kind} rules", kind, own, events, late))
        pages = own[own["severity"] == "page"]
        if kind == "burn rate" and len(pages):
            made.append(_row("all page rules", kind, pages, events, late))
        counts = own["rule"].value_counts()
        names = sorted(counts.index, key=lambda name: (-int(counts[name]), str(name)))
        made += [_row(str(name), kind, own[own["rule"] == name], events, late) for name in names]
    return made


def _row(rule: str, kind: str, alerts: pd.DataFrame, events: pd.DataFrame, late: pd.Timedelta) -> dict[str, Any]:
    if kind == "threshold" and not rule.startswith("all "):
        events = events[events["service"].isin(set(alerts["service"]))]  # a rule finds what happens at its services
    delays, resets = [], []
    ends = alerts["ends_at"].fillna(alerts["starts_at"])
    detected = 0
    for event in events.to_dict("records"):
        near = _same(alerts, event) & (alerts["starts_at"] <= event["ends_at"] + late) & (ends >= event["starts_at"])
        if not near.any():
            continue
        detected += 1
        mine = alerts[near]
        delays.append(max(0.0, (mine["starts_at"].min() - event["starts_at"]).total_seconds()))
        if mine["ends_at"].notna().all():
            resets.append(max(0.0, (mine["ends_at"].max() - event["ends_at"]).total_seconds()))
    good = int(alerts["significant"].sum())
    precision, recall = _shared(good, len(alerts)), _shared(detected, len(events))
    row: dict[str, Any] = {
        "rule": rule,
        "kind": kind,
        "alerts": len(alerts),
        "significant_alerts": good,
        **dict(zip(("precision", "precision_low", "precision_high"), precision, strict=True)),
        "events": len(events),
        "detected": detected,
        **dict(zip(("recall", "recall_low", "recall_high"), recall, strict=True)),
        "detection_s": float(np.median(delays)) if delays else np.nan,
        "detection_p90_s": float(np.quantile(delays, 0.9)) if delays else np.nan,
        "reset_s": float(np.median(resets)) if resets else np.nan,
        "resets": len(resets),
    }
    row["words"] = _words(row)
    return row


def _shared(part: int, whole: int) -> tuple[float, float, float]:
    if whole < LEAST:
        return np.nan, np.nan, np.nan
    low, high = Share(part, whole, whole).interval()
    return part / whole, low, high


def _words(row: dict[str, Any]) -> str:
    alerts = f"{row['significant_alerts']} of {words.count(row['alerts'], 'alert')} during a significant event"
    events = f"{row['detected']} of {words.count(row['events'], 'significant event')} found"
    said = [f"{row['rule']}: {alerts}", events]
    if row["alerts"] < LEAST:
        said[0] += f" (too few for a precision, {LEAST} are needed)"
    if row["events"] < LEAST:
        said[1] += f" (too few for a recall, {LEAST} are needed)"
    if not np.isnan(row["detection_s"]):
        said.append(f"median {words.span(row['detection_s'])} after it began")
    if not np.isnan(row["reset_s"]):
        said.append(f"over {words.span(row['reset_s'])} after it ended ({words.count(row['resets'], 'event')})")
    return "; ".join(said)
