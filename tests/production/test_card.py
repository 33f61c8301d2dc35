from __future__ import annotations

import re

import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

from stanza_lab.production import card


@pytest.mark.parametrize(
    "url", ["https://wiki.example.com/a?b=1&c=2", "http://wiki.example.com", " https://x.example "]
)
def test_addresses_of_the_web_become_links(url: str) -> None:
    made = card.link(url, "Slow <checkout>")
    assert re.fullmatch(r'<a href="https?://[^"<>]+" target="_blank" rel="noopener noreferrer">[^<>]+</a>', made)
    assert "Slow &lt;checkout&gt;" in made


@pytest.mark.parametrize(
    "url",
    [
        "javascript:alert(1)",
        "JaVaScRiPt:alert(1)",
        "\x01javascript:alert(1)",
        "java\nscript:alert(1)",
        "data:text/html,<script>alert(1)</script>",
        "vbscript:x",
        "//evil.example",
        "https:alert(1)",
        "https://[x",
        "https://a b",
        "https://x.example/\u202etxt",
        "file:///etc/passwd",
        "wiki/page",
        "",
        None,
    ],
)
def test_all_else_is_shown_as_text(url: str | None) -> None:
    made = card.link(url, "runbook")
    assert "<" not in made
    assert made.startswith("runbook")


@given(st.text())
def test_no_text_opens_a_tag_or_leaves_an_attribute(said: str) -> None:
    made = card.text(said) + card.link(said, said) + card.link(f"https://x.example/{said}", said) + card.command(said)
    rest = re.sub(r'<a href="[^"<>]*" target="_blank" rel="noopener noreferrer">|</a>|</?pre>', "", made)
    assert not set("<>\"'") & set(rest)


@pytest.mark.parametrize(
    ("value", "shown"),
    [
        (None, ""),
        (float("nan"), ""),
        (pd.NaT, ""),
        (3, "3"),
        (["a", "b"], "a, b"),
        ([], ""),
        ("x" * 99, "x" * 79 + "…"),
    ],
)
def test_values_are_shown_short(value: object, shown: str) -> None:
    assert card.text(value) == shown


def test_a_table_says_how_many_rows_more_there_are() -> None:
    rows = pd.DataFrame({"a": [1, 2, 3], "b": ["<x>", None, "z"]})
    made = card.table(rows, {"b": "B", "a": "A"}, top=2, numbers=["a"], rest=".rows")
    assert "<td>&lt;x&gt;</td>" in made
    assert "and 1 more in <code>.rows</code>" in made
    assert card.table(rows.head(0), {"a": "A"}, top=2) == ""
