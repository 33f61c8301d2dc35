"""Documents that are not held whole: the same records as of small ones."""

from __future__ import annotations

import io
import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from stanza_lab.loaders import _elements, read_files

PAGES = ("data", "hits")
VALUE = st.recursive(
    st.none() | st.booleans() | st.integers(-(2**53), 2**53) | st.floats(allow_nan=False) | st.text(max_size=9),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=4), inner, max_size=3),
    max_leaves=8,
)


@pytest.fixture(autouse=True)
def small(monkeypatch) -> None:
    monkeypatch.setattr(_elements, "HELD", 40)
    monkeypatch.setattr(_elements, "_READ", 8)


def decoded(text: str | bytes) -> list:
    data = text if isinstance(text, bytes) else text.encode()
    found = _elements.documents(io.BufferedReader(io.BytesIO(data)), PAGES)
    return [(getattr(d, "value", None), d.locator, getattr(d, "reason", None)) for d in found]


@given(
    records=st.lists(st.dictionaries(st.text(max_size=5), VALUE, max_size=4), min_size=8),
    indent=st.sampled_from([None, 2]),
)
def test_records_of_a_large_list_are_those_in_it(records, indent) -> None:
    text = json.dumps(records, indent=indent, ensure_ascii=False)
    got = [value for value, _, _ in decoded(text)]
    assert got == records or (got == [records] and len(text) < 100)


def test_places_of_records_are_told() -> None:
    text = json.dumps({"meta": {"page": {"after": "x" * 20}}, "data": [{"n": n} for n in range(3)]}, indent=1)
    assert decoded(text) == [
        ({"n": 0}, "line 8 $.data[0]", None),
        ({"n": 1}, "line 11 $.data[1]", None),
        ({"n": 2}, "line 14 $.data[2]", None),
        ({"meta": {"page": {"after": "x" * 20}}, "data": []}, "line 18 $", None),
    ]


def test_lists_within_pages_and_several_documents() -> None:
    hits = {"took": 1, "hits": {"total": 2, "hits": [{"_id": "1"}, {"_id": "2"}], "max_score": None, "pad": "x" * 30}}
    text = json.dumps(hits) + "\n" + json.dumps({"small": 1})
    assert [value for value, _, _ in decoded(text)] == [{"_id": "1"}, {"_id": "2"}, {"small": 1}]


@pytest.mark.parametrize(
    ("tail", "reason"),
    [("", "truncated_json"), ('{"n": "cut', "truncated_json"), ("oops]", "bad_json"), ("[" * 100_000, "too_deep")],
)
def test_break_keeps_what_stands_before(tail, reason) -> None:
    text = "[" + '{"n": "0123456789"}, ' * 3 + tail
    *kept, (_, _, why) = decoded(text)
    assert [value for value, _, _ in kept] == [{"n": "0123456789"}] * 3
    assert why == reason


def test_record_that_is_too_large_costs_its_line_only(monkeypatch) -> None:
    monkeypatch.setattr(_elements, "_RECORD", 60)
    text = json.dumps({"blob": "x" * 500}) + "\n" + '{"n": 1}\n'
    assert [(value, reason) for value, _, reason in decoded(text)] == [(None, "too_large"), ({"n": 1}, None)]


def test_what_is_not_utf_8_is_told() -> None:
    assert [reason for _, _, reason in decoded(b'[{"n": "0123456789"}, {"n": "0123456789"}, {"n": "\xff\xff"}]')][
        -1
    ] == "not_text"


@pytest.mark.parametrize("indent", [None, 1])
def test_large_export_in_one_document_is_read_record_by_record(tmp_path, sns_like, indent) -> None:
    page = {"Records": [sns_like(n) for n in range(20)], "note": 1}
    (tmp_path / "export.json").write_text(json.dumps(page, indent=indent))
    [batch] = read_files(tmp_path / "export.json")
    assert batch.events["rule_key"].tolist() == [f"cpu {n}" for n in range(20)]
    assert batch.rejected["message"].tolist() == []


@pytest.fixture
def sns_like():
    def make(number: int) -> dict:
        return {
            "AlarmName": f"cpu {number}",
            "NewStateValue": "ALARM",
            "OldStateValue": "OK",
            "StateChangeTime": "2026-03-01T14:02:11Z",
        }

    return make
