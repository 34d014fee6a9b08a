"""The table of an export: its columns, what their codes mean, and where each answer goes.

A question has a value and a status. Without a value the status says why (`Missing`): nothing usable was
said, he refused, he did not know, he left the call at it, or was not asked it. Questions are named
`SURVEY.QUESTION`. Where a later version of a survey asks a question of the same name on another scale,
or with other options, the earlier one has columns of its own: codes of two scales never share a column.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from functools import cached_property

from bot.core.answer import AnswerStatus
from bot.reports.definitions import NPS, Asked, Definitions, Version
from bot.words import words

MAX_NAME = 64
"""Bytes of a variable's name in SPSS (IBM SPSS Statistics, Variable names)."""


class Missing(StrEnum):
    """Why a question has no value."""

    NO_ANSWER = AnswerStatus.NO_ANSWER.value
    REFUSED = AnswerStatus.REFUSED.value
    DONT_KNOW = AnswerStatus.DONT_KNOW.value
    LEFT = "left"
    NOT_ASKED = "not_asked"


ANSWERED = AnswerStatus.ANSWERED.value

Cell = str | int | float | datetime | Missing | None


@dataclass(frozen=True, slots=True)
class Code:
    """`number` stands for it in SPSS, `id` everywhere else; `label` is for people."""

    number: int
    id: str
    label: str


def missing_codes() -> tuple[Code, ...]:
    """Below every value that a question can have: scales and counts begin at 0."""
    return (
        Code(-1, Missing.NO_ANSWER, words("нет ответа", "no answer")),
        Code(-2, Missing.REFUSED, words("отказался отвечать", "refused")),
        Code(-3, Missing.DONT_KNOW, words("не знает", "does not know")),
        Code(-4, Missing.LEFT, words("ушёл на этом вопросе", "left at this question")),
        Code(-5, Missing.NOT_ASKED, words("не задан", "not asked")),
    )


class Kind(StrEnum):
    TEXT = "text"
    NUMBER = "number"
    MOMENT = "moment"
    CODE = "code"


@dataclass(frozen=True)
class Column:
    """A cell of a CODE column is a code's number. `may_miss` marks columns of questions, whose cells may
    be `Missing`. `labels` name some of a NUMBER's values."""

    name: str
    label: str
    kind: Kind
    codes: tuple[Code, ...] = ()
    labels: tuple[tuple[int, str], ...] = ()
    may_miss: bool = False

    @cached_property
    def ids(self) -> Mapping[Cell, str]:
        return {code.number: code.id for code in self.codes}

    @cached_property
    def numbers(self) -> Mapping[str | None, int]:
        return {code.id: code.number for code in self.codes}

    def shown(self, cell: Cell) -> Cell:
        """A cell as every format but SPSS writes it: codes by their id, nothing for what is missing."""
        if isinstance(cell, Missing):
            return None
        return self.ids[cell] if self.kind is Kind.CODE and cell is not None else cell


@dataclass(frozen=True, slots=True)
class Given:
    """An answer as it is stored."""

    status: str
    value: str | None
    number: float | None


@dataclass(frozen=True, slots=True)
class QuestionColumns:
    """The columns of one question; the status comes last."""

    kind: str
    columns: tuple[Column, ...]
    options: tuple[str, ...] = ()

    def cells(self, given: Given | None, *, put: bool) -> list[Cell]:
        if given is None:
            return self._all(Missing.LEFT if put else Missing.NOT_ASKED)
        if given.status != ANSWERED:
            return self._all(Missing(given.status))
        return [*self._values(given), self._status(ANSWERED)]

    def _all(self, why: Missing) -> list[Cell]:
        return [*(why for _ in self.columns[:-1]), self._status(why)]

    def _status(self, status: str) -> Cell:
        return self.columns[-1].numbers[status]

    def _values(self, given: Given) -> list[Cell]:
        if len(self.columns) == 1:  # an open answer whose words are not to be told
            return []
        first = self.columns[0]
        if self.kind == "multi_choice" and self.options:
            chosen = (given.value or "").split(",")
            return [int(option in chosen) for option in self.options]
        if first.kind is Kind.CODE:
            return [first.numbers.get(given.value)]
        if first.kind is Kind.NUMBER:
            number = given.number
            return [int(number) if number is not None and number.is_integer() else number]
        return [given.value]


@dataclass(frozen=True, slots=True)
class Layout:
    """The columns of all questions, and which of them an answer's own are."""

    questions: tuple[QuestionColumns, ...]
    place: Mapping[tuple[str, str], int]
    """By survey hash and question id: the place in `questions`."""

    @property
    def columns(self) -> tuple[Column, ...]:
        return tuple(column for each in self.questions for column in each.columns)


def layout(
    known: Definitions, asked: Iterable[tuple[str, str, str, str]], hashes: Iterable[str], *, personal: bool
) -> Layout:
    """For the versions of these hashes, and for `asked`: (survey id, hash, question id, kind) as answers
    name them, of which no version may be known."""
    versions = sorted(
        (known.versions[each] for each in set(hashes) if each in known.versions),
        key=lambda each: (each.survey_id, -each.place),
    )
    names: set[str] = set()
    found: list[QuestionColumns] = []
    place: dict[tuple[str, str], int] = {}
    alike: dict[tuple[object, ...], int] = {}
    for survey_id, survey_hash, question, version in _questions(versions, asked):
        ids = tuple(option for option, _ in question.options)
        meaning = (survey_id, question.id, question.kind, question.scale, ids)
        if meaning not in alike:
            alike[meaning] = len(found)
            title = version.title if version else ""
            of_version = version.version if version else survey_hash[:8]
            base = f"{survey_id}.{question.id}"
            if base in names:
                base = f"{base}.v{of_version}"
            found.append(_of_question(question, _fresh(base, names), title, personal, names))
        place[survey_hash, question.id] = alike[meaning]
    return Layout(tuple(found), place)


def _questions(
    versions: Sequence[Version], asked: Iterable[tuple[str, str, str, str]]
) -> Iterable[tuple[str, str, Asked, Version | None]]:
    told = set()
    for version in versions:
        for question in sorted(version.questions.values(), key=lambda each: each.place):
            told.add((version.hash, question.id))
            yield version.survey_id, version.hash, question, version
    for survey_id, survey_hash, question_id, kind in sorted(asked):
        if (survey_hash, question_id) not in told:
            scale = NPS if kind == "nps" else None
            yield survey_id, survey_hash, Asked(question_id, kind, 0, scale=scale), None


def _of_question(question: Asked, base: str, title: str, personal: bool, names: set[str]) -> QuestionColumns:
    label = ". ".join(filter(None, (title, question.text))) or base
    values: list[Column] = []
    options: tuple[str, ...] = ()
    if question.kind == "multi_choice" and question.options:
        options = tuple(option for option, _ in question.options)
        chosen = (Code(0, "no", words("нет", "no")), Code(1, "yes", words("да", "yes")))
        for option, say in question.options:
            name = _fresh(f"{base}.{option}", names)
            values.append(Column(name, f"{label} [{say}]", Kind.CODE, chosen, may_miss=True))
    elif question.kind == "yes_no":
        answers = (Code(0, "no", words("нет", "no")), Code(1, "yes", words("да", "yes")))
        values.append(Column(base, label, Kind.CODE, answers, may_miss=True))
    elif question.kind == "choice" and question.options:
        codes = tuple(
            Code(number, option, say) for number, (option, say) in enumerate(question.options, start=1)
        )
        values.append(Column(base, label, Kind.CODE, codes, may_miss=True))
    elif question.kind in ("nps", "csat", "ces", "score", "number"):
        labels = tuple(sorted(question.labels.items()))
        values.append(Column(base, label, Kind.NUMBER, labels=labels, may_miss=True))
    elif question.kind != "open" or personal:
        values.append(Column(base, label, Kind.TEXT, may_miss=True))
    statuses = (Code(0, ANSWERED, words("есть ответ", "answered")), *missing_codes())
    status = Column(
        _fresh(f"{base}.status", names), f"{label} [{words('состояние', 'status')}]", Kind.CODE, statuses
    )
    return QuestionColumns(question.kind, (*values, status), options)


def _fresh(name: str, names: set[str]) -> str:
    """The name itself, or one like it that is short enough and not taken."""
    if len(name.encode()) > MAX_NAME:
        digest = hashlib.sha256(name.encode()).hexdigest()[:8]
        name = f"{name[: MAX_NAME - 20]}_{digest}"
    number, fresh = 1, name
    while fresh in names:
        number += 1
        fresh = f"{name}_{number}"
    names.add(fresh)
    return fresh
