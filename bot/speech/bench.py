"""Recorded answers through the recogniser and the answer parser: what value comes out of whose sound.

A folder of recordings has a `manifest.tsv`: file, voice, intent, value or topic, and text, parted by
tabs; lines that begin with # are comments. A score is asked on 0-10, yes and no as such; whoever says
anything else when a score is asked gives no value.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path

from bot.core.answer import Answer, AnswerValue
from bot.core.audio import Pcm
from bot.core.context import TurnSource, UserTurn
from bot.core.directives import Expectation, ScaleExpected, YesNoExpected
from bot.core.errors import BadInput, Place
from bot.core.intents import Intent
from bot.core.ports import Transcript
from bot.surveys.answers import parse

MANIFEST = "manifest.tsv"
_COLUMNS = 5

SCORE = ScaleExpected(low=0, high=10)
YES_NO = YesNoExpected()

Listen = Callable[[Pcm, Expectation], Transcript]


@dataclass(frozen=True, slots=True)
class Recording:
    """One recorded answer, what it answers to, and the value that it should give."""

    file: Path
    voice: str
    text: str
    expectation: Expectation
    value: AnswerValue


@dataclass(frozen=True, slots=True)
class Outcome:
    recording: Recording
    heard: str
    value: AnswerValue

    @property
    def is_right(self) -> bool:
        return self.value == self.recording.value

    @property
    def is_wrong(self) -> bool:
        """Another value was taken: worse than none."""
        return self.value is not None and not self.is_right


def read_manifest(folder: Path) -> list[Recording]:
    """Raises BadInput where the folder or a column is missing."""
    path = folder / MANIFEST
    try:
        lines = path.read_text(encoding="utf-8").splitlines()
    except (OSError, UnicodeDecodeError) as error:
        raise BadInput(
            f"нет записей ответов: {error}",
            hint=f"нужна папка с файлами WAV и {MANIFEST}, как tests/data/audio/ru",
            place=Place(str(path)),
        ) from error
    return [
        _recording(folder, line, Place(str(path), number))
        for number, line in enumerate(lines, 1)
        if line.strip() and not line.startswith("#")
    ]


def _recording(folder: Path, line: str, place: Place) -> Recording:
    columns = line.split("\t")
    if len(columns) != _COLUMNS:
        raise BadInput("нужны пять столбцов: файл, голос, intent, значение, слова", place=place)
    name, voice, intent, value, text = columns
    expectation: Expectation = SCORE
    expected: AnswerValue = None
    if intent == Intent.ANSWER_SCORE:
        if not value.isdecimal():
            raise BadInput(f"у оценки нет числа: «{value}»", place=place)
        expected = int(value)
    elif intent in (Intent.AFFIRM, Intent.DENY):
        expectation, expected = YES_NO, "yes" if intent == Intent.AFFIRM else "no"
    return Recording(folder / name, voice, text, expectation, expected)


def outcomes(
    recordings: Iterable[Recording], read: Callable[[Path], Pcm], listen: Listen
) -> Iterator[Outcome]:
    """Each recording heard by `listen` and read as a call would read it."""
    for recording in recordings:
        heard = listen(read(recording.file), recording.expectation)
        turn = UserTurn(source=TurnSource.SPEECH, text=heard.text, words=heard.words)
        if not heard.text:
            turn = UserTurn(source=TurnSource.SILENCE)
        reading = parse(recording.expectation, turn)
        yield Outcome(recording, heard.text, reading.value if isinstance(reading, Answer) else None)
