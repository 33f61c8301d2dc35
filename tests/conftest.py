"""Fixtures every test may use."""

from __future__ import annotations

import os
import shutil
from pathlib import Path

import pytest
from hypothesis import HealthCheck, settings

# Time on a busy machine says nothing about the code. In CI the examples are the same each time; people get new ones.
settings.register_profile("here", deadline=None, suppress_health_check=[HealthCheck.too_slow])
settings.register_profile("ci", settings.get_profile("here"), derandomize=True)
settings.load_profile("ci" if os.environ.get("CI") else "here")

SHARED = Path(os.environ.get("STANZA_SHARED", Path(__file__).resolve().parents[2] / "shared"))


def pytest_addoption(parser: pytest.Parser) -> None:
    parser.addoption("--require-shared", action="store_true", help="fail, not skip, without the recordings")
    parser.addoption("--require-browser", action="store_true", help="fail, not skip, without a Chromium")
    parser.addoption("--require-promtool", action="store_true", help="fail, not skip, without Prometheus's promtool")


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Mark what uses the recordings, so that `-m "not shared"` and CI see the same tests."""
    for item in items:
        if "shared" in getattr(item, "fixturenames", ()):
            item.add_marker(pytest.mark.shared)


@pytest.fixture(scope="session")
def promtool(pytestconfig: pytest.Config) -> str:
    """Return where promtool is, or skip: it belongs to the machine and is not installed by `make setup`."""
    found = shutil.which("promtool")
    if found is None:
        absent = "needs promtool of Prometheus, which is not on this machine; apt-get install prometheus"
        (pytest.fail if pytestconfig.getoption("--require-promtool") else pytest.skip)(absent)
    return found


@pytest.fixture(scope="session")
def shared(pytestconfig: pytest.Config) -> Path:
    """Return the folder of real recordings and vendor samples, or skip: a user's clone does not have it."""
    if not (SHARED / "data" / "petshop_low").is_dir():
        absent = f"needs the folder of real recordings, looked for at {SHARED}; set STANZA_SHARED to it"
        (pytest.fail if pytestconfig.getoption("--require-shared") else pytest.skip)(absent)
    return SHARED
