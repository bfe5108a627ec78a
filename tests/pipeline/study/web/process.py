"""A server of its own process, as `reelbench study serve` starts it, that can be killed and started again."""

import http.client
import os
import signal
import socket
import subprocess
import sys
import time
from pathlib import Path

_COMMAND = "from pipeline.commands.cli import main; main()"
_PATIENCE = 90  # seconds


class Server:
    """`reelbench study serve` on a free port. Also a context."""

    def __init__(self, study: Path, *options: str) -> None:
        self.port = free_port()
        self.url = f"http://127.0.0.1:{self.port}"
        self._arguments = ["study", "serve", str(study), "--port", str(self.port), *options]
        self._process: subprocess.Popen[str] | None = None

    def __enter__(self) -> "Server":
        self.start()
        return self

    def __exit__(self, *_: object) -> None:
        self.kill()

    def start(self) -> list[str]:
        """Start it and wait until it answers; what it printed."""
        self._process = subprocess.Popen(
            [sys.executable, "-c", _COMMAND, *self._arguments],
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            env=os.environ | {"PYTHONUNBUFFERED": "1"},
        )
        assert self._process.stdout
        lines = []
        for line in self._process.stdout:
            lines.append(line.rstrip("\n"))
            if line.startswith("secret: "):
                break
        self._wait_for_answer(lines)
        return lines

    def kill(self) -> None:
        """SIGKILL: it has no time to finish anything."""
        if self._process:
            self._process.kill()
            self._process.wait()
            self._process.stdout.close()
            self._process = None

    def interrupt(self) -> tuple[int, str]:
        """Ctrl-C: how it ended, and what it said."""
        self._process.send_signal(signal.SIGINT)
        said, _ = self._process.communicate(timeout=_PATIENCE)
        return self._process.returncode, said.strip()

    def _wait_for_answer(self, lines: list[str]) -> None:
        deadline = time.monotonic() + _PATIENCE
        while time.monotonic() < deadline and self._process.poll() is None:
            try:
                connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=5)
                connection.request("GET", "/")
                connection.getresponse().read()
                return
            except OSError:
                time.sleep(0.05)
        raise AssertionError(f"the server did not start: {lines}")


def free_port() -> int:
    """A port that nobody listens on."""
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        return free.getsockname()[1]
