"""A call by keyboard: what was typed as the caller's turn, and what the bot does as lines of text."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass, field

from rich.table import Table
from rich.text import Text

from bot.core.answer import Answer
from bot.core.context import TurnSource, UserTurn
from bot.core.directives import (
    Ask,
    Callback,
    Directive,
    End,
    Note,
    Offer,
    OfferAnswered,
    OpenCase,
    OptOut,
    Record,
    Say,
    Signal,
    Transfer,
    TurnReply,
    WithdrawMatter,
    WithdrawSignal,
)
from bot.core.endings import Disposition
from bot.core.intents import Topic
from bot.surveys.breaks import without_breaks
from bot.words import words

NOBODY = "!"
"""What is typed where a handover fails."""

_KEYS = re.compile(r"#([0-9*#]+)")


def turn_of(line: str) -> UserTurn:
    """Nothing is silence, `#5` the key 5, `!` a handover that failed; all else are words.

    Words are written as a recogniser would: lower case, no punctuation.
    """
    line = line.strip()
    if not line:
        return UserTurn(source=TurnSource.SILENCE)
    if line == NOBODY:
        return UserTurn(source=TurnSource.HANDOVER_FAILED)
    keys = _KEYS.fullmatch(line)
    if keys is not None:
        return UserTurn(source=TurnSource.DTMF, digits=keys[1])
    spoken = " ".join(re.sub(r"[^\w\s'’/+-]", " ", line.lower()).split())
    return UserTurn(source=TurnSource.SPEECH, text=spoken or "[unk]")


@dataclass(slots=True)
class Course:
    """A call so far, as it would be stored. `handing_over` while a person's phone rings."""

    answers: dict[str, tuple[str, Answer]] = field(default_factory=dict)
    signals: list[str] = field(default_factory=list)
    matters: dict[str, OpenCase | Note] = field(default_factory=dict)
    disposition: Disposition | None = None
    handing_over: bool = False

    @property
    def ended(self) -> bool:
        return self.disposition is not None

    def take(self, reply: TurnReply) -> None:
        self.handing_over = False
        for directive in reply.directives:
            match directive:
                case Record(question_id=question, question_kind=kind, answer=answer):
                    self.answers[question] = kind, answer
                case Signal(name=name, topic=topic):
                    self.signals.append(_signal(name, topic))
                case WithdrawSignal(name=name, topic=topic):
                    self.signals.remove(_signal(name, topic))
                case OpenCase(reason=rule) | Note(rule=rule):
                    self.matters[rule] = directive
                case WithdrawMatter(rule=rule):
                    self.matters.pop(rule, None)
                case Transfer():
                    self.handing_over = True
                case End(disposition=disposition):
                    self.disposition = disposition

    def joined(self) -> None:
        """A person took the caller over: the end."""
        self.handing_over = False
        self.disposition = Disposition.TRANSFERRED


def lines_of(reply: TurnReply) -> Iterator[Text]:
    """What the bot understood, stores and says, in this order of a turn."""
    if reply.understood is not None:
        topic = f" ({reply.understood.topic.value})" if reply.understood.topic else ""
        heard = f"{reply.understood.intent.value}{topic} {reply.understood.confidence:.2f}"
        yield _note(words(f"понял: {heard}", f"understood: {heard}"))
    for directive in reply.directives:
        yield from _lines(directive)


def spoken_in(reply: TurnReply) -> tuple[str, ...]:
    """The texts that a caller hears."""
    return tuple(
        directive.text
        for directive in reply.directives
        if isinstance(directive, Say | Ask | Offer | Transfer | End) and directive.text
    )


def _lines(directive: Directive) -> Iterator[Text]:
    match directive:
        case Say(text=text) | Ask(text=text) | Offer(text=text):
            yield Text(without_breaks(text), style="bold")
        case Record(question_id=question, answer=answer):
            yield _note(f"{question} = {_value(answer)}", "green")
        case Signal(name=name, words=said):
            yield _note(words("сигнал: ", "signal: ") + name + (f" — «{said}»" if said else ""), "magenta")
        case WithdrawSignal(name=name):
            yield _note(words("сигнал снят: ", "signal withdrawn: ") + name, "magenta")
        case OpenCase(reason=rule, words=said):
            yield _note(words("случай: ", "case: ") + rule + (f" — «{said}»" if said else ""), "magenta")
        case Note(rule=rule, words=said):
            yield _note(words("пометка: ", "note: ") + rule + (f" — «{said}»" if said else ""), "magenta")
        case WithdrawMatter(rule=rule):
            yield _note(words("снято: ", "withdrawn: ") + rule, "magenta")
        case OfferAnswered(accepted=accepted):
            yield _note(
                words("предложение принято", "offer accepted")
                if accepted
                else words("предложение отклонено", "offer declined")
            )
        case Transfer(text=text, target=target, whisper=whisper):
            yield Text(without_breaks(text), style="bold")
            told = f": «{whisper}»" if whisper else ""
            yield _note(words(f"перевод на {target}", f"transfer to {target}") + told, "magenta")
        case Callback(when=when, by=by, due=due):
            who = words("сотрудник", "an agent") if by == "agent" else words("бот", "the bot")
            said = f" («{when}»)" if when else ""
            if due is not None:
                said += words(f", не позже {due:%d.%m %H:%M}", f" by {due:%d.%m %H:%M}")
            yield _note(words(f"перезвонит {who}{said}", f"{who} will ring back{said}"), "magenta")
        case OptOut():
            yield _note(words("больше не звонить", "never ring again"), "magenta")
        case End(text=text):
            if text:
                yield Text(without_breaks(text), style="bold")


def _signal(name: str, topic: Topic | None) -> str:
    return f"{name} ({topic.value})" if topic else name


def _note(text: str, style: str = "dim") -> Text:
    return Text(f"  {text}", style=style)


def _value(answer: Answer) -> str:
    if answer.value is None:
        return f"— ({answer.reason or answer.status.value})"
    value = ", ".join(answer.value) if isinstance(answer.value, list) else str(answer.value)
    return f"{value or '—'} ({answer.source.value} {answer.confidence:.2f})"


def answers_table(course: Course) -> Table:
    """What would be stored of the call."""
    table = Table(title=words("Записано", "Stored"), title_justify="left")
    for title in words("Вопрос|Ответ|Состояние|Уверен|Слова", "Question|Answer|Status|Sure|Words").split("|"):
        table.add_column(title, overflow="fold")
    for question, (kind, answer) in course.answers.items():
        value = answer.value
        shown = ", ".join(value) if isinstance(value, list) else "" if value is None else str(value)
        sure = f"{answer.confidence:.2f} {answer.source.value}" if value is not None else ""
        table.add_row(
            f"{question} ({kind})" if kind != question else question,
            shown,
            answer.status.value,
            sure,
            answer.heard or answer.reason,
        )
    return table
