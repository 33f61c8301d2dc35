"""What catalogues say of a service: entries of Backstage, Datadog and PagerDuty -> claims. Secrets are never looked at.

Every function takes any value that YAML or JSON can hold: what does not have the shape it knows says nothing.
"""

from __future__ import annotations

import re
from collections import deque
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import urlsplit

from stanza_lab.entities import naming

# Which catalogue is believed where two differ: first what people wrote for this, last what only owns code.
CSV, BACKSTAGE, DATADOG, PAGERDUTY, CODEOWNERS = range(5)
# Components that nothing alerts about.
_NOT_RUN = ("library", "documentation", "template")
_DATADOG_KINDS = ("service", "frontend")
_PAGES = ("data", "services", "escalation_policies", "teams", "items", "entities", "service", "escalation_policy")
_MAX_WRAPPERS = 8
_SCP = re.compile(r"(?:ssh://)?[\w.-]+@[\w.-]+(?::\d+/|[:/])(?P<path>[^:]+)")
_TIER_TAG = re.compile(r"(?:(?:service[-_]?)?tier|criticality)[:=](?P<stated>.+)|(?P<word>tier[-_ ]?\w{1,10})", re.I)
_PEOPLE = ("user", "user_reference")


@dataclass(frozen=True, slots=True)
class Claim:
    """What one entry of one file says of one service; null where it says nothing."""

    rank: int
    file: str
    service: str | None
    team: str | None = None
    repository: str | None = None
    on_call: str | None = None
    tier: str | None = None
    pager: str | None = None  # id of its PagerDuty service: joins catalogues, and is what to show at the worst
    system: str | None = None  # Backstage: whose owner it has unless it names one


@dataclass
class Entries:
    """The entries of one file that were understood, by what they are."""

    file: str
    claims: list[Claim] = field(default_factory=list)
    policies: dict[str, tuple[str | None, str | None]] = field(default_factory=dict)  # PagerDuty id -> (name, team)
    teams: dict[str, str] = field(default_factory=dict)  # PagerDuty id -> name
    systems: dict[str, str] = field(default_factory=dict)  # Backstage system -> owner
    known: int = 0  # entries of a known kind, also those that name no service

    def add(self, entry: Any) -> None:
        """Take in an entry, or a page or list of entries."""
        waiting = deque([(entry, 0)])
        while waiting:
            value, depth = waiting.popleft()
            if isinstance(value, list) and depth < _MAX_WRAPPERS:
                waiting += [(each, depth + 1) for each in value]
            elif isinstance(value, dict) and not self._understood(value) and depth < _MAX_WRAPPERS:
                waiting += [(value[page], depth + 1) for page in _PAGES if isinstance(value.get(page), (list, dict))]
                self.known += any(value.get(page) == [] for page in _PAGES)

    def _understood(self, entry: Mapping[str, Any]) -> bool:
        for understands in (self._backstage, self._datadog, self._pagerduty):
            if understands(entry):
                self.known += 1
                return True
        return False

    def _backstage(self, entry: Mapping[str, Any]) -> bool:
        if not (_text(entry.get("apiVersion")) or "").startswith(("backstage.io/", "scaffolder.backstage.io/")):
            return False
        metadata, spec = _mapping(entry.get("metadata")), _mapping(entry.get("spec"))
        notes, labels, kind = _mapping(metadata.get("annotations")), _mapping(metadata.get("labels")), entry.get("kind")
        name, owner = _text(metadata.get("name")), _team_of_reference(spec.get("owner"))
        if kind == "System" and name and owner:
            self.systems[naming.key(name)] = owner
        if kind == "Component" and name and spec.get("type") not in _NOT_RUN:
            slugs = [_text(notes.get(f"{host}/project-slug")) for host in ("github.com", "gitlab.com", "bitbucket.org")]
            source = repository(notes.get("backstage.io/source-location"))
            tiers = [value for at in (labels, notes, spec) for key, value in at.items() if _is_tier(key)]
            self.claims.append(
                Claim(
                    BACKSTAGE,
                    self.file,
                    name,
                    team=owner,
                    repository=next(filter(None, slugs), source),
                    on_call=_text(notes.get("opsgenie.com/team")),
                    tier=next(filter(None, map(_text, tiers)), None) or _tier_of_tags(metadata.get("tags")),
                    pager=_text(notes.get("pagerduty.com/service-id")),
                    system=_last(_text(spec.get("system"))),
                )
            )
        return True

    def _datadog(self, entry: Mapping[str, Any]) -> bool:
        attributes = _mapping(entry.get("attributes"))
        if isinstance(attributes.get("schema"), dict):  # a page of the API
            return self._datadog(attributes["schema"])
        if entry.get("type") == "entity" and "kind" in attributes:  # of the newer one, which has no schema around it
            entry = {"apiVersion": "v3", "kind": attributes["kind"], "metadata": attributes, "spec": attributes}
        version = _text(entry.get("schema-version")) or ""
        if "dd-service" in entry or (version.startswith("v") and ("info" in entry or "team" in entry)):
            info, org = _mapping(entry.get("info")), _mapping(entry.get("org"))
            name = _text(entry.get("dd-service")) or _text(info.get("dd-service"))
            team = entry.get("team") or entry.get("dd-team") or org.get("team")
            links = [
                *_listing(entry.get("repos")),
                *_links(entry.get("links")),
                *_links(entry.get("external-resources")),
            ]
            tier, tags = entry.get("tier") or info.get("service-tier"), entry.get("tags")
        elif _text(entry.get("apiVersion")) in ("v3", "v3.0") and "kind" in entry:
            metadata, spec = _mapping(entry.get("metadata")), _mapping(entry.get("spec"))
            name = _text(metadata.get("name")) if entry["kind"] in _DATADOG_KINDS else None
            others = _listing(metadata.get("additionalOwners"))
            team = metadata.get("owner") or next((o.get("name") for o in others if o.get("type") == "team"), None)
            links, tier, tags = _links(metadata.get("links")), spec.get("tier"), metadata.get("tags")
        else:
            return False
        pages = _mapping(entry.get("integrations"))
        opsgenie = _service_url(pages.get("opsgenie"))
        claim = Claim(
            DATADOG,
            self.file,
            name,
            team=naming.clean_team(_text(team)),
            repository=next(filter(None, (repository(link.get("url")) for link in links)), None),
            on_call=f"opsgenie:{_last(opsgenie)}" if opsgenie else None,
            tier=_text(tier) or _tier_of_tags(tags),
            pager=_last(_service_url(pages.get("pagerduty"))),
        )
        self.claims += [claim] if claim.service else []
        return True

    def _pagerduty(self, entry: Mapping[str, Any]) -> bool:
        kind, key, name = entry.get("type"), _text(entry.get("id")), _text(entry.get("name") or entry.get("summary"))
        teams = [t for t in _listing(entry.get("teams")) if t.get("type") not in _PEOPLE]
        team = next(filter(None, (_text(t.get("name") or t.get("summary")) or _reference(t) for t in teams)), None)
        if kind in ("service", "service_reference") and name and key:
            policy = _mapping(entry.get("escalation_policy"))
            on_call = _text(policy.get("name") or policy.get("summary")) or _reference(policy)
            claim = Claim(PAGERDUTY, self.file, name, team=team, on_call=on_call, pager=key)
            self.claims.append(claim)
        elif kind in ("escalation_policy", "escalation_policy_reference") and key:
            rules = _listing(entry.get("escalation_rules"))
            targets = [target for rule in rules for target in _listing(rule.get("targets"))]
            schedules = [t.get("name") or t.get("summary") for t in targets if t.get("type") not in _PEOPLE]
            on_call = name or next(filter(None, map(_text, schedules)), None)
            self.policies[key] = (on_call, team)
            for service in _listing(entry.get("services")):
                named, pager = _text(service.get("name") or service.get("summary")), _text(service.get("id"))
                if named and pager:
                    self.claims.append(Claim(PAGERDUTY, self.file, named, team=team, on_call=on_call, pager=pager))
        elif kind in ("team", "team_reference") and key:
            if name:
                self.teams[key] = name
        else:
            return False
        return True


def repository(value: Any) -> str | None:
    """Return the path of a repository, ``owner/name``, from a link to it or into it; never the login in the link."""
    text = (_text(value) or "").removeprefix("url:")
    if scp := _SCP.fullmatch(text):
        path = scp["path"]
    elif "://" in text:
        try:
            path = urlsplit(text).path
        except ValueError:
            return None
    else:
        return None
    for inside in ("/-/", "/tree/", "/blob/", "/src/"):
        path = path.partition(inside)[0]
    return path.strip("/").removesuffix(".git") or None


def _team_of_reference(value: Any) -> str | None:
    """Return the team that ``[kind:][namespace/]name`` refers to, None when that is a person."""
    if isinstance(value, dict):  # as the API of older versions writes it
        value = f"{value.get('kind', 'group')}:{value.get('name')}"
    text = _text(value)
    if text is None:
        return None
    kind, colon, rest = text.rpartition(":")
    return None if colon and kind.lower() != "group" else naming.clean_team(_last(rest))


def _reference(value: Mapping[str, Any]) -> str | None:
    """Return how an object that is only referred to is noted until its name is known: ``#`` and its id."""
    key = _text(value.get("id"))
    return f"#{key}" if key else None


def _is_tier(key: Any) -> bool:
    return isinstance(key, str) and key.lower().rpartition("/")[2] in ("tier", "service-tier", "criticality")


def _tier_of_tags(tags: Any) -> str | None:
    for tag in tags if isinstance(tags, list) else []:
        if isinstance(tag, str) and (found := _TIER_TAG.fullmatch(tag.strip())):
            return _text(found["stated"] or found["word"])
    return None


def _service_url(value: Any) -> str | None:
    """Return the link of an integration; the versions of the schema spell it in three ways."""
    if isinstance(value, dict):
        value = value.get("service-url") or value.get("serviceURL")
    return _text(value)


def _links(value: Any) -> list[dict[str, Any]]:
    return [link for link in _listing(value) if link.get("type") in ("repo", "code")]


def _last(path: str | None) -> str | None:
    return path.partition("?")[0].rstrip("/").rpartition("/")[2] or None if path else None


def _mapping(value: Any) -> dict[str, Any]:
    return value if isinstance(value, dict) else {}


def _listing(value: Any) -> list[dict[str, Any]]:
    return [each for each in value if isinstance(each, dict)] if isinstance(value, list) else []


def _text(value: Any) -> str | None:
    """Return text, or a number that YAML made of it; None where it names nothing."""
    return naming.clean(str(value) if isinstance(value, (int, float)) and not isinstance(value, bool) else value)
