"""The answers of one call as its page shows them: what was recorded, what else it might have been, what
counts, and what may be chosen in its place. Pure."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from bot.core.answer import AnswerStatus
from bot.core.events import AnswerRecorded
from bot.reports.definitions import Asked
from bot.reports.one_call import OneCall
from bot.store.tables_corrections import CorrectionRow, Subject
from bot.web.journal.event_words import Pair, status_words

YES_NO: dict[str, Pair] = {"yes": ("да", "yes"), "no": ("нет", "no")}
TEXTS = ("open", "date")
"""Kinds whose answers are written, not chosen."""


@dataclass(frozen=True, slots=True)
class Recorded:
    """One answer as it was understood; a later one to the same question replaced it."""

    seq: int
    shown: Pair
    confidence: float
    source: str
    heard: str
    alternatives: tuple[Pair, ...]
    reason: str


@dataclass(frozen=True, slots=True)
class ShownAnswer:
    """`counts` is what reports take it for. `options` are what may be chosen in its place; empty where it is
    written. `chosen` is what the form begins with."""

    asked: Asked
    recorded: tuple[Recorded, ...]
    correction: CorrectionRow | None
    corrected_to: Pair | None
    options: tuple[tuple[str, Pair], ...]
    chosen: tuple[str, ...]
    status: str

    @property
    def many(self) -> bool:
        return self.asked.kind == "multi_choice"

    @property
    def lines(self) -> bool:
        """Whether it is written in words of any length."""
        return self.asked.kind in TEXTS


def shown_answers(found: OneCall) -> tuple[ShownAnswer, ...]:
    standing = found.standing
    return tuple(_shown(each, found, standing.get((Subject.ANSWER, each.id))) for each in found.asked)


def _shown(asked: Asked, found: OneCall, correction: CorrectionRow | None) -> ShownAnswer:
    events = [e for e in found.events if isinstance(e, AnswerRecorded) and e.question_id == asked.id]
    stored = next((row for row in found.call.answers if row.question_id == asked.id), None)
    if correction is not None:
        status, value = correction.status, correction.value
    elif stored is not None:
        status, value = stored.status, stored.value
    else:
        status, value = "", None
    return ShownAnswer(
        asked=asked,
        recorded=tuple(_recorded(asked, each) for each in events),
        correction=correction,
        corrected_to=_pair(asked, correction.status, correction.value) if correction else None,
        options=_options(asked),
        chosen=tuple(filter(None, _parts(asked, value))),
        status=status,
    )


def _recorded(asked: Asked, event: AnswerRecorded) -> Recorded:
    answer = event.answer
    others = tuple(_pair(asked, AnswerStatus.ANSWERED, _written(each)) for each in answer.alternatives)
    return Recorded(
        event.seq,
        _pair(asked, answer.status, _written(answer.value)),
        answer.confidence,
        answer.source.value,
        answer.heard,
        others,
        answer.reason,
    )


def _written(value: object) -> str | None:
    if value is None:
        return None
    return ",".join(map(str, value)) if isinstance(value, list) else str(value)


def _pair(asked: Asked, status: str, value: str | None) -> Pair:
    if status != AnswerStatus.ANSWERED:
        return status_words(status)
    parts = [_option(asked, each) for each in _parts(asked, value)]
    return ", ".join(ru for ru, _ in parts) or "—", ", ".join(en for _, en in parts) or "—"


def _parts(asked: Asked, value: str | None) -> Sequence[str]:
    if value is None:
        return ()
    return value.split(",") if asked.kind == "multi_choice" else (value,)


def _option(asked: Asked, value: str) -> Pair:
    if asked.kind == "yes_no":
        return YES_NO.get(value, (value, value))
    said = dict(asked.options).get(value) or value
    return said, said


def _labelled(asked: Asked, code: int) -> str:
    return f"{code} — {asked.labels[code]}" if code in asked.labels else str(code)


def _options(asked: Asked) -> tuple[tuple[str, Pair], ...]:
    if asked.kind == "yes_no":
        return tuple(YES_NO.items())
    if asked.options:
        return tuple((option, (say or option, say or option)) for option, say in asked.options)
    if asked.scale is not None:
        codes = range(asked.scale.low, asked.scale.high + 1)
        return tuple((str(code), (_labelled(asked, code),) * 2) for code in codes)
    return ()
