"""Guardrails: each stands alone, and what cannot be judged does not hold."""

from __future__ import annotations

from typing import Any

import pandas as pd
import pytest

from stanza_lab.patterns.reactions.guardrails import Guardrails, Touched, blocked, judge, risk_now
from stanza_lab.patterns.reactions.reaction import Reaction
from stanza_lab.production.door.pattern import Pattern

MIN = pd.Timedelta("1min")


def reaction(action: str = "restart", *, risk: str = "low", shared: tuple[str, ...] = (), **rails: Any) -> Reaction:
    when = Pattern(service=("db",))
    return Reaction("R", "shop", action, "c", risk, when=when, shared_with=shared, guardrails=Guardrails(**rails))


def stands_against(one: Reaction, **changed: Any) -> str:
    usual: dict[str, Any] = {
        "target": "db", "team": "shop", "confidence": 0.9, "touched": Touched(), "since_last": None,
    }  # fmt: skip
    return blocked(judge(one, **usual | changed))


def test_nothing_stands_against_a_harmless_sure_reaction() -> None:
    assert stands_against(reaction()) == ""


@pytest.mark.parametrize(
    ("one", "changed", "said"),
    [
        (reaction(), {"target": ""}, "target: no service could be named (where it fits)"),
        (reaction(), {"team": "ops"}, "sharing: team shop does not share it with ops"),
        (reaction(min_confidence=0.7), {"confidence": 0.69}, "confidence: 0.69, asked for 0.7"),
        (reaction(), {"confidence": float("nan")}, "confidence: not known, asked for 0.5"),
        (
            reaction(max_blast_radius=1),
            {"touched": Touched(("a", "b"))},
            "blast radius: 2 services would be touched (a, b), at most 1 allowed",
        ),
        (
            reaction(max_blast_radius=9),
            {"touched": Touched(known=False)},
            "blast radius: whom it would touch is not known, so its limit cannot be checked",
        ),
        (
            reaction(max_risk="low"),
            {"touched": Touched(("a",), ("ops",))},
            "risk: medium: stated low, and it touches team ops; at most low allowed",
        ),
        (
            reaction(max_risk="low"),
            {"touched": Touched(known=False)},
            "risk: medium: stated low, and whom it would touch is not known; at most low allowed",
        ),
        (
            reaction(cool_down=30 * MIN),
            {"since_last": 29 * MIN},
            "cool-down: done 29 min ago, again after 30 min at the soonest",
        ),
    ],
)
def test_each_guardrail_blocks_with_its_reason(one: Reaction, changed: dict[str, Any], said: str) -> None:
    assert stands_against(one, **changed) == said


@pytest.mark.parametrize(
    ("one", "changed"),
    [
        (reaction(min_confidence=0.7), {"confidence": 0.7}),
        (reaction(max_blast_radius=2), {"touched": Touched(("a", "b"))}),
        (reaction(cool_down=30 * MIN), {"since_last": 30 * MIN}),
        (reaction(shared=("o*",)), {"team": "ops"}),
        (reaction(shared=("*",)), {"team": ""}),
        (reaction(), {"team": ""}),  # its owner is not known, and the reaction names the service
        (reaction(max_risk="low"), {"touched": Touched(("a",))}),  # its own team's
    ],
)
def test_at_the_limit_it_holds(one: Reaction, changed: dict[str, Any]) -> None:
    assert stands_against(one, **changed) == ""


def test_an_owner_nobody_knows_and_no_name_blocks() -> None:
    assert "pass ownership=" in stands_against(reaction(), target="other", team="")


def test_risk_rises_by_one_step_and_not_where_nothing_is_touched() -> None:
    others = Touched(("a",), ("ops",))
    assert [risk_now(reaction(risk=risk), others)[0] for risk in ("low", "medium", "high")] == [
        "medium",
        "high",
        "high",
    ]
    assert risk_now(reaction("page_team"), Touched(known=False))[0] == "low"
