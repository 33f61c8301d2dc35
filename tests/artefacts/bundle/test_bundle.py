from __future__ import annotations

import hashlib
import json
from pathlib import Path
from typing import NamedTuple

import networkx as nx
import numpy as np
import pandas as pd
import pytest
from sklearn.exceptions import NotFittedError

import stanza_lab as sl
from stanza_lab.artefacts.bundle.manifest import sealed
from stanza_lab.errors import BundleError, ParameterError


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


@pytest.mark.parametrize("name", ["claims", "cofirings", "edges", "firings", "recent", "services", "traits"])
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
        ("parameters", {"incidents": "x", "dependencies": {}}),
        ("parameters", []),
        ("statistics", {"window": "x"}),
        ("files", []),
        ("counts", None),
        ("counts", {}),
        ("counts", {"alerts": "many", "incidents": 1}),
    ],
)
def test_a_manifest_that_does_not_fit_is_refused(saved: Path, part: str, value: object) -> None:
    manifest = json.loads((saved / "manifest.json").read_text())
    (saved / "manifest.json").write_bytes(sealed(manifest | {part: value}))
    with pytest.raises(BundleError):
        sl.load_bundle(saved)


def test_a_newer_format_names_the_version_that_reads_it(saved: Path) -> None:
    manifest = json.loads((saved / "manifest.json").read_text())
    manifest |= {"format": 99, "versions": {"stanza_lab": "7.0"}}
    (saved / "manifest.json").write_bytes(sealed(manifest))
    with pytest.raises(BundleError, match=r"format 99.*'stanza_lab': '7\.0'"):
        sl.load_bundle(saved)


def test_a_newer_format_without_versions_is_refused_too(saved: Path) -> None:
    manifest = json.loads((saved / "manifest.json").read_text())
    (saved / "manifest.json").write_bytes(sealed(manifest | {"format": 99, "versions": "x"}))
    with pytest.raises(BundleError, match="format 99"):
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


def test_a_history_is_not_replaced(models: Models, tmp_path: Path) -> None:
    alarm = {"AlarmName": "cpu", "NewStateValue": "ALARM", "StateChangeTime": "2026-03-01T14:02:11Z"}
    (tmp_path / "alarm.json").write_text(json.dumps(alarm))
    history = sl.History(tmp_path / "history")
    history.ingest(tmp_path / "alarm.json")
    with pytest.raises(BundleError, match=r"history is there already and it is no bundle \(.*choose another path"):
        sl.save_bundle(history.path, **models._asdict(), overwrite=True)
    assert len(history.alerts()) == 1


@pytest.mark.parametrize("content", [b"{}", b"{", b'{"name": "my web extension", "manifest_version": 3}'])
def test_a_manifest_of_something_else_is_not_replaced(models: Models, tmp_path: Path, content: bytes) -> None:
    (tmp_path / "mine").mkdir()
    (tmp_path / "mine" / "manifest.json").write_bytes(content)
    with pytest.raises(BundleError, match="no bundle"):
        sl.save_bundle(tmp_path / "mine", **models._asdict(), overwrite=True)
    assert (tmp_path / "mine" / "manifest.json").read_bytes() == content


@pytest.mark.parametrize("name", ["notes.md", "edges.parquet"])
def test_a_bundle_with_something_else_in_it_is_not_replaced(models: Models, saved: Path, name: str) -> None:
    (saved / name).unlink(missing_ok=True)
    (saved / name).mkdir()
    (saved / name / "thesis.txt").write_text("years of work")
    with pytest.raises(BundleError, match=rf"holds files that no bundle has \({name}\)"):
        sl.save_bundle(saved, **models._asdict(), overwrite=True)
    assert (saved / name / "thesis.txt").exists()


def test_a_damaged_bundle_is_replaced(models: Models, saved: Path) -> None:
    (saved / "edges.parquet").unlink()
    sl.save_bundle(saved, **models._asdict(), overwrite=True)
    assert len(sl.load_bundle(saved).edges)


@pytest.mark.parametrize(
    "span", [pd.Timedelta("20min"), np.timedelta64(20, "m"), pd.Timedelta("20min").to_pytimedelta()]
)
def test_parameters_of_any_type_the_models_take_are_saved(models: Models, tmp_path: Path, span: pd.Timedelta) -> None:
    alerts = sl.simulate_production(services=12, teams=3, days=21, incidents=15, random_state=5).alerts
    clusterer = sl.IncidentClusterer(max_gap=span, min_alerts=np.int64(2)).fit(alerts)
    model = sl.DependencyModel(window=span, refractory=span, block="2h", max_q=np.float32(0.5)).fit(alerts)
    path = sl.save_bundle(tmp_path / "b", clusterer=clusterer, dependencies=model, production=models.production)
    loaded = sl.load_bundle(path)
    assert pd.Timedelta(loaded.clusterer.max_gap) == pd.Timedelta(span)
    assert loaded.clusterer.fit(alerts).labels_.tolist() == clusterer.labels_.tolist()
    pd.testing.assert_frame_equal(loaded.dependencies.edges_, model.edges_)


@pytest.mark.parametrize("graph", [False, True])
def test_edges_the_clusterer_knew_are_those_of_the_map(models: Models, tmp_path: Path, graph: bool) -> None:
    edges = nx.DiGraph([("web", "db")]) if graph else models.production.edges
    alerts = sl.simulate_production(services=12, teams=3, days=21, incidents=15, random_state=5).alerts
    clusterer = sl.IncidentClusterer(edges=edges).fit(alerts)
    path = sl.save_bundle(tmp_path / "b", **models._replace(clusterer=clusterer)._asdict())
    assert json.loads((path / "manifest.json").read_text())["parameters"]["incidents"]["edges"] == "edges.parquet"
    loaded = sl.load_bundle(path).clusterer
    pd.testing.assert_frame_equal(loaded.edges, models.production.edges)
    if not graph:
        assert loaded.fit(alerts).labels_.tolist() == clusterer.labels_.tolist()


@pytest.mark.parametrize("edges", ["../edges.parquet", ["web", "db"], {"src": "web"}])
def test_edges_in_a_manifest_are_never_a_path(saved: Path, edges: object) -> None:
    manifest = json.loads((saved / "manifest.json").read_text())
    manifest["parameters"]["incidents"]["edges"] = edges
    (saved / "manifest.json").write_bytes(sealed(manifest))
    assert sl.load_bundle(saved).clusterer.edges is None


def test_a_parameter_that_is_no_plain_value_is_named(models: Models, tmp_path: Path) -> None:
    clusterer = sl.IncidentClusterer().fit(sl.simulate_production(services=6, teams=2, days=7, incidents=2).alerts)
    with pytest.raises(BundleError, match="a parameter cannot be saved: <object object"):
        sl.save_bundle(tmp_path / "b", **models._replace(clusterer=clusterer.set_params(max_gap=object()))._asdict())
    assert not list(tmp_path.iterdir())


def test_a_model_without_recent_alerts_is_saved_without_them(models: Models, tmp_path: Path) -> None:
    statistics = models.dependencies.statistics_
    model = sl.DependencyModel.from_statistics(statistics.to_frames(), settings=statistics.settings())
    path = sl.save_bundle(tmp_path / "b", **models._replace(dependencies=model)._asdict())
    assert not (path / "recent.parquet").exists()
    loaded = sl.load_bundle(path)
    assert loaded.dependencies.recent_ is None
    assert "recent.parquet" not in loaded._repr_html_()
    pd.testing.assert_frame_equal(loaded.dependencies.edges_, model.edges_)


@pytest.mark.parametrize("unfitted", [{"clusterer": sl.IncidentClusterer()}, {"dependencies": sl.DependencyModel()}])
def test_a_model_that_is_not_fitted_is_named(models: Models, tmp_path: Path, unfitted: dict) -> None:
    with pytest.raises(NotFittedError, match=type(next(iter(unfitted.values()))).__name__):
        sl.save_bundle(tmp_path / "b", **models._asdict() | unfitted)
    assert not list(tmp_path.iterdir())


def test_dependencies_are_links_and_edges_their_directions(models: Models, saved: Path) -> None:
    bundle = sl.load_bundle(saved)
    links = len(models.production.links)
    assert (bundle.manifest["counts"]["links"], bundle.manifest["counts"]["edges"]) == (links, len(bundle.edges))
    assert f", {links} dependencies, " in repr(bundle)
    assert f"<th>dependencies</th><td>{links}</td>" in bundle._repr_html_()


@pytest.mark.parametrize("part", ["data", "versions"])
def test_display_does_without_what_is_not_said(saved: Path, part: str) -> None:
    manifest = json.loads((saved / "manifest.json").read_text())
    (saved / "manifest.json").write_bytes(sealed(manifest | {part: {}}))
    bundle = sl.load_bundle(saved)
    assert repr(bundle)
    assert "unknown" in bundle._repr_html_()


def test_display_is_escaped(saved: Path) -> None:
    hostile = saved.rename(saved.with_name("<script>alert(1)</script>".replace("/", "-")))
    assert "<script>" not in sl.load_bundle(hostile)._repr_html_()


def _other(models: Models, model: sl.DependencyModel) -> dict:
    return models._replace(dependencies=model)._asdict()


def test_no_text_of_an_alert_is_in_a_bundle(saved: Path) -> None:
    alerts = sl.simulate_production(services=12, teams=3, days=21, incidents=15, random_state=5).alerts
    names = {name for column in ("service", "team") for name in alerts[column].dropna().astype("str")}
    texts = {text for column in ("summary", "description", "labels") for text in alerts[column].dropna()} - names
    held = set()
    for file in saved.glob("*.parquet"):
        table = pd.read_parquet(file)
        for column in table.columns.drop("provenance", errors="ignore"):
            held |= {value for value in table[column].dropna().unique() if isinstance(value, str)}
    assert names <= held
    assert not texts & held


def test_what_alerts_say_beside_their_times_comes_along(models: Models, tmp_path: Path) -> None:
    alerts = sl.simulate_production(services=12, teams=3, days=21, incidents=15, random_state=5).alerts
    one, two = sorted(alerts["service"].dropna().astype("str").unique())[:2]
    said = f"timeout calling {two}"
    alerts = alerts.assign(summary=alerts["summary"].where(alerts["service"] != one, said))
    model = sl.DependencyModel().fit(alerts)
    path = sl.save_bundle(tmp_path / "b", **_other(models, model))
    claims, traits = (pd.read_parquet(path / f"{name}.parquet") for name in ("claims", "traits"))
    assert [one, two] in claims[["src", "dst"]].to_numpy().tolist()
    assert len(traits)
    assert sl.load_bundle(path).dependencies.statistics_.equals(model.statistics_)
    assert said.encode() not in b"".join(file.read_bytes() for file in path.iterdir())


def test_a_loaded_bundle_saved_again_is_the_same_bytes(models: Models, saved: Path, tmp_path: Path) -> None:
    loaded = sl.load_bundle(saved)
    parts = models._replace(dependencies=loaded.dependencies, production=loaded.production)
    again = sl.save_bundle(tmp_path / "again", **parts._asdict())
    assert {f.name: f.read_bytes() for f in again.iterdir()} == {f.name: f.read_bytes() for f in saved.iterdir()}


@pytest.mark.parametrize("table", [False, True])
def test_known_edges_are_saved_as_pairs(models: Models, tmp_path: Path, table: bool) -> None:
    alerts = sl.simulate_production(services=12, teams=3, days=21, incidents=15, random_state=5).alerts
    one, two, three = sorted(alerts["service"].dropna().astype("str").unique())[:3]
    required = pd.DataFrame({"caller": [two, one], "callee": [three, two]}) if table else [(two, three), (one, two)]
    model = sl.DependencyModel(required=required, forbidden={(three, one)}, sources={"times", "claims"}).fit(alerts)
    path = sl.save_bundle(tmp_path / "b", **_other(models, model))
    told = json.loads((path / "manifest.json").read_text())["parameters"]["dependencies"]
    assert told["required"] == [[one, two], [two, three]]
    assert told["forbidden"] == [[three, one]]
    assert told["sources"] == ["claims", "times"]
    pd.testing.assert_frame_equal(sl.load_bundle(path).dependencies.edges_, model.edges_)


@pytest.mark.parametrize("topology", [True, False])
def test_places_and_which_are_near_come_along(models: Models, tmp_path: Path, topology: bool) -> None:
    made = sl.simulate_production(services=8, teams=2, days=14, incidents=10, random_state=5)
    calls = made.call_graph.rename(columns={"caller": "src", "callee": "dst"}) if topology else None
    settings = {"node": "alertname", "place": "service", "topology": calls, "hops": 2, "replicates": 3}
    old, new = made.alerts, made.alerts.iloc[-20:]
    model = sl.DependencyModel(**settings).fit(old.iloc[:-20])
    path = sl.save_bundle(tmp_path / "b", **_other(models, model))
    assert len(pd.read_parquet(path / "near.parquet")) == len(model.statistics_.to_frames()["near"])
    loaded = sl.load_bundle(path).dependencies
    pd.testing.assert_frame_equal(loaded.edges_, model.edges_)
    pd.testing.assert_frame_equal(loaded.partial_fit(new).edges_, model.partial_fit(new).edges_)


def test_a_topology_in_a_manifest_is_never_a_path(saved: Path) -> None:
    manifest = json.loads((saved / "manifest.json").read_text())
    manifest["parameters"]["dependencies"]["topology"] = "../near.parquet"
    (saved / "manifest.json").write_bytes(sealed(manifest))
    with pytest.raises(BundleError, match="does not fit"):
        sl.load_bundle(saved)


def test_a_bundle_of_format_1_loads_and_its_model_does_not_go_on(saved: Path) -> None:
    manifest = json.loads((saved / "manifest.json").read_text())
    for name in ("claims", "traits"):
        (saved / f"{name}.parquet").unlink()
        del manifest["files"][f"{name}.parquet"]
    older = {"firings": ["place", "inner"], "cofirings": ["inner_a", "inner_b"], "recent": ["inner", "alert_id"]}
    for name, columns in older.items():
        file = saved / f"{name}.parquet"
        pd.read_parquet(file).drop(columns=columns).to_parquet(file, index=False)
        told = {"sha256": hashlib.sha256(file.read_bytes()).hexdigest(), "bytes": file.stat().st_size}
        manifest["files"][file.name] |= told
    old = ("node", "window", "refractory", "block", "slice", "min_support", "max_q", "min_confidence", "n_jobs")
    known = manifest["parameters"]["dependencies"]
    manifest["parameters"]["dependencies"] = {name: known[name] for name in old}
    (saved / "manifest.json").write_text(json.dumps(manifest | {"format": 1}))
    bundle = sl.load_bundle(saved)
    alerts = sl.simulate_production(services=12, teams=3, days=21, incidents=15, random_state=5).alerts
    times = sl.DependencyModel(sources=["times"]).fit(alerts).evidence_
    pd.testing.assert_frame_equal(
        bundle.dependencies.evidence_[["a", "b", "cofirings"]], times[["a", "b", "cofirings"]]
    )
    with pytest.raises(ParameterError, match="without the recent firings"):
        bundle.dependencies.partial_fit(alerts)
