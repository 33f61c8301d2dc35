"""Propagation between alert kinds: what a callee's trouble of one kind leads to on its callers, and when."""

from __future__ import annotations

from stanza_lab.dependencies.propagation.table import PROPAGATION, infer_propagation

__all__ = ["PROPAGATION", "infer_propagation"]
