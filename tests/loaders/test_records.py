from __future__ import annotations

import pytest

from stanza_lab import schema
from stanza_lab.loaders import _records


@pytest.mark.parametrize(
    "placeholder", [None, "", " ", "undefined", "null", "N/A", "{{host.name}}", "<no value>", True, 1.5, {}, ["a"]]
)
def test_placeholders_are_no_names(placeholder) -> None:
    assert _records.name(placeholder) is None


def test_names_are_text_or_whole_numbers() -> None:
    assert (_records.name(" checkout "), _records.name(27973058)) == ("checkout", "27973058")


@pytest.mark.parametrize(
    ("words", "severity"),
    [
        (("critical", "fatal", "P1", "Sev0", "page"), "critical"),
        (("error", "high", "P2", "Sev1"), "error"),
        (("warning", "medium", "P3", "Sev2"), "warning"),
        (("info", "debug", "low", "P4", "P5", "Sev3", "Sev4"), "info"),
        (("success", "OK", "urgent-ish", None), None),
    ],
)
def test_severity_follows_the_word(words, severity) -> None:
    assert {_records.severity(word) for word in words} == {severity}
    assert severity is None or severity in schema.SEVERITIES


def test_labels_are_canonical_json() -> None:
    assert _records.canonical({"b": 1, "a": "ü", "c": None, "d": [], "e": {}}) == '{"a":"ü","b":1}'
    assert _records.canonical({"c": None}) is None


def test_json_inside_text_is_opened_and_other_text_left() -> None:
    assert _records.embedded(' {"a": [1]}') == {"a": [1]}
    assert _records.embedded("{broken") == "{broken"
    assert _records.embedded("7") == "7"
