"""Honeycomb."""

from __future__ import annotations

from stanza_lab.loaders._records import Shape

SHAPES: tuple[Shape, ...] = ()
PAGES: tuple[str, ...] = ()
