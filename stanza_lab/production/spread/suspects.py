"""Who may be behind an incident, and what speaks for and against each: the numbers that `origins` weighs.

Suspects are the services that alerted in it and what these depend on. Every number is one that a person would look at:
how unusual it is that the service alerts, how much it does, what it complains of, who began, whom its failure would
explain, whether its own trouble is explained by another's, who should have noticed and did not, a deploy just before.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd
from scipy.special import logsumexp, ndtr

from stanza_lab.entities import naming
from stanza_lab.entities.symptoms import classify_symptoms
from stanza_lab.production.spread import causes, reach
from stanza_lab.production.spread.usual import QUIET_US, Usual

if TYPE_CHECKING:
    from numpy.typing import NDArray

    Floats = NDArray[np.float64]
    Ints = NDArray[np.int64]

HOPS = 3
LEAST = 0.05  # probability that an alerting service depends on a silent one, from which that one is a suspect
MOST_SILENT = 40  # suspects that did not alert, the likeliest
MOST_ALERTING = 60  # alerting services whose dependencies are walked, those with most alerts
NOTICED_S = 120.0  # by how much the times of two services may be off: a monitor's minute, and how late it sees
BEFORE = pd.Timedelta("30min")  # a deploy so long before the incident counts
_LOUD = 3.0  # surprise, as -log of the chance, counts up to 20 to 1
_UNKNOWN = 0.05  # chance that a service alerts where no history is known
_TEXTS = frozenset(("alertname", "labels", "summary", "description"))
FEATURES = (
    "silent", "silent_noticed", "share", "unusual", "saturation", "availability", "earlier", "explains",
    "explains_later", "fit", "missing", "explained", "explained_before", "silent_fit", "deploy",
)  # fmt: skip
OUTSIDE = ("outside", "outside_services", "outside_unlinked")


@dataclass(frozen=True)
class Suspects:
    """The suspects of one incident, those that alerted first; a row or an entry each."""

    names: NDArray[np.object_]
    alerting: int  # so many of them alerted
    features: Floats  # columns: `FEATURES`
    outside: Floats  # `OUTSIDE`: what speaks for something that is none of them
    alerts: Ints
    first_us: Ints  # of its alerts; -1: silent
    needs: Floats  # rows: those that alerted, columns: suspects; how likely the row depends on the column
    chance: Floats  # that it alerts within the incident's length, for no reason
    episodes: Floats  # outside the incident
    callers: list[list[tuple[str, float]]]  # who would likely notice and is silent
    deployed: list[pd.Timestamp | None]
    what: list[list[str]]  # symptoms of those that alerted


def suspects(usual: Usual, alerts: pd.DataFrame, *, until: int | None, deploys: pd.DataFrame | None) -> Suspects:
    """Return the suspects of an incident's `alerts`: checked, with a service and a time each, at least one."""
    own = _Own.of(alerts)
    began, ended = int(own.first.min()), int(own.last.max())
    rates = usual.around(began, ended, until=until)
    place, many = usual.names.get_indexer(own.names).astype(np.int64), len(own.names)
    needed = _needed(usual, place, own.alerts)
    unseen = silent(needed, place)
    number = np.concatenate([place, unseen])
    names = own.names.append(usual.names[unseen]).to_numpy(object)
    notice = causes.noticed(rates.alerts)
    needs = of_map(needed, number, 0.0)
    needs[np.arange(many), np.arange(many)] = 0.0
    quiet, chance = np.zeros(len(unseen), dtype=np.int64), rates.chance(float(ended - began + QUIET_US))
    callers, deployed = missing(usual, number, place, notice), _deployed(names, deploys, began)
    found = Suspects(
        names=names,
        alerting=many,
        features=np.empty((0, 0)),
        outside=np.empty(0),
        alerts=np.concatenate([own.alerts, quiet]),
        first_us=np.concatenate([own.first, quiet - 1]),
        needs=needs,
        chance=by_chance(chance, number),
        episodes=of_map(rates.episodes, number, 0.0),
        callers=callers,
        deployed=deployed,
        what=own.what,
    )
    return weighed(found, notice=of_map(notice, number, 0.0), fit=_fit(usual, number, place, notice, chance))


def weighed(found: Suspects, *, notice: Floats, fit: Floats) -> Suspects:
    """Return suspects with their features.

    `notice` says how likely each alerts if it fails, `fit` how much likelier it makes who alerted than chance does.
    """
    columns = _own_features(found, notice) | _map_features(found, fit)
    unlinked = 1 - float(columns["explains"].max()) if found.alerting > 1 else 0.0
    return replace(
        found,
        features=np.column_stack([columns[name].astype(np.float64) for name in FEATURES]),
        outside=np.array([1.0, np.log(found.alerting), unlinked]),
    )


def _own_features(found: Suspects, notice: Floats) -> dict[str, np.ndarray]:
    """Return what the suspects' own alerts tell, or their silence."""
    alerted = np.arange(len(found.names)) < found.alerting
    nothing: list[list[str]] = [[]] * (len(found.names) - found.alerting)
    before = 2 * _before(found) - 1
    return {
        "silent": ~alerted,
        "silent_noticed": ~alerted * notice,
        "share": found.alerts / found.alerts.sum(),
        "unusual": alerted * _loud(found),
        **{symptom: np.array([symptom in said for said in [*found.what, *nothing]]) for symptom in _SYMPTOMS},
        "earlier": alerted * before.sum(axis=0) / max(found.alerting - 1, 1),
        "missing": np.log1p([sum(likely for _, likely in those) for those in found.callers]),
        "deploy": np.array([at is not None for at in found.deployed]),
    }


_SYMPTOMS = ("saturation", "availability")


def _map_features(found: Suspects, fit: Floats) -> dict[str, np.ndarray]:
    """Return whom each suspect's failure would explain, as far as links are likely, and whose explains its own."""
    alerted, loud, before = np.arange(len(found.names)) < found.alerting, _loud(found), _before(found)
    weight = loud[: found.alerting]
    total = np.maximum(weight.sum() - alerted * loud, 1e-9)  # of the others; the chronic ones say little
    by, ahead = found.needs[:, : found.alerting], before[:, : found.alerting]
    explains = weight @ found.needs / total
    silent = np.zeros(len(found.names) - found.alerting)
    return {
        "explains": explains,
        "explains_later": alerted * (weight @ (found.needs * (2 * before - 1))) / total,
        "fit": fit,
        "explained": np.concatenate([1 - np.prod(1 - by, axis=1), silent]),
        "explained_before": np.concatenate([(by * ahead).max(axis=1), silent]),
        "silent_fit": ~alerted * fit / np.sqrt(max(found.alerting - 1, 1)),  # their alerts are not independent
    }


def _loud(found: Suspects) -> Floats:
    return np.minimum(-np.log(found.chance), _LOUD)


def _before(found: Suspects) -> Floats:
    """Return how likely each suspect, a column, began before each that alerted, a row."""
    apart = (found.first_us[: found.alerting, None] - found.first_us[None, :]) / 1e6
    before: Floats = ndtr(apart / NOTICED_S)
    return before


@dataclass(frozen=True)
class _Own:
    """The alerts of the incident, service by service."""

    names: pd.Index
    alerts: Ints
    first: Ints
    last: Ints
    what: list[list[str]]

    @classmethod
    def of(cls, alerts: pd.DataFrame) -> _Own:
        code, names = pd.factorize(alerts["service"].astype("str"), sort=True)
        at = alerts["starts_at"].astype("datetime64[us, UTC]").to_numpy("int64")
        order = np.lexsort((at, code))
        first = np.searchsorted(code[order], np.arange(len(names))).astype(np.int64)
        last = np.append(first[1:], len(order)).astype(np.int64) - 1
        many = (last - first + 1).astype(np.int64)
        said: list[set[str]] = [set() for _ in names]
        if _TEXTS & set(alerts.columns):
            symptom = classify_symptoms(alerts)
            for service, word in set(zip(code[symptom.notna()], symptom.dropna(), strict=True)):
                said[service].add(word)
        times = at[order].astype(np.int64)
        return cls(pd.Index(names), many, times[first], times[last], [sorted(one) for one in said])


def by_chance(chance: Floats, number: Ints) -> Floats:
    """Return how likely suspects alert for no reason, from the chances of all services of the map."""
    likely: Floats = np.clip(of_map(chance, number, _UNKNOWN), 1e-4, 0.95)
    return likely


def of_map(values: Floats, number: Ints, otherwise: float) -> Floats:
    """Return the values, one per service of the map in the last dimension, of services by number; -1: not on it."""
    extended = np.concatenate([values, np.full((*values.shape[:-1], 1), otherwise)], axis=-1)
    return extended[..., number]


def _needed(usual: Usual, place: Ints, alerts: Ints) -> Floats:
    """Return how likely each that alerted depends on each service of the map."""
    needed = np.zeros((len(place), len(usual.names)))
    walked = np.argsort(-alerts, kind="stable")[:MOST_ALERTING]
    for row in walked[place[walked] >= 0]:
        needed[row] = usual.down.spread(int(place[row]), hops=HOPS)
        needed[row, place[row]] = 0.0
    return needed


def silent(needed: Floats, place: Ints) -> Ints:
    """Return the services that did not alert and that one that did likely depends on, the likeliest first."""
    most = needed.max(axis=0)
    most[place[place >= 0]] = 0.0
    ranked = np.argsort(-most, kind="stable")[:MOST_SILENT]
    likely: Ints = ranked[most[ranked] >= LEAST].astype(np.int64)
    return likely


def _fit(usual: Usual, number: Ints, place: Ints, notice: Floats, chance: Floats) -> Floats:
    """Return how much likelier each suspect makes who alerted and who did not than chance does, as logarithm.

    Services behind one other are reached together or not at all; so each draw of the map is judged by itself, and the
    mean is taken.
    """
    by_chance = np.clip(chance, 1e-3, 0.95)
    alerted = np.zeros(len(usual.names), dtype=bool)
    alerted[place[place >= 0]] = True
    gain = np.where(alerted, np.log((1 - (1 - notice) * (1 - by_chance)) / by_chance), np.log(1 - notice))
    found = np.zeros(len(number))
    for column in np.flatnonzero(number >= 0):
        drawn = usual.up.reached(int(number[column]), hops=HOPS)
        drawn[number[column]] = 0
        care = np.flatnonzero(reach.share(drawn) > causes.LEAST)
        if len(care):
            found[column] = logsumexp(gain[care] @ reach.unpacked(drawn[care])) - np.log(64.0 * drawn.shape[1])
    return found


def missing(usual: Usual, number: Ints, place: Ints, notice: Floats) -> list[list[tuple[str, float]]]:
    """Return for each suspect who depends on it directly and is silent, with how likely it would have alerted."""
    down = usual.down  # turned: `src` is what `dst` depends on
    likely = down.probability * causes.TRAVELS * notice[down.dst]
    arcs = np.flatnonzero(np.isin(down.src, number) & ~np.isin(down.dst, place) & (likely >= LEAST))
    found: dict[int, list[tuple[str, float]]] = {}
    for arc in arcs:
        found.setdefault(int(down.src[arc]), []).append((str(usual.names[down.dst[arc]]), float(likely[arc])))
    return [sorted(found.get(int(one), []), key=lambda caller: (-caller[1], caller[0])) for one in number]


def _deployed(names: NDArray[np.object_], deploys: pd.DataFrame | None, began: int) -> list[pd.Timestamp | None]:
    """Return the last deploy of each suspect shortly before the incident began; deploy tools spell names their way."""
    if deploys is None or deploys.empty:
        return [None] * len(names)
    start = pd.Timestamp(began, unit="us", tz="UTC")
    near = deploys[(deploys["at"] <= start) & (deploys["at"] >= start - BEFORE)]
    last = near.groupby(near["service"].astype("str").map(naming.key))["at"].max()
    return [last.get(naming.key(str(name))) for name in names]
