"""`otklik bench fuzz`: damaged SIP, SDP, RTP, RTCP, STUN and DTLS for a node, while calls go through it."""

from __future__ import annotations

import asyncio
import json
import os
import shutil
import signal
import time
from typing import Annotated, Any

import typer
from rich.console import Console

from bot.cli.bench_options import AsJson
from bot.cli.demo import demo_settings
from bot.cli.serve import fresh_log, stop_on_sigterm
from bot.core.control import ControlClient
from bot.logs import configure_logs
from bot.node import Node
from bot.settings import PROJECT, Settings
from bot.settings_inbound import InboundSection, RouteSection
from bot.settings_load import load_settings
from bot.sim.bench.fuzz_run import FuzzFound, Fuzzing, fuzz
from bot.words import words

SEED = 9
SURVEY = "csat"
KEYS = {"csat": "5", "resolved": "1"}
SURVEYS = PROJECT / "tests" / "data" / "surveys" / "short"

console = Console(stderr=True, highlight=False)


def fuzz_node(
    minutes: Annotated[
        float, typer.Option(min=0.05, max=1440, help=words("сколько минут", "for how many minutes"))
    ] = 5.0,
    rate: Annotated[
        int, typer.Option(min=1, max=2000, help=words("сообщений в секунду", "messages a second"))
    ] = 200,
    calls: Annotated[
        int, typer.Option(min=1, max=20, help=words("сколько живых звонков сразу", "live calls at a time"))
    ] = 2,
    pages: Annotated[
        int, typer.Option(min=0, max=10, help=words("и звонков из браузера", "and calls from browsers"))
    ] = 1,
    seed: Annotated[int, typer.Option(help=words("какие сообщения", "which messages are drawn"))] = SEED,
    as_json: AsJson = False,
) -> None:
    """Испорченные сообщения узлу и живые звонки через него: код 1, если упал, потерял звонок, растёт."""
    # A folder for each run: two at once do not disturb each other, and one that fails leaves its logs.
    settings = fuzzed_settings(demo_settings(load_settings(), f"bench-{os.getpid()}"))
    configure_logs(settings.log_level, file=fresh_log(settings))
    began = time.monotonic()
    plan = Fuzzing(minutes * 60, seed, SURVEY, KEYS, lines=calls, pages=pages, rate=rate)
    try:
        found = asyncio.run(_fuzzed(settings, plan))
    except asyncio.CancelledError as error:
        raise typer.Exit(128 + signal.SIGTERM) from error
    taken = as_figures(found, plan, time.monotonic() - began)
    if as_json:
        typer.echo(json.dumps(taken, ensure_ascii=False))
    else:
        console.print_json(json.dumps(taken, ensure_ascii=False))
    if not found.well:
        console.print(words(f"журналы: {settings.log_dir}", f"logs: {settings.log_dir}"))
        raise typer.Exit(1)
    shutil.rmtree(settings.var_dir)


def fuzzed_settings(settings: Settings) -> Settings:
    """One number is answered, so that most of what is understood is refused at once and holds no line."""
    inbound = InboundSection(routes={SURVEY: RouteSection(survey=SURVEY)}, default_survey="")
    return settings.model_copy(update={"surveys": SURVEYS, "inbound": inbound})


async def _fuzzed(settings: Settings, plan: Fuzzing) -> FuzzFound:
    stop_on_sigterm()
    async with (
        Node(settings, on_step=_tell),
        await ControlClient.connect(settings.control_socket) as control,
    ):
        return await fuzz(plan, control, _tell)


def _tell(line: str) -> None:
    console.print(f"[dim]·[/] {line}")


def as_figures(found: FuzzFound, plan: Fuzzing, seconds: float) -> dict[str, Any]:
    """One object for programs: what was sent, and what the node lost by it."""
    grown = found.rss_last_mb - found.rss_first_mb
    return {
        "minutes": round(seconds / 60, 2),
        "seed": plan.seed,
        "sent": found.sent,
        "messages": sum(found.sent.values()),
        "crashes": found.crashes,
        "calls": len(found.ends),
        "calls_lost": len(found.lost),
        "lost": found.lost,
        "calls_refused": sum(end.refused for end in found.ends),
        "answers_changed": sum(end.changed for end in found.ends),
        "options_answered": found.answers,
        "rss_mb": round(found.rss_last_mb, 1),
        "rss_growth_mb": round(grown, 1),
        "rss_growth_later_mb": round(found.rss_later_mb, 1),
        "memory": found.memory,
        "cpus": os.cpu_count(),
        "load_1m": round(os.getloadavg()[0], 1),
    }
