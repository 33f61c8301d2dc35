"""What a model leaves behind: a bundle that other machines load, a scorer over it, and exports to other tools."""

from stanza_lab.artefacts.bundle import Bundle, BundleDiff, diff_bundles, load_bundle, save_bundle
from stanza_lab.artefacts.exports import Exported, export, export_targets
from stanza_lab.artefacts.replay import Replay, replay_alertmanager
from stanza_lab.artefacts.scoring import LineScorer, Scorer

__all__ = [
    "Bundle",
    "BundleDiff",
    "Exported",
    "LineScorer",
    "Replay",
    "Scorer",
    "diff_bundles",
    "export",
    "export_targets",
    "load_bundle",
    "replay_alertmanager",
    "save_bundle",
]
