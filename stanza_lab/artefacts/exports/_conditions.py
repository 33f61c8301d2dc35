"""Which alerts are meant, once, and as CEL and SQL: the two languages in which Keep wants the same condition."""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass

_BETWEEN = ") || ("  # where Keep cuts an expression into the parts that are counted one by one
_DATED = re.compile(r"\d{4}-\d\d-\d\d")  # what Keep takes for a time; it stumbles where the calendar has no such day


@dataclass(frozen=True)
class Equal:
    """A field of the alert has this value."""

    field: str
    value: str


@dataclass(frozen=True)
class Among:
    """A field of the alert has one of these values; one that is absent has none, and is no error."""

    field: str
    values: tuple[str, ...]


@dataclass(frozen=True)
class All:
    """Each of these holds."""

    parts: tuple[Condition, ...]


@dataclass(frozen=True)
class Either:
    """One of these holds."""

    parts: tuple[Condition, ...]


@dataclass(frozen=True)
class Not:
    """The part does not hold."""

    part: Condition


Condition = Equal | Among | All | Either | Not


def quoted(text: str) -> str:
    """Return text as a string of CEL that Keep leaves as it is.

    Keep replaces null by "" in the text of an expression and cuts it at ") || (": neither may stand in a string.
    To show a rule it reads a string like a date as one, and fails, for all rules, where there is no such date.
    """
    escaped = plainly_quoted(text).replace("null", "\\u006eull").replace(_BETWEEN, "\\u0029 || \\u0028")
    if _DATED.match(text):
        escaped = f'"{_number(text[0])}{escaped[2:]}'
    return "".join(c if c.isprintable() or c == " " else _number(c) for c in escaped)


def plainly_quoted(text: str) -> str:
    """Return text as a string of CEL, with no more escaped than must be."""
    escaped = text.replace("\\", "\\\\").replace('"', '\\"').replace("\n", "\\n").replace("\t", "\\t")
    return f'"{escaped}"'


def cel(condition: Condition, *, quote: Callable[[str], str] = quoted) -> str:
    """Return a condition in CEL; brackets stand only where they change the meaning.

    What does not hold is said of single comparisons, never of a bracket: Keep's form cannot open the other.
    """
    return _cel(_plain(condition), quote)


def _plain(condition: Condition, *, holds: bool = True) -> Condition:
    """Return the condition, or what holds where it does not, with `Not` only before comparisons."""
    if isinstance(condition, Not):
        return _plain(condition.part, holds=not holds)
    if isinstance(condition, All | Either):
        parts = tuple(_plain(part, holds=holds) for part in condition.parts)
        return All(parts) if isinstance(condition, All) == holds else Either(parts)
    return condition if holds else Not(condition)


def _cel(condition: Condition, quote: Callable[[str], str]) -> str:
    if isinstance(condition, Equal):
        return f"{condition.field} == {quote(condition.value)}"
    if isinstance(condition, Among):
        return f"{condition.field} in [{', '.join(map(quote, condition.values))}]"
    if isinstance(condition, Not):
        inner = condition.part
        return f"{inner.field} != {quote(inner.value)}" if isinstance(inner, Equal) else f"!({_cel(inner, quote)})"
    texts = [_cel(part, quote) for part in condition.parts]
    if isinstance(condition, Either):
        return " || ".join(texts)
    shut = zip(condition.parts, texts, strict=True)
    return " && ".join(f"({text})" if isinstance(part, Either) else text for part, text in shut)


def parts_cel(parts: Sequence[Condition], *, quote: Callable[[str], str] = quoted) -> str:
    """Return an expression of parts of which one must hold, as Keep cuts it."""
    texts = [cel(part, quote=quote) for part in parts]
    return texts[0] if len(texts) == 1 else f"({_BETWEEN.join(texts)})"


def sql(condition: Condition) -> tuple[str, dict[str, str]]:
    """Return a condition in SQL with named parameters, and their values."""
    values: dict[str, str] = {}
    return _sql(condition, values), values


def _sql(condition: Condition, values: dict[str, str]) -> str:
    if isinstance(condition, Equal):
        return f"{condition.field} = :{_named(condition.field, condition.value, values)}"
    if isinstance(condition, Among):
        names = [f":{_named(condition.field, value, values)}" for value in condition.values]
        return f"{condition.field} in ({', '.join(names)})"
    if isinstance(condition, Not):
        return f"not ({_sql(condition.part, values)})"
    word = " or " if isinstance(condition, Either) else " and "
    return f"({word.join(_sql(part, values) for part in condition.parts)})"


def _named(field: str, value: str, values: dict[str, str]) -> str:
    name = f"{field.replace('.', '_')}_{len(values) + 1}"
    values[name] = value
    return name


def _number(character: str) -> str:
    code = ord(character)
    return f"\\u{code:04x}" if code < 0x10000 else f"\\U{code:08x}"
