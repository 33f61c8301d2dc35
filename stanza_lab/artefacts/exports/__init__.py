"""A bundle in the formats of other tools: one module per target, all over one walk of the bundle."""

from stanza_lab.artefacts.exports.export import Exported, export, export_targets

__all__ = ["Exported", "export", "export_targets"]
