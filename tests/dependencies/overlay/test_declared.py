"""Declared dependencies laid over edges."""

from __future__ import annotations

import pandas as pd
import pytest
from pandas.testing import assert_frame_equal

import stanza_lab as sl
from stanza_lab import schema
from stanza_lab.errors import SchemaError


def edges(*rows: tuple[str, str, float, float]) -> pd.DataFrame:
    names = ["src", "dst", "confidence", "link_confidence"]
    told = [dict(zip(names, row, strict=True)) for row in rows]
    return schema.build([row | {"support": 5, "provenance": ["inferred"]} for row in told], schema.EDGES)


def pairs(*rows: tuple[str | None, str | None]) -> pd.DataFrame:
    return pd.DataFrame(rows, columns=["src", "dst"], dtype="str")


INFERRED = edges(("web", "orders", 0.5, 0.9), ("orders", "web", 0.4, 0.9), ("web", "mail", 0.3, 0.5))


def test_a_declaration_multiplies_the_odds_by_two_hundred() -> None:
    found = sl.overlay_catalog(INFERRED, pairs(("web", "orders"), ("web", "cache"))).set_index(["src", "dst"])
    assert found["confidence"].to_dict() == pytest.approx(
        {
            ("web", "orders"): 200 / 201,
            ("orders", "web"): 0.4,
            ("web", "mail"): 0.3,
            ("web", "cache"): (0.02 / 0.98 * 200) / (1 + 0.02 / 0.98 * 200),
        }
    )
    assert found["link_confidence"]["web", "orders"] == pytest.approx(1 - (1 / 201) * 0.6)
    assert found["link_confidence"]["web", "mail"] == 0.5
    assert (found["confidence"] < 1).all()


def test_provenance_support_and_verdict() -> None:
    found = sl.overlay_catalog(INFERRED, pairs(("web", "orders"), ("web", "cache"))).set_index(["src", "dst"])
    assert found.loc[("web", "orders"), "provenance"] == ["declared", "inferred"]
    assert found.loc[("web", "cache"), "provenance"] == ["declared"]
    assert found.loc[("web", "mail"), "provenance"] == ["inferred"]
    assert found["support"].to_dict()["web", "cache"] == 0
    assert found["verdict"].isna().all()


def test_laid_over_again_it_changes_nothing() -> None:
    declared = pairs(("web", "orders"), ("web", "cache"))
    once = sl.overlay_catalog(INFERRED, declared)
    assert_frame_equal(sl.overlay_catalog(once, declared), once)
    assert_frame_equal(once, schema.check(once, schema.EDGES))
    assert list(once.columns) == schema.EDGES.names


def test_names_of_the_catalogue_are_spelled_as_those_of_the_edges() -> None:
    found = sl.overlay_catalog(INFERRED, pairs(("Web", "ORDERS"), ("web", "web"), ("web", None)))
    assert set(zip(found["src"], found["dst"], strict=True)) == set(zip(INFERRED["src"], INFERRED["dst"], strict=True))
    assert found["provenance"].map(lambda known: "declared" in known).sum() == 1


def test_callers_and_callees_are_read_too_and_others_refused() -> None:
    found = sl.overlay_catalog(edges(), pairs(("web", "db")).set_axis(["caller", "callee"], axis=1))
    assert found[["src", "dst"]].values.tolist() == [["web", "db"]]
    with pytest.raises(SchemaError, match="caller and callee"):
        sl.overlay_catalog(edges(), pd.DataFrame({"a": [1]}))


def test_a_file_is_read(tmp_path) -> None:
    (tmp_path / "calls.csv").write_text("caller,callee\nweb,db\n")
    assert sl.overlay_catalog(edges(), tmp_path)["confidence"].tolist() == [pytest.approx(0.803, abs=1e-3)]


def test_nothing_declared_changes_nothing_and_arguments_stay() -> None:
    before = INFERRED.copy(deep=True)
    assert_frame_equal(sl.overlay_catalog(INFERRED, pairs()), INFERRED)
    sl.overlay_catalog(INFERRED, pairs(("web", "orders")))["provenance"].iloc[0].append("changed")
    assert_frame_equal(INFERRED, before)
    assert INFERRED["provenance"].iloc[0] == ["inferred"]


def test_the_verdict_of_traces_stays() -> None:
    judged = INFERRED.assign(verdict=["alert-only", None, None])
    found = sl.overlay_catalog(judged, pairs(("web", "orders")))
    assert found.set_index(["src", "dst"])["verdict"]["web", "orders"] == "alert-only"
