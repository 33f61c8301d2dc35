"""YAML that people write by hand: read with the line of everything, and with all that is wrong said at once."""

from __future__ import annotations

import datetime as dt
import difflib
import fnmatch
from collections.abc import Collection, Iterable
from os import PathLike
from pathlib import Path

import yaml

from stanza_lab.errors import SchemaError

_LARGEST = 1_000_000  # bytes of a file that a person wrote
_DEEPEST = 30  # lists and keys in each other


def compose(path: str | PathLike[str]) -> tuple[yaml.MappingNode, Problems]:
    """Return the keys and values of a file as nodes, which know their lines; nothing in it is ever executed.

    Raises
    ------
    SchemaError
        The file cannot be read, is no YAML of keys and values, is too large, or repeats itself with aliases.
    """
    try:
        with Path(path).open("rb") as file:
            written = file.read(_LARGEST + 1)
        if len(written) > _LARGEST:
            raise SchemaError(f"{path}: a file of at most {_LARGEST:,} bytes is read, split it")
        text = written.decode("utf-8-sig")
        _refuse(text, path)
        root = yaml.compose(text, Loader=yaml.SafeLoader)
    except yaml.MarkedYAMLError as error:
        line = f", line {error.problem_mark.line + 1}" if error.problem_mark else ""
        raise SchemaError(f"{path}{line}: cannot be read as YAML: {error.problem}; mind quotes and indents") from error
    except SchemaError:
        raise
    except FileNotFoundError as error:
        raise SchemaError(f"{path}: there is no such file") from error
    except OSError as error:
        raise SchemaError(f"{path}: cannot be read: {error.strerror or error}") from error
    except (ValueError, yaml.YAMLError, RecursionError) as error:
        raise SchemaError(f"{path}: cannot be read as YAML: {error}") from error
    if not isinstance(root, yaml.MappingNode):
        raise SchemaError(f"{path}, line 1: holds no keys and values; write for example 'team: checkout'")
    return root, Problems(path)


def _refuse(text: str, path: str | PathLike[str]) -> None:
    """Refuse what no person writes and what makes a small file endless: aliases and deep nesting."""
    depth = 0
    for event in yaml.parse(text, Loader=yaml.SafeLoader):
        starts = isinstance(event, yaml.CollectionStartEvent)
        depth += 1 if starts else -1 if isinstance(event, yaml.CollectionEndEvent) else 0
        at = f", line {event.start_mark.line + 1}" if event.start_mark else ""
        if isinstance(event, yaml.AliasEvent):
            raise SchemaError(f"{path}{at}: *{event.anchor} is an alias; write it out")
        if depth > _DEEPEST:
            raise SchemaError(f"{path}{at}: more than {_DEEPEST} lists or keys in each other; write it flatter")


class Problems:
    """Read nodes of one file and collect what is wrong with them, each with its line."""

    def __init__(self, path: str | PathLike[str]) -> None:
        self.path = path
        self.found: list[tuple[int, str]] = []

    def say(self, node: yaml.Node, problem: str) -> None:
        """Keep a problem of a node."""
        self.found.append((line(node), problem))

    @property
    def lines(self) -> list[str]:
        """What is wrong, in the order of the file."""
        return [f"{self.path}, line {at}: {problem}" for at, problem in sorted(set(self.found))]

    def keys(
        self, node: yaml.Node, known: Collection[str], *, need: Collection[str] = (), what: str = "this"
    ) -> dict[str, yaml.Node]:
        """Return key -> value of a mapping; keys that are unknown, missing or there twice are problems."""
        if not isinstance(node, yaml.MappingNode):
            self.say(node, f"{what} is {_shown(node)}, where keys and values belong: {', '.join(known)}")
            return {}
        found: dict[str, yaml.Node] = {}
        for key, value in node.value:
            name = str(key.value)
            if name not in known:
                close = difflib.get_close_matches(name, list(known), n=1)
                hint = f"did you mean {close[0]!r}?" if close else f"the keys are {', '.join(known)}"
                self.say(key, f"{name[:60]!r} is not known in {what}; {hint}")
            elif name in found:
                self.say(key, f"{name!r} stands there twice in {what}; keep one")
            elif not _null(value):
                found[name] = value
        for name in need:
            if name not in found:
                self.say(node, f"{what} has no {name}; add '{name}: ...'")
        return found

    def items(self, node: yaml.Node | None, what: str) -> list[yaml.Node]:
        """Return the items of a list."""
        if node is None:
            return []
        if not isinstance(node, yaml.SequenceNode):
            self.say(node, f"{what} is {_shown(node)}, where a list belongs: '- ...'")
            return []
        return list(node.value)

    def text(self, node: yaml.Node | None, what: str) -> str:
        """Return a text as it is written: 12e4 is a text too."""
        if node is None:
            return ""
        if not isinstance(node, yaml.ScalarNode):
            self.say(node, f"{what} is {_shown(node)}, where a text belongs")
            return ""
        return str(node.value).strip()

    def texts(self, node: yaml.Node | None, what: str) -> tuple[str, ...]:
        """Return one text or a list of them, without empty ones and repetitions."""
        if node is None or isinstance(node, yaml.ScalarNode):
            found = [self.text(node, what)]
        else:
            found = [self.text(item, what) for item in self.items(node, what)]
        return tuple(dict.fromkeys(filter(None, found)))

    def choice(self, node: yaml.Node | None, what: str, allowed: Iterable[str]) -> str:
        """Return one of the `allowed` words; empty when there is none."""
        value, words = self.text(node, what), list(allowed)
        if node is None or value in words:
            return value
        if isinstance(node, yaml.ScalarNode):
            self.say(node, f"{what} {value[:60]!r} is not known; write one of {', '.join(words)}")
        return ""

    def number(self, node: yaml.Node | None, what: str, *, low: float, high: float) -> float | None:
        """Return a number from `low` to `high`; None when there is none."""
        if node is None:
            return None
        said = self.text(node, what)
        try:
            value = float(said.removesuffix("%"))
        except ValueError:
            value = float("nan")
        if not low <= value <= high:
            self.say(node, f"{what} is {said[:60]!r}, where a number from {low:g} to {high:g} belongs")
            return None
        return value

    def day(self, node: yaml.Node | None, what: str) -> dt.date | None:
        """Return a day; None when there is none."""
        said = self.text(node, what)
        if node is None or not said:
            return None
        try:
            return dt.date.fromisoformat(said[:10])
        except ValueError:
            self.say(node, f"{what} is {said[:60]!r}, where a day such as 2026-09-20 belongs")
            return None


def globbed(name: str, patterns: Collection[str]) -> bool:
    """Tell whether a name is like one of some patterns, `*` and `?` standing for anything; capitals do not matter."""
    return any(fnmatch.fnmatchcase(name.lower(), pattern.lower()) for pattern in patterns)


def line(node: yaml.Node) -> int:
    """Return the line a node starts on, from 1."""
    return int(node.start_mark.line) + 1


def _null(node: yaml.Node) -> bool:
    return isinstance(node, yaml.ScalarNode) and str(node.tag) == "tag:yaml.org,2002:null"


def _shown(node: yaml.Node) -> str:
    if isinstance(node, yaml.ScalarNode):
        return repr(str(node.value)[:60])
    return "a list" if isinstance(node, yaml.SequenceNode) else "keys and values"
