"""Whom a caller names as its peer: a traced service in another spelling, a database, a queue, or something outside."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence
from typing import NamedTuple

from stanza_lab.entities import naming
from stanza_lab.entities.extraction import hosts

_SCHEME = re.compile(r"(?:[A-Za-z][\w+.-]*:)+//(?:[^/@]*@)?")
_WORD = re.compile(r"[a-z0-9]+")
# Last labels of names that only resolve inside: there, the first label is the service.
_INSIDE = frozenset(("internal", "local", "localdomain", "consul", "lan", "intranet", "corp", "mesh", "svc"))


def _listed(names: str) -> frozenset[str]:
    return frozenset(names.split())


_STORES = _listed(
    """db database postgres postgresql pgbouncer mysql mariadb mongo mongodb redis valkey memcached cassandra scylla
    dynamodb elasticsearch opensearch clickhouse oracle mssql sqlserver sqlite rds aurora elasticache neo4j couchbase
    influxdb bigquery spanner snowflake cockroachdb"""
)
_QUEUES = _listed(
    """kafka rabbitmq amqp sqs sns nats pubsub kinesis activemq pulsar eventhub eventbridge servicebus queue topic
    mqtt"""
)
_STATEMENT = re.compile(
    r"(?:SELECT|INSERT|UPDATE|DELETE|UPSERT|MERGE|BEGIN|COMMIT|ROLLBACK|HGETALL|HGET|HSET|HMGET|MGET|SETEX|ZADD"
    r"|ZRANGE|LPUSH|RPUSH|LPOP|RPOP|SMEMBERS|EXPIRE|EVALSHA)\b"
)


class Peer(NamedTuple):
    """Whom a peer's name means, whether that is another spelling, and what the caller said (without a login)."""

    name: str
    respelled: bool
    said: str


def resolve_peers(peers: Sequence[str], services: Sequence[str], *, answered_by: Mapping[str, str]) -> list[Peer]:
    """Return whom each peer means: a traced service where exactly one obviously fits, else the bare host or name.

    Obvious are, in this order: the same name; the only service that ever answered under it (`answered_by`); one that
    differs in case or separators; the host without scheme, login, path and port; the first label of a name of cluster
    or internal DNS; the class of an RPC package (shop.CartService) that spells a service. A public host
    (api.example.com) is never a service by its name.
    """
    known = set(services)
    by_key = _unique((naming.key(service), service) for service in services)
    by_letters = _unique((_letters(service), service) for service in services)
    found = []
    for peer in peers:
        name = peer if peer in known else answered_by.get(peer) or _meant(peer, by_key, by_letters)
        found.append(Peer(name, name != peer, _without_login(peer)))
    return found


def spell_as(names: Iterable[str], known: Iterable[str]) -> dict[str, str]:
    """Return the spelling in `known` of each name: the same, or the only one that differs in case or separators."""
    listed = list(known)
    there, by_key = set(listed), _unique((naming.key(name), name) for name in listed)
    return {name: name if name in there else by_key.get(naming.key(name), name) for name in names}


def kind_of_peer(peer: str, operation: str | None) -> str | None:
    """Return ``database`` or ``messaging`` where the names of peer or operation say so, else None."""
    if operation and is_statement(operation):
        return "database"
    first = (operation or "").replace(".", " ").split(" ")[0].lower()
    words = {*_WORD.findall(peer.lower()), first}
    if words & _STORES or any(word.endswith("db") for word in words):
        return "database"
    return "messaging" if words & _QUEUES else None


def is_statement(operation: str) -> bool:
    """Return whether an operation is a statement to a data store: SELECT orders, HGETALL."""
    return _STATEMENT.match(operation) is not None


def _meant(peer: str, by_key: Mapping[str, str], by_letters: Mapping[str, str]) -> str:
    host = _host(peer)
    for name in (peer, host, *_labels(host)):
        if found := by_key.get(naming.key(name)):
            return found
    spelled = by_letters.get(_letters(host.rpartition(".")[2])) if host != host.lower() else None
    return spelled or hosts.service_of(host) or host


def _host(peer: str) -> str:
    """Return what stands for the host: logins in connection strings must not become names."""
    bare = _without_login(peer)
    return hosts.without_port(bare.strip()).rstrip(".") or peer


def _without_login(peer: str) -> str:
    """Return a name as it was given; of a link or connection string only host and port."""
    bare = _SCHEME.sub("", peer, count=1)
    return bare if bare == peer else re.split(r"[/?#,]", bare, maxsplit=1)[0]


def _labels(host: str) -> list[str]:
    """Return what may be the service in a name of cluster or internal DNS."""
    if service := hosts.service_of(host):
        return [service]
    labels = host.split(".")
    return [labels[0]] if len(labels) > 1 and labels[-1].lower() in _INSIDE else []


def _letters(name: str) -> str:
    return "".join(_WORD.findall(name.lower()))


def _unique(pairs: Iterable[tuple[str, str]]) -> dict[str, str]:
    """Return by key what only one name has."""
    found: dict[str, set[str]] = {}
    for key, name in pairs:
        found.setdefault(key, set()).add(name)
    return {key: next(iter(names)) for key, names in found.items() if len(names) == 1}
