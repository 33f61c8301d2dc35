"""What a reaction may do, with which parameters, and whether acting touches production at all."""

from __future__ import annotations

import re
from dataclasses import dataclass


@dataclass(frozen=True)
class Action:
    """One kind of action: what it does in words, its parameters, and those it cannot do without."""

    words: str
    params: tuple[str, ...] = ()
    need: tuple[str, ...] = ()
    touches: bool = True  # production changes: what depends on the target may notice
    ends_trouble: bool = True  # may shorten an incident


ACTIONS: dict[str, Action] = {
    "restart": Action("restart", ("how",)),
    "roll_back": Action("roll back", ("to",)),
    "shift_traffic": Action("shift traffic away from", ("to", "percent"), ("to",)),
    "scale": Action("scale", ("to",), ("to",)),
    "shed_load": Action("shed load at", ("percent",), ("percent",)),
    "degrade": Action("degrade gracefully", ("feature",), ("feature",)),
    "silence": Action("silence alerts of", ("alert", "for"), ("for",), touches=False, ends_trouble=False),
    "page_team": Action("page a team about", ("team",), ("team",), touches=False),
}
PERCENT, DURATION = "percent", "for"  # parameters that are not just text
RISKS = ("low", "medium", "high")
APPROVALS = ("human", "none")
ORIGIN, FIRST_MOVER = "origin", "first mover"
EVERYBODY = "*"
SERVICE = re.compile(r"(?<![${])\{service\}(?!\})")  # in a command; not ${service} of a shell, not {{service}}
_SAFE = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]*")  # as a word in a shell, and never an option


def said(action: str, target: str, params: dict[str, str]) -> str:
    """Return an action in words: "shift traffic away from orders-api (to: zone b)"."""
    more = "; ".join(f"{name}: {value}" for name, value in params.items())
    return f"{ACTIONS[action].words} {target}" + (f" ({more})" if more else "")


def filled(text: str, target: str) -> str:
    """Return a command with its target for each {service}; as written where the target is no name safe in a shell."""
    return SERVICE.sub(target, text) if _SAFE.fullmatch(target) else text
