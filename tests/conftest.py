"""Fixtures every test may use."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

SHARED = Path(os.environ.get("STANZA_SHARED", Path(__file__).resolve().parents[2] / "shared"))


@pytest.fixture(scope="session")
def shared() -> Path:
    """Return the folder of real recordings and vendor samples, or skip: a user's clone does not have it."""
    if not (SHARED / "data" / "petshop_low").is_dir():
        pytest.skip(f"needs the folder of real recordings, looked for at {SHARED}; set STANZA_SHARED to it")
    return SHARED
