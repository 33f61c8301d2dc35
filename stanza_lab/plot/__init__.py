"""Figures: each function takes tables or a map and returns a plotly figure, showing nothing itself."""

from stanza_lab.plot.coverage import coverage
from stanza_lab.plot.heatmap import firing_heatmap
from stanza_lab.plot.production_map import production_map
from stanza_lab.plot.timeline import timeline

__all__ = ["coverage", "firing_heatmap", "production_map", "timeline"]
