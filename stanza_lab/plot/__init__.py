"""Figures: each function takes tables or a map and returns a plotly figure, showing nothing itself."""

from stanza_lab.plot.blast_radius import blast_radius
from stanza_lab.plot.burn_rate import burn_rate
from stanza_lab.plot.condensed_tree import condensed_tree
from stanza_lab.plot.coverage import coverage
from stanza_lab.plot.dependency_overlay import dependency_overlay
from stanza_lab.plot.early_warning import early_warning
from stanza_lab.plot.error_budget import error_budget
from stanza_lab.plot.golden_signals import golden_signals
from stanza_lab.plot.heatmap import firing_heatmap
from stanza_lab.plot.incident_swimlane import incident_swimlane
from stanza_lab.plot.interruptions import interruptions
from stanza_lab.plot.likely_origins import likely_origins
from stanza_lab.plot.look_alikes import look_alikes
from stanza_lab.plot.map_changes import map_changes
from stanza_lab.plot.noisiest import noisiest
from stanza_lab.plot.pager_load import pager_load
from stanza_lab.plot.parameter_importance import parameter_importance
from stanza_lab.plot.pattern_calendar import pattern_calendar
from stanza_lab.plot.pattern_steps import pattern_steps
from stanza_lab.plot.production_map import production_map
from stanza_lab.plot.propagation import propagation
from stanza_lab.plot.reaction_backtest import reaction_backtest
from stanza_lab.plot.reliability import reliability
from stanza_lab.plot.replay import replay
from stanza_lab.plot.restyle import restyle
from stanza_lab.plot.timeline import timeline
from stanza_lab.plot.trade_off import trade_off
from stanza_lab.plot.tune_down import tune_down
from stanza_lab.plot.why_dependency import why_dependency
from stanza_lab.plot.why_together import why_together

__all__ = [
    "blast_radius",
    "burn_rate",
    "condensed_tree",
    "coverage",
    "dependency_overlay",
    "early_warning",
    "error_budget",
    "firing_heatmap",
    "golden_signals",
    "incident_swimlane",
    "interruptions",
    "likely_origins",
    "look_alikes",
    "map_changes",
    "noisiest",
    "pager_load",
    "parameter_importance",
    "pattern_calendar",
    "pattern_steps",
    "production_map",
    "propagation",
    "reaction_backtest",
    "reliability",
    "replay",
    "restyle",
    "timeline",
    "trade_off",
    "tune_down",
    "why_dependency",
    "why_together",
]
