"""Matchers of Alertmanager: `severity="critical"`, `service=~"foo|bar"`, and the older `match` and `match_re`."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any, NamedTuple

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.compute as pc

from stanza_lab.errors import ParameterError
from stanza_lab.incidents.rules import _values

# name, operator, value; a quoted value ends at its quote, a bare one at a comma or brace
_ONE = re.compile(
    r"""\s*("(?:[^"\\]|\\.)*"|[^\s=!~,{}"]+)\s*(=~|!~|!=|=)\s*("(?:[^"\\]|\\.)*"|[^,{}"]*)\s*(?:,|$)""", re.DOTALL
)
_ESCAPED = re.compile(r'\\([n"\\])')


class Matcher(NamedTuple):
    """One condition on one label."""

    name: str
    operator: str
    value: str

    def meets(self, alerts: pd.DataFrame) -> np.ndarray:
        """Return which alerts meet it; a label that is not there is empty."""
        code, words = pd.factorize(_values.values(alerts, self.name, labels_first=True, need=False).fillna(""))
        if self.operator in ("=", "!="):
            met = np.asarray(words == self.value, dtype=bool)
        else:  # RE2, as in Alertmanager: it matches whole values and in linear time
            try:
                pattern = rf"\A(?:{self.value})\z"
                met = pc.match_substring_regex(pa.array(words, type=pa.string()), pattern=pattern).to_numpy(False)  # noqa: FBT003
            except pa.ArrowInvalid as error:
                raise ParameterError(f"matcher {self}: {self.value!r} is no regular expression of RE2") from error
        return np.asarray(met != self.operator.startswith("!"), dtype=bool)[code]

    def __str__(self) -> str:
        return f'{self.name}{self.operator}"{self.value}"'


def matchers_of(route: Mapping[str, Any], where: str) -> list[Matcher]:
    """Return all matchers of a route; an alert must meet each."""
    found = [Matcher(str(name), "=", str(value)) for name, value in _mapping(route, "match", where).items()]
    found += [Matcher(str(name), "=~", str(value)) for name, value in _mapping(route, "match_re", where).items()]
    given = route.get("matchers") or []
    if not isinstance(given, (str, list, tuple)):
        raise ParameterError(
            f"{where}: matchers holds {type(given).__name__}, not a list; write ['severity=\"critical\"']"
        )
    for text in [given] if isinstance(given, str) else given:
        found += parse(text, where)
    return found


def parse(text: object, where: str) -> list[Matcher]:
    """Return the matchers in a text such as ``severity="critical"`` or ``{a="b", c!~"d"}``."""
    if not isinstance(text, str):
        raise ParameterError(f"{where}: matcher {text!r} is no text; write 'severity=\"critical\"'")
    inner = text.strip().removeprefix("{").removesuffix("}").strip()
    found, at = [], 0
    while at < len(inner):
        one = _ONE.match(inner, at)
        if one is None:
            raise ParameterError(f"{where}: matcher {text!r} is not understood; write 'severity=\"critical\"'")
        found.append(Matcher(_unquoted(one[1]), one[2], _unquoted(one[3].strip())))
        at = one.end()
    if not found:
        raise ParameterError(f"{where}: matcher {text!r} says nothing; write 'severity=\"critical\"'")
    return found


def _unquoted(text: str) -> str:
    if not text.startswith('"'):
        return text
    return _ESCAPED.sub(lambda found: {"n": "\n"}.get(found[1], found[1]), text[1:-1])


def _mapping(route: Mapping[str, Any], key: str, where: str) -> Mapping[Any, Any]:
    found = route.get(key) or {}
    if not isinstance(found, Mapping):
        raise ParameterError(f"{where}: {key} holds {found!r}, not labels and values")
    return found
