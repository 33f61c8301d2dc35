"""The parts of a service's name: what it is called, and what its tool, place and stage put around that.

``prod-checkout-api`` is checkout of production with a word for what kind of thing it is; ``Checkout (P1)`` is the
same with a note on its priority. Only the parts are told here; whether two names mean one service is for `pairs`.
"""

from __future__ import annotations

import re
from functools import lru_cache
from typing import NamedTuple

from rapidfuzz.distance import Levenshtein

from stanza_lab.entities.naming import ENVIRONMENTS, without_note

# What people add to a name without meaning another thing. A word for a store, a queue or a worker is no such word.
_SOFT = """
    service services svc srv api app application server backend web www microservice ms rest http https grpc rpc
    function fn lambda deployment ecs eks k8s aws project
""".split()  # noqa: SIM905 (two lines instead of thirty)
SOFT = frozenset(_SOFT)
_REGION = re.compile(
    r"(?<![a-z0-9])(?:(?:us|eu|ap|sa|ca|me|af|il|mx)-?(?:gov-?)?(?:north|south|east|west|central|northeast|southeast|northwest|southwest)"
    r"-?\d[a-c]?|(?:us|eu|ap)[news]{1,2}\d)(?![a-z0-9])",
    re.I,
)
_RANDOM = re.compile(r"(?=(?:[A-Za-z]*\d){2})(?=\d*[A-Za-z])[A-Za-z0-9]{8,}")  # a drawn end, as CloudFormation gives
_CAMEL = re.compile(r"(?<=[a-z0-9])(?=[A-Z])|(?<=[A-Z])(?=[A-Z][a-z])")
_WORD = re.compile(r"[^\W\d_]+|\d+")
_SEGMENT = re.compile(r"[^\W_]+")
_GLUED = re.compile(r"(?<!\w)(\w{3,}?)(services?|svc)(?!\w)", re.I)  # checkoutservice
_VOWELS = set("aeiou")


class Parts(NamedTuple):
    """A name taken apart.

    Attributes
    ----------
    core : tuple of str
        Lower-case words that tell the service, in order.
    soft : frozenset of str
        Words of `SOFT` beside them.
    environment : str or None
        A stage other than production that the name states.
    region : str or None
        A cloud region in the name.
    """

    core: tuple[str, ...]
    soft: frozenset[str]
    environment: str | None
    region: str | None

    @property
    def joined(self) -> str:
        """Return the core without separators: gift-card and giftcard are one."""
        return "".join(self.core)


@lru_cache(maxsize=65_536)
def parts_of(name: str, convention: frozenset[str] = frozenset()) -> Parts:
    """Take a service's name apart.

    Parameters
    ----------
    name : str
        The name as written.
    convention : frozenset of str
        Words that the tool puts before or behind nearly every name.

    Examples
    --------
    >>> from stanza_lab.entities.identity.parts import parts_of
    >>> parts_of("prod-checkout-api")
    Parts(core=('checkout',), soft=frozenset({'api'}), environment=None, region=None)
    >>> parts_of("Checkout DB (Staging)")[0::2]
    (('checkout', 'db'), 'staging')
    """
    bare = without_note(name)
    region = _REGION.search(bare)
    if region and region.group() != bare:
        bare = f"{bare[: region.start()]} {bare[region.end() :]}"
    words = [
        word.lower()
        for segment in _SEGMENT.findall(bare)
        if not _RANDOM.fullmatch(segment)
        for piece in _CAMEL.split(segment)
        for whole in _WORD.findall(piece)
        for word in _GLUED.sub(r"\1 \2", whole).split()
    ]
    stages = [word for at, word in enumerate(words) if _is_stage(words, at)]
    environment = next((ENVIRONMENTS[word] for word in stages if ENVIRONMENTS[word] != "production"), None)
    rest = [word for at, word in enumerate(words) if not _is_stage(words, at) and word not in convention]
    soft = frozenset(word for word in rest if word in SOFT)
    core = tuple(word for word in rest if word not in SOFT)
    if not core:  # called by such words only: "web-api"
        core, soft = tuple(rest or words or [bare.lower()]), frozenset()
    return Parts(core, soft, environment, region.group().lower() if region else None)


def _is_stage(words: list[str], at: int) -> bool:
    """Return whether a word at either end of a name is a stage; "test" and "stage" may be words of the name itself."""
    word = words[at]
    return word in ENVIRONMENTS and at in (0, len(words) - 1) and len(words) > 1 and word not in ("test", "stage")


@lru_cache(maxsize=262_144)
def likeness(a: str, b: str) -> float:
    """Return how well one word stands for another: 1 the same, 0 not at all.

    The plural 0.9; a slip of one letter in a long word or a beginning of four letters 0.7; consonants in order 0.6; two
    letters of a longer word 0.3.
    """
    if a == b:
        return 1.0
    short, long = sorted((a, b), key=lambda word: (len(word), word))
    if long in (f"{short}s", f"{short}es"):
        return 0.9
    if short[0] != long[0] or short.isdigit() or long.isdigit():
        return 0.0
    if len(short) > 3 and long.startswith(short):
        return 0.7
    if len(short) > 5 and Levenshtein.distance(short, long, score_cutoff=1) <= 1:
        return 0.7
    if len(short) > 0.75 * len(long) or not _in_order(short, long):
        return 0.0
    consonants = not _VOWELS.intersection(short[1:])
    if len(short) > 2:
        return 0.6 if consonants or long.startswith(short) else 0.0
    return 0.3 if len(short) == 2 and consonants else 0.0


def _in_order(short: str, long: str) -> bool:
    letters = iter(long)
    return all(letter in letters for letter in short)


def align(a: tuple[str, ...], b: tuple[str, ...]) -> tuple[float, tuple[tuple[str, str], ...]]:
    """Match the words of two cores one to one: the worst likeness among them (0 if a word is left over), and pairs."""
    if "".join(a) == "".join(b):
        return 1.0, ()
    if len(a) != len(b):
        return 0.0, ()
    if set(a) == set(b):
        return 0.95, ()  # the same words in another order
    worst, pairs, left = 1.0, [], list(b)
    for word in sorted(a, key=lambda word: (word not in b, word)):
        best = max(left, key=lambda other: (likeness(word, other), other))
        found = likeness(word, best)
        if found == 0.0:
            return 0.0, ()
        worst = min(worst, found)
        pairs += [(word, best)] if word != best else []
        left.remove(best)
    return worst, tuple(pairs)
