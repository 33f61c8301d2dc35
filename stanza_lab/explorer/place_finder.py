"""Find your place on the map: pick a few things that are yours, take what is proposed, keep it as a profile."""

from __future__ import annotations

import html
import os
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import TYPE_CHECKING, Any

import ipywidgets as widgets

from stanza_lab import plot
from stanza_lab.errors import ParameterError, UnknownNameError
from stanza_lab.explorer import panel
from stanza_lab.explorer.canvas import Canvas
from stanza_lab.explorer.chips import Chips, Proposals
from stanza_lab.explorer.shown import described
from stanza_lab.production import words
from stanza_lab.production.place.page import page
from stanza_lab.production.place.profile import Profile

if TYPE_CHECKING:
    import pandas as pd

    from stanza_lab.production import ProductionMap
    from stanza_lab.production.place.onboarding import Place

# What a kind of thing is called by `production.onboard`.
_ARGUMENT = {"repository": "repos", "host": "hosts", "service": "services", "team": "teams"}
_HINT = "<p>Pick a few things you know are yours: a repository, a server, a service. The rest is proposed.</p>"
_LIKELY = 0.5  # probability from which a service is said to be probably yours
_LEAST = 3  # proposals shown where none is that likely
Pick = tuple[str, str]


class PlaceFinder:
    """Find your place on the map in JupyterLab: pick what you know is yours, take or leave what is proposed.

    A field searches the repositories, servers, services and teams seen in the data as you type; the largest stand
    below it. After each pick the map proposes what else is probably yours, each with its reason, and shows the view of
    your place, its pager load and who comes next. Saved, it is a small YAML file that `sl.Explorer`,
    `production.team` and `production.front_door` understand. All it shows is `production.onboard(...)`.

    Parameters
    ----------
    production : ProductionMap
        The map; made with alerts, it knows servers and repositories as well.
    path : path, default "profile.yaml"
        Where the profile is saved. A profile that is there already is where to go on.

    Attributes
    ----------
    picked : list of (str, str)
        Kind ("repository", "host", "service", "team") and name of what was picked. May be set, to pairs or to names
        alone: a name that is several things means all of them. A proposal that was accepted is a pick as well.
    place : Place or None
        What `production.onboard` made of it; None before the first pick.
    proposed : DataFrame
        What is probably yours as well, the likeliest first.
    profile : Profile or None
        What is saved.

    Raises
    ------
    UnknownNameError
        `picked` was set to a name that is not in the data.

    Examples
    --------
    >>> import pandas as pd
    >>> import stanza_lab as sl
    >>> edges = pd.DataFrame({"src": ["shop", "orders"], "dst": ["orders", "orders-db"], "confidence": [0.9, 0.9]})
    >>> finder = sl.PlaceFinder(sl.ProductionMap(edges), path="not-there.yaml")
    >>> finder.picked = ["orders"]
    >>> finder.profile.services
    ('orders',)
    """

    def __init__(self, production: ProductionMap, *, path: str | os.PathLike[str] = "profile.yaml") -> None:
        self.production = production
        self.path = Path(path)
        self.place: Place | None = None
        self._answers: dict[str, bool] = {}  # proposed services: mine or not
        self._choices = production.choices
        self._hearing = True
        self._chips = Chips()
        self._chips.offer(self._choices)
        self._proposals = Proposals()
        self._name = widgets.Text(
            placeholder="what to call it",
            description="Name",
            continuous_update=False,
            tooltip="What to call your place",
        )
        self._file = widgets.Text(value=str(self.path), description="File", tooltip="Where to save it")
        self._save = widgets.Button(description="Save", icon="save", disabled=True, tooltip="Write the profile")
        self._said = widgets.HTML(_HINT)
        self._card = widgets.HTML()
        self._picture = widgets.VBox()  # holds the canvas from the first pick on
        self._canvas: Canvas | None = None
        self.widget = widgets.VBox(
            [
                self._chips,
                self._said,
                self._proposals,
                widgets.HBox([self._name, self._file, self._save], layout=widgets.Layout(flex_flow="row wrap")),
                self._picture,
                self._card,
            ]
        )
        if self.path.is_file():
            self._resume()
        self._listen()

    @property
    def picked(self) -> list[Pick]:  # noqa: D102
        return [(kind, name) for kind, name in self._chips.picked]

    @picked.setter
    def picked(self, things: Iterable[str | Pick]) -> None:
        pairs = [pair for thing in things for pair in self._find(thing)]
        self._pick(list(dict.fromkeys(pairs)))

    @property
    def proposed(self) -> pd.DataFrame:  # noqa: D102
        if self.place is None:
            raise ParameterError("nothing is proposed before something was picked; set picked=[...] first")
        return self.place.proposed

    @property
    def profile(self) -> Profile | None:  # noqa: D102
        return None if self.place is None else self.place.profile

    def accept(self, *services: str) -> None:
        """Say that services are yours.

        Parameters
        ----------
        *services : str
            Names of services: proposed ones, or others of the map.

        Raises
        ------
        ParameterError
            Nothing was picked yet.
        UnknownNameError
            There is no such service.
        """
        self._answer(services, mine=True)

    def decline(self, *services: str) -> None:
        """Say that services are not yours: they are not proposed again.

        Parameters
        ----------
        *services : str
            Names of services: proposed ones, or others of the map.

        Raises
        ------
        ParameterError
            Nothing was picked yet.
        UnknownNameError
            There is no such service.
        """
        self._answer(services, mine=False)

    def save(self) -> Path:
        """Write the profile to `path`.

        Returns
        -------
        Path
            Where it is.

        Raises
        ------
        ParameterError
            Nothing was picked yet.
        """
        profile = self.profile
        if profile is None:
            raise ParameterError("there is nothing to save yet; pick something that is yours first")
        profile.save(self.path)
        return self.path

    def __repr__(self) -> str:
        """Say in one line what was picked, and how to see it."""
        names = words.listing([name for _, name in self.picked]) or "nothing yet"
        return f"PlaceFinder(picked {names}; {len(self._choices):,} things to pick from)"

    def _repr_mimebundle_(self, **kwargs: Any) -> Any:
        return self.widget._repr_mimebundle_(**kwargs) | {"text/plain": repr(self)}

    def _find(self, thing: str | Pick) -> list[Pick]:
        """Return the choices of this name, or the one of this kind and name."""
        table = self._choices
        name = thing if isinstance(thing, str) else thing[1]
        rows = table[table["name"] == name]
        rows = rows if isinstance(thing, str) else rows[rows["kind"] == thing[0]]
        if rows.empty:
            kind = "repository, host, service or team" if isinstance(thing, str) else thing[0]
            raise UnknownNameError.among(kind, name, table["name"])
        return [(str(kind), name) for kind in rows["kind"]]

    def _pick(self, pairs: list[Pick], answers: dict[str, bool] | None = None) -> None:
        """Take `pairs` as all that was picked; where the map cannot tell, what was picked before still holds."""
        known = self._answers if answers is None else answers
        # An accepted service is a pick, and one that is picked is not declined any more.
        known = {name: mine for name, mine in known.items() if (("service", name) in pairs) == mine}
        place = None
        if pairs:
            named: dict[str, list[str]] = {argument: [] for argument in _ARGUMENT.values()}
            for kind, name in pairs:
                named[_ARGUMENT[kind]].append(name)
            accepted = tuple(name for name, mine in known.items() if mine)
            declined = tuple(name for name, mine in known.items() if not mine)
            before = Profile(name=self._name.value, accepted=accepted, declined=declined)
            place = self.production.onboard(**named, profile=before)  # type: ignore[arg-type]
        self.place, self._answers = place, known if pairs else {}
        self._tell(pairs)

    def _answer(self, services: Iterable[str], *, mine: bool) -> None:
        if self.place is None:
            raise ParameterError("nothing is proposed before something was picked; set picked=[...] first")
        names = list(services)
        known = self.production.services["service"]
        for name in names:
            if not (known == name).any():
                raise UnknownNameError.among("service", name, known)
        rest = [pair for pair in self.picked if mine or pair not in [("service", name) for name in names]]
        pairs = [*rest, *(("service", name) for name in names if mine and ("service", name) not in rest)]
        self._pick(pairs, self._answers | dict.fromkeys(names, mine))

    def _tell(self, pairs: list[Pick]) -> None:
        """Show what the place is now."""
        self._hearing = False
        self._chips.picked = [list(pair) for pair in pairs]
        self._hearing = True
        self._save.disabled = self.place is None
        if self.place is None:
            self._said.value, self._card.value = _HINT, ""
            self._proposals.offer([], title="")
            self._picture.children = ()
            return
        self._said.value = ""
        proposed, title = _worth_asking(self.place.proposed)
        rows = [
            (row["service"], words.probability(row["probability"]), "; ".join(row["reasons"]))
            for row in proposed.to_dict("records")
        ]
        self._proposals.offer(rows, title=title)
        self._card.value = page(self.place, proposals=False)
        self._draw()

    def _draw(self) -> None:
        assert self.place is not None
        if self._canvas is None:
            self._canvas = Canvas()
            self._canvas.observe(lambda _: self._try(self._draw), "dark")
        figure = plot.production_map(self.place.view, theme="dark" if self._canvas.dark else "light")
        self._canvas.show(figure, description=described(figure, self.place.view))
        self._picture.children = (self._canvas,)

    def _try(self, act: Callable[[], object]) -> None:
        """Do what a person asked for; what goes wrong is said, and what held before still does."""
        try:
            act()
        except Exception as error:  # noqa: BLE001 -- a traceback would end in a log that nobody reads
            self._tell(self._held())
            self._said.value = panel.trouble(error)

    def _held(self) -> list[Pick]:
        """Return what was picked when `place` was made."""
        if self.place is None:
            return []
        rows = self.place.picked
        return list(dict.fromkeys(zip(rows["kind"].astype("str"), rows["name"].astype("str"), strict=True)))

    def _resume(self) -> None:
        """Go on from the profile that was saved before."""

        def read() -> None:
            self.place = self.production.onboard(profile=self.path)
            kept = self.place.profile
            self._name.value = kept.name
            self._answers = dict.fromkeys(kept.accepted, True) | dict.fromkeys(kept.declined, False)
            self._tell(self._held())

        self._try(read)

    def _listen(self) -> None:
        def picked(change: Any) -> None:
            if self._hearing:
                self._try(lambda: self._pick([(kind, name) for kind, name in change["new"]]))

        self._chips.observe(picked, "picked")
        self._proposals.on_answer(lambda name, word: self._try(lambda: self._answer([name], mine=word == "accept")))
        self._name.observe(lambda _: self._try(lambda: self._pick(self.picked)), "value")
        self._save.on_click(lambda _: self._try(self._saved))
        self._file.observe(lambda change: setattr(self, "path", Path(change["new"])), "value")

    def _saved(self) -> None:
        path = self.save()
        self._said.value = f"<p>Saved to {html.escape(str(path))}.</p>"


def _worth_asking(proposed: pd.DataFrame) -> tuple[pd.DataFrame, str]:
    """Return the proposals to show, the likeliest first, and what to say over them."""
    likely = proposed[proposed["probability"] >= _LIKELY]
    if len(likely):
        return likely, "Probably yours as well:"
    rest = "Nothing else is probably yours"
    return proposed.head(_LEAST), f"{rest}. The likeliest of the others:" if len(proposed) else f"{rest}."
