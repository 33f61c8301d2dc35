"""A seeded production with known truth, exported in the shapes of the vendors."""

from __future__ import annotations

from stanza_lab.simulate.production import Production, simulate_production

__all__ = ["Production", "simulate_production"]
