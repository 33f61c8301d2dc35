"""Chips: pick things by typing a part of their name, and take or leave what is proposed."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from pathlib import Path
from typing import TYPE_CHECKING, Any

import anywidget
import orjson
import traitlets

if TYPE_CHECKING:
    import pandas as pd

_HERE = Path(__file__).parent
_MOST = 12  # proposals shown at once


def _text(name: str) -> str:
    return (_HERE / name).read_text(encoding="utf-8")


class Chips(anywidget.AnyWidget):
    """Pick from a list that the browser searches by itself; `picked` holds [kind, name] of each."""

    _esm = _text("element.js") + _text("chips.js")
    _css = _text("chips.css")
    choices = traitlets.Unicode("[]").tag(sync=True)  # JSON of [kind, name, services, alerts], the largest first
    picked = traitlets.List(traitlets.List(traitlets.Unicode())).tag(sync=True)
    label = traitlets.Unicode("What is yours?").tag(sync=True)
    placeholder = traitlets.Unicode("Type a repository, server, service or team").tag(sync=True)

    def offer(self, choices: pd.DataFrame) -> None:
        """Send what can be picked."""
        counts = (len(services) for services in choices["services"])
        rows = zip(choices["kind"], choices["name"], counts, choices["alerts"].astype("int64"), strict=True)
        self.choices = orjson.dumps([[str(kind), str(name), n, int(a)] for kind, name, n, a in rows]).decode()


class Proposals(anywidget.AnyWidget):
    """Take or leave what is proposed, one row each."""

    _esm = _text("element.js") + _text("proposals.js")
    _css = _text("chips.css")
    proposed = traitlets.Unicode("[]").tag(sync=True)  # JSON of [name, how sure, why]
    title = traitlets.Unicode("").tag(sync=True)
    answer = traitlets.List(traitlets.Unicode()).tag(sync=True)  # name, accept | decline, a number that makes it new
    answers = traitlets.Int(0).tag(sync=True)

    def offer(self, rows: Iterable[tuple[str, str, str]], *, title: str) -> None:
        """Show (name, how sure, why), the likeliest first; the rest follows as these are answered."""
        with self.hold_sync():
            self.proposed = orjson.dumps([list(row) for row in list(rows)[:_MOST]]).decode()
            self.title = title

    def on_answer(self, call: Callable[[str, str], None]) -> None:
        """Call `call` with the name and "accept" or "decline"."""

        def answered(change: Any) -> None:
            if change["new"]:
                call(change["new"][0], change["new"][1])

        self.observe(answered, "answer")
