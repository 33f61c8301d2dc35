"""A real Alertmanager on this machine's loopback, started for a replay and stopped after it."""

from __future__ import annotations

import http.client
import shutil
import socket
import subprocess
import tempfile
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import orjson

from stanza_lab.errors import LoadError

BINARIES = ("alertmanager", "prometheus-alertmanager")  # its own name, and Debian's
_HOST = "127.0.0.1"
_READY_S = 20.0
_POLL_S = 0.002


def find_binary(binary: str | None = None) -> str:
    """Return where Alertmanager is.

    Raises
    ------
    LoadError
        It is not on this machine.
    """
    for name in (binary,) if binary else BINARIES:
        found = shutil.which(name)
        if found:
            return found
    raise LoadError(
        f"no Alertmanager on this machine (looked for {binary or ' and '.join(BINARIES)}); install it, as with "
        "'apt-get install prometheus-alertmanager', or pass binary="
    )


class Alertmanager:
    """Speak with an Alertmanager on the loopback."""

    def __init__(self, port: int) -> None:
        self._port = port
        self._connection = http.client.HTTPConnection(_HOST, port, timeout=10)

    def post(self, alerts: Sequence[dict[str, Any]]) -> None:
        """Send alerts."""
        self._ask("POST", "/api/v2/alerts", orjson.dumps(list(alerts)))

    def alerts(self) -> list[dict[str, Any]]:
        """Return all that it holds, hidden or not."""
        found: list[dict[str, Any]] = orjson.loads(self._ask("GET", "/api/v2/alerts?inhibited=true&active=true"))
        return found

    def groups(self) -> list[dict[str, Any]]:
        """Return the groups that it would notify of."""
        found: list[dict[str, Any]] = orjson.loads(self._ask("GET", "/api/v2/alerts/groups?inhibited=true&active=true"))
        return found

    def ready(self) -> bool:
        """Tell whether it answers."""
        try:
            self._ask("GET", "/-/ready")
        except (OSError, http.client.HTTPException, LoadError):
            self._connection.close()
            return False
        return True

    def close(self) -> None:
        """Hang up."""
        self._connection.close()

    def _ask(self, method: str, path: str, body: bytes | None = None) -> bytes:
        headers = {"Content-Type": "application/json"} if body else {}
        self._connection.request(method, path, body=body, headers=headers)
        response = self._connection.getresponse()
        content = response.read()
        if response.status >= 400:
            raise LoadError(
                f"Alertmanager refused {path}: {response.status} {content[:300].decode('utf-8', 'replace')}"
            )
        return content


@contextmanager
def running(config: Path, *, binary: str | None = None) -> Iterator[Alertmanager]:
    """Start Alertmanager with a configuration, on a free port of the loopback; stop it at the end.

    Raises
    ------
    LoadError
        It is not on this machine, or does not start with this configuration: its own words say why.
    """
    program = find_binary(binary)
    with tempfile.TemporaryDirectory() as folder:
        port = _free_port()
        command = [
            program,
            f"--config.file={config.resolve()}",
            f"--storage.path={folder}",
            f"--web.listen-address={_HOST}:{port}",
            "--cluster.listen-address=",
            "--log.level=error",
        ]
        process = subprocess.Popen(  # noqa: S603 (the program is Alertmanager, the arguments are ours)
            command, cwd=folder, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE
        )
        server = Alertmanager(port)
        try:
            until = time.monotonic() + _READY_S
            while not server.ready():
                if process.poll() is not None or time.monotonic() > until:
                    process.kill()
                    said = process.communicate()[1].decode("utf-8", "replace").strip()
                    raise LoadError(f"{program} did not start with {config}: {said[-500:] or 'it gave no reason'}")
                time.sleep(10 * _POLL_S)
            yield server
        finally:
            server.close()
            process.kill()
            process.wait()
            if process.stderr is not None:
                process.stderr.close()


def _free_port() -> int:
    with socket.socket() as found:
        found.bind((_HOST, 0))
        return int(found.getsockname()[1])
