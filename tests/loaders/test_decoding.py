from __future__ import annotations

import gzip
import io
import json
import time

import pytest
from hypothesis import given
from hypothesis import strategies as st

from stanza_lab.loaders import _lines
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
        # A document on one line, then documents over several lines.
        (b'{"a": 1}\n{\n "a": 2\n}\n{"a": 3}\n', [{"a": 1}, {"a": 2}, {"a": 3}]),
        (
            b'{"a": 1}\n\n{\n "a": [\n  2\n ]\n}{"a": 3}\n[\n{"a": 4},\n{"a": 5}\n]',
            [{"a": 1}, {"a": [2]}, {"a": 3}, [{"a": 4}, {"a": 5}]],
        ),
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
        (b'{"a": 1}\n[\n{"a": 2},\n', [{"a": 1}, [{"a": 2}], ("truncated_json", "line 4, character 1")]),
        (
            b'{"a": 1}\n{"b": [\n{"a": 2}\n{"a": 3}\n',
            [{"a": 1}, ("truncated_json", "line 2, character 1"), {"a": 2}, {"a": 3}],
        ),
        (b'{"a": 1}\n[2026-03-01] log\n{"a": 3}\n', [{"a": 1}, [2026], ("bad_json", "line 2, character 6"), {"a": 3}]),
        (b'{"a": 1}\n' + b"[" * 100_000 + b'\n{"a": 3}', [{"a": 1}, ("too_deep", ""), {"a": 3}]),
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
    monkeypatch.setattr(_lines, "MAX_DOCUMENT", 100)
    assert decode(b'{"a": 1}\n{"a": "' + b"x" * 200 + b'"}\n') == [{"a": 1}, ("too_large", "line 2")]
    assert decode(b'{\n"a": "' + b"x" * 200 + b'"}\n') == [("too_large", "line 1")]
    rest = b'{"a": 1}\n' + b"x" * 1_000 + b'\n{"a": 3}\n'
    assert decode(rest) == [{"a": 1}, ("too_large", "line 2"), {"a": 3}]


def test_file_that_unpacks_without_end_is_stopped(monkeypatch) -> None:
    monkeypatch.setattr(_lines, "MAX_FILE", 100)
    assert decode(b'{"a": 1}\n' * 50)[-1] == ("broken_archive", "")


def test_one_document_in_a_gzip_that_breaks_off_gives_its_complete_records() -> None:
    export = json.dumps({"data": [{"a": f"{i * 7919**7:064d}"} for i in range(20_000)]}).encode()
    packed = gzip.compress(export)
    page, cut, broken = documents(gzip.GzipFile(fileobj=io.BytesIO(packed[: len(packed) // 2])), PAGES)
    assert 5_000 < len(page.value["data"]) < 15_000
    assert (cut.reason, broken.reason) == ("truncated_json", "broken_archive")


def test_gzip_with_garbage_behind_it_gives_its_document() -> None:
    packed = gzip.GzipFile(fileobj=io.BytesIO(gzip.compress(b'{"a": 1}') + b"garbage"))
    document, broken = documents(packed, PAGES)
    assert (document.value, broken.reason) == ({"a": 1}, "broken_archive")


def test_every_piece_of_a_long_file_knows_its_line() -> None:
    export = b'{\n "a": 1\n}\n' * 3
    assert [piece.locator for piece in documents(io.BufferedReader(io.BytesIO(export)), PAGES)] == [
        "line 1",
        "line 4",
        "line 7",
    ]
    export = b'{"a": 1}\n\n\n' + export
    assert [piece.locator for piece in documents(io.BufferedReader(io.BytesIO(export)), PAGES)] == [
        "line 1",
        "line 4",
        "line 7",
        "line 10",
    ]


@pytest.mark.parametrize(
    "export",
    [b'{\n "a": 1\n}\n' * 200_000, b'{"a": 1}\n' + b'{\n "a": 1\n}\n' * 50_000, b'{"a": 1}\n' + b"[1,\n" * 20_000],
    ids=["documents", "documents after a line", "never closed"],
)
def test_time_grows_with_the_file_not_with_its_square(export) -> None:
    start = time.process_time()
    for _ in documents(io.BufferedReader(io.BytesIO(export)), PAGES):
        pass
    assert time.process_time() - start < 10  # about one second; minutes when every document looks at all before it


def test_gzip_that_breaks_off_keeps_what_came_before() -> None:
    lines = b"".join(b'{"a": "%064d"}\n' % (i * 7919**7) for i in range(20_000))
    packed = gzip.GzipFile(fileobj=io.BytesIO(gzip.compress(lines)[:-2000]))
    pieces = list(documents(packed, PAGES))
    assert len(pieces) > 1_000
    assert pieces[0].value == {"a": "0" * 64}
    assert pieces[-1].reason == "broken_archive"


WHOLE = st.integers(-(2**63), 2**64 - 1)


@pytest.mark.parametrize("number", ["18446744073709551615", "18446744073709551616", "-9223372036854775809", "9" * 5000])
def test_whole_number_of_any_size_is_the_same_in_every_layout(number) -> None:
    [one] = decode(f'{{"a": {number}}}\n'.encode())
    [other, _] = decode(f'{{"a":\n{number}\n}} {{"b": 1}}'.encode())
    assert (other["a"], type(other["a"])) == (one["a"], type(one["a"]))


@given(st.lists(st.dictionaries(st.sampled_from("ab"), WHOLE | st.text('x"\\ü', max_size=3))), st.data())
def test_a_page_cut_anywhere_gives_its_first_records(records, data) -> None:
    export = json.dumps({"data": records}).encode()
    cut = data.draw(st.integers(0, len(export) - 1))
    pieces = decode(export[:cut])
    kept = [record for piece in pieces if isinstance(piece, dict) for record in piece["data"]]
    assert kept == records[: len(kept)]
    assert sum(isinstance(piece, tuple) for piece in pieces) == 1


DOCUMENTS = st.recursive(
    WHOLE | st.text('x"{\\n', max_size=3),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text("ab", max_size=1), inner, max_size=3),
)
LAYOUTS = st.tuples(st.sampled_from([None, 0, 1]), st.sampled_from(["\n", "\n\n ", "\r\n"]))


@given(st.lists(st.tuples(DOCUMENTS.filter(lambda value: isinstance(value, (dict, list))), LAYOUTS), min_size=1))
def test_documents_in_mixed_layouts_are_all_read(laid_out) -> None:
    export = "".join(json.dumps(value, indent=indent) + end for value, (indent, end) in laid_out)
    assert decode(export.encode()) == [value for value, _ in laid_out]


@given(st.lists(WHOLE, min_size=1), st.data())
def test_a_gzip_cut_anywhere_gives_its_first_records(numbers, data) -> None:
    packed = gzip.compress(json.dumps({"data": [{"a": number} for number in numbers]}).encode())
    cut = data.draw(st.integers(20, len(packed) - 1))
    try:
        pieces = list(documents(gzip.GzipFile(fileobj=io.BytesIO(packed[:cut])), PAGES))
    except EOFError:
        pytest.fail("a break is a piece, not an error")
    kept = [record["a"] for piece in pieces[:-1] if isinstance(piece, Document) for record in piece.value["data"]]
    assert kept == numbers[: len(kept)]
    assert pieces[-1].reason == "broken_archive"


@given(st.binary(max_size=60) | st.text('[]{}:,"a1\n ').map(str.encode))
def test_any_bytes_decode_without_an_error(export) -> None:
    list(documents(io.BufferedReader(io.BytesIO(export)), PAGES))
    assert decode(b'{"a": 1}\n' + export)[0] == {"a": 1}
