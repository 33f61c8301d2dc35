"""What the labels of many alerts state."""

from __future__ import annotations

from typing import Any

import orjson
import pandas as pd


def stated(labels: pd.Series, *keys: str) -> pd.DataFrame:
    """Return the texts that each alert's labels (canonical JSON) state under `keys`; null where they do not."""
    told = [_read(said) for said in labels.tolist()]
    found = {key: [value if isinstance(value := one.get(key), str) else None for one in told] for key in keys}
    return pd.DataFrame(found, columns=list(keys), index=labels.index, dtype="str")


def _read(said: Any) -> dict[str, Any]:
    if not isinstance(said, str):
        return {}
    try:
        told = orjson.loads(said)
    except orjson.JSONDecodeError:
        return {}
    return told if isinstance(told, dict) else {}
