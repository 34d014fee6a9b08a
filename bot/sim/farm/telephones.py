"""Telephones that take a campaign's calls, as one SIPp process on loopback.

What becomes of a call is told by the called number alone: +7 900 KK NNNNN, where KK is a `Manner`. So a test
knows beforehand how every call of a campaign has to end.
"""

from __future__ import annotations

import asyncio
import math
import shutil
import tempfile
from collections.abc import AsyncIterator, Iterator, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path

from bot.core.endings import Disposition
from bot.core.errors import Unavailable
from bot.sim.g711 import encode
from bot.sim.sounds import read_clip

SCENARIO = Path(__file__).parent / "farm.xml"
SURVEY = Path(__file__).parent / "survey"
START_S = 10.0


class Manner(StrEnum):
    """What a telephone does; the two digits are in its number, and in farm.xml."""

    BUSY = "10"
    NO_ANSWER = "11"
    UNAVAILABLE = "12"
    FAILING = "13"
    VOICEMAIL = "14"
    MENU = "15"
    OPTING_OUT = "16"
    HUMAN = "17"


ENDS_AS: Mapping[Manner, frozenset[Disposition]] = {
    Manner.BUSY: frozenset({Disposition.BUSY}),
    Manner.NO_ANSWER: frozenset({Disposition.NO_ANSWER}),
    Manner.UNAVAILABLE: frozenset({Disposition.NO_ANSWER}),
    Manner.FAILING: frozenset({Disposition.FAILED}),
    Manner.VOICEMAIL: frozenset({Disposition.VOICEMAIL}),
    Manner.MENU: frozenset({Disposition.IVR}),
    Manner.OPTING_OUT: frozenset({Disposition.OPTED_OUT}),
    Manner.HUMAN: frozenset({Disposition.COMPLETED}),
}
"""As what each of them has to end."""

SHARES: Mapping[Manner, float] = {
    Manner.BUSY: 0.12,
    Manner.NO_ANSWER: 0.18,
    Manner.UNAVAILABLE: 0.05,
    Manner.FAILING: 0.03,
    Manner.VOICEMAIL: 0.12,
    Manner.MENU: 0.05,
    Manner.OPTING_OUT: 0.05,
    Manner.HUMAN: 0.40,
}

_SOUNDS = {
    "human": "amd/tuning/human_01.wav",
    "voicemail": "amd/tuning/voicemail_01.wav",
    "menu": "amd/tuning/ivr_01.wav",
    "opting_out": "audio/ru/046_elena.wav",
}
"""What they say, in the folder of test data."""


def phones(count: int, shares: Mapping[Manner, float] = SHARES) -> Iterator[tuple[str, Manner]]:
    """So many numbers in these shares, mixed evenly: the same ones every time."""
    owed = dict.fromkeys(shares, 0.0)
    for number in range(count):
        for manner, share in shares.items():
            owed[manner] += share
        manner = max(owed, key=lambda each: (owed[each], each))
        owed[manner] -= 1
        yield f"7900{manner}{number:05}", manner


def manner_of(phone: str) -> Manner:
    return Manner(phone.removeprefix("+")[4:6])


@dataclass(frozen=True, slots=True)
class Farm:
    """`port` is where it is called, `log` what SIPp had to complain of, `calls` a line for each call: who its
    telephone was told rings, and which number."""

    port: int
    log: Path
    calls: Path

    def uri(self, phone: str) -> str:
        return f"sip:{phone}@127.0.0.1:{self.port}"


@asynccontextmanager
async def running_farm(port: int, media_port: int, *, data: Path, calls: int = 10_000) -> AsyncIterator[Farm]:
    """Telephones on this port of loopback. Raises Unavailable without SIPp, and where it does not start;
    AudioInvalid for test data that is not there."""
    program = shutil.which("sipp")
    if program is None:
        raise Unavailable("sipp не установлен", hint="apt-get install sip-tester")
    with tempfile.TemporaryDirectory(prefix="otklik-farm-") as folder:
        home = Path(folder)
        for name, file in _SOUNDS.items():
            (home / f"{name}.al").write_bytes(_spoken(data / file))
        log, calls_log = home / "errors.log", home / "calls.log"
        process = await asyncio.create_subprocess_exec(
            program,
            *("-sf", str(SCENARIO), "-i", "127.0.0.1", "-p", str(port), "-mi", "127.0.0.1"),
            *("-mp", str(media_port)),
            *("-m", str(calls), "-nostdin", "-trace_err", "-error_file", str(log)),
            *("-trace_logs", "-log_file", str(calls_log)),
            cwd=home,
            stdin=asyncio.subprocess.DEVNULL,
            stdout=asyncio.subprocess.DEVNULL,
            stderr=asyncio.subprocess.DEVNULL,
        )
        try:
            await _listening(port, process)
            yield Farm(port, log, calls_log)
        finally:
            if process.returncode is None:
                process.terminate()
            await process.wait()


def _spoken(file: Path) -> bytes:
    """A clip as A-law, and the silence of one who listens after it."""
    clip = encode("PCMA", read_clip(file))
    packets = math.ceil(len(clip) / 160)
    return clip.ljust(packets * 160, b"\xd5") + b"\xd5" * 8000


async def _listening(port: int, process: asyncio.subprocess.Process) -> None:
    """Until its socket is there (proc(5), /proc/net/udp)."""
    sockets, wanted = Path("/proc/net/udp"), f":{port:04X} "
    loop = asyncio.get_running_loop()
    until = loop.time() + START_S
    while loop.time() < until and process.returncode is None:
        if wanted in await asyncio.to_thread(sockets.read_text):
            return
        await asyncio.sleep(0.05)  # polled: it does not tell when it listens
    raise Unavailable(f"sipp не слушает порт {port}", hint="свободен ли он?")
