"""A campaign that rings two customers, one after the other: something breaks while the first one talks, and
the second is rung when it is whole again."""

from __future__ import annotations

import asyncio
import itertools
from collections.abc import Awaitable, Callable
from contextlib import AsyncExitStack
from dataclasses import dataclass, field
from datetime import UTC, datetime

from bot.cli.bench_campaign import definition, zones
from bot.core.control import ControlClient
from bot.core.events import CallEnded, CallEvent, CallStarted, ListeningStarted, PromptStarted
from bot.settings_rooms import store_settings
from bot.sim.messages import PeerSpec, Perform, Report
from bot.sim.peer_process import PeerProcess
from bot.sim.script import Step
from bot.store import queries
from bot.store.database import Database
from bot.store.tables import Contact
from tests.node.heard import stored
from tests.node.running import RunningNode
from tests.node.test_calls import DEAD_AIR_S

KEYS = {"csat": "5", "resolved": "1"}
TOGETHER_S = 120.0
"""Both calls, and the fault between them."""
_NUMBERS = itertools.count()

Deed = Callable[[], Awaitable[object]]


@dataclass(frozen=True, slots=True)
class Fault:
    """`breaks` when the first customer is spoken to. When his call is over and `kept` returns, because
    what is broken was seen to keep the node from ringing, it `mends`."""

    breaks: Deed
    kept: Deed
    mends: Deed


@dataclass(slots=True)
class Rung:
    """What came of it: `steps` in their order, and of each customer what his telephone and SQL have."""

    steps: list[str] = field(default_factory=list)
    lag_s: float = 0.0
    call_ids: list[str] = field(default_factory=list)
    reports: list[list[Report]] = field(default_factory=list)
    stored: list[queries.Call] = field(default_factory=list)


def two(node: RunningNode, name: str, fault: Fault) -> Rung:
    """Both calls to their end. `name` is of the campaign: letters."""
    rung = Rung()
    asyncio.run(_play(node, name, fault, rung))
    rung.stored = [stored(node, call_id) for call_id in rung.call_ids]
    return rung


def whole(rung: Rung) -> None:
    """Neither customer noticed, both were rung once, the second when all was well again, and everything is
    stored as it was said."""
    assert rung.steps == ["rings", "breaks", "ends", "mends", "rings", "ends"]
    for reports, call in zip(rung.reports, rung.stored, strict=True):
        (report,) = reports
        assert report.longest_silence_s < DEAD_AIR_S
        assert [(each.question_id, each.value) for each in call.answers] == [
            ("csat", "5"),
            ("resolved", "yes"),
        ]
        assert (call.attempt.status, call.attempt.disposition) == ("final", "completed")


async def _play(node: RunningNode, name: str, fault: Fault, rung: Rung) -> None:
    name = f"{name}{next(_NUMBERS)}"  # may be tried once more
    async with AsyncExitStack() as stack:
        specs = [PeerSpec(name=f"{name}-{user}", user=f"{name}{user}") for user in ("a", "b")]
        peers = await asyncio.gather(*map(PeerProcess.start, specs))
        for peer in peers:
            stack.push_async_callback(peer.close)
        control = await stack.enter_async_context(await node.connect())
        await control.watch()
        await _start(node, name, peers)
        async with asyncio.timeout(TOGETHER_S):
            await _follow(node, control, {peer.uri: peer for peer in peers}, fault, rung)
            answered = [peer for peer in peers if await peer.report(0, DEAD_AIR_S)]
    rung.reports = [peer.reports for peer in answered]


async def _follow(
    node: RunningNode, control: ControlClient, peers: dict[str, PeerProcess], fault: Fault, rung: Rung
) -> None:
    talking: dict[str, PeerProcess] = {}
    work: list[asyncio.Future[object]] = []

    def note(step: str) -> None:
        rung.steps.append(step)

    async def mends() -> None:
        await asyncio.gather(*work[:1])
        await fault.kept()
        rung.lag_s = (await node.ask("status"))["lag_s"]
        note("mends")
        await fault.mends()

    def see(event: CallEvent) -> bool:
        """Whether both are done with."""
        match event:
            case CallStarted(call_id=call_id, remote=remote):
                note("rings")
                rung.call_ids.append(call_id)
                talking[call_id] = peers[remote]
            case ListeningStarted(call_id=call_id, question_id=question):
                talking[call_id].tell(Perform(steps=(Step(keys=KEYS[question]),)))
            case PromptStarted() if not work:
                note("breaks")
                work.append(asyncio.ensure_future(fault.breaks()))
            case CallEnded():
                note("ends")
                if len(work) == 1:
                    work.append(asyncio.ensure_future(mends()))
                return len(rung.call_ids) == len(peers)
        return False

    try:
        async for event in control.events():
            if see(event):
                break
        await asyncio.gather(*work)
    finally:
        for task in work:
            task.cancel()


async def _start(node: RunningNode, name: str, peers: list[PeerProcess]) -> None:
    """They live where it is an hour to ring."""
    (zone, *_), _ = zones(datetime.now(UTC))
    people = [
        Contact(
            id=peer.spec.name,
            phone=f"7495100{next(_NUMBERS):04}",
            phone_uri=peer.uri,
            tz=zone,
            created_at=datetime.now(UTC),
        )
        for peer in peers
    ]
    async with Database.open(store_settings(node.settings)) as db, db.write() as session:
        session.add_all(people)
    made = {**definition(name, 1, tries=0), "survey": "csat", "calling": {"holidays": True}}
    chosen = {"phones": [each.phone for each in people]}
    told = await node.ask("campaign_create", definition=made, standing=False, chosen=chosen)
    assert told["members"] == len(people), told
    await node.ask("campaign_start", campaign=name)


async def said_again(node: RunningNode, line: str, times: int) -> None:
    """Until the node has logged this so many times more."""
    log = node.settings.log_dir / "control.log"
    wanted = log.read_text(encoding="utf-8").count(line) + times
    while log.read_text(encoding="utf-8").count(line) < wanted:  # noqa: ASYNC110  it sets no event of ours
        await asyncio.sleep(0.1)
