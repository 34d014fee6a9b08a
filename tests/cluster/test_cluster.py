"""Two nodes behind the edge: calls are spread, and when a node goes, none is lost and nobody is rung twice.

The tests go from one to the next on the same cluster, and each but the last two leaves both nodes working.
"""

from __future__ import annotations

import asyncio
import os
import subprocess
from collections import Counter
from collections.abc import AsyncIterator, Sequence
from contextlib import AsyncExitStack, asynccontextmanager
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from bot.cli.bench_campaign import definition, zones
from bot.core.events import CallEnded, ListeningStarted
from bot.published import Published, published_dir
from bot.settings import Settings
from bot.settings_load import as_environment
from bot.settings_rooms import store_settings
from bot.store.database import Database
from bot.store.tables import Contact
from tests.cluster.conftest import LINES, NAMES, Cluster, until
from tests.cluster.farm import CALLER
from tests.node.running import OTKLIK, SHORT_SURVEYS
from tests.telephony.peers import Sipp, rtp_party, sipp

KEYS = {"csat": "5", "resolved": "1"}
UUI = b"conversation_id=talk-9".hex() + ";encoding=hex"
FIRST, SECOND = NAMES


@pytest.fixture(autouse=True)
def nobody_talks(cluster: Cluster) -> None:
    """What a test before has ended may not have ended at its node."""
    asyncio.run(until(cluster.quiet))


@asynccontextmanager
async def callers(cluster: Cluster, folder: Path, count: int = 1, rtp_port: int = 9) -> AsyncIterator[Sipp]:
    async with sipp(
        CALLER, folder, calls=cluster.edge.address, count=count, service="100", rtp_port=rtp_port, uui=UUI
    ) as peer:
        yield peer


def hang_up(peer: Sipp, count: int) -> None:
    for number in range(1, count + 1):
        peer.hang_up(peer.call_id(number))


async def talking(cluster: Cluster, **wanted: int) -> None:
    """Until the nodes have as many talks as this."""
    names = {name.replace("_", "-"): count for name, count in wanted.items()}
    found: dict[str, int] = {}

    async def holds() -> bool:
        found.update(await cluster.talks(names))
        return found == names

    try:
        await until(holds)
    except TimeoutError:
        raise AssertionError(f"wanted {names}, there are {found}\n{cluster.edge.log()}") from None


async def place(cluster: Cluster, node: str, numbers: Sequence[str]) -> list[str]:
    """Queue a call to each number at this node; the attempts."""
    async with await cluster.nodes[node].connect() as control:
        placed = [await control.request("place_call", to=number, survey="nps") for number in numbers]
    return [each["attempt_id"] for each in placed]


async def all_final(cluster: Cluster, attempts: Sequence[str], within_s: float = 40.0) -> Counter[str]:
    """The attempts' dispositions, once each has its one."""
    query = "SELECT disposition FROM attempts WHERE id = ANY($1::text[]) AND status = 'final'"

    async def holds() -> bool:
        return len(await cluster.select(query, attempts)) == len(attempts)

    await until(holds, within_s)
    return Counter(row["disposition"] for row in await cluster.select(query, attempts))


def numbers(first: int, count: int) -> list[str]:
    return [f"+7495000{number:04d}" for number in range(first, first + count)]


def rung_once(cluster: Cluster, wanted: Sequence[str]) -> None:
    rings = cluster.farm.rings()
    assert {number: rings[number.removeprefix("+")] for number in wanted} == dict.fromkeys(wanted, 1)


def test_calls_that_come_in_are_spread_over_both_nodes(cluster: Cluster, tmp_path: Path) -> None:
    async def ring() -> None:
        async with callers(cluster, tmp_path, 6) as peer:
            await talking(cluster, node_1=3, node_2=3)
            hang_up(peer, 6)
            assert await peer.succeeded(), peer.log
        await talking(cluster, node_1=0, node_2=0)
        for node in cluster.nodes.values():
            await node.ask("calls", call_ids=[])  # which waits until what it knows is in SQL
        rows = await cluster.select("SELECT disposition, agent_id, conversation_id FROM attempts")
        passed = ("hung_up", "op-17", "talk-9")
        assert [tuple(row.values()) for row in rows] == [passed] * 6, "headers pass the edge"

    asyncio.run(ring())


def test_sound_and_keys_go_through_the_edge(cluster: Cluster, tmp_path: Path) -> None:
    async def ring() -> str:
        async with rtp_party() as party, callers(cluster, tmp_path, rtp_port=party.address) as peer:
            found: asyncio.Queue[tuple[str, str]] = asyncio.Queue()
            async with asyncio.timeout(40), asyncio.TaskGroup() as tasks:
                watching = [tasks.create_task(watch(cluster, name, found)) for name in NAMES]
                while (event := await found.get())[1] != "ended":
                    party.press(KEYS[event[1]])
                for task in watching:
                    task.cancel()
            assert await peer.succeeded(), peer.log
            assert party.far is not None
            first, last = cluster.edge.rtp_ports
            assert first <= party.far[1] <= last, "it never met the node itself"
            return event[0]

    call_id = asyncio.run(ring())
    query = "SELECT question_id, value, source FROM answers WHERE call_id = $1 ORDER BY seq"
    answers = asyncio.run(cluster.select(query, call_id))
    assert [tuple(row.values()) for row in answers] == [("csat", "5", "dtmf"), ("resolved", "yes", "dtmf")]


async def watch(cluster: Cluster, name: str, found: asyncio.Queue[tuple[str, str]]) -> None:
    """Each question that a call of this node listens for, and its end."""
    async with await cluster.nodes[name].connect() as control:
        await control.watch()
        async for event in control.events():
            if isinstance(event, ListeningStarted):
                await found.put((event.call_id, event.question_id))
            if isinstance(event, CallEnded):
                await control.request("calls", call_ids=[event.call_id])
                await found.put((event.call_id, "ended"))


def test_both_nodes_dial_what_one_of_them_was_given(cluster: Cluster, tmp_path: Path) -> None:
    """With a survey that only this one knows: the other brings it from SQL."""
    wanted = numbers(100, LINES + 3)
    published = publish(cluster.settings[FIRST], tmp_path)

    async def dial() -> None:
        attempts = await place(cluster, FIRST, wanted)
        done = await all_final(cluster, attempts)
        assert done == {"hung_up": len(wanted)}, cluster.edge.log()
        rows = await cluster.select("SELECT * FROM attempts WHERE id = ANY($1::text[])", attempts)
        assert {row["worker"] for row in rows} == {f"{name}/worker-0" for name in NAMES}
        assert {row["survey_hash"] for row in rows} == {published}

    asyncio.run(dial())
    rung_once(cluster, wanted)
    assert Published(published_dir(cluster.settings[SECOND])).by_hash(published).version == 2


def publish(settings: Settings, folder: Path) -> str:
    """The next version of the short NPS, on one node; its hash."""
    text = (SHORT_SURVEYS / "nps.yaml").read_text(encoding="utf-8")
    file = folder / "nps.yaml"
    file.write_text(text.replace("version: 1", "version: 2").replace("Короткий", "Другой"), encoding="utf-8")
    done = subprocess.run(
        [*OTKLIK, "survey", "publish", file],
        env={**os.environ, **as_environment(settings)},
        check=False, capture_output=True, text=True, timeout=60,
    )  # fmt: skip
    assert done.returncode == 0, done.stdout + done.stderr
    return Published(published_dir(settings)).current()["nps"]


def test_a_drained_node_keeps_its_calls_and_gets_no_new_ones(cluster: Cluster, tmp_path: Path) -> None:
    address = cluster.nodes[FIRST].sip

    async def ring() -> None:
        async with callers(cluster, tmp_path, 2) as before:
            await talking(cluster, node_1=1, node_2=1)
            cluster.edge.tool("drain", address)
            assert "выведен" in cluster.edge.states()[address]
            async with callers(cluster, tmp_path, 3) as after:
                await talking(cluster, node_1=1, node_2=4)
                hang_up(after, 3)
                assert await after.succeeded(), after.log
            await talking(cluster, node_1=1, node_2=1)
            hang_up(before, 2)  # each BYE finds its node
            assert await before.succeeded(), before.log
            await talking(cluster, node_1=0, node_2=0)
        cluster.edge.tool("resume", address)

        async def back() -> bool:
            return "принимает" in cluster.edge.states()[address]

        await until(back)
        async with callers(cluster, tmp_path, 2) as peer:
            await talking(cluster, node_1=1, node_2=1)
            hang_up(peer, 2)
            assert await peer.succeeded(), peer.log

    asyncio.run(ring())


def test_a_campaign_outlives_a_node_that_is_killed_and_comes_back(cluster: Cluster, tmp_path: Path) -> None:
    """SIGKILL while both nodes ring and talk. The other one goes on, and takes whoever calls in before the
    edge has noticed. When the node is back its attempts are final, as rung, and the lines it left end."""
    wanted = numbers(200, 14)

    async def killed(stack: AsyncExitStack) -> Sipp:
        before = await stack.enter_async_context(callers(cluster, tmp_path, 2))
        await talking(cluster, node_1=1, node_2=1)
        await start_campaign(cluster, wanted)
        await until(lambda: dial_both(cluster))
        cluster.kill(SECOND)
        async with callers(cluster, tmp_path, 2) as after:
            await until(lambda: inbound(cluster, FIRST, 3))
            hang_up(after, 2)
            assert await after.succeeded(), after.log
        await until(lambda: down(cluster, SECOND))
        return before

    async def ring() -> None:
        async with AsyncExitStack() as stack:
            before = await killed(stack)
            await asyncio.to_thread(cluster.start, SECOND)
            await until(lambda: over(cluster, wanted), 60)
            assert await before.succeeded(30), f"one BYE of the survey's end, one of its node: {before.log}"

    asyncio.run(ring())
    rows = asyncio.run(cluster.select("SELECT * FROM attempts WHERE campaign_id = $1", CAMPAIGN))
    assert Counter(row["phone"] for row in rows) == {number.removeprefix("+"): 1 for number in wanted}
    done = Counter(row["disposition"] for row in rows)
    assert set(done) == {"hung_up", "interrupted"}, "each has its one end"
    assert done["interrupted"] == sum(row["disposition"] == "interrupted" for row in of_worker(rows, SECOND))
    rings = cluster.farm.rings()
    for row in rows:
        rung = row["answered_at"] is not None or row["disposition"] != "interrupted"
        assert rings[row["phone"]] <= 1, "nobody is rung twice"
        assert rings[row["phone"]] == 1 or not rung
    assert not cluster.farm.complaints()


CAMPAIGN = "cluster"


async def start_campaign(cluster: Cluster, wanted: Sequence[str]) -> None:
    """Ring these numbers once, five at a time. They live where it is an hour to ring."""
    open_, _ = zones(datetime.now(UTC))
    people = [
        Contact(
            id=f"c{number}",
            phone=number.removeprefix("+"),
            phone_uri=f"sip:{number}@{cluster.edge.address}",
            tz=open_[0],
            created_at=datetime.now(UTC),
        )
        for number in wanted
    ]
    async with Database.open(store_settings(cluster.settings[FIRST])) as db, db.write() as session:
        session.add_all(people)
    made = {**definition(CAMPAIGN, 5, tries=0), "survey": "nps"}
    chosen = {"phones": list(wanted)}
    node = cluster.nodes[FIRST]
    told = await node.ask("campaign_create", definition=made, standing=False, chosen=chosen)
    assert told["members"] == len(wanted), told
    await node.ask("campaign_start", campaign=CAMPAIGN)


def of_worker(rows: Sequence[dict[str, Any]], node: str) -> list[dict[str, Any]]:
    return [row for row in rows if row["worker"] == f"{node}/worker-0"]


async def dial_both(cluster: Cluster) -> bool:
    """Whether the campaign is in a talk at each node."""
    query = (
        "SELECT worker FROM attempts WHERE campaign_id = $1 AND status = 'live' AND answered_at IS NOT NULL"
    )
    rows = await cluster.select(query, CAMPAIGN)
    return all(of_worker(rows, name) for name in NAMES)


async def over(cluster: Cluster, wanted: Sequence[str]) -> bool:
    """Whether every contact's attempt is final."""
    query = "SELECT 1 FROM attempts WHERE campaign_id = $1 AND status = 'final'"
    return len(await cluster.select(query, CAMPAIGN)) == len(wanted)


async def inbound(cluster: Cluster, node: str, count: int) -> bool:
    """Whether so many who called in are in their talk at this node, by its own word."""
    await cluster.nodes[node].ask("calls", call_ids=[])  # which waits until what it knows is in SQL
    status = await cluster.nodes[node].ask("status")
    query = (
        "SELECT 1 FROM attempts WHERE direction = 'inbound' AND answered_at IS NOT NULL"
        " AND call_id = ANY($1::text[])"
    )
    return len(await cluster.select(query, status["call_ids"])) == count


def test_a_node_that_is_stopped_loses_no_call(cluster: Cluster, tmp_path: Path) -> None:
    """SIGTERM: its live call goes on, and whoever is sent to it meanwhile is taken by the other node."""
    stopped = cluster.nodes[FIRST]

    async def ring() -> None:
        async with callers(cluster, tmp_path, 2) as before:
            await talking(cluster, node_1=1, node_2=1)
            stopped.process.terminate()
            async with callers(cluster, tmp_path, 4) as after:
                await talking(cluster, node_2=5)
                hang_up(after, 4)
                assert await after.succeeded(), after.log
                assert stopped.process.poll() is None, "it waits for its call"
            hang_up(before, 2)
            assert await before.succeeded(), before.log

    asyncio.run(ring())
    assert stopped.process.wait(30) == 0
    asyncio.run(until(lambda: down(cluster, FIRST)))


def test_who_talked_to_a_machine_that_died_is_not_left_in_silence(
    left_alone: subprocess.Popen[bytes],
) -> None:
    assert left_alone.wait(60) == 0, "the edge sent him a BYE"


async def down(cluster: Cluster, node: str) -> bool:
    return "не отвечает (down)" in cluster.edge.states()[cluster.nodes[node].sip]
