"""Words: what each source says of one pair, in a plain sentence."""

from __future__ import annotations

from typing import NamedTuple

import pandas as pd

from stanza_lab.dependencies.evidence.claims import resolve_names
from stanza_lab.dependencies.evidence.features import roles
from stanza_lab.dependencies.evidence.names import words_of
from stanza_lab.dependencies.evidence.roles import PASSIVE

_LISTED = 3
_SAYS = {
    "text": ("1 alert of {src} says that {dst} was called", "{n} alerts of {src} say that {dst} was called"),
    "resource": ("1 alert of {src} names what is {dst}'s own", "{n} alerts of {src} name what is {dst}'s own"),
    "mention": ("1 alert of {src} names {dst}", "{n} alerts of {src} name {dst}"),
    "trace": ("1 trace raised alerts in both", "{n} traces raised alerts in both"),
    "shared_host": ("alerts of both are about 1 same resource", "alerts of both are about {n} same resources"),
}
# The group each source of claims belongs to, and whether it says the same of both ends.
_SOURCES = {
    "text": ("text", False),
    "resource": ("resources", False),
    "mention": ("text", False),
    "trace": ("traces", True),
    "shared_host": ("resources", True),
}
_ROLE = {
    "store": "a store",
    "queue": "a queue",
    "managed": "somebody else's service",
    "edge": "where requests come in",
    "service": "a service",
}


class PairWords(NamedTuple):
    """What speaks for and against a dependency, a sentence each."""

    speaks: tuple[str, ...]
    against: tuple[str, ...]


def words_for(claims: pd.DataFrame, traits: pd.DataFrame, *, src: str, dst: str) -> PairWords:
    """Say what each source tells of `src` depending on `dst`. The text is plain: escape it where it is shown.

    Parameters
    ----------
    claims : DataFrame
        As from `count_claims`; other pairs in it do not matter.
    traits : DataFrame
        As from `count_traits`.
    src, dst : str
        The one that may depend on the other, and the other.

    Returns
    -------
    PairWords
        `speaks` and `against`, each a tuple of sentences, the most telling source first.

    Examples
    --------
    >>> import pandas as pd
    >>> from stanza_lab.dependencies.evidence import count_claims, count_traits, words_for
    >>> at = pd.to_datetime(["2026-03-01T14:00Z", "2026-03-01T14:02Z"])
    >>> text = ["CPU high", "connection refused to orders-db"]
    >>> alerts = pd.DataFrame({"starts_at": at, "service": ["orders-db", "checkout"], "summary": text})
    >>> words_for(count_claims(alerts), count_traits(alerts), src="checkout", dst="orders-db").speaks
    ('1 alert of checkout says that orders-db was called, on 2026-03-01', 'orders-db is a store, which calls no one')
    """
    told = [words for _, words in words_by_source(claims, traits, src=src, dst=dst)]
    return PairWords(
        tuple(text for words in told for text in words.speaks), tuple(text for words in told for text in words.against)
    )


def words_by_source(claims: pd.DataFrame, traits: pd.DataFrame, *, src: str, dst: str) -> list[tuple[str, PairWords]]:
    """Return what `words_for` says, by source, the most telling first; sources that say nothing are left out."""
    between = resolve_names(claims, [src, dst])
    of_both = traits[traits["node"].isin((src, dst))].assign(trait=lambda t: t["trait"].astype("str"))
    found: dict[str, tuple[list[str], list[str]]] = {}
    for source, (group, undirected) in _SOURCES.items():
        told = between[between["source"] == source]
        forth, back = told[told["src"] == src], told[told["src"] == dst]
        speaks, against = found.setdefault(group, ([], []))
        speaks += _counted(source, told if undirected else forth, src, dst)
        against += [] if undirected else _counted(source, back, dst, src)
    found["teams"] = _teams(of_both, src, dst)
    found["roles"] = _of_roles(of_both, src, dst)
    shared = sorted(words_of(src) & words_of(dst))
    found["names"] = ([f"their names share {_listing(shared)}"] if shared else [], [])
    return [
        (group, PairWords(tuple(speaks), tuple(against)))
        for group, (speaks, against) in found.items()
        if speaks or against
    ]


def _counted(source: str, claims: pd.DataFrame, src: str, dst: str) -> list[str]:
    count = int(claims["count"].sum())
    if not count:
        return []
    said = _SAYS[source][count > 1].format(n=f"{count:,}", src=src, dst=dst)
    if "slice" not in claims:
        return [said]
    return [f"{said}, {'the last ' if count > 1 else ''}on {claims['slice'].max():%Y-%m-%d}"]


def _teams(traits: pd.DataFrame, src: str, dst: str) -> tuple[list[str], list[str]]:
    teams = traits[traits["trait"].str.startswith("team:")]
    of = {name: set(teams.loc[teams["node"] == name, "trait"].str.removeprefix("team:")) for name in (src, dst)}
    if not of[src] or not of[dst]:
        return [], []
    if both := sorted(of[src] & of[dst]):
        return [f"both page {_listing(both)}"], []
    return [], [f"{src} pages {_listing(sorted(of[src]))} and {dst} {_listing(sorted(of[dst]))}"]


def _of_roles(traits: pd.DataFrame, src: str, dst: str) -> tuple[list[str], list[str]]:
    caller, callee = roles(traits, pd.Index([src, dst]))
    speaks, against = [], []
    if caller in PASSIVE:
        against.append(f"{src} is {_ROLE[caller]}, which calls no one")
    elif callee in PASSIVE:
        speaks.append(f"{dst} is {_ROLE[callee]}, which calls no one")
    if callee == "edge" and caller != "edge":
        against.append(f"{dst} is {_ROLE['edge']}, which services hardly call")
    elif caller == "edge" and callee not in ("edge", *PASSIVE):
        speaks.append(f"{src} is {_ROLE['edge']}, which calls services")
    return speaks, against


def _listing(names: list[str]) -> str:
    more = len(names) - _LISTED
    return ", ".join(names[:_LISTED]) + (f" and {more} more" if more > 0 else "")
