"""The customers behind a trunk: one sipp that answers every number, and a note of each ring."""

from __future__ import annotations

import subprocess
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from tests.ports import free_port
from tests.telephony.peers import PAYLOADS

SCENARIO = Path(__file__).parent / "sipp" / "farm.xml"
CALLER = Path(__file__).parent / "sipp" / "caller.xml"
SOUND = {"[rtp_port]": "9", "[payload]": str(PAYLOADS["PCMA"]), "[codec]": "PCMA/8000"}
"""What stands in the scenarios where nobody listens."""
RING_MS, HOLD_MS = 300, 4000
NEVER_MS = 600_000
MOST = 100_000
"""Calls until it ends by itself; each OPTIONS counts."""


class Farm:
    """`hold_ms`: so long after the answer it hangs up."""

    def __init__(self, folder: Path, *, hold_ms: int = HOLD_MS) -> None:
        self._folder = folder
        self._hold_ms = hold_ms
        self.port = free_port()
        self.address = f"127.0.0.1:{self.port}"
        self._process: subprocess.Popen[bytes] | None = None

    def start(self, edge: str) -> None:
        """`edge` is what the calls have to come by."""
        stands_for = {
            "[ring]": str(RING_MS),
            "[hold]": str(self._hold_ms),
            "[edge]": edge.replace(".", "[.]"),
            **SOUND,
        }
        text = SCENARIO.read_text(encoding="utf-8")
        for name, value in stands_for.items():
            text = text.replace(name, value)
        (self._folder / "farm.xml").write_text(text, encoding="utf-8")
        with (self._folder / "farm.out").open("wb") as output:
            self._process = subprocess.Popen(
                ["sipp", "-sf", "farm.xml", "-i", "127.0.0.1", "-p", str(self.port), "-m", str(MOST),
                 "-mp", str(free_port()), "-nostdin", "-trace_logs", "-log_file", "farm.log",
                 "-trace_err", "-error_file", "farm.err"],
                cwd=self._folder, stdin=subprocess.DEVNULL, stdout=output, stderr=output,
            )  # fmt: skip

    def rings(self) -> Counter[str]:
        """How often each number was rung."""
        return self._noted("rang")

    def talks(self) -> Counter[str]:
        """How often each number was in a talk."""
        return self._noted("talks")

    def _noted(self, word: str) -> Counter[str]:
        file = self._folder / "farm.log"
        lines = file.read_text(encoding="utf-8").splitlines() if file.exists() else []
        return Counter(line.split()[-1] for line in lines if f"{word} " in line)

    def complaints(self) -> list[str]:
        """Which calls were not as the scenario says. No fault is a 200 that a node died before it confirmed,
        and a BYE for a call that is over: a node that is back ends whatever it may have left."""
        file = self._folder / "farm.err"
        lines = file.read_text(encoding="utf-8").splitlines() if file.exists() else []
        return [line for line in lines if "on unexpected message" in line or "Failed regexp" in line]

    def stop(self) -> None:
        if self._process is not None and self._process.poll() is None:
            self._process.kill()
            self._process.wait(10)


@contextmanager
def answering_farm(folder: Path, *, hold_ms: int = HOLD_MS) -> Iterator[Farm]:
    farm = Farm(folder, hold_ms=hold_ms)
    try:
        yield farm
    finally:
        farm.stop()


def start_caller(folder: Path, edge: str) -> subprocess.Popen[bytes]:
    """One who calls by the edge and stays until a BYE comes; it ends with 0 where all went as it should."""
    text = CALLER.read_text(encoding="utf-8")
    for name, value in {**SOUND, "[uui]": "none"}.items():
        text = text.replace(name, value)
    (folder / "caller.xml").write_text(text, encoding="utf-8")
    return subprocess.Popen(
        ["sipp", "-sf", "caller.xml", "-i", "127.0.0.1", "-p", str(free_port()), "-m", "1", "-s", "100",
         "-mp", str(free_port()), "-nostdin", "-trace_err", "-error_file", "caller.err", edge],
        cwd=folder, stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL,
    )  # fmt: skip
