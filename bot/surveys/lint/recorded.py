"""Prompts that people recorded: they can be played, and are as short as spoken ones."""

from __future__ import annotations

from collections.abc import Iterator

from bot.core.errors import AudioInvalid
from bot.surveys.lint.length import LONG, QUESTION_S
from bot.surveys.lint.refused import UNPLAYABLE
from bot.surveys.lint.rules import Check, Sheet, Tools
from bot.surveys.problems import Loc, Problem
from bot.surveys.questions import Audio, Recorded

RULES = ()
"""The rules are those of the loader (`bad-audio`) and of `length`."""


def recordings(sheet: Sheet, tools: Tools) -> Iterator[Problem]:
    if tools.recorded_seconds is None:
        return
    for index, question in enumerate(sheet.survey.questions):
        if question.audio is None:
            continue
        for loc, recorded in _each(question.audio):
            where: Loc = ("questions", index, "audio", *loc)
            try:
                seconds = tools.recorded_seconds(sheet.path.parent / recorded.file)
            except AudioInvalid as error:
                yield sheet.problem(
                    UNPLAYABLE, where, f"{recorded.file}: {error.message}", near=recorded.file
                )
                continue
            if seconds > QUESTION_S:
                message = f"{recorded.file} звучит {seconds:.1f} с, а слушают до {QUESTION_S:g} с"
                yield sheet.problem(LONG, where, message)


def _each(audio: Audio) -> Iterator[tuple[Loc, Recorded]]:
    if audio.ask is not None:
        yield ("ask",), audio.ask
    for place, recorded in enumerate(audio.reask):
        yield ("reask", place), recorded
    if audio.help is not None:
        yield ("help",), audio.help


CHECKS: tuple[Check, ...] = (recordings,)
