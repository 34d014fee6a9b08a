"""`otklik calls show`: one call as it is stored, with what the caller waited for in it."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Sequence
from typing import Annotated, Any

import typer
from rich import box
from rich.console import Console
from rich.table import Table

from bot.call.waits import Corrected, Measure, Paused, Replied, Resumed, Stopped, waits
from bot.cli.bench_tables import kind_name, stage_name
from bot.cli.call_handovers import handover_table, handovers
from bot.cli.live import LiveView, disposition_word
from bot.core.control import ControlClient
from bot.core.endings import Disposition
from bot.core.errors import BadInput
from bot.core.events import CallEvent, call_event
from bot.core.percentiles import PERCENTILES, percentiles
from bot.metrics import STAGES
from bot.settings import Settings
from bot.settings_load import load_settings
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
    waited = latency(events)
    console.print(_replies(waited))
    if (figures := _percentiles(waited)).row_count:
        console.print(figures)
    for sentence in _counts(waited):
        console.print(sentence)
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
    """What a call's events say of its waits: every reply with its stages, the percentiles by kind of
    question and of barge-ins, how often the bot was talked over, and what was corrected. Times in ms, as
    the benchmark's are named. Pure."""
    measures = list(waits(events))
    replies = [measure for measure in measures if isinstance(measure, Replied)]
    kinds = dict.fromkeys(("closed", "open", *(reply.kind for reply in replies)))
    return {
        "replies": [
            {
                "question_id": reply.measured.question_id,
                "kind": reply.kind,
                "gap_ms": reply.measured.gap_ms,
                **{f"{stage}_ms": getattr(reply.measured, f"{stage}_ms") for stage in STAGES},
            }
            for reply in replies
        ],
        **{kind: _figures([each.measured.gap_ms for each in replies if each.kind == kind]) for kind in kinds},
        "barge_in_pause": _figures([1000 * each.pause_s for each in measures if isinstance(each, Paused)]),
        "barge_in_stop": _figures(
            [1000 * each.stop_s for each in measures if isinstance(each, Stopped) and each.stop_s is not None]
        ),
        "barge_ins": {"resumed": _number(measures, Resumed), "stopped": _number(measures, Stopped)},
        "corrections": {
            "answers": measures.count(Corrected("answer")),
            "signals": measures.count(Corrected("signal")),
        },
    }


def _figures(times_ms: Sequence[float]) -> dict[str, int | None]:
    return percentiles([round(time_ms) for time_ms in times_ms]).model_dump()


def _number(measures: Sequence[Measure], of: type[Measure]) -> int:
    return sum(isinstance(measure, of) for measure in measures)


def _replies(told: dict[str, Any]) -> Table:
    table = Table(
        box=box.SIMPLE, title=words("Паузы до ответа бота, мс", "Reply gaps, ms"), title_justify="left"
    )
    for index, head in enumerate(
        (words("вопрос", "question"), words("пауза", "gap"), *map(stage_name, STAGES))
    ):
        table.add_column(head, justify="right" if index else "left")
    for reply in told["replies"]:
        times = (reply[f"{what}_ms"] for what in ("gap", *STAGES))
        table.add_row(reply["question_id"], *(f"{time:.0f}" for time in times))
    return table


def _percentiles(told: dict[str, Any]) -> Table:
    """A row for each kind of wait that this call had."""
    table = Table(box=box.SIMPLE, title=words("Перцентили, мс", "Percentiles, ms"), title_justify="left")
    table.add_column(words("что", "what"))
    for head in (words("раз", "times"), *(f"p{percent}" for percent in PERCENTILES)):
        table.add_column(head, justify="right")
    for kind in ("closed", "open", "unknown", "barge_in_pause", "barge_in_stop"):
        figures = told.get(kind)
        if figures and figures["turns"]:
            times = (str(figures[f"p{percent}_ms"]) for percent in PERCENTILES)
            table.add_row(kind_name(kind), str(figures["turns"]), *times)
    return table


def _counts(told: dict[str, Any]) -> list[str]:
    """The figures that are no times, a sentence each."""
    barged, corrected = told["barge_ins"], told["corrections"]
    return [
        words(
            f"Перебивания: фраза остановлена {barged['stopped']}, продолжена {barged['resumed']}.",
            f"Barge-ins: the prompt was stopped {barged['stopped']}, went on {barged['resumed']}.",
        ),
        words(
            f"Поправки: ответов заменено {corrected['answers']}, сигналов снято {corrected['signals']}.",
            f"Corrections: {corrected['answers']} answers, {corrected['signals']} signals withdrawn.",
        ),
    ]
