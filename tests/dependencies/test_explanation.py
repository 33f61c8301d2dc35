"""Every edge explains itself, for and against."""

from __future__ import annotations

import pandas as pd

import stanza_lab as sl


def _model(lags: dict[str, float], times: int = 12, **parameters: float) -> sl.DependencyModel:
    outages = pd.date_range("2026-03-01T14:00Z", periods=times, freq="37h")
    parts = [
        pd.DataFrame({"starts_at": outages + pd.Timedelta(lag, "s"), "service": name}) for name, lag in lags.items()
    ]
    return sl.DependencyModel(**parameters).fit(pd.concat(parts))


def test_words_and_numbers() -> None:
    told = _model({"orders-db": 0, "orders": 70, "search": 40_000}).explain("orders", "orders-db")
    assert (told.support, told.occasions, told.firings_src, told.firings_dst) == (12, 12, 12, 12)
    assert told.last_together == pd.Timestamp("2026-03-18", tz="UTC")
    chance = f"(lift {told.lift:.3g}, p {told.p_value:.1g}, q {told.q_value:.1g})"
    chances = f"probability of this direction {told.confidence / told.link_confidence:.2f}"
    often = "orders fired 12 times in all, orders-db 12 times"
    together = "fired within 10 min of each other 12 times, on 12 distinct occasions; 0.24 expected by chance"
    assert str(told).splitlines()[1:] == [
        f"  + {together} {chance}",
        "  + that is 12 of 12 firings of orders and 12 of 12 firings of orders-db",
        "  + last together on 2026-03-18 (UTC)",
        f"  + orders fired after orders-db 12 times and before it 0 times (median lag +90 s); {often}: {chances}",
    ]


def test_the_other_direction_is_argued_against() -> None:
    told = _model({"orders-db": 0, "orders": 70}).explain("orders-db", "orders")
    assert told.lag_s == -90
    assert told.reasons_against[0].startswith("orders-db fired after orders 0 times and before it 12 times")


def test_a_direction_that_is_not_known_is_no_headline() -> None:
    told = _model({"web": 0, "orders": 0, "search": 40_000}).explain("web", "orders")
    assert str(told).startswith(f"web and orders: {told.link_confidence:.2f} that the two are linked at all, which way")
    assert any("too little to tell which way" in reason for reason in told.reasons_against)


def test_too_little_is_said() -> None:
    told = _model({"orders-db": 0, "orders": 70}, times=2).explain("orders", "orders-db")
    assert told.link_confidence < 0.25
    assert "too few distinct occasions: 2, and at least 3 are asked for" in told.reasons_against


def test_a_third_that_explains_it_as_well_is_named() -> None:
    told = _model({"web": 0, "orders": 0, "orders-db": 0}).explain("web", "orders-db")
    assert told.reasons_against[-1].startswith("orders may explain it: it shares")


def test_never_together_is_an_answer() -> None:
    told = _model({"orders-db": 0, "search": 40_000}).explain("search", "orders-db")
    assert (told.confidence, told.support, told.last_together) == (0.0, 0, None)
    assert told.reasons_against == (
        "they never fired within 10 min of each other (search fired 12 times, orders-db 12 times)",
    )


def test_it_agrees_with_the_edges() -> None:
    model = _model({"orders-db": 0, "orders": 70, "web": 100})
    for edge in model.edges_.itertuples():
        told = model.explain(edge.src, edge.dst)
        assert (told.confidence, told.lag_s, told.lift, told.q_value) == (
            edge.confidence, edge.lag_s, edge.lift, edge.q_value,
        )  # fmt: skip


def test_html_is_escaped() -> None:
    html = _model({"<script>": 0, "orders": 70}).explain("orders", "<script>")._repr_html_()
    assert "<script>" not in html
    assert "&lt;script&gt;" in html
