"""What the recogniser must tell apart: the words of options, and the labels of a scale."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import combinations

from bot.surveys.lint.rules import Check, Sheet, Tools, error, warning
from bot.surveys.problems import Loc, Problem
from bot.surveys.questions import ChoiceQuestion, MultiChoiceQuestion, ScoreQuestion
from bot.surveys.words import fold

UNSPOKEN = error(
    "say-not-words",
    "в say или labels не слова: распознавание даёт только слова, и этого не услышит никогда",
    "напишите, что говорят вслух: «два», а не «2»",
)
UNKNOWN = warning(
    "word-unknown",
    "слова варианта нет в словаре распознавания, и его не услышат",
    "возьмите другое слово, добавьте это (otklik models words add) или возьмите модель, которая его знает "
    "(otklik models list)",
    needs="vocabulary",
)
ALIKE = warning(
    "sounds-alike",
    "два варианта звучат почти одинаково, и по телефону их спутают",
    "назовите один из них другим словом",
    needs="phonemes",
)

RULES = (UNSPOKEN, UNKNOWN, ALIKE)

ALIKE_AT_MOST = 0.25
"""Distance of two options, as a share of the longer one's sounds, up to which they are taken for alike:
one sound in four, so «карта» and «парта» (0.2), but not «семь» and «восемь» (0.6)."""

NEAR = 0.5
"""What it costs to take a sound for one that differs in voice or softness alone («код», «год»): half of
another sound. On a telephone line, 300-3400 Hz, these differences are the first to go."""

_WORDS = re.compile(r"[^\W\d_]+(?:['’-][^\W\d_]+)*(?:\s+[^\W\d_]+(?:['’-][^\W\d_]+)*)*")
_SECONDARY = re.compile(r"[ˈˌʲːˑ'̪]")
_VOICELESS = str.maketrans("bdɡgvzʒʑɣð", "ptkkfsʃɕxθ")
_ALIKE_VOWELS = str.maketrans("ɑɐʌəɪɨyʊɛɔ", "aaaaiiiueo")


@dataclass(frozen=True, slots=True)
class _Phrase:
    """What a caller may say for one option, or for one code of a scale; its place in the survey."""

    text: str
    option: int
    loc: Loc


def _answers(sheet: Sheet) -> Iterator[list[_Phrase]]:
    """All that is said for the options of one question, or for the labels of its scale."""
    for index, question in enumerate(sheet.survey.questions):
        if isinstance(question, ChoiceQuestion | MultiChoiceQuestion):
            yield [
                _Phrase(phrase, place, ("questions", index, "options", place, "say", number))
                for place, option in enumerate(question.choices())
                for number, phrase in enumerate(option.say)
            ]
        elif isinstance(question, ScoreQuestion) and question.labels:
            yield [
                _Phrase(label, code, ("questions", index, "labels", code))
                for code, label in question.labels.items()
            ]


def words(sheet: Sheet, _tools: Tools) -> Iterator[Problem]:
    for phrases in _answers(sheet):
        for phrase in phrases:
            if not _WORDS.fullmatch(phrase.text.strip()):
                yield sheet.problem(UNSPOKEN, phrase.loc, f"«{phrase.text}» — не слова")


def vocabulary(sheet: Sheet, tools: Tools) -> Iterator[Problem]:
    """A word of the vocabulary counts with ё and with е, as the answer's reading takes them for one."""
    found = list(_answers(sheet))
    if tools.vocabulary is None or not found:
        return
    vocabulary = tools.vocabulary(sheet.survey.language, sheet.survey.id)
    if vocabulary is None:
        return
    known = frozenset(fold(word) for word in vocabulary)
    for phrases in found:
        for phrase in phrases:
            unknown = [word for word in _pieces(phrase.text) if word not in known]
            if unknown and _WORDS.fullmatch(phrase.text.strip()):
                listed = ", ".join(f"«{word}»" for word in dict.fromkeys(unknown))
                yield sheet.problem(UNKNOWN, phrase.loc, f"распознавание не знает: {listed}")


def _pieces(phrase: str) -> list[str]:
    return re.split(r"[\s-]+", fold(phrase.strip()))


def alike(sheet: Sheet, tools: Tools) -> Iterator[Problem]:
    """Options against one another; an option's own words may be alike as much as they like."""
    if tools.phonemes is None:
        return
    for phrases in _answers(sheet):
        sounds = tools.phonemes([phrase.text for phrase in phrases], sheet.survey.language)
        heard = list(zip(phrases, sounds, strict=True))
        for (one, first), (other, second) in combinations(heard, 2):
            twice = fold(one.text.strip()) == fold(other.text.strip())  # another rule's matter
            if one.option != other.option and not twice and difference(first, second) <= ALIKE_AT_MOST:
                message = f"«{one.text}» и «{other.text}» на слух почти одно и то же"
                yield sheet.problem(ALIKE, other.loc, message)


def difference(first: Sequence[str], second: Sequence[str]) -> float:
    """Edit distance of two chains of sounds over the length of the longer one: 0 alike, 1 nothing alike."""
    longer = max(len(first), len(second))
    if not longer:
        return 0.0
    row = [float(place) for place in range(len(second) + 1)]
    for place, sound in enumerate(first, start=1):
        above, row = row, [float(place)]
        for column, other in enumerate(second, start=1):
            row.append(min(above[column] + 1, row[-1] + 1, above[column - 1] + _cost(sound, other)))
    return row[-1] / longer


def _cost(sound: str, other: str) -> float:
    if sound == other:
        return 0.0
    return NEAR if _bare(sound) == _bare(other) else 1.0


def _bare(sound: str) -> str:
    """A sound without stress, length, softness and voice; reduced vowels as their full ones."""
    return _SECONDARY.sub("", sound).translate(_VOICELESS).translate(_ALIKE_VOWELS)


CHECKS: tuple[Check, ...] = (words, vocabulary, alike)
