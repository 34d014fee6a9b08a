"""A campaign on a real node against a farm of SIPp telephones, steered by the commands that people use; its
media worker is killed in the middle of calls."""

from __future__ import annotations

import asyncio
import json
import os
import pty
import signal
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path
from select import select as select_ready
from typing import Any

import pytest
from sqlmodel import select

from bot.cli.bench_campaign import definition, judge, only_waits, zones
from bot.cli.demo import free_ports
from bot.core.endings import Disposition
from bot.settings import PROJECT
from bot.settings_load import as_environment
from bot.settings_rooms import store_settings
from bot.sim.farm.telephones import SURVEY, Farm, Manner, phones, running_farm
from bot.store.database import Database
from bot.store.tables import Attempt, Contact
from tests.node.running import OTKLIK, RunningNode, running_node

CONTACTS = 16
LONGEST_S = 80.0
MIXED = {
    Manner.BUSY: 0.1,
    Manner.NO_ANSWER: 0.1,
    Manner.FAILING: 0.05,
    Manner.VOICEMAIL: 0.1,
    Manner.MENU: 0.05,
    Manner.OPTING_OUT: 0.1,
    Manner.HUMAN: 0.5,
}


@pytest.fixture(scope="module")
def node() -> Iterator[RunningNode]:
    with running_node(
        surveys=SURVEY,
        sip={"max_calls": 8},
        call={"answer_timeout_s": 3, "drain_s": 1},
        campaigns={"calls_per_s": 20},
        web={"port": 0},
    ) as running:
        yield running


@contextmanager
def command(node: RunningNode, *arguments: str) -> Iterator[subprocess.Popen[str]]:
    process = subprocess.Popen(
        [*OTKLIK, *arguments],
        cwd=PROJECT,
        env={**os.environ, **as_environment(node.settings), "COLUMNS": "120"},
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )
    try:
        yield process
    finally:
        if process.poll() is None:
            process.kill()
        process.communicate()


def otklik(node: RunningNode, *arguments: str, status: int = 0) -> str:
    with command(node, *arguments) as process:
        output, errors = process.communicate(timeout=60)
    assert process.returncode == status, errors
    return output if status == 0 else errors


async def people(db: Database, farm: Farm) -> tuple[list[Contact], list[str]]:
    """One in eight lives where it is no hour to ring. Whoever opts out is rung last, long after the worker
    was killed."""
    open_, closed = zones(datetime.now(UTC))
    numbered = sorted(phones(CONTACTS, MIXED), key=lambda each: each[1] is Manner.OPTING_OUT)
    found = [
        Contact(
            id=f"farm-{number:02}", phone=phone, phone_uri=farm.uri(phone), created_at=datetime.now(UTC),
            tz=closed[0] if number % 8 == 3 else open_[number % len(open_)],
        )
        for number, (phone, _) in enumerate(numbered)
    ]  # fmt: skip
    async with db.write() as session:
        session.add_all(found)
    return found, closed


async def until(node: RunningNode, condition: Any) -> dict[str, Any]:
    async with asyncio.timeout(LONGEST_S):
        while True:
            told = await node.ask("campaign", campaign="farm")
            if condition(told):
                return told
            await asyncio.sleep(0.2)  # polled: the node tells how it stands when it is asked


async def test_a_campaign_by_command_outlives_its_worker(node: RunningNode, tmp_path: Path) -> None:
    file = tmp_path / "farm.yaml"
    made = definition("farm", 8, tries=0)
    made["retries"]["interrupted"] = {"after": ["10m"], "limit": 1}
    file.write_text(json.dumps(made, ensure_ascii=False), encoding="utf-8")  # JSON is YAML
    port, media = free_ports(0, 0)
    async with (
        running_farm(port, min(media, 60_000), data=PROJECT / "tests" / "data") as farm,
        Database.open(store_settings(node.settings)) as db,
    ):
        contacts, closed = await people(db, farm)
        refused = otklik(node, "campaign", "create", str(file), status=2)
        assert "кому звонить" in refused
        told = json.loads(otklik(node, "campaign", "create", str(file), "--all", "--json"))
        assert told == {"campaign": "farm", "members": CONTACTS}
        assert (await node.ask("campaign", campaign="farm"))["attempts"] == 0, "a draft rings nobody"

        assert "идёт" in otklik(node, "campaign", "start", "farm")
        with command(node, "campaign", "watch", "farm", "--every", "0.5", "--json") as watching:
            await until(node, lambda told: told["talking"] >= 3)
            os.kill((await node.ask("status"))["children"]["worker-0"], signal.SIGKILL)
            await until(node, lambda told: told["dispositions"].get("interrupted"))
            paused = json.loads(otklik(node, "campaign", "pause", "farm", "--reason", "обед", "--json"))
            assert (paused["state"], paused["reason"]) == ("paused", "обед")
            held = await until(node, lambda told: not told["open"])
            await node.ask("campaign_start", campaign="farm")
            await until(node, only_waits)
            await node.ask("campaign_stop", campaign="farm")
            streamed, errors = watching.communicate(timeout=20)
        lines = [json.loads(line) for line in streamed.splitlines()]
        assert watching.returncode == 0, errors
        assert lines[-1]["state"] == "stopped"
        assert all(line["sums_up"] for line in lines)
        assert held["attempts"] > 0

        opted_out = [each.contact_id for each in await rows(db) if each.disposition == Disposition.OPTED_OUT]
        verdict = await judge(db, contacts, [each for each in opted_out if each], closed)
        assert verdict.ok, verdict
        interrupted = verdict.dispositions["interrupted"]
        assert sum(count for ended, count in verdict.wrong.items() if not ended.endswith("interrupted")) == 0
        assert (verdict.closed, verdict.closed_rung) == (CONTACTS // 8, 0)
        assert verdict.rung == CONTACTS - verdict.closed, "everybody once, the interrupted not yet again"
        assert interrupted >= 3

        shown = farm.calls.read_text(errors="replace")
        assert '"Отклик" <sip:+74951234567@' in shown, "the caller's number and name"
        who = next(each for each in contacts if each.id in opted_out)
        cut_off = next(each for each in await rows(db) if each.disposition == Disposition.INTERRUPTED)
        said, why = await asyncio.gather(
            *(
                asyncio.to_thread(otklik, node, "contact", "why", each)
                for each in (f"+{who.phone}", cut_off.phone)
            )
        )
        assert "Не звонить никогда" in said
        assert "не звоните»" in said, "in his own words"
        assert "звонок прервался по нашей вине" in why


async def rows(db: Database) -> list[Attempt]:
    async with db.read() as session:
        return list((await session.exec(select(Attempt))).all())


def test_watch_is_a_live_screen_and_leaves_on_ctrl_c(node: RunningNode) -> None:
    asyncio.run(node.ask("campaign_create", definition=definition("standing", 1, tries=0), standing=True))
    asyncio.run(node.ask("campaign_start", campaign="standing"))
    ours, theirs = pty.openpty()
    try:
        watching = subprocess.Popen(
            [*OTKLIK, "campaign", "watch", "standing"],
            cwd=PROJECT,
            env={**os.environ, **as_environment(node.settings), "COLUMNS": "120", "TERM": "xterm"},
            stdin=theirs,
            stdout=theirs,
            stderr=subprocess.PIPE,
        )
        os.close(theirs)
        shown = until_shown(ours, "свободных линий")
        watching.send_signal(signal.SIGINT)
        _, errors = watching.communicate(timeout=20)
    finally:
        os.close(ours)
    assert "идёт" in shown
    assert (watching.returncode, errors) == (0, b"")


def until_shown(terminal: int, words: str) -> str:
    shown = b""
    while words not in shown.decode(errors="ignore"):
        ready, _, _ = select_ready([terminal], [], [], 30)
        assert ready, shown.decode(errors="replace")
        shown += os.read(terminal, 4096)
    return shown.decode(errors="replace")
