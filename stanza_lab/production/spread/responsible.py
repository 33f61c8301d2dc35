"""Whose a service in trouble is likely to be: the teams behind what it depends on, ranked, with reasons."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd

from stanza_lab.errors import ParameterError
from stanza_lab.production import words
from stanza_lab.production.spread import causes
from stanza_lab.production.spread.causes import Causes
from stanza_lab.production.spread.firings import Firings
from stanza_lab.production.spread.followers import LATEST
from stanza_lab.production.spread.reach import Arcs

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from stanza_lab.production.contents import MapContents

    Floats = NDArray[np.float64]
    Ints = NDArray[np.int64]

COLUMNS: dict[str, Any] = {
    "rank": "int64",
    "team": "str",
    "probability": "float64",
    "suspects": object,
    "on_call": "str",
    "wake": "str",
    "reasons": object,
    "words": "str",
}
WINDOW = pd.Timedelta("15min")
PRIOR = 10.0  # episodes that what the links say is worth, where history is asked and not a moment
WAKE, ASK = 0.5, 0.2  # probability from which to wake a team, or to ask first
_LEAST = 0.01  # probability of a suspect that is named
_EXPLAINED, _EXPECTED = 0.2, 0.4  # probability of an alert from which a suspect explains it, or its absence counts
_US = pd.Timedelta("1us")


@dataclass(frozen=True)
class _Scene:
    """What there is to judge by; services are numbers in `names`."""

    names: pd.Index
    service: int
    arcs: Arcs
    behind: Causes
    depends: Floats  # how likely the service depends on each
    ways: list[list[int]]
    probability: Floats  # of each root
    starts: Ints  # past episodes of the service
    before: Ints  # around how many of these each fired before it
    followed: Ints  # around how many each fired
    now: Ints | None  # microseconds from the first alert of each to the moment asked for; -1: silent


def whom_to_wake(
    production: MapContents, service: str, *, at: pd.Timestamp | None, hops: int, min_confidence: float
) -> pd.DataFrame:
    """Return the table that `ProductionMap.whom_to_wake` documents."""
    scene = _look(production, service, at, hops, min_confidence)
    teams = production.services["team"].iloc[scene.behind.root]
    names = scene.names[scene.behind.root]
    called = [
        f"team not known (service {name})" if pd.isna(team) else team for team, name in zip(teams, names, strict=True)
    ]
    suspects = pd.DataFrame({"team": called, "root": scene.behind.root, "probability": scene.probability})
    rows = [_row(scene, str(team), those, production) for team, those in suspects.groupby("team", sort=False)]
    own = called[0]
    rows = [row for row in rows if row["probability"] >= _LEAST or row["team"] == own]
    rows.sort(key=lambda row: (-row["probability"], row["team"]))
    for rank, row in enumerate(rows, start=1):
        row["rank"] = rank
        row["wake"] = _wake(row["probability"], own=row["team"] == own)
        row["words"] = _words(row)
    found = pd.DataFrame(rows, columns=list(COLUMNS)).astype(COLUMNS)
    found.attrs = {"service": service, "words": _caveats(scene, production, at)}
    return found


def _look(production: MapContents, service: str, at: pd.Timestamp | None, hops: int, min_confidence: float) -> _Scene:
    table, pairs, alerts = production.services, production.links, production.alerts
    names = pd.Index(table["service"])
    start = int(names.get_loc(service))
    arcs = Arcs.of(pairs[pairs["strength"] >= min_confidence], names)
    notice = causes.noticed(table["alerts"].to_numpy("float64"))
    behind = Causes.of(start, arcs.thinned(causes.TRAVELS), notice, hops=hops)
    down = arcs.turned()
    blank = np.zeros(len(names), dtype=np.int64)
    starts, before, followed, now = blank[:0], blank, blank, None
    probability = behind.prior
    if alerts is None and at is not None:
        raise ParameterError(f"at={str(at)!r} asks who fired then, and this map has no alerts; pass alerts= to the map")
    if alerts is not None:
        until = None if at is None else at.value // 1000
        known = Firings.of(alerts if at is None else alerts[alerts["starts_at"] <= at], names)
        window = WINDOW // _US
        starts = known.episodes(start, window=window)
        if until is not None:
            starts = starts[starts < until - window]
        starts = starts[-LATEST:]
        around = known.around(starts, window=window)
        followed = around.counts(len(names)).astype(np.int64)
        before = np.bincount(around.service[around.delay < 0], minlength=len(names))
        if until is not None:
            now = _firing(known, until, window)
            probability = behind.likely(now >= 0, known.chance(starts[:0], window=window))
        elif len(starts):
            share = behind.behind(around.fired(len(starts), len(names)), known.chance(starts, window=window))
            probability = (PRIOR * behind.prior + share.sum(axis=0)) / (PRIOR + share.sum())
    return _Scene(
        names, start, down, behind, down.spread(start, hops=hops), down.ways(start, hops=hops), probability,
        starts, before, followed, now,
    )  # fmt: skip


def _firing(known: Firings, until: int, window: int) -> Ints:
    """Return how long before `until` each service began to fire, of those who did within `window`; -1: silent."""
    low = int(np.searchsorted(known.times, until - window))
    ago = np.full(len(known.names), -1, dtype=np.int64)
    np.maximum.at(ago, known.service[low:], until - known.times[low:])
    return ago


def _row(scene: _Scene, team: str, those: pd.DataFrame, production: MapContents) -> dict[str, Any]:
    ranked = those.sort_values("probability", ascending=False, kind="stable")
    named = ranked[(ranked["probability"] >= _LEAST) | (ranked["root"] == ranked["root"].iloc[0])]
    suspects = scene.names[named["root"]].tolist()
    return {
        "team": team,
        "probability": float(ranked["probability"].sum()),
        "suspects": suspects,
        "on_call": _on_call(production.ownership, suspects),
        "reasons": _reasons(scene, int(ranked["root"].iloc[0])),
    }


def _on_call(ownership: pd.DataFrame | None, suspects: list[str]) -> str | None:
    """Return whom the catalogue says to wake for the likeliest of the suspects that it knows."""
    if ownership is None or "on_call" not in ownership.columns:
        return None
    known = ownership.dropna(subset=["on_call"]).drop_duplicates("service").set_index("service")["on_call"]
    return next((str(known[name]) for name in suspects if name in known.index), None)


def _wake(probability: float, *, own: bool) -> str:
    if probability >= WAKE:
        return "wake now"
    return "ask first" if own or probability >= ASK else "let sleep"


def _reasons(scene: _Scene, suspect: int) -> list[str]:
    """Return why a service is suspected, and what speaks against it."""
    service, name = scene.names[scene.service], scene.names[suspect]
    said = []
    if suspect == scene.service:
        said.append(f"{service} is theirs")
    else:
        through = scene.names[scene.arcs.src[scene.ways[suspect]]][:-1].tolist()
        by = f", likeliest through {', '.join(through)}" if through else ""
        said.append(f"{service} depends on {name}: {words.probability(scene.depends[suspect])}{by}")
    if scene.now is not None:
        said += _now(scene, suspect)
    if len(scene.starts) and suspect != scene.service:
        times = f"around {scene.followed[suspect]:,} of {words.count(len(scene.starts), 'past firing')} of {service}"
        said.append(f"{name} fired {times}, before it in {scene.before[suspect]:,}")
    return said


def _now(scene: _Scene, suspect: int) -> list[str]:
    """Return what the moment says of a suspect: whether it fires, what it would explain, what speaks against it."""
    assert scene.now is not None
    name, ago = scene.names[suspect], scene.now
    said = []
    if suspect != scene.service:
        apart = (ago[suspect] - ago[scene.service]) / 1e6
        if ago[suspect] < 0:
            said.append(f"{name} itself is silent")
        elif ago[scene.service] < 0:
            said.append(f"{name} began to fire {words.span(ago[suspect] / 1e6)} ago")
        else:
            when = f"{words.span(apart)} {'before' if apart > 0 else 'after'}" if abs(apart) >= 1 else "together with"
            said.append(f"{name} began to fire {when} {scene.names[scene.service]}")
    shows = scene.behind.shows[int(np.flatnonzero(scene.behind.root == suspect)[0])].copy()
    shows[[suspect, scene.service]] = 0.0
    ranked = np.argsort(-shows, kind="stable")
    fire = ranked[(shows[ranked] >= _EXPLAINED) & (ago[ranked] >= 0)]
    silent = ranked[(shows[ranked] >= _EXPECTED) & (ago[ranked] < 0)]
    if len(fire):
        said.append(f"it would explain {words.listing(scene.names[fire])}")
    if len(silent):
        said.append(f"against it: {words.listing(scene.names[silent])} would likely fire too, and did not")
    return said


def _words(row: dict[str, Any]) -> str:
    """Return one sentence on one team."""
    page = f" ({row['on_call']})" if row["on_call"] else ""
    return f"{row['team']}: {words.probability(row['probability'])}, {row['wake']}{page}; {'; '.join(row['reasons'])}"


def _caveats(scene: _Scene, production: MapContents, at: pd.Timestamp | None) -> list[str]:
    """Say what all this is known from, and what could not be seen."""
    service = scene.names[scene.service]
    if production.alerts is None:
        said = ["no alerts were given: all this comes from the links alone; pass alerts= to the map"]
    elif at is None:
        said = [f"from {words.count(len(scene.starts), 'past firing')} of {service} and the links, not from any moment"]
    else:
        firing = int((scene.now >= 0).sum()) if scene.now is not None else 0
        said = [f"{words.count(firing, 'service')} began to fire within {words.span(WINDOW.total_seconds())} before"]
        if scene.now is not None and scene.now[scene.service] < 0:
            said.append(f"{service} itself did not alert then: it is taken to be in trouble all the same")
    alone = (production.services["alerts"] == 0).to_numpy()[scene.behind.root]
    if alone.any() and production.services["alerts"].any():
        blind = scene.names[scene.behind.root[alone]]
        said.append(f"{words.listing(blind)} never alert: nothing shows when they fail")
    said.append("trouble that several services share (a host, a network) has no team here")
    return said
