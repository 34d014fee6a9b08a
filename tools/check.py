"""Everything that reads the code without running it: format, lint, types, contracts, machine paths; and the
known weaknesses of what is locked (tools/audit.py), asked for meanwhile.

    .venv/bin/python tools/check.py

All checks run, also after one has failed, so that one run shows everything. Exit status 1 if any did. An
audit whose advisories could not be had fails nothing, so that a machine without a network can be worked on;
it is told loudly, and last.
"""

from __future__ import annotations

import os
import re
import subprocess
import sys
import time
from concurrent.futures import Future, ThreadPoolExecutor
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parent))

import audit
from speak import say, text

ROOT = Path(__file__).resolve().parent.parent
BIN = Path(sys.executable).parent

AUDIT_S = 120
"""The audit ends by then: a network that lets nothing through is not waited for."""

Done = subprocess.CompletedProcess[str]

COMMANDS: list[tuple[str, list[str], dict[str, str]]] = [
    ("ruff format", ["ruff", "format", "--check", "--quiet", "."], {}),
    ("ruff check", ["ruff", "check", "--quiet", "."], {}),
    ("mypy", ["mypy"], {}),
    (
        "mypy tools",
        ["mypy", "--strict", "--config-file=", *(f"tools/{n}.py" for n in ("setup", "check", "audit"))],
        {"MYPYPATH": "tools"},
    ),
    # Its environment is its own: what is missing in this one (jax, kaldi-native-fbank) is of any type here.
    (
        "mypy models/small_ru",
        [
            "mypy",
            "--strict",
            "--config-file=",
            "--ignore-missing-imports",
            "--follow-imports=silent",
            "--allow-subclassing-any",
            "--allow-untyped-decorators",
            "models/small_ru/small_ru",
        ],
        {"MYPYPATH": "models/small_ru:."},
    ),
    ("import contracts", ["lint-imports", "--no-cache"], {}),
    ("pre-commit file", ["pre-commit", "validate-config"], {}),
]

MACHINE_PATH = re.compile(rb"(?<![\w./~-])/(?:root|home/[a-z_][\w-]*|Users/\w+|work|mnt|media)/[\w.]")
"""A path that exists on one person's machine. A path of the system (`/usr/bin/ip`) is not one."""


def main() -> int:
    with ThreadPoolExecutor() as pool:
        audited = pool.submit(run_audit)
        failed = read_the_code()
        had = weigh_audit(audited)
    if had is False:
        failed.append("audit")
    if failed:
        say(text(f"Не прошло: {', '.join(failed)}", f"Failed: {', '.join(failed)}"), error=True)
    if had is None:
        say(
            text(
                "! Известные слабости пакетов не проверены: сведений не получить. Повторить: make audit",
                "! Known weaknesses of packages: none of them told, no advisories. Once more: make audit",
            ),
            error=True,
        )
    return 1 if failed else 0


def read_the_code() -> list[str]:
    """The names of the checks that failed."""
    failed = []
    for name, words, extra in COMMANDS:
        started = time.monotonic()
        command = [str(BIN / words[0]), *words[1:]]
        done = subprocess.run(
            command, cwd=ROOT, env={**os.environ, **extra}, capture_output=True, text=True, check=False
        )
        report(name, done.returncode == 0, time.monotonic() - started, done.stdout + done.stderr)
        if done.returncode:
            failed.append(name)
    started = time.monotonic()
    found = machine_paths(tracked_files())
    report("machine paths", not found, time.monotonic() - started, "\n".join(found))
    if found:
        failed.append("machine paths")
    return failed


def run_audit() -> tuple[Done, float]:
    """What it said and how it ended, and the seconds that it took."""
    started = time.monotonic()
    command = [sys.executable, str(ROOT / "tools" / "audit.py"), "--within", str(AUDIT_S)]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, errors="replace", check=False)
    return done, time.monotonic() - started


def weigh_audit(audited: Future[tuple[Done, float]]) -> bool | None:
    """Whether it passed; None where it did not take place."""
    done, seconds = audited.result()
    if done.returncode == audit.NOT_HAD:
        say(f"! audit ({seconds:.1f} s)")
        say((done.stdout + done.stderr).rstrip(), error=True)
        return None
    report("audit", done.returncode == 0, seconds, done.stdout + done.stderr)
    return done.returncode == 0


def report(name: str, good: bool, seconds: float, output: str) -> None:
    say(f"{'✓' if good else '✗'} {name} ({seconds:.1f} s)")
    if not good:
        say(output.rstrip(), error=True)


def tracked_files() -> list[Path]:
    """What git tracks or would track; without git, nothing can be told and git says so."""
    words = ["git", "ls-files", "-z", "--cached", "--others", "--exclude-standard"]
    names = subprocess.run(words, cwd=ROOT, capture_output=True, check=True).stdout.split(b"\0")
    files = [ROOT / os.fsdecode(name) for name in names if name]
    return [file for file in files if file.is_file()]


def machine_paths(files: list[Path]) -> list[str]:
    """`file:line: path` for every path of a machine in text files."""
    found = []
    for file in files:
        content = file.read_bytes()
        if b"\0" in content[:8192]:
            continue
        for number, line in enumerate(content.splitlines(), 1):
            if match := MACHINE_PATH.search(line):
                path = line[match.start() : match.start() + 40].decode("utf-8", "replace")
                where = file.relative_to(ROOT) if file.is_relative_to(ROOT) else file
                found.append(f"{where}:{number}: {path}")
    return found


if __name__ == "__main__":
    sys.exit(main())
