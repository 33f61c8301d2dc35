"""A network with known truth: alarms of kinds at devices, of which some cause others at the same or a near device."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt
import pandas as pd

from stanza_lab import _params, schema
from stanza_lab.errors import ParameterError

Floats = npt.NDArray[np.float64]
Ints = npt.NDArray[np.int64]

DAY = 86_400.0
NEIGHBOURS = 3  # devices next to each device
REPEATS = 2.5  # alarms a chattering one is followed by, on average
GENERATIONS = 100  # after which a cascade ends, whatever it was asked to be
ALARM_S = 120.0  # median length of an alarm


@dataclass(frozen=True, eq=False, repr=False)
class Network:
    """Simulated alarms of a network and the truth about them, as `simulate_network` returns it.

    Attributes
    ----------
    alerts : DataFrame
        `schema.ALERTS` without incident_id, sorted by starts_at: `alertname` is the kind, `service` the device.
    causes : DataFrame
        cause, effect: the kinds that truly cause each other, sorted; there is no circle.
    topology : DataFrame
        src, dst: devices next to each other, both ways, sorted.
    parameters : dict
        What `simulate_network` was called with; durations in seconds.
    """

    alerts: pd.DataFrame
    causes: pd.DataFrame
    topology: pd.DataFrame
    parameters: Mapping[str, Any]

    def __repr__(self) -> str:
        """Count what is there."""
        kinds, devices = self.parameters["kinds"], self.parameters["devices"]
        return f"Network({len(self.alerts):,} alarms of {kinds} kinds at {devices} devices, {len(self.causes)} causes)"


@dataclass(frozen=True)
class Alarms:
    """Alarms as columns, one entry per alarm."""

    begins: Floats  # seconds since the first instant
    kind: Ints
    place: Ints
    end: Floats  # of the cause while it is to come; then of the alarm itself

    @classmethod
    def joined(cls, parts: list[Alarms]) -> Alarms:
        """Put the alarms of all `parts` into one."""
        return cls(*(np.concatenate([getattr(part, name) for part in parts]) for name in cls.__annotations__))


@dataclass(frozen=True)
class Truth:
    """What is true of the kinds and devices of one network."""

    effects: Floats  # expected alarms of the column's kind that one alarm of the row's kind causes
    delay_s: Floats  # mean delay of each
    rate: Floats  # share of each kind among the alarms that nothing caused
    busy: Floats  # share of each device among them
    latency_s: Floats  # until an alarm of the kind is noticed
    length_s: Floats  # median length of an alarm of the kind
    near: Ints  # devices x NEIGHBOURS


def simulate_network(
    *,
    kinds: int = 18,
    devices: int = 55,
    days: int = 60,
    alarms: int = 20_000,
    density: float = 0.25,
    branching: float = 0.5,
    delay: _params.Duration = "30s",
    spill: float = 0.0,
    shared_shocks: float = 0.0,
    detection_latency: _params.Duration = "0s",
    tick: _params.Duration = "1s",
    chatter: float = 0.1,
    tied_clears: float = 0.4,
    missing_clears: float = 0.0,
    random_state: int = 0,
    start: _params.Instant = "2026-07-01",
) -> Network:
    """Simulate the alarms of a network in which it is known which kind of alarm causes which.

    Alarms come on their own, kind by kind and device by device, some far more often than others. Each may cause alarms
    of other kinds a little later, at its device or next to it, and these cause more. Nothing causes what caused it.

    Parameters
    ----------
    kinds : int, default 18
        Number of alarm kinds, at least 2.
    devices : int, default 55
        Number of devices, at least 1.
    days : int, default 60
        Length in days, at least 1. Fewer days for as many alarms bring unrelated alarms closer together.
    alarms : int, default 20,000
        About how many alarms there are in all, at least 0.
    density : float, default 0.25
        Share from 0 to 1 of the pairs of kinds of which one causes the other.
    branching : float, default 0.5
        Alarms that one alarm of the most fertile kind causes directly, from 0 to below 1. More makes effects stronger,
        cascades longer, and what follows from what harder to see.
    delay : str or Timedelta, default "30s"
        Median over the pairs of the mean delay from cause to effect; pairs differ by a factor of 3 and more.
    spill : float, default 0
        Share from 0 to 1 of effects that show at a neighbour of the device instead of at it.
    shared_shocks : float, default 0
        Share from 0 to 1 of the alarms without a cause that come from shocks: several unrelated kinds at one device at
        once, which end together. More looks like more causes.
    detection_latency : str or Timedelta, default "0s"
        The longest latency of a kind; each has its own, evenly from 0. More turns the order of cause and effect around.
    tick : str or Timedelta, default "1s"
        The clock's: starts are rounded down to it, ends up.
    chatter : float, default 0.1
        Share from 0 to 1 of alarms that come again several times right after they cleared.
    tied_clears : float, default 0.4
        Share from 0 to 1 of effects that clear right after their cause does, if it still stands when they come.
    missing_clears : float, default 0
        Share from 0 to 1 of alarms whose end is not known.
    random_state : int, default 0
        Seed; the same seed and parameters give the same tables.
    start : str or Timestamp, default "2026-07-01"
        First instant; a value without a zone is UTC.

    Returns
    -------
    Network
        Tables `alerts`, `causes` and `topology`, and the `parameters`.

    Raises
    ------
    ParameterError
        A parameter is outside its range.

    Examples
    --------
    >>> import stanza_lab as sl
    >>> network = sl.simulate_network(kinds=6, devices=10, days=7, alarms=500, random_state=1)
    >>> network
    Network(... alarms of 6 kinds at 10 devices, ... causes)
    >>> set(network.causes["cause"]) <= set(network.alerts["alertname"])
    True
    >>> network.topology.columns.tolist()
    ['src', 'dst']
    """
    began = _params.instant(start, "start").floor("s")
    parameters: dict[str, Any] = {
        "kinds": _params.at_least(kinds, "kinds", 2),
        "devices": _params.at_least(devices, "devices", 1),
        "days": _params.at_least(days, "days", 1),
        "alarms": _params.at_least(alarms, "alarms", 0),
        "density": _params.fraction(density, "density"),
        "branching": _params.fraction(branching, "branching"),
        "delay": _seconds(delay, "delay"),
        "spill": _params.fraction(spill, "spill"),
        "shared_shocks": _params.fraction(shared_shocks, "shared_shocks"),
        "detection_latency": _seconds(detection_latency, "detection_latency", zero=True),
        "tick": _seconds(tick, "tick"),
        "chatter": _params.fraction(chatter, "chatter"),
        "tied_clears": _params.fraction(tied_clears, "tied_clears"),
        "missing_clears": _params.fraction(missing_clears, "missing_clears"),
        "random_state": _params.at_least(random_state, "random_state", 0),
        "start": began.isoformat(),
    }
    if branching >= 1:
        raise ParameterError(f"branching={branching!r} would never end; pass less than 1, such as 0.5")
    # A stream of random numbers per concern, so that one knob does not shake the others.
    streams = [np.random.default_rng([random_state, concern]) for concern in range(5)]
    truth = _truth(streams[0], parameters)
    found = _cascades(streams[2], truth, _uncaused(streams[1], truth, parameters), parameters)
    found = Alarms.joined([found, _chatter(streams[3], found, parameters["chatter"])])
    cause, effect = np.nonzero(truth.effects)
    near = pd.DataFrame({"src": np.repeat(np.arange(devices), truth.near.shape[1]), "dst": truth.near.ravel()})
    both = pd.concat([near, near.rename(columns={"src": "dst", "dst": "src"})]).drop_duplicates()
    names = _names("kind", kinds)
    places = _names("device", devices)
    return Network(
        alerts=_table(streams[4], found, truth, parameters, names, places, began),
        causes=pd.DataFrame({"cause": names[cause], "effect": names[effect]}).astype("str"),
        topology=both.sort_values(["src", "dst"], ignore_index=True).apply(lambda c: pd.Series(places[c], dtype="str")),
        parameters=parameters,
    )


def _truth(rng: np.random.Generator, parameters: Mapping[str, Any]) -> Truth:
    kinds, devices = parameters["kinds"], parameters["devices"]
    rank = rng.permutation(kinds)  # a kind only causes kinds of a higher rank: no circles
    causes = (rank[:, None] < rank) & (rng.random((kinds, kinds)) < parameters["density"])
    effects = causes * rng.gamma(1.0, 1.0, (kinds, kinds))
    effects = effects * parameters["branching"] / max(effects.sum(axis=1).max(), 1e-9)
    rate = np.exp(rng.normal(0, 1.2, kinds))
    busy = np.exp(rng.normal(0, 0.8, devices))
    at = rng.random((devices, 2))
    apart = ((at[:, None] - at) ** 2).sum(axis=2)
    return Truth(
        effects=effects,
        delay_s=parameters["delay"] * np.exp(rng.normal(0, 1, (kinds, kinds))),
        rate=rate / rate.sum(),
        busy=busy / busy.sum(),
        latency_s=rng.uniform(0, 1, kinds) * parameters["detection_latency"],
        length_s=ALARM_S * np.exp(rng.normal(0, 1, kinds)),
        near=np.argsort(apart, axis=1, kind="stable")[:, 1 : NEIGHBOURS + 1],
    )


def _uncaused(rng: np.random.Generator, truth: Truth, parameters: Mapping[str, Any]) -> Alarms:
    """Draw the alarms that no other alarm caused: each on its own, or several by a shock."""
    kinds, devices = parameters["kinds"], parameters["devices"]
    span = parameters["days"] * DAY
    family = np.linalg.solve(np.eye(kinds) - truth.effects, np.ones(kinds))  # alarms that come of one, itself included
    wanted = parameters["alarms"] / (truth.rate @ family) / (1 + REPEATS * parameters["chatter"])
    of_shocks = wanted * parameters["shared_shocks"]
    alone = round(wanted - of_shocks)
    shocks = round(of_shocks / 4)
    at, place, ends = rng.uniform(0, span, shocks), rng.integers(devices, size=shocks), rng.exponential(600, shocks)
    hit = np.argsort(rng.random((shocks, kinds)), axis=1)  # the first few of each row are the kinds it hits
    which, nth = np.nonzero(np.arange(kinds) < (2 + rng.poisson(2, shocks))[:, None])
    own = Alarms(
        begins=rng.uniform(0, span, alone),
        kind=rng.choice(kinds, alone, p=truth.rate),
        place=rng.choice(devices, alone, p=truth.busy),
        end=np.full(alone, -np.inf),
    )
    shocked = Alarms(
        begins=at[which] + rng.exponential(20, len(which)),
        kind=hit[which, nth],
        place=place[which],
        end=(at + ends)[which],
    )
    return Alarms.joined([own, shocked])


def _cascades(rng: np.random.Generator, truth: Truth, alarms: Alarms, parameters: Mapping[str, Any]) -> Alarms:
    """Add what the alarms cause, and what that causes, and so on; give each its end."""
    done = []
    for _ in range(GENERATIONS):
        end = alarms.begins + truth.length_s[alarms.kind] * np.exp(rng.normal(0, 1, len(alarms.begins)))
        tied = (alarms.end > alarms.begins) & (rng.random(len(end)) < parameters["tied_clears"])
        end = np.where(tied, alarms.end + rng.exponential(30, len(end)), end)
        done.append(Alarms(alarms.begins, alarms.kind, alarms.place, end))
        if not len(end):
            break
        drawn = rng.poisson(truth.effects[alarms.kind])
        parent, kind = np.nonzero(drawn)
        times = drawn[parent, kind]
        parent, kind = np.repeat(parent, times), np.repeat(kind, times)
        place = alarms.place[parent]
        if truth.near.shape[1]:
            spilt = rng.random(len(place)) < parameters["spill"]
            place = np.where(spilt, truth.near[place, rng.integers(truth.near.shape[1], size=len(place))], place)
        delay = rng.exponential(truth.delay_s[alarms.kind[parent], kind])
        alarms = Alarms(alarms.begins[parent] + delay, kind, place, end[parent])
    return Alarms.joined(done)


def _chatter(rng: np.random.Generator, alarms: Alarms, share: float) -> Alarms:
    """Return the alarms that come again after some of `alarms` cleared."""
    times = np.where(rng.random(len(alarms.begins)) < share, 1 + rng.poisson(REPEATS - 1, len(alarms.begins)), 0)
    again = np.repeat(np.arange(len(times)), times)
    at = alarms.end[again] + rng.exponential(90, len(again))
    return Alarms(at, alarms.kind[again], alarms.place[again], at + rng.exponential(60, len(again)))


def _table(
    rng: np.random.Generator,
    alarms: Alarms,
    truth: Truth,
    parameters: Mapping[str, Any],
    names: npt.NDArray[Any],
    places: npt.NDArray[Any],
    began: pd.Timestamp,
) -> pd.DataFrame:
    """Return the alarms as the network's monitoring would show them."""
    tick = parameters["tick"]
    noticed = np.floor((alarms.begins + truth.latency_s[alarms.kind]) / tick) * tick
    cleared = np.ceil(np.maximum(alarms.end + truth.latency_s[alarms.kind], noticed + 1) / tick) * tick
    cleared = np.where(rng.random(len(cleared)) < parameters["missing_clears"], np.nan, cleared)
    order = np.lexsort((cleared, alarms.place, alarms.kind, noticed))
    kind, place = names[alarms.kind[order]], places[alarms.place[order]]
    ids = [f"alarm-{number:07d}" for number in range(len(order))]
    blank = pd.Series([None] * len(order), dtype=object)
    known = {
        "alert_id": ids,
        "source": "network",
        "event_ids": [[one] for one in ids],
        "rule_key": np.char.add(np.char.add(kind.astype(str), "@"), place.astype(str)),
        "alertname": kind,
        "starts_at": began + pd.to_timedelta(noticed[order], unit="s"),
        "ends_at": began + pd.to_timedelta(cleared[order], unit="s"),
        "time_source": "event",
        "service": place,
        "summary": np.char.add(np.char.add(kind.astype(str), " at "), place.astype(str)),
        "labels": "{}",
    }
    need = [name for name in schema.ALERTS.names if name != "incident_id"]
    return schema.check(pd.DataFrame({name: known.get(name, blank) for name in need}), schema.ALERTS, need=need)


def _names(what: str, count: int) -> npt.NDArray[Any]:
    width = len(str(count))
    return np.array([f"{what}-{number:0{width}d}" for number in range(1, count + 1)], dtype=object)


def _seconds(value: _params.Duration, name: str, *, zero: bool = False) -> float:
    return float(_params.duration(value, name, zero=zero).total_seconds())
