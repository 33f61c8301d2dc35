"""The parts of a replay: how a service looks in each state, what just happened in words, the strip of time below."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd
import plotly.graph_objects as go

from stanza_lab.plot import _theme
from stanza_lab.production import words

if TYPE_CHECKING:
    from stanza_lab.production.past.replay import Course

MOST_LANES = 16
SIZE, RING = 20.0, 31.0  # px across: a service that fires, the ring around it
_SMALL = 12.0
_SAID = 3  # alerts named per step
_UNGRADED = (_theme.UNKNOWN, "circle")
ASIDE = 0.17  # of the width: names of lanes
_PACE = 600  # milliseconds per step when it plays
QUIET = "no alert yet"


def looks() -> dict[str, dict[str, Any]]:
    """Return the marker of each look: a state, and where it fires the severity. Shape says it as well as colour."""
    found: dict[str, dict[str, Any]] = {
        QUIET: {"color": _theme.PAPER, "symbol": "circle", "size": _SMALL, "line": (_theme.UNKNOWN, 1.5)},
        "recovered": {"color": "#009E73", "symbol": "circle", "size": _SMALL, "line": (_theme.PAPER, 1.0)},
        "end not known": {"color": _theme.PAPER, "symbol": "circle-x", "size": 15.0, "line": (_theme.FAINT, 1.5)},
    }
    for name, (colour, symbol) in ({"severity not known": _UNGRADED} | _theme.SEVERITY).items():
        found[f"firing, {name}"] = {"color": colour, "symbol": symbol, "size": SIZE, "line": (_theme.PAPER, 1.0)}
        found[f"acknowledged, {name}"] = {"color": _theme.PAPER, "symbol": symbol, "size": SIZE, "line": (colour, 3.5)}
    return found


def look_of(frames: pd.DataFrame) -> pd.Series:
    """Return the look of each row of a replay."""
    graded = frames["severity"].astype("str").fillna("severity not known")
    state = frames["state"].astype("str")
    return state.where(~state.isin(["firing", "acknowledged"]), state + ", " + graded)


def marker(names: list[str], *, dark: bool = False) -> dict[str, Any]:
    """Return the marker of services with these looks."""
    known = looks()
    colours = _theme.DARK if dark else {}
    chosen = [known[name] for name in names]
    return {
        "color": [colours.get(look["color"], look["color"]) for look in chosen],
        "symbol": [look["symbol"] for look in chosen],
        "size": np.array([look["size"] for look in chosen], dtype="float32"),
        "line": {
            "color": [colours.get(look["line"][0], look["line"][0]) for look in chosen],
            "width": np.array([look["line"][1] for look in chosen], dtype="float32"),
        },
        "opacity": 1,
    }


def clock(at: pd.Timestamp, course: Course) -> str:
    """Return a time as short as it is clear in this replay."""
    days = course.times[0].normalize() != (course.times[-1] + course.step).normalize()
    seconds = course.step < pd.Timedelta("1min")
    return f"{at:{'%m-%d ' if days else ''}%H:%M{':%S' if seconds else ''}}"


def captions(course: Course, frames: pd.DataFrame) -> list[str]:
    """Return, for each step, the time, how many services are in which state, and what just happened; markup."""
    counts = {frame: mine["state"].value_counts(sort=False) for frame, mine in frames.groupby("frame")}
    slot = np.searchsorted(course.times, course.alerts["starts_at"], side="right") - 1
    fired = course.alerts.assign(frame=slot).sort_values(
        ["frame", "severity", "starts_at"], ascending=[True, False, True], kind="stable", na_position="last"
    )
    by_frame = dict(iter(fired.groupby("frame")))
    said = []
    for frame, at in enumerate(course.times):
        states = counts.get(frame, pd.Series(dtype="int64"))
        now = ", ".join(f"{number} {state}" for state, number in states.items() if number) or "nothing has fired yet"
        lines = [f"<b>{clock(at, course)} UTC</b>  {now}"]
        new = by_frame.get(frame)
        if new is not None:
            lines += [event(alert) for alert in new.head(_SAID).to_dict("records")]
            if len(new) > _SAID:
                lines[-1] += f"  and {words.count(len(new) - _SAID, 'more alert')}"
        said.append("<br>".join(lines))
    return said


def event(alert: dict[Any, Any]) -> str:
    """Return one alert as "14:03 orders-db: replication lag (critical)"; markup."""
    grade = f" ({alert['severity']})" if pd.notna(alert["severity"]) else ""
    name, title = (_theme.safe(alert[part], limit=limit) for part, limit in (("service", 40), ("title", 90)))
    return f"{alert['starts_at']:%H:%M:%S} <b>{name}</b>: {title}{grade}"


def strip(course: Course) -> tuple[list[go.Scatter], list[str], int]:
    """Return lanes of the services in the order in which they fired, their names, and how many share the last one."""
    order = list(course.first.sort_values(kind="stable").index)
    shared = max(0, len(order) - MOST_LANES)
    lane = {name: min(i, MOST_LANES - 1 if shared else i) for i, name in enumerate(order)}
    shared += bool(shared)
    names = [_theme.safe(name, limit=22) for name in order[: MOST_LANES - bool(shared)]]
    names += [f"<i>{shared} more services</i>"] if shared else []
    alerts = course.alerts.assign(lane=course.alerts["service"].map(lane))
    end = course.times[-1] + course.step
    axes: dict[str, Any] = {"xaxis": "x2", "yaxis": "y2", "showlegend": False}
    traces = []
    grade = alerts["severity"].astype("str").fillna("severity not known")
    for name, (colour, symbol) in ({"severity not known": _UNGRADED} | _theme.SEVERITY).items():
        mine = alerts[grade == name]
        if mine.empty:
            continue
        until = mine["until"].where(mine["until"] < end, end)
        lost = mine["ends_at"].isna()
        for part, width, dash in ((mine[~lost], 6, "solid"), (mine[lost], 2, "dot")):
            bars = pd.DataFrame({"a": part["starts_at"], "b": until[part.index], "c": pd.NaT}).to_numpy().ravel()
            rows = np.column_stack([part["lane"], part["lane"], np.full(len(part), np.nan)]).ravel()
            line = {"width": width, "color": colour, "dash": dash}
            look = {"mode": "lines", "line": line, "opacity": 0.35 if dash == "solid" else 0.9, "hoverinfo": "skip"}
            if len(part):
                traces.append(go.Scatter(x=bars, y=rows, name=name, **look, **axes))
        points = {"size": 7, "color": colour, "symbol": symbol, "line": {"width": 0.5, "color": _theme.PAPER}}
        hovers = [
            _theme.hover(alert["service"], [("fired", _theme.utc(alert["starts_at"])), ("what", alert["title"]),
                                            ("severity", alert["severity"])])
            for alert in mine.to_dict("records")
        ]  # fmt: skip
        traces.append(
            go.Scatter(
                x=mine["starts_at"], y=mine["lane"], mode="markers", marker=points, hovertext=hovers, hoverinfo="text",
                name=name, **axes,
            )
        )  # fmt: skip
    return traces, names, shared


def legend(used: set[str]) -> list[go.Scatter]:
    """Return an entry for each look that occurs, the worst first."""
    known = looks()
    grades = [*reversed(_theme.SEVERITY), "severity not known"]
    open_ones = [f"{state}, {grade}" for state in ("firing", "acknowledged") for grade in grades]
    order = [*open_ones, "end not known", "recovered", QUIET]
    return [
        go.Scatter(
            x=[None],
            y=[None],
            mode="markers",
            name=name,
            marker={k: v for k, v in known[name].items() if k != "line"}
            | {"line": {"color": known[name]["line"][0], "width": known[name]["line"][1]}},
            hoverinfo="skip",
        )
        for name in order
        if name in used
    ]


def listed(trace: go.Scatter) -> go.Scatter:
    """Return a kind of line with its entry below the looks: over the lanes it would cover them on a narrow page."""
    name = trace.name.replace("probability ", "")
    return trace if trace.legend is None else trace.update(legend="legend", legendrank=2_000, name=name)


def controls(course: Course) -> dict[str, Any]:
    """Return the slider and the buttons."""

    def options(pace: int) -> dict[str, Any]:
        return {
            "mode": "immediate",
            "fromcurrent": True,
            "frame": {"duration": pace, "redraw": True},
            "transition": {"duration": 0},
        }

    steps = [
        {"label": clock(at, course), "method": "animate", "args": [[str(number)], options(0)]}
        for number, at in enumerate(course.times)
    ]
    line = {"bgcolor": _theme.GRID, "bordercolor": _theme.UNKNOWN, "font": {"size": 11, "color": _theme.INK}}
    slider = {
        "steps": steps,
        "active": 0,
        "x": ASIDE,
        "len": 1 - ASIDE,
        "y": 0,
        "yanchor": "top",
        "pad": {"t": 48, "b": 0, "l": 0, "r": 0},
        "currentvalue": {"visible": False},
    }
    buttons = {
        "type": "buttons",
        "direction": "down",  # side by side they would cover the slider of a narrow page
        "x": 0,
        "xanchor": "left",
        "y": 0,
        "yanchor": "top",
        "pad": {"t": 36, "l": 0, "r": 0, "b": 0},
        "showactive": False,
        "buttons": [
            {"label": "▶ Play", "method": "animate", "args": [None, options(_PACE)]},
            {"label": "❚❚ Pause", "method": "animate", "args": [[None], options(0)]},
        ],
    }
    return {"sliders": [slider | line], "updatemenus": [buttons | line]}


def description(course: Course, head: str, movers: list[str]) -> str:
    """Return the incident in words: who fired when for the first time, in order; plain text."""
    firsts = course.alerts.drop_duplicates("service")
    told = [
        f"{alert['starts_at']:%H:%M:%S} {alert['service']}: {_theme.short(alert['title'], limit=80)}"
        + (f" ({alert['severity']})" if pd.notna(alert["severity"]) else "")
        for alert in firsts.to_dict("records")
    ]
    start = f"{head}, {_theme.period(course.alerts['starts_at'])}. First of their path: {words.listing(movers)}."
    return _fitted(start, told)


def _fitted(start: str, told: list[str]) -> str:
    """Return `start` and as many of the sentences as a screen reader has patience for."""
    said = start
    for number, sentence in enumerate(told):
        if len(said) + len(sentence) > 960:
            return f"{said} And {words.count(len(told) - number, 'more service')}."
        said += f" {sentence}."
    return said
