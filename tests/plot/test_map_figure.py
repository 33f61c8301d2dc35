"""The measures of `benchmarks/map_figure.py`, on pictures whose answer is plain."""

from __future__ import annotations

import numpy as np

from benchmarks import map_figure
from benchmarks.map_figure import Picture
from stanza_lab import plot


def picture(*links: tuple[int, int]) -> Picture:
    """Return links between the corners of a square and the node in its middle."""
    x, y = np.array([0.0, 100, 100, 0, 50]), np.array([0.0, 0, 100, 100, 50])
    paths = [(np.array([[x[a], y[a]], [x[b], y[b]]]), frozenset((a, b))) for a, b in links]
    return Picture(x, y, np.full(5, 5.0), np.zeros((0, 4)), paths)


def test_diagonals_cross_once_and_sides_do_not() -> None:
    assert map_figure.crossings(picture((0, 2), (1, 3))) == 1
    assert map_figure.crossings(picture((0, 1), (2, 3))) == 0
    assert map_figure.crossings(picture((0, 2), (0, 1))) == 0


def test_a_diagonal_runs_over_the_node_in_the_middle() -> None:
    assert map_figure.through(picture((0, 2))) == 1
    assert map_figure.through(picture((0, 4), (0, 1))) == 0


def test_every_link_and_name_of_a_figure_is_measured() -> None:
    production = map_figure.map_of(20, 30)
    drawn = map_figure.picture_of(plot.production_map(production))
    assert (len(drawn.paths), len(drawn.x), len(drawn.names)) == (len(production.links), 20, 20)
    assert map_figure.overlaps(drawn.names) == 0
    ends = {frozenset(pair) for pair in zip(production.links["src"], production.links["dst"], strict=True)}
    assert len(ends) == len({path_ends for _, path_ends in drawn.paths})


def test_maps_read_better_than_a_spring_layout() -> None:
    found = map_figure.readability([50]).set_index("figure")
    assert found.loc["stanza_lab", "overlaps"] == 0
    assert found.loc["stanza_lab", "through"] < found.loc["spring layout", "through"]
