"""The controls of the explorer: ipywidgets with their words, and how the explorer's state shows in them."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

import ipywidgets as widgets
import pandas as pd

from stanza_lab.production import words
from stanza_lab.production.focus import DIRECTIONS

if TYPE_CHECKING:
    from stanza_lab.explorer.state import State
    from stanza_lab.production import ProductionMap
    from stanza_lab.production.place.profile import Profile

WHOLE, AROUND, PROFILE = ("whole", ""), ("around", ""), ("profile", "")
NOW, NONE = "now", -1  # ipywidgets takes None for "nothing chosen"
_WAYS = {
    "both": "either way",
    "upstream": "upstream: who calls it",
    "downstream": "downstream: what it calls",
}
_NO_MODEL = "Other days need the model: pass ProductionMap(edges, alerts, model=model)."
_NO_ALERTS = "Other days need the alerts: pass ProductionMap(edges, alerts, model=model)."
_MOST_INCIDENTS = 300


class Controls:
    """All that a person may set; `box` is the widget that holds them."""

    def __init__(self, production: ProductionMap, profile: Profile | None) -> None:
        wide = _wide()
        self._teams = [(name, ("team", name)) for name in sorted(set(production.clusters))]
        self.show = widgets.Dropdown(description="Show", tooltip="Whose part of the map to show", layout=wide)
        self.know(profile)
        self.service = widgets.Combobox(
            options=sorted(production.services["service"]),
            placeholder="Type to search",
            description="Service",
            continuous_update=False,
            tooltip="A service to look around from",
            layout=wide,
        )
        self.hops = widgets.IntSlider(
            value=2,
            min=0,
            max=6,
            description="Hops",
            continuous_update=False,
            layout=wide,
            tooltip="How many links to walk from it",
        )
        self.direction = widgets.Dropdown(
            options=[(_WAYS[way], way) for way in DIRECTIONS],
            value="both",
            description="Walk",
            tooltip="Upstream walks to callers, downstream to what is called",
            layout=wide,
        )
        self.confidence = widgets.FloatSlider(
            min=0.0,
            max=1.0,
            step=0.01,
            description="At least",
            continuous_update=False,
            tooltip="Probability of a dependency from which a link is shown",
            layout=wide,
        )
        self.at, self.why_not = _days(production)
        self.color = widgets.Dropdown(
            options=["team", "environment"], description="Colour", tooltip="What colours say", layout=wide
        )
        self.theme = widgets.Dropdown(
            options=["auto", "light", "dark"], description="Theme", tooltip="Auto follows JupyterLab", layout=wide
        )
        self.open = widgets.Button(description="Open neighbours", tooltip="Draw the services of neighbouring clusters")
        self.back = widgets.Button(description="Back", icon="arrow-left", tooltip="The picture before", disabled=True)
        self.incident, self.play, self.frame = _replay(production)
        self.box = widgets.VBox(
            [
                widgets.HBox([self.show, self.service, self.hops], layout=_wrapped()),
                widgets.HBox([self.direction, self.confidence, self.at], layout=_wrapped()),
                widgets.HBox([self.color, self.theme, widgets.HBox([self.back, self.open])], layout=_wrapped()),
                widgets.HBox([self.incident, self.play, self.frame], layout=_wrapped()),
                *([widgets.Label(self.why_not)] if self.why_not else []),
            ]
        )

    def know(self, profile: Profile | None) -> None:
        """Offer this profile beside the teams."""
        mine = [] if profile is None else [(f"My place: {profile.name}", PROFILE)]
        self.show.options = [("The whole map", WHOLE), *mine, ("Around a service", AROUND), *self._teams]

    def tell(self, state: State, *, least: float, before: bool, squares: bool, frames: int) -> None:
        """Show `state`: `least` is the confidence in use, `before` whether there is a way back, `squares` to open."""
        around = state.service is not None
        self.show.value = AROUND if around else _key(state.team)
        self.service.value = state.service or ""
        self.hops.value, self.direction.value = state.hops, state.direction
        self.hops.disabled = self.direction.disabled = not around
        self.confidence.value = least
        self.at.value = _day(self.at.options, state.at)
        self.color.value, self.theme.value = state.color, state.theme
        self.back.disabled = not before
        self.open.disabled = not (squares or state.expand)
        self.open.description = "Close neighbours" if state.expand else "Open neighbours"
        self.incident.value = NONE if state.incident is None else state.incident
        self.play.max = self.frame.max = max(frames - 1, 0)
        self.play.disabled = self.frame.disabled = frames < 2


def _key(team: str | Profile | None) -> tuple[str, str]:
    if team is None:
        return WHOLE
    return ("team", team) if isinstance(team, str) else PROFILE


def _wide() -> widgets.Layout:
    """Return a third of a row, and a whole one on a narrow page."""
    return widgets.Layout(width="32%", min_width="280px")


def _wrapped() -> widgets.Layout:
    return widgets.Layout(flex_flow="row wrap")


def _days(production: ProductionMap) -> tuple[widgets.SelectionSlider, str]:
    """Return the slider over days, and why it cannot be moved, if so."""
    alerts = production.whole.alerts
    starts = None if alerts is None else alerts["starts_at"].dropna()
    options: list[tuple[str, pd.Timestamp | str]] = [("now", NOW)]
    why_not = _NO_ALERTS if starts is None or starts.empty else _NO_MODEL if production.whole._model is None else ""
    if starts is not None and not why_not:
        days = pd.date_range(starts.min().ceil("D"), starts.max().floor("D"), freq="D", unit="us")
        options = [*((f"{day:%Y-%m-%d}", day) for day in days), *options]
    slider = widgets.SelectionSlider(
        options=options,
        value=NOW,
        description="As of",
        continuous_update=False,
        disabled=bool(why_not),
        layout=_wide(),
        tooltip=why_not or "The map as it was at the start of this day, UTC",
    )
    return slider, why_not


def _day(options: Any, at: pd.Timestamp | None) -> pd.Timestamp | str:
    """Return the last day of the slider that is not after `at`."""
    days: list[pd.Timestamp] = [day for _, day in options if day != NOW]
    if at is None or not days:
        return NOW
    return max((day for day in days if day <= at), default=days[0])


def _replay(production: ProductionMap) -> tuple[widgets.Dropdown, widgets.Play, widgets.IntSlider]:
    """Return the choice of an incident, and what steps through it."""
    listed = _incidents(production.alerts)
    chosen = widgets.Dropdown(
        options=[("none" if listed else "none: the alerts carry no incidents", NONE), *listed],
        description="Replay",
        disabled=not listed,
        tooltip="Replay an incident over the map",
        layout=widgets.Layout(width="48%", min_width="280px"),
    )
    play = widgets.Play(min=0, max=0, interval=900, disabled=True, tooltip="Play the incident")
    frame = widgets.IntSlider(
        min=0, max=0, description="Step", disabled=True, tooltip="Step of the incident", layout=_wide()
    )
    widgets.jslink((play, "value"), (frame, "value"))
    return chosen, play, frame


def _incidents(alerts: pd.DataFrame | None) -> list[tuple[str, int]]:
    """Return the incidents that can be replayed, the largest first, with what to call them."""
    if alerts is None or "incident_id" not in alerts.columns:
        return []
    known = alerts[(alerts["incident_id"] >= 0) & alerts["service"].notna()].sort_values("starts_at", kind="stable")
    of = known.assign(service=known["service"].astype("str")).groupby("incident_id")
    table = of.agg(
        at=("starts_at", "first"), first=("service", "first"), alerts=("service", "size"), on=("service", "nunique")
    )
    table = table.sort_values(["alerts", "at"], ascending=False).head(_MOST_INCIDENTS)
    return [(_called(row), int(row["incident_id"])) for row in table.reset_index().to_dict("records")]


def _called(row: Mapping[Any, Any]) -> str:
    size = f"{words.count(row['alerts'], 'alert')}, {words.count(row['on'], 'service')}"
    return f"{row['at']:%Y-%m-%d %H:%M}: {size}, {row['first']} first"
