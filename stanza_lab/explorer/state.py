"""What the explorer shows, as a value: the view and figure that follow from it, and the call that gives the same."""

from __future__ import annotations

from dataclasses import dataclass, fields
from functools import lru_cache
from typing import TYPE_CHECKING, Any, Literal

from stanza_lab import plot

if TYPE_CHECKING:
    import pandas as pd
    import plotly.graph_objects as go

    from stanza_lab.plot.restyle import Theme
    from stanza_lab.production import Direction, ProductionMap
    from stanza_lab.production.place.profile import Profile

HOPS = 2


@dataclass(frozen=True)
class State:
    """One picture: of whom, how far, how sure, when, and how it is drawn."""

    team: str | Profile | None = None
    service: str | None = None
    hops: int = HOPS
    direction: Direction = "both"
    min_confidence: float | None = None
    at: pd.Timestamp | None = None
    color: str = "team"
    theme: Theme | Literal["auto"] = "auto"
    expand: tuple[str, ...] = ()
    incident: int | None = None


class Source:
    """The map that is explored, and what it was on other days: asked for once per day."""

    def __init__(self, production: ProductionMap) -> None:
        self.production = production
        self._then = lru_cache(maxsize=16)(production.as_of)

    def view(self, state: State) -> ProductionMap:
        """Return the part of the map that `state` is about."""
        production = self.production if state.at is None else self._then(state.at)
        if state.service is not None:
            return production.near(
                state.service, hops=state.hops, direction=state.direction, min_confidence=state.min_confidence
            )
        return production if state.team is None else production.team(state.team)

    def figure(self, state: State, *, dark: bool) -> go.Figure:
        """Return the picture; `dark` is what JupyterLab looks like, used where the theme is "auto"."""
        theme = drawn_as(state, dark=dark)
        if state.incident is not None:
            return plot.replay(self.production, incident=state.incident, theme=theme)
        return plot.production_map(
            self.view(state),
            color=state.color,
            min_confidence=state.min_confidence,
            expand=state.expand,
            theme=theme,
        )


def drawn_as(state: State, *, dark: bool) -> Theme:
    """Return "light" or "dark"."""
    if state.theme == "auto":
        return "dark" if dark else "light"
    return state.theme


def call(state: State, *, dark: bool = False, profile: str = "profile") -> str:
    """Return the function call that gives the same figure; `profile` is how to write the profile, where there is one.

    Examples
    --------
    >>> call(State(team="payments", min_confidence=0.6))
    "sl.plot.production_map(production.team('payments'), min_confidence=0.6)"
    """
    theme = [f"theme={drawn_as(state, dark=dark)!r}"] if drawn_as(state, dark=dark) == "dark" else []
    if state.incident is not None:
        return f"sl.plot.replay({', '.join(['production', f'incident={state.incident}', *theme])})"
    view = "production" if state.at is None else f"production.as_of({_day(state.at)!r})"
    sure = _given(state, "min_confidence")
    if state.service is not None:
        view += f".near({', '.join([repr(state.service), *_given(state, 'hops', 'direction'), *sure])})"
    elif state.team is not None:
        view += f".team({repr(state.team) if isinstance(state.team, str) else profile})"
    expand = [f"expand={list(state.expand)!r}"] if state.expand else []
    return f"sl.plot.production_map({', '.join([view, *_given(state, 'color'), *sure, *expand, *theme])})"


def _given(state: State, *names: str) -> list[str]:
    """Return the arguments that differ from their defaults."""
    default: dict[str, Any] = {field.name: field.default for field in fields(State)}
    return [f"{name}={getattr(state, name)!r}" for name in names if getattr(state, name) != default[name]]


def _day(at: pd.Timestamp) -> str:
    """Return a day as a date, any other time in full."""
    return f"{at:%Y-%m-%d}" if at == at.normalize() else at.isoformat()
