"""The map of production: services, what depends on what, whose it is, and who comes next."""

from stanza_lab.production.map import Direction, Focus, ProductionMap

__all__ = ["Direction", "Focus", "ProductionMap"]
