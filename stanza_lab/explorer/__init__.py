"""The map of production in JupyterLab: walk over it, and find your place on it."""

from stanza_lab.explorer.explorer import Explorer
from stanza_lab.explorer.place_finder import PlaceFinder

__all__ = ["Explorer", "PlaceFinder"]
