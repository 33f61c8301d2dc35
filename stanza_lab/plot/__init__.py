"""Figures: each function takes tables or a map and returns a plotly figure, showing nothing itself."""

from stanza_lab.plot.blast_radius import blast_radius
from stanza_lab.plot.condensed_tree import condensed_tree
from stanza_lab.plot.coverage import coverage
from stanza_lab.plot.dependency_overlay import dependency_overlay
from stanza_lab.plot.heatmap import firing_heatmap
from stanza_lab.plot.incident_swimlane import incident_swimlane
from stanza_lab.plot.map_changes import map_changes
from stanza_lab.plot.parameter_importance import parameter_importance
from stanza_lab.plot.production_map import production_map
from stanza_lab.plot.propagation import propagation
from stanza_lab.plot.reliability import reliability
from stanza_lab.plot.replay import replay
from stanza_lab.plot.restyle import restyle
from stanza_lab.plot.timeline import timeline
from stanza_lab.plot.trade_off import trade_off
from stanza_lab.plot.why_dependency import why_dependency
from stanza_lab.plot.why_together import why_together

__all__ = [
    "blast_radius",
    "condensed_tree",
    "coverage",
    "dependency_overlay",
    "firing_heatmap",
    "incident_swimlane",
    "map_changes",
    "parameter_importance",
    "production_map",
    "propagation",
    "reliability",
    "replay",
    "restyle",
    "timeline",
    "trade_off",
    "why_dependency",
    "why_together",
]
