"""What each service did while an incident went on, step by step: the states behind a replay."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import networkx as nx
import numpy as np
import pandas as pd

from stanza_lab import _params, schema
from stanza_lab.errors import ParameterError, SchemaError, UnknownNameError
from stanza_lab.production import tables

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from stanza_lab.production.map import ProductionMap

STATES = ("firing", "acknowledged", "end not known", "recovered")  # the worst first
UNENDED = pd.Timedelta("30min")  # how long an alert without an end counts as open: nothing says when it ended
SAME = pd.Timedelta("1min")  # monitors look once a minute: what fired first within it is chance
_SOON = 300.0  # seconds
_ACROSS = 2  # links from what fired earlier
_NEVER = pd.Timestamp("2200-01-01", tz="UTC")
_FEW, _MOST = 60, 1_000  # steps
_ROUND = (1, 2, 5, 10, 15, 30, 60, 120, 300, 600, 900, 1800, 3600, 7200, 10_800, 21_600, 43_200, 86_400)  # seconds
_NEEDED = ("ends_at", "acked_at", "severity", "summary", "alertname")


@dataclass(frozen=True)
class Course:
    """The alerts to replay, in the order in which they fired, and when to look.

    `alerts` have `until` (when they count as over: their end, or `UNENDED` after they fired) and `title`. `times` are
    the starts of the steps, each `step` long. `links` are those of the map that are worth a look.
    """

    incident: int | None
    alerts: pd.DataFrame
    links: pd.DataFrame
    times: pd.DatetimeIndex
    step: pd.Timedelta
    nameless: int

    @property
    def first(self) -> pd.Series:
        """When each service alerted first, in that order."""
        return self.alerts.groupby("service", sort=False)["starts_at"].min()


def choose(
    production: ProductionMap,
    incident: int | None,
    *,
    since: _params.Instant | None = None,
    until: _params.Instant | None = None,
    step: _params.Duration | None = None,
) -> Course:
    """Choose the alerts and the steps; see `ProductionMap.replay`."""
    if (incident is None) == (since is None):
        raise ParameterError("pass an incident, as replay(7), or a period, as replay(since='2026-03-01T14:00Z')")
    if incident is not None and until is not None:
        raise ParameterError(f"until={until!r} goes with since=, not with an incident")
    if isinstance(incident, bool) or not isinstance(incident, int | np.integer | None):
        raise ParameterError(f"incident={incident!r} is no number; pass an incident_id of the alerts, as replay(7)")
    length = None if step is None else _params.duration(step, "step")
    table = production.whole.alerts
    if table is None:
        raise SchemaError("this map has no alerts to replay; make it with sl.ProductionMap(edges, alerts)")
    mine = _of_incident(table, incident) if incident is not None else _of_period(table, since, until)
    here = mine[mine["service"].isin(set(production._services["service"]))]
    if here.empty:
        what = f"incident {incident}" if incident is not None else "this period"
        named = sorted(mine["service"].dropna().astype("str").unique())
        raise UnknownNameError(f"no alert of {what} is of a service of this view; its services: {named[:8]}")
    alerts = _filled(here)
    first, end = _extent(alerts) if incident is not None else _period(alerts, since, until)
    times, length = _steps(first, end, length)
    links = production.whole._links
    worth = links[links["strength"] >= production.usual_confidence]
    return Course(incident, alerts, worth, times, length, int(mine["service"].isna().sum()))


def states(course: Course) -> pd.DataFrame:
    """Return the states of all services at all steps; see `ProductionMap.replay`."""
    alerts, names = course.alerts, sorted(course.alerts["service"].unique())
    row = pd.Index(names).get_indexer(pd.Index(alerts["service"]))
    starts, until = _micros(alerts["starts_at"]), _micros(alerts["until"])
    unended, acked = alerts["ends_at"].isna().to_numpy(), _micros(alerts["acked_at"].fillna(_NEVER))
    grade = alerts["severity"].cat.codes.to_numpy("int64")
    title, first = alerts["title"].to_numpy(object), _micros(course.first.reindex(names))
    named, movers, parts = np.array(names, dtype=object), np.isin(names, first_movers(course)), []
    for frame, at in enumerate(course.times):
        begin, stop = (moment.value // 1000 for moment in (at, at + course.step))
        fired = starts < stop
        if not fired.any():
            continue
        open_now = fired & (until > begin)
        seen, latest = np.unique(row[fired][::-1], return_index=True)
        count, unacked, lost = (
            np.bincount(row[rows], minlength=len(names))[seen]
            for rows in (open_now, open_now & ~(acked < stop), fired & ~open_now & unended)
        )
        worst = np.full(len(names), -1)
        np.maximum.at(worst, row[open_now], grade[open_now])
        state = np.select([unacked > 0, count > 0, lost > 0], STATES[:3], STATES[3])
        parts.append(
            pd.DataFrame(
                {
                    "frame": frame,
                    "at": at,
                    "service": named[seen],
                    "state": state,
                    "alerts": count,
                    "severity": worst[seen],
                    "since_s": (stop - first[seen]) / 1e6,
                    "first": movers[seen],
                    "title": title[fired][::-1][latest],
                }
            )
        )
    found = pd.concat(parts, ignore_index=True)
    grades = pd.CategoricalDtype(list(schema.SEVERITIES), ordered=True)
    found["severity"] = pd.Categorical.from_codes(found["severity"].to_numpy("int64"), dtype=grades)
    found["state"] = pd.Categorical(found["state"], list(STATES))
    return found.astype({"at": schema.TIME_DTYPE, "service": "str", "title": "str"})


def first_movers(course: Course) -> list[str]:
    """Return the services that nothing they depend on, or are linked with some way, preceded: the first of their path.

    One service between may have kept silent.
    """
    first, links = course.first, course.links
    two_way = links[links["direction"] != "forward"]
    ways: nx.DiGraph[str] = nx.DiGraph(zip(links["src"], links["dst"], strict=True))
    ways.add_edges_from(zip(two_way["dst"], two_way["src"], strict=True))
    ways.add_nodes_from(first.index)

    def preceded(name: str) -> bool:
        reached = nx.single_source_shortest_path_length(ways, name, cutoff=_ACROSS)
        return any(other in first.index and first[other] + SAME < first[name] for other in reached)

    return [str(name) for name in first.index if not preceded(name)]


def lit(course: Course, frames: pd.DataFrame) -> list[list[tuple[str, str]]]:
    """Return, for each step, the links that are lit: both ends are not over, and one alerted soon after the other.

    Soon is within twice the usual delay of the link, at least five minutes: delays vary.
    """
    first, links = course.first, course.links
    links = links[links["src"].isin(first.index) & links["dst"].isin(first.index)]
    src, dst = (_micros(first.reindex(links[end])) for end in ("src", "dst"))
    usual = (2 * links["lag_s"].abs()).fillna(0.0).clip(lower=_SOON)
    links = links[np.abs(src - dst) <= usual * 1e6]
    pairs = list(zip(links["src"], links["dst"], strict=True))
    active = frames[frames["state"].isin(STATES[:2])].groupby("frame")["service"].agg(set)
    return [[pair for pair in pairs if set(pair) <= active.get(frame, set())] for frame in range(len(course.times))]


def _of_incident(table: pd.DataFrame, incident: int) -> pd.DataFrame:
    if "incident_id" not in table.columns:
        raise SchemaError("these alerts carry no incident_id; pass the map alerts from sl.cluster_incidents(alerts)")
    mine = table[(table["incident_id"] == incident) & table["starts_at"].notna()]
    if mine.empty or incident == schema.NOISE:
        numbers = sorted(int(number) for number in table["incident_id"].unique() if number != schema.NOISE)
        near = (
            sorted(numbers, key=lambda number: (abs(number - incident), number))[:3] if incident >= 0 else numbers[:3]
        )
        known = f"{len(numbers)} known, {numbers[0]} to {numbers[-1]}; near: {near}" if numbers else "none is known"
        raise UnknownNameError(f"incident {incident!r} not found; {known}")
    return mine


def _of_period(table: pd.DataFrame, since: _params.Instant | None, until: _params.Instant | None) -> pd.DataFrame:
    begin = _params.instant(since, "since")  # type: ignore[arg-type]  # the caller checked it
    end = table["starts_at"].max() if until is None else _params.instant(until, "until")
    mine = table[table["starts_at"].between(begin, end)]
    if mine.empty:
        last = table["starts_at"].agg(["min", "max"])
        raise ParameterError(f"nothing fired from {begin} to {end}; the alerts go from {last['min']} to {last['max']}")
    return mine


def _filled(alerts: pd.DataFrame) -> pd.DataFrame:
    """Return the alerts in order, with `until` and `title`, and columns that were missing."""
    alerts = tables.filled(alerts, _NEEDED).astype({"service": "str", "summary": "str", "alertname": "str"})
    title = alerts["summary"].where(alerts["summary"].fillna("").str.strip() != "", alerts["alertname"])
    until = alerts["ends_at"].fillna(alerts["starts_at"] + UNENDED)
    alerts = alerts.assign(until=until, title=title.fillna("an alert without a title"))
    return alerts.sort_values(["starts_at", "service"], kind="stable", ignore_index=True)


def _extent(alerts: pd.DataFrame) -> tuple[pd.Timestamp, pd.Timestamp]:
    """Return when an incident starts and ends, the end cut where one late recovery would squeeze the rest."""
    first, last = alerts["starts_at"].iloc[0], alerts["starts_at"].iloc[-1]
    return first, min(max(alerts["until"].max(), last), last + max(last - first, UNENDED))


def _period(
    alerts: pd.DataFrame, since: _params.Instant | None, until: _params.Instant | None
) -> tuple[pd.Timestamp, pd.Timestamp]:
    begin = _params.instant(since, "since")  # type: ignore[arg-type]  # the caller checked it
    return begin, alerts["starts_at"].iloc[-1] if until is None else _params.instant(until, "until")


def _steps(first: pd.Timestamp, end: pd.Timestamp, step: pd.Timedelta | None) -> tuple[pd.DatetimeIndex, pd.Timedelta]:
    """Return the starts of the steps, at round times, and their length."""
    span = (end - first).total_seconds()
    if step is None:
        # One step more than fits: the first starts before the first alert.
        fits = (seconds for seconds in _ROUND if span / seconds <= _FEW - 2)
        step = pd.Timedelta(next(fits, int(span // (_FEW - 2) // 86_400 + 1) * 86_400), unit="s")
    start = pd.Timestamp(first.value // step.value * step.value, unit="ns", tz="UTC")
    count = int((end - start) // step) + 1
    if count > _MOST:
        raise ParameterError(f"step={step} makes {count:,} steps, more than {_MOST:,}; pass a longer one")
    return pd.date_range(start, periods=count, freq=step, unit="us"), step


def _micros(times: pd.Series) -> NDArray[np.int64]:
    return np.asarray(times.astype(schema.TIME_DTYPE).astype("int64"), dtype=np.int64)
