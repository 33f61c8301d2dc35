"""Grouping one alert at a time, as it comes in: the same distance and density as a whole history is grouped by."""

from stanza_lab.incidents.stream.grouper import Placed, StreamGrouper

__all__ = ["Placed", "StreamGrouper"]
