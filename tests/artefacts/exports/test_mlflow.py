"""MLflow: the model that is loaded scores as the bundle does, and nothing is a pickle or leaves the machine."""

from __future__ import annotations

import json
import socket
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pandas as pd
import pytest
import yaml

import stanza_lab as sl
from stanza_lab.artefacts.exports import export
from stanza_lab.artefacts.exports.mlflow import _of_mlflow
from stanza_lab.errors import MissingExtraError
from tests.artefacts.recurring import alerts_of


@pytest.fixture(scope="module")
def bundle(recurring: Path) -> sl.Bundle:
    return sl.load_bundle(recurring)


@pytest.fixture(scope="module")
def exported(bundle: sl.Bundle, tmp_path_factory: pytest.TempPathFactory) -> Path:
    return export(bundle, "mlflow", tmp_path_factory.mktemp("mlflow") / "model").path


@pytest.fixture(autouse=True)
def no_network(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Iterator[list[Any]]:
    """Refuse every connection and say to whom; MLflow's own files go to a folder that is thrown away."""
    asked: list[Any] = []

    def refuse(self: socket.socket, address: Any) -> None:
        asked.append(address)
        raise OSError(f"no network in this test: {address}")

    monkeypatch.setattr(socket.socket, "connect", refuse)
    monkeypatch.setenv("MLFLOW_TRACKING_URI", (tmp_path / "runs").as_uri())
    monkeypatch.chdir(tmp_path)
    yield asked
    assert asked == []


def as_text(alerts: pd.DataFrame) -> pd.DataFrame:
    return alerts.assign(**{name: [at.isoformat() for at in alerts[name]] for name in ("starts_at", "ends_at")})


def same(answers: pd.DataFrame, expected: pd.DataFrame) -> None:
    at = pd.to_datetime(answers["starts_at"], format="ISO8601", utc=True).astype("datetime64[us, UTC]")
    pd.testing.assert_frame_equal(answers.assign(starts_at=at), expected, check_dtype=False)


def test_scores_as_the_bundle_does(exported: Path, bundle: sl.Bundle) -> None:
    alerts = alerts_of(times=3)
    alerts["starts_at"] += pd.Timedelta(days=30)
    alerts["ends_at"] += pd.Timedelta(days=30)
    model = _of_mlflow("pyfunc").load_model(str(exported))
    expected = bundle.score(alerts)
    assert (expected["incident_id"] >= 0).any()
    assert expected["origin"].notna().any()
    same(model.predict(as_text(alerts)), expected)
    same(model.predict(as_text(alerts)), expected)  # nothing is remembered


def test_scores_as_a_bundle_with_reactions_and_names_does(
    bundle_path: Path, later: pd.DataFrame, tmp_path: Path
) -> None:
    whole, alerts = sl.load_bundle(bundle_path), later.head(100)
    path = export(whole, "mlflow", tmp_path / "model").path
    given = alerts.astype(dict.fromkeys(alerts.select_dtypes("category"), "str"))  # as the guide says
    for name in ("starts_at", "ends_at"):
        given[name] = [None if pd.isna(at) else at.isoformat() for at in alerts[name]]
    expected = whole.score(alerts)
    assert expected[["origin", "team", "reaction"]].notna().any().all()
    same(_of_mlflow("pyfunc").load_model(str(path)).predict(given), expected)


def test_lists_nulls_and_columns_it_does_not_know(exported: Path, bundle: sl.Bundle) -> None:
    alerts = alerts_of(times=1).assign(
        summary=["a", None, "c", "d"],
        severity=pd.Categorical(["error", "critical", None, "info"]),
        resources=[["vm:1"], [], ["vm:1", "vm:2"], []],
        trace_ids=[[], [], [], ["ab"]],
    )
    model = _of_mlflow("pyfunc").load_model(str(exported))
    given = as_text(alerts).assign(severity=alerts["severity"].astype("str"), mood="fine")
    same(model.predict(given), bundle.score(alerts))


def test_only_the_time_must_be_there(exported: Path, bundle: sl.Bundle) -> None:
    alerts = alerts_of(times=1)[["starts_at"]]
    model = _of_mlflow("pyfunc").load_model(str(exported))
    given = pd.DataFrame({"starts_at": [at.isoformat() for at in alerts["starts_at"]]})
    same(model.predict(given), bundle.score(alerts))
    with pytest.raises(_of_mlflow("exceptions").MlflowException, match="starts_at"):
        model.predict(pd.DataFrame({"service": ["shop"]}))


def test_its_example_can_be_scored(exported: Path) -> None:
    example = json.loads((exported / "input_example.json").read_text(encoding="utf-8"))
    given = pd.DataFrame(example["data"], columns=example["columns"])
    assert len(_of_mlflow("pyfunc").load_model(str(exported)).predict(given)) == len(given) == 3


def test_nothing_is_pickled_and_no_place_is_told(exported: Path, bundle: sl.Bundle) -> None:
    files = [path for path in exported.rglob("*") if path.is_file()]
    assert not [path for path in files if path.suffix in (".pkl", ".pickle", ".joblib", ".pyc")]
    assert not [path for path in files if path.read_bytes()[:1] == b"\x80"]
    about = yaml.safe_load((exported / "MLmodel").read_text(encoding="utf-8"))
    assert about["flavors"]["python_function"]["model_code_path"] == "_mlflow_model.py"
    assert about["metadata"]["stanza_lab_bundle"] == bundle.id
    for name in ("MLmodel", "README.md", "conda.yaml", "requirements.txt"):
        assert "/tmp" not in (exported / name).read_text(encoding="utf-8")
        assert str(Path.home()) not in (exported / name).read_text(encoding="utf-8")


def test_requirements_are_those_of_the_bundle(exported: Path, bundle: sl.Bundle) -> None:
    told = (exported / "requirements.txt").read_text(encoding="utf-8").split()
    versions = bundle.manifest["versions"]
    assert {f"{name.replace('_', '-')}=={version}" for name, version in versions.items()} <= set(told)


def test_the_same_bytes_twice(exported: Path, bundle: sl.Bundle, tmp_path: Path) -> None:
    again = export(bundle, "mlflow", tmp_path / "again").path
    first, second = (
        {path.relative_to(at).as_posix(): path.read_bytes() for path in at.rglob("*") if path.is_file()}
        for at in (exported, again)
    )
    assert {name: data for name, data in first.items() if "__pycache__" not in name} == second


def test_an_altered_bundle_within_is_refused(exported: Path, bundle: sl.Bundle, tmp_path: Path) -> None:
    path = export(bundle, "mlflow", tmp_path / "altered").path
    file = path / "artifacts" / "bundle" / "rules.parquet"
    content = bytearray(file.read_bytes())
    content[len(content) // 2] ^= 1
    file.write_bytes(bytes(content))
    with pytest.raises(sl.errors.BundleError, match=r"rules\.parquet is not what the manifest says"):
        _of_mlflow("pyfunc").load_model(str(path))


def test_without_mlflow_the_extra_is_named(bundle: sl.Bundle, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "mlflow.pyfunc", None)
    with pytest.raises(MissingExtraError, match=r"stanza_lab\[mlflow\]"):
        export(bundle, "mlflow", tmp_path / "out")
    assert not (tmp_path / "out").exists()
