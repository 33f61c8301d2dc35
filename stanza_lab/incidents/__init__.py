"""Incidents: which alerts belong together, what to call them, how good the grouping is."""

from stanza_lab.incidents.clusterer import IncidentClusterer, cluster_incidents
from stanza_lab.incidents.density import TimeClusterer
from stanza_lab.incidents.quality.metrics import score_incidents
from stanza_lab.incidents.summaries import summarize_incidents

__all__ = ["IncidentClusterer", "TimeClusterer", "cluster_incidents", "score_incidents", "summarize_incidents"]
