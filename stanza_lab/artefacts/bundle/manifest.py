"""The manifest of a bundle: what is in it, made by what from what, and a hash of every file and of itself."""

from __future__ import annotations

import hashlib
import importlib.metadata
from datetime import timedelta
from pathlib import Path
from typing import Any

import numpy as np
import orjson
import pandas as pd

import stanza_lab
from stanza_lab.errors import BundleError

FORMAT = 3  # 1: dependencies counted from times alone. 2: and places. 3: rules, patterns, reactions, owners, a seal
MANIFEST = "manifest.json"
CARD = "model_card.md"
TABLES = (
    "aliases", "arrivals", "calibration", "claims", "cofirings", "edges", "firings", "incident_names", "incident_rules",
    "incident_stated", "incident_together", "incident_totals", "labels", "metrics", "near", "owners", "propagation",
    "recent", "rules", "services", "traits", "tried", "usual",
)  # fmt: skip
DOCUMENTS = ("patterns.json", "reactions.json")
FILES = frozenset({MANIFEST, CARD, *DOCUMENTS, *(f"{name}.parquet" for name in TABLES)})
_COUNTED = ("alerts", "incidents", "services", "teams", "edges")
_LIBRARIES = ("hdbscan", "networkx", "numpy", "pandas", "pyarrow", "scikit-learn", "scipy")
_LARGEST = 1_000_000_000  # bytes of any one file
_LARGEST_MANIFEST = 1_000_000  # bytes; a manifest has a few thousand
_DEEPEST = 32  # brackets within each other
_KEYS = ("versions", "parameters", "statistics", "data", "counts", "files")


def versions() -> dict[str, str]:
    """Return the versions of this package and of those that its numbers depend on."""
    return {"stanza_lab": stanza_lab.__version__} | {name: importlib.metadata.version(name) for name in _LIBRARIES}


def fingerprint(content: bytes) -> dict[str, Any]:
    """Return what the manifest says of a file."""
    return {"sha256": hashlib.sha256(content).hexdigest(), "bytes": len(content)}


def sealed(manifest: dict[str, Any]) -> bytes:
    """Return a manifest as bytes, with a hash over all else that it says."""
    rest = {name: value for name, value in manifest.items() if name != "seal"}
    return canonical(rest | {"seal": hashlib.sha256(canonical(rest)).hexdigest()})


def canonical(value: Any) -> bytes:
    """Return JSON as bytes, always the same, durations as ISO 8601 text."""

    def plain(value: Any) -> str:
        if isinstance(value, (timedelta, np.timedelta64)):
            return pd.Timedelta(value).isoformat()
        raise TypeError(f"{value!r} is neither text, number nor duration")

    options = orjson.OPT_INDENT_2 | orjson.OPT_SORT_KEYS | orjson.OPT_APPEND_NEWLINE | orjson.OPT_SERIALIZE_NUMPY
    try:
        return orjson.dumps(value, default=plain, option=options)
    except TypeError as error:
        raise BundleError(f"a parameter cannot be saved: {error.__cause__ or error}; pass a plain value") from error


def read(path: Path) -> dict[str, Any]:
    """Return the manifest in a directory once it is one, of a format that is known here, and as it was written."""
    file = path / MANIFEST
    if not file.is_file():
        raise BundleError(f"{path} is no bundle: it has no {MANIFEST}; make one with save_bundle or stanza-lab bundle")
    if file.stat().st_size > _LARGEST_MANIFEST:
        raise BundleError(f"{file} is larger than any manifest this package writes; it was altered")
    content = file.read_bytes()
    if max(content.count(b"[" * _DEEPEST), content.count(b'{"a":' * _DEEPEST)):
        raise BundleError(f"{file} is nested deeper than any manifest; it was altered")
    try:
        manifest = orjson.loads(content)
    except orjson.JSONDecodeError as error:
        raise BundleError(f"{file} is no JSON ({error}); the bundle was altered or cut short") from error
    if not isinstance(manifest, dict) or type(manifest.get("format")) is not int:
        raise BundleError(f"{file} is no manifest of a bundle")
    if manifest["format"] > FORMAT:
        raise BundleError(
            f"{path} has format {manifest['format']}, this stanza_lab {stanza_lab.__version__} reads up to {FORMAT}; "
            f"it was written by {str(manifest.get('versions'))[:200]}; install that or newer"
        )
    if manifest["format"] < 1:
        raise BundleError(f"{file}: format {manifest['format']} never was; the bundle was altered")
    _check(file, manifest)
    if manifest["format"] >= 3 and sealed(manifest) != content:
        raise BundleError(f"{file} is not what was written: its seal does not fit; it was altered")
    return manifest


def _check(file: Path, manifest: dict[str, Any]) -> None:
    if wrong := sorted(key for key in _KEYS if not isinstance(manifest.get(key), dict)):
        raise BundleError(f"{file}: {wrong} are missing or no objects; the bundle was altered")
    counts = manifest["counts"]
    if wrong := sorted(name for name in _COUNTED if type(counts.get(name)) is not int or counts[name] < 0):
        raise BundleError(f"{file}: the counts of {wrong} are missing or no numbers; the bundle was altered")
    if any(not isinstance(entry, dict) for entry in manifest["files"].values()):
        raise BundleError(f"{file}: files are no objects; the bundle was altered")


def verified(path: Path, name: str, manifest: dict[str, Any]) -> bytes:
    """Return the content of a file once it is what the manifest says; `name` is ours, never one of the manifest's."""
    file, expected = path / name, manifest["files"].get(name)
    if not isinstance(expected, dict) or not file.is_file():
        raise BundleError(f"{path} lacks {name}; save the bundle again")
    size = expected.get("bytes")
    if isinstance(size, int) and file.stat().st_size == size <= _LARGEST:
        content = file.read_bytes()
        if hashlib.sha256(content).hexdigest() == expected.get("sha256"):
            return content
    raise BundleError(f"{file} is not what the manifest says: it was altered or cut short; save the bundle again")
