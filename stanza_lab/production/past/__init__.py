"""The map in time: as it was, what changed since, an incident replayed."""
