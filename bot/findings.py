"""What `otklik doctor` finds: one thing, whether it is there, and how to get it."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path

from bot.words import words

COMMAND_TIMEOUT_S = 30.0


class State(StrEnum):
    OK = "ok"
    ADVICE = "advice"  # it works, and there is something better
    OPTIONAL = "optional"  # not there, and a node does without
    MISSING = "missing"  # a node needs it


@dataclass(frozen=True, slots=True)
class Finding:
    """`found` is what there is, `hint` how to get what is missing or better."""

    name: str
    state: State
    found: str
    hint: str = ""


async def said(*command: str | Path) -> tuple[int, str]:
    """Exit status and all output of a command; 127 where it is not there."""
    try:
        process = await asyncio.create_subprocess_exec(
            *map(str, command), stdout=asyncio.subprocess.PIPE, stderr=asyncio.subprocess.STDOUT
        )
    except OSError as error:
        return 127, str(error)
    try:
        async with asyncio.timeout(COMMAND_TIMEOUT_S):
            output, _ = await process.communicate()
    except TimeoutError:
        process.kill()
        await process.wait()
        return 124, words("не отвечает", "does not answer")
    return process.returncode or 0, output.decode("utf-8", "replace").strip()
