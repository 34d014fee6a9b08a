"""Steps with stamps: made once, made again when what they are made from changes."""

from __future__ import annotations

import contextlib
import fcntl
import hashlib
import json
import os
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from types import FrameType

from speak import say, text

LOG_TAIL = 25
LIFE_SIGN_S = 30.0
"""Without a terminal a long step says every so often that it is alive."""


class Failed(Exception):
    """A step did not work; the message says what to do."""


class Missing(Failed):
    """This machine lacks something that set-up cannot bring."""


@dataclass(frozen=True)
class Step:
    """One thing to be made. `inputs` are files and folders; `made` must exist for a stamp to count;
    `spoils` are thrown away when the step was interrupted half-way."""

    key: str
    title: str
    inputs: Sequence[Path]
    made: Sequence[Path]
    run: Callable[[], None]
    salt: str = ""
    spoils: Sequence[Path] = field(default=())

    def digest(self) -> str:
        return digest(self.inputs, self.salt)


def digest(inputs: Sequence[Path], salt: str = "") -> str:
    """SHA-256 over names and contents of files, folders walked in order; a missing file counts too."""
    total = hashlib.sha256(salt.encode())
    for given in inputs:
        for file in walk(given):
            total.update(str(file.relative_to(given.parent)).encode() + b"\0")
            total.update(hashlib.sha256(file.read_bytes()).digest() if file.exists() else b"absent")
    return total.hexdigest()


def walk(given: Path) -> Iterator[Path]:
    if not given.is_dir():
        yield given
        return
    for file in sorted(given.rglob("*")):
        if file.is_file() and "__pycache__" not in file.parts:
            yield file


class Workshop:
    """Where steps are made: the stamps, the lock, the logs and the running of commands."""

    def __init__(self, root: Path) -> None:
        self.root = root
        self.stamps = root / ".setup"
        self.log = self.stamps / "setup.log"
        self._lock_fd: int | None = None
        self._label = ""
        self._starting = False
        self._interrupted = False

    @contextlib.contextmanager
    def lock(self) -> Iterator[None]:
        """One set-up at a time. Children inherit the lock, so it outlives a set-up that was killed."""
        self.stamps.mkdir(exist_ok=True)
        fd = os.open(self.stamps / "lock", os.O_RDWR | os.O_CREAT, 0o644)
        numbers = (signal.SIGINT, signal.SIGTERM)
        previous = [signal.signal(number, self._interrupt) for number in numbers]
        try:
            try:
                fcntl.flock(fd, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except BlockingIOError:
                say(
                    text(
                        "Идёт другая установка в этой папке: ждём её…", "Another set-up is running: waiting…"
                    )
                )
                fcntl.flock(fd, fcntl.LOCK_EX)
            self._lock_fd = fd
            yield
        finally:
            self._lock_fd = None
            for number, handler in zip(numbers, previous, strict=True):
                signal.signal(number, handler)
            os.close(fd)

    def _interrupt(self, number: int, frame: FrameType | None) -> None:
        """Ctrl-C or SIGTERM. Not while a command is being started: nobody would know its pid yet."""
        self._interrupted = True
        if not self._starting:
            raise KeyboardInterrupt

    def make(self, steps: Sequence[Step]) -> dict[str, float]:
        """Make what is not made; the steps that were, with their seconds."""
        done: dict[str, float] = {}
        for number, step in enumerate(steps, 1):
            self._label = f"[{number}/{len(steps)}] {step.title}"
            if self.is_made(step):
                continue
            done[step.key] = round(self._make(step), 3)
        return done

    def record(self, seconds: float, made: Mapping[str, float]) -> None:
        """What this run took, for the demo's `setup_s`: `.setup/last.json`."""
        words = json.dumps({"seconds": round(seconds, 3), "made": made})
        (self.stamps / "last.json").write_text(words + "\n", encoding="utf-8")

    def is_made(self, step: Step) -> bool:
        try:
            stamp = json.loads(self._stamp(step).read_text(encoding="utf-8"))
        except (FileNotFoundError, ValueError):
            return False
        return bool(stamp.get("inputs") == step.digest()) and all(made.exists() for made in step.made)

    def _make(self, step: Step) -> float:
        begun = self.stamps / f"{step.key}.begun"
        if begun.exists():
            for spoil in step.spoils:
                shutil.rmtree(spoil, ignore_errors=True)
        self._stamp(step).unlink(missing_ok=True)
        begun.touch()
        started = time.monotonic()
        inputs = step.digest()
        say(f"{self._label} …")
        step.run()
        for made in step.made:
            if not made.exists():
                where = made.relative_to(self.root)
                raise Failed(text(f"{step.title}: не появился {where}", f"{step.title}: {where} is missing"))
        seconds = time.monotonic() - started
        fresh = self.stamps / f"{step.key}.new"
        fresh.write_text(
            json.dumps({"inputs": inputs, "seconds": round(seconds, 3)}) + "\n", encoding="utf-8"
        )
        fresh.replace(self._stamp(step))
        begun.unlink()
        say(text(f"{self._label}: {seconds:.1f} с", f"{self._label}: {seconds:.1f} s"))
        return seconds

    def _stamp(self, step: Step) -> Path:
        return self.stamps / f"{step.key}.json"

    def run(
        self,
        command: Sequence[str | Path],
        *,
        hint: str = "",
        env: Mapping[str, str] | None = None,
        keep_lock: bool = True,
    ) -> None:
        """Run a command with its output in the log and its newest line on the terminal.

        `keep_lock=False` is for commands that may leave a service running behind them.
        """
        words = [str(word) for word in command]
        with self.log.open("wb") as log:
            self._starting = True
            try:
                child = subprocess.Popen(
                    words,
                    cwd=self.root,
                    env=dict(env) if env is not None else None,
                    stdin=subprocess.DEVNULL,
                    stdout=log,
                    stderr=subprocess.STDOUT,
                    process_group=0,  # so that it can be ended with whatever it started
                    pass_fds=[self._lock_fd] if keep_lock and self._lock_fd is not None else [],
                )
            except OSError as error:
                self._starting = False
                raise Failed(f"{words[0]}: {error.strerror}") from error
        try:
            self._starting = False
            if self._interrupted:
                raise KeyboardInterrupt
            status = self._follow(child)
        except BaseException:
            stop(child)
            raise
        if status:
            raise Failed(self._account(words, status, hint))

    def _follow(self, child: subprocess.Popen[bytes]) -> int:
        started = last_sign = time.monotonic()
        live = sys.stdout.isatty()
        while True:
            try:
                status = child.wait(timeout=0.25)
            except subprocess.TimeoutExpired:
                now = time.monotonic()
                if live:
                    self._draw(now - started)
                elif now - last_sign >= LIFE_SIGN_S:
                    last_sign = now
                    say(f"{self._label} … {now - started:.0f} s: {self._newest_line()}")
                continue
            if live:
                sys.stdout.write("\r\x1b[K")
                sys.stdout.flush()
            return status

    def _draw(self, seconds: float) -> None:
        width = shutil.get_terminal_size().columns - 1
        sys.stdout.write(f"\r\x1b[K{f'      {seconds:4.0f} s  {self._newest_line()}'[:width]}")
        sys.stdout.flush()

    def _newest_line(self) -> str:
        lines = self._tail(1)
        return lines[-1].strip() if lines else ""

    def _tail(self, count: int) -> list[str]:
        with self.log.open("rb") as log:
            log.seek(max(0, log.seek(0, os.SEEK_END) - 8192))
            return log.read().decode("utf-8", "replace").splitlines()[-count:]

    def _account(self, words: Sequence[str], status: int, hint: str) -> str:
        kept = self.log.relative_to(self.root)
        lines = [
            text(
                f"команда закончилась с кодом {status} (весь вывод в {kept}):",
                f"a command ended with status {status} (all output is in {kept}):",
            ),
            f"  $ {' '.join(words)}",
            *(f"  | {line}" for line in self._tail(LOG_TAIL)),
        ]
        return "\n".join([*lines, f"  {hint}"] if hint else lines)


def stop(child: subprocess.Popen[bytes]) -> None:
    """End a command and whatever it started."""
    if child.poll() is None:
        os.killpg(child.pid, signal.SIGTERM)
        try:
            child.wait(timeout=10)
        except subprocess.TimeoutExpired:
            os.killpg(child.pid, signal.SIGKILL)
            child.wait()
