"""Text as it is written made into text as it is spoken: Russian, for the synthesiser.

Numbers, dates, sums and abbreviations are ru-normalizr's work. Before and behind it come the things that
it reads unlike people on the phone do (bot/speech/reading.py): the names of the trade (NPS), keys
(`нажмите 1`), phone numbers, codes, clock times, days without a year and initials.
"""

from __future__ import annotations

import re
from functools import lru_cache
from importlib.metadata import version
from typing import TYPE_CHECKING

from bot.speech.reading import BEFORE, BEHIND, cardinal, rewrite
from bot.surveys.breaks import Piece, pieces
from bot.words import words

if TYPE_CHECKING:
    from ru_normalizr import Normalizer

RUSSIAN = "ru"

NORMALISER = f"ru-normalizr-{version('ru-normalizr')}+3"
"""Part of every prompt's key: raise the last number when the rules below change."""

_SPACES = re.compile(r"\s+")
_DIGIT = re.compile(r"\d")


def normalise(text: str) -> str:
    """The text as it is read aloud. Stress marks (`+` before a vowel, as in `зам+ок`) stay."""
    text = _SPACES.sub(" ", text).strip()
    text = rewrite(text, BEFORE)
    read = rewrite(str(_normaliser().normalize(text)), BEHIND)
    # What the normaliser takes for a name («N0е») it leaves as it is: its digits are read one by one.
    return _SPACES.sub(" ", _DIGIT.sub(lambda m: f" {cardinal(int(m[0]))} ", read)).strip()


def spoken_pieces(text: str, language: str) -> tuple[Piece, ...]:
    """What an engine is given, one breath after the other: the normaliser is for Russian, what is in another
    language is spoken as it is written.

    A pause within a sentence is heard as one: the voice stays up, as before a comma. What is no word by
    itself (a sign between two pauses) is not spoken, and of the pauses around it the longer one stays.
    """
    found: list[Piece] = []
    for piece in pieces(text):
        said = normalise(piece.text) if language == RUSSIAN else " ".join(piece.text.split())
        if any(letter.isalnum() for letter in said):
            found.append(Piece(said, piece.silence_s))
        elif found:
            found[-1] = Piece(found[-1].text, max(found[-1].silence_s, piece.silence_s))
    if found:
        found[-1] = Piece(found[-1].text)
    return tuple(
        Piece(f"{piece.text},", piece.silence_s) if piece.silence_s and piece.text[-1].isalnum() else piece
        for piece in found
    )


def spoken_text(text: str, language: str) -> str:
    """`spoken_pieces` for people to read, with the seconds of each pause."""
    return "".join(
        f"{piece.text} [{piece.silence_s:g} {words('с', 's')}] " if piece.silence_s else piece.text
        for piece in spoken_pieces(text, language)
    )


@lru_cache(maxsize=1)
def _normaliser() -> Normalizer:
    # Imported late: it costs 0.7 s and much memory, and media workers only need this module's version.
    from ru_normalizr import NormalizeOptions, Normalizer

    # The default backend for Latin words, IPA, imports a package that warns when it is compiled.
    return Normalizer(NormalizeOptions.tts(latinization_backend="dictionary"))
