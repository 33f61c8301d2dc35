"""What the kernels look at: the recent alerts as columns, and what was learned, as plain arrays."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

import numpy as np

from stanza_lab.incidents.correlation.evidence import COMPANY_S, CROWD_S
from stanza_lab.incidents.correlation.recurrence import PRIOR

if TYPE_CHECKING:
    from scipy.sparse import csr_array

    from stanza_lab.incidents.correlation.grouping import Settings
    from stanza_lab.incidents.correlation.recurrence import Recurrence

LOOKED_UP = 65_521  # pairs whose looked-up values are kept; a prime, so that they spread
PER_HOUR = 3600.0 / (2 * CROWD_S)
LISTED = 8  # resources, and traces, of one alert that are compared; more are rare
PARTS = (
    "time", "service", "calls", "team", "environment", "trace", "kind", "recovery", "recurrence", "chronic", "company",
    "crowd",
)  # fmt: skip


class Window(NamedTuple):
    """The recent alerts. `order` holds their slots by time; all other columns are by slot."""

    order: np.ndarray
    at: np.ndarray  # seconds
    ends: np.ndarray  # NaN: not known yet
    service: np.ndarray
    team: np.ndarray
    place: np.ndarray
    rule: np.ndarray
    family: np.ndarray
    kind: np.ndarray
    habit: np.ndarray
    family_begins: np.ndarray  # whether a bout of its family begins with it
    rule_begins: np.ndarray
    near: np.ndarray  # bouts of other families that begin within minutes
    around: np.ndarray  # and within hours
    crowd: np.ndarray  # bouts of rules within hours
    resources: np.ndarray
    traces: np.ndarray
    visited: np.ndarray  # scratch: place among those looked at, -1
    log_near: np.ndarray  # logarithms of counts, by count
    log_around: np.ndarray
    log_crowd: np.ndarray
    lift_of: np.ndarray  # what was looked up last: the pair of rules, or services, and what was found
    lift: np.ndarray
    near_of: np.ndarray
    linked: np.ndarray

    @classmethod
    def empty(cls, capacity: int) -> Window:
        """Return room for so many alerts."""
        whole, real = np.int64, np.float64
        kinds = dict.fromkeys(cls._fields, whole) | dict.fromkeys(
            ("at", "ends", "habit", "near", "around", "crowd"), real
        )
        flags = dict.fromkeys(("family_begins", "rule_begins"), np.bool_)
        columns = {name: np.zeros(capacity, dtype=kind) for name, kind in (kinds | flags).items()}
        lists = {name: np.full((capacity, LISTED), -1, dtype=whole) for name in ("resources", "traces")}
        counts = np.arange(capacity + 1)
        logs = {
            "log_near": np.log1p(counts),
            "log_around": np.log1p(counts * COMPANY_S / CROWD_S),
            "log_crowd": np.log1p(counts * PER_HOUR),
        }
        looked_up: dict[str, np.ndarray] = {
            name: np.full(LOOKED_UP, -1, dtype=whole) for name in ("lift_of", "near_of")
        }
        looked_up |= {name: np.zeros(LOOKED_UP) for name in ("lift", "linked")}
        return cls(**(columns | lists | logs | looked_up | {"visited": np.full(capacity, -1, dtype=whole)}))


class Learned(NamedTuple):
    """What new alerts are judged by: how near services are, and how often rules came together, both as sparse rows."""

    calls_start: np.ndarray
    calls_other: np.ndarray
    calls_near: np.ndarray
    together_start: np.ndarray
    together_other: np.ndarray
    together_times: np.ndarray
    seen: np.ndarray  # occasions that a rule took part in
    occasions: float

    @classmethod
    def of(cls, calls: csr_array, recurrence: Recurrence) -> Learned:
        """Return what a fitted clusterer learned."""
        return cls(
            *_rows(calls),
            *_rows(recurrence.together),
            recurrence.incidents + recurrence.alone,
            float(recurrence.occasions),
        )


class Weights(NamedTuple):
    """The parameters of a clusterer in seconds, for the kernels."""

    service: float
    call: float
    team: float
    environment: float
    trace: float
    kind: float
    recovery: float
    recurrence: float
    chronic: float
    company: float
    crowd: float
    max_gap: float
    resolution: float
    neighbours: int
    max_chronic: float

    @classmethod
    def of(cls, settings: Settings) -> Weights:
        """Return those of a clusterer."""
        gaps = {name: float(getattr(settings.gaps, name)) for name in settings.gaps.__dataclass_fields__}
        return cls(
            **gaps,
            max_gap=settings.max_gap_s,
            resolution=settings.resolution_s,
            neighbours=settings.min_neighbours,
            max_chronic=float(settings.max_chronic),
        )

    @property
    def furthest(self) -> float:
        """Seconds after which nothing can belong together, whatever draws it together but company."""
        drawn = self.call + self.trace + self.kind + self.recovery + 3 * self.recurrence + self.chronic * 2 * PRIOR
        return self.max_gap + drawn

    @property
    def horizon(self) -> float:
        """Seconds that an alert is looked at after it fired: as long as it says what is usual, or may be joined."""
        most = np.log1p(1_000.0)  # no hour has more company
        return CROWD_S + self.furthest + self.company * float(most) + COMPANY_S


def _rows(table: csr_array) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Return sparse rows as the kernels read them: where each begins, columns in order, values."""
    sorted_ = table.copy()
    sorted_.sum_duplicates()
    return (
        sorted_.indptr.astype(np.int64),
        sorted_.indices.astype(np.int64),
        sorted_.data.astype(np.float64),
    )
