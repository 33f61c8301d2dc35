"""The tables of a `TuneDown`, from what was chosen and tried."""

from __future__ import annotations

from collections import Counter
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd

from stanza_lab import schema
from stanza_lab.reliability.quieter import choosing, result, sentences
from stanza_lab.reliability.quieter.record import NEVER, SECOND
from stanza_lab.reliability.quieter.routing import upper
from stanza_lab.reliability.quieter.trying import SILENT

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

    from stanza_lab.reliability.quieter.choosing import Choice, Option, Step
    from stanza_lab.reliability.quieter.record import Ints, Record
    from stanza_lab.reliability.quieter.routing import Route
    from stanza_lab.reliability.quieter.trying import Effect, State

_NAMED = 3  # rules listed by name
_MOST = 100  # incidents listed per change
_COUNTS = [name for name, dtype in result.CHANGES.items() if dtype == "int64"]


def changes(
    record: Record, state: State, choice: Choice, routes: Iterable[Route], *, weeks: float, min_support: int
) -> pd.DataFrame:
    """Return `CHANGES`."""
    witnesses, later = choosing.Witnesses(record), choosing.pages_of(record)
    earlier = np.bincount(record.rule[record.earlier[record.unit] & (record.page < NEVER)], minlength=len(record.rules))
    rules = record.rules.to_dict("records")
    rows, page = [], record.page.copy()
    for code, options in choice.options.items():
        for place, option in enumerate([*options, *choice.unsafe[code]]):
            row = rules[option.rule] | _measured(option, weeks, min_support)
            row |= {"best": bool(options) and place == 0, "only_rule": witnesses.last(option.rule)}
            row |= {"pages_before": int(earlier[option.rule]), "pages": int(later[option.rule])}
            row |= {"caught_by": _caught_by(record, option, page), "with_rules": _with(record, state, option)}
            if row["only_rule"] and option.change.kind in SILENT:
                row["verdict"] = "leave"
            useless = choosing.useless(record, option.rule)
            row["reason"] = sentences.reason(row, only=row["only_rule"], useless=useless)
            row["words"] = sentences.change(row, sentences.what(option.change), weeks)
            rows.append(row)
    for route in routes:
        row = rules[route.rule] | _moved(route, only=witnesses.last(route.rule))
        row |= {"pages_before": int(earlier[route.rule]), "pages": int(later[route.rule])}
        row["reason"], row["words"] = sentences.route(route, row)
        rows.append(row)
    rows.sort(key=lambda row: (not row["best"], -row["pages_saved"], -row["promised"], row["rule_key"]))
    return _table(rows, result.CHANGES)


def combined(record: Record, steps: Sequence[Step], changes: pd.DataFrame) -> pd.DataFrame:
    """Return `COMBINED`."""
    earlier = record.earlier[record.unit]
    before = int((earlier & (record.page < NEVER)).sum())
    pages = int((~earlier & (record.page < NEVER)).sum())
    alone = {(row["rule_key"], row["change"], row["value"]): row["verdict"] for row in changes.to_dict("records")}
    rows, missed = [], 0
    for number, step in enumerate(steps, start=1):
        rule = record.rules.iloc[step.option.rule].to_dict()
        value = sentences.value(step.option.change)
        verdict = alone[rule["rule_key"], step.option.change.kind, value]
        row = rule | {
            "step": number,
            "change": step.option.change.kind,
            "value": value,
            "verdict": "leave" if len(step.missed) > missed else verdict,
            "proposed": step.proposed,
            "promised": step.promised,
            "promised_share": step.promised / before if before else np.nan,
            "pages_saved": step.pages_saved,
            "share": step.pages_saved / pages if pages else np.nan,
            "real": step.hit,
            "missed": len(step.missed),
            "missed_high": upper(len(step.missed), step.hit),
            "late": step.late,
            "later_max_s": step.later_max_s,
        }
        row["words"] = sentences.combined(row, pages)
        missed = len(step.missed)
        rows.append(row)
    return _table(rows, result.COMBINED)


def idle(combined: pd.DataFrame, changes: pd.DataFrame) -> pd.Series:
    """Return which proposed changes saved no page on the later part, alone: what they promised did not come."""
    saved = dict(zip(_named_by(changes), changes["pages_saved"], strict=True))
    nothing = pd.Series([saved.get(key, 1) <= 0 for key in _named_by(combined)], index=combined.index, dtype=bool)
    return combined["proposed"].astype(bool) & (combined["verdict"] != "leave") & nothing


def hoped(combined: pd.DataFrame, changes: pd.DataFrame) -> tuple[int, int]:
    """Return how many changes were idle, and how many pages these promised together, each alone."""
    promised = dict(zip(_named_by(changes), changes["promised"], strict=True))
    keys = _named_by(combined[idle(combined, changes)])
    return len(keys), int(sum(promised[key] for key in keys))


def _named_by(table: pd.DataFrame) -> list[tuple[Any, ...]]:
    return list(table[["rule_key", "change", "value"]].itertuples(index=False, name=None))


def kept(record: Record, choice: Choice) -> pd.DataFrame:
    """Return `KEPT`."""
    rules = record.rules.to_dict("records")
    rows = [rules[one.rule] | {"pages": one.pages, "alone": one.alone} for one in choice.kept]
    return _table([row | {"words": sentences.kept(row)} for row in rows], result.KEPT)


def missed(record: Record, choice: Choice) -> pd.DataFrame:
    """Return `MISSED`."""
    rules = record.rules.to_dict("records")
    rows: list[dict[Any, Any]] = []
    told = {name: record.alerts[name].to_numpy(dtype=object) for name in ("service", "incident_id", "alert_id")}
    for code, options in choice.options.items():
        for option in [*options, *choice.unsafe[code]]:
            change = {"change": option.change.kind, "value": sentences.value(option.change)}
            rows += [rules[code] | change | row for row in _units(record, option.effect, told)]
    return _table(rows, result.MISSED)


def _units(record: Record, effect: Effect, told: Mapping[str, Any]) -> list[dict[str, Any]]:
    """Return what is known of the incidents that a change misses, the first of them in order of time."""
    found = []
    lost = np.flatnonzero(effect.missed)
    began = record.start[record.by_unit.order[record.by_unit.bounds[effect.units[lost]]]]
    for at in lost[np.argsort(began, kind="stable")][:_MOST].tolist():
        unit, then = int(effect.units[at]), int(effect.first[at])
        rows = record.by_unit.of(unit)
        paged, services = int(record.first[unit]), told["service"][rows]
        found.append(
            {
                "part": "earlier" if record.earlier[unit] else "later",
                "incident_id": int(told["incident_id"][rows[0]]),
                "alert_id": told["alert_id"][rows[0]],
                "starts_at": pd.Timestamp(int(record.start[rows[0]]), unit="us", tz="UTC"),
                "paged_at": pd.NaT if paged == NEVER else pd.Timestamp(paged, unit="us", tz="UTC"),
                "alerts": len(rows),
                "services": sorted({name for name in services if isinstance(name, str)}),
                "later_s": (then - paged) / SECOND if then < NEVER else np.nan,
                "why": str(record.why[unit]),
            }
        )
    return found


def _measured(option: Option, weeks: float, min_support: int) -> dict[str, Any]:
    """Return the columns that the later part tells."""
    early, late = option.effect.earlier, option.effect.later
    checked = late.pages_saved > 0 and late.occasions >= min_support
    return {
        "change": option.change.kind,
        "value": sentences.value(option.change),
        "seconds": option.change.seconds,
        "by": option.change.by,
        "missed_before": early.missed,
        "verdict": "leave" if late.missed or early.missed else "take" if checked else "look",
        "promised": early.pages_saved,
        "pages_saved": late.pages_saved,
        "pages_saved_per_week": late.pages_saved / weeks if weeks else np.nan,
        "alerts_saved": late.alerts_saved,
        "occasions": late.occasions,
        "real": late.real,
        "missed": late.missed,
        "missed_high": upper(late.missed, late.occasions),
        "late": late.late,
        "later_s": late.later_s,
        "later_max_s": late.later_max_s,
    }


def _moved(route: Route, *, only: bool) -> dict[str, Any]:
    whole = [name for name in _COUNTS if name not in ("pages", "pages_before", "seconds")]
    unknown = dict.fromkeys(("missed_high", "later_s", "later_max_s"), np.nan)
    return {
        "change": "route", "value": route.owner, "verdict": "look", "best": False, "pages_saved_per_week": 0.0,
        "caught_by": [], "with_rules": [], "only_rule": only, "seconds": 0, "by": "",
        **dict.fromkeys(whole, 0), **unknown,
    }  # fmt: skip


def _caught_by(record: Record, option: Option, page: Ints) -> list[str]:
    """Return the rules that page first then for the real incidents that the change touches.

    `page` is a copy of that of the record, to write on: it is the same again afterwards.
    """
    effect = option.effect
    caught = record.real[effect.units] & (effect.first < NEVER)
    units = effect.units[caught]
    if not len(units):
        return []
    rows = record.by_unit.of_many(units)
    page[effect.rows] = effect.page
    rings = page[rows] == np.repeat(effect.first[caught], record.by_unit.sizes(units))
    page[effect.rows] = record.page[effect.rows]
    return _named(record, record.rule[rows[rings]], but=option.rule)


def _with(record: Record, state: State, option: Option) -> list[str]:
    if option.change.kind != "group":
        return []
    led = state.leaders(option.rule, option.change)
    return _named(record, record.rule[led[led >= 0]], but=option.rule)


def _named(record: Record, rules: Ints, *, but: int) -> list[str]:
    names = record.rules["rule"] + " (" + record.rules["service"].fillna("no service") + ")"
    most = Counter(rules[rules != but].tolist()).most_common(_NAMED)
    return [str(names.iloc[rule]) for rule, _ in most]


def _table(rows: Sequence[Mapping[Any, Any]], columns: Mapping[str, Any]) -> pd.DataFrame:
    made = {name: pd.Series([row[name] for row in rows], dtype=object) for name in columns}
    table = pd.DataFrame(made)
    for name, dtype in columns.items():
        if str(dtype).startswith("datetime"):
            table[name] = pd.to_datetime(table[name], utc=True).astype(schema.TIME_DTYPE)
        elif dtype is not object:
            table[name] = table[name].astype(dtype)
    return table
