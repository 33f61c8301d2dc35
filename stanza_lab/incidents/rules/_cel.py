"""A small part of CEL, the language of Keep's rules, as SQL over the alerts.

Nothing is evaluated here: words are read, and what is not understood is refused.
"""

from __future__ import annotations

import re
from collections.abc import Sequence

from stanza_lab import schema
from stanza_lab.errors import ParameterError

_TOKEN = re.compile(
    r"""\s*(?:(?P<text>"(?:[^"\\]|\\.)*"|'(?:[^'\\]|\\.)*')|(?P<number>-?\d+(?:\.\d+)?)(?![\w.])"""
    r"""|(?P<name>[A-Za-z_][A-Za-z0-9_]*(?:\.[A-Za-z_][A-Za-z0-9_]*)*)|(?P<sign>&&|\|\||==|!=|<=|>=|[<>!()\[\],]))"""
)
_COMPARED = {"==": "=", "!=": "<>", "<": "<", "<=": "<=", ">": ">", ">=": ">="}
_METHODS = ("contains", "startsWith", "endsWith", "matches")
# Keep's names of our columns, and its severities as ours.
_COLUMNS = {"name": "alertname", "message": "summary", "providerType": "source", "fingerprint": "rule_key"}
_SEVERITIES = {"high": "error", "low": "info", **{word: word for word in schema.SEVERITIES}}
_DEEPEST = 50
_EXAMPLE = "severity == 'critical' && labels.queue.contains('orders')"


def to_sql(cel: str, columns: Sequence[str]) -> str:
    """Return the SQL condition that means `cel`, over an alerts table with these columns.

    Understood: ``== != < <= > >= && || ! in [..]``, ``.contains() .startsWith() .endsWith() .matches()``, ``has()``,
    brackets, texts, numbers, true and false, columns (Keep's names too) and ``labels.key``.
    """
    return _Reader(cel, columns).read()


class _Reader:
    def __init__(self, cel: str, columns: Sequence[str]) -> None:
        self.cel, self.columns, self.at, self.depth = cel, columns, 0, 0
        self.tokens: list[tuple[str, str]] = []
        place = 0
        while cel[place:].strip():
            found = _TOKEN.match(cel, place)
            if found is None:
                raise self.error(f"{cel[place : place + 20].strip()!r} is not understood")
            self.tokens.append((str(found.lastgroup), found[str(found.lastgroup)]))
            place = found.end()

    def error(self, what: str) -> ParameterError:
        return ParameterError(f"cel={self.cel!r}: {what}; write for example {_EXAMPLE!r}, or pass SQL as where=")

    def read(self) -> str:
        sql = self.either()
        if self.at < len(self.tokens):
            raise self.error(f"{self.tokens[self.at][1]!r} does not belong there")
        return sql

    def peek(self) -> str:
        return self.tokens[self.at][1] if self.at < len(self.tokens) else ""

    def take(self, kind: str | None = None) -> str:
        if self.at >= len(self.tokens):
            raise self.error("it ends too early")
        found, word = self.tokens[self.at]
        if kind is not None and found != kind:
            raise self.error(f"{word!r} stands where a {kind} belongs")
        self.at += 1
        return word

    def expect(self, sign: str) -> None:
        if self.take() != sign:
            raise self.error(f"{sign!r} is missing before {self.tokens[self.at - 1][1]!r}")

    def either(self) -> str:
        parts = [self.both()]
        while self.peek() == "||":
            self.take()
            parts.append(self.both())
        return parts[0] if len(parts) == 1 else f"({' OR '.join(parts)})"

    def both(self) -> str:
        parts = [self.one()]
        while self.peek() == "&&":
            self.take()
            parts.append(self.one())
        return parts[0] if len(parts) == 1 else f"({' AND '.join(parts)})"

    def one(self) -> str:
        self.depth += 1
        if self.depth > _DEEPEST:
            raise self.error(f"brackets lie more than {_DEEPEST} deep")
        try:
            if self.peek() == "!":
                self.take()
                return f"(NOT {self.one()})"
            if self.peek() == "(":
                self.take()
                inner = self.either()
                self.expect(")")
                return f"({inner})"
            return self.condition()
        finally:
            self.depth -= 1

    def condition(self) -> str:
        name = self.take("name")
        if name in ("true", "false"):
            return name.upper()
        if name == "has" and self.peek() == "(":
            self.take()
            column = self.column(self.take("name"))
            self.expect(")")
            return f"({column} IS NOT NULL)"
        stem, _, method = name.rpartition(".")
        if self.peek() == "(" and stem:
            return self.method(self.column(stem), method)
        column, sign = self.column(name), self.take()
        if sign == "in":
            self.expect("[")
            listed = [self.literal(column)]
            while self.peek() == ",":
                self.take()
                listed.append(self.literal(column))
            self.expect("]")
            if column.startswith("json") and not any(value.startswith("'") for value in listed):
                column = f"TRY_CAST({column} AS DOUBLE)"
            return f"({column} IN ({', '.join(listed)}))"
        if sign not in _COMPARED:
            raise self.error(f"{sign!r} after {name!r} is not understood")
        value = self.literal(column)
        if value == "NULL":
            if sign not in ("==", "!="):
                raise self.error("null compares with == and != only")
            return f"({column} IS {'NOT ' if sign == '!=' else ''}NULL)"
        if not value.startswith("'") and column.startswith("json"):
            column = f"TRY_CAST({column} AS DOUBLE)"
        return f"({column} {_COMPARED[sign]} {value})"

    def method(self, column: str, method: str) -> str:
        if method not in _METHODS:
            raise self.error(f"{method!r} is not understood; the methods are {', '.join(_METHODS)}")
        self.expect("(")
        value = _quoted(self.text())
        self.expect(")")
        function = {"startsWith": "starts_with", "endsWith": "ends_with", "matches": "regexp_matches"}
        return f"{function.get(method, method)}(CAST({column} AS VARCHAR), {value})"

    def column(self, name: str) -> str:
        """Return the SQL of a name: a column, Keep's name of one, or a key of the labels."""
        name = _COLUMNS.get(name, name)
        if name in self.columns and name not in ("labels", "incident_id"):
            return name
        key = name.removeprefix("labels.")
        if key != name and "labels" in self.columns:
            path = '$."' + key + '"'
            return f"json_extract_string(labels, {_quoted(path)})"
        raise self.error(f"{name!r} is no column of the alerts; keys of labels are written labels.{name}")

    def literal(self, column: str) -> str:
        kind, word = self.tokens[self.at] if self.at < len(self.tokens) else ("", "")
        if kind == "number":
            return self.take()
        if kind == "name" and word in ("true", "false", "null"):
            self.take()
            return word.upper() if word == "null" else _quoted(word)
        text = self.text()
        return _quoted(_SEVERITIES.get(text.lower(), text) if column == "severity" else text)

    def text(self) -> str:
        word = self.take("text")
        return re.sub(r"\\(.)", lambda found: {"n": "\n", "t": "\t"}.get(found[1], found[1]), word[1:-1])


def _quoted(text: str) -> str:
    return "'" + text.replace("'", "''") + "'"
