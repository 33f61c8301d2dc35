"""The records of one vendor with all that its monitors and services say, month by month."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING, Any

import numpy as np
import orjson
import pandas as pd

from stanza_lab.simulate.monitors import RULES
from stanza_lab.simulate.naming import iso
from stanza_lab.simulate.records import KINDS

if TYPE_CHECKING:
    from stanza_lab.simulate.production import Production

_RULE_COLUMNS = ("symptom", "metric", "threshold", "priority", "level", "minutes")


def joined(production: Production, vendor: str) -> pd.DataFrame:
    """Return the vendor's records, oldest first, with the columns of their monitor, rule and service."""
    records = production.records
    monitors = production.monitors
    rules = [RULES[k] for k in monitors["rule"]]
    monitors = monitors.assign(**{name: [getattr(rule, name) for rule in rules] for name in _RULE_COLUMNS})
    services = production.services.reset_index(names="service_row").rename(columns={"kind": "service_kind"})
    vendors = monitors["vendor"].to_numpy()[records["monitor"]]
    own = records.take(np.flatnonzero(vendors == vendor))
    own = own.assign(kind=np.array(KINDS)[own["kind"]], iso=iso(own["at_ms"]), month=months(own["at_ms"]))
    watching = monitors.take(own["monitor"].to_numpy()).set_axis(own.index)
    about = services.take(watching["service"].to_numpy()).set_axis(own.index)
    return pd.concat([own, watching.drop(columns=["vendor", "service"]), about], axis=1)


def months(at_ms: pd.Series) -> pd.Series:
    """Return the month of each instant as ``2026-07``."""
    text = np.datetime_as_string(np.asarray(at_ms, dtype="datetime64[ms]"), unit="M")
    return pd.Series(text, index=at_ms.index, dtype="str")


def by_month(rows: pd.DataFrame) -> Iterator[tuple[str, pd.DataFrame]]:
    """Yield the rows of each month, in order."""
    for month, part in rows.groupby("month", sort=True):
        yield str(month), part


def dump(value: Any) -> str:
    """Write one JSON value on one line."""
    return orjson.dumps(value).decode()


def lines(values: Iterator[Any]) -> str:
    """Write one JSON value per line."""
    return "".join(dump(value) + "\n" for value in values)
