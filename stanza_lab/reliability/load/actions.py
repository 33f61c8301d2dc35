"""Actionability: how many alerts there was something to do about, as people tagged them (Etsy's opsweekly)."""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd

from stanza_lab.errors import ParameterError, SchemaError

ACTION = ("issue", "issuetimeperiod", "viewissue")
NO_ACTION = ("incorrecttimeperiod", "downtimeexpired", "downtimenotset", "thresholdincorrect", "checkfaulty")
NOT_APPLICABLE = "na"
ACTIONS: dict[str, Any] = {
    "team": "str",  # null: all teams
    "alerts": "int64",
    "action": "int64",
    "no_action": "int64",
    "excluded": "int64",  # tagged na
    "untagged": "int64",
    "actionable": "float64",  # action / (action + no action); null without any of both
    "noise_ratio": "float64",
    "coverage": "float64",  # (action + no action) / alerts
    "mtts_s": "float64",  # mean time from woken to back asleep
    "n_slept": "int64",
}


def read(tags: pd.DataFrame) -> pd.DataFrame:
    """Return tags (alert_id, tag; woken_at and asleep_at where they are told), each alert once.

    Raises
    ------
    SchemaError
        A column is missing, or an alert has two tags.
    ParameterError
        A tag is none of the vocabulary.
    """
    missing = [name for name in ("alert_id", "tag") if name not in getattr(tags, "columns", ())]
    if missing:
        raise SchemaError(f"tags: columns {missing} are missing; pass a DataFrame with alert_id and tag")
    known = {*ACTION, *NO_ACTION, NOT_APPLICABLE}
    given = tags.assign(alert_id=tags["alert_id"].astype("str"), tag=tags["tag"].astype("str").str.strip().str.lower())
    given = given.drop_duplicates().dropna(subset=["tag"])
    other = sorted(set(given["tag"]) - known)
    if other:
        raise ParameterError(f"tags: {other[:5]} are no tags of opsweekly; use one of {sorted(known)}")
    twice = given.loc[given["alert_id"].duplicated(), "alert_id"].tolist()
    if twice:
        raise SchemaError(f"tags: alerts {twice[:3]} are tagged twice; keep one tag for each")
    for name in ("woken_at", "asleep_at"):
        times = given[name] if name in given.columns else pd.Series(pd.NaT, index=given.index)
        given[name] = pd.to_datetime(times, utc=True, format="ISO8601")
    return given.reset_index(drop=True)


def table(alerts: pd.DataFrame, tags: pd.DataFrame) -> pd.DataFrame:
    """Return `ACTIONS`: all teams, then each. `alerts` need alert_id and team."""
    joined = (
        alerts[["alert_id", "team"]].assign(team=alerts["team"].astype("str")).merge(tags, on="alert_id", how="left")
    )
    slept = (joined["asleep_at"] - joined["woken_at"]).dt.total_seconds()
    rows = pd.DataFrame(
        {
            "team": joined["team"],
            "alerts": 1,
            "action": joined["tag"].isin(ACTION).astype("int64"),
            "no_action": joined["tag"].isin(NO_ACTION).astype("int64"),
            "excluded": (joined["tag"] == NOT_APPLICABLE).astype("int64"),
            "untagged": joined["tag"].isna().astype("int64"),
            "slept_s": slept.where(slept >= 0),
        }
    )
    everything = rows.assign(team="").groupby("team")
    sums = [_sums(everything).assign(team=None), _sums(rows.groupby("team", sort=True)).reset_index()]
    found = pd.concat(sums, ignore_index=True)
    judged = (found["action"] + found["no_action"]).astype("float64")
    some = judged.where(judged > 0)
    found = found.assign(
        actionable=found["action"] / some, noise_ratio=found["no_action"] / some, coverage=judged / found["alerts"]
    )
    return found[list(ACTIONS)].astype(ACTIONS)


def _sums(groups: Any) -> pd.DataFrame:
    names = ["alerts", "action", "no_action", "excluded", "untagged"]
    found: pd.DataFrame = groups[names].sum()
    return found.assign(mtts_s=groups["slept_s"].mean(), n_slept=groups["slept_s"].count().astype(np.int64))
