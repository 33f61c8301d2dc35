"""Pager load: who was interrupted, when and how often, how fast they answered, what was noise."""

from __future__ import annotations

from stanza_lab.reliability.load.engagements import read_engagements
from stanza_lab.reliability.load.load import PagerLoad, pager_load

__all__ = ["PagerLoad", "pager_load", "read_engagements"]
