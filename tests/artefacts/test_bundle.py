from __future__ import annotations

import json
from pathlib import Path
from typing import NamedTuple

import pandas as pd
import pytest

import stanza_lab as sl
from stanza_lab.errors import BundleError


class Models(NamedTuple):
    clusterer: sl.IncidentClusterer
    dependencies: sl.DependencyModel
    production: sl.ProductionMap


@pytest.fixture(scope="module")
def models() -> Models:
    made = sl.simulate_production(services=12, teams=3, days=21, incidents=15, random_state=5)
    alerts = sl.cluster_incidents(made.alerts)
    model = sl.DependencyModel().fit(alerts)
    return Models(sl.IncidentClusterer().fit(made.alerts), model, sl.ProductionMap(model.edges_, alerts))


@pytest.fixture
def saved(models: Models, tmp_path: Path) -> Path:
    return sl.save_bundle(tmp_path / "bundle", **models._asdict())


def test_what_comes_back_is_what_went_in(models: Models, saved: Path) -> None:
    bundle = sl.load_bundle(saved)
    pd.testing.assert_frame_equal(bundle.edges, models.production.edges)
    pd.testing.assert_frame_equal(bundle.services, models.production.services)
    pd.testing.assert_frame_equal(bundle.dependencies.edges_, models.dependencies.edges_)
    assert bundle.clusterer.get_params() == models.clusterer.get_params()
    assert bundle.manifest["counts"]["alerts"] == len(models.clusterer.labels_)


def test_a_loaded_model_goes_on_where_it_was(models: Models, saved: Path) -> None:
    more = sl.simulate_production(services=12, teams=3, days=7, incidents=5, random_state=5, start="2027-01-01").alerts
    loaded = sl.load_bundle(saved).dependencies.partial_fit(more)
    original = sl.DependencyModel().fit(sl.simulate_production(
        services=12, teams=3, days=21, incidents=15, random_state=5
    ).alerts).partial_fit(more)  # fmt: skip
    pd.testing.assert_frame_equal(loaded.edges_, original.edges_)


def test_saved_twice_is_the_same_bytes(models: Models, saved: Path, tmp_path: Path) -> None:
    again = sl.save_bundle(tmp_path / "again", **models._asdict())
    assert {f.name: f.read_bytes() for f in again.iterdir()} == {f.name: f.read_bytes() for f in saved.iterdir()}


def test_of_a_view_the_whole_map_is_saved(models: Models, tmp_path: Path) -> None:
    view = models.production.near(models.production.services["service"][0], hops=1)
    path = sl.save_bundle(tmp_path / "b", **models._replace(production=view)._asdict())
    assert len(sl.load_bundle(path).services) == len(models.production.services)


@pytest.mark.parametrize("name", ["cofirings", "edges", "firings", "recent", "services"])
def test_a_changed_byte_is_detected(saved: Path, name: str) -> None:
    file = saved / f"{name}.parquet"
    content = bytearray(file.read_bytes())
    content[len(content) // 2] ^= 1
    file.write_bytes(bytes(content))
    with pytest.raises(BundleError, match=f"{name}.parquet is not what the manifest says"):
        sl.load_bundle(saved)


def test_a_missing_file_is_named(saved: Path) -> None:
    (saved / "edges.parquet").unlink()
    with pytest.raises(BundleError, match=r"lacks edges\.parquet"):
        sl.load_bundle(saved)


@pytest.mark.parametrize("content", [b"", b"[]", b"{}", b'{"format": "1"}', b"\xff", b'{"format": 1}'])
def test_a_broken_manifest_is_refused(saved: Path, content: bytes) -> None:
    (saved / "manifest.json").write_bytes(content)
    with pytest.raises(BundleError, match=r"manifest\.json"):
        sl.load_bundle(saved)


@pytest.mark.parametrize(
    ("part", "value"),
    [
        ("parameters", {}),
        ("parameters", {"incidents": {"no_such": 1}, "dependencies": {}}),
        ("parameters", []),
        ("statistics", {"window": "x"}),
        ("files", []),
        ("counts", None),
    ],
)
def test_a_manifest_that_does_not_fit_is_refused(saved: Path, part: str, value: object) -> None:
    manifest = json.loads((saved / "manifest.json").read_text())
    (saved / "manifest.json").write_text(json.dumps(manifest | {part: value}))
    with pytest.raises(BundleError):
        sl.load_bundle(saved)


def test_a_newer_format_names_the_version_that_reads_it(saved: Path) -> None:
    manifest = json.loads((saved / "manifest.json").read_text())
    manifest |= {"format": 99, "versions": {"stanza_lab": "7.0"}}
    (saved / "manifest.json").write_text(json.dumps(manifest))
    with pytest.raises(BundleError, match=r"format 99.*stanza_lab 7\.0"):
        sl.load_bundle(saved)


def test_nothing_is_replaced_unasked(models: Models, saved: Path, tmp_path: Path) -> None:
    with pytest.raises(BundleError, match="pass overwrite=True"):
        sl.save_bundle(saved, **models._asdict())
    assert sl.save_bundle(saved, **models._asdict(), overwrite=True) == saved
    (tmp_path / "mine").mkdir()
    (tmp_path / "mine" / "thesis.txt").write_text("years of work")
    with pytest.raises(BundleError, match="it is no bundle"):
        sl.save_bundle(tmp_path / "mine", **models._asdict(), overwrite=True)
    assert (tmp_path / "mine" / "thesis.txt").exists()


def test_display_is_escaped(saved: Path) -> None:
    hostile = saved.rename(saved.with_name("<script>alert(1)</script>".replace("/", "-")))
    assert "<script>" not in sl.load_bundle(hostile)._repr_html_()
