"""Why one service is said to depend on another: when the two fired, and what each piece of evidence adds."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Protocol

from stanza_lab.errors import SchemaError
from stanza_lab.plot import _theme
from stanza_lab.plot._evidence_steps import (
    AGAINST,
    FOR,
    RIGHT,
    TEXT,
    Step,
    captions,
    step_axes,
    step_traces,
    steps_of,
    threads,
)
from stanza_lab.plot._lag_bars import lag_axes, lag_traces, occasions
from stanza_lab.production import words

if TYPE_CHECKING:
    import pandas as pd
    import plotly.graph_objects as go

_LEFT = (0.0, 0.36)  # of the width
_ROW, _LAGS = 72, 300  # px of a piece of evidence; of the lags at least


class ExplainedDependency(Protocol):
    """What is drawn of an explanation, as ``DependencyModel.explain`` gives it."""

    @property
    def src(self) -> str: ...  # noqa: D102
    @property
    def dst(self) -> str: ...  # noqa: D102
    @property
    def confidence(self) -> float: ...  # noqa: D102
    @property
    def link_confidence(self) -> float: ...  # noqa: D102
    @property
    def lags(self) -> pd.DataFrame: ...  # noqa: D102
    @property
    def shares(self) -> pd.DataFrame: ...  # noqa: D102
    @property
    def occasions_table(self) -> pd.DataFrame: ...  # noqa: D102
    @property
    def reasons_against(self) -> tuple[str, ...]: ...  # noqa: D102


def why_dependency(explanation: ExplainedDependency, *, title: str | None = None) -> go.Figure:
    """Draw why one service is said to depend on another, or why not.

    On the left how often both fired how far apart, beside what chance alone would give; on the right what each piece of
    evidence adds to the log odds that the two are linked, from what was expected before it to the link confidence.

    Parameters
    ----------
    explanation : Explanation
        What ``DependencyModel.explain`` returns. Used are `src`, `dst`, `confidence`, `link_confidence`; `lags` (a row
        per bin: `from_s`, `to_s`, `cofirings`, `expected`; negative: src fired first); `shares` (a row per piece of
        evidence: `source`, `says`, `log_odds`, and `share` if it is there; a source "prior" is where it starts);
        `occasions_table` (`at`, `lag_s`, `src_alert`, `dst_alert`) and `reasons_against`.
    title : str, optional
        Default: what depends on what, and how sure that is.

    Returns
    -------
    plotly.graph_objects.Figure
        Bars of lags are rates, so that bins of unequal width compare. At most 10 pieces of evidence; of more, the
        smallest share a row. At most 500 occasions.

    Raises
    ------
    SchemaError
        A table lacks a column.

    See Also
    --------
    reliability : Whether such confidences come true.

    Examples
    --------
    >>> from types import SimpleNamespace
    >>> import pandas as pd
    >>> import stanza_lab as sl
    >>> explanation = SimpleNamespace(
    ...     src="orders", dst="orders-db", confidence=0.6, link_confidence=0.8,
    ...     lags=pd.DataFrame({"from_s": [-60, 0], "to_s": [0, 60], "cofirings": [2, 9], "expected": [1.0, 1.0]}),
    ...     shares=pd.DataFrame({"source": ["co-firing"], "says": ["11 times together"], "log_odds": [3.0]}),
    ...     occasions_table=pd.DataFrame({"at": [], "lag_s": []}), reasons_against=(),
    ... )
    >>> sl.plot.why_dependency(explanation).layout.title.text
    'orders depends on orders-db: confidence 0.60 (0.80 that they are linked)'
    """
    lags = _numbers(explanation.lags, "lags", ("from_s", "to_s", "cofirings", "expected"))
    log_odds = _numbers(explanation.shares, "shares", ("log_odds",))["log_odds"]
    steps = steps_of(explanation.shares, log_odds=log_odds, link_confidence=explanation.link_confidence)
    high = max(len(steps) * _ROW, _LAGS)
    ends = {"src": explanation.src, "dst": explanation.dst}
    seen = occasions(explanation.occasions_table, lags, **ends)
    against = [_theme.safe(f"Against: {reason}", limit=140) for reason in explanation.reasons_against[:4]]
    figure = _theme.figure(
        [*lag_traces(lags), *([] if seen is None else [seen]), *step_traces(steps)],
        title=_theme.safe(title, limit=160) if title else _headline(explanation),
        subtitle=_legend(explanation, lags),
        plot_height=high + 14,
        notes=against,
        axis=56,
        **lag_axes(lags, **ends, high=high, domain=_LEFT),
        **step_axes(steps),
        shapes=threads(steps),
        showlegend=False,
    )
    figure.layout.annotations = [*figure.layout.annotations, *captions(steps), *_nothing(lags, steps)]
    return figure


def _headline(explanation: ExplainedDependency) -> str:
    src, dst = (_theme.safe(name, limit=28) for name in (explanation.src, explanation.dst))
    linked = f"{explanation.link_confidence:.2f} that they are linked"
    return f"{src} depends on {dst}: confidence {explanation.confidence:.2f} ({linked})"


def _legend(explanation: ExplainedDependency, lags: pd.DataFrame) -> str:
    if not len(lags) and not len(explanation.shares):
        return ""
    src, dst = (_theme.safe(name, limit=28) for name in (explanation.src, explanation.dst))
    total = lags["cofirings"].sum()
    together = f"Left: {words.count(int(total), 'co-firing')}, {lags['expected'].sum():.2g} by chance"
    first = f'<span style="color:{FOR}">{dst} fired first</span>'
    other = f'<span style="color:{TEXT[AGAINST]}">{src} fired first</span>'
    sides = f'<span style="color:{FOR}">speaks for a link</span>, <span style="color:{TEXT[AGAINST]}">against</span>'
    return f"{together}: {first}, {other}, line: chance.<br>Right: each bar starts where the one above ends: {sides}."


def _numbers(table: pd.DataFrame, name: str, needed: tuple[str, ...]) -> pd.DataFrame:
    missing = [column for column in needed if column not in table.columns]
    if missing:
        raise SchemaError(
            f"explanation.{name}: column {missing[0]!r} is missing; columns are {list(map(str, table.columns))}; add it"
        )
    return table[list(needed)].astype("float64").reset_index(drop=True)


def _nothing(lags: pd.DataFrame, steps: list[Step]) -> list[dict[str, Any]]:
    """Return what to say where there is nothing to draw."""
    place = {"xref": "paper", "yref": "paper", "y": 0.5, "showarrow": False, "font": {"color": _theme.FAINT}}
    sides = [(_LEFT, len(lags), "they never fired near each other"), (RIGHT, len(steps), "no evidence to add up")]
    return [place | {"x": sum(side) / 2, "text": text} for side, count, text in sides if not count]
