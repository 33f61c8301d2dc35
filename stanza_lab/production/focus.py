"""What a view of a map was cut to."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from stanza_lab.production import words

Direction = Literal["upstream", "downstream", "both"]
DIRECTIONS = ("upstream", "downstream", "both")


@dataclass(frozen=True)
class Focus:
    """What a view was cut to, and how much of the map it was cut from it leaves out."""

    kind: Literal["service", "team"]
    name: str
    hops: int | None
    direction: Direction
    min_confidence: float
    services_cut: int
    links_cut: int

    @property
    def where(self) -> str:
        """Which services, as it follows "26 services ..."."""
        if self.kind == "team":
            return self.name if words.cluster(self.name) != self.name else f"of {self.name}"
        way = {"both": "", "upstream": ", upstream (its callers)", "downstream": ", downstream (what it calls)"}
        return f"within {words.count(self.hops or 0, 'hop')} of {self.name}{way[self.direction]}"

    @property
    def words(self) -> str:
        """The cut in words."""
        left = f"{words.count(self.services_cut, 'service')} and {words.count(self.links_cut, 'link')} left out"
        if self.kind == "team":
            return f"the services {self.where}; {left}"
        way = ", either way" if self.direction == "both" else ""
        sure = f" over links of at least {self.min_confidence:g}" if self.min_confidence else ""
        return f"{self.where}{way}{sure}; {left}"
