"""An incident played over the map, step by step."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pandas as pd
import plotly.graph_objects as go

from stanza_lab.errors import SchemaError
from stanza_lab.plot import _replay_parts, _stage, _theme
from stanza_lab.plot.restyle import Theme, restyle
from stanza_lab.production import ProductionMap, words
from stanza_lab.production.past import replay as replaying

if TYPE_CHECKING:
    from stanza_lab import _params
    from stanza_lab.plot._stage import Stage
    from stanza_lab.production.past.replay import Course

MOST = 60  # services drawn
_BETWEEN = 15  # of these, silent ones that stand between others
_CAPTION, _LANE, _GAP, _BELOW = 78, 17, 14, 128  # px: the words, a lane, above the lanes, below (times, slider)


def replay(
    production: ProductionMap,
    *,
    incident: int | None = None,
    since: _params.Instant | None = None,
    until: _params.Instant | None = None,
    step: _params.Duration | None = None,
    theme: Theme = "light",
    title: str | None = None,
    height: int | None = None,
) -> go.Figure:
    """Play an incident, or a period, over the map: who fired when, and along which dependencies.

    The services that alerted, and silent ones between them, stand where they stand on a map of just these. Colour and
    shape say what each does at the time of the slider; a ring marks those that nothing they depend on preceded. A link
    lights up while both its ends alert and one did soon after the other. Below, a lane per service shows all of it,
    and a line where we are.

    Parameters
    ----------
    production : ProductionMap
        The map, or a view of it; with alerts.
    incident : int, optional
        An `incident_id` of the alerts. Default: the period from `since` to `until`.
    since, until : str or Timestamp, optional
        A period instead, as in `ProductionMap.replay`.
    step : duration, optional
        Length of a step. Default: the shortest round one that makes at most 60; longer: fewer steps, a smaller figure.
    theme : {"light", "dark"}, default "light"
        What the page around the figure is.
    title : str, optional
        Default: the incident with its alerts and services.
    height : int, optional
        Pixels. Default: as much as names and lanes need.

    Returns
    -------
    plotly.graph_objects.Figure
        With a frame per step, a slider and buttons; it does not start by itself. Times are UTC.
        `layout.meta["description"]` is the incident in words.

    Raises
    ------
    UnknownNameError
        There is no such incident.
    ParameterError
        The period or step is none.
    SchemaError
        `production` is no map, or has no alerts.

    See Also
    --------
    ProductionMap.replay : The same as a table.
    incident_swimlane : One incident as lanes, with what fired around it.

    Notes
    -----
    Order within a minute means little: monitors look about once a minute.

    Examples
    --------
    >>> import pandas as pd
    >>> import stanza_lab as sl
    >>> alerts = pd.DataFrame({
    ...     "starts_at": ["2026-03-01T14:02Z", "2026-03-01T14:04Z"],
    ...     "service": ["orders-db", "orders"],
    ...     "incident_id": [7, 7],
    ... })
    >>> edges = pd.DataFrame({"src": ["orders"], "dst": ["orders-db"], "confidence": [0.9]})
    >>> figure = sl.plot.replay(sl.ProductionMap(edges, alerts), incident=7)
    >>> figure.layout.title.text
    'Replay of incident 7: 2 alerts of 2 services'
    """
    if not isinstance(production, ProductionMap):
        raise SchemaError(
            f"production must be a ProductionMap, not {type(production).__name__}; pass sl.ProductionMap(edges, alerts)"
        )
    course = replaying.choose(production, incident, since=since, until=until, step=step)
    frames = replaying.states(course)
    shown, notes = _shown(course)
    movers = replaying.first_movers(course)
    lanes, lane_names, shared = _replay_parts.strip(course)
    below = _LANE * len(lane_names) + _GAP
    head = f"Replay of {'incident ' + str(incident) if incident is not None else 'a period'}"
    heading = _theme.safe(title, limit=120) if title else f"{head}: {_size(course)}"
    notes += _notes(course, shared)
    around = _theme.around("<br>", len(notes) + 1, axis=_BELOW) + below + _CAPTION
    stage = _stage.build(
        production, shown, size=_replay_parts.RING, first=movers, height=height and max(160.0, height - around)
    )
    notes += map(_theme.escaped, stage.scene.notes)
    whole = stage.sheet.height + below + _CAPTION
    moving = _moving(course, frames, stage, movers)
    looks = {look for frame in moving for look in frame["looks"]}
    still = [
        *map(_replay_parts.listed, stage.backdrop()),
        stage.names(size=_replay_parts.RING),
        *_replay_parts.legend(looks),
        *lanes,
    ]
    figure = _theme.figure(
        [*still, *(go.Scatter(trace) for trace in _traces(moving[0], stage))],
        title=heading,
        subtitle=f"{_theme.period(course.alerts['starts_at'])}. {_first(movers)}<br>"
        "Bright links: both ends alert, one soon after the other. Order within a minute means little.",
        plot_height=whole,
        height=height,
        notes=notes,
        axis=_BELOW,
        description=_replay_parts.description(course, f"{head}: {_size(course)}", movers),
        **_axes(course, stage, lane_names, below / whole, (below + stage.sheet.height) / whole),
        legend={"x": 1.01, "y": 1, "itemsizing": "trace", "itemclick": False, "itemdoubleclick": False},
        **_replay_parts.controls(course),
    )
    places = list(range(len(still), len(figure.data)))
    # Frames come last and in their colours: checking them is what takes time, so it is done once.
    figure = restyle(figure, theme=theme)
    figure.frames = [
        {"data": _traces(state, stage, changed=True, theme=theme), "traces": places, "name": str(number)}
        for number, state in enumerate(moving)
    ]
    return figure


def _size(course: Course) -> str:
    return f"{words.count(len(course.alerts), 'alert')} of {words.count(len(course.first), 'service')}"


def _shown(course: Course) -> tuple[list[str], list[str]]:
    """Return the services to draw: those that alerted, and silent ones on the map between at least two of them."""
    alerted = list(course.alerts["service"].value_counts(sort=False).sort_values(ascending=False, kind="stable").index)
    notes = []
    if len(alerted) > MOST:
        notes.append(f"the {MOST} services with most alerts drawn, of {len(alerted):,}; all are in the lanes")
        alerted = alerted[:MOST]
    links = course.links
    ends = pd.concat([links[["src", "dst"]], links[["dst", "src"]].set_axis(["src", "dst"], axis=1)])
    across = ends[ends["src"].isin(alerted) & ~ends["dst"].isin(course.first.index)]["dst"].value_counts()
    between = across[across >= 2].sort_index().sort_values(ascending=False, kind="stable")
    room = min(_BETWEEN, MOST - len(alerted))
    return [*alerted, *between.index[:room]], notes


def _notes(course: Course, shared: int) -> list[str]:
    """Say what the replay cannot show."""
    notes = []
    lost = int(course.alerts["ends_at"].isna().sum())
    if lost:
        minutes = int(replaying.UNENDED.total_seconds() // 60)
        notes.append(f"{words.count(lost, 'alert')} without a known end: taken as open for {minutes} min")
    late = int((course.alerts["until"] > course.times[-1] + course.step).sum())
    if late:
        notes.append(f"{words.count(late, 'alert')} ended later than the replay")
    if course.nameless:
        notes.append(f"not shown: {words.count(course.nameless, 'alert')} without a service")
    if shared:
        notes.append(f"the last lane holds the {shared} services that fired last")
    return notes


def _first(movers: list[str]) -> str:
    said = _theme.safe(words.listing(movers), limit=120)
    return f"Ring: first of its path, nothing it depends on alerted before: {said}."


def _moving(course: Course, frames: pd.DataFrame, stage: Stage, movers: list[str]) -> list[dict[str, Any]]:
    """Return, for each step, what changes: looks of the services, rings, lit links, words, where we are."""
    names = list(stage.nodes["name"])
    looks = frames.assign(look=_replay_parts.look_of(frames))
    by_frame = {frame: dict(zip(mine["service"], mine["look"], strict=True)) for frame, mine in looks.groupby("frame")}
    captions, lit = _replay_parts.captions(course, frames), replaying.lit(course, frames)
    first, last = set(movers), course.times[-1] + course.step
    return [
        {
            "looks": [now.get(name, _replay_parts.QUIET) for name in names],
            "rings": [i for i, name in enumerate(names) if name in first and name in now],
            "lit": stage.links_between(lit[frame]),
            "caption": captions[frame],
            "at": min(at + course.step, last),
        }
        for frame, at in enumerate(course.times)
        for now in [by_frame.get(frame, {})]
    ]


def _traces(
    state: dict[str, Any], stage: Stage, *, changed: bool = False, theme: Theme = "light"
) -> list[dict[str, Any]]:
    """Return the traces of one step; with `changed` only what differs between steps."""
    x, y = stage.path(state["lit"], every=2)
    at_x, at_y = stage.nodes["x"].to_numpy("float32"), stage.nodes["y"].to_numpy("float32")
    moving: list[dict[str, Any]] = [
        {"x": x, "y": y},
        {"x": at_x[state["rings"]], "y": at_y[state["rings"]]},
        {"marker": _replay_parts.marker(state["looks"], dark=theme == "dark")},
        {"text": [state["caption"]]},
        {"x": [state["at"]] * 2},
    ]
    if changed:
        return moving
    hover = {"hovertext": list(stage.nodes["hover"]), "hoverinfo": "text"}
    ring = {"symbol": "circle-open", "size": _replay_parts.RING, "color": _theme.INK, "line": {"width": 2.5}}
    bright = {"color": "#D55E00", "width": 4.5}
    where: dict[str, Any] = {"hoverinfo": "skip", "showlegend": False}
    still: list[dict[str, Any]] = [
        where | {"mode": "lines", "line": bright, "name": "lit"},
        where | {"mode": "markers", "marker": ring, "name": "first"},
        {
            "x": at_x,
            "y": at_y,
            "mode": "markers",
            "customdata": [["service", name] for name in stage.nodes["name"]],
            "name": "services",
            "showlegend": False,
        }
        | hover,
        where
        | {"x": [0], "y": [1], "mode": "text", "textposition": "bottom right", "cliponaxis": False, "name": "words"}
        | {"textfont": {"size": 13}, "xaxis": "x3", "yaxis": "y3"},
        where
        | {"y": [-0.6, 10_000], "mode": "lines", "line": {"color": _theme.INK, "width": 1.5}, "name": "now"}
        | {"xaxis": "x2", "yaxis": "y2"},
    ]
    return [one | other for one, other in zip(still, moving, strict=True)]


def _axes(course: Course, stage: Stage, lanes: list[str], strip: float, top: float) -> dict[str, Any]:
    """Return the axes of the map, of the lanes below it and of the words above it; shares of the height."""
    plain = {"fixedrange": True, "showline": False, "zeroline": False, "ticks": ""}
    hidden = plain | {"visible": False}
    times = {
        "type": "date",
        "range": [course.times[0], course.times[-1] + course.step],
        "domain": [_replay_parts.ASIDE, 1],
    }
    share = 1 - _GAP / (_LANE * len(lanes) + _GAP)
    rows = {"tickvals": list(range(len(lanes))), "ticktext": lanes, "tickfont": {"size": 11}, "showgrid": False}
    return {
        "xaxis": {"visible": False, "range": list(stage.sheet.x_range), "anchor": "y"},
        "yaxis": {"visible": False, "range": list(stage.sheet.y_range), "domain": [strip, top], "anchor": "x"},
        "xaxis2": plain | times | {"anchor": "y2", "showgrid": True, "gridcolor": _theme.GRID},
        "yaxis2": plain | rows | {"domain": [0, strip * share], "range": [len(lanes) - 0.4, -0.6], "anchor": "x2"},
        "xaxis3": hidden | {"range": [0, 1], "anchor": "y3"},
        "yaxis3": hidden | {"range": [0, 1], "domain": [top, 1], "anchor": "x3"},
    }
