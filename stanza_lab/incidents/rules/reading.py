"""Rules as people write them: in YAML, in an `alertmanager.yml`, in one word on the command line."""

from __future__ import annotations

import difflib
import math
import warnings
from collections.abc import Collection, Mapping
from os import PathLike
from pathlib import Path
from typing import TYPE_CHECKING, Any

import yaml

from stanza_lab.errors import ParameterError, SchemaError, StanzaWarning
from stanza_lab.incidents.rules.alertmanager_route import AlertmanagerRoute, not_kept, prometheus_time, read_route
from stanza_lab.incidents.rules.attribute import AttributeRule
from stanza_lab.incidents.rules.gap import GapRule
from stanza_lab.incidents.rules.group_by import GroupByRule
from stanza_lab.incidents.rules.similarity import SimilarityRule

if TYPE_CHECKING:
    import pandas as pd

_LARGEST = 5_000_000  # bytes of a file of rules
_MOST_NODES = 100_000  # of a file of rules, its aliases put in
_EXAMPLE = "rules: {quiet: {kind: gap, gap: 5min, by: [service]}}"


class RulesWarning(StanzaWarning):
    """Tell what of a file of rules the replay leaves out."""


class _Loader(yaml.SafeLoader):
    """A safe loader that refuses a key given twice (one would be lost without a word) and aliases that explode."""

    def get_single_node(self) -> yaml.Node | None:
        node: yaml.Node | None = super().get_single_node()
        if node is not None and _size(node, {}) > _MOST_NODES:
            problem = f"with its aliases put in it has more than {_MOST_NODES:,} parts, or a part stands in itself"
            raise yaml.constructor.ConstructorError(None, None, problem, node.start_mark)
        return node

    def construct_mapping(self, node: yaml.MappingNode, deep: bool = False) -> dict[Any, Any]:  # noqa: FBT001, FBT002
        keys = [key.value for key, _ in node.value]
        twice = next((key for at, key in enumerate(keys) if key in keys[:at]), None)
        if twice is not None:
            raise yaml.constructor.ConstructorError(None, None, f"{twice!r} stands there twice", node.start_mark)
        return super().construct_mapping(node, deep=deep)


def _size(node: yaml.Node, known: dict[int, float]) -> float:
    """Return how many parts a node has when aliases are put in; infinitely many when it stands in itself."""
    if id(node) not in known:
        known[id(node)] = math.inf
        parts: list[yaml.Node] = node.value if isinstance(node, yaml.SequenceNode) else []
        if isinstance(node, yaml.MappingNode):
            parts = [part for pair in node.value for part in pair]
        known[id(node)] = 1 + sum(_size(part, known) for part in parts)
    return known[id(node)]


def read_rules(path: str | PathLike[str]) -> dict[str, Any]:
    """Read grouping rules from a file.

    Parameters
    ----------
    path : path
        YAML: under ``rules``, a name and what the rule is, ``kind`` (gap, group_by, attribute, similarity, model) and
        the parameters of that class. Or an `alertmanager.yml`: its tree of routes becomes one rule.

    Returns
    -------
    dict of str to grouper
        The rules by name, in the order of the file, for `backtest_grouping`.

    Raises
    ------
    SchemaError
        The file cannot be read or has a key that is not known.
    ParameterError
        A parameter is outside its range.

    Warns
    -----
    RulesWarning
        The Alertmanager has inhibition rules or mute times, which are not replayed.

    Examples
    --------
    >>> import tempfile
    >>> from pathlib import Path
    >>> import stanza_lab as sl
    >>> path = Path(tempfile.mkdtemp()) / "rules.yaml"
    >>> _ = path.write_text("rules: {quiet: {kind: gap, gap: 10min}, alike: {kind: similarity, similarity: 0.9}}")
    >>> sl.read_rules(path)
    {'quiet': GapRule(gap='10min'), 'alike': SimilarityRule(similarity=0.9)}
    """
    where = str(path)
    try:
        text = Path(path).read_bytes()
        if len(text) > _LARGEST:
            raise SchemaError(f"{where}: {len(text):,} bytes are no file of rules; at most {_LARGEST:,} are read")
        content = yaml.load(text.decode("utf-8-sig"), Loader=_Loader)  # noqa: S506 (a safe loader)
    except yaml.MarkedYAMLError as error:
        line = f", line {error.problem_mark.line + 1}" if error.problem_mark else ""
        raise SchemaError(f"{where}{line}: cannot be read as YAML: {error.problem}") from error
    except SchemaError:
        raise
    except (OSError, ValueError, yaml.YAMLError, RecursionError) as error:  # ValueError: a date such as 2026-13-45
        raise SchemaError(f"{where}: cannot be read as YAML: {error}") from error
    if not isinstance(content, Mapping):
        raise SchemaError(f"{where}: holds {type(content).__name__}, not keys and values; write for example {_EXAMPLE}")
    if "route" in content:
        return {Path(path).name: _alertmanager(content, where)}
    for key in content:
        if key != "rules":
            raise SchemaError(f"{where}: {_unknown(str(key), ['rules', 'route'])}")
    rules = content.get("rules")
    if not isinstance(rules, Mapping) or not rules:
        raise SchemaError(f"{where}: rules are names with what each is; write for example {_EXAMPLE}")
    return {str(name): _rule(given, f"{where}: {name}") for name, given in rules.items()}


def parse_rule(text: str) -> Any:
    """Return the rule that a text such as "gap:5min" or "group_by:alertname,service" means.

    After the colon stands what matters most: the gap, the labels, the attributes, the similarity.
    """
    kind, _, rest = text.partition(":")
    names = [name.strip() for name in rest.split(",") if name.strip()]
    rest = rest.strip()
    if kind == "gap":
        return GapRule(gap=rest) if rest else GapRule()
    if kind == "group_by":
        return GroupByRule(by=names) if ":" in text else GroupByRule()
    if kind == "attribute":
        return AttributeRule(by=names)
    if kind == "similarity":
        return SimilarityRule(similarity=_number(rest, text)) if rest else SimilarityRule()
    if kind == "model" and not rest:
        return _class_of("model")()
    raise ParameterError(
        f"rule {text!r} is not understood; write gap:5min, group_by:alertname,service, attribute:service, "
        "similarity:0.8 or model"
    )


def default_rules(alerts: pd.DataFrame) -> dict[str, Any]:
    """Return one rule of each kind, as far as `alerts` has what it compares."""
    rules: dict[str, Any] = {
        "gap 5min": GapRule(),
        "alertmanager": GroupByRule(),
        "attribute service": AttributeRule(by=["service"]),
        "similarity": SimilarityRule(equal=["service"]),  # New Relic's own: similar titles of the same entity
        "model": _class_of("model")(),
    }
    if "service" not in alerts.columns:
        del rules["attribute service"]
    if not {"service", "summary"} <= set(alerts.columns):
        del rules["similarity"]
    return rules


def _class_of(kind: str) -> Any:
    if kind == "model":
        from stanza_lab.incidents.clusterer import IncidentClusterer

        return IncidentClusterer
    return {"gap": GapRule, "group_by": GroupByRule, "attribute": AttributeRule, "similarity": SimilarityRule}.get(kind)


def _rule(given: Any, where: str) -> Any:
    if isinstance(given, str):
        return parse_rule(given)
    if not isinstance(given, Mapping) or "kind" not in given:
        raise SchemaError(f"{where}: no kind is given; write for example {_EXAMPLE}")
    kinds = ("gap", "group_by", "attribute", "similarity", "model")
    if given["kind"] not in kinds:
        raise SchemaError(f"{where}: kind {_unknown(str(given['kind']), kinds)}")
    cls = _class_of(given["kind"])
    known = cls().get_params(deep=False)
    parameters = {str(key): value for key, value in given.items() if key != "kind"}
    for key, value in parameters.items():
        if key not in known:
            raise SchemaError(f"{where}: {_unknown(key, ['kind', *known])}")
        if isinstance(known[key], (tuple, list)) and not (
            isinstance(value, list) and all(isinstance(name, str) for name in value)
        ):
            raise SchemaError(f"{where}: {key}={value!r} is no list of names; write [alertname, service]")
    return cls(**parameters)


def _alertmanager(content: Mapping[Any, Any], where: str) -> AlertmanagerRoute:
    route = content["route"]
    try:
        read_route(route)
    except ParameterError as error:
        raise SchemaError(f"{where}: {error}") from error
    left = [key for key in ("inhibit_rules",) if content.get(key)] + not_kept(route)
    if left:
        warnings.warn(f"{where}: {', '.join(left)} are not replayed", RulesWarning, stacklevel=3)
    everywhere = content.get("global") or {}
    if not isinstance(everywhere, Mapping):
        raise SchemaError(f"{where}: global holds {type(everywhere).__name__}, not keys and values")
    timeout = everywhere.get("resolve_timeout")
    return AlertmanagerRoute(route=route, resolve_timeout=prometheus_time(timeout or "5m", f"{where}: resolve_timeout"))


def _unknown(key: str, known: Collection[str]) -> str:
    close = difflib.get_close_matches(key, known, n=1, cutoff=0.5)
    return f"{key!r} is not known; " + (f"did you mean {close[0]!r}?" if close else f"there are {', '.join(known)}")


def _number(text: str, rule: str) -> float:
    try:
        return float(text)
    except ValueError:
        raise ParameterError(f"rule {rule!r}: {text!r} is no number; write similarity:0.8") from None
