"""Optional dependencies, imported where they are needed."""

from __future__ import annotations

import importlib
from types import ModuleType

from stanza_lab.errors import MissingExtraError


def require(module: str, *, extra: str, purpose: str) -> ModuleType:
    """Import `module`, or name the extra that brings it and what it is needed for."""
    try:
        return importlib.import_module(module)
    except ImportError as error:
        raise MissingExtraError(f"{purpose} needs {module}: pip install 'stanza_lab[{extra}]'") from error
