"""The verb `score`: a bundle and a stream of alerts in, one JSON line per alert out."""

from __future__ import annotations

import io
import os
import select
import signal
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, BinaryIO

import typer
from rich.text import Text

import stanza_lab as sl
from stanza_lab.cli.options import app
from stanza_lab.cli.output import stderr
from stanza_lab.errors import LoadError, ParameterError

if TYPE_CHECKING:
    from stanza_lab.artefacts.scoring import LineScorer

_AT_ONCE = 500  # lines
_CHUNK = 1 << 20
_LONGEST = 16_000_000  # bytes held of a line that does not end


@app.command(name="score")
def score(
    bundle: Annotated[Path, typer.Argument(metavar="BUNDLE", help="Directory that 'stanza-lab bundle' wrote.")],
    files: Annotated[
        list[Path] | None, typer.Argument(metavar="[FILE]...", help="Files of JSON lines. Default: standard input.")
    ] = None,
    checkpoint: Annotated[
        Path | None, typer.Option(help="File to remember the stream in; where it is there, go on from it.")
    ] = None,
    every: Annotated[float, typer.Option(min=0.1, help="Seconds between two checkpoints.")] = 30.0,
    skip_seen: Annotated[
        bool, typer.Option("--skip-seen", help="The same lines come again from the first: skip those answered before.")
    ] = False,
    keep_personal_data: Annotated[
        bool, typer.Option("--keep-personal-data", help="Do not replace secrets and personal data in what comes in.")
    ] = False,
) -> None:
    """Answer each alert of a stream: its incident, why, likely origin, team, pattern, and a reaction that is only told.

    A line is a JSON record as any system sends or exports it (an Alertmanager webhook, a Datadog event, an EventBridge
    event, ...), or an alert as 'stanza-lab alerts --format json' writes it. Every line
    that is not empty gets an answer, at once. Files are answered in the order of time, as a pipe of them is not.
    """
    from stanza_lab.artefacts.scoring import LineScorer
    from stanza_lab.artefacts.scoring.lines import dumped
    from stanza_lab.loaders import Redaction

    if skip_seen and checkpoint is None:
        raise ParameterError("--skip-seen needs --checkpoint FILE: it tells which lines were answered before")
    missing = [str(file) for file in files or [] if not file.is_file()]
    if missing:
        raise LoadError(f"no file {', '.join(missing[:5])}; pass files of JSON lines, or nothing for standard input")
    with stderr.status(Text(f"loading {bundle} (the first time on a machine it compiles, which takes some seconds)")):
        loaded, redaction = sl.load_bundle(bundle), Redaction(keep_personal_data=keep_personal_data)
        _compile(loaded)
        resumed = checkpoint is not None and checkpoint.exists()
        if resumed and checkpoint is not None:
            scorer = LineScorer.resume(loaded, checkpoint, redaction=redaction)
        else:
            scorer = LineScorer(loaded, redaction=redaction)
    if resumed:
        stderr.print(Text(f"going on after {scorer.lines:,} lines"))
    skip = scorer.lines if skip_seen else 0
    saved = time.monotonic()
    signal.signal(signal.SIGTERM, _stop)
    try:
        if files:  # all there is: answered in the order of time, whatever the order of files
            lines = [line for file in files for line in file.read_bytes().splitlines()]
            _print(dumped(scorer.answer(lines[skip:], whole=True)))
        for lines in batches(sys.stdin.buffer) if not files else ():
            fresh, skip = lines[skip:], max(skip - len(lines), 0)
            _print(dumped(scorer.answer(fresh)))
            if checkpoint is not None and time.monotonic() - saved >= every:
                scorer.save(checkpoint)
                saved = time.monotonic()
    except (KeyboardInterrupt, BrokenPipeError):
        _finish(scorer, checkpoint)
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())  # what is left must not fail at exit
        raise typer.Exit(0) from None
    _finish(scorer, checkpoint)


def _compile(bundle: sl.Bundle) -> None:
    """Have the loops compiled before the first line comes, by two alerts that nobody sees."""
    scorer = sl.Scorer(bundle)
    for minute in range(2):
        scorer.push({"alert_id": str(minute), "starts_at": minute * 60_000_000, "service": "none"})


def _finish(scorer: LineScorer, checkpoint: Path | None) -> None:
    if checkpoint is not None:
        scorer.save(checkpoint)
    stderr.print(Text(scorer.summary()))


def _stop(_signal: int, _frame: Any) -> None:
    raise KeyboardInterrupt


def _print(answers: bytes) -> None:
    sys.stdout.buffer.write(answers)
    sys.stdout.buffer.flush()


def batches(stream: BinaryIO) -> Iterator[list[bytes]]:
    """Yield the lines that are there, up to `_AT_ONCE`, as soon as there is one; never wait for more."""
    left, too_long = b"", False
    while chunk := _arrived(stream):
        *lines, left = (left + chunk).split(b"\n")
        if too_long and lines:  # the end of the line that was given up
            lines, too_long = lines[1:], False
        if len(left) > _LONGEST:
            if not too_long:
                lines.append(left)
            left, too_long = b"", True
        for begin in range(0, len(lines), _AT_ONCE):
            yield lines[begin : begin + _AT_ONCE]
    if left and not too_long:
        yield [left]


def _arrived(stream: BinaryIO) -> bytes:
    """Return what has arrived, at least one byte; nothing at the end."""
    try:
        number = stream.fileno()
    except (OSError, io.UnsupportedOperation):
        return stream.read(_CHUNK)
    select.select([number], [], [])
    return os.read(number, _CHUNK)
