"""Names and texts of other systems: as the map spells them, or nothing."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pandas as pd

from stanza_lab.entities import naming

if TYPE_CHECKING:
    from collections.abc import Iterable


def spelled(names: pd.Series, known: Iterable[str]) -> pd.Series:
    """Return names as the `known` ones spell them, where case and separators are all that differs; aligned, str."""
    as_known = {naming.key(name): name for name in known}
    return names.astype("str").map(lambda name: as_known.get(naming.key(name), name), na_action="ignore").astype("str")


def text(value: Any) -> str | None:
    """Return a value as text; None for null and for nothing."""
    return None if value is None or pd.isna(value) or value == "" else str(value)
