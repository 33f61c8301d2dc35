"""Fold events into alerts: equal facts become one, facts of one rule become its firing intervals.

Everything happens on whole columns. Rows are put in order once; "the first value of each group" is then one indexed
assignment (`_first`), and a group of rows is a run of equal numbers.
"""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from itertools import chain, pairwise
from typing import Any

import numpy as np
import numpy.typing as npt
import pandas as pd

from stanza_lab import _params, schema
from stanza_lab.errors import SchemaError
from stanza_lab.history import bursts, definitions

FOLDING = 5  # raise it when the same events fold into other alerts: stored results of another number are not used
QUIET_GAP = "30min"
ALERTING = ("fired", "renotified", "acknowledged", "resolved")
ALERT_COLUMNS = [name for name in schema.ALERTS.names if name != "incident_id"]
_FACT = ["source", "event_id"]
_BARE = ["source", "alertname", "bare"]
_NEED = [*_FACT, "rule_key", "at", "kind"]
_LISTS = [column.name for column in schema.EVENTS.columns if column.dtype == "strings"]
_TOLD = {c.name for c in schema.ALERTS.columns if c.dtype in ("category", "str")} - {"alert_id", "severity_raw"}

Ints = npt.NDArray[np.intp]
Mask = npt.NDArray[np.bool_]


def fold_events(events: pd.DataFrame, *, quiet_gap: _params.Duration = QUIET_GAP) -> pd.DataFrame:
    """Fold events into alerts, one row per firing interval.

    Rows with the same source and event id are one fact, told once or in several shapes (see `History.events`). The
    facts of one rule, in order of time, make its intervals: firing while nothing is open starts an alert, firing again
    while it is open is a re-notification, the first acknowledgement and the recovery give `acked_at` and `ends_at`. A
    recovery (or an acknowledgement) of something never seen firing is an alert with unknown start. Fired and recovered
    at one instant leave the rule as it was: where nothing is open the firing comes first, where an alert is open the
    recovery. Where the vendor has a key for the occurrence, or the record states its own `starts_at`, that decides the
    interval instead. Events without a time that state neither are alerts of their own, without times. Events of kind
    changed and note are no alerts; the notes that define a rule fill what its alerts lack (see `definitions.fill`), and
    log lines are alerts where they come in bursts (see `bursts.add_bursts`).

    Parameters
    ----------
    events : DataFrame
        `schema.EVENTS`; at least source, event_id, rule_key, at and kind. `has_recovery` counts as true when absent.
    quiet_gap : duration, default "30min"
        For rules whose source never reports a recovery: firing later than this after the rule's last record starts a
        new alert; longer than zero. A larger value gives fewer and longer alerts. Their `ends_at` stays null.

    Returns
    -------
    DataFrame
        `schema.ALERTS` without `incident_id`, sorted by `starts_at` (`ends_at` where that is null), then `alert_id`;
        times unknown come last. The same events in any order and any split give the same table. `event_ids` are in
        order of time; severity is the highest of the firing events, other text comes from the first that has it.

    Raises
    ------
    SchemaError
        A needed column is missing or null where it must not be.
    ParameterError
        `quiet_gap` is not a duration.

    Examples
    --------
    >>> from stanza_lab import fold_events, schema
    >>> row = {"source": "datadog", "rule_key": "7|checkout", "has_recovery": True}
    >>> events = schema.build(
    ...     [
    ...         {**row, "event_id": "a", "native_ids": ["a"], "kind": "fired", "at": 0},
    ...         {**row, "event_id": "b", "native_ids": ["b"], "kind": "fired", "at": 60_000_000},
    ...         {**row, "event_id": "c", "native_ids": ["c"], "kind": "resolved", "at": 90_000_000},
    ...     ],
    ...     schema.EVENTS,
    ... )
    >>> alerts = fold_events(events)
    >>> alerts["event_ids"].tolist()
    [['a', 'b', 'c']]
    >>> (alerts["ends_at"] - alerts["starts_at"]).dt.total_seconds().tolist()
    [90.0]
    """
    gap = _params.duration(quiet_gap, "quiet_gap")
    facts = merge_shapes(events)
    return fold_facts(facts, definitions.latest(facts), gap)


def fold_facts(facts: pd.DataFrame, defined: pd.DataFrame, gap: pd.Timedelta) -> pd.DataFrame:
    """Fold facts into alerts as `fold_events` does, given the definitions of their rules (see `definitions.latest`)."""
    facts = bursts.add_bursts(facts, gap)
    facts, interval = _intervals(facts[facts["kind"].isin(ALERTING)], gap)
    return definitions.fill(_alerts(facts, interval), defined)


def merge_shapes(events: pd.DataFrame) -> pd.DataFrame:
    """Return one row per fact: rows with the same source and event id merged, bare rule keys completed.

    Different full rule keys under one event id are different facts (alarms of one name in two accounts that changed at
    the same instant); then each has its key before its event id, and a telling with the bare key stays by itself.

    Of each column the first non-null value counts, with rows in order of their native ids, of the labels the longest;
    ids, resources and traces are united. A rule key that begins with the rule's name gives way to one that does not,
    when the fact's other shape has it (Datadog: a webhook may not know the monitor's id), or else to the full key,
    which has more before the name (CloudWatch: the ARN, which the alarm history does not carry), when exactly one such
    key is known.

    Returns
    -------
    DataFrame
        `schema.EVENTS` in order of time and event id; a new index.
    """
    events = complete(events)
    twice = events.duplicated(_FACT, keep=False).to_numpy()
    if twice.any():
        told = events[twice]
        events = pd.concat([events[~twice], _merge(told.assign(event_id=_told_apart(told)))], ignore_index=True)
    events = events.assign(rule_key=_full_rule_keys(events))
    return in_order(events)


def in_order(facts: pd.DataFrame) -> pd.DataFrame:
    """Return the facts in the order in which they are folded; a new index."""
    return facts.sort_values(["at", "event_id", "source"], ignore_index=True)


def complete(events: pd.DataFrame) -> pd.DataFrame:
    """Check `events` and add the optional columns it does not have, as nulls."""
    # Columns that hold nothing but lists (arrays, from Parquet) already are not copied: a million rows take seconds.
    lists = [name for name in _LISTS if name in events and set(map(type, events[name])) <= {list, np.ndarray}]
    plain = events.drop(columns=lists) if lists else events
    checked = schema.check(plain, schema.EVENTS, need=_NEED, what="events")
    checked = checked.assign(**{name: events[name] for name in lists}).reset_index(drop=True)
    for name in ("source", "event_id", "kind"):
        if nulls := int(checked[name].isna().sum()):
            raise SchemaError(
                f"events: column {name!r} is null in {nulls} of {len(checked)} rows; every event needs one"
            )
    absent = [column for column in schema.EVENTS.columns if column.name not in checked.columns]
    nothing = pd.Series([None] * len(checked), index=checked.index, dtype=object)
    checked = checked.assign(
        **{c.name: True if c.name == "has_recovery" else schema.convert(nothing, c) for c in absent}
    )
    # Text instead of categories: the words a frame happens to list, and their order, must not matter below.
    words = [c.name for c in schema.EVENTS.columns if c.dtype == "category"]
    return checked[schema.EVENTS.names].astype(dict.fromkeys(words, "str"))


def _told_apart(events: pd.DataFrame) -> pd.Series:
    """Return the event ids, the full rule key before those that events of several full keys share."""
    pairs = zip(events["rule_key"], events["alertname"], strict=True)
    named = pd.Series([f"{key}|".find(f"{name}|") > 0 for key, name in pairs], index=events.index, dtype=bool)
    named &= events["rule_key"].notna() & events["alertname"].notna()
    # A telling of the same fact with the same key may not know the name.
    of_key = [events[name] for name in (*_FACT, "rule_key")]
    full = events["rule_key"].where(named.groupby(of_key, sort=False, dropna=False).transform("any"))
    keys = full.groupby([events["source"], events["event_id"]], sort=False).transform("nunique")
    return events["event_id"].where(full.isna() | (keys < 2), full + "|" + events["event_id"])


def _merge(rows: pd.DataFrame) -> pd.DataFrame:
    order = rows.assign(**{name: rows[name].map("\n".join) for name in _LISTS})
    by = [*_FACT, "native_ids"]
    if order.duplicated(by).any():  # one shape told twice, differently: raw last, so that it decides nothing but itself
        by += [name for name in schema.EVENTS.names if name not in (*by, "raw")] + ["raw"]
    rows = rows.loc[order.sort_values(by).index]
    fact = _runs(rows, _FACT)
    size = int(fact[-1]) + 1
    merged: dict[str, Any] = {}
    for column in schema.EVENTS.columns:
        if column.dtype == "strings":
            merged[column.name] = _union(rows[column.name], fact, size)
        elif column.name in ("rule_key", "labels"):  # one shape knows more of these than another
            length = rows[column.name].str.len().fillna(0)
            if column.name == "rule_key":
                length += np.where(_not_the_name(rows), length.max(), 0)
            longest = (length == length.groupby(fact).transform("max")).to_numpy()
            merged[column.name] = _first(rows[column.name], fact, size, among=longest)
        else:
            merged[column.name] = _first(rows[column.name], fact, size)
    return pd.DataFrame(merged)


def _not_the_name(events: pd.DataFrame) -> Mask:
    """Return whether each rule key is known and is neither the rule's name nor that and more behind it."""
    pairs = zip(events["rule_key"], events["alertname"], strict=True)
    return np.array([isinstance(key, str) and not f"{key}|".startswith(f"{name}|") for key, name in pairs], dtype=bool)


def _full_rule_keys(events: pd.DataFrame) -> pd.Series:
    """Return the rule keys, those without what stands before the name completed where one full key is known."""
    rules = _rules(events)
    full = rules[rules["full"]].drop_duplicates(_BARE, keep=False)  # two of one name: neither
    bare = rules.loc[rules["rule_key"] == rules["bare"], _BARE]
    known = bare.merge(full, on=_BARE)
    if known.empty:
        return events["rule_key"]
    keys = events[["source", "alertname", "rule_key"]].merge(
        known, how="left", left_on=["source", "alertname", "rule_key"], right_on=_BARE, suffixes=("", "_full")
    )
    return keys["rule_key_full"].fillna(keys["rule_key"]).set_axis(events.index)


def _rules(events: pd.DataFrame) -> pd.DataFrame:
    """Return the rules: source, alertname, rule_key, that key from the name on (`bare`), whether more is before it.

    The name ends there, or a part of the rule follows behind '|': an alarm called "a" is not found in "arn".
    """
    rules = events[["source", "alertname", "rule_key"]].dropna().drop_duplicates()
    pairs = list(zip(rules["rule_key"], rules["alertname"], strict=True))
    begins = [f"{key}|".find(f"{name}|") for key, name in pairs]
    bare = [key[at:] if at >= 0 else None for (key, _), at in zip(pairs, begins, strict=True)]
    return rules.assign(bare=pd.Series(bare, index=rules.index, dtype="str"), full=np.array(begins) > 0)


def _intervals(facts: pd.DataFrame, gap: pd.Timedelta) -> tuple[pd.DataFrame, Ints]:
    """Return the facts interval by interval, in order of time within each, and the number of each one's interval."""
    stated = facts[facts["starts_at"].notna()]
    occurrence = facts["occurrence_key"].fillna(stated["rule_key"] + "\n" + stated["starts_at"].astype("str"))
    own = occurrence.notna()
    lone = ~own & (facts["at"].isna() | facts["rule_key"].isna())
    key = occurrence.where(own, facts["rule_key"]).where(~lone, facts["event_id"])
    thread = pd.DataFrame({"source": facts["source"], "form": own + 2 * lone, "key": key})
    number = thread.groupby(["source", "form", "key"], sort=False).ngroup().to_numpy()
    order = np.argsort(number, kind="stable")  # rows come in order of time
    order = order[_by_instant(facts.iloc[order], thread=number[order])]
    facts, number = facts.iloc[order], number[order]

    first = np.diff(number, prepend=-1) != 0
    firing = _firing(facts)
    recovered = _recovered(facts)
    # What the rule is after each row: firing (1), recovered (0), unknown (2), or what it was before (-1).
    state = np.select([firing, recovered, first], [1, 0, 2], -1)
    before = np.concatenate([[2], _latest(state)])[:-1]
    quiet = ~facts["has_recovery"].to_numpy() & (facts["at"].diff() > gap).to_numpy()
    starts = (firing & ((before != 1) | quiet)) | (recovered & (before == 0))
    # Of an occurrence only a firing that states its own start does: an incident reopened after it was resolved.
    owned: Mask = own.to_numpy()[order]
    reopened = starts & owned & ~first & (facts["starts_at"] == facts["at"]).to_numpy()
    starts = first | (starts & ~owned) | reopened
    interval = np.cumsum(starts) - 1
    # What later facts say of the start is when the occurrence began, an interval ago.
    earlier = np.isin(interval, interval[reopened]) & ~reopened
    return facts.assign(starts_at=facts["starts_at"].mask(earlier)), interval


def _by_instant(facts: pd.DataFrame, *, thread: npt.NDArray[Any]) -> Ints:
    """Return the order in which rows count, given in order of time: what is told of one instant may contradict.

    A recovery comes last. But where an alert is open before the instant, the recovery ends that one and a new firing
    follows. So an instant with both leaves the rule as it was, whatever stands before it.
    """
    first = np.diff(thread, prepend=-1) != 0
    instant = np.cumsum(first | (facts["at"] != facts["at"].shift()).to_numpy())
    order = np.lexsort([_recovered(facts), instant])
    facts, instant = facts.iloc[order], instant[order]
    fired, recovered = (facts["kind"] == "fired").to_numpy(), _recovered(facts)
    both = np.isin(instant, instant[fired]) & np.isin(instant, instant[recovered])
    before = _latest(np.select([both & first, both, _firing(facts), recovered, first], [2, -1, 1, 0, 2], -1))
    return order[np.lexsort([recovered + 2 * (fired & both & (before == 1)), instant])]


def _latest(state: Ints) -> Ints:
    """Return for each row the last state there is up to it; -1 is none, and the first row has one."""
    said: Ints = np.maximum.accumulate(np.where(state >= 0, np.arange(len(state)), 0))
    return state[said]


def _firing(facts: pd.DataFrame) -> Mask:
    return facts["kind"].isin(["fired", "renotified"]).to_numpy()


def _recovered(facts: pd.DataFrame) -> Mask:
    """Where a fact says its alert ended; a source without recoveries says that of an issue, not of an interval."""
    return ((facts["kind"] == "resolved") & facts["has_recovery"]).to_numpy()


def _alerts(facts: pd.DataFrame, interval: Ints) -> pd.DataFrame:
    size = int(interval[-1]) + 1 if len(interval) else 0
    firing, at = _firing(facts), facts["at"]

    def first(values: pd.Series, among: Mask | None = None) -> pd.Series:
        return pd.Series(_first(values, interval, size, among=among))

    def last(values: pd.Series, among: Mask | None = None) -> pd.Series:
        backwards = None if among is None else among[::-1]
        return pd.Series(_first(values[::-1], interval[::-1], size, among=backwards))

    fired = np.zeros(size, dtype=bool)
    fired[interval[firing]] = True
    # Who speaks for the alert: its firing events and records that tell it whole, or all when there is none that fires.
    leading = firing | facts["starts_at"].notna().to_numpy() | ~fired[interval]
    ends = facts["ends_at"].fillna(at.where(_recovered(facts)))
    ended = ends.notna().to_numpy()
    severity = np.where(leading, facts["severity"].cat.codes, -1)
    worst = np.full(size, -1)
    np.maximum.at(worst, interval, severity)
    head = np.flatnonzero(np.diff(interval, prepend=-1))

    columns: dict[str, Any] = {name: first(facts[name], leading) for name in ALERT_COLUMNS if name in _TOLD}
    columns |= {name: _union(facts[name], interval, size) for name in ("resources", "trace_ids")}
    columns |= {
        "alert_id": _alert_ids(facts.iloc[head]),
        "event_ids": _union(facts["native_ids"], interval, size),
        "starts_at": first(facts["starts_at"]).fillna(first(at, firing)),
        "acked_at": first(facts["acked_at"]).fillna(first(at, (facts["kind"] == "acknowledged").to_numpy())),
        # An occurrence that fired again after a record told of its end is open.
        "ends_at": last(ends).mask(last(at, firing & ~ended) > last(at, ended)),
        "severity": pd.Categorical.from_codes(worst, dtype=schema.SEVERITY_DTYPE),
        "severity_raw": first(facts["severity_raw"], leading & (severity == worst[interval])),
    }
    alerts = pd.DataFrame(columns)[ALERT_COLUMNS]
    said = fired | alerts["acked_at"].notna() | alerts["ends_at"].notna()
    when = alerts["starts_at"].fillna(alerts["ends_at"])
    alerts = alerts.assign(_when=when)[said].sort_values(["_when", "alert_id"], ignore_index=True).drop(columns="_when")
    return alerts.assign(
        **{
            column.name: schema.convert(alerts[column.name], column)
            for column in schema.ALERTS.columns
            if column.dtype == "category"
        }
    )


def _alert_ids(first: pd.DataFrame) -> pd.Series:
    """Name alerts by their first facts; no other fact, and no other shape of that one, changes the name."""
    names = (first["source"] + "\n" + first["event_id"]).tolist()
    ids = [hashlib.blake2b(name.encode(), digest_size=8).hexdigest() for name in names]
    return pd.Series(ids, dtype="str")


def _runs(rows: pd.DataFrame, by: Sequence[str]) -> Ints:
    """Return the number of the run each row lies in: rows next to each other that are equal in `by`."""
    changed = (rows[by] != rows[by].shift()).any(axis=1).to_numpy()
    return np.cumsum(changed) - 1


def _first(values: pd.Series, group: Ints, size: int, *, among: Mask | None = None) -> Any:
    """Return the first non-null value of each group 0..size-1, in row order; null where a group has none."""
    known = values.notna().to_numpy()
    rows = np.flatnonzero(known if among is None else known & among)[::-1]
    where = np.full(size, -1)
    where[group[rows]] = rows  # of repeated indices the last assignment counts: the group's first row
    return values.array.take(where, allow_fill=bool((where < 0).any()))


def _union(lists: pd.Series, group: Ints, size: int) -> pd.Series:
    """Return for each group the values of its lists, each once, in order of appearance (rows lie group by group)."""
    values = list(chain.from_iterable(lists))
    until = np.cumsum([0, *map(len, lists)])  # where in `values` each row begins, and the last one ends
    ends = until[np.cumsum(np.bincount(group, minlength=size))].tolist()
    united = [
        values[start:end] if end - start < 2 else list(dict.fromkeys(values[start:end]))
        for start, end in pairwise([0, *ends])
    ]
    return pd.Series(united, dtype=object)
