"""Fixtures every test may use."""

from __future__ import annotations

import os
import shutil
import subprocess
from collections.abc import Callable
from pathlib import Path

import pytest
from hypothesis import HealthCheck, settings

# Time on a busy machine says nothing about the code. In CI the examples are the same each time; people get new ones.
settings.register_profile("here", deadline=None, suppress_health_check=[HealthCheck.too_slow])
settings.register_profile("ci", settings.get_profile("here"), derandomize=True)
settings.load_profile("ci" if os.environ.get("CI") else "here")

SHARED = Path(os.environ.get("STANZA_SHARED", Path(__file__).resolve().parents[2] / "shared"))
NPM = Path(__file__).with_name("npm")


def pytest_addoption(parser: pytest.Parser) -> None:
    parser.addoption("--require-shared", action="store_true", help="fail, not skip, without the recordings")
    parser.addoption("--require-browser", action="store_true", help="fail, not skip, without a Chromium")
    parser.addoption("--require-tools", action="store_true", help="fail, not skip, without the tools of other systems")


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Mark what uses the recordings, so that `-m "not shared"` and CI see the same tests."""
    for item in items:
        if "shared" in getattr(item, "fixturenames", ()):
            item.add_marker(pytest.mark.shared)


def _tool(pytestconfig: pytest.Config, name: str, package: str) -> str:
    """Return where a tool is, or skip: it belongs to the machine and is not installed by `make setup`."""
    found = shutil.which(name)
    if found is None:
        _absent(pytestconfig, f"needs {name}, which is not on this machine; apt-get install {package}")
    return str(found)


def _absent(pytestconfig: pytest.Config, words: str) -> None:
    (pytest.fail if pytestconfig.getoption("--require-tools") else pytest.skip)(words)


@pytest.fixture(scope="session")
def promtool(pytestconfig: pytest.Config) -> str:
    """Return where Prometheus's promtool is."""
    return _tool(pytestconfig, "promtool", "prometheus")


@pytest.fixture(scope="session")
def amtool(pytestconfig: pytest.Config) -> str:
    """Return where Alertmanager's amtool is."""
    return _tool(pytestconfig, "amtool", "prometheus-alertmanager")


@pytest.fixture(scope="session")
def alertmanager(pytestconfig: pytest.Config) -> str:
    """Return where the server of Alertmanager is: Debian names it after Prometheus."""
    name = "alertmanager" if shutil.which("alertmanager") else "prometheus-alertmanager"
    return _tool(pytestconfig, name, "prometheus-alertmanager")


@pytest.fixture(scope="session")
def dot(pytestconfig: pytest.Config) -> str:
    """Return where graphviz's dot is."""
    return _tool(pytestconfig, "dot", "graphviz")


@pytest.fixture(scope="session")
def node(pytestconfig: pytest.Config) -> Callable[[str, str], str]:
    """Return what runs a script of `tests/npm` on a file and returns what it prints; a failure is raised with it."""
    program = _tool(pytestconfig, "node", "nodejs")
    if not (NPM / "node_modules").is_dir():
        _absent(pytestconfig, f"needs the packages of {NPM}; run npm ci there")

    def run(script: str, file: str) -> str:
        done = subprocess.run([program, str(NPM / script), file], capture_output=True, text=True, check=False)
        assert done.returncode == 0, done.stderr or done.stdout
        return done.stdout

    return run


@pytest.fixture(scope="session")
def shared(pytestconfig: pytest.Config) -> Path:
    """Return the folder of real recordings and vendor samples, or skip: a user's clone does not have it."""
    if not (SHARED / "data" / "petshop_low").is_dir():
        absent = f"needs the folder of real recordings, looked for at {SHARED}; set STANZA_SHARED to it"
        (pytest.fail if pytestconfig.getoption("--require-shared") else pytest.skip)(absent)
    return SHARED
