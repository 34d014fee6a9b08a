"""What callers say in a survey: numbers in many forms, phrases by subject, and words that nobody knows.

The same seed gives the same sentences. All of them consist of words of the vocabulary, but for
`unknown_sentence`.
"""

from __future__ import annotations

import random
import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Self

NAMES = (
    "ноль", "один", "два", "три", "четыре", "пять", "шесть", "семь", "восемь", "девять", "десять",
)  # fmt: skip
_ASKED = [
    "ноль",
    "единицу",
    "двойку",
    "тройку",
    "четвёрку",
    "пятёрку",
    "шестёрку",
    "семёрку",
    "восьмёрку",
    "девятку",
    "десятку",
]
_ORDER = [
    "ноль",
    "первый",
    "второй",
    "третий",
    "четвёртый",
    "пятый",
    "шестой",
    "седьмой",
    "восьмой",
    "девятый",
    "десятый",
]
_NEAR = (
    "нулю", "одному", "двум", "трём", "четырём", "пяти", "шести", "семи", "восьми", "девяти", "десяти",
)  # fmt: skip
_OTHERWISE = (
    "нуль нолик зеро нулевая", "единица единичка раз кол одна", "двойка двоечка две", "тройка троечка",
    "четвёрка четвёрочка", "пятёрка пятёрочка", "шестёрка шестёрочка", "семёрка семёрочка",
    "восьмёрка восьмёрочка", "девятка девяточка", "десятка десяточка червонец",
)  # fmt: skip
_LARGE = [
    "одиннадцать",
    "двенадцать",
    "тринадцать",
    "четырнадцать",
    "пятнадцать",
    "шестнадцать",
    "семнадцать",
    "восемнадцать",
    "девятнадцать",
    "двадцать",
    "тридцать",
    "сорок",
    "пятьдесят",
    "шестьдесят",
    "семьдесят",
    "восемьдесят",
    "девяносто",
    "сто",
    "двести",
    "тысяча",
    "полтора",
    "половина",
]
_BEFORE = (
    "ну", "наверное", "думаю", "я думаю", "пожалуй", "где то", "примерно", "ставлю", "поставлю", "я поставлю",
    "оценка", "моя оценка", "оцениваю на", "на", "пусть будет", "давайте", "скорее", "однозначно", "твёрдая",
    "пишите", "ну пусть будет", "минимум", "максимум", "я бы поставил", "я бы поставила", "поставьте",
    "ну на", "оценю на", "скажем", "хм", "э", "м", "ладно", "конечно", "естественно", "только", "всего",
    "целых",
)  # fmt: skip
_AFTER = (
    "баллов", "спасибо", "пожалуйста", "из десяти", "наверное", "конечно", "точно", "с минусом", "с плюсом",
    "по десятибалльной шкале", "из десяти баллов", "без вопросов", "больше не поставлю", "и не больше",
    "как минимум", "с половиной",
)  # fmt: skip
_EASILY_CONFUSED = (
    "один", "ноль", "на", "ну", "не", "нахамил", "нахамили", "оператор нахамил", "один ноль", "на один",
    "ну ноль", "на ноль", "не один", "ноль ноль", "один один", "одна", "один балл", "ноль баллов",
    "но не один", "да", "два", "дай", "две", "да два", "семь", "сейчас", "пять", "опять", "шесть", "есть",
    "три", "тридцать",
)  # fmt: skip
"""Short words that sound like others: they are said more often than their share."""

_TWO = (
    "{} или {}", "между {} и {}", "от {} до {}", "нет не {} а {}", "{} нет {}", "не {} а {}", "{} {}",
)  # fmt: skip

_BARE = (*NAMES, *["да"] * 4, *["нет"] * 4, "не знаю", "ага", "не", "ну да")
_BARE_SHARE = 0.65

_PLAIN = re.compile(r"[а-яё ]+")
_NLU_EXAMPLE = re.compile(r"^\s+- (.+)$", re.MULTILINE)
_NLU_MARK = re.compile(r"\[([^\]]+)\](\([^)]*\)|\{[^}]*\})")


@dataclass(frozen=True, slots=True)
class Phrases:
    """A source of sentences. `fixed` are whole phrases, `unknown` words outside of the vocabulary."""

    vocabulary: frozenset[str]
    fixed: tuple[str, ...]
    unknown: tuple[str, ...]

    @classmethod
    def of(cls, vocabulary: Iterable[str], texts: Iterable[str], unknown: Iterable[str]) -> Self:
        """Only those of the texts whose every word is known. Raises ValueError where none is left."""
        known = frozenset(vocabulary)
        fixed = tuple(dict.fromkeys(text for text in texts if known.issuperset(text.split())))
        if not fixed:
            raise ValueError("no phrase consists of known words only")
        return cls(known, fixed, tuple(unknown))

    def sentence(self, rng: random.Random) -> str:
        """One that somebody may say, all of known words."""
        while True:
            text = self._sentence(rng)
            if self.vocabulary.issuperset(text.split()):
                return text

    def bare(self, rng: random.Random) -> str:
        """A number, yes or no, and nothing else: what most questions of a survey are answered with."""
        return self._one_of(_BARE, rng)

    def bare_or_like(self, rng: random.Random) -> str:
        """The same, or a short word that is easily taken for it."""
        return self.bare(rng) if rng.random() < _BARE_SHARE else self._one_of(_EASILY_CONFUSED, rng)

    def unknown_sentence(self, rng: random.Random) -> str:
        return " ".join(rng.choices(self.unknown, k=rng.randint(1, 5)))

    def _one_of(self, texts: Sequence[str], rng: random.Random) -> str:
        return rng.choice([text for text in texts if self.vocabulary.issuperset(text.split())])

    def _sentence(self, rng: random.Random) -> str:
        kind = rng.random()
        if kind < 0.38:
            return number(rng)
        if kind < 0.48:
            return rng.choice(_EASILY_CONFUSED)
        if kind < 0.84:
            return rng.choice(self.fixed)
        if kind < 0.92:
            return f"{rng.choice(self.fixed)} {rng.choice(self.fixed)}"
        parts = [number(rng), rng.choice(self.fixed)]
        rng.shuffle(parts)
        return " ".join(parts)


def number(rng: random.Random) -> str:
    """A score from 0 to 10 in one of the ways in which it is said."""
    value = rng.randrange(11)
    name, more = NAMES[value], NAMES[min(value + 1, 10)]
    kind = rng.random()
    if kind < 0.35:
        core = name
    elif kind < 0.45:
        core = rng.choice(_OTHERWISE[value].split())
    elif kind < 0.55:
        core = f"{name} {points(value)}"
    elif kind < 0.63:
        core = f"на {rng.choice([_ASKED[value], name])}"
    elif kind < 0.7:
        core = rng.choice([_ASKED[value], _ORDER[value]])
    elif kind < 0.75:
        core = f"ближе к {_NEAR[value]}"
    elif kind < 0.84:
        core = rng.choice(_TWO).format(name, more)
    elif kind < 0.9:
        core = rng.choice(_LARGE)
    else:
        core = f"{name} из {rng.choice(['десяти', 'пяти'])}"
    if rng.random() < 0.35:
        core = f"{rng.choice(_BEFORE)} {core}"
    return f"{core} {rng.choice(_AFTER)}" if rng.random() < 0.2 else core


def points(value: int) -> str:
    """«балл» as it agrees with a number from 0 to 10."""
    return "балл" if value == 1 else "балла" if value in (2, 3, 4) else "баллов"


def first_words(words: Sequence[str], count: int) -> list[str]:
    """So many of the vocabulary, the numbers and the shortest answers first; all of them for 0."""
    if not count:
        return list(words)
    first = [*NAMES, "да", "нет", "не", "на", "ну", "балл", "балла", "баллов", "из", "спасибо", "оператор"]
    rest = [word for word in words if word not in first]
    return [*first, *rest][:count]


def read_phrases(folder: Path) -> list[str]:
    """The sentences of all files of a folder, a line each."""
    lines = (line for file in sorted(folder.glob("*.txt")) for line in read_lines(file))
    return list(dict.fromkeys(lines))


def read_lines(file: Path) -> list[str]:
    lines = file.read_text(encoding="utf-8").splitlines()
    return [line for line in lines if line and not line.startswith("#")]


def read_nlu(folder: Path) -> list[str]:
    """What the dialogue is trained with: Russian examples of Rasa's files, without their marks."""
    found: dict[str, None] = {}
    for file in sorted(folder.glob("*.yml")):
        if file.stem.endswith("_en"):
            continue
        for example in _NLU_EXAMPLE.findall(file.read_text(encoding="utf-8")):
            text = _NLU_MARK.sub(r"\1", example).strip().lower()
            if _PLAIN.fullmatch(text):
                found[" ".join(text.split())] = None
    return list(found)
