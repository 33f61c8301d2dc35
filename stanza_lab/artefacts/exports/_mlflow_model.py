"""Run by MLflow: scores alerts by the bundle beside it. Times go in and come out as ISO 8601 text."""

# MLflow reads the types of `predict` when it loads this, so they are not text here (no annotations from __future__).
from typing import Any

import mlflow
import pandas as pd

import stanza_lab as sl


class BundleModel(mlflow.pyfunc.PythonModel):  # type: ignore[name-defined]
    """A bundle of stanza_lab as a model of MLflow."""

    def load_context(self, context: Any) -> None:
        """Load the bundle; every file of it is checked."""
        self.bundle = sl.load_bundle(context.artifacts["bundle"])

    def predict(self, context: Any, model_input: pd.DataFrame, params: dict | None = None) -> pd.DataFrame:  # noqa: ARG002
        """Return an answer per alert."""
        times = [name for name in ("starts_at", "ends_at") if name in model_input]
        alerts = model_input.assign(
            **{name: pd.to_datetime(model_input[name], utc=True, format="ISO8601") for name in times}
        )
        for name in ("resources", "trace_ids"):
            if name in alerts:
                alerts[name] = [[] if entry is None else list(entry) for entry in alerts[name]]
        told = self.bundle.score(alerts)
        at = [None if pd.isna(moment) else moment.isoformat() for moment in told["starts_at"]]
        return told.assign(starts_at=pd.Series(at, index=told.index, dtype="str"))


mlflow.models.set_model(BundleModel())
