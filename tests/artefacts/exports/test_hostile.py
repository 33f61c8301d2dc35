"""Every target, whatever the services, teams and rules are called: files that parse, and nothing that runs."""

from __future__ import annotations

import csv
import io
import json
from collections.abc import Callable
from importlib.resources import files
from pathlib import Path
from typing import Any
from xml.etree import ElementTree as ET

import pandas as pd
import pytest
import yaml

import stanza_lab as sl
from stanza_lab.artefacts.exports import export, export_targets
from stanza_lab.artefacts.exports.registry import TARGETS, target_of
from tests.artefacts.exports.walks import HOSTILE

EVERY = pytest.mark.parametrize("target", sorted(TARGETS))
READERS: dict[str, Callable[[str], Any]] = {
    ".json": json.loads,
    ".cyjs": json.loads,
    ".yml": lambda text: list(yaml.safe_load_all(text)),
    ".yaml": lambda text: list(yaml.safe_load_all(text)),
    ".graphml": ET.fromstring,
    ".gexf": ET.fromstring,
    ".csv": lambda text: list(csv.reader(io.StringIO(text, newline=""), strict=True)),
}


@pytest.fixture(scope="module")
def bundle(tmp_path_factory: pytest.TempPathFactory) -> sl.Bundle:
    """Return a real bundle whose services, teams and rules all have hostile names."""
    start = pd.Timestamp("2026-03-01", tz="UTC")
    names = sorted(HOSTILE)
    rows = [
        {
            "alert_id": f"{time}-{i}",
            "starts_at": start + pd.Timedelta(hours=6 * time, seconds=20 * i),
            "ends_at": start + pd.Timedelta(hours=6 * time, minutes=30),
            "source": "prometheus",
            "severity": "error",
            **dict.fromkeys(("alertname", "service", "team", "rule_key"), name),
            "labels": json.dumps({"service": name, "alertname": name}),
        }
        for time in range(6)
        for i, name in enumerate(names)
    ]
    alerts = pd.DataFrame(rows)
    clusterer = sl.IncidentClusterer().fit(alerts)
    grouped = alerts.assign(incident_id=clusterer.labels_)
    model = sl.DependencyModel().fit(grouped)
    production = sl.ProductionMap(model.edges_, grouped)
    path = tmp_path_factory.mktemp("hostile") / "bundle"
    sl.save_bundle(path, clusterer=clusterer, dependencies=model, production=production, alerts=alerts)
    return sl.load_bundle(path)


@pytest.fixture
def exported(bundle: sl.Bundle, tmp_path: Path) -> Callable[..., Any]:
    """Return what exports the bundle to a target in a folder of its own."""

    def run(target: str, folder: str = "out") -> Any:
        return export(bundle, target, tmp_path / "inside" / folder, min_confidence=0.0)

    return run


def test_the_bundle_holds_what_could_do_harm(bundle: sl.Bundle) -> None:
    assert set(bundle.services["service"]) == set(HOSTILE)
    assert set(bundle.rules["alertname"]) == set(HOSTILE)
    assert len(bundle.production.links) > 0


def contents(folder: Path) -> dict[str, bytes]:
    return {path.relative_to(folder).as_posix(): path.read_bytes() for path in folder.rglob("*") if path.is_file()}


@EVERY
def test_every_file_parses_and_lies_inside(target: str, exported: Callable[..., Any], tmp_path: Path) -> None:
    made = exported(target)
    assert {path.name for path in tmp_path.iterdir()} == {"inside"}
    assert {path.name for path in (tmp_path / "inside").iterdir()} == {"out"}
    there = contents(made.path)
    assert set(made.files) <= set(there)
    for name, data in there.items():
        if name.endswith(".parquet"):  # a file of the bundle itself
            continue
        text = data.decode("utf-8")
        if reader := READERS.get(Path(name).suffix):
            reader(text)


@EVERY
def test_no_script_and_no_turned_text_where_people_read(target: str, exported: Callable[..., Any]) -> None:
    for name, data in contents(exported(target).path).items():
        if name.endswith(".parquet"):
            continue
        text = data.decode()
        if Path(name).suffix in (".md", ".json", ".cyjs", ".mmd", ".graphml", ".gexf", ".dot"):
            assert "<script" not in text, name
        if Path(name).suffix in (".md", ".mmd", ".dot"):
            assert "\u202e" not in text, name


@EVERY
def test_tables_have_no_formula(target: str, exported: Callable[..., Any]) -> None:
    for name, data in contents(exported(target).path).items():
        if name.endswith(".csv"):
            cells = [one for row in csv.reader(io.StringIO(data.decode(), newline="")) for one in row]
            assert not [one for one in cells if one[:1] in ("=", "+", "@", "\t", "\r")]


@EVERY
def test_the_same_bytes_twice(target: str, exported: Callable[..., Any]) -> None:
    assert contents(exported(target, "one").path) == contents(exported(target, "two").path)


@EVERY
def test_says_what_was_lost_and_where_it_comes_from(
    target: str, exported: Callable[..., Any], bundle: sl.Bundle
) -> None:
    made = exported(target)
    assert made.lost
    assert all(one.strip() and "\n" not in one for one in made.lost)
    guide = (made.path / "README.md").read_text(encoding="utf-8")
    assert "What could not be carried over" in guide
    assert bundle.id in guide


@EVERY
def test_has_a_guide_and_says_its_options(target: str) -> None:
    module = target_of(target)
    guide = files("stanza_lab.artefacts.exports").joinpath("guides", f"{target}.md").read_text(encoding="utf-8")
    assert guide.startswith("# ")
    assert "undo" in guide.lower()
    assert module.WHAT
    assert module.PROVEN_BY
    assert all(option.help.strip() for option in module.OPTIONS.values())


def test_the_table_of_targets_has_them_all() -> None:
    assert export_targets()["target"].tolist() == sorted(TARGETS)
