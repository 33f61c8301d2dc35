from __future__ import annotations

import hdbscan
import numpy as np
import pandas as pd
import plotly.graph_objects as go
import pytest

from stanza_lab import plot
from stanza_lab.errors import ParameterError, SchemaError
from stanza_lab.plot import _icicle

# 6 loses point 5 at an hour, then falls into 7 (0, 1) and 8 (2, 3, 4).
TREE = pd.DataFrame(
    {
        "parent": [6, 6, 6, 7, 7, 8, 8, 8],
        "child": [5, 7, 8, 0, 1, 2, 3, 4],
        "distance_s": [3600.0, 600.0, 600.0, 60.0, 60.0, 120.0, 30.0, 30.0],
        "size": [1, 2, 3, 1, 1, 1, 1, 1],
        "incident_id": [-1, 4, -1, -1, -1, -1, -1, -1],
        "label": ["", "<img src=x>", *[""] * 6],
    }
)


def from_hdbscan(times: np.ndarray, *, least: int) -> pd.DataFrame:
    model = hdbscan.HDBSCAN(min_cluster_size=least, core_dist_n_jobs=1).fit(times.reshape(-1, 1))
    found = model.condensed_tree_.to_pandas()
    with np.errstate(divide="ignore"):
        distance = 1 / found["lambda_val"]
    return pd.DataFrame(
        {"parent": found["parent"], "child": found["child"], "distance_s": distance, "size": found["child_size"]}
    )


def bursts(number: int) -> np.ndarray:
    random = np.random.default_rng(0)
    centres = np.cumsum(random.exponential(3600, number))
    return np.sort(np.concatenate([at + random.exponential(60, random.integers(3, 12)) for at in centres]))


def note(figure: go.Figure) -> str:
    return "".join(annotation.text for annotation in figure.layout.annotations)


def numbers(figure: go.Figure) -> list[str]:
    return [text for trace in figure.data if trace.mode == "text" for text in trace.text or ()]


def test_a_cluster_narrows_where_points_fall_out_and_its_children_stand_below() -> None:
    shown = _icicle.chosen(TREE, 9)
    root, *children = _icicle.outlines(TREE, shown, top=7200)
    assert (root.size, root.levels.tolist()) == (6, [7200, 3600, 600])
    assert list(zip(root.left, root.right, strict=True)) == [(0, 6), (0.5, 5.5)]
    assert {c.cluster: (c.left[0], c.right[0]) for c in children} == {8: (0.5, 3.5), 7: (3.5, 5.5)}


def test_selected_clusters_are_coloured_and_numbered() -> None:
    figure = plot.condensed_tree(TREE)
    assert numbers(figure) == ["<b>4</b>"]
    assert figure.layout.title.text == "6 alerts in 3 clusters, 1 of them incidents"
    assert len({trace.fillcolor for trace in figure.data if trace.fill}) == 2


def test_labels_are_escaped() -> None:
    shown = str(plot.condensed_tree(TREE, title="<img>").to_dict())
    assert "<img" not in shown
    assert "&lt;img src=x&gt;" in shown


def test_the_table_of_hdbscan_is_drawn_with_its_duplicates() -> None:
    times = np.repeat(bursts(20), 2)
    tree = from_hdbscan(times, least=5)
    figure = plot.condensed_tree(tree)
    assert figure.layout.title.text.startswith(f"{len(times)} alerts in ")
    assert np.isfinite(np.concatenate([t.y for t in figure.data if t.fill])).any()


def test_no_two_clusters_stand_on_one_another_unless_one_is_in_the_other() -> None:
    tree = from_hdbscan(bursts(60), least=3)
    outlines = _icicle.outlines(tree, _icicle.chosen(tree, 10_000), top=1e6)
    by_parent = pd.DataFrame([(o.parent, o.left[0], o.right[0]) for o in outlines[1:]], columns=["p", "a", "b"])
    for _, part in by_parent.groupby("p"):
        ordered = part.sort_values("a")
        assert (ordered["a"].to_numpy()[1:] >= ordered["b"].to_numpy()[:-1] - 1e-9).all()
    spans = {o.cluster: o for o in outlines}
    assert all(
        spans[o.parent].left[0] - 1e-9 <= o.left[0] and o.right[0] <= spans[o.parent].right[0] + 1e-9
        for o in outlines
        if o.parent is not None
    )
    assert all((np.diff(o.left) >= 0).all() and (o.left <= o.right + 1e-9).all() for o in outlines)


def test_of_many_clusters_the_largest_are_shown_and_the_rest_is_counted() -> None:
    tree = from_hdbscan(bursts(500), least=3)
    clusters = int(_icicle.clusters(tree).sum())
    assert clusters > 500
    figure = plot.condensed_tree(tree, max_clusters=50)
    assert f"not shown: {clusters + 1 - 50:,} clusters of at most" in note(figure)
    assert len(figure.to_json()) < 200_000


def test_incidents_come_before_larger_clusters_with_what_is_above_them() -> None:
    assert _icicle.chosen(TREE, 2) == [6, 8]
    assert _icicle.chosen(TREE, 2, first=[7]) == [6, 7]
    figure = plot.condensed_tree(TREE, max_clusters=2)
    assert numbers(figure) == ["<b>4</b>"]
    assert note(figure) == "not shown: 1 cluster of at most 3 alerts"


def test_several_trees_stand_side_by_side() -> None:
    other = TREE.assign(parent=TREE["parent"] + 100, child=TREE["child"] + 100)
    figure = plot.condensed_tree(pd.concat([TREE, other]))
    assert figure.layout.title.text.startswith("12 alerts in 6 clusters")


@pytest.mark.parametrize("rows", [0, 1])
def test_no_or_one_row_is_a_figure_too(rows: int) -> None:
    assert isinstance(plot.condensed_tree(TREE.head(rows)), go.Figure)


def test_the_order_of_the_rows_does_not_matter() -> None:
    assert plot.condensed_tree(TREE[::-1]).to_json() == plot.condensed_tree(TREE).to_json()


def test_what_is_no_tree_is_refused() -> None:
    with pytest.raises(SchemaError, match="column 'size' is missing"):
        plot.condensed_tree(TREE.drop(columns="size"))
    with pytest.raises(SchemaError, match="child 0 leaves more than one parent"):
        plot.condensed_tree(pd.concat([TREE, TREE.iloc[[3]]]))
    with pytest.raises(SchemaError, match="none is on top"):
        plot.condensed_tree(pd.DataFrame({"parent": [1, 2], "child": [2, 1], "distance_s": 1.0, "size": 1}))
    loop = pd.DataFrame({"parent": [11, 12], "child": [12, 11], "distance_s": 1.0, "size": 2})
    with pytest.raises(SchemaError, match="above itself"):
        plot.condensed_tree(pd.concat([TREE, loop]))
    with pytest.raises(SchemaError, match="'distance_s' has nulls"):
        plot.condensed_tree(TREE.assign(distance_s=np.nan))
    with pytest.raises(ParameterError, match="max_clusters=0"):
        plot.condensed_tree(TREE, max_clusters=0)
