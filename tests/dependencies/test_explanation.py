"""Every edge explains itself, for and against."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest
from scipy.special import logit

import stanza_lab as sl
from stanza_lab.errors import ParameterError, UnknownNameError

OUTAGES = pd.date_range("2026-03-01T14:00Z", periods=12, freq="37h")


def _alerts(lags: dict[str, float], times: int = 12) -> pd.DataFrame:
    parts = [
        pd.DataFrame({"starts_at": OUTAGES[:times] + pd.Timedelta(lag, "s"), "service": name})
        for name, lag in lags.items()
    ]
    alerts = pd.concat(parts, ignore_index=True)
    return alerts.assign(alert_id=[f"{name}-{k}" for k, name in zip(alerts.index, alerts["service"], strict=True)])


def _model(lags: dict[str, float], times: int = 12, **parameters: object) -> sl.DependencyModel:
    return sl.DependencyModel(**parameters).fit(_alerts(lags, times))


def test_words_and_numbers() -> None:
    told = _model({"heron": 0, "kestrel": 70, "otter": 40_000}).explain("kestrel", "heron")
    assert (told.support, told.occasions, told.firings_src, told.firings_dst) == (12, 12, 12, 12)
    assert told.last_together == pd.Timestamp("2026-03-18", tz="UTC")
    chance = f"(lift {told.lift:.3g}, p {told.p_value:.1g}, q {told.q_value:.1g})"
    together = (
        f"fired within 10 min of each other 12 times, on 12 distinct occasions; {told.expected:.2g} expected by chance"
    )
    assert str(told).splitlines()[1:] == [
        f"  + {together} {chance}",
        "  + of 12 firings of kestrel and 12 of heron",
        "  + last together on 2026-03-18 (UTC)",
        "  + kestrel fired after heron 12 times and before it 0 times (median lag +90 s)",
    ]


def test_what_alerts_say_is_counted_in_words() -> None:
    alerts = _alerts({"heron": 0, "kestrel": 70})
    alerts["summary"] = np.where(alerts["service"] == "kestrel", "connection refused to heron:80", "CPU high")
    model = sl.DependencyModel().fit(alerts)
    assert (
        "12 alerts of kestrel say that heron was called, the last on 2026-03-18"
        in model.explain("kestrel", "heron").reasons_for
    )
    assert any("12 alerts of kestrel" in text for text in model.explain("heron", "kestrel").reasons_against)
    silent = sl.DependencyModel(sources=("times",)).fit(alerts).explain("kestrel", "heron")
    assert not any("alerts of kestrel" in text for text in silent.reasons_for)


def test_shares_are_the_log_odds_of_the_link() -> None:
    told = _model({"heron-db": 0, "heron": 70, "otter": 40_000}).explain("heron", "heron-db")
    assert told.shares["source"].iloc[0] == "prior"
    assert told.shares["share"].iloc[1:].sum() == pytest.approx(1)
    assert told.shares["log_odds"].iloc[1:].abs().is_monotonic_decreasing
    # Sources that say next to nothing are left out.
    assert told.shares["log_odds"].sum() == pytest.approx(logit(told.link_confidence), abs=0.4)
    assert told.shares["says"].str.contains("12 together on 12 distinct occasions").any()


def test_ways_of_both_directions_are_opposite() -> None:
    model = _model({"heron-db": 0, "kestrel": 70, "otter": 40_000})
    there, back = (model.explain(*ends).ways for ends in (("kestrel", "heron-db"), ("heron-db", "kestrel")))
    assert not there.empty
    assert there["source"].tolist() == back["source"].tolist()
    np.testing.assert_allclose(there["log_odds"], -back["log_odds"])


def test_both_directions_mirror_each_other() -> None:
    model = _model({"heron": 0, "kestrel": 70, "otter": 100})
    for src, dst in (("kestrel", "heron"), ("otter", "kestrel")):
        there, back = model.explain(src, dst), model.explain(dst, src)
        assert there.confidence + back.confidence == pytest.approx(there.link_confidence)
        assert there.lag_s == -back.lag_s
        assert there.lags["cofirings"].tolist() == back.lags["cofirings"].tolist()[::-1]
        assert (there.support, there.expected, there.q_value) == (back.support, back.expected, back.q_value)
        assert there.shares["log_odds"].tolist() == back.shares["log_odds"].tolist()


def test_lags_hold_every_co_firing_in_order() -> None:
    told = _model({"heron": 0, "kestrel": 70}).explain("kestrel", "heron")
    assert told.lags["cofirings"].sum() == told.support
    fired = told.lags[told.lags["cofirings"] > 0]
    assert fired[["from_s", "to_s", "cofirings"]].to_numpy().tolist() == [[60, 120, 12]]
    assert told.lags["expected"].sum() == pytest.approx(told.expected)
    assert (told.lags["from_s"].iloc[1:].to_numpy() == told.lags["to_s"].iloc[:-1].to_numpy()).all()


def test_occasions_are_those_of_the_last_days() -> None:
    table = _model({"heron": 0, "kestrel": 70}).explain("kestrel", "heron").occasions_table
    last = OUTAGES[-1] + pd.Timedelta("70s")
    assert table.iloc[0].tolist() == [last, 70, "kestrel-23", "heron-11"]
    assert table["at"].min() > last - pd.Timedelta("3D")
    assert table["at"].is_monotonic_decreasing


def test_the_other_direction_is_argued_against() -> None:
    told = _model({"heron": 0, "kestrel": 70}).explain("heron", "kestrel")
    assert told.lag_s == -90
    assert told.reasons_against[0].startswith("heron fired after kestrel 0 times and before it 12 times")


def test_a_direction_that_is_not_known_is_no_headline() -> None:
    told = _model({"heron": 0, "kestrel": 0, "otter": 40_000}).explain("heron", "kestrel")
    assert str(told).startswith(
        f"heron and kestrel: {told.link_confidence:.2f} that the two are linked at all, which way"
    )
    assert any("fired after kestrel 0 times and before it 0 times" in reason for reason in told.reasons_against)


def test_too_little_is_said() -> None:
    told = _model({"heron": 0, "kestrel": 70}, times=2).explain("kestrel", "heron")
    assert told.link_confidence <= 0.25
    assert "too few distinct occasions: 2, and at least 3 are asked for" in told.reasons_against


def test_a_third_that_explains_it_as_well_is_named() -> None:
    told = _model({"heron": 0, "kestrel": 0, "otter": 0}).explain("heron", "otter")
    assert told.reasons_against[-1].startswith("kestrel may explain it: it shares")


@pytest.mark.parametrize("seed", range(3))
def test_of_two_that_meet_by_chance_it_says_so(seed: int) -> None:
    rng = np.random.default_rng(seed)
    minutes = [(minute, name) for name in ("heron", "otter") for minute in rng.uniform(0, 30 * 1440, 600)]
    at = OUTAGES[0] + pd.to_timedelta([minute for minute, _ in minutes], unit="min")
    told = sl.DependencyModel().fit(pd.DataFrame({"starts_at": at, "service": [n for _, n in minutes]}))
    assert "chance" in " ".join(told.explain("heron", "otter").reasons_against)


def test_never_together_is_an_answer() -> None:
    told = _model({"heron": 0, "otter": 40_000}).explain("otter", "heron")
    assert (told.support, told.occasions, told.last_together) == (0, 0, None)
    assert told.link_confidence < 0.25
    assert np.isnan(told.lag_s)
    assert told.lags["cofirings"].sum() == 0
    assert told.occasions_table.empty
    assert "they never fired within 10 min of each other (otter fired 12 times, heron 12 times)" in told.reasons_against


def test_required_says_it_was_declared() -> None:
    told = _model({"heron": 0, "otter": 40_000}, required=[("heron", "otter")]).explain("heron", "otter")
    assert (told.confidence, told.link_confidence, told.support) == (1, 1, 0)
    assert told.reasons_for[0] == "declared: passed as required="


def test_required_of_a_name_that_never_fired_is_an_answer() -> None:
    told = _model({"heron": 0, "kestrel": 70}, required=[("heron", "ghost")]).explain("heron", "ghost")
    assert (told.confidence, told.firings_src, told.firings_dst) == (1, 12, 0)
    assert told.reasons_for == ("declared: passed as required=",)


def test_forbidden_says_it_was_ruled_out() -> None:
    model = _model({"heron": 0, "kestrel": 70, "otter": 40_000}, forbidden=[("kestrel", "heron")])
    told, back = model.explain("kestrel", "heron"), model.explain("heron", "kestrel")
    assert told.confidence == 0
    assert told.reasons_against[0] == "ruled out: passed as forbidden="
    assert back.confidence == back.link_confidence == told.link_confidence


def test_it_agrees_with_the_edges() -> None:
    model = _model({"heron": 0, "kestrel": 70, "otter": 100})
    assert len(model.edges_) == 6
    for edge in model.edges_.itertuples():
        told = model.explain(edge.src, edge.dst)
        assert (told.confidence, told.lag_s, told.lift, told.q_value) == (
            edge.confidence, edge.lag_s, edge.lift, edge.q_value,
        )  # fmt: skip


def test_without_recent_alerts_it_explains_all_the_same() -> None:
    model = _model({"heron": 0, "kestrel": 70})
    then = model.as_of("2026-04-01").explain("kestrel", "heron")
    assert then.reasons_for == model.explain("kestrel", "heron").reasons_for
    assert then.occasions_table.empty


def test_html_is_escaped() -> None:
    html = _model({"<script>": 0, "kestrel": 70}).explain("kestrel", "<script>")._repr_html_()
    assert "<script>" not in html
    assert "&lt;script&gt;" in html


def test_a_name_that_is_not_known_suggests_one() -> None:
    model = _model({"heron": 0, "kestrel": 70})
    with pytest.raises(UnknownNameError, match="did you mean 'kestrel'"):
        model.explain("kestrl", "heron")
    with pytest.raises(ParameterError, match="cannot depend on itself"):
        model.explain("heron", "heron")
