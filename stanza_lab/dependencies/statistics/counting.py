"""How firings are counted: the lengths of time, the bins of the lag, which places are near each other."""

from __future__ import annotations

from dataclasses import dataclass, fields
from typing import TYPE_CHECKING, Any

import numpy as np

from stanza_lab._params import Duration, duration
from stanza_lab.errors import ParameterError, SchemaError

if TYPE_CHECKING:
    from stanza_lab.dependencies.statistics.near import Near

# Lag bins per side, as shares of the window: to 30, 60, 120, 240 and 600 s of the default 10 min. Signs tell the order.
LAG_EDGES = np.array([0.0, 0.05, 0.1, 0.2, 0.4, 1.0])
_SIDE = len(LAG_EDGES) - 1
LAGS = [f"lag{i:+d}" for i in range(-_SIDE, _SIDE + 1)]  # lag-5 ... lag+0 (same instant) ... lag+5
COUNTS = ["occasions", "same_block", "inner_a", "inner_b", *LAGS]  # what is kept of a pair; co-firings: sum of the lags
LENGTHS = ("window", "refractory", "block", "slice")
_LONGEST = 2**62  # microseconds


@dataclass(frozen=True)
class Counting:
    """How firings are counted; statistics add up only when these are equal.

    Parameters
    ----------
    window, refractory, block, slice : int
        Microseconds.
    near : Near, optional
        Which places are near each other. Default: places are not looked at, so all firings are at one place.
    """

    window: int
    refractory: int
    block: int
    slice: int
    near: Near | None = None

    @classmethod
    def of(
        cls,
        *,
        window: Duration,
        refractory: Duration,
        block: Duration,
        slice: Duration,  # noqa: A002
        near: Near | None = None,
    ) -> Counting:
        """Check the durations: window <= refractory, 4 windows <= block, slices made of whole blocks."""
        lengths = {"window": window, "refractory": refractory, "block": block, "slice": slice}
        counting = cls(**{name: int(duration(value, name).value // 1000) for name, value in lengths.items()}, near=near)
        counting._check(lengths)
        return counting

    @classmethod
    def from_settings(cls, settings: dict[str, Any], near: Near | None = None) -> Counting:
        """Return what `settings` says, in microseconds, as a file holds it.

        Raises
        ------
        SchemaError
            A length is missing or no whole number of microseconds, or the lengths do not fit each other.
        """
        wrong = [name for name in LENGTHS if type(settings.get(name)) is not int or not 0 < settings[name] < _LONGEST]
        if wrong or len(settings) > len(LENGTHS):
            raise SchemaError(f"co-firing statistics: settings must be {LENGTHS} in us, not {settings!r:.200}")
        counting = cls(**settings, near=near)
        try:
            counting._check(settings)
        except ParameterError as error:
            raise SchemaError(f"co-firing statistics: settings: {error}") from error
        return counting

    def _check(self, given: dict[str, Any]) -> None:
        """Raise ParameterError when the lengths do not fit; `given` is how the caller wrote them."""
        window, refractory, block, slice_ = (f"{name}={given[name]!r}" for name in LENGTHS)
        if not self.window:
            raise ParameterError(f"{window} must be at least a microsecond")
        if self.refractory < self.window:
            raise ParameterError(f"{refractory} must be at least {window}")
        if self.block < 4 * self.window:
            raise ParameterError(f"{block} must be at least four times {window}")
        if self.slice % self.block:
            raise ParameterError(f"{slice_} must be a whole number of blocks of {given['block']!r}")
        if self.slice < self.lookback:
            raise ParameterError(f"{slice_} must be at least window + refractory")

    @property
    def lookback(self) -> int:
        """How far before a slice its counts reach."""
        return self.window + self.refractory

    def settings(self) -> dict[str, int]:
        """Return the lengths of time, in microseconds, as JSON takes them."""
        return {f.name: getattr(self, f.name) for f in fields(self) if f.name in LENGTHS}
