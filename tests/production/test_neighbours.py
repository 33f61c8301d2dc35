from __future__ import annotations

import os
import subprocess
import sys

import pandas as pd
import pytest

from stanza_lab.production import links, neighbours, tables


def pairs(rows: list[tuple]) -> pd.DataFrame:
    given = pd.DataFrame(rows, columns=["src", "dst", "confidence", "support", "lag_s", "provenance"])
    return links.of(tables.complete(given))


def test_the_usual_lead_is_the_median_by_cofirings_seen_from_us() -> None:
    table = pairs(
        [
            ("us", "b", 0.9, 1, 500.0, ["inferred"]),
            ("us", "c", 0.5, 9, 30.0, ["inferred"]),
            ("d", "us", 0.4, 1, 10.0, ["inferred"]),
        ]
    )
    cluster = pd.Series({"us": "ours", "b": "theirs", "c": "theirs", "d": "theirs"})
    across = neighbours.border(table, {"us"}, cluster)
    assert across["lead_s"].tolist() == [500.0, 30.0, -10.0]
    assert across["direction"].tolist() == ["downstream", "downstream", "upstream"]
    row = neighbours.summarize(across, cluster, {"ours", "theirs"}).iloc[0]
    assert (row["lag_s"], row["direction"], row["confidence"], row["links"]) == (30.0, "downstream", 0.9, 3)


@pytest.mark.parametrize(
    ("there", "back", "direction"),
    [(0.9, 0.2, "downstream"), (0.2, 0.9, "upstream"), (0.45, 0.32, "unknown"), (0.9, 0.8, "both")],
)
def test_a_direction_is_known_from_twice_as_likely(there: float, back: float, direction: str) -> None:
    table = pairs([("us", "b", there, 1, 5.0, ["inferred"]), ("b", "us", back, 1, -5.0, ["inferred"])])
    cluster = pd.Series({"us": "ours", "b": "theirs"})
    row = neighbours.summarize(neighbours.border(table, {"us"}, cluster), cluster, {"theirs"}).iloc[0]
    assert (row["direction"], row["links"], row["lag_s"]) == (direction, 1, 5.0)


def test_too_few_sure_links_lower_what_is_usual() -> None:
    table = pairs([("a", name, confidence, 1, 0, []) for name, confidence in (("b", 0.9), ("c", 0.456), ("d", 0.2))])
    assert [neighbours.usual(table, least=least) for least in (1, 2, 3, 9)] == [0.5, 0.45, 0.2, 0.2]
    assert neighbours.usual(table.head(0), least=5) == 0.5


def test_services_without_team_or_edge_share_a_cluster() -> None:
    services = pd.DataFrame({"service": ["a", "b", "c"], "team": [None, None, "web"]})
    found = neighbours.clusters(services, pairs([]))
    assert found.to_dict() == {"a": neighbours.ALONE, "b": neighbours.ALONE, "c": "web"}


def test_nobody_over_the_border_is_an_empty_table() -> None:
    cluster = pd.Series({"a": "ours"})
    table = neighbours.summarize(neighbours.border(pairs([]), {"a"}, cluster), cluster, {"ours"})
    assert table.empty
    assert "words" in table.columns


def test_communities_do_not_depend_on_the_seed_of_hashes() -> None:
    made = """
import numpy as np, pandas as pd, zlib
from stanza_lab.production import ProductionMap
rng = np.random.default_rng(0)
names = [f"svc-{i:03d}" for i in range(200)]
drawn = sorted({tuple(rng.choice(60, 2, replace=False).tolist()) for _ in range(110)})
edges = pd.DataFrame([(names[a], names[b], 0.9) for a, b in drawn], columns=["src", "dst", "confidence"])
alone = pd.DataFrame({"service": names, "starts_at": pd.Timestamp("2026-03-01", tz="UTC")})
print(zlib.crc32(ProductionMap(edges, alone).clusters.to_csv().encode()))
"""
    said = set()
    for seed in ("1", "2", "3"):
        env = os.environ | {"PYTHONHASHSEED": seed}
        said.add(subprocess.run([sys.executable, "-c", made], env=env, capture_output=True, check=True).stdout)
    assert len(said) == 1
