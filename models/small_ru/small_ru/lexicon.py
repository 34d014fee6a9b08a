"""The words of the model and how they sound, by the rules of bot/speech/wordgraph/g2p.py."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from bot.core.errors import BadInput, Place
from bot.speech.wordgraph.g2p import phones

SILENCE, GARBAGE = "SIL", "GBG"
PHONES = (
    "A", "E", "I", "O", "U", "Y", "a", "b", "bj", "ch", "d", "dj", "f", "fj", "g", "gj", "h", "hj", "i",
    "j", "k", "kj", "l", "lj", "m", "mj", "n", "nj", "p", "pj", "r", "rj", "s", "sch", "sh", "sj", "t",
    "tj", "ts", "u", "v", "vj", "y", "z", "zh", "zj",
)  # fmt: skip
"""Capitals are stressed vowels, `j` behind a consonant makes it soft."""
LABELS = (SILENCE, *PHONES)
"""What a frame of sound is taught to be, by its number."""

_WITHOUT_STRESS = {"A": "a", "E": "i", "I": "i", "O": "a", "U": "u", "Y": "y"}
_HARD = ("zh", "sh", "ts")

Pronunciation = tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Word:
    """A word of the texts: as it is spelt, with a plus before its stressed vowel, and as it is said."""

    text: str
    marked: str
    said: tuple[Pronunciation, ...]


def read_words(file: Path) -> dict[str, Word]:
    """By spelling. Raises BadInput with the line of what is no word, unknown or written twice."""
    found: dict[str, Word] = {}
    for number, line in enumerate(file.read_text(encoding="utf-8").splitlines(), 1):
        if not line or line.startswith("#"):
            continue
        place = Place(str(file), number)
        word = parse_word(line, place)
        if word.text in found:
            raise BadInput(f"«{word.text}» is there twice", place=place)
        found[word.text] = word
    return found


def parse_word(line: str, place: Place) -> Word:
    """One line of texts/words.txt. Raises BadInput."""
    head, *written = (part.strip() for part in line.split("|"))
    marked, *flags = head.split()
    if set(flags) - {"weak", "="}:
        raise BadInput(f"{' '.join(flags)}: not known", hint="a word, `weak`, `=`, | phones", place=place)
    said: list[Pronunciation] = []
    if "=" not in flags:
        try:
            said.append(phones(marked))
        except BadInput as error:
            raise BadInput(error.message, hint=error.hint, place=place) from error
    if "weak" in flags and "ё" not in marked:
        said.append(without_stress(said[0]))
    said += [tuple(one.split()) for one in written]
    strange = {phone for one in said for phone in one} - set(PHONES)
    if strange or not said:
        raise BadInput(f"phones that there are not: {sorted(strange)}", hint=" ".join(PHONES), place=place)
    return Word(marked.replace("+", ""), marked, tuple(dict.fromkeys(said)))


def without_stress(said: Pronunciation) -> Pronunciation:
    """As a small word is said that leans on the next one: «на» in «на пять»."""
    sounds = []
    for place, phone in enumerate(said):
        plain = _WITHOUT_STRESS.get(phone, phone)
        sounds.append("y" if phone == "E" and place and said[place - 1] in _HARD else plain)
    return tuple(sounds)


def entries(words: Mapping[str, Word]) -> list[tuple[str, Pronunciation]]:
    """As bot/speech/wordgraph takes them: a word for each way in which it is said."""
    return [(word.text, said) for word in words.values() for said in word.said]
