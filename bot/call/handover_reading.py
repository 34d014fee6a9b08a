"""What an agent's word, and a waiting caller's, decides: pure."""

from __future__ import annotations

from bot.call.listening import Heard
from bot.core.answer import Answer
from bot.core.context import TurnSource, UserTurn
from bot.core.directives import ChoiceExpected, ChoiceOption, YesNoExpected
from bot.surveys.answers import parse

YES, NO = "1", "2"
"""The keys of both."""

_ACCEPTS = ("принимаю", "соединяйте", "соединяй", "беру", "готов", "готова", "connect", "accept")
_DECLINES = (
    "не могу", "не принимаю", "не соединяйте", "не надо", "занят", "занята", "отклоняю", "отказываюсь",
    "decline", "not now",
)  # fmt: skip
_GREETS = ("алло", "слушаю", "слушает", "hello", "speaking")
"""Who still answers his telephone has not decided anything, though it begins with «да»."""
_ENOUGH = (
    "не надо", "не нужно", "отмена", "отмените", "не соединяйте", "не хочу", "передумал", "передумала",
    "cancel", "never mind", "don't connect",
)  # fmt: skip

DECISION = ChoiceExpected(
    options=(
        ChoiceOption(id="accept", say=("да", *_ACCEPTS)),
        ChoiceOption(id="decline", say=("нет", *_DECLINES)),
    )
)
"""What an agent is listened to for: yes and no in the words of somebody who is asked to take a call."""

WAITING = YesNoExpected()


def decision_of(heard: Heard) -> bool | None:
    """Accepted, declined, or neither; by key or by words."""
    if heard.source is TurnSource.DTMF:
        return {YES: True, NO: False}.get(heard.digits)
    if heard.source is not TurnSource.SPEECH or _says(heard.text, _GREETS):
        return None
    if _says(heard.text, _DECLINES):
        return False
    if _says(heard.text, _ACCEPTS):
        return True
    turn = UserTurn(source=TurnSource.SPEECH, text=heard.text, words=heard.words)
    answer = parse(WAITING, turn)
    if not isinstance(answer, Answer):
        return None
    return {"yes": True, "no": False}.get(str(answer.value))


def wants_no_more(heard: Heard) -> bool:
    """A caller who waits does not want to be connected after all. A bare «нет» may be for anybody else
    in his room; the words for it are not."""
    if heard.source is TurnSource.DTMF:
        return heard.digits == NO
    return heard.source is TurnSource.SPEECH and _says(heard.text, _ENOUGH)


def _says(text: str, phrases: tuple[str, ...]) -> bool:
    words = f" {text} "
    return any(f" {phrase} " in words for phrase in phrases)
