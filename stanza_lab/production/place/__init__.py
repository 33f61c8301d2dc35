"""Somebody's place on the map: what they pick, what else is theirs, what it pages."""
