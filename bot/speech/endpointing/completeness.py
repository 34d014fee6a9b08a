"""Whether an answer to a closed question is whole: the reading that the strategies share.

The words are read by the very code that will read the answer (`bot.surveys.answers.parse`), so that
a turn ends when the survey has what it asked for, and not when some other table thinks so.
"""

from __future__ import annotations

from datetime import UTC, datetime
from enum import Enum, auto
from functools import lru_cache

from bot.core.answer import Answer
from bot.core.context import TurnSource, UserTurn
from bot.core.directives import Expectation
from bot.speech.grammar_words import INTERRUPTIONS
from bot.speech.settings import EndpointingSettings
from bot.surveys.answers import Unclear, UnclearReason, parse
from bot.surveys.words import UNKNOWN, split, table


class Completeness(Enum):
    COMPLETE = auto()  # the answer, and nothing that promises more
    LIKELY = auto()  # an answer or a wish that may well go on
    EXPLAINED = auto()  # an answer, and the caller tells why
    INCOMPLETE = auto()  # no answer yet, or words after which there must come more


def silence_of(completeness: Completeness, settings: EndpointingSettings) -> float:
    """The seconds of silence that end such a turn."""
    return {
        Completeness.COMPLETE: settings.complete_silence_s,
        Completeness.LIKELY: settings.likely_silence_s,
        Completeness.EXPLAINED: settings.open_silence_s,
        Completeness.INCOMPLETE: settings.incomplete_silence_s,
    }[completeness]


_HANGING = table(
    "э ээ эээ эм мм м а ну вот так значит как бы типа короче это то есть ой тьфу точнее вернее хотя",
    "и или но однако зато потому поскольку что чтобы когда если пока где который которая которые",
    "в во на с со к ко по из от до за для о об у между над под при без через около примерно почти где",
    "не ни я мы он она они вы мне нам бы был была было были очень самый самая скажем пусть будет",
    "поставлю ставлю поставил поставила дам считаю оценка оценку твердая твердый",
    "um uh er well so and or but because that if when in on at of to from between not i we it is was",
)
"""Words after which a sentence goes on, and those by which a caller holds the floor."""

_TAIL = table(
    "балл балла баллов очка очков звезды звезд из десяти десять пяти пять семи семь возможных",
    "спасибо пожалуйста точно конечно да однозначно всего points stars please thanks sure",
)
"""What may stand behind a whole answer at any length without opening it again, as any one word may."""

_SOFTENERS = table("наверное наверно пожалуй думаю может кажется вроде maybe perhaps probably")
"""An answer that ends in one of these is an answer, but its speaker is still thinking."""

_WISHES = tuple(split(phrase) for phrase in INTERRUPTIONS if phrase != "не знаю")
"""«Не знаю… восемь» is how people think aloud."""


SOME_DAY = datetime(2001, 1, 1, tzinfo=UTC)
"""Whether words name a time does not hang on the day on which they are said."""


@lru_cache(maxsize=256)  # a line asks the same every 20 ms
def completeness(expectation: Expectation, text: str) -> Completeness:
    """How whole the recognised words are as the answer to a closed question."""
    words = split(text)
    wished = Completeness.LIKELY if _is_wish(words) else Completeness.INCOMPLETE
    if not words or words[-1] in _HANGING:
        return wished
    reading = reading_of(expectation, text)
    if isinstance(reading, Answer):
        return _around_answer(words, split(reading.heard))
    return Completeness.LIKELY if reading.reason is UnclearReason.OUT_OF_RANGE else wished


def fits(expectation: Expectation, text: str) -> bool:
    """Whether words are what is said to a question: a whole answer to it, and not one that a longer story
    may happen to hold, or what a caller may want instead."""
    return completeness(expectation, text) is Completeness.COMPLETE or _is_wish(split(text))


def reading_of(expectation: Expectation, text: str) -> Answer | Unclear:
    """The words as the survey would read them now."""
    return parse(expectation, UserTurn(source=TurnSource.SPEECH, text=text, at=SOME_DAY))


def _around_answer(words: tuple[str, ...], heard: tuple[str, ...]) -> Completeness:
    """What the words behind the answer make of it."""
    tail = words[_end_of(words, heard) :]
    if UNKNOWN in tail or (tail and tail[-1] in _SOFTENERS):
        return Completeness.LIKELY
    return Completeness.COMPLETE if len(tail) < 2 or _TAIL.issuperset(tail) else Completeness.EXPLAINED


def _end_of(words: tuple[str, ...], heard: tuple[str, ...]) -> int:
    """Where the words that the answer rests on end, in the order they were said."""
    last = heard[-1] if heard else ""
    return next((place + 1 for place in reversed(range(len(words))) if words[place] == last), len(words))


def hangs(words: tuple[str, ...]) -> bool:
    """Whether the last word promises that more will come."""
    return bool(words) and words[-1] in _HANGING


def _is_wish(words: tuple[str, ...]) -> bool:
    """«…соедините с оператором»: something that a caller may want instead of answering, said to its end."""
    return any(words[-len(wish) :] == wish for wish in _WISHES)
