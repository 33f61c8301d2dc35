"""A seeded production with known truth, exported in the shapes of the vendors; a network whose alarms cause alarms."""

from __future__ import annotations

from stanza_lab.simulate.network import Network, simulate_network
from stanza_lab.simulate.production import Production, simulate_production

__all__ = ["Network", "Production", "simulate_network", "simulate_production"]
