from __future__ import annotations

import pandas as pd
import pytest

from stanza_lab.patterns.lasting import half_recovered, over

START = pd.Timestamp("2026-03-01T10:00Z")


def after(*minutes: float | None) -> pd.Series:
    ends = [pd.NaT if one is None else START + pd.Timedelta(minutes=one) for one in minutes]
    return pd.Series(ends, dtype="datetime64[us, UTC]")


@pytest.mark.parametrize(
    ("ends", "half"), [((5, 10, 90), 10), ((10, 5), 5), ((5, 10, 9_000, None), 10), ((5, None, None), None), ((7,), 7)]
)
def test_half_of_the_alerts_by_hand(ends: tuple[float | None, ...], half: float | None) -> None:
    found = half_recovered(after(*ends), of=pd.Series(3, index=range(len(ends))))
    assert found.index.tolist() == [3]
    assert found.tolist() == after(half).tolist() or (half is None and pd.isna(found[3]))


@pytest.mark.parametrize(
    ("half", "last", "said"),
    [
        (15, 20, "over after 20 min"),
        (15, 19 * 1440, "half over after 15 min, the last after 19 d"),
        (15, None, "half over after 15 min, the last not known"),
        (None, None, ""),
        (None, 20, "over after 20 min"),
    ],
)
def test_both_are_said_where_the_last_lingers(half: float | None, last: float | None, said: str) -> None:
    first, second = after(half, last)
    assert over(START, first, second) == said
