from __future__ import annotations

import io

import pytest
from hypothesis import given
from hypothesis import strategies as st

from stanza_lab.loaders import _lines
from stanza_lab.loaders._lines import Arriving, Lines


class Breaking(io.BytesIO):
    """A stream that raises where a true one would end."""

    def read1(self, size=-1, /):
        return super().read1(size) or self.broken()

    def broken(self):
        raise EOFError("gone")


def lines(data: bytes, buffer=8) -> Lines:
    return Lines(io.BufferedReader(io.BytesIO(data), buffer))


def test_lines_that_are_not_blank_keep_their_numbers() -> None:
    assert list(lines(b"\xef\xbb\xbfa\n\n \n b\r\n" + b"\n" * 30 + b"  \t\n\nc")) == [
        (1, b"a\n"),
        (4, b" b\r\n"),
        (37, b"c"),
    ]
    assert list(lines(b"\n \n")) == []


@given(st.text("a \n\r").map(str.encode), st.integers(1, 9))
def test_numbers_are_those_of_a_plain_count(data, buffer) -> None:
    plain = [(number, line) for number, line in enumerate(io.BytesIO(data), 1) if not line.isspace()]
    assert list(lines(data, buffer)) == plain


def test_lines_put_back_come_again_first() -> None:
    found = lines(b"a\nb\nc\n")
    held = [next(found), next(found)]
    found.put_back(held)
    assert [text for _, text in found] == [b"a\n", b"b\n", b"c\n"]


@pytest.mark.parametrize("size", [10, 11, 12, 25])
def test_line_over_the_limit_is_cut_and_the_next_ones_kept(monkeypatch, size) -> None:
    monkeypatch.setattr(_lines, "MAX_DOCUMENT", 10)
    [first, second] = lines(b"x" * size + b"\nend\n")
    assert (first[0], len(first[1])) == (1, 11)
    assert second == (2, b"end\n")


def test_stream_that_breaks_gives_what_arrived_and_says_why() -> None:
    arriving = Arriving(Breaking(b"a\nb"))
    assert io.BufferedReader(arriving).read() == b"a\nb"
    assert str(arriving.error) == "gone"
    arriving = Arriving(io.BytesIO(b"a\nb"))
    assert io.BufferedReader(arriving).read() == b"a\nb"
    assert arriving.error is None


def test_stream_without_end_is_stopped(monkeypatch) -> None:
    monkeypatch.setattr(_lines, "MAX_FILE", 1_000_000)
    arriving = Arriving(io.BytesIO(bytes(3_000_000)))
    assert 1_000_000 < len(io.BufferedReader(arriving).read()) < 1_000_000 + 2 * _lines.CHUNK
    assert "unpacked" in str(arriving.error)


def test_lines_are_taken_until_they_are_enough() -> None:
    found = lines(b"aa\nbb\ncc\ndd\n")
    assert found.take(1, 100) == [(1, b"aa\n")]
    assert found.take(9, 3) == [(2, b"bb\n"), (3, b"cc\n")]
    assert found.take(9, -1) == []
    assert found.take(9, 100) == [(4, b"dd\n")]
