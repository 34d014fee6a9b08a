"""`otklik demo`: a node on embedded defaults, four real calls on loopback, and what came of them."""

from __future__ import annotations

import asyncio
import json
import os
import shutil
import signal
import socket
import sys
import time
from contextlib import ExitStack
from pathlib import Path
from typing import Annotated

import typer
from rich.console import Console
from rich.table import Table

from bot.cli import demo_desk
from bot.cli.demo_desk import TakenAtDesk
from bot.cli.live import LiveView, disposition_word
from bot.cli.serve import fresh_log, screen, show_step, stop_on_sigterm, until_stopped
from bot.core.control import ControlClient
from bot.core.endings import Disposition
from bot.core.events import CallEvent
from bot.logs import configure_logs
from bot.node import Node
from bot.settings import (
    PROJECT,
    CallSection,
    DialogueSection,
    HandoverSection,
    MetricsSection,
    Settings,
    StoreSection,
)
from bot.settings_inbound import InboundSection
from bot.settings_load import load_settings
from bot.settings_sip import SipSection
from bot.settings_web import WebRtcSection, WebSection
from bot.sim.results import SimReport
from bot.sim.run import run_scenario
from bot.sim.scenario import load_scenario
from bot.words import words

app = typer.Typer(add_completion=False)
console = Console(highlight=False)
AFTER_SETUP = "AFTER_MAKE_SETUP"
"""Set by `make demo`, which has just set everything up."""

DESK_S = 180.0
"""How long `--desk` waits for somebody to sign in."""

SCENARIO = PROJECT / "bot" / "sim" / "scenarios" / "demo.yaml"


@app.command()
def demo(
    json_file: Annotated[Path | None, typer.Option("--json", help="записать итог в файл JSON")] = None,
    capture: Annotated[Path | None, typer.Option(help="папка для записей с сокета клиента")] = None,
    desk: Annotated[
        bool, typer.Option("--desk", help="подождать, пока откроют рабочее место сотрудника")
    ] = False,
) -> None:
    """Три исходящих звонка и один входящий на этой машине; выход 0, если все прошли как задумано.

    Недовольного клиента принимает браузер, если в нём открыто рабочее место, иначе SIP-телефон показа."""
    settings = demo_settings(load_settings())
    configure_logs(settings.log_level, file=fresh_log(settings))
    try:
        status = asyncio.run(_demo(settings, json_file, capture, desk))
    except asyncio.CancelledError as error:
        raise typer.Exit(128 + signal.SIGTERM) from error
    raise typer.Exit(status)


def demo_settings(settings: Settings, folder: str = "demo") -> Settings:
    """The embedded defaults in a folder of their own, on free ports: a demo disturbs nobody. Of what is set
    only the folders, the speech and the log's detail are taken over: no trunk, no database of the company's.
    """
    var = settings.var_dir / folder
    for left in (var / "spool", var / "recordings", var / "surveys", *var.glob("otklik.sqlite*")):
        shutil.rmtree(left) if left.is_dir() else left.unlink(missing_ok=True)
    sip, rasa, actions, web = free_ports(
        settings.sip.port, settings.dialogue.rasa_port, settings.dialogue.actions_port, settings.web.port
    )
    return settings.model_copy(
        update={
            "var": var,
            "recordings": var / "recordings",
            "surveys": Path("survey_defs"),
            "sip": SipSection(port=sip),
            "call": CallSection(),
            "dialogue": DialogueSection(rasa_port=rasa, actions_port=actions),
            "store": StoreSection(),
            "handover": HandoverSection(),
            "inbound": InboundSection(),
            "metrics": MetricsSection(),
            "web": WebSection(port=web),
            "webrtc": WebRtcSection(),
        }
    )


def free_ports(*wanted: int) -> list[int]:
    """Each wanted port of loopback if it is free for UDP and TCP, else one that is."""
    with ExitStack() as held:
        return [_hold(port, held) or _hold(0, held) for port in wanted]


def _hold(port: int, held: ExitStack) -> int:
    """The port, kept until the stack closes; 0 where it is taken."""
    tcp = held.enter_context(socket.socket(socket.AF_INET, socket.SOCK_STREAM))
    udp = held.enter_context(socket.socket(socket.AF_INET, socket.SOCK_DGRAM))
    try:
        tcp.bind(("127.0.0.1", port))
        bound: int = tcp.getsockname()[1]
        udp.bind(("127.0.0.1", bound))
    except OSError:
        return 0
    return bound


async def _demo(settings: Settings, json_file: Path | None, capture: Path | None, desk: bool) -> int:
    began = time.monotonic()
    stop_on_sigterm()
    async with Node(settings, on_step=show_step) as node:
        ready_s = time.monotonic() - began
        # Its database is not the one that a bare `otklik` would find.
        told = {words("Команды ему", "Commands for it"): f"OTKLIK_VAR={settings.var_dir} otklik …"}
        async with await ControlClient.connect(settings.control_socket) as control:
            console.print(screen(node.about() | told | await demo_desk.open_account(settings, control)))
            if desk:
                console.print(words("Жду, пока откроют рабочее место…", "Waiting for the desk to be opened…"))
                if not await demo_desk.opened(control, DESK_S):
                    console.print(
                        words("Не дождался: звоню на SIP-телефон.", "Nobody came: the SIP phone rings.")
                    )
            report = await _calls(settings, capture, control)
        console.print(results(report))
        if json_file is not None:
            write_summary(json_file, report, setup_seconds() + ready_s)
        for call in report.calls:
            for failure in call.failures:
                console.print(f"✗ {call.name}: {failure}", style="bold red")
        if sys.stdin.isatty() and sys.stdout.isatty():
            console.print(words("Узел работает. Ctrl-C: остановить.", "The node is up. Ctrl-C stops it."))
            await until_stopped(node)
    return 0 if report.ok else 1


async def _calls(settings: Settings, capture: Path | None, control: ControlClient) -> SimReport:
    view, at_desk = LiveView(), TakenAtDesk()
    scenario = load_scenario(SCENARIO)
    if await demo_desk.is_open(control):
        scenario = demo_desk.with_time_to_talk(scenario)

    def show(event: CallEvent) -> None:
        at_desk.saw(event)
        line = view.line(event)
        if line is not None:
            console.print(line)

    sip = f"{settings.sip.host}:{settings.sip.port}"
    return at_desk.judged(await run_scenario(scenario, control, sip, capture, show))


def write_summary(file: Path, report: SimReport, setup_s: float) -> None:
    summary = {"setup_s": round(setup_s, 1), **report.as_json()}
    file.write_text(json.dumps(summary, ensure_ascii=False, indent=2) + "\n", encoding="utf-8")


def setup_seconds() -> float:
    """What `make setup` took just before this; 0 where it was no part of this run (`otklik demo`)."""
    last = PROJECT / ".setup" / "last.json"
    if os.environ.get(AFTER_SETUP) != "1" or not last.exists():
        return 0.0
    seconds: float = json.loads(last.read_text())["seconds"]
    return seconds


def results(report: SimReport) -> Table:
    table = Table(title=words("Что сохранено", "What was stored"), title_justify="left")
    for title in words(
        "звонок|исход|ответы|передан|паузы до ответа, мс", "call|disposition|answers|handed to|reply gaps, ms"
    ).split("|"):
        table.add_column(title)
    for call in report.calls:
        answers = ", ".join(f"{question}: {value}" for question, value in call.answers.items())
        gaps = " ".join(f"{gap:.0f}" for gap in call.reply_gaps_ms)
        word = disposition_word(Disposition(call.disposition)) if call.disposition else "?"
        table.add_row(call.name, word, answers or "-", call.transferred_to or "-", gaps or "-")
    return table
