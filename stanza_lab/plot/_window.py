"""The time that the figure of one incident shows."""

from __future__ import annotations

from dataclasses import dataclass

import pandas as pd

BLURRED = pd.Timedelta("1min")  # monitors look once a minute: what fires first within it is chance


@dataclass(frozen=True)
class Window:
    """What the time axis shows: the incident from its first start to its last recovery, and room on both sides."""

    start: pd.Timestamp
    end: pd.Timestamp
    first: pd.Timestamp

    @classmethod
    def of(cls, mine: pd.DataFrame, around: pd.Timedelta) -> Window:
        """Return what to show; one alert that recovers very late, or never, doesn't squeeze the rest."""
        first, last = mine["starts_at"].iloc[0], mine["starts_at"].iloc[-1]
        longest = max(last - first, around, BLURRED)
        recovered = mine["ends_at"].max()
        end = last if pd.isna(recovered) else min(max(recovered, last), last + longest)
        edge = max(around, (end - first) * 0.02, pd.Timedelta("5s"))
        return cls(start=first - edge, end=end + edge, first=first)

    def wider(self, marks: pd.Series) -> Window:
        """Return the window with all marks in it, and a little room beside the outermost."""
        if marks.empty:
            return self
        room = (self.end - self.start) * 0.03
        return Window(min(self.start, marks.min() - room), max(self.end, marks.max() + room), self.first)
