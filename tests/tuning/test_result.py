"""What a study found reads well, and its parameters travel safely."""

from __future__ import annotations

from pathlib import Path

import pandas as pd
import pytest
import yaml

import stanza_lab as sl
from stanza_lab.errors import ParameterError, SchemaError, UnknownNameError


def result(**given: object) -> sl.TuningResult:
    usual = {
        "best_params": {"gap": "7min", "by": ["service"]},
        "best_estimator": sl.GapRule(),
        "trials": pd.DataFrame(
            {"trial": [0, 1], "value": [0.5, 0.8], "compression": [0.9, 0.4], "front": [True, True]}
        ),
        "importance": pd.DataFrame({"parameter": ["gap"], "importance": [1.0]}),
        "comparison": table("within noise"),
        "objective": "ari",
        "held_out": pd.DataFrame(
            {
                "since": [pd.Timestamp("2026-03-01", tz="UTC")],
                "until": [pd.Timestamp("2026-03-22", tz="UTC")],
                "alerts": [1234],
                "labelled_incidents": pd.array([15], dtype="Int64"),
            }
        ),
        "_defaults": {"gap": "5min", "by": []},
    }
    return sl.TuningResult(**(usual | given))


def table(verdict: str, **given: object) -> pd.DataFrame:
    methods = pd.DataFrame({"method": ["tuned", "defaults", "gap 5min"], "score": [0.81, 0.79, 0.65]})
    blank = dict.fromkeys(["ari_incident", "ari_all", "precision", "recall", "compression"], 0.5)
    return methods.assign(**(blank | given), tuned_is=[None, verdict, "better"])


def test_words_say_what_was_held_out_and_what_follows() -> None:
    assert result().words == (
        "On the held-out 21 days (1,234 alerts, 15 known incidents) the tuned model scores .81, the defaults .79, a "
        "5-minute gap .65; the difference to the defaults is within noise: keep the defaults."
    )


@pytest.mark.parametrize(("verdict", "gap"), [("better", "7min"), ("worse", "5min"), ("unknown", "5min")])
def test_what_is_recommended_follows_the_verdict(verdict: str, gap: str) -> None:
    assert result(comparison=table(verdict)).recommended_params["gap"] == gap


def test_it_is_one_line() -> None:
    assert repr(result()) == "TuningResult(2 trials, ari .80 on the folds, .81 held out, defaults .79)"


def test_the_front_rises_in_compression() -> None:
    assert result().front["trial"].tolist() == [1, 0]


def test_the_page_is_small_and_escaped() -> None:
    many = {f"<script>{k}": "<b>" * 1000 for k in range(500)}
    page = result(best_params=many)._repr_html_()
    assert len(page) < 50_000
    assert "<script>" not in page
    assert "within noise: keep the defaults" in page


def test_parameters_are_written_and_read_back(tmp_path: Path) -> None:
    file = result().to_yaml(tmp_path / "params.yaml")
    params = sl.read_params(file, estimator=sl.GapRule())
    assert params == {"gap": "7min", "by": ["service"]}
    assert sl.GapRule(**params).gap == "7min"
    assert yaml.safe_load(file.read_text())["found"]["held_out_score"] == 0.81


def test_a_parameter_that_is_no_plain_value_is_not_written(tmp_path: Path) -> None:
    with pytest.raises(ParameterError, match=r"gap=.* cannot be written"):
        result(best_params={"gap": object()}).to_yaml(tmp_path / "params.yaml")
    assert not (tmp_path / "params.yaml").exists()


def test_an_unknown_parameter_is_told_with_what_was_meant(tmp_path: Path) -> None:
    (tmp_path / "params.yaml").write_text("{format: 1, parameters: {gpa: 5min}}")
    with pytest.raises(UnknownNameError, match="did you mean 'gap'"):
        sl.read_params(tmp_path / "params.yaml", estimator=sl.GapRule())


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("a: [", "cannot be read as YAML"),
        ("just text", "has no 'parameters'"),
        ("parameters: []", "has no 'parameters'"),
        ("{format: 2, parameters: {gap: 5min}}", "format 2 is not known"),
        ("{format: 1, parameters: !!python/object/apply:os.getcwd []}", "cannot be read as YAML"),
        ("#" * 2_000_000, "too large"),
    ],
)
def test_a_file_that_is_none_is_told(tmp_path: Path, text: str, said: str) -> None:
    (tmp_path / "params.yaml").write_text(text)
    with pytest.raises(SchemaError, match=said):
        sl.read_params(tmp_path / "params.yaml")


def test_a_file_that_is_not_there_is_told(tmp_path: Path) -> None:
    with pytest.raises(SchemaError, match="No such file"):
        sl.read_params(tmp_path / "params.yaml")


def test_a_date_that_is_none_is_told_as_a_slip_of_the_file(tmp_path) -> None:
    (tmp_path / "params.yaml").write_text("{format: 1, parameters: {gap: 2026-13-45}}")
    with pytest.raises(SchemaError, match="cannot be read as YAML"):
        sl.read_params(tmp_path / "params.yaml", estimator=sl.GapRule())
