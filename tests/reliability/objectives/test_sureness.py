from __future__ import annotations

import numpy as np
import pytest

from stanza_lab.reliability.objectives.sureness import Share, share


def test_wilsons_interval() -> None:
    # 10 of 100: middle (0.1 + 1.9208 / 100) / (1 + 3.8415 / 100) = 0.11480
    # half 1.95996 * sqrt(0.09 / 100 + 3.8415 / 40000) / 1.038415 = 0.05957
    assert Share(10, 100, 100).interval() == (pytest.approx(0.0552, abs=1e-4), pytest.approx(0.1744, abs=1e-4))


def test_failures_that_come_in_one_block_are_worth_less() -> None:
    blocks = np.repeat(np.arange(10), 1)
    size = np.full(10, 100.0)
    even, burst = share(np.full(10, 1.0), size, blocks), share(np.r_[10.0, np.zeros(9)], size, blocks)
    assert even.worth == 1000
    # between: 10 / 9 * (9 ** 2 + 9 * 1) / 1000 ** 2 = 1e-4; binomial: 0.01 * 0.99 / 1000 = 9.9e-6; effect 10.1
    assert burst.worth == pytest.approx(99.0)
    assert even.ratio == burst.ratio == pytest.approx(0.01)


def test_probability_that_a_limit_holds() -> None:
    assert Share(0, 10_000, 10_000).at_most(0.001) > 0.99
    assert Share(100, 10_000, 10_000).at_most(0.001) < 0.01
