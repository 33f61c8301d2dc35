from __future__ import annotations

import gzip
import io
import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from stanza_lab.loaders import _decoding
from stanza_lab.loaders._decoding import Document, documents

PAGES = ("data", "hits")


def decode(export: bytes) -> list:
    """Return each document's value, each broken piece as (reason, locator)."""
    pieces = documents(io.BufferedReader(io.BytesIO(export)), PAGES)
    return [piece.value if isinstance(piece, Document) else (piece.reason, piece.locator) for piece in pieces]


@pytest.mark.parametrize(
    ("export", "expected"),
    [
        (b'{"a": 1}', [{"a": 1}]),
        (b'\xef\xbb\xbf{"a": 1}\n', [{"a": 1}]),
        ('\ufeff{"a": "ü"}'.encode("utf-16-le"), [{"a": "ü"}]),
        ('{"a": "ü"}'.encode("utf-16-be"), [{"a": "ü"}]),
        (b'{\n "a": 1\n}\n', [{"a": 1}]),
        (b'{"a": 1}\n\n{"a": 2}\n', [{"a": 1}, {"a": 2}]),
        (b'{"a": 1}{"a": 2}', [{"a": 1}, {"a": 2}]),
        (b'{\n"a": 1\n}\n{\n"a": 2\n}', [{"a": 1}, {"a": 2}]),
        (b'[{"a": Infinity}]', [[{"a": float("inf")}]]),
    ],
)
def test_documents_in_any_layout(export, expected) -> None:
    assert decode(export) == expected


@pytest.mark.parametrize(
    ("export", "expected"),
    [
        (b"", [("empty_file", "")]),
        (b" \n\n", [("empty_file", "")]),
        (b"\x89PNG\r\n\x1a\n\x00\x00\x00\rIHDR", [("not_text", "")]),
        (b"# Alerts\n\nSee the wiki.\n", [("not_json", "")]),
        (b"id,title\n1,high\n2,low\n", [("not_json", "")]),
        (b'{"a": 1}\n{"a": 2\n{"a": 3}\n', [{"a": 1}, ("truncated_json", "line 2, character 1"), {"a": 3}]),
        (b'{"a": 1\n{"a": 2}\n{"a": 3}\n', [("truncated_json", "line 1, character 1"), {"a": 2}, {"a": 3}]),
        (b'{"a": 1}\n{"a": \xff}\n{"a": 3}\n', [{"a": 1}, ("bad_json", "line 2, character 1"), {"a": 3}]),
        (b'{"a": 1}\n{"a": 2', [{"a": 1}, ("truncated_json", "line 2, character 1")]),
        (b"[" * 100_000, [("too_deep", "")]),
    ],
)
def test_what_cannot_be_decoded_is_one_clear_piece(export, expected) -> None:
    assert decode(export) == expected


@pytest.mark.parametrize(
    ("export", "expected"),
    [
        (
            b'{"data": [{"a": 1}, {"a": 2}, {"a"',
            [{"data": [{"a": 1}, {"a": 2}]}, ("truncated_json", "line 1, character 31")],
        ),
        (b'[\n {"a": 1},\n {"a": 2},\n {"a": "x', [[{"a": 1}, {"a": 2}], ("truncated_json", "line 4, character 2")]),
        (b'[{"a": 1}, {"a": oops}, {"a": 3}]', [[{"a": 1}], ("bad_json", "line 1, character 12")]),
        (
            b'{"meta": {"n": 2}, "hits": {"hits": [{"a": 1}, {"a": ',
            [{"meta": {"n": 2}, "hits": {"hits": [{"a": 1}]}}, ("truncated_json", "line 1, character 48")],
        ),
        (
            b'{"data": [{"a": 1}], "links": {"next": "h',
            [{"data": [{"a": 1}]}, ("truncated_json", "line 1, character 31")],
        ),
        (
            '{"data": [{"a": 1}, {"a": "ü'.encode()[:-1],
            [{"data": [{"a": 1}]}, ("truncated_json", "line 1, character 21")],
        ),
        # A single record is never read in part, even if a list inside it is whole.
        (b'{"id": 7, "tags": ["a", "b"], "tit', [("truncated_json", "line 1, character 1")]),
        (b'{"id": 7, "tags": ["a", "b', [("truncated_json", "line 1, character 1")]),
    ],
)
def test_complete_records_before_a_break_are_kept(export, expected) -> None:
    assert decode(export) == expected


def test_document_over_the_limit_is_refused(monkeypatch) -> None:
    monkeypatch.setattr(_decoding, "MAX_DOCUMENT", 100)
    assert decode(b'{"a": 1}\n{"a": "' + b"x" * 200 + b'"}\n') == [{"a": 1}, ("too_large", "line 2")]
    assert decode(b'{\n"a": "' + b"x" * 200 + b'"}\n') == [("too_large", "line 1")]


def test_file_that_unpacks_without_end_is_stopped(monkeypatch) -> None:
    monkeypatch.setattr(_decoding, "MAX_FILE", 100)
    assert decode(b'{"a": 1}\n' * 50)[-1] == ("broken_archive", "")


def test_gzip_that_breaks_off_keeps_what_came_before() -> None:
    lines = b"".join(b'{"a": "%064d"}\n' % (i * 7919**7) for i in range(20_000))
    packed = gzip.GzipFile(fileobj=io.BytesIO(gzip.compress(lines)[:-2000]))
    pieces = list(documents(packed, PAGES))
    assert len(pieces) > 1_000
    assert pieces[0].value == {"a": "0" * 64}
    assert pieces[-1].reason == "broken_archive"


@given(st.lists(st.dictionaries(st.sampled_from("ab"), st.integers() | st.text('x"\\ü', max_size=3))), st.data())
def test_a_page_cut_anywhere_gives_its_first_records(records, data) -> None:
    export = json.dumps({"data": records}).encode()
    cut = data.draw(st.integers(0, len(export) - 1))
    pieces = decode(export[:cut])
    kept = [record for piece in pieces if isinstance(piece, dict) for record in piece["data"]]
    assert kept == records[: len(kept)]
    assert sum(isinstance(piece, tuple) for piece in pieces) == 1


@given(st.binary(max_size=60))
def test_any_bytes_decode_without_an_error(export) -> None:
    list(documents(io.BufferedReader(io.BytesIO(export)), PAGES))
