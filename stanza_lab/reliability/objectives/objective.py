"""What is promised: so many of the requests good, over so long; read from the files of the teams."""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pandas as pd

from stanza_lab import _params
from stanza_lab.errors import ParameterError, SchemaError
from stanza_lab.production import reading
from stanza_lab.production.door.contributed import Contributed
from stanza_lab.reliability.objectives.budget import BurnRule, length, rules_for

if TYPE_CHECKING:
    import os

    import yaml

    from stanza_lab.production.reading import Problems

KINDS = ("availability", "latency", "session")
_KEYS = ("name", "service", "objective", "window", "kind", "within", "indicator")
_LONGEST, _SHORTEST = pd.Timedelta("400D"), pd.Timedelta("1h")
_MOST_TEXT = 300
_LEAST = 50.0  # percent; less is hardly a promise, and mostly a share that was meant as a percentage


@dataclass(frozen=True, kw_only=True)
class Objective:
    """What a service promises: a share of good requests over a rolling window.

    Parameters
    ----------
    name : str
        What it is called.
    service : str
        The service, or a glob ("payments-*"): each service it fits is judged on its own.
    objective : float
        Percent of requests that are to be good, from 50 and below 100 (99.9, not 0.999). Larger leaves a smaller error
        budget.
    window : duration, default "30D"
        Rolling period P over which it holds, from an hour to 400 days; longer forgives later.
    kind : {"availability", "latency", "session"}, default "availability"
        What counts as good: a request that succeeded; one answered `within` a time; a user's session without a failed
        step.
    within : duration, optional
        Of kind latency: the slowest answer that is still good ("800ms").
    indicator : str, optional
        Which indicator of the service is meant, where it has several. Default: whatever measures this kind.
    team : str, default ""
        Who promised it.

    Raises
    ------
    ParameterError
        A value is outside its range, or `within` is missing for a latency objective.

    Examples
    --------
    >>> import stanza_lab as sl
    >>> objective = sl.Objective(name="Payments are answered", service="payments-api", objective=99.9)
    >>> round(objective.budget, 6)
    0.001
    >>> [rule.rate for rule in objective.rules]
    [14.4, 6.0, 3.0, 1.0]
    """

    name: str
    service: str
    objective: float
    window: _params.Duration = "30D"
    kind: str = "availability"
    within: _params.Duration | None = None
    indicator: str | None = None
    team: str = ""
    period: pd.Timedelta = field(init=False, repr=False, compare=False)
    within_s: float = field(init=False, repr=False, compare=False)

    def __post_init__(self) -> None:
        """Check everything once."""
        for what in ("name", "service"):
            text = getattr(self, what)
            if not isinstance(text, str) or not text.strip() or len(text) > _MOST_TEXT:
                raise ParameterError(f"{what}={str(text)[:60]!r} must be a text of 1 to {_MOST_TEXT} characters")
        if isinstance(self.objective, bool) or not isinstance(self.objective, (int, float)):
            raise ParameterError(f"objective={self.objective!r} is not a number; pass a percentage such as 99.9")
        if not _LEAST <= self.objective <= 100 - 1e-9:
            raise ParameterError(
                f"objective={self.objective!r} must lie from {_LEAST:g} to below 100 percent{_hint(self.objective)}"
            )
        _params.choice(self.kind, "kind", KINDS)
        period = _params.duration(_days(self.window), "window")
        if not _SHORTEST <= period <= _LONGEST:
            raise ParameterError(f"window={self.window!r} must lie between 1 hour and 400 days")
        if (self.kind == "latency") != (self.within is not None):
            hint = "pass within='800ms'" if self.kind == "latency" else "pass kind='latency', or leave it out"
            raise ParameterError(f"within={self.within!r} does not go with kind={self.kind!r}; {hint}")
        slowest = float("nan") if self.within is None else _params.duration(self.within, "within").total_seconds()
        object.__setattr__(self, "period", period)
        object.__setattr__(self, "within_s", slowest)

    @property
    def target(self) -> float:
        """Return the objective as a share."""
        return self.objective / 100.0

    @property
    def budget(self) -> float:
        """Return the error budget, the share that may fail."""
        return (100.0 - self.objective) / 100.0

    @property
    def rules(self) -> list[BurnRule]:
        """Return the burn-rate rules that fit the window and can be reached."""
        return [rule for rule in rules_for(self.period) if rule.reachable(self.target)]

    @property
    def words(self) -> str:
        """Say what is promised."""
        good = {
            "availability": "of requests succeed",
            "latency": f"of requests are answered within {self.within_s:g} s",
            "session": "of sessions have no failed step",
        }[self.kind]
        return f"{self.objective:g} % {good}, over {length(self.period)}"


def read_objectives(path: str | os.PathLike[str]) -> list[Objective]:
    """Read the objectives of a team's file, or of a folder of them.

    Parameters
    ----------
    path : path
        A YAML file or a folder of them, as `read_contributed` reads them. Only `team` and `slos` are read here; each
        SLO has `name`, `service` (a glob), `objective` in percent and `window`, and may have `kind` (availability,
        latency or session), `within` (of a latency objective: ``800ms``; makes it one) and `indicator`.

    Returns
    -------
    list of Objective
        In the order of the files, then of their lines.

    Raises
    ------
    SchemaError
        A file cannot be read or an SLO has an unknown key, lacks one, or has a value out of range; all problems at
        once, each with its line.

    Examples
    --------
    >>> import pathlib, tempfile
    >>> import stanza_lab as sl
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     file = pathlib.Path(folder, "shop.yaml")
    ...     _ = file.write_text('''
    ... team: shop
    ... slos:
    ...   - {name: Fast enough, service: shop-web, objective: 99, window: 30d, within: 800ms}
    ... ''')
    ...     [objective.words for objective in sl.read_objectives(folder)]
    ['99 % of requests are answered within 0.8 s, over 30d']
    """
    files = [Path(path)]
    if files[0].is_dir():
        files = sorted(file for file in files[0].iterdir() if file.suffix in {".yaml", ".yml"})
    found: list[Objective] = []
    wrong: list[str] = []
    for file in files:
        try:
            root, problems = reading.compose(file)
        except SchemaError as error:
            wrong.append(str(error))
            continue
        nodes = {str(key.value): value for key, value in root.value}
        team = problems.text(nodes.get("team"), "team")
        found += [slo for item in problems.items(nodes.get("slos"), "slos") if (slo := _read(item, problems, team))]
        wrong += problems.lines
    if wrong:
        raise SchemaError("\n".join(wrong))
    return found


def objectives_of(given: Contributed | Objective | Iterable[Objective]) -> list[Objective]:
    """Return the objectives of what a caller passed: one, several, or what teams contributed."""
    if isinstance(given, Contributed):
        rows = given.slos.to_dict("records")
        return [
            Objective(
                name=str(row["name"]),
                service=str(row["service"]),
                objective=float(row["objective"]),
                window=str(row["window"]),
                team=str(row["team"]),
            )
            for row in rows
        ]
    found = [given] if isinstance(given, Objective) else list(given)
    for one in found:
        if not isinstance(one, Objective):
            raise ParameterError(f"objectives hold a {type(one).__name__}; pass sl.Objective(...) or read_objectives()")
    if not found:
        raise ParameterError("objectives is empty; pass at least one sl.Objective(...)")
    names = [(one.service, one.name) for one in found]
    if len(set(names)) < len(names):
        twice = next(name for name in names if names.count(name) > 1)
        raise ParameterError(f"objectives: {twice[1]!r} of {twice[0]!r} stands there twice; give each its own name")
    return found


def _read(node: yaml.Node, problems: Problems, team: str) -> Objective | None:
    before = len(problems.found)
    keys = problems.keys(node, _KEYS, need=_KEYS[:4], what="an SLO")
    said: dict[str, Any] = {key: problems.text(keys.get(key), key) or None for key in _KEYS if key != "objective"}
    share = problems.number(keys.get("objective"), "objective", low=1e-9, high=100 - 1e-9)  # 50: see Objective
    if len(problems.found) > before or share is None:
        return None
    said["kind"] = said["kind"] or ("latency" if said["within"] else "availability")
    try:
        return Objective(**said, objective=share, team=team)
    except ParameterError as error:
        problems.say(node, str(error))
        return None


def _hint(value: float) -> str:
    if value == 100:
        return "; no service keeps 100 %, and it would leave no error budget"
    return f"; it is a percentage: pass {round(100 * value, 9):g}" if 0.5 <= value < 1 else ""


def _days(value: _params.Duration) -> _params.Duration:
    """Return a duration with the D that pandas wants for the d that people write."""
    return re.sub(r"(?<=\d)\s*d$", "D", value) if isinstance(value, str) else value
