"""What dependencies need from the alerts: counts per time slice, computed once, merged by adding.

A *firing* is the start of an episode of a node at a place: an alert with no other of the same node and place in the
`refractory` time before it (flapping and re-notifications are one firing). Two firings of different nodes at places
near each other, at most `window` apart, are one *co-firing*; it belongs to the slice of the later one, so counting
looks back `window` + `refractory` before its start and never ahead. What is counted piece by piece therefore adds up
exactly to the counts of the whole.

*Inner* alerts say that the thing itself is in trouble (saturation, availability). They have a stream of their own: an
inner firing is an inner alert with no other inner alert of its node and place in the refractory time before it.
"""

from stanza_lab.dependencies.statistics.counting import LAG_EDGES, LAGS, Counting
from stanza_lab.dependencies.statistics.firings import Firings, Ints
from stanza_lab.dependencies.statistics.near import Near, near_places
from stanza_lab.dependencies.statistics.statistics import CoFiringStatistics

__all__ = ["LAGS", "LAG_EDGES", "CoFiringStatistics", "Counting", "Firings", "Ints", "Near", "near_places"]
