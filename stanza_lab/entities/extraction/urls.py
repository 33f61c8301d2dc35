"""URLs, container images and repositories."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import NamedTuple

from stanza_lab.entities.extraction import hosts

FIND_URL = re.compile(
    r"(?<![\w])(?P<scheme>(?:jdbc:)?[a-z][a-z0-9+.-]{1,25}(?::[a-z0-9]{1,15})?)://(?:[^\s/@?#\"'<>]{1,200}@)?"
    r"(?P<host>\[[0-9a-fA-F:.]{2,45}\]|[A-Za-z0-9_][\w.-]{0,252})(?P<port>:\d{1,5})?(?P<path>/[^\s?#\"'<>|`{}\\^]*)?"
    r"(?:[?#]\S*)?",
    re.I,
)
_WEB = {"http", "https", "ws", "wss"}
_NO_ADDRESS = {"file", "arn", "urn", "data", "about", "chrome-extension", "app", "docker", "docker-pullable"}
_TOOL_PATH = re.compile(r"/(?:runbooks?|playbooks?|dashboards?|monitors?|alerting|d|explore|silences?)/|/graph$")
_REPOSITORY_HOST = re.compile(r"(?:www\.|ssh\.)?(?P<site>github|gitlab|bitbucket)\.(?:[\w-]+\.)*[a-z]{2,}", re.I)
_NO_OWNER = {
    *("orgs", "settings", "features", "topics", "search", "login", "about", "marketplace", "sponsors", "apps"),
    *("enterprise", "explore", "notifications", "users", "groups", "help", "dashboard", "admin", "api", "-"),
}
FIND_REPOSITORY = re.compile(
    r"(?<![\w.-])(?:(?:ssh|git|https?)://)?(?:git@)?(?P<host>(?:www\.|ssh\.)?(?:github|gitlab|bitbucket)\.(?:[\w-]+\.){0,3}"
    r"[a-z]{2,24})(?::\d{1,5}/|[:/])(?P<path>[\w.~-]+(?:/[\w.~-]+){1,12})",
    re.I,
)
_TAG = r":(?P<tag>\w[\w.-]{0,127})"
_DIGEST = r"@(?P<digest>sha256:[0-9a-f]{32,64})"
_PATH = r"[a-z0-9]+(?:[._-]+[a-z0-9]+)*"
FIND_IMAGE = re.compile(
    rf"(?<![\w./@:-])(?P<registry>(?:[a-z0-9][\w-]*\.)+[a-z]{{2,}}(?::\d{{2,5}})?|localhost:\d{{2,5}}|[\w-]+:\d{{2,5}}(?=/))"
    rf"/(?:{_PATH}/){{0,8}}{_PATH}(?:{_TAG})?(?:{_DIGEST})?(?![\w/@-])"
)
FIND_DIGEST = re.compile(rf"(?<![\w./@:-])(?:{_PATH}/){{0,8}}{_PATH}(?:{_TAG})?{_DIGEST}(?![\w])")
_IMAGE = re.compile(
    rf"(?:docker(?:-pullable)?://)?(?P<name>(?:[\w.-]+(?::\d{{2,5}})?/)?(?:{_PATH}/){{0,8}}{_PATH}(?:{_TAG})?(?:{_DIGEST})?)"
)
_REGISTRY = re.compile(
    r"(?:.+\.)?(?:ghcr\.io|docker\.io|quay\.io|gcr\.io|pkg\.dev|azurecr\.io|mcr\.microsoft\.com|public\.ecr\.aws|k8s\.io"
    r"|dkr\.ecr\.[a-z0-9-]+\.amazonaws\.com(?:\.cn)?)|registry[.-].+",
    re.I,
)
_ECR = re.compile(r"\d{10,12}\.dkr\.ecr\.", re.I)


class Address(NamedTuple):
    """A URL in a text: what it is without query and fragment, and where its host stands."""

    start: int
    end: int
    name: str
    host: str
    host_start: int
    host_end: int
    web: bool
    tool: bool


def find_urls(text: str) -> Iterator[Address]:
    """Yield every URL in `text` that leads somewhere else than to this machine."""
    if "://" not in text:
        return
    for match in FIND_URL.finditer(text):
        scheme, host = match["scheme"].lower(), match["host"].rstrip(".-")
        if scheme in _NO_ADDRESS or hosts.is_loopback(host) or not host:
            continue
        path = (match["path"] or "").rstrip(".,;:!)*")
        tail = match.end("path") if match["path"] is not None else match.end("port" if match["port"] else "host")
        end = tail - len(match["path"] or "") + len(path) if match["path"] is not None else tail
        if match["path"] is None and not match["port"]:
            end = match.start("host") + len(host)
        port = match["port"] or ""
        start_of_host = match.start("host")
        web = scheme in _WEB
        tool = web and (hosts.is_tool(host) or _TOOL_PATH.search(match["path"] or "") is not None)
        name = f"{match['scheme']}://{match['host'] if path or port else host}{port}{path}"
        yield Address(match.start(), end, name, host, start_of_host, start_of_host + len(host), web, tool)


def read_repository(value: str) -> str | None:
    """Return owner and name of the repository at an address, or of ``owner/name`` itself; None when it is neither.

    Examples
    --------
    >>> from stanza_lab.entities.extraction.urls import read_repository
    >>> read_repository("git@github.com:acme/checkout.git")
    'acme/checkout'
    """
    value = value.strip()
    if len(value) > 512:
        return None
    match = FIND_REPOSITORY.match(value)
    if match:
        return repository_of(match["host"], match["path"])
    bare = re.fullmatch(r"(?:https?://[\w.-]+(?::\d{1,5})?/)?(?P<path>[\w.-]+(?:/[\w.-]+){1,4})", value)
    return bare["path"].removesuffix(".git") if bare else None


def repository_of(host: str, path: str) -> str | None:
    """Return the repository that `path` names on `host`, or None."""
    site = _REPOSITORY_HOST.fullmatch(host)
    if site is None:
        return None
    path, _, _ = path.strip("/").partition("/-/")
    parts = [part for part in path.split("/") if part]
    if site["site"].lower() != "gitlab":
        parts = parts[:2]
    if len(parts) < 2 or parts[0].lower() in _NO_OWNER:
        return None
    parts[-1] = parts[-1].removesuffix(".git").rstrip(".")
    return "/".join(parts) if parts[-1] else None


def find_images(text: str) -> Iterator[tuple[int, int, str]]:
    """Yield start, end and name of every container image that its registry, tag or digest gives away."""
    if "/" not in text and "@sha256:" not in text:
        return
    for match in FIND_IMAGE.finditer(text):
        known = _REGISTRY.fullmatch(match["registry"].partition(":")[0]) is not None
        if (
            known
            or match["digest"]
            or (match["tag"] and not match["tag"].isdecimal() and not hosts.is_tool(match["registry"]))
        ):
            yield match.start(), match.end(), match.group()
    if "@sha256:" in text:
        for match in FIND_DIGEST.finditer(text):
            yield match.start(), match.end(), match.group()


def read_image(value: str) -> str | None:
    """Return the container image that the whole of `value` is: repository with tag or digest."""
    found = _IMAGE.fullmatch(value.strip()) if len(value) <= 512 else None
    return found["name"] if found and not found["name"].startswith("sha256:") else None
