"""A call by keyboard: what was typed as the caller's turn, and what the bot does as lines of text. Pure."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from typing import Literal

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

Tell = Callable[[str, str], str]
"""The one of two texts, in Russian and in English, that the reader reads."""


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


@dataclass(frozen=True, slots=True)
class Line:
    """`said` is what a caller hears, `stored` an answer, `noticed` whatever else is kept of a call, `aside`
    what only explains."""

    text: str
    kind: Literal["said", "stored", "noticed", "aside"] = "said"


def lines_of(reply: TurnReply, tell: Tell = words) -> Iterator[Line]:
    """What the bot understood, stores and says, in this order of a turn."""
    if reply.understood is not None:
        topic = f" ({reply.understood.topic.value})" if reply.understood.topic else ""
        heard = f"{reply.understood.intent.value}{topic} {reply.understood.confidence:.2f}"
        yield Line(tell(f"понял: {heard}", f"understood: {heard}"), "aside")
    for directive in reply.directives:
        yield from _lines(directive, tell)


def spoken_in(reply: TurnReply) -> tuple[str, ...]:
    """The texts that a caller hears."""
    return tuple(
        directive.text
        for directive in reply.directives
        if isinstance(directive, Say | Ask | Offer | Transfer | End) and directive.text
    )


def _lines(directive: Directive, tell: Tell) -> Iterator[Line]:
    match directive:
        case Say(text=text) | Ask(text=text) | Offer(text=text):
            yield Line(without_breaks(text))
        case Record(question_id=question, answer=answer):
            yield Line(f"{question} = {value_of(answer)}", "stored")
        case Signal(name=name, words=said):
            yield Line(tell("сигнал: ", "signal: ") + name + _quoted(said), "noticed")
        case WithdrawSignal(name=name):
            yield Line(tell("сигнал снят: ", "signal withdrawn: ") + name, "noticed")
        case OpenCase(reason=rule, words=said):
            yield Line(tell("случай: ", "case: ") + rule + _quoted(said), "noticed")
        case Note(rule=rule, words=said):
            yield Line(tell("пометка: ", "note: ") + rule + _quoted(said), "noticed")
        case WithdrawMatter(rule=rule):
            yield Line(tell("снято: ", "withdrawn: ") + rule, "noticed")
        case OfferAnswered(accepted=True):
            yield Line(tell("предложение принято", "offer accepted"), "aside")
        case OfferAnswered():
            yield Line(tell("предложение отклонено", "offer declined"), "aside")
        case Transfer(text=text, target=target, whisper=whisper):
            yield Line(without_breaks(text))
            told = f": «{whisper}»" if whisper else ""
            yield Line(tell(f"перевод на {target}", f"transfer to {target}") + told, "noticed")
        case Callback(when=when, by=by, due=due):
            who = tell("сотрудник", "an agent") if by == "agent" else tell("бот", "the bot")
            said = f" («{when}»)" if when else ""
            if due is not None:
                said += tell(f", не позже {due:%d.%m %H:%M}", f" by {due:%d.%m %H:%M}")
            yield Line(tell(f"перезвонит {who}{said}", f"{who} will ring back{said}"), "noticed")
        case OptOut():
            yield Line(tell("больше не звонить", "never ring again"), "noticed")
        case End(text=text):
            if text:
                yield Line(without_breaks(text))


def value_of(answer: Answer) -> str:
    """An answer with its source and how sure it is, or why there is none."""
    if answer.value is None:
        return f"— ({answer.reason or answer.status.value})"
    return f"{plain_value(answer) or '—'} ({answer.source.value} {answer.confidence:.2f})"


def plain_value(answer: Answer) -> str:
    value = answer.value
    return ", ".join(value) if isinstance(value, list) else "" if value is None else str(value)


def _quoted(said: str) -> str:
    return f" — «{said}»" if said else ""


def _signal(name: str, topic: Topic | None) -> str:
    return f"{name} ({topic.value})" if topic else name
