"""Pages of one thing: a figure, a front door."""

from __future__ import annotations

import os
from pathlib import Path
from typing import TYPE_CHECKING

from stanza_lab._optional import require
from stanza_lab.report import embedding, shell, tables

if TYPE_CHECKING:
    import pandas as pd
    import plotly.graph_objects as go

    from stanza_lab.production.door.front_door import FrontDoor

_PICTURES = {".png", ".svg", ".pdf"}


def write_figure(
    path: str | os.PathLike[str], figure: go.Figure, *, title: str, table: pd.DataFrame | None = None
) -> Path:
    """Write a figure as one HTML file that asks for nothing from outside, or as a picture.

    The page shows it light or dark as the reader's screen is; the keyboard walks it.

    Parameters
    ----------
    path : path
        File to write, in a folder that is there. A page is replaced in one step. A name that ends in .png, .svg or .pdf
        gives a picture of the figure alone; that needs the extra ``images`` and a Chromium on the machine.
    figure : plotly.graph_objects.Figure
        Any figure.
    title : str
        Heading of the page.
    table : DataFrame, optional
        Shown below, for readers who cannot use the figure; of links and edges only what a reader takes in at once.
        Default: none.

    Returns
    -------
    Path
        The file.

    Raises
    ------
    OSError
        The folder is not there, or the file cannot be written.
    MissingExtraError
        A picture is asked for, and the extra is not installed.

    Examples
    --------
    >>> import tempfile
    >>> import pandas as pd
    >>> import stanza_lab as sl
    >>> edges = pd.DataFrame({"src": ["shop"], "dst": ["orders-db"], "confidence": [0.9]})
    >>> figure = sl.plot.production_map(sl.ProductionMap(edges))
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     sl.write_figure(f"{folder}/map.html", figure, title="Map", table=edges).name
    'map.html'
    """
    if (suffix := Path(path).suffix.lower()) in _PICTURES:
        require("kaleido", extra="images", purpose=f"a figure as {suffix}")
        figure.write_image(path)
        return Path(path)
    parts = [embedding.figure(figure, "figure", "Hover for details; double-click brings back the whole.")]
    if table is not None:
        of_links = {"confidence", "provenance"} <= set(table.columns)
        shown = tables.links(table, "row", "") if of_links else tables.table(table, "row")
        parts.append(shell.section("In numbers", shown))
    return shell.write(path, title, parts)


def write_front_door(path: str | os.PathLike[str], door: FrontDoor) -> Path:
    """Write a front door as one HTML file that asks for nothing from outside.

    Parameters
    ----------
    path : path
        File to write, in a folder that is there. It is replaced in one step; a broken write leaves the old one.
    door : FrontDoor
        From `ProductionMap.front_door`.

    Returns
    -------
    Path
        The file.

    Raises
    ------
    OSError
        The folder is not there, or the file cannot be written.

    Examples
    --------
    >>> import tempfile
    >>> import pandas as pd
    >>> import stanza_lab as sl
    >>> edges = pd.DataFrame({"src": ["shop"], "dst": ["orders-db"], "confidence": [0.9]})
    >>> door = sl.ProductionMap(edges).front_door("shop")
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     sl.write_front_door(f"{folder}/shop.html", door).name
    'shop.html'
    """
    return shell.write(path, door.title, [door.html()])
