"""What is known of the truth, brought to the rows of the alerts."""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd

from stanza_lab.incidents.quality.labels import said_of
from stanza_lab.tuning.splits import incident_codes


def names_of(alerts: pd.DataFrame, truth: Any) -> pd.DataFrame | None:
    """Return for each alert whether the truth speaks of it, and its incident.

    The columns are known (bool), incident (str) and code (int64, the number of the incident, -1 = none).

    `truth` is what `score_incidents` takes; None stays None.
    """
    if truth is None:
        return None
    at, said = said_of(alerts, truth)
    known = np.zeros(len(alerts), dtype=bool)
    known[at] = True
    names = said.set_axis(at).reindex(range(len(alerts))).astype("str")
    return pd.DataFrame({"known": known, "incident": names, "code": incident_codes(names, len(names))})
