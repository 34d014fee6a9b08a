"""What the recogniser must tell apart: the words of options."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from itertools import combinations

from bot.core.directives import ChoiceOption
from bot.surveys.lint.rules import Check, Sheet, Tools, error, warning
from bot.surveys.problems import Loc, Problem
from bot.surveys.questions import ChoiceQuestion, MultiChoiceQuestion
from bot.surveys.words import fold

UNSPOKEN = error(
    "say-not-words",
    "в say не слова: распознавание даёт только слова строчными буквами, и этого не услышит никогда",
    "напишите в say, что говорят вслух: «два», а не «2»",
)
UNKNOWN = warning(
    "word-unknown",
    "слова варианта нет в словаре распознавания, и его не услышат",
    "возьмите другое слово, или модель, которая его знает (otklik models list)",
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


def _options(sheet: Sheet) -> Iterator[tuple[int, Sequence[ChoiceOption]]]:
    for index, question in enumerate(sheet.survey.questions):
        if isinstance(question, ChoiceQuestion | MultiChoiceQuestion):
            yield index, question.choices()


def _say(index: int, option: int, phrase: int) -> Loc:
    return ("questions", index, "options", option, "say", phrase)


def words(sheet: Sheet, _tools: Tools) -> Iterator[Problem]:
    for index, options in _options(sheet):
        for place, option in enumerate(options):
            for number, phrase in enumerate(option.say):
                if not _WORDS.fullmatch(phrase.strip()):
                    yield sheet.problem(UNSPOKEN, _say(index, place, number), f"«{phrase}» — не слова")


def vocabulary(sheet: Sheet, tools: Tools) -> Iterator[Problem]:
    """A word of the vocabulary counts with ё and with е, as the answer's reading takes them for one."""
    found = list(_options(sheet))
    if tools.vocabulary is None or not found:
        return
    vocabulary = tools.vocabulary(sheet.survey.language)
    if vocabulary is None:
        return
    known = frozenset(fold(word) for word in vocabulary)
    for index, options in found:
        for place, option in enumerate(options):
            for number, phrase in enumerate(option.say):
                unknown = [word for word in _pieces(phrase) if word not in known]
                if unknown and _WORDS.fullmatch(phrase.strip()):
                    listed = ", ".join(f"«{word}»" for word in dict.fromkeys(unknown))
                    message = f"распознавание не знает: {listed}"
                    yield sheet.problem(UNKNOWN, _say(index, place, number), message)


def _pieces(phrase: str) -> list[str]:
    return re.split(r"[\s-]+", fold(phrase.strip()))


def alike(sheet: Sheet, tools: Tools) -> Iterator[Problem]:
    """Options against one another; an option's own words may be alike as much as they like."""
    if tools.phonemes is None:
        return
    for index, options in _options(sheet):
        said = [
            (place, number, phrase)
            for place, option in enumerate(options)
            for number, phrase in enumerate(option.say)
        ]
        sounds = tools.phonemes([phrase for _, _, phrase in said], sheet.survey.language)
        heard = list(zip(said, sounds, strict=True))
        for ((first, _, one), first_sounds), ((second, number, other), second_sounds) in combinations(
            heard, 2
        ):
            if first == second:
                continue
            distance = difference(first_sounds, second_sounds)
            if distance <= ALIKE_AT_MOST:
                message = f"«{one}» и «{other}» на слух почти одно и то же"
                yield sheet.problem(ALIKE, _say(index, second, number), message)


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
