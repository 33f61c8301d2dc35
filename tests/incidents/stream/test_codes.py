from __future__ import annotations

from stanza_lab.incidents.stream import codes
from stanza_lab.incidents.stream.codes import Names


def test_learned_names_keep_their_codes_and_new_ones_follow():
    names = Names(["a", "b"])
    assert [names[name] for name in ("b", "x", "a", "y", "x")] == [1, 2, 0, 3, 2]


def test_the_name_not_seen_for_longest_is_forgotten_first(monkeypatch):
    monkeypatch.setattr(codes, "MOST", 2)
    names = Names()
    assert [names[name] for name in ("x", "y", "x", "z", "x", "y")] == [0, 1, 0, 2, 0, 3]


def test_names_go_on_after_a_break():
    names, again = Names(["a"]), Names(["a"])
    names["x"], names["y"]
    again.resume(names.state())
    assert [again[name] for name in ("y", "z", "a")] == [2, 3, 0]
