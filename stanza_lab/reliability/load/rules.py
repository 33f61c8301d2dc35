"""Per rule: how often it fires and pages, whether it flaps, comes back, is always there, and whether anybody minds."""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd

from stanza_lab import schema
from stanza_lab.reliability.load import arrays, flapping

RULES: dict[str, Any] = {
    "rule": "str",  # its name; untrusted
    "service": "str",
    "team": "str",
    "severity": schema.SEVERITY_DTYPE,  # the worst
    "count": "int64",  # alerts
    "pages": "int64",  # of them: somebody was paged
    "days": "int64",  # on which it fired (UTC)
    "days_share": "float64",  # of all days of the history
    "chronic": "bool",
    "open": "Int64",  # not recovered; null: its source reports no recovery
    "recovered": "int64",
    "refired": "float64",  # of the recoveries: the same rule fired again within 24 h
    "auto_resolved": "float64",  # of the recoveries: nobody took alert or page
    "never_acknowledged": "float64",  # of its pages: nobody took them; null: no acknowledgement in all of the history
    "changes": "int64",  # most changes of state in an hour
    "flapping": "bool",
    "flap_percent": "float64",  # by Nagios; null: its checks are not known
    "first": schema.TIME_DTYPE,
    "last": schema.TIME_DTYPE,
    "rule_key": "str",
}
CHRONIC, CHRONIC_LEAST = 0.25, 4  # of the days, and days: two of a week's days are no habit
REFIRE = pd.Timedelta("24h")
_DAY = 86_400 * arrays.US


def table(alerts: pd.DataFrame, pages: pd.DataFrame, *, checks: pd.DataFrame | None = None) -> pd.DataFrame:
    """Return `RULES`, the most frequent first; `alerts` as `pages.Paged` has them."""
    if alerts.empty:
        return pd.DataFrame({name: pd.Series(dtype=dtype) for name, dtype in RULES.items()})
    rule = alerts["rule_key"].astype("str").fillna(alerts["alertname"].astype("str")).fillna("without a name")
    rules, rule_names = arrays.codes(rule)
    services, service_names = arrays.codes(alerts["service"])
    group, pairs = pd.factorize(rules * (len(service_names) + 1) + services + 1)
    began, ended = arrays.micros(alerts["starts_at"]), arrays.micros(alerts["ends_at"])
    order = np.lexsort((began, group))
    group, began, ended = group[order].astype("int64"), began[order], ended[order]
    rows = alerts.take(order)
    over = rows["ends_at"].notna().to_numpy()
    first = arrays.starts(group)
    day = began // _DAY
    new_day = np.r_[True, (day[1:] != day[:-1]) | (group[1:] != group[:-1])]
    last = np.r_[first[1:], len(group)] - 1
    span = (int(began.max()) // _DAY) - (int(began.min()) // _DAY) + 1
    count, recovered = np.bincount(group), np.bincount(group, weights=over).astype("int64")
    refired = np.bincount(group, weights=_again(group, began, ended, over)) / np.where(recovered, recovered, np.nan)
    taken, paged = rows["taken"].to_numpy(), rows["page"].to_numpy() >= 0
    minded = bool(taken.any()) or bool(pages["acked_at"].notna().any())
    alone = np.bincount(group, weights=over & ~taken)
    ignored, rung = np.bincount(group, weights=paged & ~taken), np.bincount(group, weights=paged).astype("int64")
    days = np.bincount(group, weights=new_day).astype("int64")
    reporting = rows["source"].isin(set(alerts.loc[alerts["ends_at"].notna(), "source"])).to_numpy()
    changes = flapping.most_changes(
        np.r_[group, group[over]], np.r_[began, ended[over]], groups=len(pairs)
    )  # a firing and its recovery are two changes
    lasts = rows.take(last)
    key = rule_names.to_numpy()[pairs // (len(service_names) + 1)]
    named = lasts["alertname"].astype("str").reset_index(drop=True).fillna(pd.Series(key, dtype="str"))
    severity = np.maximum.reduceat(rows["severity"].cat.codes.to_numpy(dtype="int64"), first)
    found = pd.DataFrame(
        {
            "rule": named,
            "service": lasts["service"].astype("str").to_numpy(),
            "team": lasts["team"].astype("str").to_numpy(),
            "severity": pd.Categorical.from_codes(severity, dtype=schema.SEVERITY_DTYPE),
            "count": count,
            "pages": rung,
            "days": days,
            "days_share": days / span,
            "chronic": (days / span >= CHRONIC) & (days >= CHRONIC_LEAST),
            "open": pd.Series(count - recovered, dtype="Int64").where(
                pd.Series(np.logical_and.reduceat(reporting, first))
            ),
            "recovered": recovered,
            "refired": refired,
            "auto_resolved": alone / np.where(recovered, recovered, np.nan) if minded else np.nan,
            "never_acknowledged": ignored / np.where(rung, rung, np.nan) if minded else np.nan,
            "changes": changes,
            "flapping": changes >= flapping.CHANGES,
            "first": arrays.times(began[first]),
            "last": arrays.times(began[last]),
            "rule_key": pd.Series(key, dtype="str"),
        }
    )
    found = _checked(found, checks)
    found = found.sort_values(["count", "rule", "service", "rule_key"], ascending=[False, True, True, True])
    return found.reset_index(drop=True)[list(RULES)].astype(RULES)


def _again(group: arrays.Ints, began: arrays.Ints, ended: arrays.Ints, over: arrays.Bools) -> arrays.Bools:
    """Return after which alerts the same rule fired again within a day of their recovery; sorted by group and start."""
    window = REFIRE // pd.Timedelta("1us")
    until = np.where(over, ended, began)
    key, recovery = np.split(arrays.within(np.r_[group, group], np.r_[began, until], window), 2)
    at = np.searchsorted(key, recovery, side="left")
    at = np.maximum(at, np.arange(len(key)) + 1)  # an alert that ends as it begins is not its own successor
    follows = np.r_[key, np.iinfo(np.int64).max // 2][np.minimum(at, len(key))]
    return np.asarray(over & (follows - recovery <= window))


def _checked(found: pd.DataFrame, checks: pd.DataFrame | None) -> pd.DataFrame:
    """Add what Nagios would say of the rules whose checks are known: it goes before changes in an hour."""
    if checks is None:
        return found.assign(flap_percent=np.nan)
    told = flapping.of_checks(checks).set_index("rule_key")
    percent = found["rule_key"].map(told["flap_percent"]).astype("float64")
    flaps = found["rule_key"].map(told["flaps"]).astype("boolean")
    return found.assign(
        flap_percent=percent, flapping=flaps.where(percent.notna()).fillna(found["flapping"]).astype(bool)
    )
