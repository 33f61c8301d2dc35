"""Names of a stream as codes: those that were learned, and as many new ones as fit into memory."""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Iterable, Mapping
from typing import TYPE_CHECKING, Any

from stanza_lab.incidents.correlation.features import UNKNOWN, template

if TYPE_CHECKING:
    from stanza_lab.incidents.correlation.features import Vocabulary

MOST = 100_000  # new names of one kind that are remembered; the one not seen for longest is forgotten first
_CODED = ("service", "team", "environment", "source", "rule")


class Names:
    """Codes of names: `learned` ones keep theirs, new ones get the next."""

    def __init__(self, learned: Iterable[str] = ()) -> None:
        self._learned = {name: code for code, name in enumerate(learned)}
        self._new: OrderedDict[str, int] = OrderedDict()
        self._next = len(self._learned)

    def __getitem__(self, name: str) -> int:
        code = self._learned.get(name)
        if code is not None:
            return code
        code = self._new.get(name)
        if code is not None:
            self._new.move_to_end(name)
            return code
        code = self._new[name] = self._next
        self._next += 1
        if len(self._new) > MOST:
            self._new.popitem(last=False)
        return code

    def state(self) -> dict[str, Any]:
        """Return the new names and their codes as what JSON knows."""
        return {"new": list(self._new.items()), "next": self._next}

    def resume(self, state: Mapping[str, Any]) -> None:
        """Go on from what `state` returned."""
        self._new = OrderedDict((str(name), int(code)) for name, code in state["new"])
        self._next = int(state["next"])


class Codes:
    """The codes of an alert, as `correlation.features` reads them of a table."""

    def __init__(self, vocabulary: Vocabulary, telling: Iterable[int]) -> None:
        self.names = {name: Names(vocabulary.names.get(name, ())) for name in _CODED}
        self.names |= {name: Names() for name in ("kind", "resources", "traces")}
        self._telling = frozenset(int(source) for source in telling)
        self._unnamed = 0

    def of(self, alert: Mapping[str, Any]) -> dict[str, int]:
        """Return service, team, place, rule and kind of an alert."""
        names = self.names
        service, team = text(alert, "service"), text(alert, "team")
        environment, source = text(alert, "environment"), text(alert, "source")
        called = text(alert, "alertname")
        kind = called if "alertname" in alert else text(alert, "summary")
        place = UNKNOWN
        if environment is not None and source is not None and names["source"][source] in self._telling:
            place = names["environment"][environment]
        return {
            "service": UNKNOWN if service is None else names["service"][service],
            "team": UNKNOWN if team is None else names["team"][team],
            "place": place,
            "rule": names["rule"][self._rule(alert, called, service)],
            "kind": UNKNOWN if kind is None else names["kind"][template(kind)],
        }

    def listed(self, alert: Mapping[str, Any], column: str, name: str, most: int) -> list[int]:
        """Return the codes of up to so many entries of a list."""
        values = alert.get(column)
        return [] if values is None else [self.names[name][str(value)] for value in list(values)[:most]]

    def _rule(self, alert: Mapping[str, Any], called: str | None, service: str | None) -> str:
        """Return the rule, as `features` names it; an unknown one is one by itself."""
        key = text(alert, "rule_key")
        if key is not None:
            return key
        if called is not None:
            return f"{called}\n{service or ''}" if "service" in alert else called
        self._unnamed += 1
        return f"\0{self._unnamed}"

    def state(self) -> dict[str, Any]:
        """Return what was met as what JSON knows."""
        return {"unnamed": self._unnamed, "names": {name: known.state() for name, known in self.names.items()}}

    def resume(self, state: Mapping[str, Any]) -> None:
        """Go on from what `state` returned."""
        self._unnamed = int(state["unnamed"])
        for name, known in self.names.items():
            known.resume(state["names"][name])


def text(alert: Mapping[str, Any], column: str) -> str | None:
    """Return a column as text; None where it is null."""
    value = alert.get(column)
    if value is None or value != value:  # NaN is not itself
        return None
    return value if isinstance(value, str) else str(value)
