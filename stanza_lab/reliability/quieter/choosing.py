"""Which change to try on which rule: chosen on the earlier part of a history alone, then measured on the later."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

import numpy as np

from stanza_lab.reliability.quieter.record import KEYS, NEVER
from stanza_lab.reliability.quieter.trying import DEBOUNCES_S, GROUPS_S, HOLDS_S, KINDS, SILENT, Change, Effect, State

if TYPE_CHECKING:
    from collections.abc import Iterable

    from stanza_lab.reliability.quieter.record import Ints, Record

ENOUGH = 0.9  # of the pages that the strongest change saves: a gentler one that saves so many is preferred
_BEYOND = 30  # steps shown after the last that is proposed


class Option(NamedTuple):
    """A change of a rule that missed nothing on the earlier part, and its effect alone."""

    rule: int
    change: Change
    effect: Effect


class Kept(NamedTuple):
    """A loud rule of which no change was safe, and why."""

    rule: int
    pages: int  # on the earlier part
    alone: int  # real incidents of the earlier part that nobody would be paged for without it
    units: Ints  # these


class Step(NamedTuple):
    """A change taken on top of those before, and what all so far come to."""

    option: Option  # its effect: on top of those before
    promised: int  # pages saved on the earlier part
    pages_saved: int  # on the later
    missed: Ints  # units of the later part
    late: int  # real incidents of the later part that somebody is paged for later
    later_max_s: float
    hit: int  # real incidents of the later part that somebody was paged for
    proposed: bool  # False: it would miss something on the earlier part; there to see what more would cost


class Choice(NamedTuple):
    """What may be changed, rule by rule, and what may not."""

    options: dict[int, list[Option]]  # the best first; empty where none is safe
    unsafe: dict[int, list[Option]]  # what was tried and would have missed something on the earlier part
    kept: list[Kept]
    refused: int  # rules with too few pages
    quiet: int  # rules that never paged
    unheard: int  # loud rules beyond `top`


def choose(record: Record, state: State, *, min_support: int, top: int) -> Choice:
    """Return the changes of each rule that save `min_support` pages or more and miss nothing on the earlier part."""
    early = record.earlier[record.unit] & (record.page < NEVER)
    pages = np.bincount(record.rule[early], minlength=len(record.rules))
    order = np.lexsort((record.rules["rule_key"].to_numpy(dtype=object), -pages))
    loud = order[pages[order] >= min_support]
    witnesses = Witnesses(record)
    options: dict[int, list[Option]] = {}
    unsafe: dict[int, list[Option]] = {}
    kept = []
    for rule in loud[:top].tolist():
        options[rule], unsafe[rule] = _options(record, state, rule, min_support=min_support, only=witnesses.last(rule))
        if not options[rule]:
            sole = state.effect(rule, Change("delete"))
            units = sole.units[sole.missed & record.earlier[sole.units]]
            kept.append(Kept(rule, int(pages[rule]), len(units), units))
    few = int(((pages > 0) & (pages < min_support)).sum())
    return Choice(options, unsafe, kept, few, int((pages == 0).sum()), len(loud[top:]))


class Witnesses:
    """Which rules page for which services on the earlier part: the last of a service is not silenced."""

    def __init__(self, record: Record) -> None:
        early = record.earlier[record.unit] & (record.page < NEVER)
        wide = len(record.rules)
        pairs = np.unique((record.keys["service"][early] + 1) * wide + record.rule[early])
        self._services: dict[int, list[int]] = {}
        self._pagers: dict[int, set[int]] = {}
        for service, rule in zip((pairs // wide).tolist(), (pairs % wide).tolist(), strict=True):
            self._services.setdefault(rule, []).append(service)
            self._pagers.setdefault(service, set()).add(rule)

    def last(self, rule: int) -> bool:
        """Return whether a service has no other rule left that pages."""
        return any(self._pagers[service] <= {rule} for service in self._services.get(rule, ()))

    def silence(self, rule: int) -> None:
        """Take note that a rule pages no more."""
        for service in self._services.get(rule, ()):
            self._pagers[service].discard(rule)


def combine(record: Record, choice: Choice, *, max_later: int, min_support: int) -> list[Step]:
    """Return the changes to take together, in the order taken, with what all so far come to.

    Greedy: the change that saves most alone comes first; each is tried on top of all taken before, and left where it
    would then miss something on the earlier part, or save too little; then the next best of its rule is tried. After
    them come some that would have missed something, the cheapest first: not to be taken, but to see what more costs.
    """
    state = State(record, max_later=max_later)
    some_safe = [some for some in choice.options.values() if some]
    ranked = sorted(some_safe, key=lambda some: (-some[0].effect.earlier.pages_saved, some[0].rule))
    steps: list[Step] = []
    witnesses = Witnesses(record)
    for some in ranked:
        for option in some:
            if option.change.kind in SILENT and witnesses.last(option.rule):
                continue
            effect = state.effect(option.rule, option.change)
            if effect.earlier.missed == 0 and effect.earlier.pages_saved >= min_support:
                if option.change.kind in SILENT:
                    witnesses.silence(option.rule)
                state.take(option.rule, option.change, effect)
                steps.append(_step(record, state, option._replace(effect=effect), proposed=True))
                break
    done = {step.option.rule for step in steps}
    left = [rule for rule in choice.options if rule not in done]
    dear = [_cheapest(state, [*choice.options[rule], *choice.unsafe[rule]]) for rule in left]
    known = [option for option in dear if option is not None]
    for option in sorted(known, key=lambda option: (_price(option), option.rule))[:_BEYOND]:
        effect = state.effect(option.rule, option.change)
        state.take(option.rule, option.change, effect)
        steps.append(_step(record, state, option._replace(effect=effect), proposed=False))
    return steps


def only(record: Record, options: Iterable[Option], *, max_later: int) -> tuple[int, int]:
    """Return pages saved and real incidents missed on the later part by just these changes together."""
    state = State(record, max_later=max_later)
    for option in options:
        state.take(option.rule, option.change, state.effect(option.rule, option.change))
    later = ~record.earlier[record.unit] & (record.page < NEVER)
    return int((later & (state.page == NEVER)).sum()), int((state.missed & ~record.earlier).sum())


def _cheapest(state: State, some: list[Option]) -> Option | None:
    """Return the change of a rule that misses least for each page saved, on top of those taken."""
    anew = [option._replace(effect=state.effect(option.rule, option.change)) for option in some]
    return min((option for option in anew if option.effect.earlier.pages_saved > 0), key=_price, default=None)


def _step(record: Record, state: State, option: Option, *, proposed: bool) -> Step:
    saved = (record.page < NEVER) & (state.page == NEVER)
    early = record.earlier[record.unit]
    later, waits = state.missed & ~record.earlier, state.late[~record.earlier]
    return Step(
        option=option,
        promised=int((saved & early).sum()),
        pages_saved=int((saved & ~early).sum()),
        missed=np.flatnonzero(later),
        late=int((waits > 0).sum()),
        later_max_s=float(waits.max(initial=0.0)),
        hit=int((record.real & ~record.earlier & (record.first < NEVER)).sum()),
        proposed=proposed,
    )


def _options(
    record: Record, state: State, rule: int, *, min_support: int, only: bool
) -> tuple[list[Option], list[Option]]:
    """Return the changes of one rule that miss nothing on the earlier part, the best first, and those that would."""
    found, unsafe = [], []
    for kind in KINDS:
        values = _values(record, rule, kind, max_later=state.max_later)
        tried = [Option(rule, change, state.effect(rule, change)) for change in values]
        tried = [option for option in tried if option.effect.earlier.pages_saved >= min_support]
        safe = [option for option in tried if not option.effect.earlier.missed]
        if safe and not (kind in SILENT and only):  # without it nobody would be paged for its service
            found.append(max(safe, key=lambda option: option.effect.earlier.pages_saved))
        elif tried and kind != "delete":  # costs the same as notify
            unsafe.append(min(tried, key=_price))
    most = max((option.effect.earlier.pages_saved for option in found), default=0)
    return sorted(found, key=lambda option: _rank(record, option, most)), unsafe


def _price(option: Option) -> tuple[float, int]:
    """Return the real incidents missed for each page saved on the earlier part."""
    early = option.effect.earlier
    return early.missed / early.pages_saved, -early.pages_saved


def _rank(record: Record, option: Option, most: int) -> tuple[bool, int, int]:
    """Return where an option stands: of those that save about as much as any, the gentlest."""
    saved = option.effect.earlier.pages_saved
    much = saved >= ENOUGH * most
    gentle = KINDS.index(option.change.kind)
    if option.change.kind == "delete" and useless(record, option.rule):
        gentle = KINDS.index("notify") - 1  # it never said anything of a real incident: why keep it
        return not much, gentle, 0
    return not much, gentle if much else 0, -saved


def useless(record: Record, rule: int) -> bool:
    """Return whether no alert of the rule belonged to a real incident of the earlier part."""
    units = record.unit[record.by_rule.of(rule)]
    return not bool((record.real & record.earlier)[units].any())


def _values(record: Record, rule: int, kind: str, *, max_later: int) -> list[Change]:
    if kind == "hold":
        # Held back longer than that, it would be no witness in time of whatever comes.
        ended = (record.end[record.by_rule.of(rule)] < NEVER).any()
        return [Change(kind, long) for long in HOLDS_S if long <= max_later] if ended else []
    if kind == "debounce":
        return [Change(kind, long) for long in DEBOUNCES_S]
    if kind == "group":
        return [Change(kind, long, by) for by in KEYS for long in GROUPS_S]
    return [Change(kind)]


def pages_of(record: Record) -> Ints:
    """Return the pages of each rule on the later part."""
    late = ~record.earlier[record.unit] & (record.page < NEVER)
    return np.bincount(record.rule[late], minlength=len(record.rules))
