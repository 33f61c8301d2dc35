"""The verb `bundle`: models fitted on a history, and all that was found, as a directory to keep and to pass on."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer
from rich.text import Text

import stanza_lab as sl
from stanza_lab.cli.output import stderr
from stanza_lab.cli.over_the_map import Read, map_verb
from stanza_lab.errors import BundleError


@map_verb("bundle")
def bundle(
    read: Read,
    out: Annotated[Path, typer.Option(help="Directory to write the bundle to.")],
    reactions: Annotated[
        list[Path] | None,
        typer.Option(help="Reactions that teams wrote down: YAML files, or a folder; may be repeated."),
    ] = None,
    keep_personal_data: Annotated[
        bool, typer.Option("--keep-personal-data", help="Keep names of people in reactions and in the catalogue.")
    ] = False,
    force: Annotated[bool, typer.Option("--force", help="Replace a bundle that is there.")] = False,
) -> None:
    """Fit the models on a history and save them as a bundle: JSON and Parquet, no alert, no text of one.

    It holds the grouping, the map, patterns, reactions, owners and a model card. 'score' answers new alerts by it,
    'export' carries it to other tools, 'bundle-diff' compares two.
    """
    if out.exists() and not force:  # before the fit, which takes longest
        raise BundleError(f"{out} is there already; pass --force to replace a bundle, or another path")
    told = sl.read_reactions([str(path) for path in reactions]) if reactions else None
    found = read()
    with stderr.status("mining what recurs, learning names"):
        patterns = sl.mine_patterns(found.alerts)
        names = sl.EntityResolver(catalog=found.known.owners, overrides=found.known.overrides)
        names = names.fit(found.known.history.alerts())
        tried = sl.backtest(told, found.alerts, production=found.production, patterns=patterns) if told else None
        judged = None if found.spans is None else sl.edge_reliability(found.model.edges_, found.spans)
    path = sl.save_bundle(
        out,
        clusterer=found.clusterer,
        dependencies=found.model,
        production=found.production,
        alerts=found.alerts,
        patterns=patterns,
        reactions=told,
        backtest=tried,
        names=names,
        calibration=judged,
        keep_personal_data=keep_personal_data,
        overwrite=force,
    )
    loaded = sl.load_bundle(path)
    stderr.print(Text(f"id {loaded.id}; the model card is {path / 'model_card.md'}"))
    typer.echo(repr(loaded))
