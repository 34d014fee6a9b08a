"""Rebuilds the model: `python -m small_ru [full|quick] [ENGINE ...]`.

Without engines all speak that are installed; eSpeak NG always does. `python -m small_ru noises FOLDER` writes
sounds that are no speech, and that no step of a rebuild has heard, as a set for `otklik bench asr`.
"""

from __future__ import annotations

import sys
import time
from dataclasses import replace
from pathlib import Path

from bot.core.errors import OtklikError
from bot.words import words
from small_ru.measuring import write_noises
from small_ru.plan import FULL, HOME, QUICK
from small_ru.rebuild import Rebuild
from small_ru.voices import ENGINES

_PLANS = {plan.name: plan for plan in (FULL, QUICK)}


def main(arguments: list[str]) -> int:
    match arguments:
        case ["noises", folder]:
            write_noises(Path(folder))
            return 0
    name, *engines = arguments or [FULL.name]
    if name not in _PLANS or set(engines) - set(ENGINES):
        say(f"usage: python -m small_ru [{'|'.join(_PLANS)}] [{' '.join(ENGINES)}] | noises FOLDER")
        return 2
    plan = replace(_PLANS[name], voices=("espeak", *engines)) if engines else _PLANS[name]
    try:
        rebuild = Rebuild(plan, say)
        where = rebuild.work.relative_to(HOME)
        say(words(f"сборка {name} в {where}", f"{name} rebuild in {where}"))
        found = rebuild.run()
    except OtklikError as error:
        say(str(error))
        return error.exit_status
    made = f"{found['archive']}, {found['bytes']}"
    say(
        words(
            f"готово: {made} байт; меры рядом, в report.json",
            f"done: {made} bytes; report.json has the figures",
        )
    )
    return 0


def say(text: str) -> None:
    print(time.strftime("%H:%M:%S"), text, flush=True)  # noqa: T201


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
