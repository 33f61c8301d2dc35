"""What a person should know of each rule: how often it fires, how often alone, and in which habit."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

from stanza_lab.schema import NOISE

if TYPE_CHECKING:
    from stanza_lab.incidents.correlation.evidence import Evidence
    from stanza_lab.incidents.correlation.features import Vocabulary

OFTEN, CHRONIC, TELLING = 10, 0.9, 0.5
AGAIN_S, DAY_S = 1800.0, 86_400.0
PERIODIC_DAYS, PERIODIC = 5, 0.9
HABITS = ("chronic", "flapping", "periodic", "telling", "unclear")


def rule_habits(known: Evidence, labels: np.ndarray, vocabulary: Vocabulary) -> pd.DataFrame:
    """Return one row per rule, the most alerts first (see `IncidentClusterer`)."""
    features = known.features
    names = vocabulary.names.get("rule", pd.Index([], dtype="str"))
    named = features.rule < len(names)
    rows = pd.DataFrame({"code": features.rule, "at": features.seconds, "incident": labels, "chronic": known.habit})[
        named
    ]
    rows["alone"] = rows["incident"] == NOISE
    rows["again"] = rows.groupby("code")["at"].diff() <= AGAIN_S
    rows["day"] = ((rows["at"] + features.origin_us / 1e6) // DAY_S).astype("int64")
    angle = 2 * np.pi * ((rows["at"] + features.origin_us / 1e6) % DAY_S) / DAY_S
    rows = rows.assign(x=np.cos(angle), y=np.sin(angle))
    table = rows.groupby("code").agg(
        alerts=("at", "size"), alone_share=("alone", "mean"), chronic=("chronic", "mean"),
        again=("again", "mean"), days=("day", "nunique"),
        x=("x", "mean"), y=("y", "mean"),
    )  # fmt: skip
    table["incidents"] = rows[~rows["alone"]].groupby("code")["incident"].nunique().reindex(table.index).fillna(0)
    span_days = max(float(np.ptp(features.seconds)) / DAY_S, 1.0) if len(features) else 1.0
    concentrated = np.hypot(table["x"], table["y"]) >= PERIODIC
    habit = np.select(
        [
            (table["days"] >= PERIODIC_DAYS) & concentrated & (table["chronic"] > TELLING),
            (table["again"] >= 0.5) & (table["alerts"] >= OFTEN / 2),
            (table["alerts"] >= OFTEN) & (table["chronic"] >= CHRONIC),
            (table["chronic"] <= TELLING) & (table["incidents"] >= 2),
        ],
        ["periodic", "flapping", "chronic", "telling"],
        "unclear",
    )
    found = pd.DataFrame(
        {
            "rule": pd.Series(names[table.index].astype("str"), dtype="str"),
            "alerts": table["alerts"].to_numpy(dtype=np.int64),
            "incidents": table["incidents"].to_numpy(dtype=np.int64),
            "alone_share": table["alone_share"].to_numpy(dtype=float),
            "chronic": table["chronic"].to_numpy(dtype=float),
            "per_day": table["alerts"].to_numpy() / span_days,
            "habit": pd.Categorical(habit, categories=HABITS),
        }
    )
    found = found[~found["rule"].str.startswith("\0")]
    return found.sort_values(["alerts", "rule"], ascending=[False, True], ignore_index=True)
