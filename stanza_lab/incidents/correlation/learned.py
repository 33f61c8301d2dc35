"""What a fitted clusterer learned of rules, as tables without an alert in them, and back."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd
from scipy.sparse import coo_array, csr_array

from stanza_lab.errors import BundleError
from stanza_lab.incidents.correlation.features import Features, Vocabulary
from stanza_lab.incidents.correlation.habits import HABITS
from stanza_lab.incidents.correlation.recurrence import Recurrence

if TYPE_CHECKING:
    from numpy.typing import NDArray

FRAMES = {
    "rules": {
        "rule": "str",
        "alerts": "int64",
        "incidents": "int64",
        "alone_share": "float64",
        "chronic": "float64",
        "per_day": "float64",
        "habit": "str",
        "family": "int64",
        "seen": "float64",
        "luck": "float64",
        "alone": "float64",
        "took_part": "float64",
    },
    "together": {"a": "int64", "b": "int64", "times": "float64"},
    "names": {"attribute": "str", "name": "str"},
    "stated": {"source": "int64", "environment": "int64"},
    "totals": {"alerts": "int64", "incidents": "int64", "occasions": "int64"},
}
_NAMED = ("service", "team", "environment", "source")  # kinds may be texts of alerts, and are learned nothing of
_MANY = 2**32  # as features._MANY: more than there are environments
_HABIT = ("rule", "alerts", "incidents", "alone_share", "chronic", "per_day", "habit")


@dataclass(frozen=True)
class Learned:
    """What new alerts are judged by: names and their codes, counts per rule, habits in words, and of how much."""

    vocabulary: Vocabulary
    recurrence: Recurrence
    habits: pd.DataFrame
    alerts: int
    incidents: int

    def nobody(self) -> Features:
        """Return the features of no alert at all, of which only the sources that tell environments apart are known."""
        none, unknown = np.zeros(0), np.zeros(0, dtype=np.int64)
        stated = self.vocabulary.names["stated"].to_numpy(dtype=np.int64)
        sources, count = np.unique(stated // _MANY, return_counts=True)
        codes = dict.fromkeys(("service", "team", "environment", "source", "rule", "kind"), unknown)
        return Features(
            origin_us=0, seconds=none, ends=none, lists={}, telling=sources[count > 1], rows=unknown, **codes
        )


def to_frames(learned: Learned) -> dict[str, pd.DataFrame]:
    """Return what was learned as tables; rules without a name are left out, for no new alert can be of them."""
    names, counted = learned.vocabulary.names, learned.recurrence
    rules = pd.Series(names.get("rule", pd.Index([], dtype="str")).astype("str"), dtype="str")
    rules = rules.iloc[: len(counted.alerts)]
    named = ~rules.str.startswith("\0").to_numpy(dtype=bool)
    kept = np.flatnonzero(named)
    place = np.full(len(rules), -1)
    place[kept] = np.arange(len(kept))
    habits = learned.habits.set_index("rule").reindex(rules[kept]).reset_index(names="rule")
    table = habits[list(_HABIT)].assign(
        habit=habits["habit"].astype("str"),
        family=counted.family[kept],
        seen=counted.alerts[kept],
        luck=counted.luck[kept],
        alone=counted.alone[kept],
        took_part=counted.incidents[kept],
    )
    pairs = counted.together.tocoo()
    a, b = place[pairs.coords[0]], place[pairs.coords[1]]
    one = (a >= 0) & (b >= a)
    together = pd.DataFrame({"a": a[one], "b": b[one], "times": pairs.data[one]}).sort_values(["a", "b"])
    said = [(attribute, name) for attribute in _NAMED for name in names.get(attribute, ())]
    stated = names.get("stated", pd.Index([], dtype="int64")).to_numpy(dtype=np.int64)
    frames = {
        "rules": table,
        "together": together,
        "names": pd.DataFrame(said, columns=["attribute", "name"]),
        "stated": pd.DataFrame({"source": stated // _MANY, "environment": stated % _MANY}),
        "totals": pd.DataFrame(
            {"alerts": [learned.alerts], "incidents": [learned.incidents], "occasions": [counted.occasions]}
        ),
    }
    return {name: frames[name].astype(FRAMES[name]).reset_index(drop=True) for name in FRAMES}


def from_frames(frames: Mapping[str, pd.DataFrame]) -> Learned:
    """Return what was learned from its tables; says what is wrong with any other."""
    for name, columns in FRAMES.items():
        if name not in frames:
            raise BundleError(f"the incidents model lacks its table {name!r}; save it again with to_frames")
        if absent := [column for column in columns if column not in frames[name]]:
            raise BundleError(f"table {name!r} of the incidents model lacks {absent}; save it again with to_frames")
    try:
        tables = {name: frames[name].astype(columns) for name, columns in FRAMES.items()}
        return _read(tables)
    except (TypeError, ValueError, IndexError) as error:
        raise BundleError(f"the incidents model is damaged: {error}; save it again with to_frames") from error


def _read(tables: Mapping[str, pd.DataFrame]) -> Learned:
    rules, together, names, stated = (tables[name] for name in ("rules", "together", "names", "stated"))
    size = len(rules)
    totals = tables["totals"].iloc[0]
    a, b = _codes(together["a"], size), _codes(together["b"], size)
    other = a != b
    times = together["times"].to_numpy(dtype=float)
    entries = (np.r_[times, times[other]], (np.r_[a, b[other]], np.r_[b, a[other]]))
    matrix = csr_array(coo_array(entries, shape=(size, size)))
    matrix.sum_duplicates()
    known = {
        attribute: pd.Index(names.loc[names["attribute"] == attribute, "name"], dtype="str") for attribute in _NAMED
    }
    environments = _codes(stated["environment"], len(known["environment"]))
    known["stated"] = pd.Index(_codes(stated["source"], len(known["source"])) * _MANY + environments, dtype="int64")
    known["rule"] = pd.Index(rules["rule"], dtype="str")
    if not known["rule"].is_unique:
        raise ValueError("a rule stands twice in it")
    family = rules["family"].to_numpy(dtype=np.int64)
    recurrence = Recurrence(
        family=np.unique(family, return_inverse=True)[1].astype(np.int64),
        alerts=rules["seen"].to_numpy(dtype=float),
        luck=rules["luck"].to_numpy(dtype=float),
        alone=rules["alone"].to_numpy(dtype=float),
        incidents=rules["took_part"].to_numpy(dtype=float),
        together=matrix,
        occasions=int(totals["occasions"]),
    )
    habits = rules[list(_HABIT)].assign(habit=pd.Categorical(rules["habit"], categories=HABITS))
    habits = habits.sort_values(["alerts", "rule"], ascending=[False, True], ignore_index=True)
    return Learned(Vocabulary(known), recurrence, habits, int(totals["alerts"]), int(totals["incidents"]))


def _codes(values: pd.Series, size: int) -> NDArray[np.int64]:
    codes = values.to_numpy(dtype=np.int64)
    if len(codes) and (codes.min() < 0 or codes.max() >= size):
        raise ValueError(f"it names entry {int(codes.max())} of a table of {size:,}")
    return codes
