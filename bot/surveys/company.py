"""A number among the words around it, and the word classes that its company is told by."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass

from bot.surveys.numerals import Mention
from bot.surveys.words import table

POINTS = re.compile(r"(балл\w*|бал(а|ов)?|очк\w+|звезд\w*|points?|stars?)")
"""What a scale counts in."""

GIVING = re.compile(
    r"(постав|ставл?|став[ьит]|дам|дать|даю|дад|дала?\b|скаж|заслу|тян|потян|оцен|получ|наберет|влеп"
    r"|give|deserve)"
)
"""Verbs of giving a score, and what may stand for them."""

NOT = table("не ни not never isn't wasn't won't wouldn't can't cannot don't")
CAN = table(
    "могу можем смогу хочу хотим буду будем стану получится would wouldn't will won't can can't do don't",
)

FRAME = table(
    "ну наверное наверно пожалуй думаю я бы мы ставлю поставлю поставил поставила поставьте ставьте ставь",
    "оценка оцениваю оценю дам даю дайте пусть будет скажем только лишь это мой моя ответ да нет вот а э м",
    "ой на спасибо пожалуйста выбираю нажимаю нажму жму отвечаю говорю хочу эм точно конечно всего",
    "хватит так давайте однозначно увы твердый твердая жирный",
    "не за и все честно вам ему ей из минус тогда ладно хотя даже просто вариант цифра пишите пиши запишите",
    "больше выше то есть лучше скорее мне девушка слушайте понятно короче эээ ээ мм тоже опять сожалению к",
    "потому что поэтому нельзя i say give a it's it is just only maybe well um uh the i'd i'll would would",
)
"""Before «один» only these: then it is a score and neither a pronoun nor «alone»."""


@dataclass(frozen=True, slots=True)
class Company:
    """A number among the words around it. `place` counts the numbers of the utterance."""

    words: Sequence[str]
    numbers: Sequence[Mention]
    place: int

    @property
    def number(self) -> Mention:
        return self.numbers[self.place]

    @property
    def before(self) -> Sequence[str]:
        return self.words[: self.number.start]

    @property
    def after(self) -> Sequence[str]:
        return self.words[self.number.end :]

    def prev(self, back: int = 1) -> str:
        return self.before[-back] if len(self.before) >= back else ""

    def following(self, ahead: int = 1) -> str:
        return self.after[ahead - 1] if len(self.after) >= ahead else ""

    @property
    def since(self) -> Sequence[str]:
        """The words between this number and the one before."""
        start = self.numbers[self.place - 1].end if self.place else 0
        return self.words[start : self.number.start]

    @property
    def until(self) -> Sequence[str]:
        """The words between this number and the next one."""
        end = self.numbers[self.place + 1].start if self.place + 1 < len(self.numbers) else len(self.words)
        return self.words[self.number.end : end]
