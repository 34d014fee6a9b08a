"""How long one turn of the dialogue takes over HTTP: Rasa, its action and the survey flow together.

    .venv/bin/python benchmarks/dialogue_turn.py [--calls N] [--json FILE]

Plays whole calls against both real servers on loopback, one turn at a time, as one call sees it.
Exit status 1 where the median is 20 ms or more.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import statistics
import sys
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path

import aiohttp

from bot.call.dialogue import RasaDialogue
from bot.core.context import CallContext, TurnSource, UserTurn
from bot.surveys.loader import load_survey, survey_hash, to_json
from dialogue.running import running_dialogue

PROJECT = Path(__file__).resolve().parent.parent
SURVEY = PROJECT / "survey_defs" / "nps.yaml"
LIMIT_MS = 20.0
WARM_UP = 5
"""Calls before the measured ones: first turns load tables and open connections."""

CALL = (
    ("speech", "повторите пожалуйста"),
    ("speech", "ну наверное девять"),
    ("silence", ""),
    ("speech", "да решили"),
    ("speech", "кто это"),
    ("speech", "оператор говорил вежливо и быстро помог мне с тарифом"),
    ("dtmf", "1"),
)


def turns() -> Iterator[UserTurn]:
    for source, said in CALL:
        keys = said if source == "dtmf" else ""
        yield UserTurn(source=TurnSource(source), text="" if keys else said, digits=keys)


async def measure(url: str, token: str, digest: str, calls: int) -> dict[str, list[float]]:
    """Milliseconds of every turn, by its kind; `start` opens a call."""
    spent: dict[str, list[float]] = {"start": [], "speech": [], "dtmf": [], "silence": []}
    async with aiohttp.ClientSession() as http:
        dialogue = RasaDialogue(url, http, token=token, timeout_s=10.0)
        for number in range(calls + WARM_UP):
            call_id = f"bench-{number}"
            context = CallContext(call_id=call_id, survey_hash=digest, direction="outbound")
            began = time.perf_counter()
            await dialogue.start(context)
            laps = [("start", time.perf_counter() - began)]
            for turn in turns():
                began = time.perf_counter()
                await dialogue.turn(call_id, turn)
                laps.append((turn.source.value, time.perf_counter() - began))
            if number >= WARM_UP:
                for kind, seconds in laps:
                    spent[kind].append(seconds * 1000.0)
    return spent


def summary(samples: list[float]) -> dict[str, float]:
    cuts = statistics.quantiles(samples, n=100, method="inclusive")
    figures = {"p50": cuts[49], "p90": cuts[89], "p95": cuts[94], "p99": cuts[98]}
    return {"n": len(samples), **{name: round(value, 2) for name, value in figures.items()}}


def main() -> int:
    parser = argparse.ArgumentParser()
    parser.add_argument("--calls", type=int, default=40)
    parser.add_argument("--json", type=Path, help="write the figures there")
    arguments = parser.parse_args()
    survey = load_survey(SURVEY)
    digest = survey_hash(survey)
    with tempfile.TemporaryDirectory() as folder:
        surveys = Path(folder)
        (surveys / f"{digest}.json").write_text(to_json(survey), encoding="utf-8")
        with running_dialogue(surveys, surveys / "log.txt") as servers:
            spent = asyncio.run(measure(servers.rasa_url, servers.token, digest, arguments.calls))
    turn_times = [lap for kind, laps in spent.items() if kind != "start" for lap in laps]
    figures = {
        "unit": "ms",
        "turn": summary(turn_times),
        **{kind: summary(laps) for kind, laps in spent.items()},
    }
    text = json.dumps(figures, ensure_ascii=False, indent=1)
    if arguments.json:
        arguments.json.write_text(text + "\n", encoding="utf-8")
    sys.stdout.write(text + "\n")
    return 0 if figures["turn"]["p50"] < LIMIT_MS else 1  # type: ignore[index]


if __name__ == "__main__":
    sys.exit(main())
