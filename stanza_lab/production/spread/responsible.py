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
_LONGEST = pd.Timedelta("24h")  # after the last alert a moment may lie: from there on nothing is known of it
_US = pd.Timedelta("1us")


@dataclass(frozen=True)
class _Scene:
    """What there is to judge by; services are numbers in `names`."""

    names: pd.Index
    service: int
    raised: Ints  # how many alerts each raised, by the moment asked for
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
    owned = {str(team) for team in teams.dropna()}
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
        known = row["team"] in owned or row["on_call"] is not None
        fires = _fires(scene, row["suspects"])
        row["wake"], because = _wake(row["probability"], own=row["team"] == own, known=known, fires=fires)
        row["reasons"] += because
        row["words"] = _words(row)
    found = pd.DataFrame(rows, columns=list(COLUMNS)).astype(COLUMNS)
    found.attrs = {"service": service, "words": _caveats(scene, production, at)}
    return found


def _look(production: MapContents, service: str, at: pd.Timestamp | None, hops: int, min_confidence: float) -> _Scene:
    table, pairs, alerts = production.services, production.links, production.alerts
    if at is not None:
        _covered(alerts, at)
    names, raised = pd.Index(table["service"]), table["alerts"].to_numpy("int64")
    start = int(names.get_loc(service))
    arcs = Arcs.of(pairs[pairs["strength"] >= min_confidence], names)
    known = None
    if alerts is not None:
        known = Firings.of(alerts if at is None else alerts[alerts["starts_at"] <= at], names)
        raised = np.bincount(known.service, minlength=len(names))
    notice = causes.noticed(raised.astype(np.float64))
    behind = Causes.of(start, arcs.thinned(causes.TRAVELS), notice, hops=hops)
    down = arcs.turned()
    blank = np.zeros(len(names), dtype=np.int64)
    starts, before, followed, now = blank[:0], blank, blank, None
    probability = behind.prior
    if known is not None:
        until = None if at is None else at.value // 1000
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
        names, start, raised, down, behind, down.spread(start, hops=hops), down.ways(start, hops=hops), probability,
        starts, before, followed, now,
    )  # fmt: skip


def _covered(alerts: pd.DataFrame | None, at: pd.Timestamp) -> None:
    """Refuse a moment that the alerts say nothing of."""
    began = pd.Series(dtype="datetime64[us, UTC]") if alerts is None else alerts["starts_at"].dropna()
    if began.empty:
        raise ParameterError(f"at={str(at)!r} asks who fired then, and this map has no alerts; pass alerts= to the map")
    first, last = began.min(), began.max()
    if not first <= at <= last + _LONGEST:
        raise ParameterError(
            f"at={str(at)!r} lies outside the history: its alerts go from {first:%Y-%m-%d %H:%M} to "
            f"{last:%Y-%m-%d %H:%M} UTC; pass a time from the first to a day after the last, or alerts of then"
        )


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


def _fires(scene: _Scene, suspects: list[str]) -> bool:
    """Return whether anything that fired speaks of trouble here: the service, a suspect, or one whom it would hit."""
    if scene.now is None:
        return len(scene.starts) > 0
    mine = np.isin(scene.behind.root, scene.names.get_indexer(pd.Index(suspects)))
    spoken = scene.behind.shows[mine].max(axis=0) >= _EXPLAINED
    spoken[[scene.service, *scene.behind.root[mine]]] = True
    return bool((scene.now[spoken] >= 0).any())


def _wake(probability: float, *, own: bool, known: bool, fires: bool) -> tuple[str, list[str]]:
    """Return what to do with a team, and why where the probability alone says otherwise."""
    if probability < ASK:
        return ("ask first", ["it is their service: ask them first"]) if own else ("let sleep", [])
    if probability < WAKE or (known and fires):
        return "ask first" if probability < WAKE else "wake now", []
    because = [] if fires else ["no alert speaks for it: ask before you wake anyone"]
    return "ask first", because + ([] if known else ["nobody to wake is known for it: find out whose it is"])


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
    apart = (ago[suspect] - ago[scene.service]) / 1e6
    if ago[suspect] < 0:
        said.append(f"{name} itself is silent")
    elif suspect == scene.service or ago[scene.service] < 0:
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
        if not _fires(scene, scene.names[scene.behind.root].tolist()):
            said.append("nothing fired then that has to do with it: this is only the links")
    if len(scene.behind.root) == 1:
        said.append(f"nothing is known that {service} depends on: there is no other suspect")
    alone = scene.raised[scene.behind.root] == 0
    if alone.any() and scene.raised.any():
        blind = scene.names[scene.behind.root[alone]]
        one = len(blind) == 1
        never = "never alerts: nothing shows when it fails" if one else "never alert: nothing shows when they fail"
        said.append(f"{words.listing(blind)} {never}")
    if at is not None and production.alerts is not None and (production.alerts["starts_at"] > at).any():
        said.append("the links are those of the map asked, later alerts included; as_of() has those of then")
    said.append("trouble that several services share (a host, a network) has no team here")
    return said
