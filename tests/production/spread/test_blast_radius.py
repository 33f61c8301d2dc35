"""Who is hit if a service fails: links, history, and both."""

from __future__ import annotations

import pandas as pd
import pytest

from stanza_lab.errors import ParameterError, UnknownNameError
from stanza_lab.production import ProductionMap

START = pd.Timestamp("2026-03-01T00:00Z")
EDGES = pd.DataFrame(
    [("shop", "cart", 0.9, 30.0), ("cart", "cart-db", 0.8, 20.0), ("reports", "cart-db", 0.3, None)],
    columns=["src", "dst", "confidence", "lag_s"],
)
OWNERS = pd.DataFrame({"service": ["shop", "cart", "cart-db"], "team": ["web", "web", "storage"]})


def alerts(*rows: tuple[str, str, float]) -> pd.DataFrame:
    """Return alerts of (service, alertname, minute)."""
    table = pd.DataFrame(rows, columns=["service", "alertname", "minute"])
    return table.assign(starts_at=START + pd.to_timedelta(table.pop("minute"), unit="min"))


def history(failures: int, *, follows: bool = True) -> pd.DataFrame:
    """Return that many failures of cart-db, half a day apart, which shop follows after two minutes, or never."""
    rows = [("cart-db", "cpu high", 720.0 * k) for k in range(failures)]
    rows += [("cart", "errors", 720.0 * k + 1) for k in range(failures)]
    rows += [("shop", "slow", 720.0 * k + (2 if follows else 200)) for k in range(failures)]
    return alerts(*rows)


def hit(found: pd.DataFrame) -> dict[str, float]:
    return dict(zip(found["service"], found["hit"], strict=True))


def test_links_alone_say_who_depends_and_that_history_is_missing() -> None:
    found = ProductionMap(EDGES, ownership=OWNERS).blast_radius("cart-db")
    assert found["service"].tolist() == ["cart", "shop", "reports"]
    assert found["hops"].tolist() == [1, 2, 1]
    assert found["via"].tolist()[1] == ["cart-db", "cart", "shop"]
    assert found["depends"].tolist() == pytest.approx([0.8, 0.72, 0.3], abs=0.03)
    assert found["basis"].unique().tolist() == ["edges"]
    assert found["lag_s"].tolist()[1] == 50.0
    assert found["team"].fillna("?").tolist() == ["web", "web", "?"]
    assert "pass alerts=" in found.attrs["words"][1]
    assert (found["hit"] < found["depends"]).all()


def test_what_it_depends_on_is_not_hit() -> None:
    assert "cart-db" not in set(ProductionMap(EDGES).blast_radius("shop")["service"])


def test_history_makes_surer_what_it_shows_again_and_again() -> None:
    before = hit(ProductionMap(EDGES, history(1)).blast_radius("cart-db"))
    after = ProductionMap(EDGES, history(60)).blast_radius("cart-db")
    assert hit(after)["shop"] > max(0.8, before["shop"])
    row = after.set_index("service").loc["shop"]
    assert (row["followed"], row["firings"], row["basis"]) == (60, 60, "both")
    assert row["lag_s"] == row["lag_low_s"] == row["lag_high_s"] == 120.0
    assert row["alerts"] == ["slow (>0.99)"]
    assert row["low"] < row["hit"] < row["high"]


def test_history_also_says_that_nobody_follows() -> None:
    follows = hit(ProductionMap(EDGES, history(60)).blast_radius("cart-db"))
    alone = hit(ProductionMap(EDGES, history(60, follows=False)).blast_radius("cart-db"))
    assert alone["shop"] < 0.2 < follows["shop"]


def test_false_alerts_are_not_taken_for_failures() -> None:
    noise = alerts(*[("cart-db", "nightly", 720.0 * k + 300) for k in range(200)])
    both = pd.concat([history(30), noise], ignore_index=True)
    found = ProductionMap(EDGES, both).blast_radius("cart-db").set_index("service")
    assert found.loc["cart", "firings"] == 230
    assert found.loc["cart", "hit"] > 0.4  # 30 of 230 is 0.13


def test_firing_together_without_a_link_is_listed_as_history() -> None:
    more = alerts(*[("backup", "late", 720.0 * k + 3) for k in range(40)])
    found = ProductionMap(EDGES, pd.concat([history(40), more], ignore_index=True)).blast_radius("cart-db")
    row = found.set_index("service").loc["backup"]
    assert row["basis"] == "history"
    assert pd.isna(row["hops"])
    assert row["via"] == []
    assert "no link leads there" in row["words"]


def test_what_fires_all_the_time_is_chance() -> None:
    always = alerts(*[("flappy", "flap", 15.0 * k) for k in range(40 * 48)])
    found = ProductionMap(EDGES, pd.concat([history(40), always], ignore_index=True)).blast_radius("cart-db")
    assert "flappy" not in set(found["service"])


def test_a_service_that_never_alerts_is_named_as_unseen() -> None:
    found = ProductionMap(EDGES, history(5)).blast_radius("cart-db")
    assert found.attrs["unseen"] == ["reports"]
    words = found.set_index("service").loc["reports", "words"]
    assert words.startswith("reports never alerts: if cart-db fails and hits it, nobody sees it there")


def test_a_short_window_catches_less() -> None:
    production = ProductionMap(EDGES)
    soon, late = (hit(production.blast_radius("cart-db", window=window)) for window in ("1min", "1h"))
    assert soon["cart"] < late["cart"]


def test_faint_links_can_be_left_out() -> None:
    assert "reports" not in set(ProductionMap(EDGES).blast_radius("cart-db", min_confidence=0.5)["service"])


def test_a_service_that_nobody_depends_on_hits_nobody() -> None:
    found = ProductionMap(EDGES, history(3)).blast_radius("shop")
    assert found.columns.tolist()[:4] == ["service", "team", "hops", "depends"]
    empty = ProductionMap(EDGES).blast_radius("shop")
    assert empty.empty
    assert empty["hit"].dtype == "float64"
    assert empty.attrs["words"][0].startswith("0 services could be hit")


def test_the_same_call_gives_the_same_numbers_and_changes_nothing() -> None:
    given = history(9)
    kept = given.copy()
    production = ProductionMap(EDGES, given)
    pd.testing.assert_frame_equal(production.blast_radius("cart-db"), production.blast_radius("cart-db"))
    pd.testing.assert_frame_equal(given, kept)


def test_the_order_of_alerts_does_not_matter() -> None:
    given = history(9)
    mixed = given.sample(frac=1.0, random_state=3)
    one, other = (ProductionMap(EDGES, some).blast_radius("cart-db") for some in (given, mixed))
    pd.testing.assert_frame_equal(one, other)


def test_unknown_service_and_bad_parameters_are_refused() -> None:
    production = ProductionMap(EDGES)
    with pytest.raises(UnknownNameError, match="did you mean"):
        production.blast_radius("cart-bd")
    with pytest.raises(ParameterError, match="hops"):
        production.blast_radius("cart-db", hops=0)
    with pytest.raises(ParameterError, match="window"):
        production.blast_radius("cart-db", window="soon")


def test_a_restored_map_and_a_view_answer_too() -> None:
    made = ProductionMap(EDGES, history(3), ownership=OWNERS)
    restored = ProductionMap.from_tables(made.edges, services=made.services)
    assert restored.blast_radius("cart-db")["basis"].unique().tolist() == ["edges"]
    view = made.near("cart-db", hops=1)
    assert set(view.blast_radius("cart-db")["service"]) <= set(view.services["service"])
