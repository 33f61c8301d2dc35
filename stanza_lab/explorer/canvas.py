"""The picture in the explorer: one plotly figure in the browser that is replaced as a whole, and tells what was picked.

Not plotly's own FigureWidget: that takes new traces, deleted traces and the layout as separate messages, keeps what a
new layout does not mention, and knows neither keys nor frames. Here a figure is one message, given to `Plotly.react`.
"""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Any

import anywidget
import numpy as np
import traitlets
from plotly.io.json import to_json_plotly
from plotly.offline import get_plotlyjs

if TYPE_CHECKING:
    import plotly.graph_objects as go

_OWN = ("sliders", "updatemenus")
_HERE = Path(__file__).parent


def _module() -> str:
    """Return plotly.js and what we add to it as one ES module: nothing is loaded from elsewhere."""
    ours = (_HERE / "canvas.js").read_text(encoding="utf-8")
    return f"const module = {{exports: {{}}}};\n{get_plotlyjs()}\nconst Plotly = module.exports;\n{ours}"


class Canvas(anywidget.AnyWidget):
    """Show one figure; `on_pick` is called with the `customdata` of what was clicked, or chosen with the keys.

    The arrow keys walk over what is drawn and read it out, Enter picks.
    """

    _esm = _module()
    _css = (_HERE / "canvas.css").read_text(encoding="utf-8")
    figure = traitlets.Unicode("").tag(sync=True)  # JSON of data, layout and frames
    frame = traitlets.Unicode("").tag(sync=True)  # name of the frame to show
    between = traitlets.List(traitlets.Float()).tag(sync=True)  # x of the outermost names
    description = traitlets.Unicode("").tag(sync=True)  # for a screen reader
    said = traitlets.Unicode("").tag(sync=True)  # read out when it changes
    clicked = traitlets.List(traitlets.Unicode()).tag(sync=True)  # customdata, then a number that makes it new
    clicks = traitlets.Int(0).tag(sync=True)
    dark = traitlets.Bool(default_value=False).tag(sync=True)  # JupyterLab's theme
    drawn_ms = traitlets.Float(0.0).tag(sync=True)  # how long the browser took for the last figure

    def show(self, figure: go.Figure, *, description: str) -> None:
        """Replace the picture; its own slider and buttons stay behind, the explorer has its own."""
        plain = figure.to_dict()
        plain["layout"] = {name: value for name, value in plain["layout"].items() if name not in _OWN}
        with self.hold_sync():
            self.frame = ""
            self.description = description
            self.between = _between(figure)
            self.figure = to_json_plotly(plain)

    def on_pick(self, call: Callable[[list[str]], None]) -> None:
        """Call `call` with what was picked."""

        def picked(change: Any) -> None:
            if change["new"]:
                call(list(change["new"][:-1]))

        self.observe(picked, "clicked")


def _between(figure: go.Figure) -> list[float]:
    """Return where on the x axis the first and the last name stand; nothing where there are none."""
    named = (trace for trace in figure.data if trace.text is not None and trace.xaxis in (None, "x"))
    xs = [np.asarray(trace.x) for trace in named if trace.x is not None and len(trace.x)]
    ends = [float(end) for x in xs if x.dtype.kind in "fiu" for end in (np.nanmin(x), np.nanmax(x))]
    return [min(ends), max(ends)] if ends else []
