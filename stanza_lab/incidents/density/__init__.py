"""Density over time alone: HDBSCAN's hierarchy through sorted neighbours, exactly."""

from stanza_lab.incidents.density.time_clusterer import TimeClusterer

__all__ = ["TimeClusterer"]
