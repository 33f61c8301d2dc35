from __future__ import annotations

import pandas as pd

from stanza_lab import schema
from stanza_lab.plot import _theme


def test_text_is_escaped_on_one_line_and_shortened_in_its_middle() -> None:
    assert _theme.safe("<b>a</b> &\n b") == "&lt;b&gt;a&lt;/b&gt; &amp; b"
    assert _theme.safe("ts-verification-code-service", limit=16) == "ts-verific…rvice"


def test_hover_leaves_out_what_is_not_known() -> None:
    shown = _theme.hover("<x>", [("team", None), ("lift", float("nan")), ("seen", pd.NaT), ("alerts", 3)])
    assert shown == "<b>&lt;x&gt;</b><br>alerts: 3"


def test_every_severity_has_its_own_colour_and_shape() -> None:
    assert set(_theme.SEVERITY) == set(schema.SEVERITIES)
    assert (
        len({colour for colour, _ in _theme.SEVERITY.values()})
        == len({shape for _, shape in _theme.SEVERITY.values()})
        == 4
    )


def test_styles_are_told_apart_beyond_the_palette() -> None:
    assert len(set(_theme.style(f"team-{i}" for i in range(40)).values())) == 40


def test_times_say_that_they_are_utc() -> None:
    assert _theme.period(pd.Series(pd.to_datetime(["2026-03-01T14:02Z", "2026-03-01T15:00Z"]))) == (
        "2026-03-01 14:02 to 15:00 UTC"
    )


def test_every_figure_says_in_words_what_it_shows() -> None:
    figure = _theme.figure([], title="A &lt;b&gt;", subtitle="<b>One.</b><br>two", plot_height=100, notes=["three"])
    assert figure.layout.meta["description"] == "A ‹b>. One. two. three."


def test_what_a_figure_says_in_words_has_an_end() -> None:
    said = _theme.as_plain(["many words " * 200])
    assert len(said) == 1_000
    assert said.endswith("…")


def test_long_lines_are_broken_at_spaces_and_never_within_a_tag() -> None:
    assert _theme.broken("one two three", 7) == ["one two", "three"]
    assert _theme.broken("one<br>two three", 20) == ["one", "two three"]
    assert _theme.broken("", 5) == [""]
    tagged = 'a <span style="color:#000">b &amp; c</span> d'
    assert _theme.broken(tagged, 9) == [tagged]
    assert _theme.broken(tagged, 7) == ['a <span style="color:#000">b &amp; c</span>', "d"]
    assert _theme.broken("x" * 50, 9) == ["x" * 50]


def test_what_is_broken_gets_the_room_it_takes() -> None:
    short = _theme.figure([], title="t", subtitle="s", plot_height=100)
    long = _theme.figure([], title="t", subtitle="a word " * 30, plot_height=100, notes=["note it " * 20])
    assert long.layout.margin.t > short.layout.margin.t
    assert long.layout.annotations[0].text.count("<br>") == 1
    assert long.layout.height - long.layout.margin.t - long.layout.margin.b == 100
