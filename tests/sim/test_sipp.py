"""The simulated phone against SIPp, which shares no code with it."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import pytest

from bot.core.endings import EndKind
from bot.core.errors import DialFailed
from tests.ports import free_port
from tests.sim.phones import media, phone, rejecting, ring_forever

SCENARIOS = Path(__file__).parent / "sipp"
REFER = (SCENARIOS / "refer.xml").read_text()
BOTH = ("PCMA", "PCMU")


@asynccontextmanager
async def sipp(folder: Path, *arguments: str | Path) -> AsyncIterator[asyncio.subprocess.Process]:
    """SIPp for one call; it has to end by itself, and well."""
    port = [] if "-p" in arguments else ["-p", str(free_port())]
    process = await asyncio.create_subprocess_exec(
        "sipp",
        *map(str, arguments),
        *port,
        *("-i", "127.0.0.1", "-m", "1", "-nostdin", "-timeout", "15", "-timeout_error", "-trace_err"),
        *("-mp", str(free_port()), "-recv_timeout", "10000"),
        cwd=folder,
        stdin=asyncio.subprocess.DEVNULL,
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.STDOUT,
    )
    try:
        async with asyncio.timeout(25):
            yield process
            output, _ = await process.communicate()
        assert process.returncode == 0, output.decode(errors="replace") + _errors(folder)
    finally:
        if process.returncode is None:
            process.kill()
            await process.wait()


def _errors(folder: Path) -> str:
    return "".join(path.read_text() for path in folder.glob("*_errors.log"))


async def test_sipp_rings_us_talks_and_hangs_up(tmp_path: Path) -> None:
    async with phone("ivan", codecs=BOTH) as ivan:
        port = ivan.agent.transactions.local[1]
        async with sipp(tmp_path, "-sn", "uac", "-d", "300", f"127.0.0.1:{port}"):
            call = await ivan.calls.get()
            assert (await asyncio.shield(call.ended)).kind is EndKind.REMOTE_HANGUP


async def test_sipp_takes_its_call_back(tmp_path: Path) -> None:
    async with phone("ivan", ring_forever) as ivan:
        port = ivan.agent.transactions.local[1]
        async with sipp(tmp_path, "-sf", SCENARIOS / "cancel.xml", f"127.0.0.1:{port}"):
            call = await ivan.calls.get()
            assert (await asyncio.shield(call.ended)).kind is EndKind.CANCELLED


async def listening(port: int) -> None:
    """Wait until something is bound to a UDP port of loopback."""
    wanted = f"0100007F:{port:04X}"
    for _ in range(500):
        if wanted in Path("/proc/net/udp").read_text():  # noqa: ASYNC240
            return
        await asyncio.sleep(0.01)
    raise TimeoutError(f"nothing listens on {port}")


async def test_we_ring_sipp_and_hang_up(tmp_path: Path) -> None:
    port = free_port()
    async with phone("ivan", codecs=BOTH) as ivan, media() as rtp:
        async with sipp(tmp_path, "-sn", "uas", "-p", str(port)):
            await listening(port)
            call = await ivan.agent.call(f"sip:service@127.0.0.1:{port}", rtp)
            assert call.rtp is rtp
            await asyncio.sleep(0.2)
            await call.hang_up()
        assert rtp.sent


async def test_sipp_is_busy(tmp_path: Path) -> None:
    port = free_port()
    async with phone("ivan") as ivan, media() as rtp:
        async with sipp(tmp_path, "-sf", SCENARIOS / "busy.xml", "-p", str(port)):
            await listening(port)
            with pytest.raises(DialFailed) as caught:
                await ivan.agent.call(f"sip:service@127.0.0.1:{port}", rtp)
        assert caught.value.cause.kind is EndKind.BUSY


@pytest.mark.parametrize(("status", "outcome"), [(0, "200"), (486, "486")])
async def test_sipp_hands_us_over_and_hears_how_it_went(tmp_path: Path, status: int, outcome: str) -> None:
    at_agent = [rejecting(status)] if status else []
    async with phone("ivan") as ivan, phone("agent", *at_agent) as agent:
        port = ivan.agent.transactions.local[1]
        scenario = tmp_path / "refer.xml"
        scenario.write_text(REFER.replace("TARGET", agent.uri).replace("OUTCOME", outcome))
        async with sipp(tmp_path, "-sf", scenario, f"127.0.0.1:{port}"):
            first = await ivan.calls.get()
            assert (await asyncio.shield(first.ended)).kind is EndKind.REMOTE_HANGUP
        if not status:
            assert not (await ivan.calls.get()).ended.done()
