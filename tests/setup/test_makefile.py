"""The commands that a person types first, and what the build machine runs."""

from __future__ import annotations

import os
import re
import subprocess
from pathlib import Path


def make(root: Path, *words: str, path: str | None = None) -> subprocess.CompletedProcess[str]:
    environment = {name: value for name, value in os.environ.items() if not name.startswith("MAKE")}
    if path is not None:
        environment["PATH"] = path
    return subprocess.run(
        ["/usr/bin/make", "--no-print-directory", *words],
        cwd=root,
        env=environment,
        capture_output=True,
        text=True,
        check=False,
    )


def test_help_is_the_default_and_names_every_target(root: Path) -> None:
    done = make(root)
    assert done.returncode == 0
    phony = re.search(r"^\.PHONY: (.+)$", (root / "Makefile").read_text(), re.MULTILINE)
    assert phony is not None
    for target in phony[1].split():
        assert target == "help" or f"make {target}" in done.stdout


def test_a_python_that_is_too_old_is_told(root: Path, tmp_path: Path) -> None:
    old = tmp_path / "python3"
    old.write_text('#!/bin/sh\n[ "$1" = --version ] && echo Python 3.9.2 && exit 0\nexit 1\n')
    old.chmod(0o755)
    for name in ("python3.11", "python3.12", "python3.13"):
        (tmp_path / name).symlink_to(old)
    done = make(root, "setup", path=f"{tmp_path}:/usr/bin:/bin")
    assert done.returncode != 0
    assert "Python 3.11" in done.stderr
    assert "Python 3.9.2" in done.stderr


def test_a_newer_python_under_its_own_name_is_found(root: Path, tmp_path: Path) -> None:
    old = tmp_path / "python3"
    old.write_text("#!/bin/sh\nexit 1\n")
    new = tmp_path / "python3.12"
    new.write_text('#!/bin/sh\n[ "$1" = -c ] && exit 0\necho "set up with $0 $*"\n')
    for file in (old, new):
        file.chmod(0o755)
    done = make(root, "setup", path=f"{tmp_path}:/usr/bin:/bin")
    assert "python3.12 tools/setup.py" in done.stdout


def test_the_build_machine_runs_make_test_and_nothing_else(root: Path) -> None:
    script = root / ".ci/run"
    assert os.access(script, os.X_OK)
    lines = [line for line in script.read_text().splitlines() if line and not line.startswith("#")]
    assert lines == ["set -euo pipefail", 'cd "$(dirname "${BASH_SOURCE[0]}")/.."', "make test"]


def test_hooks_are_local(root: Path) -> None:
    """A hook from elsewhere would need the network at every commit."""
    text = (root / ".pre-commit-config.yaml").read_text()
    assert re.findall(r"- repo: (\S+)", text) == ["local"]
    entries = re.findall(r"entry: (.+)", text)
    assert len(entries) == 4
    assert all(entry.startswith(".tools/bin/uv run --no-sync ") for entry in entries)
