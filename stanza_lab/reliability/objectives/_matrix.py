"""What Prometheus answers to query_range: a matrix of series, read as counts per service and interval."""

from __future__ import annotations

import math
import re
from collections import Counter
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import pandas as pd

from stanza_lab.errors import SchemaError
from stanza_lab.production import words
from stanza_lab.reliability.objectives import _counters, tables

ROLES = ("good", "bad", "total", "bucket")
KINDS = ("counter", "rate", "increase")
_SERVICE = ("service", "service_name", "job", "app", "application")
_CODE = ("code", "status", "status_code", "http_status_code", "http_response_status_code")
_READ: Mapping[str, Callable[..., _counters.Counted]] = {
    "counter": _counters.increases, "rate": _counters.rates, "increase": _counters.amounts
}  # fmt: skip
_MOST_SERIES, _MOST_SAMPLES, _MOST_TEXT = 50_000, 20_000_000, 300
_FIRST_S, _LAST_S = 0.0, 9.2e9  # years 1970 to 2261


@dataclass
class Asked:
    """How the series are to be read."""

    service: str | None = None  # label
    services: Mapping[str, str] = field(default_factory=dict)  # value of the label -> service
    roles: Mapping[str, str] = field(default_factory=dict)  # metric -> good, bad, total, bucket
    kind: str | None = None
    step_s: float | None = None
    indicator: str | None = None


@dataclass(frozen=True)
class Series:
    """One series: which metric, whose, what it counts, its samples."""

    metric: str
    service: str
    role: str
    failed: bool
    le: float
    at: np.ndarray
    values: np.ndarray


def read(document: Any, *, name: str, asked: Asked) -> tuple[pd.DataFrame, list[str]]:
    """Return `tables.INDICATORS` of one answer and what to know about it; nameless series are called `name`."""
    series = [_series(item, number, name, asked) for number, item in enumerate(_result(document, name))]
    if sum(len(one.at) for one in series) > _MOST_SAMPLES:
        raise SchemaError(f"{name}: more than {_MOST_SAMPLES:,} samples; ask for a longer step or a shorter time")
    if not series:
        return tables.build({"at": []}), [f"{name}: no series"]
    step = asked.step_s or _counters.usual_step([one.at for one in series])
    if math.isnan(step):
        raise SchemaError(f"{name}: no series has two samples, so their step is not known; pass step='1min'")
    begins = [float(one.at[0]) if len(one.at) else math.inf for one in series]  # noqa: PD008 (an array)
    notes, parts, told = [], [], Counter[str]()
    for one, began in zip(series, begins, strict=True):
        kind = asked.kind or _kind(one.metric, name)
        told[f"{one.metric} read as {one.role}, a {kind}"] += 1
        more = {"born": min(begins) + 1.5 * step < began < math.inf} if kind == "counter" else {}
        counted = _READ[kind](one.at, one.values, step_s=step, **more)
        if (counted.count < 0).any():
            raise SchemaError(f"{name}: {one.metric} of {one.service!r} is negative; a {kind} never is")
        parts.append((one, counted))
        told["resets"] += counted.resets
        told["missing"] += counted.missing
        told["born"] += bool(more.get("born"))
    notes.append(
        f"{name}: {words.count(len(series), 'serie')}".replace("serie,", "series,")
        + f", a sample per {words.span(step)}"
    )
    notes += [f"{name}: {what} ({words.count(n, 'time')})" for what, n in told.items() if " read as " in what]
    for key, said in (
        ("resets", "counter resets: what was counted after the last sample before one is lost"),
        ("missing", "samples without a number: not seen, so neither good nor bad"),
        ("born", "series began later than the others and are taken to have begun at 0"),
    ):
        if told[key]:
            notes.append(f"{name}: {told[key]:,} {said}")
    return _table(parts, name=name, indicator=asked.indicator, notes=notes), notes


def _result(document: Any, name: str) -> list[Any]:
    """Return the series of an answer, or say what else this is."""
    if isinstance(document, dict) and document.get("status") == "error":
        raise SchemaError(f"{name}: Prometheus answered with an error: {str(document.get('error'))[:200]!r}")
    data = document.get("data", document) if isinstance(document, dict) else None
    kind = data.get("resultType") if isinstance(data, dict) else None
    result = data.get("result") if isinstance(data, dict) else None
    if kind != "matrix" or not isinstance(result, list):
        got = f"resultType {kind!r}" if kind else "no data.result"
        raise SchemaError(
            f"{name}: {str(got)[:80]}; pass an answer of /api/v1/query_range, whose resultType is 'matrix'"
        )
    if len(result) > _MOST_SERIES:
        raise SchemaError(
            f"{name}: {len(result):,} series; at most {_MOST_SERIES:,} are read: sum by (service, code, le)"
        )
    return result


def _series(item: Any, number: int, name: str, asked: Asked) -> Series:
    where = f"{name}: series {number}"
    labels = item.get("metric") if isinstance(item, dict) else None
    values = item.get("values") if isinstance(item, dict) else None
    if not isinstance(labels, dict) or not all(isinstance(v, str) for v in labels.values()):
        raise SchemaError(f"{where} has no labels; {{'metric': {{...}}, 'values': [[time, 'value'], ...]}} is read")
    if not isinstance(values, list):
        native = "; native histograms are not read, ask for classic buckets" if "histograms" in item else ""
        raise SchemaError(f"{where} has no values{native}")
    at, numbers = _samples(values, where)
    metric = labels.get("__name__") or name.removesuffix(".json")
    role = asked.roles.get(metric) or _role(metric, labels)
    code = next((labels[key] for key in _CODE if key in labels), "")
    return Series(
        metric=metric[:_MOST_TEXT],
        service=_service(labels, where, asked),
        role=role,
        failed=role == "total" and code.startswith("5"),
        le=_bound(labels, where) if role == "bucket" else math.nan,
        at=at,
        values=numbers,
    )


def _samples(values: list[Any], where: str) -> tuple[np.ndarray, np.ndarray]:
    try:
        at = np.array([pair[0] for pair in values], dtype=np.float64)
        numbers = np.array([float(pair[1]) for pair in values], dtype=np.float64)
    except (TypeError, ValueError, IndexError, KeyError, OverflowError) as error:
        raise SchemaError(f"{where}: a value is no [time, 'number'] ({str(error)[:80]})") from error
    if not ((at > _FIRST_S) & (at < _LAST_S)).all():
        raise SchemaError(f"{where}: a time is no count of seconds since 1970")
    if not (np.diff(at) > 0).all():
        raise SchemaError(f"{where}: times do not rise; each series is expected in its order, each time once")
    return at, numbers


def _service(labels: Mapping[str, str], where: str, asked: Asked) -> str:
    candidates = (asked.service,) if asked.service else _SERVICE
    said = next((labels[key] for key in candidates if labels.get(key)), None)
    if said is None:
        there = ", ".join(sorted(labels))[:200]
        raise SchemaError(
            f"{where} has none of the labels {', '.join(candidates)}; it has {there}; pass service='label'"
        )
    if len(said) > _MOST_TEXT:
        raise SchemaError(f"{where}: the name of a service has {len(said):,} characters; at most {_MOST_TEXT} are read")
    return asked.services.get(said, said)


def _role(metric: str, labels: Mapping[str, str]) -> str:
    """Return what a metric counts, told by its name."""
    if "le" in labels:
        return "bucket"
    if re.search(r"err|fail|bad|5xx", metric, re.I):
        return "bad"
    return "good" if re.search(r"good|success|succeeded|(?:^|_)ok(?:_|$)", metric, re.I) else "total"


def _bound(labels: Mapping[str, str], where: str) -> float:
    try:
        bound = float(labels["le"])
    except (KeyError, ValueError) as error:
        raise SchemaError(f"{where}: label le is {labels.get('le')!r:.60}, where a number or +Inf belongs") from error
    if math.isnan(bound):
        raise SchemaError(f"{where}: label le is NaN, where a number or +Inf belongs")
    return bound


def _kind(metric: str, name: str) -> str:
    """Return whether a metric counts up or says how many per second, told by its name; never guessed."""
    if re.search(r"rate|per_s(?:ec|econd)?(?:_|:|$)|irate|rps|qps", metric, re.I):
        return "rate"
    if re.search(r"increase", metric, re.I):
        return "increase"
    if re.search(r"_(?:total|count|bucket|sum)$", metric):
        return "counter"
    raise SchemaError(
        f"{name}: is {metric[:80]!r} a counter, a rate or an increase? Pass kind= one of {', '.join(KINDS)}"
    )


def _table(
    parts: list[tuple[Series, _counters.Counted]], *, name: str, indicator: str | None, notes: list[str]
) -> pd.DataFrame:
    rows = pd.concat([_rows(one, counted) for one, counted in parts], ignore_index=True)
    found = [_counts(rows[rows["role"] != "bucket"], name, indicator or tables.REQUESTS, notes)]
    found.append(_histograms(rows[rows["role"] == "bucket"], name, indicator or tables.LATENCY, notes))
    return pd.concat([part for part in found if len(part)] or found[:1], ignore_index=True)


def _rows(one: Series, counted: _counters.Counted) -> pd.DataFrame:
    size = len(counted.at)
    at = np.round(counted.at * 1e6).astype("int64")
    columns = {"at": at, "covers_s": counted.covers_s, "count": counted.count, "le": one.le}
    named = {"service": one.service, "role": one.role, "failed": one.failed}
    return pd.DataFrame(columns | named, index=range(size)).astype({"failed": bool})


def _counts(rows: pd.DataFrame, name: str, indicator: str, notes: list[str]) -> pd.DataFrame:
    """Add up good, bad and total over the series of a service."""
    if rows.empty:
        return tables.build({"at": []})
    bad = rows["failed"] | (rows["role"] == "bad")
    keys = [rows["service"], rows["at"]]
    sums = {
        role: rows["count"].where(of).groupby(keys, sort=True).sum(min_count=1)
        for role, of in (("good", rows["role"] == "good"), ("bad", bad), ("total", rows["role"] == "total"))
    }
    counts = pd.DataFrame(sums).assign(covers_s=rows.groupby(["service", "at"], sort=True)["covers_s"].min())
    has = counts.notna().groupby("service").any().reindex(counts.index, level="service")
    total = counts["total"].where(has["total"], counts["good"] + counts["bad"].fillna(0.0))
    good = counts["good"].where(has["good"], total - counts["bad"].fillna(0.0))
    silent = sorted(set(counts.index.get_level_values("service")[~(has["good"] | has["bad"])]))
    if silent:
        notes.append(
            f"{name}: no failure was ever counted at {words.listing(silent)}: either there was none, or nobody counts"
        )
    lost = total.isna() | good.isna()
    none = sorted(set(counts.index.get_level_values("service")[~(has["total"] | has["good"])]))
    if none:
        raise SchemaError(f"{name}: only failures are counted at {words.listing(none)}; add the series of all requests")
    if lost.any():
        notes.append(f"{name}: {int(lost.sum()):,} intervals lack a part of their counts and were left out: not seen")
    above = int((((good > total + 1e-6) | (good < -1e-6)) & ~lost).sum())
    if above:
        notes.append(
            f"{name}: {above:,} intervals count more of a part than of the whole (scraped at other moments): cut"
        )
    kept = counts.assign(good=good.clip(lower=0.0), total=total)[~lost].reset_index()
    kept["good"] = kept[["good", "total"]].min(axis=1)
    return tables.build(
        {"indicator": indicator, "service": kept["service"], "at": _times(kept["at"]), "covers_s": kept["covers_s"],
         "good": kept["good"], "total": kept["total"]}
    )  # fmt: skip


def _histograms(rows: pd.DataFrame, name: str, indicator: str, notes: list[str]) -> pd.DataFrame:
    """Add up the buckets over the series of a service."""
    if rows.empty:
        return tables.build({"at": []})
    made: dict[str, list[Any]] = {key: [] for key in ("service", "at", "covers_s", "total", "le", "below")}
    lost = fell = 0
    for service, own in rows.groupby("service", sort=True):
        table = own.pivot_table(index="at", columns="le", values="count", aggfunc="sum").sort_index(axis=1)
        if not math.isinf(float(table.columns[-1])):
            raise SchemaError(
                f"{name}: the histogram of {service!r} has no bucket le='+Inf', so no total; ask for it too"
            )
        full = table.notna().all(axis=1)
        lost += int((~full).sum())
        table = table[full]
        below = np.maximum.accumulate(table.to_numpy(), axis=1)
        fell += int((below != table.to_numpy()).any(axis=1).sum())
        covers = own.groupby("at")["covers_s"].min().reindex(table.index)
        bounds = [float(bound) for bound in table.columns]
        made["service"] += [service] * len(table)
        made["at"] += table.index.tolist()
        made["covers_s"] += covers.tolist()
        made["total"] += below[:, -1].tolist() if len(below) else []
        made["le"] += [bounds] * len(table)
        made["below"] += below.tolist()
    if lost:
        notes.append(f"{name}: {lost:,} intervals lack a bucket and were left out: not seen")
    if fell:
        notes.append(f"{name}: in {fell:,} intervals buckets fell (scraped while counting): raised to the one before")
    return tables.build(made | {"at": _times(pd.Series(made["at"], dtype="int64")), "indicator": indicator})


def _times(microseconds: pd.Series) -> pd.Series:
    return pd.to_datetime(microseconds, unit="us", utc=True)
