"""What benchmarks that hold calls are all asked for."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from bot.sim.bench.plan import TURNS
from bot.sim.script import NOISE_FROM_DBFS, NOISE_TO_DBFS
from bot.words import words

AsJson = Annotated[bool, typer.Option("--json", help=words("один объект JSON", "one JSON object"))]
Audio = Annotated[
    Path, typer.Option(help=words("папка записей для звонящих", "a folder of callers' recordings"))
]
Capture = Annotated[
    Path | None, typer.Option(help=words("папка: звук с сокетов", "a folder for the sound at the sockets"))
]
Noise = Annotated[
    float | None,
    typer.Option(
        min=NOISE_FROM_DBFS,
        max=NOISE_TO_DBFS,
        help=words(
            "шум у звонящих, дБ от полной шкалы; без него между словами полная тишина",
            "callers' noise, dB of full scale; without it nothing at all between words",
        ),
    ),
]
Seed = Annotated[int, typer.Option(help=words("какие реплики", "which turns are drawn"))]
Turns = Annotated[int, typer.Option(min=1, max=TURNS, help=words("реплик в звонке", "turns of a call"))]
Write = Annotated[
    Path | None, typer.Option(help=words("вписать таблицу в эту страницу", "put the table into this page"))
]
