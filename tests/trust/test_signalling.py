"""The node under attack over SIP and media: what it survives, with a live call going through it."""

from __future__ import annotations

import asyncio
import hashlib
import socket
from collections.abc import AsyncIterator, Iterator
from pathlib import Path

import pytest

from bot.core.events import CallEnded, ListeningStarted
from bot.sim.bench.fuzz_run import Fuzzing, answers_options, fuzz
from tests.node.heard import stored
from tests.node.running import RunningNode, running_node
from tests.node.test_inbound import KEYS, PBX
from tests.patience import no_second_try
from tests.telephony.peers import rtp_party, sipp
from tests.trust.strangers import invite

DATA = Path(__file__).parent / "data" / "rfc4475"
MESSAGES = sorted(DATA.glob("*.dat"))
SECTIONS = 49
"""Messages that RFC 4475 has."""
GROWN_MB = 25.0
FUZZED_S = 6.0
FREE_WITHIN_S = 20.0
LINES = 30


@pytest.fixture(scope="module")
def node() -> Iterator[RunningNode]:
    """`user` is whom the RFC rings; other numbers are refused."""
    with running_node(
        sip={"max_calls": LINES, "rtp_timeout_s": 20},
        inbound={"default_survey": "", "routes": dict.fromkeys(("100", "csat", "user"), "csat")},
    ) as running:
        yield running


def rss_mb(pid: int) -> float:
    status = Path(f"/proc/{pid}/status").read_text()
    return int(status.partition("VmRSS:")[2].split()[0]) / 1024


async def worker(node: RunningNode) -> int:
    """The process with the calls; 0 while there is none."""
    return int((await node.ask("status")).get("pid", 0))


@pytest.fixture(autouse=True)
async def unharmed(node: RunningNode) -> AsyncIterator[None]:
    """After each test the process with the calls is the one it was, whatever else came of it."""
    before = await worker(node)
    yield
    with no_second_try():
        assert await worker(node) == before != 0


def over_tcp(address: str, message: bytes) -> None:
    host, _, port = address.partition(":")
    with socket.create_connection((host, int(port)), 5) as guest:
        guest.sendall(message)
        guest.shutdown(socket.SHUT_WR)


def over_udp(address: str, message: bytes) -> None:
    host, _, port = address.partition(":")
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as sender:
        sender.sendto(message, (host, int(port)))


def test_every_message_of_the_rfc_is_here() -> None:
    assert len(MESSAGES) == SECTIONS
    sections = [tuple(map(int, file.name.partition("-")[0].split("."))) for file in MESSAGES]
    assert sorted(sections) == [
        *((3, 1, 1, number) for number in range(1, 14)),
        *((3, 1, 2, number) for number in range(1, 20)),
        (3, 2, 1),
        *((3, 3, number) for number in range(1, 16)),
        (3, 4, 1),
    ]


def test_no_byte_of_a_message_was_changed() -> None:
    """`SHA256SUMS` is sha256sum's: an editor that mends a line's end or a space takes the fault away."""
    pinned = (line.split("  ") for line in (DATA / "SHA256SUMS").read_text().splitlines())
    found = {file.name: hashlib.sha256(file.read_bytes()).hexdigest() for file in MESSAGES}
    assert found == {name: digest for digest, name in pinned}


async def test_rfc_4475_over_udp_and_tcp_harms_neither_the_node_nor_a_call(
    node: RunningNode, tmp_path: Path
) -> None:
    pid = await worker(node)
    before, unanswered = 0.0, ["never asked"]
    call_id = ""
    async with await node.connect() as control, rtp_party() as party:
        await control.watch()
        async with sipp(
            PBX, tmp_path, calls=node.sip, service="100", rtp_port=party.address,
            agent="op-17", department="billing", first=KEYS["csat"], second=KEYS["resolved"],
        ) as peer:  # fmt: skip
            async with asyncio.timeout(60):
                async for event in control.events():
                    if isinstance(event, ListeningStarted) and call_id in ("", event.call_id):
                        if not call_id:
                            call_id, before = event.call_id, rss_mb(pid)  # what a first call loads is there
                            unanswered = await asyncio.to_thread(torture, node.sip)
                        party.press(KEYS[event.question_id])
                    if isinstance(event, CallEnded) and event.call_id == call_id:
                        break
            assert await peer.succeeded(), peer.log
    assert unanswered == [], "after these the node answered no OPTIONS"
    assert rss_mb(pid) - before < GROWN_MB
    found = await asyncio.to_thread(stored, node, call_id)
    with no_second_try():
        assert {answer.question_id: answer.value for answer in found.answers} == {
            "csat": "5",
            "resolved": "yes",
        }


def torture(address: str) -> list[str]:
    """Each message by both ways; the names of those after which the node was silent."""
    silent = []
    for file in MESSAGES:
        message = file.read_bytes()
        for way in (over_udp, over_tcp):
            way(address, message)
            if not answers_options(address):
                silent.append(f"{file.name} {way.__name__}")
    return silent


async def test_damaged_messages_of_every_kind_lose_no_call(node: RunningNode) -> None:
    plan = Fuzzing(FUZZED_S, seed=4475, number="csat", keys=KEYS, lines=1, pages=1, rate=100)
    async with await node.connect() as control:
        found = await fuzz(plan, control)
    with no_second_try():
        assert (found.crashes, found.lost, found.answers) == (0, [], True)
    assert all(found.sent.values()), found.sent
    assert len(found.ends) >= 2
    assert found.rss_last_mb - found.rss_first_mb < GROWN_MB


async def test_calls_that_are_never_confirmed_do_not_keep_the_lines(node: RunningNode) -> None:
    """Whoever sends INVITEs and nothing else has all lines for as long as a 200 waits for its ACK."""
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as caller:
        caller.bind(("127.0.0.1", 0))
        caller.settimeout(5)
        await until_free(node)
        for number in range(LINES):
            ring(caller, node.sip, number)
        taken = set(range(LINES))
        assert await asyncio.to_thread(answers, caller, taken) == dict.fromkeys(taken, 200)
        ring(caller, node.sip, LINES)
        assert await asyncio.to_thread(answers, caller, {LINES}) == {LINES: 486}
        await until_free(node)
        ring(caller, node.sip, LINES + 1)
        assert await asyncio.to_thread(answers, caller, {LINES + 1}) == {LINES + 1: 200}
        await until_free(node)


async def until_free(node: RunningNode) -> None:
    async with asyncio.timeout(FREE_WITHIN_S):
        while (await node.ask("status"))["free_lines"] < LINES:  # noqa: ASYNC110  the node tells nobody
            await asyncio.sleep(0.1)


def ring(caller: socket.socket, address: str, number: int) -> None:
    """An INVITE, and nothing after it."""
    host, port = caller.getsockname()
    target, _, target_port = address.partition(":")
    caller.sendto(invite(f"never-{number}", f"{host}:{port}"), (target, int(target_port)))


def answers(caller: socket.socket, numbers: set[int]) -> dict[int, int]:
    """What each of these is answered in the end: a 200 comes again and again until it is confirmed."""
    found: dict[int, int] = {}
    while found.keys() != numbers:
        answer = caller.recv(65_535).decode()
        number = int(answer.partition("Call-ID: never-")[2].split()[0])
        if number in numbers and answer.startswith("SIP/2.0 ") and (status := int(answer.split()[1])) >= 200:
            found[number] = status
    return found
