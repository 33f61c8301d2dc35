"""Where to search: what a person writes as a space, and the space that an estimator's own defaults suggest."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from datetime import timedelta
from typing import TYPE_CHECKING, Any

from sklearn.base import clone

from stanza_lab import _optional, _params
from stanza_lab.errors import ParameterError, UnknownNameError

if TYPE_CHECKING:
    import pandas as pd

_NOT_TUNED = ("n_jobs", "random_state", "verbose", "progress")  # how it is computed, not what
_WIDE = 16  # times from low to high: from here on a range is searched by ratio, not by difference
_TRIED = 40  # alerts on which an end of a range is tried


@dataclass(frozen=True)
class Dimension:
    """One parameter: its optuna distribution, and how its value is written for the estimator and read back."""

    distribution: Any
    decode: Callable[[Any], Any]
    encode: Callable[[Any], Any]

    def holds(self, value: Any) -> bool:
        """Return whether a value of the estimator lies in the space."""
        try:
            return bool(self.distribution._contains(self.distribution.to_internal_repr(self.encode(value))))
        except (ValueError, TypeError, KeyError):
            return False


def default_space(estimator: Any, *, alerts: pd.DataFrame | None = None) -> dict[str, Any]:
    """Return a space around the parameters that an estimator has.

    Durations and other numbers reach from a quarter of their value to four times it (whole numbers below 8 from half to
    double, at least two more), what is true or false is tried as both. Left alone is what cannot be scaled (0, None,
    words) or does not change the result (`n_jobs`, `random_state`, `verbose`, `progress`).

    Parameters
    ----------
    estimator : estimator
        Whatever has ``get_params()``.
    alerts : DataFrame, optional
        Some alerts to try the ends of each range on: an end that the estimator refuses (a `ValueError` in ``fit``) is
        drawn in towards its present value.

    Returns
    -------
    dict
        Name -> (low, high) or list of choices, for ``tune(space=)``; change it as you like.

    Examples
    --------
    >>> from stanza_lab import GapRule
    >>> from stanza_lab.tuning import default_space
    >>> default_space(GapRule(gap="20min", min_alerts=2))
    {'gap': ('5min', '1h 20min'), 'min_alerts': (1, 4)}
    """
    found: dict[str, Any] = {}
    for name, value in sorted(estimator.get_params(deep=True).items()):
        if name.rpartition("__")[2] in _NOT_TUNED:
            continue
        if isinstance(value, bool):
            found[name] = [False, True]
            continue
        lows, highs = _ends(value)
        low = _first(lows, estimator, name, alerts)
        high = _first(highs, estimator, name, alerts)
        if low is not None and high is not None and low != high:
            found[name] = (low, high)
    return found


def _ends(value: Any) -> tuple[list[Any], list[Any]]:
    """Return the ends of a range to try, the furthest first."""
    if (seconds := _seconds(value)) is not None:
        if seconds < 1:
            return [], []
        return (
            [words_of(max(seconds // 4, 1)), words_of(max(seconds // 2, 1)), words_of(seconds)],
            [words_of(seconds * 4), words_of(seconds * 2), words_of(seconds)],
        )
    if isinstance(value, int) and value > 0:
        low, high = (value // 2, max(value * 2, value + 2)) if value < 8 else (value // 4, value * 4)
        return [*range(max(low, 1), value + 1)][:16], [high, value + 1, value]
    if isinstance(value, float) and 0 < value < float("inf"):
        whole = [1.0] if value < 1 < value * 4 else []
        return [value / 4, value / 2, value], [value * 4, *whole, (value + min(value * 2, 1.0)) / 2, value]
    return [], []


def _first(ends: list[Any], estimator: Any, name: str, alerts: pd.DataFrame | None) -> Any:
    """Return the first of `ends` that the estimator takes."""
    for end in ends:
        if alerts is None:
            return end
        try:
            clone(estimator).set_params(**{name: end}).fit(alerts.head(_TRIED))
        except ValueError:
            continue
        return end
    return None


def read_space(space: Mapping[str, Any], *, estimator: Any) -> dict[str, Dimension]:
    """Return the dimensions of a space that a person wrote, in the order of their names."""
    known = estimator.get_params(deep=True)
    for name in space:
        if name not in known:
            raise UnknownNameError.among("parameter", str(name), known)
    if not space:
        raise ParameterError("space={} has nothing to tune; pass for example {'max_gap': ('5min', '1h')}")
    return {name: _dimension(name, space[name]) for name in sorted(space)}


def _dimension(name: str, given: Any) -> Dimension:
    kinds = _optional.require("optuna.distributions", extra="tune", purpose="tuning")
    if isinstance(given, kinds.BaseDistribution):
        return Dimension(given, _same, _same)
    if isinstance(given, list) and given:
        return _choices(kinds, given)
    if isinstance(given, tuple) and len(given) == 2:
        low, high = given
        seconds = (_seconds(low), _seconds(high))
        if seconds[0] is not None and seconds[1] is not None and 1 <= seconds[0] <= seconds[1]:
            distribution = kinds.IntDistribution(round(seconds[0]), round(seconds[1]), log=True)
            return Dimension(distribution, words_of, lambda value: round(_params.duration(value, name).total_seconds()))
        if all(isinstance(end, int) and not isinstance(end, bool) for end in given) and low <= high:
            return Dimension(kinds.IntDistribution(low, high, log=low > 0 and high / low >= _WIDE), int, int)
        if all(isinstance(end, (int, float)) and not isinstance(end, bool) for end in given) and low <= high:
            wide = low > 0 and high / low >= _WIDE
            return Dimension(kinds.FloatDistribution(float(low), float(high), log=wide), _short, float)
    raise ParameterError(
        f"space[{name!r}]={given!r} is not known; pass (low, high) as numbers or as durations from '1s', a list of "
        "choices, or an optuna distribution"
    )


def _choices(kinds: Any, given: list[Any]) -> Dimension:
    """Return a choice; what optuna cannot store (lists of columns) goes by what it looks like."""
    simple = all(value is None or isinstance(value, (bool, int, float, str)) for value in given)
    if simple:
        return Dimension(kinds.CategoricalDistribution(given), _same, _same)
    named = {repr(value): value for value in given}
    return Dimension(kinds.CategoricalDistribution([*named]), lambda name: named[name], repr)


def _same(value: Any) -> Any:
    return value


def _short(value: float) -> float:
    """Return a number as a person would write it."""
    return float(f"{value:.4g}")


def _seconds(value: Any) -> float | None:
    """Return the seconds of a duration; a bare number is none."""
    if not isinstance(value, (str, timedelta)) or str(value).strip().replace(".", "", 1).isdigit():
        return None
    try:
        return _params.duration(value, "duration", zero=True).total_seconds()
    except ParameterError:
        return None


def words_of(seconds: float) -> str:
    """Return whole seconds as a duration that people and `Timedelta` read: 312 is "5min 12s"."""
    return " ".join(_parts(round(seconds))) or "0s"


def _parts(seconds: int) -> Iterator[str]:
    for unit, length in (("h", 3_600), ("min", 60), ("s", 1)):
        count, seconds = divmod(seconds, length)
        if count:
            yield f"{count}{unit}"
