"""The map of production: services, what depends on what, whose it is, and who comes next."""

from stanza_lab.production.door.contributed import Contributed, read_contributed
from stanza_lab.production.focus import Direction, Focus
from stanza_lab.production.map import ProductionMap
from stanza_lab.production.place.profile import Profile, read_profile
from stanza_lab.production.spread.origins import rank_origins

__all__ = [
    "Contributed",
    "Direction",
    "Focus",
    "ProductionMap",
    "Profile",
    "rank_origins",
    "read_contributed",
    "read_profile",
]
