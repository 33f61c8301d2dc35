"""Callees: the names that error texts give to what was called and did not answer.

Each form of words says how far it vouches for the name beside it. In the place of a host ("lookup X", "host='X'")
whatever stands there is one. After a verb of calling a plain word may be the name of a service or just a noun, so nouns
are listed and refused. Where even that is too little ("503 from X"), the name must look like one: orders-db, db:5432.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import NamedTuple

from stanza_lab.entities import naming
from stanza_lab.entities.extraction import hosts
from stanza_lab.entities.extraction._callee_forms import (
    CALL_FORMS,
    FILL,
    GAP,
    HOST_FORMS,
    JOINED_FORMS,
    SHAPED_FORMS,
    Form,
)

_NAME = r"/?(?P<name>(?:[a-z][a-z0-9+.:]{1,25}://)?[a-z0-9_\[][\w.:\]-]*(?:/[\w.:<-][\w.:>-]*)*)"


def _words(listed: str) -> frozenset[str]:
    return frozenset(listed.split())


# Words that stand where a name could, and are none.
_NOUNS = _words(
    """a about above access account accounts action address admin administrator after again against agent agreement
    alarm alert alerts alive all already an and anonymous any anyone api app application apps are artifact as async
    at attempt attempts authenticating authentication authenticator authorization authorizer back backend backends
    bad bar baz be because been before below between bigquery bluetooth both branch bridge broken broker brokers
    browser bucket buckets buffer build but by cache call callback calling calls cassandra cause caused certificate
    certificates changed channel check checksum clickhouse client clients clock closed closing cloud cluster code
    collector com command commit completion conclusion condition config configuration connect connecting connection
    connections consensus consul consumer container context controller cookie core could cpu credentials cron
    current currently customer customers daemon data database databases datastore date db dead deadline decision
    default delivery dependencies dependency deploy deployment desc destination device devices dial did digest
    disabled disk dispatcher dns docker document domain down download downstream due during dynamodb each ec2 either
    elasticsearch email enabled end-user endpoint endpoints engine enough envoy err error errors etcd event events
    every everyone exception execute executing execution executor exporter external fail failed failing failure
    fatal feed fetch file files firewall first follower foo for foreign form from ftp function further gateway get
    getaddrinfo good group groups grpc grpc-status guest half handler handshake haproxy has hash have he head health
    health-check healthcheck healthy heap here high home host hosts http http/1.1 http/2 https id if image imap
    import impossible in index indices info information injection input inside instance instances interface
    intermittently internal internet invalid io is istio it it's item items its java javax job jobs just kafka
    kubernetes lambda lan last layer ldap ldaps leader level limit link list listener load load-balancer local
    localhost location lock locks log login logout logs lookup low machine mail main manager manifest many master
    max memcache memcached memory merge mesh message messages metadata method metrics microservice migration module
    mongo mongodb mongos monitor more mount msg multiple my mysql mysqld name names namespace neither net network
    new next nginx no nobody node node.js nodes nomad none not null oauth object of off office oidc ok old on one
    only opened opening operation operator option or oracle order org origin other our out output outside package
    page pages parent partition partitions password path peer peers pending people per permanently permission
    permissions person phone pipeline pod pod-ready pods pool port ports possible post postgres postgresql
    prematurely previous primary probe process producer property protocol provider proxy pull push python query
    queue quorum rabbit rabbitmq rate-limit rds read read-only readiness reading ready reason redis ref reference
    refs refused region registry release remaining remote repeatedly replica replicas request requests reset
    resource resources response result retries retry retrying rollback root route router rpc runner s3 same saml
    scheduler schema script scylla secondary secret self send sentinel server servers service services session
    sessions shard she shutdown sidecar signal signin signup since site sites slack-channel slave slow smtp
    snowflake sns sock socket some someone source specifier sql sqs ssh ssl ssl_read stack stage standby started
    starting startup state status status-page stderr stdin stdout step stopped storage store stream sub suddenly
    support switch symbol system table tag target task tcp temporarily than that the their them then there these
    they this those thread threads time time-out timed timeout timeouts timer tls tls1 tls1.2 to token tokens too
    topic transaction transactions transport try type udp uid unavailable undefined under unexpectedly unhealthy
    unknown unreachable until up upload uploads upstream upstreams uri url use user user-agent users val value
    values vault version via vm volume vpn wan warn warning was we web webpage website websocket when while wifi
    with within without worker workers write write-only writing x509 yet your zk zone zookeeper"""
)
_TECHNOLOGIES = _words(
    """agent api app backend broker cache cassandra clickhouse collector consul controller database db elasticsearch
    email engine envoy etcd feed gateway haproxy kafka lambda ldap leader mail main manager master memcache memcached
    mongo mongodb mysql nginx nomad oracle postgres postgresql primary proxy queue rabbit rabbitmq redis registry
    replica router scheduler scylla secondary sentinel storage upstream vault web worker zookeeper"""
)
_NO_HOSTS = _NOUNS - _TECHNOLOGIES
_EPHEMERAL = 32768
_LISTENED = frozenset(map(str, (33060, 50000, *range(50050, 50061), 50070, 61613, 61616)))  # gRPC's customary ones, ...
_STATUS = re.compile(
    r"\d[\d.:]*(?:ms|s|m|h|%)?|v\d[\d.]*|[a-z]*(?:exception|error|failure)s?(?:\W.*)?|errno.*|0x[0-9a-f]+", re.I
)
_FILE = re.compile(
    r".+\.(?:java|py|go|js|ts|rb|php|cs|cpp|c|rs|kt|scala|sh|sql|json|ya?ml|xml|html?|conf|log|txt|sock|so|jar|lua)"
    r"(?::\d+)*",
    re.I,
)
_ADDRESS = re.compile(r":\d{1,5}$|^\d{1,3}(?:\.\d{1,3}){3}$")
# Of prose: what is non-static, cluster-wide or cpu-bound is no service.
_ADJECTIVE = re.compile(
    r"(?:non|pre|re|un|self|multi|cross|real|co|sub|semi|anti)-.+"
    r"|.+-(?:based|ready|only|level|side|wide|bound|related|specific|safe|aware|like|free|existent|existing|static|in-progress)",
    re.I,
)
_PLAIN = re.compile(r"[a-z][a-z0-9]{2,40}")
_SHAPED = re.compile(r"[A-Za-z][A-Za-z0-9]*(?:[-_][A-Za-z0-9]+)+")
_HOST_NAME = re.compile(r"[A-Za-z0-9][\w-]{0,62}(?:\.[\w-]{1,63})*")


class Callee(NamedTuple):
    """What was called: a service by name, or a host by its full name or address."""

    start: int
    end: int
    name: str
    is_host: bool


def _compile(forms: tuple[Form, ...], *, gap: str = GAP + FILL) -> re.Pattern[str]:
    each = (
        (rf"(?<![\w-])(?:{before}){gap}" if before else r"(?<![\w./:@-])")
        + _NAME.replace("name", f"n{number}", 1)
        + after
        for number, (before, after) in enumerate(forms)
    )
    return re.compile("|".join(each), re.I)


# Words before a name and words after one are looked for apart: both may stand at one place, and name two things.
_GRADES = (
    (_compile(JOINED_FORMS, gap=""), 0),
    *(
        (_compile(tuple(form for form in forms if bool(form[0]) is before)), grade)
        for grade, forms in enumerate((HOST_FORMS, CALL_FORMS, SHAPED_FORMS))
        for before in (True, False)
    ),
)


def find_callees(text: str, begin: int = 0) -> Iterator[Callee]:
    """Yield what the error text `text` says was called, from the place `begin` on.

    Examples
    --------
    >>> from stanza_lab.entities.extraction.callees import find_callees
    >>> [callee.name for callee in find_callees("dial tcp: lookup orders on 10.0.0.10:53: no such host")]
    ['orders']
    """
    taken: set[int] = set()
    for pattern, grade in _GRADES:
        match = pattern.search(text, begin)
        while match:
            group = match.lastgroup or ""
            start, end = match.span(group)
            quoted, final = _quoted(text, start, end), text[end:] != " " or text[end - 1] in ",.:;"
            callee = read_callee(match[group], start, grade=grade, quoted=quoted, final=final)
            if callee and text[end : end + 1] != "(" and callee.start not in taken:
                taken.add(callee.start)
                yield callee
            # Words taken for a name may be those before the next: upstream connect error to orders:8080.
            match = pattern.search(text, max(start, match.start() + 1))


def read_callee(raw: str, start: int = 0, *, grade: int = 0, quoted: bool = False, final: bool = True) -> Callee | None:
    """Return the callee that `raw` names, or None; the higher the grade, the more it must look like a name.

    `final` tells that no noun follows: in "calling back customers" a plain word is none.
    """
    if "://" in raw:
        return None  # a URL is read as one
    written, _, address = raw.rstrip(".,:;)]>-").partition("/")  # orders/10.2.3.4:8080, orders/<unresolved>:6379
    name = hosts.without_port(written)
    ported = name != written or _ADDRESS.search(address) is not None
    if not name or len(name) > 253 or hosts.is_loopback(name) or naming.clean_service(name) is None:
        return None
    end = start + len(name) + (1 if written.startswith("[") else 0)
    if hosts.IP.fullmatch(name):
        port = written[len(name) + 1 :]
        drawn = port.isdecimal() and int(port) >= _EPHEMERAL and port not in _LISTENED
        if port == "53" or drawn:
            return None  # the name server that was asked; the other end of somebody's call
        return Callee(start, end, name, is_host=True) if ported or grade == 0 else None
    if hosts.is_host(name):
        return Callee(start, end, name, is_host=True)
    if not _HOST_NAME.fullmatch(name) or _FILE.fullmatch(name) or (_STATUS.fullmatch(name) and not ported):
        return None
    if "." in name:  # orders.shop in a cluster's DNS; in prose a method or a metric
        return Callee(start, end, name, is_host=True) if grade == 0 and name == name.lower() else None
    if ported and grade < 2:
        return None if name.isdecimal() else Callee(start, end, name, is_host=False)
    if name.lower() in (_NOUNS if grade else _NO_HOSTS) or not name[0].isalpha():
        return None
    shaped = _SHAPED.fullmatch(name) is not None and not _ADJECTIVE.fullmatch(name)
    if shaped or ported or grade == 0 or (grade == 1 and (quoted or (final and _PLAIN.fullmatch(name)))):
        return Callee(start, end, name, is_host=False)
    return None


def is_noun(word: str) -> bool:
    """Return whether a word stands in messages for what it means, and names no machine."""
    return word.lower() in _NO_HOSTS


def _quoted(text: str, start: int, end: int) -> bool:
    return start > 0 and end < len(text) and text[start - 1] in "\"'`[" and text[end] in "\"'`]"
