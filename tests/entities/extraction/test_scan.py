"""Many texts at once: the same readings as one by one, with places; time linear in the text."""

from __future__ import annotations

import re
import subprocess
import sys
import time

import pandas as pd
import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from stanza_lab import schema
from stanza_lab.entities.extraction._segments import ERROR_WORDS, SEGMENT
from stanza_lab.entities.extraction.scan import distinct_values, extract_entities, read_text, read_texts, spread
from stanza_lab.entities.extraction.texts import read_segment
from stanza_lab.errors import SchemaError

ARN = "arn:aws:ecs:eu-west-1:123456789012:service/prod/checkout"
PARTS = (
    ARN, "i-0abc1234def567890", "{service:checkout,env:prod}", "connection refused to db-orders:5432", "Error: ",
    "No instances available for ts-food-service", "https://api.example.com/v1?x=1", "trace_id=" + "4bf9" * 8,
    "Pod shop/checkout-7d9f8b6c5d-x2x4k", "@slack-oncall", "orders.shop.svc.cluster.local", "lookup a on b", "\x01",
    'image "ghcr.io/acme/checkout:1.4"', "git@github.com:acme/checkout.git", "10.0.0.1", "upstream", "timed out", "x: ",
    "/aws/lambda/resize", "service: orders-api is", 'service "x-y"', "failed to call", "payments", "\n", "  ", ", ",
    "503", "ünï ", "\x02", "“", "𝒳",
)  # fmt: skip
TEXTS = st.lists(st.lists(st.sampled_from(PARTS), max_size=7).map(" ".join) | st.text(max_size=20), max_size=6)


def read_slowly(text):
    """Read a text with Python's `re` running the same pattern: what the columnwise way must agree with."""
    error = any(word in text.lower() for word in ERROR_WORDS)
    found = []
    for match in re.finditer(SEGMENT, text.replace("\x01", "\x02"), re.ASCII):
        segment = match.group()
        found += [
            r._replace(start=r.start + match.start(), end=r.end + match.start())
            for r in read_segment(segment, error=error and "://" in segment)
        ]
    return found


@settings(max_examples=200)
@given(TEXTS)
def test_columnwise_is_what_each_text_says_for_itself(texts):
    slowly = [read_slowly(text) for text in texts]
    assert read_texts(texts) == slowly
    expected = [
        (number, r.kind, r.name, r.start, r.end, r.method)
        for number, readings in enumerate(slowly)
        for r in readings
        if r.method != "arn-name" or r.resource.type == "ecs:service"
    ]
    table = extract_entities(texts)
    assert [*table[["text", "kind", "name", "start", "end", "method"]].itertuples(index=False, name=None)] == expected


@settings(max_examples=100)
@given(TEXTS, st.randoms())
def test_order_and_repetition_of_texts_do_not_matter(texts, draw):
    order = [draw.randrange(len(texts)) for _ in range(2 * len(texts))] if texts else []
    table = extract_entities([texts[number] for number in order])
    alone = [extract_entities(texts[number]).drop(columns="text") for number in order]
    for number, expected in enumerate(alone):
        found = table[table["text"] == number].drop(columns="text").reset_index(drop=True)
        pd.testing.assert_frame_equal(found.astype("str"), expected.astype("str"))


def test_table():
    table = extract_entities(["nothing", None, f"é {ARN}", "nothing", f"é {ARN}"])
    schema.check(table, schema.READINGS)
    assert table.columns.tolist() == schema.READINGS.names
    assert table.astype(object).where(table.notna(), None).values.tolist() == [
        [row, kind, kind_of, name, ARN, 2, 2 + len(ARN), method, confidence]
        for row in (2, 4)
        for kind, kind_of, name, method, confidence in (
            ("resource", "ecs:service", "prod/checkout", "arn", 0.98),
            ("service", None, "checkout", "arn-name", 0.7),
        )
    ]


@pytest.mark.parametrize("texts", ["", "plain words", [], [None], pd.Series([], dtype="str"), pd.Series(["a"])])
def test_nothing_to_read(texts):
    table = extract_entities(texts)
    assert table.empty
    schema.check(table, schema.READINGS)


def test_what_is_no_text_is_refused():
    with pytest.raises(SchemaError, match="texts must be text"):
        extract_entities(pd.DataFrame({"a": ["b"]}))


def test_marks_in_a_text_are_no_marks():
    text = "\x01 i-0abc1234def567890 \x01"
    assert extract_entities(text)[["start", "end"]].values.tolist() == [[2, 21]]


def test_a_url_is_told_apart_by_what_its_text_says():
    url = "https://api.example.com/v1"
    table = extract_entities([f"{url} is slow", f"{url} returned 503"])
    assert table[["text", "kind", "method"]].values.tolist() == [
        [0, "url", "url"], [1, "url", "url"], [1, "resource", "callee"],
    ]  # fmt: skip


def test_values_that_share_a_hash_stay_two():
    values = pl.Series(["a", None, "b", "a", "c"])
    for keys in (None, pl.Series([7] * 5), pl.Series([1, 0, 1, 1, 2])):
        distinct, codes = distinct_values(values, keys)
        assert (distinct.to_list(), codes.tolist()) == (["a", "b", "c"], [0, -1, 1, 0, 2])


def test_spread():
    item, entry = spread(pd.Series([1, 0, -1]).to_numpy(), pd.Series([2, 1, 0]).to_numpy())
    assert item.tolist() == [0, 1, 1]
    assert entry.tolist() == [2, 0, 1]


BOMBS = [
    "service:" * 30_000,
    "a." * 100_000 + "com",
    "a/" * 100_000 + ": connection refused",
    "http://" * 40_000,
    "failed to connect to " + "a" * 200_000,
    "lookup " * 40_000,
    "upstream " * 40_000,
    "bcdfgh-" * 40_000 + "24567",
    "pod/" * 40_000 + "a-12",
    "ghcr.io/" + "a/" * 100_000,
    "read tcp " + "1" * 200_000,
    "trace_id=" * 30_000,
    "gke-" + "a-" * 100_000,
    '"' * 200_000,
]


@pytest.mark.parametrize("bomb", BOMBS)
def test_long_texts_take_linear_time(bomb):
    began = time.process_time()
    read_text(bomb)
    assert time.process_time() - began < 3


def test_polars_is_loaded_on_first_use():
    code = "import sys, stanza_lab, stanza_lab.entities.extraction.scan; sys.exit('polars' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0
