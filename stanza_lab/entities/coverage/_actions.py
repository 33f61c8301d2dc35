"""What to fix first: every way to complete alerts, with what it gains, in words."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, NamedTuple

import numpy as np
import numpy.typing as npt
import pandas as pd

from stanza_lab.history.report import count

Flags = npt.NDArray[np.bool_]

COLUMNS = ("rank", "lacks", "source", "alerts", "score_after", "words")
LACKS = ("time", "service", "team", "resource", "alerts", "monitor")
WEIGHTS = {"service": 0.6, "team": 0.2, "resource": 0.2}  # of an alert whose time is known
_LISTED = 3  # names in a sentence

# What a person can do about it, by system; a system that is not here gets the general advice.
_SERVICE = {
    "alertmanager": "add a label service to the rules",
    "aws": "list the names of the resources as services in the catalogue",
    "azure": "tag the resources with service, or list their names as services in the catalogue",
    "cloudwatch": "export describe-alarms beside the history (it holds the dimensions), name the alarms "
    "SERVICE-SYMPTOM, or list the resources they watch as services in the catalogue",
    "datadog": "tag the monitors service:NAME",
    "elastic": "fill service.name in the rules",
    "gcp": "add a user label service to the alert policies",
    "grafana": "add a label service to the rules",
    "newrelic": "add a tag service to the conditions, or list the entities as services in the catalogue",
    "pagerduty": "call the PagerDuty services what the catalogue calls them",
    "sentry": "list the projects as services in the catalogue, or set a tag service",
    "slack": "put service:NAME into the messages of the bots",
}
_RESOURCE = {
    "alertmanager": "keep the labels instance or pod in the rules",
    "cloudwatch": "export describe-alarms beside the history, if it is not there: it holds the dimensions",
    "datadog": "group the monitors by host, pod or resource",
    "pagerduty": "send the host or ARN as component or in custom_details",
    "sentry": "send server_name, or tag the events with pod or host",
}
_ADVICE = {
    "time": ({}, "export them with times; where a column holds one, say so: columns={'theirs': 'starts_at'}"),
    "service": (_SERVICE, "state it in a field or tag called service, or list the name they use in the catalogue"),
    "resource": (_RESOURCE, "name the host, pod or ARN in a field or tag"),
}


class Known(NamedTuple):
    """Of each alert: is it known when, what, whose and where; its source and rule."""

    flags: Mapping[str, Flags]
    source: pd.Series
    alertname: pd.Series
    service: pd.Series


def score(flags: Mapping[str, Flags]) -> float:
    """Return the mean over alerts: nothing without a time, else 0.6 for service, 0.2 for team, 0.2 for resource."""
    if not len(flags["time"]):
        return float("nan")
    worth = sum(weight * flags[name] for name, weight in WEIGHTS.items())
    return float((flags["time"] * worth).mean())


def rank_actions(known: Known, services: pd.DataFrame, gaps: pd.DataFrame) -> pd.DataFrame:
    """Return what to do, ranked by whole alerts gained: those it completes by what is added, those it brings in full.

    `score_after` is the score once this action and all before it are done; missing exports and monitors don't change
    it, since it is about the alerts that are there.
    """
    found = [*_by_source(known), *_teams(known)]
    worth = [float(rows.sum()) * (1.0 if lacks == "time" else WEIGHTS[lacks]) for lacks, _, rows, _ in found]
    plans: list[tuple[float, dict[str, Any], Flags | None]] = [
        (gain, {"lacks": lacks, "source": source, "alerts": int(rows.sum()), "words": words}, rows)
        for gain, (lacks, source, rows, words) in zip(worth, found, strict=True)
    ]
    plans += [(float(each["alerts"]), each, None) for each in [*_gaps(gaps), *_silent(services)]]
    plans.sort(key=lambda plan: (-plan[0], LACKS.index(plan[1]["lacks"]), plan[1]["source"] or ""))
    state = {name: flags.copy() for name, flags in known.flags.items()}
    rows = []
    for rank, (_, action, completes) in enumerate(plans, start=1):
        if completes is not None:
            state[action["lacks"]] |= completes
        rows.append(action | {"rank": rank, "score_after": score(state)})
    table = pd.DataFrame(rows, columns=list(COLUMNS))
    kinds = {"rank": "int64", "alerts": "int64", "score_after": "float64", "source": "str", "words": "str"}
    return table.astype(kinds).assign(lacks=pd.Categorical(table["lacks"], LACKS))


def _by_source(known: Known) -> list[tuple[str, str, Flags, str]]:
    """Return an action for what each source leaves out, if the source is known."""
    found = []
    codes, sources = pd.factorize(known.source.astype("str").fillna("unknown"))
    for code, source in enumerate(sources):
        own = codes == code
        for lacks, (advice, general) in _ADVICE.items():
            rows = own & ~known.flags[lacks]
            if not rows.any():
                continue
            names = _commonest(known.alertname[rows])
            rules = f" of {len(names):,} rules" if len(names) > 1 else ""
            first = f" ({'mostly ' if len(names) > 1 else ''}{names[0]})" if len(names) else ""
            lacking, every = int(rows.sum()), int(own.sum())
            some = f"{lacking:,} of {every:,} alerts" if lacking < every else f"all {every:,} alerts"
            some = some if every > 1 else "its one alert"
            verb = ("has" if lacking == 1 else "have") if lacks == "time" else ("names" if lacking == 1 else "name")
            said = f"{source}: {some}{rules} {verb} no {lacks}{first}; {advice.get(str(source), general)}"
            found.append((lacks, str(source), rows, said))
    return found


def _teams(known: Known) -> list[tuple[str, None, Flags, str]]:
    rows = known.flags["service"] & ~known.flags["team"]
    if not rows.any():
        return []
    services = _commonest(known.service[rows])
    name = "names" if rows.sum() == 1 else "name"
    said = (
        f"{count(int(rows.sum()), 'alert')} of {count(len(services), 'service')} {name} no team ({listing(services)}); "
        f"list these services with their team in a catalogue and pass it (--ownership)"
    )
    return [("team", None, rows, said)]


def _gaps(gaps: pd.DataFrame) -> list[dict[str, Any]]:
    """Return an action per source with gaps; a source that begins late may be new, so nothing is promised for that."""
    found = []
    for source, own in gaps.groupby("source", observed=True):
        late = own["place"] == "start"
        missed = round(float((own["days"] * own["usual"])[~late].sum()))
        said = "; ".join(own["words"].head(_LISTED))
        more = f"; and {count(len(own) - _LISTED, 'more gap')}" if len(own) > _LISTED else ""
        about = f", about {count(missed, 'alert')}" if missed else ""
        words = f"{said}{more}: export that time again{about}, unless you know why it was quiet"
        found.append({"lacks": "alerts", "source": str(source), "alerts": missed, "words": words})
    return found


def _silent(services: pd.DataFrame) -> list[dict[str, Any]]:
    silent = services[services["alerts"] == 0].sort_values("spans", ascending=False, kind="stable")
    if silent.empty:
        return []
    are = "is" if len(silent) == 1 else "are"
    said = (
        f"{count(len(silent), 'service')} known from the catalogue or traces {are} never alerted on "
        f"({listing(silent['service'])}); check that each has a monitor and that its alerts are exported"
    )
    return [{"lacks": "monitor", "source": None, "alerts": 0, "words": said}]


def _commonest(names: pd.Series) -> list[str]:
    """Return the names there are, the most frequent first; of equals the first by name."""
    counts = names.astype("str").dropna().value_counts()
    return sorted(counts.index, key=lambda name: (-counts[name], name))


def listing(names: Any, *, top: int = _LISTED) -> str:
    """Return the first names and how many more there are."""
    every = [str(name) for name in names]
    more = f" and {len(every) - top:,} more" if len(every) > top else ""
    return ", ".join(every[:top]) + more
