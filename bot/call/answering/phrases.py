"""What machines say: phrases by the beginnings of their words, so that endings and voices do not matter.

Words are one kind of evidence among others: a small recogniser knows few of them, and then the
timing and the tones decide. A phrase that we have just said ourselves is our echo.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import lru_cache

from bot.core.answerer import Answerer
from bot.core.endings import Disposition

_GAP = 2
"""Other words that may stand between two words of a phrase: «после звукового сигнала»."""


@dataclass(frozen=True, slots=True)
class Phrase:
    """Beginnings of words in their order; `=word` is the whole word.

    `outcome` where the phrase tells more than its class does. `late`: it betrays a machine even in the
    middle of a talk, as no customer says it. Customers do talk of mailboxes, menus and voice assistants.
    """

    answerer: Answerer
    stems: tuple[str, ...]
    outcome: Disposition | None = None
    late: bool = False
    gap: int = _GAP

    @property
    def name(self) -> str:
        return " ".join(stem.removeprefix("=") for stem in self.stems)


def _all(
    answerer: Answerer, *lines: str, outcome: Disposition | None = None, late: bool = False
) -> Iterator[Phrase]:
    for line in lines:
        yield Phrase(answerer, tuple(line.split()), outcome, late)


PHRASES: tuple[Phrase, ...] = (
    *_all(Answerer.VOICEMAIL, "=оставьте сообщени", late=True),
    *_all(
        Answerer.VOICEMAIL,
        "остав сообщени",
        "после сигнал",
        "после гудк",
        "голосов почт",
        "голосов сообщен",
        "почтов ящик",
        "автоответчик",
        "=меня =сейчас =нет",
        "=сейчас =меня =нет",
    ),
    *_all(
        Answerer.IVR,
        "=нажмите",
        "=наберите",
        "добавочн",
        "тональн режим",
        "звонок очень важен",
        "оставайтесь на лини",
        "=дождитесь ответа",
        "=ждите ответа",
        "=вам ответит",
        "=операторы =заняты",
        "внутренн номер",
        "звонок =будет записан",
        "разговор =будет записан",
    ),
    *_all(
        Answerer.SECRETARY,
        "=я голосов помощник",
        "=я голосов ассистент",
        "=я виртуальн",
        "=я секретарь",
        "=что =передать",
        "=что =ему =передать",
        "=что =ей =передать",
        "=я =передам",
        "=всё =передам",
        "=все =передам",
        "сообщу абонент",
        late=True,
    ),
    *_all(
        Answerer.SECRETARY,
        "голосов помощник",
        "голосов ассистент",
        "голосов секретар",
        "виртуальн помощник",
        "виртуальн секретар",
        "умн секретар",
        "электронн секретар",
        "=секретарь",
    ),
    *_all(
        Answerer.ANNOUNCEMENT,
        "абонент недоступ",
        "аппарат выключ",
        "телефон выключ",
        "вне зон",
        "попробуйте позвон",
        "абонент не отвеча",
        "вызываем абонент",
        "обслуживан абонент",
        outcome=Disposition.UNAVAILABLE,
    ),
    *_all(
        Answerer.ANNOUNCEMENT,
        "номер не существ",
        "неправильн набра",
        "=вы =неправильно номер",
        "номер не обслуж",
        "номер заблокирован",
        "номер не =используется",
        outcome=Disposition.INVALID_NUMBER,
    ),
    *_all(
        Answerer.ANNOUNCEMENT,
        "линия занят",
        "абонент занят",
        "абонент разговарива",
        outcome=Disposition.BUSY,
    ),
    # People speak of themselves: «не могу». In the third person it is somebody's machine.
    *_all(Answerer.SECRETARY, "абонент =не =может", late=True),
    *_all(Answerer.SECRETARY, "=не =может =ответить", "=не =может говорить", "=не =может подойти"),
    Phrase(Answerer.IVR, ("=один", "=два"), gap=6),
)
"""In the order of trust: where two classes fit, the first one found wins."""

GREETINGS = frozenset({"алло", "алё", "да", "слушаю", "говорите", "ало", "привет"})
"""What people say when they take a call; a virtual secretary says it too."""


@lru_cache(maxsize=64)  # asked several times a second, of words that change less often
def found(text: str, own: str) -> tuple[Phrase, ...]:
    """The phrases in what was heard, but for those that are also in our own words."""
    heard, ours = tuple(text.split()), tuple(_plain(own))
    return tuple(phrase for phrase in PHRASES if _contains(heard, phrase) and not _contains(ours, phrase))


def greets(text: str) -> bool:
    return any(word in GREETINGS for word in text.split())


def _plain(text: str) -> Iterator[str]:
    for word in text.lower().split():
        if bare := "".join(sign for sign in word if sign.isalpha()):
            yield bare


def _contains(words: Sequence[str], phrase: Phrase) -> bool:
    return any(_follows(words, start, phrase) for start in range(len(words)))


def _follows(words: Sequence[str], start: int, phrase: Phrase) -> bool:
    if not _fits(words[start], phrase.stems[0]):
        return False
    place = start
    for stem in phrase.stems[1:]:
        reach = range(place + 1, min(place + 2 + phrase.gap, len(words)))
        found_at = next((index for index in reach if _fits(words[index], stem)), None)
        if found_at is None:
            return False
        place = found_at
    return True


def _fits(word: str, stem: str) -> bool:
    return word == stem[1:] if stem.startswith("=") else word.startswith(stem)
