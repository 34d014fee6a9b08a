"""`otklik bench campaign`: a whole campaign against a farm of telephones on loopback, and whether it kept its
word: every attempt has one end, nobody is rung outside his hours, whoever opted out is not rung again."""

from __future__ import annotations

import asyncio
import json
import time
from collections import Counter
from collections.abc import Sequence
from contextlib import AsyncExitStack
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Annotated, Any
from zoneinfo import ZoneInfo

import typer
from rich.console import Console
from rich.live import Live
from sqlmodel import col, select

from bot.campaigns.facts import CampaignState
from bot.campaigns.schema import Campaign
from bot.cli.bench_options import AsJson
from bot.cli.campaign_screen import screen
from bot.cli.demo import demo_settings, free_ports
from bot.cli.serve import fresh_log, show_step, stop_on_sigterm
from bot.core.control import ControlClient
from bot.core.endings import Disposition
from bot.logs import configure_logs
from bot.node import Node
from bot.settings import PROJECT, CallSection, Settings
from bot.settings_campaigns import CampaignsSection
from bot.settings_load import load_settings
from bot.settings_rooms import store_settings
from bot.settings_sip import SipSection
from bot.settings_web import WebSection
from bot.sim.farm.telephones import ENDS_AS, SURVEY, manner_of, phones, running_farm
from bot.store.database import Database
from bot.store.tables import Attempt, Contact
from bot.words import words

DATA = PROJECT / "tests" / "data"
FIRST, SECOND = "farm", "farm_again"
CLOSED_SHARE = 10
"""One contact in so many lives where it is no hour to ring now."""
OPENS, CLOSES = 10, 20
"""The hours of a survey that says nothing of them."""
LOOK_S = 0.5

console = Console(stderr=True, highlight=False)


@dataclass(frozen=True, slots=True)
class Verdict:
    """What the attempts in the database say. `wrong` are the ends that a telephone's manner does not have."""

    attempts: int
    dispositions: dict[str, int]
    outside_hours: int
    opted_out: int
    rung_after_opt_out: int
    wrong: dict[str, int]
    rung: int
    closed: int
    closed_rung: int

    @property
    def ok(self) -> bool:
        return (
            self.attempts == sum(self.dispositions.values())
            and not self.outside_hours
            and not self.rung_after_opt_out
            and not self.closed_rung
        )


def campaign(
    contacts: Annotated[
        int, typer.Option(min=10, max=5000, help=words("сколько контактов", "how many contacts"))
    ] = 1000,
    lines: Annotated[int, typer.Option(min=1, max=100, help=words("сколько линий", "how many lines"))] = 12,
    as_json: AsJson = False,
    data: Annotated[Path, typer.Option(help=words("что говорят телефоны", "what the telephones say"))] = DATA,
) -> None:
    """Обзвон фермы телефонов SIPp: занято, нет ответа, автоответчик, меню, люди, отказы от звонков.

    Выход 0, если исходы сходятся с числом попыток, вне часов не звонили, и просивших не звонить больше
    не трогали."""
    settings = farm_settings(load_settings(), lines)
    configure_logs(settings.log_level, file=fresh_log(settings))
    began = time.monotonic()
    verdict = asyncio.run(_run(settings, contacts, lines, data, quiet=as_json))
    told = {
        "contacts": contacts,
        "lines": lines,
        "took_s": round(time.monotonic() - began, 1),
        "ok": verdict.ok,
        **{name: getattr(verdict, name) for name in Verdict.__slots__},
    }
    if as_json:
        typer.echo(json.dumps(told, ensure_ascii=False))
    else:
        Console(highlight=False).print_json(data=told)
    if not verdict.ok:
        raise typer.Exit(1)


def farm_settings(settings: Settings, lines: int) -> Settings:
    """A node of its own beside whatever runs, with the farm's survey alone."""
    own = demo_settings(settings, "bench-campaign")
    return own.model_copy(
        update={
            "surveys": SURVEY,
            "sip": SipSection(port=own.sip.port, max_calls=max(lines, 2), rtp_ports="33000-33999"),
            "call": CallSection(answer_timeout_s=4, drain_s=1),
            "campaigns": CampaignsSection(calls_per_s=20),
            "web": WebSection(port=0),
        }
    )


def definition(name: str, lines: int, *, tries: int) -> dict[str, Any]:
    """As fast as the lines allow; `tries` is how often a busy or silent telephone is tried again."""
    again = {"after": ["1m"], "limit": tries}
    causes = ("busy", "no_answer", "unavailable", "voicemail", "machine", "silence", "failed", "interrupted")
    return Campaign.model_validate(
        {
            "id": name,
            "title": "Обзвон на ферме телефонов",
            "survey": "farm",
            "purpose": "service",
            "caller": {"number": "+74951234567", "label": "Отклик"},
            "retries": {"jitter": 0, "attempts": 2, **dict.fromkeys(causes, again)},
            "frequency": {"same_survey": "1s", "any_survey": "1s", "rings_per_day": 5, "rings_per_week": 15},
            "pacing": {"lines": lines, "per_second": 20, "agents": False},
            "breaker": {"failures": {"share": 1, "over": "1h", "sample": 10_000}},
        }
    ).model_dump(mode="json")


def zones(now: datetime) -> tuple[list[str], list[str]]:
    """Zones in which it is an hour to ring for the hours to come, and zones in which it is none."""
    named = [f"Etc/GMT{offset:+d}" for offset in range(-14, 13)]
    hours = {name: now.astimezone(ZoneInfo(name)).hour for name in named}
    open_ = [name for name, hour in hours.items() if OPENS <= hour < CLOSES - 3]
    closed = [name for name, hour in hours.items() if hour < OPENS - 4 or hour > CLOSES]
    return open_, closed


async def _run(settings: Settings, count: int, lines: int, data: Path, *, quiet: bool) -> Verdict:
    stop_on_sigterm()
    farm_port, media = free_ports(0, 0)
    step = (lambda said: None) if quiet else show_step
    async with AsyncExitStack() as stack:
        farm = await stack.enter_async_context(
            running_farm(farm_port, min(media, 60_000), data=data, calls=4 * count)
        )
        node = Node(settings, on_step=step)
        await stack.enter_async_context(node)
        db = await stack.enter_async_context(Database.open(store_settings(settings)))
        open_, closed = zones(datetime.now(UTC))
        people = [
            Contact(
                id=f"farm-{number}",
                phone=phone,
                phone_uri=farm.uri(phone),
                tz=(closed if number % CLOSED_SHARE == 0 else open_)[number % 3],
                created_at=datetime.now(UTC),
            )
            for number, (phone, _) in enumerate(phones(count))
        ]
        async with db.write() as session:
            session.add_all(people)
        async with await ControlClient.connect(settings.control_socket) as control:
            tries = 1 if count >= 200 else 0
            await _campaign(control, definition(FIRST, lines, tries=tries), everybody=True, quiet=quiet)
            opted_out = await _opted_out(db)
            again = {"contact_ids": opted_out, "everybody": False}
            if opted_out:  # they are asked for once more, and must not be rung
                await _campaign(control, definition(SECOND, lines, tries=0), **again, quiet=quiet)
        return await judge(db, people, opted_out, closed)


async def _campaign(control: ControlClient, made: dict[str, Any], *, quiet: bool, **chosen: Any) -> None:
    """Until it is done, or until only those are left whose hour has not come."""
    name = made["id"]
    await control.request("campaign_create", definition=made, chosen=chosen)
    told = await control.request("campaign_start", campaign=name)
    with Live(screen(told), console=console, auto_refresh=False, transient=quiet) as live:
        while told["state"] == CampaignState.RUNNING and not only_waits(told):
            await asyncio.sleep(LOOK_S)  # between two looks, as `watch` has it
            told = await control.request("campaign", campaign=name)
            if not quiet:
                live.update(screen(told), refresh=True)
    if told["state"] == CampaignState.RUNNING:
        await control.request("campaign_stop", campaign=name)


def only_waits(told: dict[str, Any]) -> bool:
    if told["open"] or told["members"].get("in_hand") or told["next_at"] is None:
        return False
    return (datetime.fromisoformat(told["next_at"]) - datetime.now(UTC)).total_seconds() > 300


async def _opted_out(db: Database) -> list[str]:
    statement = select(col(Attempt.contact_id)).where(col(Attempt.disposition) == Disposition.OPTED_OUT)
    async with db.read() as session:
        return [contact_id for contact_id in (await session.exec(statement)).all() if contact_id]


async def judge(
    db: Database, people: Sequence[Contact], opted_out: Sequence[str], closed: Sequence[str]
) -> Verdict:
    """From what is stored, and from nothing that the engine says of itself."""
    async with db.read() as session:
        attempts = (await session.exec(select(Attempt))).all()
    by_id = {person.id: person for person in people}
    rung = [each for each in attempts if each.dialled_at is not None]
    outside, after, wrong = 0, 0, Counter[str]()
    said_no = {each.contact_id: each.ended_at for each in attempts if each.contact_id in opted_out}
    for attempt in rung:
        person = by_id[attempt.contact_id or ""]
        assert attempt.dialled_at is not None
        hour = attempt.dialled_at.astimezone(ZoneInfo(person.tz)).hour
        outside += not OPENS <= hour < CLOSES
        since = said_no.get(attempt.contact_id)
        after += since is not None and attempt.dialled_at > since
        manner = manner_of(attempt.phone)
        if attempt.disposition not in ENDS_AS[manner]:
            wrong[f"{manner.name.lower()}: {attempt.disposition}"] += 1
    return Verdict(
        attempts=len(attempts),
        dispositions=dict(Counter(str(each.disposition) for each in attempts if each.disposition)),
        outside_hours=outside,
        opted_out=len(set(opted_out)),
        rung_after_opt_out=after,
        wrong=dict(wrong),
        rung=len(rung),
        closed=sum(person.tz in closed for person in people),
        closed_rung=sum(by_id[each.contact_id or ""].tz in closed for each in rung),
    )
