from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

from stanza_lab.errors import SchemaError
from stanza_lab.reliability.quieter.worth import judge
from tests.reliability.quieter.histories import alert, table

# 0, 1: an incident of two rules; 2: alone, taken and long; 3: alone and taken; 4: alone and critical; 5, 6: of one rule
ALERTS = table(
    [
        alert("a", 0, incident=7), alert("b", 0, incident=7), alert("a", 1), alert("a", 2),
        alert("b", 3, severity="critical"), alert("a", 4, incident=9), alert("a", 4, incident=9),
    ]
).assign(
    taken=[False, False, True, True, False, False, False],
    handled=[False, False, True, False, False, False, False],
    page_at=pd.to_datetime(["2026-03-02T12:00Z", None, None, None, None, None, None], utc=True),
)  # fmt: skip
RULE = np.array([0, 1, 0, 0, 1, 0, 0])


@pytest.mark.parametrize(
    ("worth", "answers", "real"),
    [
        ("auto", True, [True, True, False, False, False]),
        ("auto", False, [True, False, False, True, False]),
        ("handled", True, [False, True, False, False, False]),
        ("acknowledged", True, [False, True, True, False, False]),
        ("severity", True, [False, False, False, True, False]),
        ("incident", True, [True, False, False, False, False]),
        ("every", True, [True, False, False, False, False]),
    ],
)
def test_what_counts_as_real(worth: str, answers: bool, real: list[bool]) -> None:
    judged = judge(ALERTS, RULE, worth, answers=answers)
    assert judged.unit.tolist() == [0, 0, 1, 2, 3, 4, 4]
    assert judged.real.tolist() == real
    assert [bool(why) for why in judged.why] == real
    assert judged.definition.startswith("an incident counts as real when ")


def test_labels_make_the_incidents_and_the_rest_is_guessed_and_counted() -> None:
    labels = pd.DataFrame({"alert_id": ["a0", "a2", "a3", "a5"], "incident_id": ["I", "I", None, None]})
    judged = judge(ALERTS, RULE, labels, answers=True)
    # a0 and a2 are one incident; a1 stays in its cluster, of which nothing is told and one rule is left
    assert judged.unit.tolist() == [0, 1, 0, 2, 3, 4, 5]
    assert judged.real.tolist() == [True, False, False, False, False, False]
    assert "Of 3 of 6 incidents" in judged.cautions[0]


def test_tags_of_opsweekly_say_what_was_acted_on() -> None:
    tags = pd.Series(["issue", "checkfaulty", "viewissue", "na"], index=["a4", "a0", "a3", "a2"])
    judged = judge(ALERTS, RULE, tags, answers=True)
    assert judged.real.tolist() == [False, True, True, True, False]  # unit 1 is not told of, and was handled
    bools = judge(ALERTS, RULE, pd.Series([True], index=["a6"]), answers=False)
    assert bools.real.tolist()[-1]


def test_tags_about_other_alerts_are_refused() -> None:
    with pytest.raises(SchemaError, match="its index must be alert_id"):
        judge(ALERTS, RULE, pd.Series(["issue"], index=["zzz"]), answers=True)
