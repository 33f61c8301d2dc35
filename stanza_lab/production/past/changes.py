"""What appeared on a map and what vanished between two times, and what of that is no more than a silence."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd

from stanza_lab import schema
from stanza_lab.errors import ParameterError
from stanza_lab.production import neighbours, words
from stanza_lab.production.past import days as days_of
from stanza_lab.production.past import past_map as past
from stanza_lab.production.past import silence
from stanza_lab.production.past.days import Days, by_calendar, extent, of_pairs

if TYPE_CHECKING:
    from stanza_lab.dependencies import DependencyModel
    from stanza_lab.production.map import ProductionMap
    from stanza_lab.production.past.days import PairSilences
    from stanza_lab.production.past.silence import Silences

KINDS = (
    "service gone",
    "dependency gone",
    "service appeared",
    "dependency appeared",
    "became surer",
    "became less sure",
    "not judged",
)
COLUMNS = ("what", "service", "src", "dst", "before", "after", "at", "expected", "probability", "words")
MOVED = 0.2  # of a probability: less is not worth a word


def between(production: ProductionMap, since: pd.Timestamp, until: pd.Timestamp | None) -> pd.DataFrame:
    """Return the changes of a map, or of a view of it; see `ProductionMap.changes`."""
    now = past.model_of(production, "changes")
    if until is not None:
        now = now.as_of(until)
    since, end = _window(now, since, until)
    before = _strengths(now.as_of(since).edges_, production)
    after = _strengths(now.edges_, production)
    bar = neighbours.USUAL  # of a guess nobody can say that it is gone
    watched = before.index[before >= bar].union(after.index[after >= bar])
    days = days_of.count(now, watched, since, end)
    rows = [
        *_services(days, production.whole._alerts),
        *_links(days, before.reindex(watched), after.reindex(watched), bar),
    ]
    found = _table(rows)
    if production._parent is None:
        return found
    here = production._services["service"]
    touches = found[["service", "src", "dst"]].isin(set(here)).any(axis=1) | (found["what"] == "not judged")
    return found[touches].reset_index(drop=True)


def _window(
    model: DependencyModel, since: pd.Timestamp, until: pd.Timestamp | None
) -> tuple[pd.Timestamp, pd.Timestamp]:
    """Return the window in whole slices, or say why there is none."""
    slices = model.statistics_.slices
    if slices.empty:
        raise ParameterError(f"until={until}: nothing had alerted by then")
    length = pd.Timedelta(model.statistics_.counting.slice, unit="us")
    since, end = past.start_of_slice(model, since), slices[-1] + length
    end = end if until is None else max(past.start_of_slice(model, until), end)
    if not since < end:
        raise ParameterError(
            f"since={since} leaves nothing to look at: the history goes from {slices[0]} to {end}; pass an earlier time"
        )
    return since, end


def _strengths(edges: pd.DataFrame, production: ProductionMap) -> pd.Series:
    """Return (a, b) with a < b -> link confidence by alerts; links that were seen are there at any time, with theirs.

    These are the model's own, before any overlay or calibration, so that two days compare.
    """
    table = pd.DataFrame({"a": edges[["src", "dst"]].min(axis=1), "b": edges[["src", "dst"]].max(axis=1)})
    inferred = edges["link_confidence"].groupby([table["a"], table["b"]]).max()
    drawn = production.whole._links
    seen = drawn[drawn["seen"]]
    names = [seen[["src", "dst"]].min(axis=1), seen[["src", "dst"]].max(axis=1)]
    certain = pd.Series(1.0, index=pd.MultiIndex.from_arrays(names, names=["a", "b"]))
    return certain.combine_first(inferred).rename_axis(["a", "b"])


def _services(days: Days, alerts: pd.DataFrame | None) -> list[dict[str, Any]]:
    """Return a row for each service that is gone, and for each that is seen for the first time."""
    gone, back = by_calendar(days), by_calendar(days.mirrored())
    days_seen = extent(days.alone, len(days.names))
    there = (days_seen["first"] < days.since).to_numpy(bool, na_value=False)
    claims = silence.claimed(gone.probability, np.where(there, gone.at_best, 1.0))
    missing = claims & there & ~_gone_before(days)
    times = _exact(days, days_seen, alerts)
    rows = []
    for i in np.flatnonzero(missing).tolist():
        name, last = str(days.names[i]), times["last"].iloc[i]
        said = (
            f"{name} alerted on {words.count(int(gone.events[i]), 'day')}, last on {last:%Y-%m-%d}; in the last "
            f"{words.count(int(gone.silent[i]), 'day')}, {_number_of(gone.expected[i])} more were to be expected "
            f"(chance of none: {words.rate(float(gone.probability[i]))}). It is gone, or its monitors are"
        )
        rows.append(_row(KINDS[0], said, service=name, at=last, of=gone, i=i))
    for i in np.flatnonzero((days_seen["first"] >= days.since).to_numpy(bool, na_value=False)).tolist():
        name, first = str(days.names[i]), times["first"].iloc[i]
        said = f"{name} alerted for the first time on {first:%Y-%m-%d}; " + _newly(back, i, days.time(days.since))
        rows.append(_row(KINDS[2], said, service=name, at=first, of=back, i=i))
    rows += _unproven(there & ~claims, gone, "service", "alert", days.names)
    return rows


def _gone_before(days: Days) -> np.ndarray:
    """Return which services could be called gone when the window began: they did not vanish in it."""
    early = days.alone[days.alone["day"] < days.since]
    then = Days(days.names, days.pairs, early, days.together, days.start, days.start, days.since, days.length)
    before = by_calendar(then)
    return silence.claimed(before.probability, before.at_best)


def _unproven(
    there: np.ndarray, gone: Silences | PairSilences, thing: str, did: str, names: pd.Index
) -> list[dict[str, Any]]:
    """Return a row that counts what was silent in all the window and yet may be there, the least likely by name."""
    silent = np.flatnonzero(there & (gone.silent >= gone.window))
    if not len(silent):
        return []
    said = f"{words.count(len(silent), thing)} did not {did} since, too rare before to tell whether gone"
    order = silent[np.argsort(gone.probability[silent], kind="stable")]
    named = [f"{names[i]} ({words.rate(float(gone.probability[i]))})" for i in order if gone.probability[i] < 0.2]
    if named:
        said += f"; the least likely by chance: {words.listing(named)}"
    return [_row(KINDS[6], said)]


def _newly(back: Silences, i: int, since: pd.Timestamp) -> str:
    """Say how sure it is that a service that is first seen is new."""
    if back.events[i] < 2 or not back.silent[i]:
        return f"whether it is new cannot be told from {'one day' if back.silent[i] else 'no day before'}"
    days, chance = words.count(int(back.silent[i]), "day"), words.rate(float(back.probability[i]))
    if back.probability[i] > silence.ALPHA:
        return f"it may have been there in the {days} before {since:%Y-%m-%d}, and silent (chance of that: {chance})"
    return f"had it been there in the {days} before {since:%Y-%m-%d}, it would have alerted (chance of none: {chance})"


def _exact(days: Days, days_seen: pd.DataFrame, alerts: pd.DataFrame | None) -> pd.DataFrame:
    """Return when each service alerted first and last: by its alerts, without them the start of the day."""
    found = pd.DataFrame(
        {name: [pd.NaT if pd.isna(day) else days.time(day) for day in days_seen[name]] for name in ("first", "last")}
    ).astype(schema.TIME_DTYPE)
    if alerts is None or alerts.empty:
        return found
    known = alerts[alerts["starts_at"] < days.time(days.end)]
    times = known["starts_at"].groupby(known["service"].astype("str")).agg(["min", "max"]).reindex(days.names)
    times = times.set_axis(["first", "last"], axis=1).reset_index(drop=True).astype(schema.TIME_DTYPE)
    return times.where(times.notna(), found)


def _links(days: Days, before: pd.Series, after: pd.Series, bar: float) -> list[dict[str, Any]]:
    """Return a row for each dependency that is gone, new, or of which the probability moved."""
    mirror = days.mirrored()
    gone, back = of_pairs(days), of_pairs(mirror)
    days_seen = extent(days.together, len(days.pairs))
    first = extent(days.alone, len(days.names))["first"].fillna(days.end).to_numpy("int64")
    new_end = [days.pairs[side].where(first[days.pairs[side]] >= days.since, -1).to_numpy("int64") for side in "ab"]
    new = np.maximum(*new_end)
    vanished = silence.claimed(gone.probability, gone.at_best)
    appeared = silence.claimed(back.probability, back.at_best)
    then, now = before.fillna(0.0).to_numpy(), after.fillna(0.0).to_numpy()
    late = (days_seen["first"] >= days.since).to_numpy(bool, na_value=False)
    rows = []
    for i, (a, b) in enumerate(before.index):
        ends: dict[str, Any] = {"src": a, "dst": b, "before": before.iloc[i], "after": after.iloc[i]}
        told = f"{_sure(then[i])} then, {_sure(now[i])} now"
        if vanished[i] and not late[i]:
            at = days.time(days_seen["last"].iloc[i])
            said = (
                f"{a} and {b} alerted together on {words.count(int(gone.events[i]), 'day')}, last on {at:%Y-%m-%d}; "
                f"on none of the last {words.count(int(gone.silent[i]), 'day')} on which {days.names[gone.node[i]]} "
                f"alerted, where {_number_of(gone.expected[i])} were to be expected "
                f"(chance of none: {words.rate(float(gone.probability[i]))}); both still alert"
            )
            rows.append(_row(KINDS[1], said, at=at, of=gone, i=i, **ends))
        elif now[i] >= bar > then[i] and late[i] and (new[i] >= 0 or appeared[i]):
            at = days.time(days_seen["first"].iloc[i])
            said = f"{a} and {b} alert together since {at:%Y-%m-%d}, on {words.count(int(back.events[i]), 'day')}; "
            if new[i] >= 0:
                said += f"{days.names[new[i]]} itself is first seen in this time"
                rows.append(_row(KINDS[3], said, at=at, **ends))
                continue
            said += (
                f"never on the {words.count(int(back.silent[i]), 'day')} on which {days.names[back.node[i]]} alerted "
                f"before {days.time(days.since):%Y-%m-%d} (chance of that: {words.rate(float(back.probability[i]))})"
            )
            rows.append(_row(KINDS[3], said, at=at, of=back, i=i, **ends))
        elif now[i] - then[i] >= MOVED:
            said = f"{a} and {b}: {told}. Nothing shows that it is new: it may have been there all along"
            rows.append(_row(KINDS[4], said, **ends))
        elif then[i] - now[i] >= MOVED:
            rows.append(_row(KINDS[5], f"{a} and {b}: {told}. Nothing shows that it is gone", **ends))
    pairs = pd.Index([f"{a} with {b}" for a, b in before.index])
    rows += _unproven((then >= bar) & ~late & ~vanished, gone, "dependency", "alert together", pairs)
    return rows


def _sure(value: float) -> str:
    return words.probability(value) if value else "not on the map"


def _number_of(expected: float) -> str:
    return f"{expected:.0f}" if expected >= 10 else f"{expected:.1f}"


def _row(
    what: str, said: str, *, of: Silences | PairSilences | None = None, i: int = 0, **known: Any
) -> dict[str, Any]:
    if of is not None and of.silent[i] and of.events[i] > 1:
        known |= {"expected": of.expected[i], "probability": of.probability[i]}
    return {"what": what, "words": f"{said}.", **known}


def _table(rows: list[dict[str, Any]]) -> pd.DataFrame:
    texts, numbers = ["service", "src", "dst", "words"], ["before", "after", "expected", "probability"]
    table = pd.DataFrame(rows, columns=COLUMNS)
    table = table.astype(dict.fromkeys(texts, "str") | dict.fromkeys(numbers, "float64"))
    table["what"] = pd.Categorical(table["what"], KINDS, ordered=True)
    table["at"] = pd.to_datetime(table["at"], utc=True).astype(schema.TIME_DTYPE)
    order = ["what", "probability", "service", "src", "dst"]
    return table.sort_values(order, ignore_index=True, kind="stable")
