from __future__ import annotations

import itertools

import numpy as np
import pandas as pd

from stanza_lab.plot import _placing


def table(boxes: list[str], links: list[tuple[int, int]]) -> tuple[pd.DataFrame, pd.DataFrame]:
    nodes = pd.DataFrame({"box": boxes, "side": 0, "what": "service", "said": [f"node-{i}" for i in range(len(boxes))]})
    ends = pd.DataFrame(links, columns=["src", "dst"]).astype("int64")
    return nodes, ends.assign(strength=0.9, direction="forward")


def inside(node: pd.Series, box: pd.Series) -> bool:
    return bool(box["left"] <= node["x"] <= box["right"] and box["bottom"] <= node["y"] <= box["top"])


def test_an_open_cluster_stands_in_a_box_of_its_own() -> None:
    random = np.random.default_rng(0)
    names = [*["a"] * 5, *["b"] * 7, *[""] * 30]
    pairs = {tuple(sorted(pair)) for pair in random.integers(0, len(names), (70, 2)) if pair[0] != pair[1]}
    nodes, boxes = _placing.place(*table(names, sorted(pairs)))
    assert list(boxes["cluster"]) == ["a", "b"]
    for box in boxes.to_dict("records"):
        for node in nodes[nodes["linked"]].to_dict("records"):
            assert inside(node, box) == (node["box"] == box["cluster"])


def test_two_boxes_do_not_overlap() -> None:
    names = [*["a"] * 9, *["b"] * 9, *["c"] * 9, "", "", ""]
    links = [(0, 9), (9, 18), (18, 27), (27, 28), (28, 29)]
    _, boxes = _placing.place(*table(names, links))
    for a, b in itertools.combinations(boxes.to_dict("records"), 2):
        assert a["right"] < b["left"] or b["right"] < a["left"] or a["top"] < b["bottom"] or b["top"] < a["bottom"]


def test_no_empty_band_stays_around_boxes() -> None:
    names = [*["a"] * 9, *["b"] * 9, *["c"] * 9, "", "", ""]
    links = [(0, 9), (9, 18), (18, 27), (27, 28), (28, 29)]
    nodes, boxes = _placing.place(*table(names, links))
    free = nodes[nodes["linked"] & (nodes["box"] == "")]
    for at, low, high, half in (("x", "left", "right", 2.0), ("y", "bottom", "top", 0.5)):
        spans = sorted([*zip(boxes[low], boxes[high], strict=True), *((v - half, v + half) for v in free[at])])
        reach = spans[0][1]
        for start, end in spans[1:]:
            assert start - reach < 0.81
            reach = max(reach, end)


def test_nodes_without_a_link_stand_below_the_rest() -> None:
    nodes, _ = _placing.place(*table([""] * 4, [(0, 1)]))
    assert list(nodes["linked"]) == [True, True, False, False]
    assert nodes["y"].iloc[2:].max() < nodes["y"].iloc[:2].min() - 1


def test_nothing_linked_is_rows_alone_and_nothing_at_all_is_nothing() -> None:
    nodes, boxes = _placing.place(*table([""] * 9, []))
    assert not nodes["linked"].any()
    assert boxes.empty
    nodes, _ = _placing.place(*table([], []))
    assert nodes.empty
