from __future__ import annotations

import pandas as pd
import pytest

import stanza_lab as sl
from stanza_lab.errors import SchemaError

ALERTS = pd.DataFrame(
    {
        "incident_id": [0, 0, 1, 1, 2],
        "starts_at": pd.to_datetime(
            ["2026-03-01T02:00Z", "2026-03-01T02:01Z", "2026-03-08T02:00Z", "2026-03-08T02:03Z", "2026-03-09T09:00Z"]
        ),
        "service": ["orders-db", "orders", "orders-db", "web", "search"],
        "alertname": ["High latency", "Error rate", "High latency", "Error rate", "High latency"],
    }
)


def test_each_kind_is_shared_there_only_or_here_only() -> None:
    figure = sl.plot.look_alikes(sl.look_alikes(ALERTS, incident=1, before=True))
    assert figure.layout.yaxis.ticktext == ("orders-db: latency", "web: errors", "orders: errors")
    cells = {trace.name: list(zip(trace.x, trace.y, trace.text, strict=True)) for trace in figure.data}
    assert cells == {
        "shared": [(1, 0, "0 s"), (0, 0, "0 s")],
        "there only": [(1, 2, "+1 min")],
        "here only": [(0, 1, "+3 min")],
    }


def test_columns_say_which_incident_when_and_how_alike() -> None:
    figure = sl.plot.look_alikes(sl.look_alikes(ALERTS, incident=1, before=True))
    assert figure.layout.xaxis.ticktext == (
        "<b>this: 1</b><br>2026-03-08<br>02:00<br>2 alerts",
        "<b>0</b><br>2026-03-01<br>02:00<br>0.20 alike",
    )
    assert figure.layout.title.text == "Incident 1 is most like 0 (0.20 of 1)"
    assert "times are UTC" in figure.layout.annotations[0].text
    assert "orders-db: latency came first in both" in figure.layout.meta["description"]


def test_no_look_alike_is_a_figure_too() -> None:
    figure = sl.plot.look_alikes(sl.look_alikes(ALERTS, incident=0, before=True))
    assert figure.layout.title.text == "Incident 0: nothing alike is known"
    assert len(figure.layout.xaxis.ticktext) == 1


def test_more_kinds_than_rows_are_counted_and_names_escaped() -> None:
    evil = ALERTS.replace({"service": {"orders-db": "<b>x</b>"}})
    figure = sl.plot.look_alikes(sl.look_alikes(evil, incident=1), rows=1)
    assert figure.layout.yaxis.ticktext == ("&lt;b&gt;x&lt;/b&gt;: latency",)
    assert "not shown: 3 kinds" in figure.layout.annotations[0].text
    assert "<b>x" not in str(figure.to_plotly_json()["data"])


def test_what_look_alikes_did_not_return_is_refused() -> None:
    with pytest.raises(SchemaError, match=r"pass sl.look_alikes"):
        sl.plot.look_alikes(ALERTS)
