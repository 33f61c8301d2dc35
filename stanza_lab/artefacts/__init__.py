"""What a model leaves behind: a bundle that other machines load, a scorer over it, and exports to other tools."""

from stanza_lab.artefacts.bundle import Bundle, load_bundle, save_bundle

__all__ = ["Bundle", "load_bundle", "save_bundle"]
