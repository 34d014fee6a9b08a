"""A real Redis of our own: made for the tests, on loopback, and gone after them."""

from __future__ import annotations

import shutil
import socket
import subprocess
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from tests.ports import free_port

START_S = 20.0


class RedisServer:
    """`start` and `stop` may be called again and again: a test takes it away for a while. Nothing is kept.
    `conf` is a configuration file over whose settings ours stand."""

    def __init__(self, home: Path, conf: Path | None = None) -> None:
        program = shutil.which("redis-server")
        if program is None:
            pytest.exit(
                "redis-server is not installed, and presence is tested on it: apt-get install redis-server",
                returncode=3,
            )
        self._program = program
        self._home = home
        self._conf = [] if conf is None else [str(conf)]
        self._process: subprocess.Popen[bytes] | None = None
        self.port = free_port()

    @property
    def url(self) -> str:
        return f"redis://127.0.0.1:{self.port}/0"

    def start(self) -> None:
        """Returns when it answers."""
        options = {"port": self.port, "bind": "127.0.0.1", "save": "", "appendonly": "no", "dir": self._home}
        words = [word for name, value in options.items() for word in (f"--{name}", str(value))]
        with (self._home / "log").open("ab") as output:
            self._process = subprocess.Popen(
                [self._program, *self._conf, *words], stdout=output, stderr=output
            )
        deadline = time.monotonic() + START_S
        while time.monotonic() < deadline and self._process.poll() is None:
            try:
                with socket.create_connection(("127.0.0.1", self.port), timeout=1.0) as probe:
                    probe.sendall(b"PING\r\n")
                    if probe.recv(16).startswith(b"+PONG"):
                        return
            except OSError:
                time.sleep(0.02)  # polled: it does not tell when it listens
        raise RuntimeError(f"redis-server does not start:\n{(self._home / 'log').read_text()}")

    def stop(self) -> None:
        if self._process is not None:
            self._process.terminate()
            self._process.wait(10)
            self._process = None


@contextmanager
def running_redis(conf: Path | None = None) -> Iterator[RedisServer]:
    with tempfile.TemporaryDirectory(prefix="otklik-redis-") as home:
        server = RedisServer(Path(home), conf)
        server.start()
        try:
            yield server
        finally:
            server.stop()
