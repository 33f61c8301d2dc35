"""The front door of a service or team, and what teams contribute to it."""
