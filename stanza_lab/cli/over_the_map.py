"""The options that all verbs over incidents or the map share, given to each by one decorator: what data is meant."""

from __future__ import annotations

import functools
import inspect
from collections.abc import Callable
from typing import TYPE_CHECKING, Any, get_type_hints

import stanza_lab as sl
from stanza_lab.cli.analysing import Analysis, Grouped, analyse, group
from stanza_lab.cli.options import Declared, HistoryPath, Overrides, Ownership, Since, Traces, Until, Where, app
from stanza_lab.cli.reading import KeepCopies, Params, read_known, say
from stanza_lab.errors import UnknownNameError
from stanza_lab.production import words

if TYPE_CHECKING:
    from pathlib import Path

    from stanza_lab.production import Contributed, ProductionMap

Read = Callable[[], Analysis]
ReadIncidents = Callable[[], Grouped]
Verb = Callable[[Callable[..., None]], Callable[..., None]]


def _grouped(
    history: HistoryPath,
    *,
    since: Since = None,
    until: Until = None,
    where: Where = None,
    ownership: Ownership = None,
    overrides: Overrides = None,
    params: Params = None,
    keep_copies: KeepCopies = False,
) -> Grouped:
    """Read a history and group its alerts into incidents."""
    known = read_known(history, since=since, until=until, where=where, ownership=ownership, overrides=overrides)
    return group(known, params=params, spans=None, keep_copies=keep_copies)


def _analysis(
    history: HistoryPath,
    *,
    since: Since = None,
    until: Until = None,
    where: Where = None,
    traces: Traces = None,
    declared: Declared = None,
    ownership: Ownership = None,
    overrides: Overrides = None,
    params: Params = None,
    keep_copies: KeepCopies = False,
) -> Analysis:
    """Read a history and infer the map of it."""
    known = read_known(history, since=since, until=until, where=where, ownership=ownership, overrides=overrides)
    return analyse(known, traces=traces, declared=declared, params=params, keep_copies=keep_copies)


def map_verb(name: str) -> Verb:
    """Make a verb of a function over an `Analysis`: HISTORY comes before its own arguments, what narrows it after."""
    return _verb(name, _analysis)


def incident_verb(name: str) -> Verb:
    """Make a verb of a function over what is `Grouped`, likewise: it needs no map, which takes longest."""
    return _verb(name, _grouped)


def _verb(name: str, reading: Callable[..., Any]) -> Verb:
    """Give a verb the options of `reading`.

    The function is handed something to call for what is read, so that it can refuse wrong usage before that takes its
    time. Typer reads the signature of a verb; here it is put together of the function's own and that of `reading`.
    """

    def make(command: Callable[..., None]) -> Callable[..., None]:
        @functools.wraps(command)
        def verb(**given: Any) -> None:
            read = functools.partial(reading, **{key: given.pop(key) for key in shared})
            command(read, **given)

        shared = inspect.signature(reading).parameters
        own = list(inspect.signature(command).parameters.values())[1:]
        hints = get_type_hints(reading, include_extras=True) | get_type_hints(command, include_extras=True)
        listed = [parameter.replace(annotation=hints[parameter.name]) for parameter in (*shared.values(), *own)]
        order = {"history": 0} | dict.fromkeys((p.name for p in own), 1)  # shared options are told last
        listed.sort(key=lambda parameter: order.get(parameter.name, 2))
        keyword = inspect.Parameter.KEYWORD_ONLY
        verb.__signature__ = inspect.Signature([p.replace(kind=keyword) for p in listed])  # type: ignore[attr-defined]
        verb.__annotations__ = {parameter.name: parameter.annotation for parameter in listed} | {"return": None}
        return app.command(name=name)(verb)

    return make


def profile_of(profile: Path | None) -> sl.Profile | None:
    """Return the profile of a file, if there is one."""
    return sl.read_profile(profile) if profile else None


def on_map(mine: sl.Profile, production: ProductionMap) -> sl.Profile:
    """Return the profile, and say which of its services this map does not know; an error where it knows none."""
    missing = mine.missing(production.services["service"])
    if len(missing) == len(mine.services):
        raise UnknownNameError(f"none of the services of profile {mine.name!r} is on this map: {missing[:5]}")
    if missing:
        gone = f"{len(missing)} of {len(mine.services)} services of profile {mine.name} are not on this map"
        say("warning", f"{gone}: {words.listing(missing)}", "yellow")
    return mine


def contributed_of(path: Path | None) -> Contributed | None:
    """Return what teams contributed in a file or folder, if there is one."""
    return sl.read_contributed(path) if path else None


def check_contributed(told: Contributed | None, production: ProductionMap) -> None:
    """Warn of what was contributed for services or teams that this map does not have."""
    if told is not None:
        for sentence in told.unmatched(services=production.services["service"], teams=production.teams):
            say("warning", sentence, "yellow")
