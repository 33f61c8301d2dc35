from __future__ import annotations

import pandas as pd
import pytest

from stanza_lab.reliability.quieter import patching, terms, tune_down
from tests.reliability.quieter.histories import alert, table


def edit(
    source: str, change: str, key: str = "k", labels: dict[str, object] | None = None, **more: object
) -> terms.Edit:
    row = {"source": source, "change": change, "rule_key": key, "seconds": 600, "by": "service", "value": "10min"}
    return terms.edit(row | {"only_rule": False} | more, labels or {}, "errors (shop)")


@pytest.mark.parametrize(
    ("source", "change", "said"),
    [
        ("datadog", "hold", "options.thresholds.critical"),
        ("datadog", "debounce", "Datadog has no hold of 10 min before a monitor recovers"),
        ("cloudwatch", "hold", "EvaluationPeriods` and `DatapointsToAlarm` each by 600 s"),
        ("cloudwatch", "group", "ActionsSuppressorExtensionPeriod: 600"),
        ("alertmanager", "hold", "`for:` of the alerting rule 10m longer"),
        ("prometheus", "debounce", "keep_firing_for: 10m"),
        ("grafana", "group", "group_by: [service]"),
        ("sentry", "debounce", "`frequency` of the alert rule to 10"),
        ("pagerduty", "notify", "urgency `low`"),
        ("pagerduty", "group", "time_window: 600"),
        ("nagios", "delete", "Delete the rule"),
    ],
)
def test_each_tool_in_its_own_terms(source: str, change: str, said: str) -> None:
    assert said in edit(source, change).edit


def test_every_tool_knows_every_change() -> None:
    for source in (*terms._TERMS, "something else"):
        for change in terms._GENERAL:
            found = edit(source, change)
            assert found.edit
            assert "{" not in found.edit.replace("{}", "")


def test_ids_come_from_the_alert() -> None:
    arn = "arn:aws:cloudwatch:eu-west-1:111122223333:alarm:db-cpu"
    assert edit("datadog", "hold", "42|service:x", {"query": "avg(last_5m):a > 1"}) == terms.Edit(
        "monitor 42, group service:x",
        edit("datadog", "hold").edit,
        edit("datadog", "hold").look
        + " The monitor watches several groups: this was tried for the one named only."
        + " Its query is: avg(last_5m):a > 1",
    )
    assert edit("cloudwatch", "hold", arn, {"region": "eu-west-1"}).where == "alarm db-cpu in eu-west-1"
    assert edit("sentry", "hold", "8", {"rule": "All", "project": "4"}).where == "issue 8, alert rule 'All', project 4"
    assert edit("pagerduty", "hold", "PSVC1|k").where == "service PSVC1, key k"
    assert "How this is written in nagios is not known here" in edit("nagios", "hold").look


def test_no_cell_is_a_formula() -> None:
    assert [patching.cell(v) for v in ("=1+1", "@x", "-2", "a\nb", 3, ["=a", "b"])] == [
        "'=1+1", "'@x", "'-2", "a b", 3, "'=a; b",
    ]  # fmt: skip


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("<img src=x>", "&lt;img src=x\\&gt;"),
        ("[a](javascript:x)", "\\[a\\]\\(javascript:x\\)"),
        ("a\n# b", "a \\# b"),
        ("see https://x.example", "see https:&#47;&#47;x\\.example"),
        (None, ""),
    ],
)
def test_markdown_shows_text_as_it_is(text: str | None, shown: str) -> None:
    assert patching.plain(text) == shown.replace("\\&gt;", "\\&gt;")


def test_the_list_holds_what_is_safe_and_is_harmless() -> None:
    rows = [alert("=cmd|' /C calc'!A0", day + 0.3, minutes=2, service="<b>shop") for day in range(20)]
    rows += [alert(name, day, incident=day) for day in range(0, 20, 2) for name in ("errors", "latency")]
    tuned = tune_down(table(rows))
    assert tuned.patches["number"].tolist() == list(range(1, len(tuned.patches) + 1))
    assert "=cmd|' /C calc'!A0" in set(tuned.patches["rule"])
    lines = tuned.to_csv().splitlines()
    assert not any(cell.startswith("=") for line in lines for cell in line.split(","))
    told = tuned.to_markdown()
    assert "<b>" not in told
    assert "Nothing here was applied" in told


def test_a_rule_whose_tool_is_not_known_says_so() -> None:
    row = {
        "source": float("nan"),
        "change": "delete",
        "rule_key": "r",
        "seconds": 0,
        "by": "",
        "value": "",
        "only_rule": 0,
    }
    said = terms.edit(row, {}, "")
    assert said.edit == "Delete the rule, or switch it off."
    assert said.look.endswith("How this is written in its tool is not known here.")


def test_broken_labels_do_no_harm() -> None:
    rows = [alert("noise", day, minutes=2, labels="{broken") for day in range(20)]
    rows += [alert("errors", day + 0.4, minutes=60, severity="info") for day in range(20)]
    tuned = tune_down(table(rows))
    assert isinstance(tuned.patches, pd.DataFrame)
    assert len(tuned.patches) == 1
