"""What an alert says under a name: a column of the table, or a key of its labels."""

from __future__ import annotations

import difflib
import re
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import orjson
import pandas as pd

from stanza_lab.errors import SchemaError

ALL_LABELS = "..."  # Alertmanager's word for every label
_NOT_GROUPED = ("incident_id", "labels")


def values(
    alerts: pd.DataFrame,
    name: str,
    *,
    labels_first: bool = False,
    need: bool = True,
    told: Mapping[str, pd.Series | None] | None = None,
) -> pd.Series:
    """Return what each alert says under `name`, as text; null where it says nothing.

    Parameters
    ----------
    alerts : DataFrame
        A checked alerts table.
    name : str
        A column, or a key of the JSON in `labels`, with or without ``labels.`` before it; ``a.b`` is b within a.
    labels_first : bool
        Which of the two counts where an alert has both. A replay of a tool that only knows labels asks them first.
    need : bool
        Whether a name that no alert knows is an error; otherwise all is null.
    told : mapping, optional
        What the labels say under each name, where that was read already.
    """
    column = _column(alerts, name, labels_first=labels_first)
    if column is not None and not labels_first and column.notna().all():
        return column  # nothing is left for the labels to say
    key = _labels(alerts, [name])[name] if told is None else told[name]
    if column is None and key is None:
        if need:
            raise SchemaError(_unknown(alerts, name))
        return pd.Series(index=alerts.index, dtype="str")
    if column is None or key is None:
        return key if column is None else column  # type: ignore[return-value]  # one of them is there
    return key.fillna(column) if labels_first else column.fillna(key)


def codes(alerts: pd.DataFrame, names: Sequence[str], *, labels_first: bool = False, need: bool = True) -> np.ndarray:
    """Return a number for each different combination of values under `names`; null is a value of its own."""
    found = np.zeros(len(alerts), dtype=np.int64)
    told = _labels(alerts, names) if labels_first else None  # parsed once for all names
    for name in names:
        code, words = pd.factorize(values(alerts, name, labels_first=labels_first, need=need, told=told))
        found = pd.factorize(found * (len(words) + 1) + code + 1)[0]
    return np.asarray(found)


def fingerprints(alerts: pd.DataFrame) -> np.ndarray:
    """Return a number for each different set of labels: the rule key, which writes them out, else all there is."""
    if "rule_key" in alerts.columns and alerts["rule_key"].notna().any():
        return codes(alerts, ["rule_key"])
    about = ("alertname", "service", "environment", "team", "severity")
    told = codes(alerts, [name for name in about if name in alerts.columns])
    texts = pd.factorize(alerts["labels"])[0] if "labels" in alerts.columns else np.zeros(len(alerts), dtype=np.int64)
    return np.asarray(pd.factorize(told * (texts.max(initial=0) + 2) + texts + 1)[0])


def _column(alerts: pd.DataFrame, name: str, *, labels_first: bool) -> pd.Series | None:
    # Tools that only know labels compare the vendor's own word; ours would call "page" critical.
    tried = ("severity_raw", "severity") if labels_first and name == "severity" else (name,)
    there = [word for word in tried if word in alerts.columns and word not in _NOT_GROUPED]
    if not there:
        return None
    found = alerts[there[0]]
    if found.dtype == object:  # lists: their text
        return found.map(lambda value: ", ".join(map(str, value)) if len(value) else None).astype("str")
    return found.astype("str") if len(there) == 1 else found.astype("str").fillna(alerts[there[1]].astype("str"))


def _labels(alerts: pd.DataFrame, names: Sequence[str]) -> dict[str, pd.Series | None]:
    """Return the values of keys of `labels`; None where no alert has the key. Each different text is parsed once."""
    if "labels" not in alerts.columns or not len(names):
        return dict.fromkeys(names)
    keys = [name.removeprefix("labels.") for name in names]
    code, texts = pd.factorize(alerts["labels"])
    # Most texts hold none of the keys: looking for their first parts is far cheaper than parsing.
    first = "|".join(sorted({re.escape(key.split(".")[0]) for key in keys}))
    held = pd.Series(texts, dtype="str").str.contains(first, regex=True).fillna(False)  # noqa: FBT003
    said: list[list[str | None]] = [[None] * (len(texts) + 1) for _ in keys]
    words = texts.to_numpy(dtype=object)
    for at in np.flatnonzero(held.to_numpy(dtype=bool)).tolist():
        told = _parsed(words[at])
        for values_, key in zip(said, keys, strict=True):
            values_[at] = _said(told, key)
    return {name: _spread(found, code, alerts.index) for name, found in zip(names, said, strict=True)}


def _spread(said: list[str | None], code: np.ndarray, index: pd.Index) -> pd.Series | None:
    """Return a value per alert from one per different text; the last stands for alerts without labels."""
    known, words = pd.factorize(np.array(said, dtype=object))
    if not len(words):
        return None
    return pd.Series(pd.Series([*words, None], dtype="str").array[known[code]], index=index)


def _parsed(text: str) -> dict[str, Any]:
    try:
        told = orjson.loads(text)
    except orjson.JSONDecodeError:
        return {}
    return told if isinstance(told, dict) else {}


def _said(told: dict[str, Any], key: str) -> str | None:
    found: Any = told.get(key)
    if found is None and "." in key:
        found = told
        for part in key.split("."):
            found = found.get(part) if isinstance(found, dict) else None
    if found is None or isinstance(found, str):
        return found
    return orjson.dumps(found, option=orjson.OPT_SORT_KEYS).decode()


def _unknown(alerts: pd.DataFrame, name: str) -> str:
    columns = [str(column) for column in alerts.columns if column not in _NOT_GROUPED]
    close = difflib.get_close_matches(name, columns, n=1, cutoff=0.6)
    hint = f"did you mean {close[0]!r}?" if close else f"columns are {columns[:30]}"
    return f"alerts: {name!r} is neither a column nor a key of the labels of any alert; {hint}"
