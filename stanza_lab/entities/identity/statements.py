"""Who calls what how: every name of a service with the places that state it, and what stands beside it there."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
import numpy.typing as npt
import pandas as pd
from scipy import sparse

from stanza_lab.entities.extraction.scan import spread
from stanza_lab.entities.identity.parts import Parts, parts_of

if TYPE_CHECKING:
    from stanza_lab.entities.evidence import Codes, Evidence
    from stanza_lab.entities.extraction.fields import Reading

Floats = npt.NDArray[np.float64]
Mask = npt.NDArray[np.bool_]

_OWN = ("field", "tag", "dimension", "pod", "arn-name", "key-value")  # a name that merely occurs may be another's
_SPECIFIC = 8  # a host or trace that more names share tells nothing about any two
_NAMED_AT_ONCE = 20  # an alert that names more services says nothing of any two
_FEW = 10  # names a system must have before a beginning of any word counts as its convention
_MOST = 0.5  # share of them that have a word
_CATALOGUE, _TRACES = "catalogue", "traces"


@dataclass(frozen=True)
class Statements:
    """What the alerts state about names of services.

    Attributes
    ----------
    names : list of str
        Every name, each in one spelling.
    parts : list of Parts
        The parts of each name.
    places : list of str
        Where names stand: a system and its field.
    exclusive : ndarray of bool, shape (places,)
        Whether a place has one name for one service: a system's own field, a kind of resource, the catalogue, traces.
        Tags may carry what other systems call it.
    counts : sparse array, shape (names, places)
        Alerts that state the name there.
    first, last : ndarray, shape (names, places)
        Microseconds since 1970 of the first and last of them; nan where there is none with a time.
    together : sparse array, shape (names, names)
        Alerts that state both.
    beside : sparse array, shape (names, places)
        Alerts that state the name and, there, any name.
    shared : sparse array, shape (names, things)
        Alerts of each name that carry each host, pod or other resource which few names share.
    traced : sparse array, shape (names, things)
        The same of trace ids.
    """

    names: list[str]
    parts: list[Parts]
    places: list[str]
    exclusive: Mask
    counts: sparse.csr_array
    first: Floats
    last: Floats
    together: sparse.csr_array
    beside: sparse.csr_array
    shared: sparse.csr_array
    traced: sparse.csr_array

    @property
    def owned(self) -> sparse.csr_array:
        """Return which name stands in which exclusive place, as 1."""
        table = ((self.counts > 0).astype(np.float64) @ sparse.diags_array(self.exclusive.astype(np.float64))).tocsr()
        table.eliminate_zeros()
        return table


def gather(evidence: Evidence, *, traced: dict[str, list[str]] | None = None) -> Statements:
    """Collect what a table of alerts says of its services' names.

    Parameters
    ----------
    evidence : Evidence
        The readings of the table.
    traced : dict of str to list of str, optional
        Trace ids of every service that spans name.
    """
    canonical = evidence.spelled.canonical
    told = _stated(evidence)
    told = told.assign(name=[canonical(name) for name in told["name"]]).drop_duplicates(ignore_index=True)
    listed = {canonical(name) for name in evidence.catalog["service"].dropna()}
    spans = {canonical(name): ids for name, ids in (traced or {}).items()}
    known = sorted({*told["name"], *listed, *spans})
    number = {name: k for k, name in enumerate(known)}
    name = told["name"].map(number).to_numpy(np.int64)
    words = [*sorted(set(told["place"])), _CATALOGUE, _TRACES]
    place = told["place"].map({word: k for k, word in enumerate(words)}).to_numpy(np.int64)
    row = told["row"].to_numpy(np.int64)
    weight = evidence.weight[row].astype(np.float64)
    shape = (len(known), len(words))
    extra = [(number[n], words.index(_CATALOGUE)) for n in sorted(listed)]
    extra += [(number[n], words.index(_TRACES)) for n in sorted(spans)]
    counts = sparse.coo_array(
        (
            np.concatenate([weight, np.ones(len(extra))]),
            (np.append(name, [a for a, _ in extra]), np.append(place, [b for _, b in extra])),
        ),
        shape=shape,
    ).tocsr()
    first, last = np.full(shape, np.nan), np.full(shape, np.nan)
    first_seen, last_seen = evidence.seen()
    np.fmin.at(first, (name, place), first_seen[row])
    np.fmax.at(last, (name, place), last_seen[row])
    says = _table(row, name, (evidence.rows, len(known)))
    says = (sparse.diags_array((np.diff(says.indptr) <= _NAMED_AT_ONCE).astype(np.float64)) @ says).tocsr()
    says.eliminate_zeros()
    own = told[told["own"]]
    systems = own["place"].str.split(" ").str[0]
    users = {str(system): {number[n] for n in names} for system, names in own["name"].groupby(systems, sort=True)}
    users |= {_CATALOGUE: {number[n] for n in listed}, _TRACES: {number[n] for n in spans}}
    owned = {place for place, own in zip(told["place"], told["own"], strict=True) if own}
    weighted = (says.T @ sparse.diags_array(evidence.weight.astype(np.float64))).tocsr()
    return Statements(
        names=known,
        parts=_conventional(known, [parts_of(n) for n in known], users),
        places=words,
        exclusive=np.array([word in owned or word in (_CATALOGUE, _TRACES) for word in words]),
        counts=counts,
        first=first,
        last=last,
        together=(weighted @ says).tocsr(),
        beside=(weighted @ _table(row, place, (evidence.rows, len(words)))).tocsr(),
        shared=_carried(says, *_resources(evidence)),
        traced=_carried(says, *evidence.traces(), spans={number[n]: ids for n, ids in spans.items()}),
    )


def _stated(evidence: Evidence) -> pd.DataFrame:
    """Return everything that says whose alert one is: row, name, place, whether it is the system's own."""
    told = []
    systems = [system or "alerts" for system in evidence.systems]
    for column in evidence.columns:
        said = [
            [(r.name, *_place(column, r)) for r in readings if r.kind == "service" and r.method in _OWN]
            for readings in evidence.stated(column)
        ]
        row, which = _spread(evidence.columns[column].codes, said)
        flat = pd.DataFrame([each for of_value in said for each in of_value], columns=["name", "at", "own"])
        flat = flat.iloc[which].reset_index(drop=True)
        place = [f"{systems[r]} {at}" for r, at in zip(row.tolist(), flat["at"], strict=True)]
        told.append(flat.assign(row=row, place=place))
    whole = pd.concat(told) if told else pd.DataFrame(columns=["name", "own", "row", "place"])
    told_as = whole.astype({"row": "int64", "name": "str", "place": "str", "own": "bool"})
    return told_as[["row", "name", "place", "own"]].reset_index(drop=True)


def _spread(codes: Codes, said: Sequence[Sequence[object]]) -> tuple[Codes, Codes]:
    """Return row and position of everything that rows say, where value k says `said[k]` and positions run through."""
    return spread(codes, np.array([*map(len, said), 0], dtype=np.int64))


def _place(column: str, reading: Reading) -> tuple[str, bool]:
    """Return where in a system's alerts a name stands, and whether the system itself gives it there."""
    if reading.resource and reading.method == "arn-name":
        return reading.resource.type, True
    return f"{column}.{reading.at}" if reading.at else column, column == "service" or reading.method == "dimension"


def _table(row: Codes, column: Codes, shape: tuple[int, int]) -> sparse.csr_array:
    """Return the table that is 1 where a row has a column, however often it says so."""
    table = sparse.coo_array((np.ones(len(row)), (row, column)), shape=shape).tocsr()
    table.data[:] = 1
    return table


def _carried(
    says: sparse.csr_array, row: Codes, things: Sequence[str], *, spans: Mapping[int, Sequence[str]] | None = None
) -> sparse.csr_array:
    """Return the names' table of things, without what too many names carry or only one does."""
    more = [(name, thing) for name, ids in (spans or {}).items() for thing in ids]
    column, words = pd.factorize(np.array([*things, *(thing for _, thing in more), None], dtype=object)[:-1])
    by_name = says.T @ _table(row, column[: len(row)], (says.shape[0], len(words)))
    if more:
        by_name += _table(np.array([n for n, _ in more]), column[len(row) :], (says.shape[1], len(words)))
    carried = by_name.tocsc()
    names = np.diff(carried.indptr)
    return carried[:, np.flatnonzero((names > 1) & (names <= _SPECIFIC))].tocsr()


def _resources(evidence: Evidence) -> tuple[Codes, list[str]]:
    """Return distinct rows and the hosts, pods and instances they carry; what people named may stand for a service."""
    rows, things = [np.zeros(0, np.int64)], []
    for column in evidence.columns.values():
        said = [
            [r.resource.arn or r.name for r in readings if r.resource and not r.resource.named and r.kind == "resource"]
            for readings in column.readings
        ]
        row, which = _spread(column.codes, said)
        rows.append(row)
        flat = [each for of_value in said for each in of_value]
        things += [flat[k] for k in which.tolist()]
    return np.concatenate(rows), things


def _conventional(names: list[str], parts: list[Parts], users: Mapping[str, set[int]]) -> list[Parts]:
    """Return the parts without the words that a system adds to most of its names: one before them, any that is soft.

    Before them only what no other system puts there. Behind, most names of databases say db, which is no convention.
    """
    many = {system: numbers for system, numbers in users.items() if len(numbers) >= _FEW}
    begin = {
        system: Counter(parts[k].core[0] for k in sorted(numbers) if len(parts[k].core) > 1)
        for system, numbers in many.items()
    }
    found: dict[int, set[str]] = {}
    for system, numbers in users.items():
        soft = Counter(word for k in sorted(numbers) for word in sorted(parts[k].soft))
        words = {word for word, times in soft.items() if times > _MOST * len(numbers)}
        for word, times in begin[system].most_common(1) if system in many else ():
            others = max((begin[s][word] / len(many[s]) for s in many if s != system), default=0.0)
            if times > _MOST * len(numbers) and others < _MOST * times / len(numbers):
                words.add(word)
        for number in numbers if words else ():
            found.setdefault(number, set()).update(words)
    return [parts_of(name, frozenset(found[k])) if k in found else parts[k] for k, name in enumerate(names)]
