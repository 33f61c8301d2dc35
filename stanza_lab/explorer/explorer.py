"""Walk over the production map in JupyterLab."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import replace
from functools import partial
from typing import TYPE_CHECKING, Any

import ipywidgets as widgets

from stanza_lab import _params
from stanza_lab.errors import UnknownNameError
from stanza_lab.explorer import panel
from stanza_lab.explorer.canvas import Canvas
from stanza_lab.explorer.controls import AROUND, NONE, NOW, PROFILE, WHOLE, Controls
from stanza_lab.explorer.settings import Settings
from stanza_lab.explorer.shown import Picked, described, frames_of, pickable
from stanza_lab.explorer.state import Source, State, call
from stanza_lab.production import ProductionMap
from stanza_lab.production.place.profile import Profile, read_profile

if TYPE_CHECKING:
    from stanza_lab.production import ProductionMap
    from stanza_lab.production.door.contributed import Contributed


class Explorer(Settings):
    """Walk over a production map in JupyterLab: pick whose part, how far, how sure and when; click for what is known.

    A click on a service shows its front door, on a line the evidence for it, on a square the services in it. All that
    can be clicked can also be chosen from a list below the picture, or walked to with the arrow keys. What is shown is
    kept in plain attributes; setting one changes the picture, and `code` is the one function call that gives the same.

    Parameters
    ----------
    production : ProductionMap
        The map, or a view of it.
    profile : Profile or path, optional
        What is yours, as `sl.PlaceFinder` or `production.onboard` saved it: shown first. Default: the whole map first.
    contributed : Contributed or path, optional
        What teams wrote down, a YAML file or a folder of them, for the front doors; see `production.front_door`. Read
        once. Default: only what the map knows.

    Attributes
    ----------
    team : str, Profile or None
        Whose part of the map is shown; None: the whole map, or what is around `service`.
    service : str or None
        The service the picture is around. Setting it clears `team`, and the other way round.
    hops : int
        How many links to walk from `service`; a larger value shows more.
    direction : {"both", "upstream", "downstream"}
        Which way to walk from `service`.
    min_confidence : float or None
        Probability of a dependency from which a link is shown; None: the map's `usual_confidence`.
    at : Timestamp or None
        The day as of which the map is shown; None: all that is known now. Needs a map with `model=`.
    color : {"team", "environment"}
        What the colours tell apart.
    theme : {"auto", "light", "dark"}
        "auto" follows JupyterLab.
    expand : tuple of str
        Names of the clusters drawn open.
    incident : int or None
        The incident that is replayed over the map instead.
    frame : int
        The step of the replay.
    selected : str, tuple of (str, str), or None
        The service or cluster, or the two ends of the link, that the panel is about.
    view : ProductionMap
        The part of the map that is shown.
    figure : plotly.graph_objects.Figure
        The picture.
    code : str
        The call that gives the same picture, where the map is called `production`.
    words : str
        The picture in words.

    Raises
    ------
    UnknownNameError
        An attribute was set to a service or team that is not on the map.
    ParameterError
        An attribute was set to a value outside its range.

    Examples
    --------
    >>> import pandas as pd
    >>> import stanza_lab as sl
    >>> edges = pd.DataFrame({"src": ["shop", "orders"], "dst": ["orders", "orders-db"], "confidence": [0.9, 0.8]})
    >>> explorer = sl.Explorer(sl.ProductionMap(edges))
    >>> explorer.service, explorer.hops = "shop", 1
    >>> list(explorer.view.services["service"])
    ['orders', 'shop']
    >>> explorer.code
    "sl.plot.production_map(production.near('shop', hops=1))"
    """

    def __init__(
        self,
        production: ProductionMap,
        *,
        profile: Profile | str | os.PathLike[str] | None = None,
        contributed: Contributed | str | os.PathLike[str] | None = None,
    ) -> None:
        self.production = production
        self._written = panel.Written.of(contributed)
        self._path = None if profile is None or isinstance(profile, Profile) else os.fspath(profile)
        self.profile = profile if profile is None or isinstance(profile, Profile) else read_profile(profile)
        self._source = Source(production)
        self._before: list[State] = []
        self._selected: Picked | None = None
        self._telling = False
        self._controls = Controls(production, self.profile)
        self._canvas = Canvas()
        self._panel = widgets.HTML(
            panel.HINT, layout=widgets.Layout(flex="0 0 auto", width="100%", overflow="auto hidden")
        )
        self._buttons = widgets.HBox(layout=widgets.Layout(flex="0 0 auto", flex_flow="row wrap"))
        self._list = widgets.Select(
            description="Shown", rows=6, tooltip="All that can be clicked in the picture", layout={"width": "460px"}
        )
        self._call = widgets.HTML()
        self._panel.add_class("stanza-panel")
        self.widget = self._box()
        self._state = State()
        self._draw(State(team=self.profile))
        self._listen()

    @property
    def frame(self) -> int:  # noqa: D102
        return int(self._controls.frame.value)

    @frame.setter
    def frame(self, step: int) -> None:
        _params.at_least(step, "frame", 0)
        self._controls.frame.value = step

    @property
    def selected(self) -> str | tuple[str, str] | None:  # noqa: D102
        return None if self._selected is None else self._selected.name

    @selected.setter
    def selected(self, what: str | tuple[str, str] | None) -> None:
        if what is None:
            self._selected = None
            self._say(panel.HINT)
            return
        picked = Picked.named(self.production, what)
        self._show(picked)

    @property
    def code(self) -> str:  # noqa: D102
        profile = "profile" if self._path is None else f"sl.read_profile({self._path!r})"
        return call(self._state, dark=self._canvas.dark, profile=profile)

    def back(self) -> None:
        """Return to the picture before; at the first one nothing changes."""
        if self._before:
            self._draw(self._before.pop())

    def __repr__(self) -> str:
        """Say in one line what is shown, and how to see it."""
        return f"Explorer({self.view.heading}); {self.code}"

    def _repr_mimebundle_(self, **kwargs: Any) -> Any:
        return self.widget._repr_mimebundle_(**kwargs) | {"text/plain": repr(self)}

    def _go(self, **changes: Any) -> None:
        """Show another picture, and remember the way back; where it cannot be made nothing changes."""
        state = replace(self._state, **changes)
        if state != self._state:
            self._before.append(self._state)
            try:
                self._draw(state)
            except Exception:
                self._before.pop()
                raise
            if changes.get("incident") is not None:
                self._selected = None
                self._say(panel.told("What happened", self.words), self.words, [])

    def _draw(self, state: State) -> None:
        view = self._source.view(state)
        if isinstance(state.team, Profile) and state.team != self.profile:
            self.profile, self._path = state.team, None
            with self._quietly():
                self._controls.know(state.team)
        figure = self._source.figure(state, dark=self._canvas.dark)
        self._state, self.view, self.figure = state, view, figure
        self.words = described(figure, view)
        self._pickable = pickable(figure)
        self._frames = frames_of(figure) if state.incident is not None else []
        self._canvas.show(figure, description=self.words)
        self._call.value = panel.code(self.code)
        self._tell()

    def _tell(self) -> None:
        """Let the controls say what is shown."""
        with self._quietly():
            least = self._state.min_confidence
            self._controls.tell(
                self._state,
                least=self.view.usual_confidence if least is None else least,
                before=bool(self._before),
                squares=self.team is not None and any(picked.kind == "cluster" for picked in self._pickable),
                frames=len(self._frames),
            )
            self._list.options = [("choose one", ""), *((picked.words, picked) for picked in self._pickable)]
            self._list.value = ""
            if self._state.incident is not None:
                self._controls.frame.value = 0
        self._step()

    def _step(self) -> None:
        if self._frames:
            self._canvas.frame = self._frames[min(self.frame, len(self._frames) - 1)]

    def _show(self, picked: Picked) -> None:
        """Fill the panel with what is known of `picked`; a square opens as well."""
        buttons: list[tuple[str, Callable[[], None]]] = []
        if picked.kind == "service":
            name = picked.ends[0]
            content = panel.door(self.production, name, written=self._written)
            buttons = [
                ("Look around it", lambda: self._go(service=name, team=None, expand=(), incident=None)),
                ("What if it fails?", lambda: self._say(panel.blast(self.production, name), f"If {name} fails")),
            ]
        elif picked.kind == "cluster":
            name = picked.ends[0]
            if picked in self._pickable and name not in self.expand:
                self._go(expand=(*self.expand, name))
            content = panel.cluster(self.view, name)
            buttons = [("Go there", lambda: self._go(team=name, service=None, expand=(), incident=None))]
            if name in self.expand:
                rest = tuple(other for other in self.expand if other != name)
                buttons.append(("Close it", lambda: self._go(expand=rest)))
        elif picked.kind == "link":
            content = panel.link(self.production, *picked.ends)
        else:
            content = panel.bundle(self.production, *picked.ends)
        self._selected = picked
        self._say(content, picked.words, buttons)

    def _say(self, content: str, spoken: str = "", buttons: list[tuple[str, Callable[[], None]]] | None = None) -> None:
        self._panel.value = content
        self._canvas.said = spoken
        if buttons is not None or not spoken:
            self._buttons.children = tuple(self._button(name, act) for name, act in buttons or ())

    def _button(self, name: str, act: Callable[[], None]) -> widgets.Button:
        button = widgets.Button(description=name, layout=widgets.Layout(width="auto"))
        button.on_click(lambda _: self._try(act))
        return button

    @contextmanager
    def _quietly(self) -> Iterator[None]:
        """Set controls without hearing of it as if a person had."""
        before, self._telling = self._telling, True
        try:
            yield
        finally:
            self._telling = before

    def _try(self, act: Callable[[], None]) -> None:
        """Do what a person asked for; what goes wrong is said in the panel, and the controls show what still holds."""
        try:
            act()
        except Exception as error:  # noqa: BLE001 -- a traceback would end in a log that nobody reads
            self._say(panel.trouble(error), "This did not work.")
            self._tell()

    def _listen(self) -> None:
        controls = self._controls

        def on(control: Any, act: Callable[[Any], None]) -> None:
            def heard(change: Any) -> None:
                if not self._telling:
                    self._try(lambda: act(change["new"]))

            control.observe(heard, "value")

        on(controls.show, self._shown)
        on(controls.service, self._searched)
        for control, name in (
            (controls.hops, "hops"),
            (controls.direction, "direction"),
            (controls.confidence, "min_confidence"),
            (controls.color, "color"),
            (controls.theme, "theme"),
        ):
            on(control, partial(setattr, self, name))
        on(controls.at, lambda day: setattr(self, "at", None if day == NOW else day))
        on(controls.incident, lambda number: setattr(self, "incident", None if number == NONE else number))
        on(controls.frame, lambda _: self._step())
        on(self._list, lambda picked: self._show(picked) if picked else None)
        controls.back.on_click(lambda _: self._try(self.back))
        controls.open.on_click(lambda _: self._try(self._open))
        self._canvas.on_pick(lambda what: self._try(lambda: self._show(Picked.of(what))))
        self._canvas.observe(lambda _: self._try(lambda: self._draw(self._state)), "dark")

    def _shown(self, key: tuple[str, str]) -> None:
        if key == AROUND:
            raise UnknownNameError("Type a service into the search field, or click one in the picture.")
        self.team = {WHOLE: None, PROFILE: self.profile}.get(key, key[1])

    def _searched(self, name: str) -> None:
        self.service = name or None

    def _open(self) -> None:
        """Draw all neighbouring clusters open, or all of them closed again."""
        squares = tuple(picked.ends[0] for picked in self._pickable if picked.kind == "cluster")
        self.expand = () if self.expand else squares

    def _box(self) -> widgets.VBox:
        # Figures are laid out for 1,100 px: where there is no room for both, the panel goes below.
        side = widgets.VBox(
            [self._buttons, self._panel],
            layout=widgets.Layout(flex="1 0 340px", max_height="900px", overflow="hidden auto"),
        )
        self._canvas.layout = widgets.Layout(flex="6 1 900px", min_width="0", overflow="hidden")
        return widgets.VBox(
            [
                self._controls.box,
                widgets.HBox([self._canvas, side], layout=widgets.Layout(width="100%", flex_flow="row wrap")),
                self._list,
                self._call,
            ]
        )
