"""Which true incident each alert belongs to, in the shapes that `score_incidents` takes."""

from __future__ import annotations

import numpy as np
import pandas as pd

from stanza_lab.incidents.quality.labels import said_of

UNKNOWN = -2  # nothing is said of the alert; -1: it belongs to none


def true_incidents(alerts: pd.DataFrame, truth: pd.Series | pd.DataFrame) -> tuple[np.ndarray, list[str]]:
    """Return for each alert the number of its true incident (-1 none, -2 unknown) and their names."""
    at, said = said_of(alerts, truth)
    code, names = pd.factorize(said)
    found = np.full(len(alerts), UNKNOWN, dtype=np.int64)
    found[at] = code
    return found, [str(name) for name in names]
