"""What the clusterer looks at: when an alert fired and recovered, where, by which rule, for whom, in which requests."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, fields
from functools import cached_property, lru_cache

import numpy as np
import pandas as pd
from pandas import NaT

UNKNOWN = -1
FEW = 16  # alerts that are read one by one
NAMED = ("service", "team", "environment", "source", "rule", "kind")
LISTED = ("trace_ids", "resources")
_CHANGING = re.compile(r"\b[0-9a-fA-F]{8,}\b|\d+")
_MANY = 2**32  # more than there are environments
_NOT_PER_ALERT = ("origin_us", "lists", "telling")


@dataclass(frozen=True)
class Vocabulary:
    """The names that codes stand for, one index per attribute; names of later alerts come after."""

    names: Mapping[str, pd.Index]

    def codes(self, name: str, values: pd.Series) -> np.ndarray:
        """Return codes of `values`: -1 for null, new names counted on from the end."""
        known = self.names.get(name, pd.Index([], dtype="str"))
        codes, names = pd.factorize(values)
        place = known.get_indexer(names)
        new = place < 0
        place[new] = len(known) + np.arange(int(new.sum()))
        return np.asarray(np.r_[place, UNKNOWN][codes], dtype=np.int64)

    def codes_of_few(self, name: str, values: Iterable[str | None]) -> np.ndarray:
        """Return what `codes` does, one value after the other."""
        if name not in self._places:
            known = self.names.get(name, pd.Index([], dtype="str"))
            self._places[name] = {text: place for place, text in enumerate(known.tolist())}
        places, found = self._places[name], []
        new: dict[str, int] = {}
        for value in values:
            if value is None:
                found.append(UNKNOWN)
            else:
                place = places.get(value)
                found.append(new.setdefault(value, len(places) + len(new)) if place is None else place)
        return np.array(found, dtype=np.int64)

    @cached_property
    def _places(self) -> dict[str, dict[str, int]]:
        return {}

    def extended(self, name: str, values: pd.Series) -> pd.Index:
        """Return the index of `name` with the names in `values` that it lacks, in the order of `codes`."""
        known = self.names.get(name, pd.Index([], dtype="str"))
        names = pd.Index(pd.factorize(values)[1])
        new = known.get_indexer(names) < 0
        return known.append(names[new]) if new.any() else known


@dataclass(frozen=True)
class Features:
    """One entry per alert, in canonical order: by time, so that no result depends on the order of the rows.

    `seconds` and `ends` count from `origin_us` (microseconds since 1970); an end is NaN when unknown. Codes are -1 when
    nothing is known. `rule` is the recurring alert, `kind` the template of its name or, without one, of its summary.
    `telling` are the sources that ever told two environments apart: only there are two names two environments. `lists`
    holds (entry, code) pairs of trace ids and resources. `rows` says which row of the input an entry is.
    """

    origin_us: int
    seconds: np.ndarray
    ends: np.ndarray
    service: np.ndarray
    team: np.ndarray
    environment: np.ndarray
    source: np.ndarray
    rule: np.ndarray
    kind: np.ndarray
    lists: Mapping[str, tuple[np.ndarray, np.ndarray]]
    telling: np.ndarray
    rows: np.ndarray

    def __len__(self) -> int:
        return len(self.seconds)

    def take(self, places: np.ndarray) -> Features:
        """Return the entries at `places`, which must be sorted, as features of their own."""
        back = np.full(len(self), UNKNOWN)
        back[places] = np.arange(len(places))
        lists = {}
        for name, (entry, code) in self.lists.items():
            kept = back[entry] >= 0
            lists[name] = (back[entry[kept]], code[kept])
        arrays = {f.name: getattr(self, f.name)[places] for f in fields(self) if f.name not in _NOT_PER_ALERT}
        return Features(origin_us=self.origin_us, lists=lists, telling=self.telling, **arrays)

    @cached_property
    def place(self) -> np.ndarray:
        """The environment, where its source tells several apart: `prod` of one may be `production` of another."""
        return np.where(np.isin(self.source, self.telling), self.environment, UNKNOWN)

    @cached_property
    def shared(self) -> dict[str, tuple[np.ndarray, np.ndarray]]:
        """For traces and resources: where an entry's codes begin and end, and the codes, sorted by entry."""
        found = {}
        for name, (entry, code) in self.lists.items():
            order = np.lexsort([code, entry])
            found[name] = (np.searchsorted(entry[order], np.arange(len(self) + 1)), code[order])
        return found

    def share(self, name: str, left: np.ndarray, right: np.ndarray) -> np.ndarray:
        """Return whether two entries have a trace, or a resource, in common."""
        common = np.zeros(len(left), dtype=bool)
        if name not in self.shared:
            return common
        start, codes = self.shared[name]
        counts = np.diff(start)
        both = np.flatnonzero((counts[left] > 0) & (counts[right] > 0))
        width = int(counts.max()) if len(both) else 0
        for a in range(width):  # a few ids each: every id of one side against every id of the other
            for b in range(width):
                there = both[(counts[left[both]] > a) & (counts[right[both]] > b)]
                common[there] |= codes[start[left[there]] + a] == codes[start[right[there]] + b]
        return common


def from_alerts(
    alerts: pd.DataFrame, vocabulary: Vocabulary | None = None, *, learn: bool = True
) -> tuple[Features, Vocabulary]:
    """Return the features of checked `alerts` and the names their codes stand for.

    Rows without `starts_at` are left out. With the `vocabulary` of former alerts, equal names get equal codes. Unless
    they are to `learn` from, new names are not kept.
    """
    vocabulary = vocabulary or Vocabulary({})
    if not learn and len(alerts) <= FEW:
        found = from_few(alerts, vocabulary)
        if found is not None:
            return found, vocabulary
    rows = np.flatnonzero(alerts["starts_at"].notna().to_numpy())
    known = alerts.iloc[rows].reset_index(drop=True)
    named = {name: _named(known, name) for name in NAMED}
    named["rule"] = _apart(named["rule"], vocabulary)
    micros = known["starts_at"].astype("int64").to_numpy()
    order = _canonical(known, micros)
    origin = int(micros.min()) if len(micros) else 0
    ends = np.full(len(known), np.nan)
    if "ends_at" in known:
        some = known["ends_at"].notna().to_numpy()
        ends[some] = (known["ends_at"][some].astype("int64").to_numpy() - origin) / 1e6
    codes = {name: vocabulary.codes(name, values)[order] for name, values in named.items()}
    names = dict(vocabulary.names)
    if learn:
        names |= {name: vocabulary.extended(name, values) for name, values in named.items()}
    names["stated"], telling = _stated(codes["source"], codes["environment"], vocabulary)
    lists = {}
    for name in LISTED:
        if name in known:
            pairs = known[name].iloc[order].reset_index(drop=True).explode().dropna()
            if len(pairs):
                lists[name] = (pairs.index.to_numpy(), vocabulary.codes(name, pairs))
                names[name] = vocabulary.extended(name, pairs)
    features = Features(
        # seconds since the first alert: shifting all times changes nothing, to the bit
        origin_us=origin,
        seconds=(micros[order] - origin) / 1e6,
        ends=ends[order],
        lists=lists,
        telling=telling,
        rows=rows[order],
        **codes,
    )
    return features, Vocabulary(names)


def from_few(alerts: pd.DataFrame, vocabulary: Vocabulary) -> Features | None:
    """Return what `from_alerts` does of a few checked alerts at different times, else None.

    Row by row: for one alert, columns cost ten times as much.
    """
    micros = alerts["starts_at"].array.asi8
    if not len(alerts) or (micros == NaT.value).any() or (np.diff(micros) <= 0).any():
        return None
    told = {name: alerts[name].tolist() for name in alerts.columns}
    columns = {name: _texts_of_few(told, name, len(alerts)) for name in NAMED}
    codes = {name: vocabulary.codes_of_few(name, values) for name, values in columns.items()}
    lists = {}
    for name in LISTED:
        pairs = [(row, text) for row, texts in enumerate(told.get(name, ())) for text in texts]
        if pairs:
            entries, texts = zip(*pairs, strict=True)
            lists[name] = (np.array(entries), vocabulary.codes_of_few(name, texts))
    ends = alerts["ends_at"].array.asi8 if "ends_at" in told else np.full(len(alerts), NaT.value)
    return Features(
        origin_us=int(micros[0]),
        seconds=(micros - micros[0]) / 1e6,
        ends=np.where(ends == NaT.value, np.nan, (ends - micros[0]) / 1e6),
        lists=lists,
        telling=_stated(codes["source"], codes["environment"], vocabulary)[1],
        rows=np.arange(len(alerts)),
        **codes,
    )


def from_numbers(numbers: np.ndarray, vocabulary: Vocabulary | None = None) -> tuple[Features, Vocabulary]:
    """Return the features of columns (seconds, service code, team code); more are not used, fewer are all alike."""
    vocabulary = vocabulary or Vocabulary({})
    order = np.lexsort(numbers.T[::-1])
    columns = numbers[order]
    n = len(columns)
    named = {"rule": _apart(pd.Series(np.nan, index=range(n), dtype="str"), vocabulary)}
    for i, name in enumerate(("service", "team"), start=1):
        named[name] = pd.Series(columns[:, i] if columns.shape[1] > i else np.zeros(n))
    unknown = np.full(n, UNKNOWN)
    origin = round(float(columns[0, 0]) * 1e6)
    features = Features(
        origin_us=origin,
        seconds=columns[:, 0] - columns[0, 0],
        ends=np.full(n, np.nan),
        environment=unknown,
        source=unknown,
        kind=unknown,
        lists={},
        telling=unknown[:0],
        rows=order,
        **{name: vocabulary.codes(name, values) for name, values in named.items()},
    )
    return features, Vocabulary({name: vocabulary.extended(name, values) for name, values in named.items()})


def shifted(features: Features, origin_us: int) -> Features:
    """Return `features` with times counted from another origin."""
    by = (features.origin_us - origin_us) / 1e6
    values = {f.name: getattr(features, f.name) for f in fields(features)}
    return Features(**(values | {"origin_us": origin_us, "seconds": features.seconds + by, "ends": features.ends + by}))


def joined(first: Features, second: Features) -> tuple[Features, np.ndarray]:
    """Return both in one, in the order of time, and for each entry its place among first, then second."""
    second = shifted(second, first.origin_us)
    order = np.argsort(np.r_[first.seconds, second.seconds], kind="stable")
    back = np.empty(len(order), dtype=np.int64)
    back[order] = np.arange(len(order))
    lists = {}
    for name in {*first.lists, *second.lists}:
        entries, codes = [], []
        for offset, side in ((0, first), (len(first), second)):
            entry, code = side.lists.get(name, (np.zeros(0, dtype=np.int64), np.zeros(0, dtype=np.int64)))
            entries.append(back[entry + offset])
            codes.append(code)
        lists[name] = (np.concatenate(entries), np.concatenate(codes))
    arrays = {
        f.name: np.concatenate([getattr(first, f.name), getattr(second, f.name)])[order]
        for f in fields(first)
        if f.name not in _NOT_PER_ALERT
    }
    telling = np.union1d(first.telling, second.telling)
    return Features(origin_us=first.origin_us, lists=lists, telling=telling, **arrays), order


def _named(alerts: pd.DataFrame, name: str) -> pd.Series:
    """Return the values of an attribute as text; `rule` is `rule_key`, or else alert name and service."""
    nothing = pd.Series(pd.NA, index=alerts.index, dtype="str")
    if name == "kind":
        text = next((alerts[column] for column in ("alertname", "summary") if column in alerts), nothing)
        return text.astype("object").map(template, na_action="ignore").astype("str")
    if name != "rule":
        return alerts[name].astype("str") if name in alerts else nothing
    keys = alerts["rule_key"].astype("str") if "rule_key" in alerts else nothing
    if "alertname" not in alerts or keys.notna().all():
        return keys
    named = alerts["alertname"].astype("str")
    return keys.fillna(named + "\n" + alerts["service"].astype("str").fillna("") if "service" in alerts else named)


@lru_cache(maxsize=65_536)
def template(text: str) -> str:
    """Return a text without what changes from one time to the next: numbers and hexadecimal ids."""
    return _CHANGING.sub("#", str(text))


def _texts_of_few(told: Mapping[str, list], name: str, count: int) -> list[str | None]:
    """Return what `_named` and `_apart` do, row by row; an unknown rule gets a name that no rule has."""

    def texts(column: str) -> list[str | None]:
        return [None if pd.isna(value) else str(value) for value in told.get(column, [None] * count)]

    if name == "kind":
        kinds = texts("alertname" if "alertname" in told else "summary")
        return [None if kind is None else template(kind) for kind in kinds]
    if name != "rule":
        return texts(name)
    rules = [
        key if key is not None or named is None else f"{named}\n{place or ''}" if "service" in told else named
        for key, named, place in zip(texts("rule_key"), texts("alertname"), texts("service"), strict=True)
    ]
    return [f"\0{row}?" if rule is None else rule for row, rule in enumerate(rules)]


def _apart(rules: pd.Series, vocabulary: Vocabulary) -> pd.Series:
    """Give every unknown rule a name of its own: it is one by itself."""
    unknown = np.flatnonzero(rules.isna().to_numpy())
    if not len(unknown):
        return rules
    known = len(vocabulary.names.get("rule", ()))
    own = pd.Series([f"\0{known + i}" for i in range(len(unknown))], index=rules.index[unknown], dtype="str")
    return rules.fillna(own)


def _canonical(alerts: pd.DataFrame, micros: np.ndarray) -> np.ndarray:
    """Return the order by time; services and teams come last: only alerts that nothing else tells apart need them."""
    if (np.diff(micros) > 0).all():  # one alert, or sorted already
        return np.arange(len(micros))
    keys = [name for name in ("rule_key", "alertname", "alert_id", "service", "team") if name in alerts]
    return np.lexsort([*(_ranks(alerts[name]) for name in reversed(keys)), micros])


def _ranks(values: pd.Series) -> np.ndarray:
    return np.asarray(pd.factorize(values, sort=True, use_na_sentinel=False)[0])


def _stated(source: np.ndarray, environment: np.ndarray, vocabulary: Vocabulary) -> tuple[pd.Index, np.ndarray]:
    """Return which source stated which environment, ever, and the sources that stated two of them or more."""
    now = np.unique(source[environment >= 0] * _MANY + environment[environment >= 0])
    stated = np.union1d(vocabulary.names.get("stated", pd.Index([], dtype="int64")), now).astype(np.int64)
    sources, count = np.unique(stated // _MANY, return_counts=True)
    return pd.Index(stated), sources[count > 1]
