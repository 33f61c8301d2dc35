"""The bundle: what was learned, as one directory of JSON and Parquet that other machines and tools can load."""

from stanza_lab.artefacts.bundle.bundle import Bundle
from stanza_lab.artefacts.bundle.differing import BundleDiff, diff_bundles
from stanza_lab.artefacts.bundle.loading import load_bundle
from stanza_lab.artefacts.bundle.saving import save_bundle

__all__ = ["Bundle", "BundleDiff", "diff_bundles", "load_bundle", "save_bundle"]
