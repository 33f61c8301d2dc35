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
from typing import Annotated, Any, BinaryIO, Self

import orjson
import typer
from rich.text import Text

import stanza_lab as sl
from stanza_lab.cli.options import app
from stanza_lab.cli.output import stderr
from stanza_lab.errors import LoadError, ParameterError

_AT_ONCE = 500  # lines
_CHUNK = 1 << 20
_LONGEST = 16_000_000  # bytes held of a line that does not end


@app.command(name="score")
def score(
    bundle: Annotated[Path, typer.Argument(metavar="BUNDLE", help="Directory that 'stanza-lab bundle' wrote.")],
    files: Annotated[
        list[Path] | None, typer.Argument(metavar="[FILE]...", help="Files of JSON. Default: lines of standard input.")
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
    event, ...), or an alert of 'stanza-lab alerts --format json' (for a pipe through jq -c '.[]'). Every line
    that is not empty gets an answer, at once. Files may also be JSON over many lines; what they hold is answered in the
    order of time, as a pipe of them is not.

    A checkpoint is written now and then, at the end, and when the program is told to stop. Where whoever reads the
    answers goes away, the one before is kept: with --skip-seen every line is answered at least once.
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
    try:
        if files:  # all there is: answered in the order of time, whatever the order of files
            lines = [line for file in files for line in lines_of(file.read_bytes())]
            _print(dumped(scorer.answer(lines[skip:], whole=True)))
        with Stop() as stop:
            for lines in batches(sys.stdin.buffer, stop) if not files else ():
                fresh, skip = lines[skip:], max(skip - len(lines), 0)
                _print(dumped(scorer.answer(fresh)))
                if checkpoint is not None and time.monotonic() - saved >= every:
                    scorer.save(checkpoint)
                    saved = time.monotonic()
    except BrokenPipeError:
        stderr.print(Text(f"nobody reads on; {scorer.summary()}, not all of them read"))
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())  # what is left must not fail at exit
        raise typer.Exit(0) from None
    if checkpoint is not None:
        scorer.save(checkpoint)
    stderr.print(Text(scorer.summary()))


def _compile(bundle: sl.Bundle) -> None:
    """Have the loops compiled before the first line comes, by two alerts that nobody sees."""
    scorer = sl.Scorer(bundle)
    for minute in range(2):
        scorer.push({"alert_id": str(minute), "starts_at": minute * 60_000_000, "service": "none"})


class Stop:
    """Whether a signal asked to stop: lines that were begun are answered first. A second one stops at once."""

    def __enter__(self) -> Self:
        self.asked = False
        self.pipe, self._rings = os.pipe()  # has something to read as soon as a signal came
        os.set_blocking(self._rings, False)
        self._woke = signal.set_wakeup_fd(self._rings, warn_on_full_buffer=False)
        self._before = {number: signal.signal(number, self._ask) for number in (signal.SIGINT, signal.SIGTERM)}
        return self

    def __exit__(self, *_: object) -> None:
        self._restore()
        signal.set_wakeup_fd(self._woke)
        os.close(self.pipe)
        os.close(self._rings)

    def _ask(self, _signal: int, _frame: Any) -> None:
        self.asked = True
        self._restore()

    def _restore(self) -> None:
        for number, handler in self._before.items():
            signal.signal(number, handler)


def _print(answers: bytes) -> None:
    sys.stdout.buffer.write(answers)
    sys.stdout.buffer.flush()


def lines_of(content: bytes) -> list[bytes]:
    """Return the lines of a file; of one JSON over many lines its records, or what it is as one line."""
    lines = content.splitlines()
    if len(lines) < 2 or lines[0].strip()[:1] not in (b"[", b"{") or _is_json(lines[0]) or not _is_json(content):
        return lines
    value = orjson.loads(content)
    return [orjson.dumps(one) for one in (value if isinstance(value, list) else [value])]


def _is_json(content: bytes) -> bool:
    try:
        orjson.loads(content)
    except (orjson.JSONDecodeError, RecursionError):
        return False
    return True


def batches(stream: BinaryIO, stop: Stop) -> Iterator[list[bytes]]:
    """Yield the lines that are there, up to `_AT_ONCE`, as soon as there is one; never wait for more."""
    left, too_long = b"", False
    while chunk := _arrived(stream, stop):
        *lines, left = (left + chunk).split(b"\n")
        if too_long and lines:  # the end of the line that was given up
            lines, too_long = lines[1:], False
        if len(left) > _LONGEST:
            if not too_long:
                lines.append(left)
            left, too_long = b"", True
        for begin in range(0, len(lines), _AT_ONCE):
            if stop.asked:
                return
            yield lines[begin : begin + _AT_ONCE]
    if left and not too_long and not stop.asked:  # a stop in the middle of a line: it is not answered
        yield [left]


def _arrived(stream: BinaryIO, stop: Stop) -> bytes:
    """Return what has arrived, at least one byte; nothing at the end, or where a signal came."""
    try:
        number = stream.fileno()
    except (OSError, io.UnsupportedOperation):
        return stream.read(_CHUNK)
    if os.name == "nt":  # where pipes cannot be waited for together
        return os.read(number, _CHUNK)
    ready, _, _ = select.select([number, stop.pipe], [], [])
    return b"" if stop.pipe in ready or stop.asked else os.read(number, _CHUNK)
