"""How fast pages were taken and resolved, by the definition of whoever is asked: they measure different things."""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np
import pandas as pd

from stanza_lab.reliability.load.interruptions import engaged_seconds

RESPONSE: dict[str, Any] = {
    "team": "str",  # null: all teams
    "definition": "str",
    "measure": "str",
    "mean_s": "float64",
    "median_s": "float64",
    "p90_s": "float64",
    "n": "int64",  # that the figures are of
    "n_open": "int64",  # not resolved when the history ends: in no figure
    "n_excluded": "int64",  # others that are in no figure, for what `words` says
    "words": "str",
}
CHOICES = ("pagerduty", "moogsoft", "keep", "ours")
DEFINITIONS = {
    "pagerduty": (
        "per page: time to acknowledge is first acknowledgement - trigger, over the pages that were acknowledged; time "
        "to resolve is resolved - trigger, over the pages that were resolved; time to engage is last - first person's "
        "first acknowledgement or joining, where there are several; time to mobilize is the last asked responder's "
        "joining - trigger; engaged is the sum over people of resolved - their acknowledgement, snoozes included"
    ),
    "moogsoft": (
        "per incident: time to acknowledge is a person's first taking - its first alert (that a pager assigns on its "
        "own is not counted); time to resolve is a person's resolving - its first alert; what a machine resolved is "
        "excluded"
    ),
    "keep": (
        "per incident: time to detect is its first page - its first alert; time to resolve is its last page's end - "
        "its first alert, resolved ones only; means rounded up to a whole second"
    ),
    "ours": (
        "per incident that paged: time to acknowledge is the first acknowledgement of any of its pages - its first "
        "page; time to resolve is the last recovery of its alerts - its first alert"
    ),
}


class Measured(NamedTuple):
    """Seconds per page or incident (null: not measured), whether it is open, and why others are left out."""

    measure: str
    seconds: pd.Series
    team: pd.Series
    open: pd.Series
    why: str


def table(pages: pd.DataFrame, engagements: pd.DataFrame, *, definition: str) -> pd.DataFrame:
    """Return `RESPONSE`: for all teams, then for each; `definition` is one of CHOICES or "all"."""
    chosen = CHOICES if definition == "all" else (definition,)
    found = [
        part
        for name in chosen
        for measured in _MEASURES[name](pages, engagements)
        for part in (_figures(measured, name, each=False), _figures(measured, name, each=True))
    ]
    rows = pd.concat(found, ignore_index=True)
    rows = rows.sort_values("team", kind="stable", na_position="first", ignore_index=True)
    return rows[list(RESPONSE)].astype(RESPONSE)


def _figures(measured: Measured, definition: str, *, each: bool) -> pd.DataFrame:
    seconds = measured.seconds.where(measured.seconds >= 0)
    rows = pd.DataFrame({"s": seconds, "open": measured.open & seconds.isna()})
    groups = rows.groupby(measured.team if each else np.zeros(len(rows), dtype=int), sort=True)
    found = groups.agg(
        mean_s=("s", "mean"), median_s=("s", "median"), n=("s", "count"), n_open=("open", "sum"), size=("s", "size")
    )  # fmt: skip
    if definition == "keep":
        found["mean_s"] = np.ceil(found["mean_s"])
    found["p90_s"] = groups["s"].quantile(0.9)
    found["n_excluded"] = found["size"] - found["n"] - found["n_open"]
    why = [f"{measured.why}: {left:,} excluded" if left else "none excluded" for left in found["n_excluded"]]
    return found.assign(team=found.index if each else None, definition=definition, measure=measured.measure, words=why)


def _pagerduty(pages: pd.DataFrame, engagements: pd.DataFrame) -> list[Measured]:
    opened = pages["ended_at"].isna()
    no = pd.Series(data=False, index=pages.index)
    started, took = pages["at"], engagements[engagements["kind"].isin(["acknowledged", "joined"])]
    took = took.dropna(subset=["person"])
    first = took.groupby(["row", "person"])["at"].min().groupby(level="row").agg(["min", "max", "size"])
    several = first[first["size"] > 1]
    asked = set(engagements.loc[engagements["kind"] == "asked", "row"])
    joined = took[(took["kind"] == "joined") & took["row"].isin(asked)].groupby("row")["at"].max()
    engaged = engaged_seconds(took).merge(took[["page", "row"]].drop_duplicates("page"), on="page")
    total = engaged.groupby("row")["engaged_s"].sum()
    each = pages["team"]
    return [
        Measured("time to acknowledge", _gap(pages["acked_at"], started), each, opened, "not acknowledged"),
        Measured("time to resolve", _gap(pages["ended_at"], started), each, opened, "ended before it began"),
        Measured(
            "time to engage", _s(several["max"] - several["min"]).reindex(pages.index), each, no, "one person or none"
        ),
        Measured("time to mobilize", _gap(joined.reindex(pages.index), started), each, no, "no responder joined"),
        Measured("engaged", total.reindex(pages.index), each, opened, "nobody took it, or not told who"),
    ]


def _moogsoft(pages: pd.DataFrame, engagements: pd.DataFrame) -> list[Measured]:
    situations = _incidents(pages)
    people = engagements.dropna(subset=["person"])
    incident = pages["incident"].reindex(people["row"]).set_axis(people.index)
    taken = people["at"].where(people["kind"].isin(["acknowledged", "joined"])).groupby(incident).min()
    closed = people["at"].where(people["kind"] == "resolved").groupby(incident).max()
    if engagements.empty:  # nobody is told: an acknowledgement is all that tells of a person
        taken = pages.groupby("incident")["acked_at"].min()
    return [
        Measured(
            "time to acknowledge", _gap(taken.reindex(situations.index), situations["began"]), situations["team"],
            situations["open"], "no person took it",
        ),
        Measured(
            "time to resolve", _gap(closed.reindex(situations.index), situations["began"]), situations["team"],
            situations["open"], "no person resolved it, or not told who",
        ),
    ]  # fmt: skip


def _keep(pages: pd.DataFrame, _engagements: pd.DataFrame) -> list[Measured]:
    found = _incidents(pages)
    no = pd.Series(data=False, index=found.index)
    resolved = _gap(found["ended"], found["began"]).mask(found["open"])
    return [
        Measured("time to detect", _gap(found["paged"], found["began"]), found["team"], no, "paged before it began"),
        Measured("time to resolve", resolved, found["team"], found["open"], "ended before it began"),
    ]


def _ours(pages: pd.DataFrame, _engagements: pd.DataFrame) -> list[Measured]:
    found = _incidents(pages)
    opened = found["recovered"].isna()
    return [
        Measured(
            "time to acknowledge", _gap(found["acked"], found["paged"]), found["team"], opened, "not acknowledged"
        ),
        Measured(
            "time to resolve", _gap(found["recovered"], found["began"]), found["team"], opened, "no order in time"
        ),
    ]


def _incidents(pages: pd.DataFrame) -> pd.DataFrame:
    """Return a row per incident that paged: team of its first page, began, paged, acked, ended, recovered, open."""
    groups = pages.assign(open=pages["ended_at"].isna()).sort_values("at", kind="stable").groupby("incident")
    return groups.agg(
        team=("team", "first"), began=("alert_at", "min"), paged=("at", "min"), acked=("acked_at", "min"),
        ended=("ended_at", "max"), recovered=("recovered_at", "max"), open=("open", "any"),
    )  # fmt: skip


def _gap(until: pd.Series, since: pd.Series) -> pd.Series:
    return _s(until - since)


def _s(gap: pd.Series) -> pd.Series:
    seconds: pd.Series = gap.dt.total_seconds()
    return seconds


_MEASURES = {"pagerduty": _pagerduty, "moogsoft": _moogsoft, "keep": _keep, "ours": _ours}
