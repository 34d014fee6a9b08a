"""How a Russian word sounds, in the phones of the small model: spelling to sounds by rule.

The stressed vowel is known: a `+` stands before it, or it is «ё», or it is the only one. Vowels without
stress are reduced («о» is `a`, «е» is `i`), voiced consonants lose their voice at the end and before
voiceless ones.
"""

from __future__ import annotations

import re

from bot.core.errors import BadInput
from bot.words import words

VOWELS = "аеёиоуыэюя"
_STRESSED = dict(zip(VOWELS, ("A", "E", "O", "I", "O", "U", "Y", "E", "U", "A"), strict=True))
_PLAIN = dict(zip(VOWELS, ("a", "i", "O", "i", "a", "u", "y", "i", "u", "i"), strict=True))
_CONSONANTS = dict(zip("бвгдзклмнпрстфх", "bvgdzklmnprstfh", strict=True))
_ALWAYS_HARD = {"ж": "zh", "ш": "sh", "ц": "ts"}
_ALWAYS_SOFT = {"ч": "ch", "щ": "sch", "й": "j"}
_SOFTENING = "еёиюяь"
_IOTATED = "еёюя"

_VOICELESS_OF = {"b": "p", "v": "f", "g": "k", "d": "t", "z": "s", "zh": "sh"}
_VOICELESS_OF |= {f"{voiced}j": f"{dull}j" for voiced, dull in _VOICELESS_OF.items() if voiced != "zh"}
_VOICED_OF = {dull: voiced for voiced, dull in _VOICELESS_OF.items()}
_VOICELESS = {*_VOICED_OF, "ts", "ch", "sch", "h", "hj"}
_VOICING = {*_VOICELESS_OF} - {"v", "vj"}

_SPOKEN = (
    (re.compile(r"^ч(?=т[оО])"), "ш"),
    (re.compile(r"(?<=кон[еЕ])ч(?=н)"), "ш"),
    (re.compile(r"(?<=[оОеЕ])г(?=[оО]$)|(?<=с[еЕ])г(?=[оО]дн)"), "в"),
    (re.compile(r"(?<=[аАуУ])в(?=ств)|л(?=нц)|(?<=[сз])[тд](?=н)"), ""),
    (re.compile(r"тьс(?=[яЯ])|тс(?=[яЯ])"), "ц"),
    (re.compile(r"[сзж]ч"), "щ"),
    (re.compile(r"[тд]ч"), "ч"),
    (re.compile(r"[тд]ц"), "ц"),
    (re.compile(r"[сз]ш"), "ш"),
    (re.compile(r"зж"), "ж"),
)
"""Spellings that are not spoken as they stand; a capital is the stressed vowel. «-ого» of words in which it
is no ending («много») is not told apart: such a word is written as it sounds."""


def phones(word: str) -> tuple[str, ...]:
    """Raises BadInput for what is no Russian word, or one whose stress is not known."""
    plain, stress = stressed_vowel(word.lower())
    spoken = plain[:stress] + plain[stress].upper() + plain[stress + 1 :]
    for written, said in _SPOKEN:
        spoken = written.sub(said, spoken)
    sounds: list[str] = []
    lower = spoken.lower()
    for place, letter in enumerate(lower):
        before, after = lower[place - 1 : place], lower[place + 1 : place + 2]
        if letter in VOWELS:
            if (letter in _IOTATED and before in ("", *VOWELS, "ь", "ъ")) or (
                letter == "и" and before == "ь"
            ):
                sounds.append("j")
            sounds.append(_vowel(letter, before, spoken[place].isupper(), last=not after))
        elif letter in _CONSONANTS:
            sounds.append(_CONSONANTS[letter] + ("j" if after and after in _SOFTENING else ""))
        elif letter in _ALWAYS_HARD or letter in _ALWAYS_SOFT:
            sounds.append((_ALWAYS_HARD | _ALWAYS_SOFT)[letter])
        elif letter not in "ьъ":
            raise BadInput(
                words(f"«{word}»: «{letter}» не русская буква", f"«{word}»: «{letter}» is no Russian letter"),
                hint=_spelling(),
            )
    return tuple(_assimilated(sounds))


def _spelling() -> str:
    return words("слово пишут русскими буквами", "a word is written in Russian letters")


def stressed_vowel(word: str) -> tuple[str, int]:
    """The word without its mark, and the place of its stressed vowel. Raises BadInput."""
    plain = word.replace("+", "")
    vowels = [place for place, letter in enumerate(plain) if letter in VOWELS]
    if not vowels:
        raise BadInput(words(f"«{word}»: в слове нет гласной", f"«{word}» has no vowel"), hint=_spelling())
    marked = word.find("+")
    if marked in vowels and word.count("+") == 1:
        return plain, marked
    if marked < 0 and "ё" in plain:
        return plain, plain.rindex("ё")
    if marked < 0 and len(vowels) == 1:
        return plain, vowels[0]
    raise BadInput(
        words(f"«{word}»: неизвестно, где ударение", f"«{word}»: where its stress is, is not known"),
        hint=words("плюс перед ударной гласной: нахам+ил", "a plus before the stressed vowel: нахам+ил"),
    )


def with_stress(word: str, sounds: list[str]) -> str:
    """The word with its mark, by its sounds in IPA (`SpeechMeter.phonemes`), where they tell."""
    ipa = [sound for sound in sounds if re.search("[aeiouɑɐəɛɔɪʊɨʌæɵʉ]", sound)]
    vowels = [place for place, letter in enumerate(word) if letter in VOWELS]
    stressed = [number for number, sound in enumerate(ipa) if "ˈ" in sound]
    if "+" in word or len(ipa) != len(vowels) or len(stressed) != 1:
        return word
    place = vowels[stressed[0]]
    return f"{word[:place]}+{word[place:]}"


def _vowel(letter: str, before: str, stressed: bool, *, last: bool) -> str:
    hard = before != "" and before in _ALWAYS_HARD
    if stressed:
        return "Y" if letter == "и" and hard else _STRESSED[letter]
    if hard and letter in "еиэ":
        return "y"
    if letter == "я" and last:
        return "a"
    return _PLAIN[letter]


def _assimilated(sounds: list[str]) -> list[str]:
    sounds = list(sounds)
    if len(sounds) > 1:
        sounds[-1] = _VOICELESS_OF.get(sounds[-1], sounds[-1])
    for place in range(len(sounds) - 2, -1, -1):
        sound, after = sounds[place], sounds[place + 1]
        if after in _VOICELESS:
            sounds[place] = _VOICELESS_OF.get(sound, sound)
        elif after in _VOICING:
            sounds[place] = _VOICED_OF.get(sound, sound)
    kept: list[str] = []
    for place, sound in enumerate(sounds):
        after = sounds[place + 1] if place + 1 < len(sounds) else ""
        said = f"{sound}j" if sound in ("s", "z") and after in ("tj", "dj", "nj", "sj", "zj") else sound
        if kept and said[0] not in "AEIOUYaiuy" and kept[-1] in (said, said.removesuffix("j")):
            kept[-1] = said
        else:
            kept.append(said)
    return kept
