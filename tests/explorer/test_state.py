from __future__ import annotations

import pandas as pd
import pytest

from stanza_lab.explorer.state import State, call


@pytest.mark.parametrize(
    ("state", "expected"),
    [
        (State(), "sl.plot.production_map(production)"),
        (State(team="payments"), "sl.plot.production_map(production.team('payments'))"),
        (
            State(service="shop", hops=3, direction="upstream", min_confidence=0.6),
            "sl.plot.production_map(production.near('shop', hops=3, direction='upstream', min_confidence=0.6), min_confidence=0.6)",  # noqa: E501
        ),
        (
            State(team="it's", at=pd.Timestamp("2026-07-01", tz="UTC"), expand=("a", "b"), color="environment"),
            "sl.plot.production_map(production.as_of('2026-07-01').team(\"it's\"), color='environment', expand=['a', 'b'])",  # noqa: E501
        ),
        (
            State(at=pd.Timestamp("2026-07-01 13:30", tz="UTC"), theme="dark"),
            "sl.plot.production_map(production.as_of('2026-07-01T13:30:00+00:00'), theme='dark')",
        ),
        (State(incident=7), "sl.plot.replay(production, incident=7)"),
    ],
)
def test_call_says_what_differs_from_the_defaults(state: State, expected: str) -> None:
    assert call(state) == expected


def test_auto_theme_is_what_jupyterlab_looks_like() -> None:
    assert call(State(), dark=True) == "sl.plot.production_map(production, theme='dark')"
    assert call(State(theme="light"), dark=True) == "sl.plot.production_map(production)"
