"""`otklik calls show`: one call as it is stored, with what the caller waited for in it."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Iterator, Sequence
from typing import Annotated, Any

import typer
from rich import box
from rich.console import Console
from rich.table import Table

from bot.cli.bench_tables import stage_name
from bot.cli.call_handovers import handover_table, handovers
from bot.cli.live import LiveView, disposition_word
from bot.core.control import ControlClient
from bot.core.endings import Disposition
from bot.core.errors import BadInput
from bot.core.events import (
    CallEvent,
    ListeningStarted,
    PromptEnded,
    PromptPaused,
    PromptResumed,
    ReplyMeasured,
    call_event,
)
from bot.metrics import STAGES, kind_of
from bot.settings import Settings
from bot.settings_load import load_settings
from bot.sim.bench.figures import percentile
from bot.words import words

app = typer.Typer(no_args_is_help=True, add_completion=False)


@app.callback()
def _calls() -> None:
    """Звонки."""


@app.command(help=words("Ход звонка и паузы до ответов бота", "A call's course and its reply gaps"))
def show(
    call_id: Annotated[str, typer.Argument(help=words("звонок: call-…", "the call: call-…"))],
    as_json: Annotated[
        bool, typer.Option("--json", help=words("один объект JSON", "one JSON object"))
    ] = False,
) -> None:
    """Ход звонка и паузы до ответов бота; узел должен работать."""
    stored, events = asyncio.run(read_call(load_settings(), call_id))
    if as_json:
        told = {**stored, "latency": latency(events), "handovers": handovers(events)}
        typer.echo(json.dumps(told, ensure_ascii=False))
        return
    console, view = Console(highlight=False), LiveView()
    for event in events:
        line = view.line(event)
        if line is not None:
            console.print(line)
    console.print(_table(events))
    if made := handovers(events):
        console.print(handover_table(made))
    if stored["disposition"]:
        console.print(disposition_word(Disposition(stored["disposition"])), style="bold")


async def read_call(settings: Settings, call_id: str) -> tuple[dict[str, Any], list[CallEvent]]:
    """The call and its events. Raises NodeUnavailable, and BadInput for a call that is not known."""
    async with await ControlClient.connect(settings.control_socket) as node:
        stored = (await node.request("calls", call_ids=[call_id]))["calls"]
        if not stored:
            raise BadInput(
                words(f"звонка {call_id} в базе нет", f"there is no call {call_id}"),
                hint=words("номер звонка печатает otklik call --json", "otklik call --json prints call ids"),
            )
        events = (await node.request("events", call_id=call_id))["events"]
    return stored[0], [call_event.validate_python(event) for event in events]


def latency(events: Sequence[CallEvent]) -> dict[str, Any]:
    """What a call's events say of its waits: every reply with its stages, the percentiles by question
    kind, and how often the bot was talked over. Times in ms. Pure."""
    replies = list(_replies(events))
    kinds = dict.fromkeys(kind for kind, _ in replies)
    return {
        "replies": [
            {
                "question_id": reply.question_id,
                "kind": kind,
                "gap_ms": reply.gap_ms,
                **{f"{stage}_ms": getattr(reply, f"{stage}_ms") for stage in STAGES},
            }
            for kind, reply in replies
        ],
        **{kind: _summary([reply.gap_ms for its, reply in replies if its == kind]) for kind in kinds},
        "barge_ins": _barge_ins(events),
    }


def _replies(events: Sequence[CallEvent]) -> Iterator[tuple[str, ReplyMeasured]]:
    expects: dict[str, str] = {}
    for event in events:
        match event:
            case ListeningStarted(question_id=question):
                expects[question] = event.expects
            case ReplyMeasured():
                yield kind_of(expects.get(event.question_id)), event


def _summary(gaps: Sequence[float]) -> dict[str, float]:
    return {"turns": len(gaps), "p50_ms": percentile(gaps, 50), "max_ms": max(gaps)}


def _barge_ins(events: Sequence[CallEvent]) -> dict[str, int]:
    """Prompts that a voice paused: how many went on, and how many were stopped for good."""
    paused: set[int] = set()
    resumed = stopped = 0
    for event in events:
        match event:
            case PromptPaused(prompt=prompt):
                paused.add(prompt)
            case PromptResumed(prompt=prompt):
                paused.discard(prompt)
                resumed += 1
            case PromptEnded(prompt=prompt) if prompt in paused:
                paused.discard(prompt)
                stopped += 1
    return {"resumed": resumed, "stopped": stopped}


def _table(events: Sequence[CallEvent]) -> Table:
    table = Table(
        box=box.SIMPLE, title=words("Паузы до ответа бота, мс", "Reply gaps, ms"), title_justify="left"
    )
    for index, head in enumerate(
        (words("вопрос", "question"), words("пауза", "gap"), *map(stage_name, STAGES))
    ):
        table.add_column(head, justify="right" if index else "left")
    for _, reply in _replies(events):
        stages = (getattr(reply, f"{stage}_ms") for stage in STAGES)
        table.add_row(reply.question_id, f"{reply.gap_ms:.0f}", *(f"{stage:.0f}" for stage in stages))
    return table
