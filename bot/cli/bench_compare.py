"""`otklik bench compare`: our end of a turn against one fixed silence, over the same sound."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator
from typing import Annotated

import typer
from rich import box
from rich.console import Console
from rich.table import Table

from bot.cli.bench_options import AsJson, Audio, Seed, Write
from bot.cli.bench_reply_gap import AUDIO, SEED
from bot.cli.bench_tables import Row, markdown_table, wide_console, write_section
from bot.cli.comparing import Comparison, Way, compare
from bot.logs import configure_logs
from bot.settings_load import load_settings
from bot.settings_rooms import speech_settings
from bot.sim.bench.pieces import Piece, read_pieces
from bot.speech.models import ensure_model
from bot.speech.recogniser import VoskRecogniser
from bot.speech.settings import RecogniserSettings
from bot.words import words

CALLS = 8
UNHURRIED_S = 5.0
"""How long the recogniser may take for a frame here: media time waits for it, so the figures are exact."""


def compare_ways(
    as_json: AsJson = False,
    audio: Audio = AUDIO,
    seed: Seed = SEED,
    calls: Annotated[
        int, typer.Option(min=1, help=words("реплики скольких звонков", "the turns of how many calls"))
    ] = CALLS,
    write: Write = None,
) -> None:
    """Наш конец реплики против одной тишины на все вопросы: во сколько раз быстрее при равных обрывах."""
    configure_logs("warning")
    found = asyncio.run(_compared(read_pieces(audio), seed, calls))
    if write is not None:
        write_section(write, "compare", _section(found))
    if as_json:
        typer.echo(found.model_dump_json())
    else:
        _show(wide_console(), found)


async def _compared(pieces: tuple[Piece, ...], seed: int, calls: int) -> Comparison:
    speech = speech_settings(load_settings())
    model = await asyncio.to_thread(ensure_model, speech.recogniser.model, speech.models_dir, speech.var_dir)
    recogniser = await VoskRecogniser.load(
        model, RecogniserSettings(model=speech.recogniser.model, feed_wait_s=UNHURRIED_S)
    )
    try:
        return await compare(recogniser, pieces, seed=seed, calls=calls)
    finally:
        recogniser.close()


def _rows(found: Comparison) -> Iterator[Row]:
    yield _row(words("по ожидаемому ответу (мы)", "by the expected answer (ours)"), found.ours)
    ways = [*found.fixed, *([found.equal] if found.equal and found.equal not in found.fixed else [])]
    for way in ways:
        mark = words(", обрывает не чаще нас", ", cuts no more than we do") if way == found.equal else ""
        yield _row(words(f"тишина {way.silence_s:.1f} с", f"silence {way.silence_s:.1f} s") + mark, way)


def _row(name: str, way: Way) -> Row:
    return (
        name,
        f"{way.p50_ms:.0f}",
        f"{way.p95_ms:.0f}",
        f"{way.mean_ms:.0f}",
        f"{way.cutoff_rate:.1%}",
        f"{way.corrections_split:.0%}",
    )


def _heads() -> list[str]:
    return words(
        "конец реплики → текст, мс|p50|p95|среднее|обрывов|поправок разбито",
        "end of turn → text, ms|p50|p95|mean|cut off|corrections split",
    ).split("|")


def _verdict(found: Comparison) -> str:
    if found.equal is None or found.gain is None:
        return words(
            f"Реплик: {found.turns}. Ни одна тишина не обрывает так редко, как мы.",
            f"Turns: {found.turns}. No fixed silence cuts as seldom as we do.",
        )
    gain, silence_s = found.gain, found.equal.silence_s
    return words(
        f"Реплик: {found.turns}, seed {found.seed}. Чтобы обрывать не чаще, тишина нужна {silence_s:g} с; "
        f"мы быстрее в {gain.p50:g} раза (p50), в {gain.p95:g} (p95), в {gain.mean:g} (среднее).",
        f"Turns: {found.turns}, seed {found.seed}. To cut no more often takes {silence_s:g} s of silence; "
        f"we are {gain.p50:g} times as fast (p50), {gain.p95:g} (p95), {gain.mean:g} (mean).",
    )


def _section(found: Comparison) -> str:
    return f"{_verdict(found)}\n\n{markdown_table(_heads(), _rows(found))}"


def _show(console: Console, found: Comparison) -> None:
    table = Table(box=box.SIMPLE)
    for index, head in enumerate(_heads()):
        table.add_column(head, justify="right" if index else "left", no_wrap=not index)
    for row in _rows(found):
        table.add_row(*row)
    console.print(table)
    console.print(_verdict(found))
