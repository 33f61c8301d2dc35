"""MLflow: the bundle as a model from code, without a pickle, with a signature."""

from __future__ import annotations

import logging
import os
import tempfile
import uuid
import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any

import yaml

from stanza_lab import _optional
from stanza_lab.artefacts.bundle import manifest
from stanza_lab.artefacts.exports.registry import Option, Written

if TYPE_CHECKING:
    from stanza_lab.artefacts.exports.walk import Walk

WHAT = "a model for MLflow (models from code: no pickle) that scores alerts, with signature and requirements"
PROVEN_BY = "mlflow.pyfunc.load_model scores as the bundle does"
OPTIONS: dict[str, Option] = {}
TEXTS = (
    "ends_at",
    "alert_id",
    "service",
    "team",
    "environment",
    "source",
    "rule_key",
    "alertname",
    "summary",
    "description",
    "severity",
    "labels",
)
LISTS = ("resources", "trace_ids")
_OF_PLACE = ("MLmodel", "conda.yaml", "python_env.yaml")
_QUIET = {  # nothing leaves the machine, and nothing is drawn on the terminal
    "MLFLOW_DISABLE_TELEMETRY": "true",
    "DO_NOT_TRACK": "true",
    "MLFLOW_ENABLE_ARTIFACTS_PROGRESS_BAR": "false",
}


def write(walk: Walk) -> Written:
    """Return the directory of the model."""
    os.environ.update({name: value for name, value in _QUIET.items() if name not in os.environ})
    pyfunc = _of_mlflow("pyfunc")
    with tempfile.TemporaryDirectory() as folder:
        bundle = Path(folder) / "bundle"
        bundle.mkdir()
        for name in (*walk.bundle.manifest["files"], manifest.MANIFEST):
            if name in manifest.FILES:
                content = (walk.bundle.path / name).read_bytes()
                (bundle / name).write_bytes(content)
        model = Path(folder) / "model"
        with _quietly():
            pyfunc.save_model(
                path=str(model),
                python_model=str(Path(__file__).with_name("_mlflow_model.py")),
                artifacts={"bundle": str(bundle)},
                signature=_signature(),
                input_example=_example(walk),
                pip_requirements=_requirements(walk),
                mlflow_model=_about(walk),
                metadata={"stanza_lab_bundle": walk.bundle_id},
            )
        files = {
            path.relative_to(model).as_posix(): path.read_bytes()
            for path in sorted(model.rglob("*"))
            if path.is_file() and "__pycache__" not in path.parts
        }
    files["MLmodel"] = _without_places(files["MLmodel"])
    examples = {name: content for name, content in files.items() if name.endswith("input_example.json")}
    files |= {name: content.replace(b"<", b"\\u003c") for name, content in examples.items()}  # no tag may begin in it
    lost = [
        "min_confidence and services: the model holds the whole bundle",
        f"versions of Python and MLflow: {' and '.join(_OF_PLACE)} name those it was exported with",
        "a stream: each call of predict is answered by itself, and remembers nothing of the call before",
    ]
    return Written(files, lost, whole=True)


def _of_mlflow(module: str) -> Any:
    """Import a module of MLflow."""
    with _quietly():
        return _optional.require(f"mlflow.{module}", extra="mlflow", purpose="the export to MLflow")


@contextmanager
def _quietly() -> Iterator[None]:
    """Keep MLflow from warning of its own type hints, and from telling on the terminal what it is about to do."""
    log = logging.getLogger("mlflow")
    before = log.level
    log.setLevel(logging.ERROR)
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            yield
    finally:
        log.setLevel(before)


def _about(walk: Walk) -> Any:
    """Return the model's own description, the same for the same bundle, without time and chance."""
    models = _of_mlflow("models")
    made = "1970-01-01 00:00:00" if walk.until is None else f"{walk.until:%Y-%m-%d %H:%M:%S}"
    name = uuid.uuid5(uuid.NAMESPACE_URL, f"stanza_lab bundle {walk.bundle_id}")
    return models.Model(model_uuid=name.hex, utc_time_created=made)


def _without_places(content: bytes) -> bytes:
    """Return MLflow's description without the folders it was made in: they change, and are nobody's business."""
    about = yaml.safe_load(content)
    python = about["flavors"]["python_function"]
    python["artifacts"]["bundle"]["uri"] = python["artifacts"]["bundle"]["path"]
    python["model_code_path"] = Path(python["model_code_path"]).name
    del about["model_size_bytes"]
    text: str = yaml.safe_dump(about, sort_keys=True)
    return text.encode()


def _signature() -> Any:
    """Return what goes in and comes out: columns of an alerts table, times as ISO 8601 text."""
    from stanza_lab.artefacts.scoring.tables import ANSWERS

    models = _of_mlflow("models")
    types = _of_mlflow("types")
    schema = _of_mlflow("types.schema")
    text, column = types.DataType.string, types.ColSpec
    asked = [
        column(text, "starts_at"),
        *(column(text, name, required=False) for name in TEXTS),
        *(column(schema.Array(text), name, required=False) for name in LISTS),
    ]
    kinds = {"int64": types.DataType.long, "float64": types.DataType.double}
    told = [column(kinds.get(str(kind), text), name) for name, kind in ANSWERS.items()]
    return models.ModelSignature(inputs=types.Schema(asked), outputs=types.Schema(told))


def _example(walk: Walk) -> Any:
    """Return an alert of the commonest rules, made up: no alert of the past is in a bundle."""
    import pandas as pd

    at = pd.Timestamp(0, tz="UTC") if walk.until is None else walk.until
    rows = [
        {
            "starts_at": (at + pd.Timedelta(minutes=place)).isoformat(),
            "alert_id": f"example-{place}",
            "service": one.service or "",
            "source": one.source,
            "rule_key": one.rule,
            "alertname": one.alertname or "",
        }
        for place, one in enumerate(walk.rules[:3])
    ]
    return pd.DataFrame(rows or [{"starts_at": at.isoformat(), "alert_id": "example-0"}])


def _requirements(walk: Walk) -> list[str]:
    versions = walk.bundle.manifest["versions"]
    return [f"{name.replace('_', '-')}=={version}" for name, version in sorted(versions.items())]
