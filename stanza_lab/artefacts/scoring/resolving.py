"""Services, teams and resources of alerts of a stream, as the bundle names them, looked up once per kind of alert."""

from __future__ import annotations

import hashlib
import re
import warnings
from collections import OrderedDict
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

import pandas as pd

from stanza_lab import schema
from stanza_lab.entities.identity.resolver import EntityResolver
from stanza_lab.incidents.correlation.features import template

if TYPE_CHECKING:
    from stanza_lab.artefacts.bundle import Bundle

MOST = 50_000  # kinds of alerts that are remembered
_TEXTS = ("summary", "description")  # looked at where no service is stated
_NAMES = ("source", "rule_key", "alertname", "service", "environment", "team")
# Labels that tell one occurrence of an alert from the next, and no service: of Datadog, PagerDuty, Opsgenie, New Relic.
_COUNTED = re.compile(r'"(?:cycle_key|incident_number|tiny_id|issue_id)":"[0-9A-Za-z-]*",?')
_LONGEST = 1_000  # characters of a name
_FILLED = ("service", "environment", "team")


class Resolver:
    """Resolve alerts by the names and owners of a bundle; the same kind of alert is only looked at once."""

    def __init__(self, bundle: Bundle) -> None:
        self._resolver = _fitted(bundle)
        self._known: OrderedDict[bytes, dict[str, Any]] = OrderedDict()

    def resolve(self, alerts: Sequence[dict[str, Any]]) -> list[dict[str, Any]]:
        """Return alerts with service, environment, team and resources as the bundle names them."""
        alerts = [_bounded(alert) for alert in alerts]
        keys = [_key(alert) for alert in alerts]
        missing = {key: alert for key, alert in zip(keys, alerts, strict=True) if key not in self._known}
        if missing:
            self._look(missing)
        found = []
        for key, alert in zip(keys, alerts, strict=True):
            self._known.move_to_end(key)
            found.append(alert | self._known[key])
        while len(self._known) > MOST:
            self._known.popitem(last=False)
        return found

    def _look(self, missing: Mapping[bytes, dict[str, Any]]) -> None:
        table = schema.build([alert | {"incident_id": schema.NOISE} for alert in missing.values()], schema.ALERTS)
        resolved = self._resolver.transform(table)
        columns = {name: resolved[name].astype(object).tolist() for name in _FILLED}
        columns["resources"] = resolved["resources"].tolist()
        for row, key in enumerate(missing):
            told = {name: values[row] for name, values in columns.items()}
            self._known[key] = {name: None if _is_null(value) else value for name, value in told.items()}


def _is_null(value: Any) -> bool:
    return not isinstance(value, list) and bool(pd.isna(value))


def _bounded(alert: dict[str, Any]) -> dict[str, Any]:
    """Return an alert whose names are not endless, as what is told apart by them is remembered; they stay different."""
    long = {name: alert[name] for name in _NAMES if len(alert.get(name) or "") > _LONGEST}
    return alert | {name: f"{text[:_LONGEST]}…{_digest(text).hex()}" for name, text in long.items()} if long else alert


def _key(alert: Mapping[str, Any]) -> bytes:
    """Return all that what is found depends on, as a digest: names may be long.

    Of free text what changes each time, as numbers do, is left out.
    """
    stated = [*(alert.get(name) for name in _NAMES), *(alert.get("resources") or ())]
    stated.append(_COUNTED.sub("", alert.get("labels") or ""))
    if alert.get("service") is None:
        stated += [template(str(alert.get(name) or "")) for name in _TEXTS]
    return _digest(repr(stated))


def _digest(text: str) -> bytes:
    return hashlib.blake2b(text.encode("utf-8", "surrogatepass"), digest_size=16).digest()


def _fitted(bundle: Bundle) -> EntityResolver:
    """Return a resolver that knows the names of the bundle and joins no others."""
    named = bundle.names
    aliases: dict[str, list[str]] = {}
    if named is not None:
        for name, service in named[["name", "service"]].itertuples(index=False):
            aliases.setdefault(str(service), []).append(str(name))
    names = [*bundle.services["service"], *aliases, *(name for several in aliases.values() for name in several)]
    seen = pd.DataFrame({"source": "bundle", "service": pd.Series(names, dtype="str")})
    resolver = EntityResolver(
        catalog=bundle.production.ownership,
        overrides={"services": aliases} if aliases else None,
        min_confidence=1.0,
    )
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # of names the map lost since
        return resolver.fit(seen)
