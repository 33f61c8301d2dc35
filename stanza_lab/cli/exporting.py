"""The verb `export`: a bundle in the format of another tool."""

from __future__ import annotations

import textwrap
from pathlib import Path
from typing import Annotated

import typer
from rich.text import Text

import stanza_lab as sl
from stanza_lab.cli.options import As, app
from stanza_lab.cli.output import Format, emit, format_of, plain, stderr
from stanza_lab.errors import ParameterError


@app.command(name="export")
def export(
    bundle: Annotated[
        Path | None, typer.Argument(metavar="[BUNDLE]", help="Directory that 'stanza-lab bundle' wrote.")
    ] = None,
    target: Annotated[str | None, typer.Argument(metavar="[TARGET]", help="Where it goes; --list names all.")] = None,
    out: Annotated[Path | None, typer.Option(help="Directory to write to.")] = None,
    option: Annotated[
        list[str] | None,
        typer.Option("--option", "-o", metavar="NAME=VALUE", help="What the target can be told; may be repeated."),
    ] = None,
    min_confidence: Annotated[
        float, typer.Option(min=0, max=1, help="Leave out links less likely than this; larger: fewer, surer.")
    ] = 0.5,
    service: Annotated[list[str] | None, typer.Option(help="Only this service; may be repeated.")] = None,
    force: Annotated[bool, typer.Option("--force", help="Replace an earlier export.")] = False,
    listed: Annotated[bool, typer.Option("--list", help="Name the targets and stop.")] = False,
    format: As = None,  # noqa: A002
) -> None:
    """Write a bundle in the format of another tool, with a guide and what could not be carried over.

    For example: stanza-lab export bundle/ backstage --out catalog/
    """
    if listed:
        _list(format_of(format, None))
        return
    if bundle is None or target is None or out is None:
        raise ParameterError("pass BUNDLE, TARGET and --out DIRECTORY; 'stanza-lab export --list' names the targets")
    from stanza_lab.artefacts.exports.export import read_option

    told = {}
    for pair in option or []:
        name, equals, value = pair.partition("=")
        if not equals:
            raise ParameterError(f"--option {pair}: write NAME=VALUE")
        told[name] = read_option(target, name, value)
    with stderr.status(Text(f"loading {bundle}")):
        loaded = sl.load_bundle(bundle)
    made = sl.export(loaded, target, out, min_confidence=min_confidence, services=service, overwrite=force, **told)
    for sentence in made.lost:
        stderr.print(Text(f"not carried over: {plain(sentence)}"))
    for name in made.files:
        typer.echo(str(made.path / name))


def _list(format: Format) -> None:  # noqa: A002
    """Name the targets: a paragraph each, for a table would cut their names."""
    from stanza_lab.artefacts.exports.registry import target_of

    targets = sl.export_targets()
    if format is not Format.table:
        emit(targets, format=format, out=None, title="", limit=0)
        return
    for name in targets["target"]:
        module = target_of(name)
        told = [f"--option {option}=...: {about.help}" for option, about in module.OPTIONS.items()]
        typer.echo(name)
        for sentence in (module.WHAT, f"checked with: {module.PROVEN_BY}", *told):
            typer.echo(textwrap.fill(sentence, 78, initial_indent="  ", subsequent_indent="    "))
