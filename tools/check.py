"""Everything that reads the code without running it: format, lint, types, contracts, machine paths, and the
dates of the exceptions from `make audit`.

    .venv/bin/python tools/check.py

All checks run, also after one has failed, so that one run shows everything. Exit status 1 if any did.
"""

from __future__ import annotations

import os
import re
import subprocess
import sys
import time
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parent))

import audit
from speak import say, text

ROOT = Path(__file__).resolve().parent.parent
BIN = Path(sys.executable).parent

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
    wrong = audit.file_problem()
    report("audit.toml", not wrong, 0.0, wrong)
    if wrong:
        failed.append("audit.toml")
    if failed:
        say(text(f"Не прошло: {', '.join(failed)}", f"Failed: {', '.join(failed)}"), error=True)
        return 1
    return 0


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
