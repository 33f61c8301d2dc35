"""What a person may set about the picture: plain attributes, each of which shows another picture when it is set."""

from __future__ import annotations

from abc import abstractmethod
from typing import TYPE_CHECKING, Any

from stanza_lab import _params
from stanza_lab.production.focus import DIRECTIONS

if TYPE_CHECKING:
    import pandas as pd

    from stanza_lab.explorer.state import State
    from stanza_lab.production import Direction
    from stanza_lab.production.place.profile import Profile

_COLORS, _THEMES = ("team", "environment"), ("auto", "light", "dark")


class Settings:
    """The attributes; `Explorer` documents them and knows how to draw."""

    _state: State

    @abstractmethod
    def _go(self, **changes: Any) -> None:
        """Show another picture."""

    @property
    def team(self) -> str | Profile | None:  # noqa: D102
        return self._state.team

    @team.setter
    def team(self, name: str | Profile | None) -> None:
        self._go(team=name, service=None, expand=(), incident=None)

    @property
    def service(self) -> str | None:  # noqa: D102
        return self._state.service

    @service.setter
    def service(self, name: str | None) -> None:
        self._go(service=name, team=None, expand=(), incident=None)

    @property
    def hops(self) -> int:  # noqa: D102
        return self._state.hops

    @hops.setter
    def hops(self, value: int) -> None:
        self._go(hops=_params.at_least(value, "hops", 0))

    @property
    def direction(self) -> Direction:  # noqa: D102
        return self._state.direction

    @direction.setter
    def direction(self, value: Direction) -> None:
        self._go(direction=_params.choice(value, "direction", DIRECTIONS))

    @property
    def min_confidence(self) -> float | None:  # noqa: D102
        return self._state.min_confidence

    @min_confidence.setter
    def min_confidence(self, value: float | None) -> None:
        self._go(min_confidence=None if value is None else _params.fraction(value, "min_confidence"))

    @property
    def at(self) -> pd.Timestamp | None:  # noqa: D102
        return self._state.at

    @at.setter
    def at(self, value: str | pd.Timestamp | None) -> None:
        self._go(at=None if value is None else _params.instant(value, "at"))

    @property
    def color(self) -> str:  # noqa: D102
        return self._state.color

    @color.setter
    def color(self, value: str) -> None:
        self._go(color=_params.choice(value, "color", _COLORS))

    @property
    def theme(self) -> str:  # noqa: D102
        return self._state.theme

    @theme.setter
    def theme(self, value: str) -> None:
        self._go(theme=_params.choice(value, "theme", _THEMES))

    @property
    def expand(self) -> tuple[str, ...]:  # noqa: D102
        return self._state.expand

    @expand.setter
    def expand(self, names: tuple[str, ...] | list[str]) -> None:
        self._go(expand=tuple(names))

    @property
    def incident(self) -> int | None:  # noqa: D102
        return self._state.incident

    @incident.setter
    def incident(self, number: int | None) -> None:
        self._go(incident=number)
