"""What a model leaves behind: a bundle that other machines and other tools can load."""

from stanza_lab.artefacts.bundle import Bundle, load_bundle, save_bundle

__all__ = ["Bundle", "load_bundle", "save_bundle"]
