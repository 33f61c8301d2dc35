"""How fast alerts were over: half of them, nine in ten, all; and which lingered long after the others."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

from stanza_lab.production import words

if TYPE_CHECKING:
    from stanza_lab.postmortem.scene import Scene

SEVERE = "error"  # severity from which an alert must be over for the incident to count as mitigated
_LONG = 10.0  # times as long as half of them took, and an hour longer: one that took more lingered
_LONGER = 3600.0  # seconds
_FEW = 3  # alerts below which none can be told to linger: half of two is one
_TENTHS = 10  # alerts from which nine in ten is another number than all


@dataclass(frozen=True)
class Course:
    """How a part of the incident's alerts recovered, in seconds from its first alert."""

    number: int
    half: float
    most: float | None  # nine in ten; None of fewer than ten
    rest: float  # all that did not linger
    last: float
    last_name: str
    lingered: int
    at: pd.Timestamp  # the last recovery

    def words(self) -> str:
        """Return the course in one sentence: half, nine in ten, all; what lingered long after stands apart."""
        if self.number == 1:
            return f"{words.span(self.last)}, 1 alert: {self.last_name}"
        half, rest = words.span(self.half), words.span(self.rest)
        most = rest if self.most is None else words.span(min(self.most, self.rest))
        steps = [] if half == rest else [f"half over after {half}"]
        steps += [] if most in (half, rest) else [f"nine in ten after {most}"]
        head = f"all but {self.lingered:,}" if self.lingered else "all"
        steps.append(f"{head} after {rest}" if steps else f"{head} over after {rest}")
        end = self.lingering() if self.lingered else f"the last was {self.last_name}"
        return f"of {words.count(self.number, 'alert')} {', '.join(steps)}; {end}"

    def lingering(self) -> str:
        """Return which alert was on long after the others, with the last of them by name."""
        if self.lingered == 1:
            return f"one alert lingered: {self.last_name}, {words.span(self.last)}"
        return f"{self.lingered:,} alerts lingered, the last {self.last_name}, {words.span(self.last)}"


def severe(scene: Scene) -> pd.DataFrame:
    """Return the alerts that must be over for the incident to count as mitigated."""
    return scene.mine[scene.mine["severity"] >= SEVERE]


def telling(scene: Scene, part: pd.DataFrame) -> pd.DataFrame:
    """Return those of the alerts whose source reports ends."""
    return part[part["source"].astype("str").fillna("").isin(scene.reporting)]


def course(scene: Scene, part: pd.DataFrame) -> Course | None:
    """Return how alerts recovered, of those whose source reports ends; None while one of them is open."""
    told = telling(scene, part)
    if told.empty or told["ends_at"].isna().any():
        return None
    lasted = (told["ends_at"] - scene.begin).dt.total_seconds().to_numpy()
    # The share that was over by then, not a time between two recoveries at which nothing happened.
    half, most = map(float, np.quantile(lasted, [0.5, 0.9], method="inverted_cdf"))
    late = (lasted > max(_LONG * half, half + _LONGER)) & (len(told) >= _FEW)
    last = told.sort_values("ends_at", kind="stable").iloc[-1]
    where = last["service"] if pd.notna(last["service"]) else "of no known service"
    return Course(
        number=len(told),
        half=half,
        most=most if len(told) >= _TENTHS else None,
        rest=float(lasted[~late].max()),
        last=float(lasted.max()),
        last_name=f"{where}: {last['name']}",
        lingered=int(late.sum()),
        at=last["ends_at"],
    )
