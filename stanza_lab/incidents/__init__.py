"""Incidents: which alerts belong together, what to call them, how good the grouping is."""

from stanza_lab.incidents.clusterer import IncidentClusterer, cluster_incidents
from stanza_lab.incidents.metrics import score_incidents
from stanza_lab.incidents.summaries import summarize_incidents

__all__ = ["IncidentClusterer", "cluster_incidents", "score_incidents", "summarize_incidents"]
