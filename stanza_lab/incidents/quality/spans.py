"""Labels from post-mortems: incidents with a start and an end, perhaps with what they were about."""

from __future__ import annotations

from typing import Any

import networkx as nx
import numpy as np
import numpy.typing as npt
import pandas as pd

from stanza_lab import _params, schema
from stanza_lab.errors import SchemaError
from stanza_lab.incidents.quality.labels import labels_table, needed

Mask = npt.NDArray[np.bool_]
Numbers = npt.NDArray[np.int64]


def labels_from_spans(
    alerts: pd.DataFrame,
    *,
    incidents: pd.DataFrame,
    edges: pd.DataFrame | None = None,
    hops: int = 1,
    margin: _params.Duration = "0s",
    outside: str = "unknown",
) -> pd.DataFrame:
    """Label alerts by the written spans of incidents, as in ``truth/incidents.csv``.

    It takes for granted that start and end are right to within `margin`, and that what fires within them, about the
    services they name, belongs to the incident: noise that happens to fire then is labelled too. Incidents that nobody
    wrote up are not known, so alerts outside all spans are unknown unless you say otherwise.

    Parameters
    ----------
    alerts : DataFrame
        Needs `alert_id` and `starts_at`; `service` and `team` where the spans name some. Alerts without a time are
        unknown.
    incidents : DataFrame
        One row per incident: `incident_id`, `start`, `end` (times; without a zone UTC). A span holds its start and not
        its end, so that spans back to back do not overlap. Optional: `services` (a list, or text with commas or
        semicolons) and `team`: then only alerts about one of these services, or paging that team, belong; others
        within the span are unknown. `root_service` alone excludes nothing (an incident shows far from its root) unless
        `edges` are given.
    edges : DataFrame, optional
        Dependencies as `src`, `dst`: an alert then belongs when its service is within `hops` of one of `services` or of
        `root_service`, whichever way the calls go. Leave out edges you do not trust first.
    hops : int, default 1
        How far, at least 0. Larger: more alerts are labelled, more of them wrongly.
    margin : duration, default "0s"
        How long before its start and after its end an incident still counts. Larger: spans overlap more.
    outside : {"unknown", "none"}, default "unknown"
        What is said of alerts outside every span: nothing, or that they belong to no incident.

    Returns
    -------
    DataFrame
        One row per labelled alert, in the order of `alerts`: alert_id (str), incident_id (str; null = known to belong
        to none). An alert that belongs to several spans is given to the one that names its service; where that does not
        settle it, it is unknown.

    Raises
    ------
    SchemaError
        A column is missing, a span has no start or end or ends before it starts, or an incident is there twice.
    ParameterError
        A parameter is outside its range.

    Examples
    --------
    >>> import pandas as pd
    >>> from stanza_lab import labels_from_spans
    >>> alerts = pd.DataFrame({
    ...     "alert_id": ["x", "y", "z"],
    ...     "starts_at": ["2026-03-01T14:02Z", "2026-03-01T14:20Z", "2026-03-01T19:30Z"],
    ... })
    >>> written = pd.DataFrame({"incident_id": ["INC-1"], "start": ["2026-03-01T14:00"], "end": ["2026-03-01T15:00"]})
    >>> labels_from_spans(alerts, incidents=written)
      alert_id incident_id
    0        x       INC-1
    1        y       INC-1
    """
    _params.choice(outside, "outside", ("unknown", "none"))
    wide = _params.duration(margin, "margin", zero=True)
    reach = _params.at_least(hops, "hops", 0)
    table = needed(alerts, ["alert_id", "starts_at"])
    spans = _checked(incidents)
    graph = None if edges is None else _graph(edges)
    about = [_about(row, graph, reach) for row in spans.to_dict("records")]
    service, team = _told(alerts, "service", any(named for named, _, _ in about)), _told(alerts, "team", _teams(about))

    order = np.argsort(table["starts_at"].to_numpy(), kind="stable")  # NaT comes last
    timed = order[: int(table["starts_at"].notna().sum())]
    times = table["starts_at"].iloc[timed]
    first = times.searchsorted(spans["start"] - wide, side="left")
    last = times.searchsorted(spans["end"] + wide, side="left")

    # 0 = in no span, 1 = in one by its time, or near it, 2 = in one that names its service.
    rank, many = np.zeros(len(alerts), dtype=np.int64), np.zeros(len(alerts), dtype=np.int64)
    within, owner = np.zeros(len(alerts), dtype=bool), np.full(len(alerts), -1, dtype=np.int64)
    for number, (named, near, paged) in enumerate(about):
        rows = timed[first[number] : last[number]]
        within[rows] = True
        fits = _ranks(service[rows], team[rows], named, near, paged)
        better, same = fits > rank[rows], (fits == rank[rows]) & (fits > 0)
        many[rows] = np.where(better, 1, many[rows] + same)
        owner[rows[better]] = number
        rank[rows] = np.maximum(rank[rows], fits)
    settled = many == 1
    names = np.full(len(alerts), None, dtype=object)
    names[settled] = spans["incident_id"].to_numpy(dtype=object)[owner[settled]]
    known = settled | (~within & table["starts_at"].notna().to_numpy() if outside == "none" else False)
    return labels_table(table["alert_id"].to_numpy()[known], names[known])


def _checked(incidents: pd.DataFrame) -> pd.DataFrame:
    if not isinstance(incidents, pd.DataFrame):
        raise SchemaError(f"incidents must be a DataFrame, not {type(incidents).__name__}")
    if missing := [name for name in ("incident_id", "start", "end") if name not in incidents.columns]:
        raise SchemaError(f"incidents: columns {missing} are missing; columns are {list(incidents.columns)[:30]}")
    column = schema.Column("", "time", "")
    times = {}
    for side in ("start", "end"):
        try:
            given = incidents[side]
            plain = pd.api.types.is_datetime64_dtype(given)
            times[side] = schema.convert(given.dt.tz_localize("UTC") if plain else given, column)
        except (ValueError, TypeError) as error:
            raise SchemaError(f"incidents: column {side!r}: {error}") from error
    spans = incidents.assign(**times, incident_id=incidents["incident_id"].astype("str")).reset_index(drop=True)
    for problem, wrong in (
        ("has no name", spans["incident_id"].isna()),
        ("is there twice; give each span a name of its own", spans["incident_id"].duplicated()),
        ("has no start or no end; write one", spans["start"].isna() | spans["end"].isna()),
        ("ends before it starts", spans["end"] < spans["start"]),
    ):
        if wrong.any():
            raise SchemaError(f"incidents: {spans['incident_id'][wrong].iloc[0]!r} {problem}")
    return spans


def _graph(edges: pd.DataFrame) -> nx.Graph[str]:
    if missing := [name for name in ("src", "dst") if name not in edges.columns]:
        raise SchemaError(f"edges: columns {missing} are missing; columns are {list(edges.columns)[:30]}")
    return nx.Graph(zip(edges["src"].astype("str"), edges["dst"].astype("str"), strict=True))


def _about(
    span: dict[Any, Any], graph: nx.Graph[str] | None, hops: int
) -> tuple[frozenset[str], frozenset[str], str | None]:
    """Return the services a span names, those near them, and the team; without any of them it is about everything."""
    services, root = frozenset(_listed(span.get("services"))), frozenset(_listed(span.get("root_service")))
    team = next(iter(_listed(span.get("team"))), None)
    if graph is None:
        return services, frozenset(), team
    named = services | root
    near = {
        other
        for service in named & set(graph)
        for other in nx.single_source_shortest_path_length(graph, service, cutoff=hops)
    }
    return named, frozenset(near), team


def _listed(value: Any) -> list[str]:
    if isinstance(value, str):
        return [part for item in value.replace(";", ",").split(",") if (part := item.strip())]
    if isinstance(value, (list, tuple, set, frozenset, np.ndarray)):
        return [str(item) for item in value]
    return []


def _told(alerts: pd.DataFrame, column: str, used: bool) -> npt.NDArray[np.object_]:  # noqa: FBT001
    if column not in alerts.columns:
        if used:
            raise SchemaError(
                f"alerts: column {column!r} is missing, and incidents names some; add it or drop it there"
            )
        return np.full(len(alerts), None, dtype=object)
    return alerts[column].to_numpy(dtype=object)


def _teams(about: list[tuple[frozenset[str], frozenset[str], str | None]]) -> bool:
    return any(team is not None for _, _, team in about)


def _ranks(
    service: npt.NDArray[np.object_],
    team: npt.NDArray[np.object_],
    named: frozenset[str],
    near: frozenset[str],
    paged: str | None,
) -> Numbers:
    """Return how well alerts fit a span: 2 = it names their service, 1 = near it, of its team or it names nothing."""
    if not named and paged is None:
        return np.ones(len(service), dtype=np.int64)
    by_name: Mask = np.array([value in named for value in service], dtype=bool)
    nearby: Mask = np.array([value in near for value in service], dtype=bool) | (team == paged if paged else False)
    return np.where(by_name, 2, nearby.astype(np.int64))
