"""Counts by time slice that add up: one way to make them, whatever is counted."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import pandas as pd

from stanza_lab import schema


def add_up(
    parts: Sequence[pd.DataFrame], *, keys: Sequence[str], words: str, choices: Sequence[str] | None = None
) -> pd.DataFrame:
    """Return the sum of tables of counts, one row per combination of `keys`, sorted by them.

    The key `slice` is a time or microseconds, all others are text; `words` is the one that becomes a category, of
    `choices` or else of the words that occur.
    """
    table = pd.DataFrame({key: pd.Series([], dtype="str") for key in keys})
    table["slice"] = pd.Series([], dtype=schema.TIME_DTYPE)
    table["count"] = np.zeros(0, dtype=np.int64)
    texts = {key: "str" for key in keys if key != "slice"}
    for part in parts:
        kept = part[[*keys, "count"]].dropna()
        table = pd.concat([table, kept.assign(slice=_time(kept["slice"])).astype(texts)], ignore_index=True)
    dtype = pd.CategoricalDtype(sorted(table[words].unique()) if choices is None else list(choices))
    table[words] = table[words].astype(dtype)
    counts = table.groupby([*keys], observed=True)["count"].sum().astype("int64")
    return counts.reset_index().sort_values([*keys], ignore_index=True)


def _time(slices: pd.Series) -> pd.Series:
    if pd.api.types.is_integer_dtype(slices):
        slices = pd.to_datetime(slices, unit="us", utc=True)
    return slices.astype(schema.TIME_DTYPE)
