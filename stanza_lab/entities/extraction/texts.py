"""What a free text says. A text is cut into segments: words, or groups of them, that may name something.

Nothing outside a segment changes what it says, but for one thing: whether the text tells of an error, for then a host
in a URL is what was called. So each distinct segment is read once, in however many texts it stands (`scan`).
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Mapping

from stanza_lab.entities import naming
from stanza_lab.entities.extraction import arns, dimensions, hosts, urls
from stanza_lab.entities.extraction._cloud_ids import find_cloud_ids
from stanza_lab.entities.extraction._segments import ASIDE, KEYS, KIND_OF_KEY, LOOSE, PREFIX, WORKLOAD_GAP, WORKLOADS
from stanza_lab.entities.extraction._traces import find_line_traces, find_traces
from stanza_lab.entities.extraction.arns import Resource
from stanza_lab.entities.extraction.callees import find_callees, is_noun
from stanza_lab.entities.extraction.kubernetes import HASH, find_pods
from stanza_lab.entities.extraction.readings import Kind, Reading, method_of, of_host, of_pod, of_resource, service_name

_KEY_VALUE = re.compile(
    rf"(?<![\w./!-])(?<!NOT )(?:{PREFIX})(?P<key>{KEYS})(?P<sign>{LOOSE})(?!arn:)"
    r"(?P<value>[A-Za-z0-9][\w./-]{0,199}(?:(?: [\w.-]+){1,4}(?=[\"`]))?)(?P<next>.?)",
    re.I | re.S,
)
_TIGHT = re.compile(r"[:=]|.*[\"'`]", re.S)
_VERSION = re.compile(r"v?\d[\d.]*(?:-[\w.]+)?")
# What may stand behind "Service: " and is none.
_STATES = frozenset(
    (
        *(
            "unavailable",
            "down",
            "up",
            "degraded",
            "ok",
            "healthy",
            "unhealthy",
            "unknown",
            "error",
            "errors",
            "failed",
        ),
        *("failing", "failure", "restarted", "restarting", "restored", "recovered", "stopped", "started", "running"),
        *("interrupted", "disruption", "temporarily", "is", "not", "no", "the", "a", "an", "and", "has", "was", "all"),
        *("none", "null", "true", "false", "on", "off", "in", "at", "of", "for", "http", "https", "impacted"),
        *("affected", "critical", "warning", "info"),
    )
)
_WORKLOAD = re.compile(
    rf"(?<![\w./-]){WORKLOADS}{WORKLOAD_GAP}(?P<name>[a-z0-9][a-z0-9.-]{{0,251}}[a-z0-9])(?![\w/-])", re.I
)
_IMAGE_KEY = re.compile(
    r"(?<![\w-])(?:container[_ ]?)?image(?:[_ ]?name)?[\"']?[ :=]{1,3}[\"'`]?(?P<image>[a-z0-9][\w./:@-]{0,300})", re.I
)
Place = tuple[int, int, list[Reading]]
Finders = tuple[Callable[[str], Iterator[Place]], ...]


def read_segment(text: str, *, error: bool) -> tuple[Reading, ...]:
    """Return what a segment of a text says, with places in the segment."""
    simple = _SIMPLE.fullmatch(text)
    if simple:  # what differs from text to text, and so makes most of the distinct segments
        return _simple(simple)
    if text.startswith(("@", "#")):
        return ()  # a handle or a channel: whom to tell
    aside = ASIDE.search(text)
    if text.startswith(("http://", "https://")) and " " not in text:
        finders: Finders = _FINDERS_OF_URLS
    else:
        finders = _FINDERS if _MORE.search(text) else _FINDERS_OF_WORDS
    places = [place for find in finders for place in find(text)]
    if "://" in text:
        places += _urls(text, error=error)
    if aside and " " not in text[: aside.start()]:
        seen = aside["seen"] is not None  # "see" and a link to a change or a build: its repository is told
        places = [p for p in places if p[0] < aside.start() or (seen and p[2] and p[2][0].kind == "repository")]
    places.sort(key=lambda place: (place[0], not place[2], -place[1]))
    readings: list[Reading] = []
    done = 0
    for start, end, said in places:
        if start >= done:  # what stands inside an ARN is told by the ARN
            readings += [r if r.start >= 0 else r._replace(start=start, end=end) for r in said]
            done = end
    return tuple(readings)


_SIMPLE = re.compile(
    rf"(?:dd\.)?trace[._]?id[:=](?P<trace>[0-9a-f]{{32}})|(?P<id>(?:i|vol|eni)-[0-9a-f]{{17}})\.?"
    rf"|(?:[Pp]od (?:[a-z0-9-]{{1,63}}/)?)?(?P<pod>[a-z][a-z0-9-]{{0,60}}-(?=[a-z]*\d){HASH}{{9,10}}-{HASH}{{5}})\.?"
    r"|(?P<arn>arn:aws:(?!sns)[a-z0-9-]{1,40}:[a-z0-9-]{0,25}:\d{0,12}:[\w./:-]{0,500}[A-Za-z0-9])"
)


def _simple(match: re.Match[str]) -> tuple[Reading, ...]:
    kind = match.lastgroup or ""
    value, (start, end) = match[kind], match.span(kind)
    if kind == "trace":
        return (Reading("trace", value, "trace", start, end),) if value.strip("0") else ()
    resource = None if kind == "pod" else arns.read_value(value)
    said = of_resource(resource, kind) if resource else of_pod(value, sure=False) if kind == "pod" else []
    return tuple(r._replace(start=start, end=end) for r in said)


def _resources(text: str) -> Iterator[Place]:
    found = (*arns.find_arns(text), *find_cloud_ids(text), *arns.find_hosts(text), *arns.find_ids(text))
    for start, end, resource in found:
        told = resource.type == "sns:topic"  # a topic in a text is where a notification went
        yield start, end, [] if told else of_resource(resource, method_of(resource))
    for start, end, resource in arns.find_log_groups(text):
        yield start, end, of_resource(resource, "log-group")


def _key_values(text: str) -> Iterator[Place]:
    if not any(sign in text for sign in ":= "):
        return
    for match in _KEY_VALUE.finditer(text):
        key, value = match["key"].lower(), match["value"].rstrip(".-/")
        start = match.start("value")
        if (" " in value) > (match["sign"][-1:] in "\"'`") or (match["next"] == "*" and "*" not in match["sign"]):
            continue  # words behind a name; service:orders-* in a query
        if not _TIGHT.fullmatch(match["sign"]) and not _stands_alone(value, match["next"]):
            continue
        kind = KIND_OF_KEY.get(key)
        said: list[Reading] = []
        if kind == "resource":
            host = hosts.without_port(value)
            told = naming.clean(host) is None or hosts.is_loopback(host) or arns.read_value(host) is not None
            told = told or is_noun(host)  # remote host: Connection refused
            said = [] if told else [of_host(host, "key-value")]
        elif kind == "repository":
            said = [Reading("repository", value, "key-value")] if value.count("/") == 1 else []
        elif kind or not dimensions.is_dimension(key):
            kind = kind or "service"
            if kind == "service":
                value = hosts.service_of(value) or value
            name = None if _VERSION.fullmatch(value) else _CLEAN[kind](value)
            said = [Reading(kind, name, "key-value")] if name else []
        elif naming.clean(value):
            for _, resource in dimensions.read_dimensions({key: value}):
                said += of_resource(resource, "key-value")
        if said:
            yield start, start + len(value), said


def _stands_alone(value: str, following: str) -> bool:
    """Return whether a word behind ``Service: `` is a name, not the first word of a sentence."""
    if following in (":", "'"):  # env: node: No such file; env: can't execute
        return False
    return value.lower() not in _STATES and (following != " " or re.search(r"[-_\d]", value) is not None)


def _workloads(text: str) -> Iterator[Place]:
    for match in _WORKLOAD.finditer(text):
        name = service_name(match["name"])
        yield *match.span("name"), [Reading("service", name, "key-value")] if name else []


def _pods(text: str) -> Iterator[Place]:
    for start, end, pod, called in find_pods(text):
        yield start, end, of_pod(pod, sure=called)


def _traces(text: str) -> Iterator[Place]:
    for start, end, trace in find_traces(text):
        yield start, end, [Reading("trace", trace, "trace")]
    for service, (start, end) in find_line_traces(text):
        yield start, end, [Reading("trace", text[start:end], "trace")]
        name = service_name(text[slice(*service)])
        yield *service, [Reading("service", name, "key-value")] if name else []


def _images(text: str) -> Iterator[Place]:
    for start, end, name in urls.find_images(text):
        yield start, end, [Reading("image", name, "image")]
    if "image" in text.lower():
        for match in _IMAGE_KEY.finditer(text):
            raw = match["image"].rstrip(".:,")
            image = urls.read_image(raw)
            if image and ("/" in image or ":" in image) and not image.startswith("sha256"):
                start = match.start("image") + raw.index(image)
                yield start, start + len(image), [Reading("image", image, "image")]


def _repositories(text: str) -> Iterator[Place]:
    if "git" not in text.lower() and "bitbucket" not in text.lower():
        return
    for match in urls.FIND_REPOSITORY.finditer(text):
        name = urls.repository_of(match["host"], match["path"])
        yield match.start(), match.end(), [Reading("repository", name, "repository")] if name else []


def _callees(text: str) -> Iterator[Place]:
    if not any(sign in text for sign in (" ", "(", "|", "ipv4", ":///", "address=")):
        return
    first = text.partition(" ")[0]
    begin = text.find(" ") if "://" in first and ":///" not in first else 0  # a URL is read as one
    for start, end, name, is_host in find_callees(text, begin) if begin >= 0 else ():
        yield from _called(start, end, name, is_host=is_host)


def _called(start: int, end: int, name: str, *, is_host: bool) -> Iterator[Place]:
    """Yield what was called, unless it is told better: an AWS host, a pod."""
    service = hosts.service_of(name)
    if service and service_name(service):
        yield start, end, [Reading("service", service, "callee")]
    elif not is_host:
        yield start, end, [Reading("service", name, "callee")]
    elif arns.read_host(name) is None:
        yield start, end, [of_host(name, "callee")]


def _host_names(text: str) -> Iterator[Place]:
    if "." in text:
        for match in hosts.FIND_KUBERNETES.finditer(text):
            service = hosts.service_of(match["host"])
            if service and service_name(service):
                yield *match.span("host"), [Reading("service", service, "host")]
        for match in hosts.FIND_FQDN.finditer(text):
            host = match["host"]
            other = hosts.is_tool(host) or _OF_POD.search(host) or arns.read_host(host)
            if hosts.is_host(host) and not other:
                yield *match.span("host"), [of_host(host, "text-host")]
    if "-" in text:
        for match in hosts.FIND_NODE.finditer(text):
            yield *match.span(), [of_host(match.group(), "text-host")]


def _urls(text: str, *, error: bool) -> Iterator[Place]:
    """Yield addresses: a tool's says nothing, one of the web is told whole, in an error its host as what was called."""
    for url in urls.find_urls(text):
        said: list[Reading] = []
        if not url.tool:
            if url.web:
                said.append(Reading("url", url.name, "url", url.start, url.end))
            resource = arns.read_host(text[url.host_start : url.end])
            if url.name.lower().startswith(("s3://", "s3a://", "s3n://")):
                resource = Resource("s3:bucket", url.host)
            service = hosts.service_of(url.host)
            span = url.host_start, url.host_end
            if resource:
                said = [r._replace(start=url.start, end=url.end) for r in of_resource(resource, "host")]
            elif service and not error and service_name(service):
                said.append(Reading("service", service, "host", *span))
            elif error or not url.web:
                is_host = hosts.is_host(url.host) or hosts.IP.fullmatch(url.host) is not None or "." in url.host
                named = service_name(url.host) is not None
                called = _called(*span, url.host, is_host=is_host) if named else ()
                said += [r._replace(start=start, end=end) for start, end, each in called for r in each]
        yield url.start, url.end, said


_CLEAN: Mapping[Kind, Callable[[object], str | None]] = {
    "service": service_name,
    "environment": naming.clean,
    "team": naming.clean_team,
}
# The order decides only between readings of the same place.
_FINDERS_OF_URLS: Finders = (_repositories,)  # what else stands in a URL is told by it
_FINDERS_OF_WORDS: Finders = (_resources, _pods, _host_names)  # for what is one word: a pod, a host
_OF_POD = re.compile(r"\.pod(?:\.cluster\.local)?$")  # 10-1-2-3.shop.pod.cluster.local is but its address
_MORE = re.compile(r"[^A-Za-z0-9._-]")
_FINDERS: Finders = (_resources, _repositories, _images, _traces, _callees, _workloads, _key_values, _pods, _host_names)
