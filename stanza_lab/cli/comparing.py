"""The verb `bundle-diff`: what changed between two bundles."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer
from rich.text import Text

import stanza_lab as sl
from stanza_lab.cli.options import As, Limit, Out, app
from stanza_lab.cli.output import Format, emit, format_of, plain, stderr


@app.command(name="bundle-diff")
def bundle_diff(
    old: Annotated[Path, typer.Argument(metavar="OLD", help="The bundle that was saved earlier.")],
    new: Annotated[Path, typer.Argument(metavar="NEW", help="The one that was saved later.")],
    format: As = None,  # noqa: A002
    out: Out = None,
    limit: Limit = 40,
) -> None:
    """Compare two bundles: links, services, patterns, habits of rules, quality, parameters."""
    format = format_of(format, out)  # noqa: A001
    with stderr.status(Text(f"comparing {old} and {new}")):
        found = sl.diff_bundles(old, new)
    shown = found.table
    if format is Format.table:
        for sentence in found.words:
            typer.echo(plain(sentence))
        shown = shown[["part", "what", "change", "before", "after"]]
    for sentence in found.unseen:
        stderr.print(Text(f"not seen: {plain(sentence)}"))
    emit(shown, format=format, out=out, title=f"{len(shown):,} changes", limit=limit)
