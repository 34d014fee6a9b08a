"""The dialogue's two processes for as long as a `with` block lasts: for tests, the shell, benchmarks.

A node's own supervisor starts them from `dialogue/launch.py` instead and restarts each alone.
"""

from __future__ import annotations

import socket
import subprocess
import time
import urllib.error
import urllib.request
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import IO

from bot.core.errors import DialogueUnavailable
from dialogue.launch import MODEL, Command, actions_command, new_token, rasa_command

READY_S = 180.0
"""4 s on an idle machine, far more where everything starts at once."""

STOP_S = 10.0
_LOOK_EVERY_S = 0.1


@dataclass(frozen=True, slots=True)
class RunningDialogue:
    rasa_url: str
    actions_url: str
    token: str
    rasa: subprocess.Popen[bytes]
    actions: subprocess.Popen[bytes]

    @property
    def headers(self) -> dict[str, str]:
        """By which both servers know their own."""
        return {"Authorization": f"Bearer {self.token}"}


@contextmanager
def running_dialogue(surveys_dir: Path, log_file: Path, model: Path = MODEL) -> Iterator[RunningDialogue]:
    """Both servers on free ports of 127.0.0.1, ready. Their output goes to `log_file`.

    Raises ModelMissing, and DialogueUnavailable with the log's end where one does not come up.
    """
    rasa_port, actions_port = _free_port(), _free_port()
    token = new_token()
    actions = actions_command(actions_port, surveys_dir, token)
    rasa = rasa_command(rasa_port, f"http://127.0.0.1:{actions_port}/webhook", token, model)
    with ExitStack() as stack:
        log = stack.enter_context(log_file.open("wb"))
        both = RunningDialogue(
            rasa_url=f"http://127.0.0.1:{rasa_port}",
            actions_url=f"http://127.0.0.1:{actions_port}",
            token=token,
            actions=stack.enter_context(_running(actions, log)),
            rasa=stack.enter_context(_running(rasa, log)),
        )
        wait_until_ready(both.actions, f"{both.actions_url}/health", log_file)
        wait_until_ready(both.rasa, f"{both.rasa_url}/version", log_file)
        yield both


@contextmanager
def running_rasa(log_file: Path, model: Path = MODEL) -> Iterator[tuple[str, str]]:
    """Rasa alone on a free port of 127.0.0.1, ready: its base URL and token. It can parse, not converse.

    Raises ModelMissing, and DialogueUnavailable with the log's end where it does not come up.
    """
    port, token = _free_port(), new_token()
    command = rasa_command(port, f"http://127.0.0.1:{_free_port()}/webhook", token, model)
    url = f"http://127.0.0.1:{port}"
    with log_file.open("wb") as log, _running(command, log) as rasa:
        wait_until_ready(rasa, f"{url}/version", log_file)
        yield url, token


@contextmanager
def _running(command: Command, log: IO[bytes]) -> Iterator[subprocess.Popen[bytes]]:
    process = subprocess.Popen(
        command.argv,
        cwd=command.cwd,
        env=command.env,
        stdout=log,
        stderr=subprocess.STDOUT,
    )
    try:
        yield process
    finally:
        process.terminate()
        try:
            process.wait(STOP_S)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()


def wait_until_ready(process: subprocess.Popen[bytes], url: str, log_file: Path) -> None:
    """Returns when `url` answers 200. Raises DialogueUnavailable with the log's end."""
    deadline = time.monotonic() + READY_S
    while not _answers(url):
        if process.poll() is not None or time.monotonic() > deadline:
            end = log_file.read_text(errors="replace")[-2000:]
            raise DialogueUnavailable(f"не отвечает {url}; последнее из журнала:\n{end}")
        time.sleep(_LOOK_EVERY_S)


def _answers(url: str) -> bool:
    try:
        with urllib.request.urlopen(url, timeout=2.0) as reply:  # noqa: S310 - our own URL on loopback
            return bool(reply.status == 200)
    except (urllib.error.URLError, OSError):
        return False


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port
