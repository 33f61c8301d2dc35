from __future__ import annotations

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st

from stanza_lab.plot import _labels


def fitted(names: list[str], places: list[tuple[float, float]], room: float = 1000.0) -> list[_labels.Label]:
    x, y = np.array(places, dtype=float).T
    n = len(names)
    return _labels.fit(names, x=x, y=y, radius=np.full(n, 6.0), bold=[False] * n, first=list(range(n)), room=room)


def overlap(a: tuple[float, ...], b: tuple[float, ...]) -> bool:
    return a[0] < b[2] and b[0] < a[2] and a[1] < b[3] and b[1] < a[3]


def test_a_name_with_room_stands_in_full_below_its_node() -> None:
    (label,) = fitted(["checkout-api"], [(500, 100)])
    assert (label.text, label.position) == ("checkout-api", "bottom center")


def test_a_name_without_room_below_goes_above() -> None:
    first, second = fitted(["payments-database", "payments-scheduler"], [(500, 100), (520, 100)])
    assert (first.position, second.position) == ("bottom center", "top center")
    assert second.text == "payments-scheduler"


def test_a_name_without_room_is_shortened_in_its_middle_then_left_out() -> None:
    wide = [(500.0, 100.0), (560, 100), (440, 100)]
    labels = fitted(["a-rather-long-name-here", "another-rather-long-name", "x-rather-long-name"], wide)
    assert labels[0].text == "a-rather-long-name-here"
    crowded = fitted(["a-rather-long-name"] * 5, [(500.0 + 8 * i, 100.0) for i in range(5)])
    assert "" in [label.text for label in crowded]
    assert "…" in fitted(["a-rather-long-name-here"], [(40, 100)])[0].text


def test_the_number_of_services_is_the_last_to_go() -> None:
    (label,) = fitted(["marketplace-recommendations (8 services)"], [(100, 100)])
    assert label.text.endswith(" (8 services)")
    assert "…" in label.text


@settings(max_examples=50)
@given(
    st.lists(
        st.tuples(st.text("abcdef-", min_size=1, max_size=28), st.integers(0, 1000), st.integers(0, 400)),
        min_size=1,
        max_size=40,
    )
)
def test_names_never_overlap_and_stay_inside(nodes: list[tuple[str, int, int]]) -> None:
    labels = fitted([name for name, _, _ in nodes], [(x, y) for _, x, y in nodes])
    boxes = [label.box for label in labels if label.text]
    assert not any(overlap(a, b) for i, a in enumerate(boxes) for b in boxes[i + 1 :])
    assert all(box[0] >= -1e-6 and box[2] <= 1000 + 1e-6 for box in boxes)
