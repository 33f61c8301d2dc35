from __future__ import annotations

import datetime as dt

import pandas as pd
import pytest

from stanza_lab import _optional, _params
from stanza_lab.errors import MissingExtraError, ParameterError


@pytest.mark.parametrize("value", ["5min", pd.Timedelta(minutes=5), dt.timedelta(minutes=5)])
def test_duration_takes_text_and_timedeltas(value: _params.Duration) -> None:
    assert _params.duration(value, "window") == pd.Timedelta(300, "s")


@pytest.mark.parametrize("value", ["soon", "-1s", "0s", None])
def test_duration_refuses_what_is_not_longer_than_zero(value: object) -> None:
    with pytest.raises(ParameterError, match=r"window="):
        _params.duration(value, "window")


def test_duration_may_allow_zero() -> None:
    assert _params.duration("0s", "gap", zero=True) == pd.Timedelta(0)


def test_instant_without_a_zone_is_utc() -> None:
    assert _params.instant("2026-03-01", "since") == pd.Timestamp("2026-03-01T00:00Z")
    assert _params.instant("2026-03-01T02:00+02:00", "since") == pd.Timestamp("2026-03-01T00:00Z")


@pytest.mark.parametrize("value", ["later", None, "NaT"])
def test_instant_refuses_what_is_not_a_time(value: object) -> None:
    with pytest.raises(ParameterError, match="since="):
        _params.instant(value, "since")


@pytest.mark.parametrize("value", ["1677-01-01", "2262-01-01"])
def test_instant_refuses_what_nanoseconds_do_not_reach(value: str) -> None:
    with pytest.raises(ParameterError, match="out of reach"):
        _params.instant(value, "since")


def test_fraction_choice_and_whole_numbers() -> None:
    assert _params.fraction(0.5, "share") == 0.5
    assert _params.at_least(3, "hops", 0) == 3
    assert _params.choice("up", "direction", {"up", "down"}) == "up"
    for call in (
        lambda: _params.fraction(1.5, "share"),
        lambda: _params.at_least(-1, "hops", 0),
        lambda: _params.at_least(1.5, "hops", 0),
        lambda: _params.at_least(True, "hops", 0),
        lambda: _params.at_least("2", "hops", 0),
        lambda: _params.fraction("a", "share"),
        lambda: _params.fraction(float("nan"), "share"),
        lambda: _params.choice("left", "direction", {"up", "down"}),
    ):
        with pytest.raises(ParameterError):
            call()


def test_missing_extra_is_named_with_its_cause() -> None:
    with pytest.raises(
        MissingExtraError, match=r"layout needs no_such_module: pip install 'stanza_lab\[layout\]'"
    ) as caught:
        _optional.require("no_such_module", extra="layout", purpose="layout")
    assert isinstance(caught.value.__cause__, ImportError)
    assert _optional.require("json", extra="layout", purpose="layout").__name__ == "json"
