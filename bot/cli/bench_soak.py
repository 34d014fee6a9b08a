"""`otklik bench soak`: calls for a long time at 80 % of what a node holds, and whether it stays the same."""

from __future__ import annotations

import asyncio
import json
import tempfile
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Annotated, Any

import typer
from rich import box
from rich.table import Table

from bot.cli.bench_capacity import capacity_found
from bot.cli.bench_capacity_tables import TARGET_CORE_S
from bot.cli.bench_node import Callers, Told, bench_settings, running, stopping, tell
from bot.cli.bench_options import AsJson, Audio, Noise, Seed, Write
from bot.cli.bench_reply_gap import AUDIO, SEED, about
from bot.cli.bench_tables import Row, markdown_table, taken_on, wide_console, write_section
from bot.settings_load import load_settings
from bot.sim.bench.capacity import TARGET_GAP_MS
from bot.sim.bench.load import load
from bot.sim.bench.pieces import read_pieces
from bot.sim.bench.plan import TURNS, PlannedCall
from bot.sim.bench.soaking import (
    FILES_SHARE,
    JUDGED_REPLIES,
    JUDGED_S,
    LONG_WARM_UP_S,
    MEMORY_SHARE,
    Verdict,
    summary,
)
from bot.sim.scenario import Call
from bot.words import words

SHARE = 0.8
"""Issue 9: of the node's capacity."""

DIFFERENT_CALLS = 40
"""So many calls are made up; they come round again."""

_VERDICTS = {
    Verdict.MET: ("да", "yes"),
    Verdict.MISSED: ("нет", "no"),
    Verdict.NOT_JUDGED: ("мало, чтобы судить", "too little to say"),
}

PAUSE_S = 1.0
"""How long a telephone rings, from the second call of a line on: lines are held, not rung."""


def soak(
    minutes: Annotated[
        float, typer.Option(min=0.1, max=10_080, help=words("сколько минут", "how many minutes"))
    ] = 5.0,
    calls: Annotated[
        int | None,
        typer.Option(
            min=1,
            max=250,
            help=words(
                "сколько звонков сразу; без него 80 % от того, что нашёл bench capacity",
                "calls at the same time; without it 80 % of what bench capacity has found",
            ),
        ),
    ] = None,
    as_json: AsJson = False,
    audio: Audio = AUDIO,
    noise: Noise = None,
    seed: Seed = SEED,
    write: Write = None,
) -> None:
    """Держать звонки: сколько не удалось, растут ли память и дескрипторы, меняется ли пауза до ответа.

    Ctrl-C: закончить с тем, что измерено. Выход 1, если не выдержана хоть одна цель; рост судит с 8 минут."""
    settings = load_settings()
    lines = calls or max(int(capacity_found(settings.var_dir, noise) * SHARE), 1)
    callers = Callers(read_pieces(audio), TURNS, seed, noise)
    found = asyncio.run(_soak(callers, lines, minutes)) | about(settings)
    found |= {"seed": seed, "noise_dbfs": noise}
    if write is not None:
        write_section(write, "soak", section(found))
    if as_json:
        typer.echo(json.dumps(found, ensure_ascii=False))
    else:
        _show(found)
    if Verdict.MISSED in found["verdicts"].values():
        raise typer.Exit(1)


async def _soak(callers: Callers, lines: int, minutes: float) -> dict[str, Any]:
    with stopping() as stop, tempfile.TemporaryDirectory(prefix="otklik-bench-") as folder:
        planned, scripted = callers.scripted(DIFFERENT_CALLS, lines, Path(folder))
        async with running(bench_settings("soak")) as node:
            tell(words(f"звонков сразу: {lines}, минут: {minutes:g}", f"{lines} calls, {minutes:g} minutes"))
            began = time.monotonic()
            over_at = began + minutes * 60
            found = await load(
                endless(planned, scripted, lines, lambda: time.monotonic() < over_at),
                lines,
                node.watched,
                node.control,
                node.sip,
                seed=callers.seed,
                stop=stop,
                on_report=Told(every=lines),
            )
            return summary(found, minutes, min(time.monotonic() - began, minutes * 60))


def endless(
    planned: Sequence[PlannedCall], scripted: Sequence[Call], lines: int, goes_on: Callable[[], bool]
) -> Iterator[tuple[PlannedCall, Call]]:
    """The calls over and over, each time under another name, as long as it goes on. Those that begin
    together are answered at different moments; all later ones soon."""
    number = 0
    while goes_on():
        plan, call = planned[number % len(planned)], scripted[number % len(planned)]
        name = f"soak-{number + 1}"
        ring_s = plan.ring_s if number < lines else PAUSE_S
        caller = call.caller.model_copy(update={"ring_s": ring_s})
        yield (
            plan.model_copy(update={"name": name, "ring_s": ring_s}),
            call.model_copy(update={"name": name, "caller": caller}),
        )
        number += 1


def _rows(found: Mapping[str, Any]) -> Iterator[Row]:
    """What, measured, target, whether it is met."""
    first, second = found["reply_gap_p95_halves_ms"]
    kept = {name: words(*_VERDICTS[Verdict(verdict)]) for name, verdict in found["verdicts"].items()}
    if found["noise_dbfs"] is not None:
        yield words("шум у звонящих, дБ", "callers' noise, dB"), f"{found['noise_dbfs']:g}", "", ""
    rate = "-" if found["failed_rate"] is None else f"{found['failed_rate']:.2%}"
    what = words("не удалось звонков", "failed calls")
    yield what, f"{rate} ({found['calls']})", "< 0.1 %", kept["failed_rate"]
    wished = ", ".join(f"{wish} {count}" for wish, count in found["wished"].items()) or "-"
    yield words("кончились на просьбе, как её расслышали", "ended on a wish, as it was heard"), wished, "", ""
    yield (
        words("память узла, МБ: первая треть, последняя", "node's memory, MB: first third, last"),
        " → ".join(map(str, found["rss_mb"])),
        f"≤ +{MEMORY_SHARE * 100:.0f} %",
        kept["memory"],
    )
    what = words("рост памяти по прямой, МБ в час", "memory's growth by a straight line, MB an hour")
    yield what, str(found["rss_growth_mb_per_hour"]), "", ""
    yield (
        words("дескрипторов: первая треть, последняя", "file descriptors: first third, last"),
        " → ".join(map(str, found["fds"])),
        f"≤ +{FILES_SHARE * 100:.0f} %",
        kept["files"],
    )
    yield (
        words("пауза p95, мс: первая половина, вторая", "reply gap p95, ms: first half, second"),
        f"{first} → {second}",
        words(f"≤ {TARGET_GAP_MS}, не растёт", f"≤ {TARGET_GAP_MS}, not growing"),
        kept["reply_gap"],
    )
    late, torn = f"{found['late_share']:.3%}", f"{found['torn_share']:.3%}"
    yield words("опоздало пакетов", "packets late"), late, "≤ 0.1 %", kept["late_audio"]
    yield words("оборвано фраз", "prompts torn"), torn, "≤ 0.1 %", kept["late_audio"]
    yield (
        words("ядро-секунд узла на минуту звонка", "node's core-seconds a call-minute"),
        str(found["core_seconds_per_call_minute"]),
        f"≤ {TARGET_CORE_S}",
        words("смотрит bench capacity", "for bench capacity to say"),
    )


def _heads() -> list[str]:
    return words("что|измерено|цель|выдержана", "what|measured|target|met").split("|")


def section(found: Mapping[str, Any]) -> str:
    taken = words(
        f"{found['minutes']} минут, звонков сразу: {found['lines']}, всего {found['calls']}, ответов "
        f"{found['replies']}; {taken_on(found)}",
        f"{found['minutes']} minutes, calls at once: {found['lines']}, in all {found['calls']}, replies "
        f"{found['replies']}; {taken_on(found)}",
    )
    failed = "; ".join(f"{why}: {count}" for why, count in found["failed"].items())
    table = markdown_table(_heads(), _rows(found))
    said = [f"{words('Не удались', 'Failed')}: {failed}."] if failed else []
    return "\n\n".join([taken, table, *said, *_unjudged(found)])


def _unjudged(found: Mapping[str, Any]) -> Iterator[str]:
    """Why some targets are not judged."""
    if Verdict(found["verdicts"]["memory"]) is Verdict.NOT_JUDGED:
        least = (LONG_WARM_UP_S + JUDGED_S) / 60
        yield words(
            f"О росте памяти и дескрипторов мало времени, чтобы судить: после разогрева "
            f"{found['steady_s']} с, нужно {JUDGED_S:.0f} (--minutes {least:.0f} и больше).",
            f"Too short a time to judge growth of memory and descriptors: {found['steady_s']} s behind the "
            f"warm-up, {JUDGED_S:.0f} are needed (--minutes {least:.0f} and more).",
        )
    if Verdict(found["verdicts"]["reply_gap"]) is Verdict.NOT_JUDGED:
        yield words(
            f"О паузе мало ответов, чтобы судить: {found['replies']}, нужно {JUDGED_REPLIES}.",
            f"Too few replies to judge their gap: {found['replies']}, {JUDGED_REPLIES} are needed.",
        )


def _show(found: Mapping[str, Any]) -> None:
    table = Table(box=box.SIMPLE)
    for index, head in enumerate(_heads()):
        table.add_column(head, justify="right" if index else "left")
    for row in _rows(found):
        table.add_row(*row)
    console = wide_console()
    console.print(table)
    for sentence in _unjudged(found):
        console.print(sentence)
