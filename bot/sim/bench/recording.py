"""A benchmark's calls as they are kept: records from the events, and a capture that is measured again.

A capture's folder holds each call's sound and turn list, as `otklik simulate --capture` writes them,
and `reply-gap.jsonl`: the printed figures in its first line, then one `CallRecord` a line.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence
from pathlib import Path
from typing import TypeVar

from pydantic import BaseModel, ValidationError

from bot.core.answer import AnswerStatus
from bot.core.errors import AudioInvalid, Place
from bot.core.events import (
    AnswerRecorded,
    CallEvent,
    PromptEnded,
    PromptPaused,
    PromptResumed,
    PromptStarted,
    ReplyMeasured,
    TurnHeard,
)
from bot.sim.bench.figures import CallRecord, Figures, QuestionEvents, StagedReply, figures
from bot.sim.bench.plan import PlannedCall
from bot.sim.capture import read_capture
from bot.sim.results import CallReport
from bot.sim.turns import measure_turns

FILE = "reply-gap.jsonl"

M = TypeVar("M", bound=BaseModel)


class EventBook:
    """Collects what the figures need from every call's events."""

    def __init__(self) -> None:
        self._questions: dict[str, dict[str, QuestionEvents]] = defaultdict(dict)
        self._prompts: dict[tuple[str, int], str] = {}

    def take(self, event: CallEvent) -> None:
        match event:
            case PromptStarted(question_id=question, prompt=prompt) if question:
                self._prompts[event.call_id, prompt] = question
            case PromptPaused() | PromptResumed() | PromptEnded():
                self._prompt(event)
            case ReplyMeasured():
                reply = StagedReply(**{name: getattr(event, name) for name in StagedReply.model_fields})
                self._add(event.call_id, event.question_id, replies=(reply,))
            case TurnHeard(question_id=question, text=text):
                self._add(event.call_id, question, heard=(text,))
            case AnswerRecorded(answer=answer) if answer.status is AnswerStatus.ANSWERED:
                self._add(event.call_id, event.question_id, values=(str(answer.value),))

    def of(self, call_id: str) -> dict[str, QuestionEvents]:
        """By question."""
        return dict(self._questions[call_id])

    def _prompt(self, event: PromptPaused | PromptResumed | PromptEnded) -> None:
        question = self._prompts.get((event.call_id, event.prompt))
        if question is None:
            return
        match event:
            case PromptPaused():
                self._add(event.call_id, question, paused=1)
            case PromptResumed():
                self._add(event.call_id, question, resumed=1)
            case PromptEnded(completed=False):
                self._add(event.call_id, question, stopped=1)

    def _add(
        self,
        call_id: str,
        question: str,
        *,
        replies: tuple[StagedReply, ...] = (),
        heard: tuple[str, ...] = (),
        values: tuple[str, ...] = (),
        paused: int = 0,
        resumed: int = 0,
        stopped: int = 0,
    ) -> None:
        known = self._questions[call_id].get(question, QuestionEvents())
        self._questions[call_id][question] = QuestionEvents(
            replies=known.replies + replies,
            heard=known.heard + heard,
            values=known.values + values,
            paused=known.paused + paused,
            resumed=known.resumed + resumed,
            stopped=known.stopped + stopped,
        )


def record_of(planned: PlannedCall, report: CallReport, book: EventBook) -> CallRecord:
    return CallRecord(
        planned=planned,
        measured=tuple(report.measured),
        events=book.of(report.call_id),
        disposition=report.disposition,
        stalls=report.stalls,
        failures=tuple(report.failures),
    )


def write_records(folder: Path, found: Figures, records: Sequence[CallRecord]) -> None:
    """Beside the sound."""
    folder.mkdir(parents=True, exist_ok=True)
    lines = [found.model_dump_json(), *(record.model_dump_json() for record in records)]
    (folder / FILE).write_text("\n".join(lines) + "\n", encoding="utf-8")


def read_records(folder: Path) -> tuple[Figures, list[CallRecord]]:
    """The figures that were printed, and the calls. Raises AudioInvalid with the line that is wrong."""
    file = folder / FILE
    try:
        lines = file.read_text(encoding="utf-8").splitlines()
    except (OSError, UnicodeDecodeError) as error:
        raise AudioInvalid(
            f"{file}: не читается: {error}", hint="otklik bench reply-gap --capture ПАПКА"
        ) from error
    if not lines:
        raise AudioInvalid("файл пуст", place=Place(str(file)))
    records = [_parsed(CallRecord, line, file, number) for number, line in enumerate(lines[1:], start=2)]
    return _parsed(Figures, lines[0], file, 1), records


def _parsed(kind: type[M], line: str, file: Path, number: int) -> M:
    try:
        return kind.model_validate_json(line)
    except ValidationError as error:
        first = error.errors()[0]
        name = ".".join(map(str, first["loc"]))
        raise AudioInvalid(f"{name}: {first['msg']}", place=Place(str(file), number)) from error


def measure_again(folder: Path) -> tuple[Figures, Figures]:
    """The figures that were printed, and those of the captured sound, measured now. Raises AudioInvalid."""
    printed, records = read_records(folder)
    again = [_remeasured(folder, record) for record in records]
    return printed, figures(again, calls=printed.calls, rounds=printed.rounds, seed=printed.seed)


def _remeasured(folder: Path, record: CallRecord) -> CallRecord:
    turn_list = folder / f"{record.planned.name}.json"
    if not record.measured and not turn_list.exists():
        return record  # a call that was never answered has no sound
    turns, sent, received = read_capture(turn_list)
    return record.model_copy(update={"measured": measure_turns(sent, received, turns)})
