"""Known names in many texts: the same as the finder finds in each whole text."""

from __future__ import annotations

from hypothesis import given, settings
from hypothesis import strategies as st

from stanza_lab.entities._known_names import find_known
from stanza_lab.entities.naming import NameFinder

NAMES = ("orders", "orders-db", "checkout-api", "a.-b", "web")
PARTS = (
    "orders", "prod-orders-db", "Checkout API", "a. b", "web", "x", ".", ". ", "\n", "https://web/a", "@", "::", "\x01",
    "-", "é", "orders-7d9f8b6c5d-x2x4k", " ", "orders-p1-5xx",
)  # fmt: skip
TEXTS = st.lists(st.lists(st.sampled_from(PARTS), max_size=8).map("".join), max_size=5)


@settings(max_examples=200)
@given(TEXTS, st.sets(st.sampled_from(NAMES)), st.booleans())
def test_cutting_texts_changes_nothing(texts, names, alert_name):
    finder = NameFinder(names)
    whole = [finder.find(text.replace("\x01", "\x02"), alert_name=alert_name) for text in texts]
    assert find_known(names, texts, alert_name=alert_name) == whole


def test_no_names_and_no_texts():
    assert find_known([], ["orders"], alert_name=False) == [[]]
    assert find_known(["orders"], [], alert_name=False) == []
