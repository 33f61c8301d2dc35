"""Names of nodes: which node a name in an alert means, and how alike two names are."""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Collection, Iterable

import numpy as np
import numpy.typing as npt
from scipy.sparse import csr_array

from stanza_lab.dependencies.evidence.roles import KIND_WORDS
from stanza_lab.entities import naming
from stanza_lab.entities.extraction import hosts

Codes = npt.NDArray[np.int64]
Numbers = npt.NDArray[np.float64]

SERVICE = "service"
_SHORTEST_PLAIN = 8  # letters of a plain word that counts as a name inside a text: cartservice, not search
_PIECE = re.compile(r"[A-Z]+(?![a-z])|[A-Z]?[a-z]+|[^\W\d_]+")
_LONGEST = 512


class NodeNames:
    """The names of the nodes, found again in the spellings that alerts use.

    Parameters
    ----------
    names : iterable of str
        The nodes.
    spellings : bool
        Whether other spellings count, as of services: case, separators, a word for production, a pod's hash. Without
        it a name means a node only when it equals the node's.
    """

    def __init__(self, names: Iterable[str], *, spellings: bool) -> None:
        self.names = sorted(set(names))
        self._exact = frozenset(self.names)
        self._spellings = spellings
        found: dict[str, set[str]] = defaultdict(set)
        for name in self.names if spellings else ():
            for spelled in naming.spelled_as(name):
                found[spelled].add(name)
        own = {naming.key(name): name for name in reversed(self.names)}
        # Two nodes may share a spelling (prod-orders, orders): a node's own name comes first, else it means neither.
        self._of = {spelled: next(iter(nodes)) for spelled, nodes in found.items() if len(nodes) == 1} | (
            own if spellings else {}
        )

    def match(self, name: str) -> str | None:
        """Return the node that `name` means, or None."""
        if name in self._exact:
            return name
        if not self._spellings or len(name) > _LONGEST:
            return None
        folded = naming.key(name)
        if folded in self._of:
            return self._of[folded]
        nodes = {self._of[spelled] for spelled in naming.spelled_as(name) if spelled in self._of}
        return next(iter(nodes)) if len(nodes) == 1 else None

    def match_host(self, host: str) -> str | None:
        """Return the node that a host name means: by its whole name, or by its first label."""
        found = self.match(host)
        if found or not self._spellings or hosts.IP.fullmatch(host):
            return found
        first, dot, _ = host.partition(".")
        return self.match(first) if dot else None

    def searched(self) -> set[str]:
        """Return the folded names to look for in texts; plain words are left out."""
        return {naming.key(name) for name in self.names if _telling(name)}


def _telling(name: str) -> bool:
    """Return whether a name is told from a word of the language: orders-db and cartservice are, search is not."""
    if len(name) > _LONGEST or not name.strip():
        return False
    if not name.isalpha():
        return True
    folded = name.lower()
    return len(name) >= _SHORTEST_PLAIN and any(
        folded.endswith(word) and len(folded) > len(word) + 2 for word in KIND_WORDS if len(word) > 1
    )


def words_of(name: str) -> set[str]:
    """Return the words that make a name that of one thing: without what says the kind of thing, or where it runs.

    Examples
    --------
    >>> from stanza_lab.dependencies.evidence.names import words_of
    >>> sorted(words_of("prod-orders-db")), sorted(words_of("OrderHistoryService"))
    (['order'], ['history', 'order'])
    """
    words = {match.group().lower() for match in _PIECE.finditer(name[:_LONGEST])}
    kept = {word for word in words if len(word) > 1 and word not in KIND_WORDS and word not in naming.ENVIRONMENTS}
    return {word[:-1] if len(word) > 3 and word.endswith("s") and not word.endswith("ss") else word for word in kept}


class Likeness:
    """How alike the names of nodes are, by the rare words they share.

    A word that all names share says nothing, one that two of many share says most. Two names are as alike as the cosine
    of their words, each weighed by how rare it is (log of nodes over nodes with it), times how rare the rarest word is
    that they share (0 when all have it, near 1 when just these two do).
    """

    def __init__(self, names: Collection[str]) -> None:
        words = [sorted(words_of(name)) for name in names]
        number = {word: code for code, word in enumerate(sorted({word for each in words for word in each}))}
        column = np.array([number[word] for each in words for word in each], dtype=np.int64)
        row = np.repeat(np.arange(len(words)), [*map(len, words)])
        rarity = np.log(max(len(words), 1) / np.maximum(np.bincount(column, minlength=len(number)), 1))
        self._most = float(np.log(max(len(words), 2) / 2)) or 1.0
        shape = (len(words), len(number))
        self._rarity = csr_array((rarity[column], (row, column)), shape=shape)
        self._norm = np.sqrt(np.asarray(self._rarity.multiply(self._rarity).sum(axis=1)).ravel())
        self._has = csr_array((np.ones(len(column)), (row, column)), shape=shape)

    def of(self, a: Codes, b: Codes) -> Numbers:
        """Return the likeness of the names numbered `a` and `b`, pair by pair: 0 to 1."""
        if not len(a) or not self._rarity.shape[1]:
            return np.zeros(len(a))
        shared = csr_array(self._rarity[a].multiply(self._has[b]))
        dot = np.asarray(shared.multiply(shared).sum(axis=1)).ravel()
        norm = self._norm[a] * self._norm[b]
        cosine = np.divide(dot, norm, out=np.zeros(len(a)), where=norm > 0)
        rarest = np.asarray(shared.max(axis=1).todense()).ravel()
        return np.asarray(np.clip(cosine * np.minimum(rarest / self._most, 1.0), 0.0, 1.0))
