"""Names: which values are no name at all, which spellings mean one thing, where a known name stands in a text.

Two spellings are one name only with evidence. Case and separators never tell two services apart between systems
(Datadog lower-cases its tags); a production word or a pod's hash is taken off only where the rest is itself seen.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping
from functools import cached_property
from typing import NamedTuple

ENVIRONMENTS: dict[str, str] = {
    **dict.fromkeys(("production", "prod", "prd"), "production"),
    **dict.fromkeys(("staging", "stage", "stg"), "staging"),
    **dict.fromkeys(("development", "dev"), "development"),
    **dict.fromkeys(("testing", "test"), "test"),
    **dict.fromkeys(("preproduction", "preprod", "pre-prod", "pre-production"), "preproduction"),
    **dict.fromkeys(("qa",), "qa"),
    **dict.fromkeys(("uat",), "uat"),
    **dict.fromkeys(("sandbox",), "sandbox"),
}
# Of ENVIRONMENTS, the words that are also part of ordinary names ("test", "stage") say nothing at the end of one.
_AFFIXES = ("production", "prod", "prd", "staging", "stg", "dev", "qa", "uat", "preprod")

_SEPARATORS = str.maketrans("ABCDEFGHIJKLMNOPQRSTUVWXYZ_ ", "abcdefghijklmnopqrstuvwxyz--")  # keeps every offset
_RESIDUE = re.compile(
    r"\{\{|\}\}|\$\{|%[sd]|<no value>|^(?:undefined|null|none|nil|nan|n/a|unknown|default|\*|-+|\(.*\))?$|^@|^#", re.I
)
_EXCEPTION = re.compile(r"\w(?:Exception|Error):")
_EMAIL = re.compile(r"[^\s@]+@[^\s@]+\.[A-Za-z]{2,}")
_AFFIX = re.compile(rf"(?:(?P<first>{'|'.join(_AFFIXES)})-)?(?P<bare>.+?)(?:-(?P<last>{'|'.join(_AFFIXES)}))?", re.S)
_EXPORTER = re.compile(r"kube-state-metrics|(?:.+-)?exporter|prometheus|alertmanager|(?:datadog|cloudwatch|otel)-agent")
_HASH = "[bcdfghjklmnpqrstvwxz2456789]"
_TEMPLATE_HASH = rf"-{_HASH}{{6,10}}-{_HASH}{{5}}"
_POD = re.compile(
    rf"(?P<workload>.{{1,240}}?)(?:{_TEMPLATE_HASH}|-\d{{8}}-{_HASH}{{5}}|-{_HASH}{{5}}|-\d{{1,4}})", re.S
)
_DIGIT = re.compile(r"\d")
_REPLICA = re.compile(rf"(?P<workload>.{{1,240}}?){_TEMPLATE_HASH}", re.S)

# A note behind a name: its priority, or what X-Ray says of the kind of node.
_NOTE = re.compile(
    r"(?:\s*[\[(](?:p\d|sev-?\d|s\d|tier[ -]?\d|critical|high|medium|low|service|client|remote"
    r"|[A-Z]\w{1,40}::[\w:]{1,80})[\])]"
    r"|_[A-Z][a-z]{0,20}[A-Za-z]{0,20}::[\w:]{1,80})+$",
    re.I,
)


def clean(value: object) -> str | None:
    """Return `value` without blanks around it, or None where it names nothing.

    Template residue (``{{host}}``, ``<no value>``, ``undefined``), wildcards, chat handles and channels are no names.
    """
    if not isinstance(value, str):
        return None
    text = value.strip()
    return None if len(text) > 512 or _RESIDUE.search(text) else text


def clean_team(value: object) -> str | None:
    """Return the team `value` names, or None: a person's address is not a team."""
    text = clean(value)
    return None if text is None or _EMAIL.fullmatch(text) else text


def clean_service(value: object) -> str | None:
    """Return the service `value` names, or None: an exporter or agent reports on others."""
    text = clean(value)
    return None if text is None or _EXPORTER.fullmatch(key(text)) else text


def environment(name: str) -> str:
    """Return `name` as we spell environments: prod, prd, production -> production; one we don't know as it is."""
    return ENVIRONMENTS.get(name.lower(), name)


def key(name: str) -> str:
    """Return what two spellings of one name share: lower case, with ``_`` and blank as ``-``; same length."""
    return name.translate(_SEPARATORS)


def environment_of(name: str) -> str | None:
    """Return the environment that stands at an end of `name`: prod-orders-db -> production."""
    found = _AFFIX.fullmatch(key(name))
    word = found and (found["first"] or found["last"])
    return ENVIRONMENTS[word] if word else None


def environment_in(alertname: str) -> str | None:
    """Return the environment an alert's name begins with: prod-checkout-5xx, [prod] High latency, prod/checkout."""
    first = re.split(r"[\s/:]", alertname.lstrip("["), maxsplit=1)[0].rstrip("]")
    word = key(first).partition("-")[0]
    return ENVIRONMENTS[word] if word in _AFFIXES else None


def workload_of(pod: str, *, sure: bool) -> str | None:
    """Return the workload of a pod name, or None when it has no pod's ending.

    With `sure` (the value stood in a pod field) every ending counts; else only the long one of a Deployment, since
    ``gateway-https`` and ``web-1`` fit the short ones.
    """
    found = (_POD if sure else _REPLICA).fullmatch(pod)
    return found["workload"] if found else None


def without_note(name: str) -> str:
    """Return `name` without a note behind it: Checkout (P1), PetSearch [client]; (Staging) is no note."""
    return _NOTE.sub("", name) or name


def stem(name: str) -> str:
    """Return what the name of a service is in itself: without a note, and without the ending of a Deployment's pod."""
    bare = without_note(name)
    found = _REPLICA.fullmatch(bare)
    return found["workload"] if found and _DIGIT.search(bare, found.end("workload")) else bare


def spelled_as(name: str) -> set[str]:
    """Return the folded names of which a service's name is a spelling by rule: its own, its stem, without cluster."""
    folded = {key(name), key(stem(name)), key(name).rpartition("/")[2]}
    return folded | {bare for each in folded for bare in bare_service(each)}


def is_exception(text: str) -> bool:
    """Return whether `text` is an exception's: the service it names is the one that was called, not the caller."""
    return _EXCEPTION.search(text, 0, 500) is not None


def bare_service(folded: str) -> Iterator[str]:
    """Yield what the folded name of a service may be a longer spelling of, if that is seen elsewhere."""
    found = _AFFIX.fullmatch(folded)
    words = {found["first"], found["last"]} - {None} if found else set()
    if found and words and all(ENVIRONMENTS[word] == "production" for word in words):
        yield found["bare"]  # other environments stay apart: staging is not production
    workload = workload_of(folded, sure=False)
    if workload:
        yield workload


def bare_team(folded: str) -> Iterator[str]:
    """Yield what the folded name of a team may be a longer spelling of: team-payments, payments-team."""
    if folded.startswith("team-"):
        yield folded.removeprefix("team-")
    if folded.endswith("-team"):
        yield folded.removesuffix("-team")


class Names:
    """The names of one kind, each in one spelling.

    Parameters
    ----------
    counts : mapping of str to int
        Every spelling seen, with how often.
    listed : collection of str
        Spellings of the catalogue; they win.
    exact : collection of str
        Spellings seen in a system where case is part of the name (AWS). They win over the others, and two that differ
        only in case stay two.
    bare : callable, optional
        Shorter folded names a folded name may stand for. One is taken only when it is itself seen.
    aliases : mapping of str to str, optional
        Folded names known to stand for another folded name, if that is seen.
    fixed : collection of str
        Folded names that stand for themselves whatever the rules say.
    stem : callable, optional
        What a spelling is without what is no part of the name.
    """

    def __init__(
        self,
        counts: Mapping[str, int],
        *,
        listed: Collection[str] = (),
        exact: Collection[str] = (),
        bare: Callable[[str], Iterable[str]] = bare_service,
        aliases: Mapping[str, str] | None = None,
        fixed: Collection[str] = (),
        stem: Callable[[str], str] = str,
    ) -> None:
        self._fixed, self._stem = fixed, stem
        self._told = {*counts, *exact, *listed}
        self._found = {*counts, *exact}
        times: Counter[str] = Counter()
        for name, count in counts.items():
            times[self._bared(name)] += count
        listed, exact = {self._bared(name) for name in listed}, {self._bared(name) for name in exact}
        ranks: dict[str, tuple[bool, bool, int]] = {}
        self._best: dict[str, str] = {}
        for name in sorted({*times, *exact, *listed}, key=str.swapcase):  # on a tie the lower case wins
            rank = (name in listed, name in exact, 0 if name in exact else times[name])
            folded = key(name)
            if folded not in ranks or rank > ranks[folded]:
                ranks[folded], self._best[folded] = rank, name
        in_catalog = {key(name) for name in listed}
        self._own = {name for name in exact if key(name) not in in_catalog}
        self._bare = bare
        self._aliases = aliases or {}

    def __contains__(self, name: str) -> bool:
        return key(self._bared(name)) in self._best

    def canonical(self, name: str) -> str:
        """Return the one spelling of `name`; of one never seen its stem."""
        name = self._bared(name)
        if name in self._own and self._shorter(key(name)) is None:
            return name
        folded = key(name)
        while (shorter := self._shorter(folded)) is not None:
            folded = shorter
        return self._best.get(folded, name)

    def seen(self, name: str) -> bool:
        """Return whether a reading or the catalogue has this name, in this or another spelling by rule."""
        return not self._seen.isdisjoint(spelled_as(name))

    @cached_property
    def _seen(self) -> set[str]:
        return {folded for name in self._found for folded in spelled_as(name)}

    @cached_property
    def spellings(self) -> dict[str, list[str]]:
        """Every name, with all spellings of it that were seen, sorted."""
        found: dict[str, list[str]] = {}
        for name in sorted(self._told):
            found.setdefault(self.canonical(name), []).append(name)
        return found

    def keys(self) -> set[str]:
        """Return the folded names that stand for themselves."""
        return {folded for folded in self._best if self._shorter(folded) is None}

    def _bared(self, name: str) -> str:
        return name if key(name) in self._fixed else self._stem(name)

    def _shorter(self, folded: str) -> str | None:
        if folded in self._fixed:
            return None
        if folded in self._aliases and self._aliases[folded] in self._best:
            return self._aliases[folded]
        return next((bare for bare in self._bare(folded) if bare in self._best), None)


class Hit(NamedTuple):
    """A known name in a text."""

    start: int
    end: int
    folded: str
    pod: bool


# What an alert's name says after the service: prod-checkout-p1-5xx, orders-db-CPUUtilization-High. Words that are also
# parts of service names (read, system) count only before such a word, never as the last one.
_SYMPTOMS = re.compile(
    "age|alarm|alert|availability|backlog|burn|connections|count|cpu|critical|depth|disk|dlq|down|duration|errors?"
    "|evictions|failover|failures|health|high|lag|latency|low|mem|memory|monitor|rate|requests|restarts|saturation|slow"
    r"|throttle[sd]|timeouts?|unhealthy|usage|utilization|warning|p\d{1,3}|sev\d|[1-5]xx"
)
_BEFORE_SYMPTOM = {"engine", "free", "message", "oldest", "read", "replication", "system", "throttled", "write"}
_PIECE = re.compile(r"[^\W_]+")
_REST = re.compile(r"[\w-]*")
_TAIL = re.compile(rf"(?P<pod>{_TEMPLATE_HASH})?(?:[-_](?i:production|prod|prd))?(?![\w-])(?!\.\w|@|::)")
_URL = re.compile(r"[a-z][a-z0-9+]{1,10}://\S+", re.I)
_PRODUCTION = ("production", "prod", "prd")


class NameFinder:
    """Finds known names in text: whole tokens only, the longest first, in time linear in the text.

    Parameters
    ----------
    folded : collection of str
        Folded names to find (`key`). Names of less than three characters are too common to be told from words.
    """

    def __init__(self, folded: Collection[str]) -> None:
        self._names: dict[str, list[str]] = {}  # by the name up to its last letter or digit
        self._pieces: dict[str, int] = {}  # first piece -> most pieces of a name that begins with it
        for name in sorted(folded, key=lambda name: (-len(name), name)):
            pieces = list(_PIECE.finditer(name))
            if pieces and pieces[0].start() == 0 and len(name) > 2:
                first = pieces[0].group()
                self._pieces[first] = max(self._pieces.get(first, 0), len(pieces))
                self._names.setdefault(name[: pieces[-1].end()], []).append(name)

    def find(self, text: str, *, alert_name: bool = False) -> list[Hit]:
        """Return the known names in `text`, in order; an alert's name may go on with symptom words."""
        folded = key(text)
        if self._pieces.keys().isdisjoint(_PIECE.findall(folded)):
            return []
        pieces = [match.span() for match in _PIECE.finditer(folded)]
        urls = (match.span() for match in _URL.finditer(text))
        url, end_of_url = next(urls, (len(text), 0))
        hits: list[Hit] = []
        done = 0
        for at, (start, end) in enumerate(pieces):
            while start > url and start >= end_of_url:
                url, end_of_url = next(urls, (len(text), 0))
            most = self._pieces.get(folded[start:end], 0)
            if not most or start < done or start > url or not _opens(text, folded, start):
                continue
            ends = (stop for _, stop in reversed(pieces[at : at + most]))
            hit = next(filter(None, (self._hit(text, folded, start, stop, alert_name) for stop in ends)), None)
            if hit:
                hits.append(hit)
                done = hit.end
        return hits

    def _hit(self, text: str, folded: str, start: int, stop: int, alert_name: bool) -> Hit | None:  # noqa: FBT001
        for name in self._names.get(folded[start:stop], ()):
            end = start + len(name)
            if not folded.startswith(name, start):
                continue
            if tail := _TAIL.match(text, end):
                pod = tail["pod"] is not None
                return Hit(start, tail.end("pod") if pod else end, name, pod)
            if alert_name and _symptoms(text, end):
                return Hit(start, end, name, pod=False)
        return None


def _symptoms(text: str, start: int) -> bool:
    """Return whether the token goes on at `start` with words for symptoms only: -p1-5xx, -CPUUtilization."""
    rest = _REST.match(text, start)
    first, *words = rest.group().replace("_", "-").split("-") if rest else [""]
    if first or not words:
        return False
    *before, last = (bool(word[:1].isupper() or _SYMPTOMS.fullmatch(word)) for word in words)
    return last and all(b or word in _BEFORE_SYMPTOM for b, word in zip(before, words, strict=False))


def _opens(text: str, folded: str, start: int) -> bool:
    """Return whether a token begins at `start`, or goes on after one production word."""
    if start and text[start - 1] in "-_":
        word = next((word for word in _PRODUCTION if folded.endswith(word, 0, start - 1)), None)
        if word is None:
            return False
        start -= len(word) + 1
    before, earlier = text[max(start - 1, 0) : start], text[max(start - 2, 0) : max(start - 1, 0)]
    if before == "/":
        return earlier.isalnum()
    return not (before.isalnum() or (before and before in "-_.@#$") or earlier + before == "::")
