"""In which encoding a text was saved, from its bytes."""

from __future__ import annotations

import codecs
from pathlib import Path
from typing import NamedTuple

from bot.core.errors import BadInput, Place

_MARKS = (
    (codecs.BOM_UTF8, "utf-8-sig"),
    (codecs.BOM_UTF16_LE, "utf-16"),
    (codecs.BOM_UTF16_BE, "utf-16"),
)
_EIGHT_BITS = ("cp1251", "cp866", "koi8-r")
_COMMON = "оеаинтсрвлкмдпуяыьгзбчйхжшюцщэфъё"
"""Russian letters by how often texts have them (Lyashevskaya and Sharov, Frequency Dictionary, 2009)."""

_PIECE = 1 << 16
_SAMPLE = 1 << 16


class Encoding(NamedTuple):
    """`name` as Python knows it; `how` it was found: `told`, `mark`, `checked` or `letters`."""

    name: str
    how: str

    @property
    def shown(self) -> str:
        if self.name == "utf-8-sig":
            return "UTF-8 (BOM)" if self.how == "mark" else "UTF-8"
        return "windows-1251" if self.name == "cp1251" else self.name.upper()


def named(name: str) -> Encoding:
    """What somebody says it is. Raises BadInput."""
    try:
        known = codecs.lookup(name).name
        return Encoding("utf-8-sig" if known == "utf-8" else known, "told")
    except LookupError as error:
        raise BadInput(
            f"кодировки «{name}» нет", hint="такие, как utf-8, windows-1251, utf-16, cp866, koi8-r"
        ) from error


def detect(file: Path) -> Encoding:
    """By the mark at its start; else UTF-8 if all of it is; else by the zeros of UTF-16; else the one of the
    eight-bit encodings in which its letters make Russian. Raises OSError.
    """
    with file.open("rb") as source:
        head = source.read(_PIECE)
        for mark, name in _MARKS:
            if head.startswith(mark):
                return Encoding(name, "mark")
        if zeros := head[:2000].count(0):
            odd = head[1:2000:2].count(0)
            return Encoding("utf-16-le" if odd * 2 > zeros else "utf-16-be", "letters")
        decoder = codecs.getincrementaldecoder("utf-8")()
        sample = bytearray()
        is_utf8 = True
        piece = head
        while piece and (is_utf8 or len(sample) < _SAMPLE):
            if is_utf8:
                try:
                    decoder.decode(piece)
                except UnicodeDecodeError:
                    is_utf8 = False
            if len(sample) < _SAMPLE:
                sample += b"\n".join(line for line in piece.splitlines() if not line.isascii())
            piece = source.read(_PIECE)
    if is_utf8 and _ends_whole(decoder):
        return Encoding("utf-8", "checked")
    return Encoding(max(_EIGHT_BITS, key=lambda name: _russian(bytes(sample), name)), "letters")


def _ends_whole(decoder: codecs.IncrementalDecoder) -> bool:
    try:
        decoder.decode(b"", final=True)
    except UnicodeDecodeError:
        return False
    return True


def _russian(sample: bytes, name: str) -> float:
    """How much a text looks like Russian: frequent small letters count most; what is neither letter nor
    usual sign, and a capital within a word, count against it."""
    text = sample.decode(name, errors="replace")
    score = 0.0
    before = " "
    for letter in text:
        if letter > "\x7f":
            place = _COMMON.find(letter.lower())
            if place < 0:
                score -= 0 if letter in "«»—–№…\xa0“”„’" else 2
            elif letter.isupper() and before.islower():
                score -= 1
            else:
                score += (1.5 if letter.islower() else 1) - place / len(_COMMON)
        before = letter
    return score


def undecodable(file: Path, encoding: Encoding, error: UnicodeError) -> BadInput:
    return BadInput(
        f"это не {encoding.shown}: {error.reason if isinstance(error, UnicodeDecodeError) else error}",
        hint="назовите кодировку: --encoding windows-1251, или сохраните файл в UTF-8",
        place=Place(str(file), _bad_line(file, encoding)),
    )


def _bad_line(file: Path, encoding: Encoding) -> int:
    """The first line that cannot be decoded; 0 where bytes do not tell lines (UTF-16)."""
    if encoding.name.startswith("utf-16"):
        return 0
    with file.open("rb") as source:
        for number, line in enumerate(source, start=1):
            try:
                line.decode(encoding.name)
            except UnicodeDecodeError:
                return number
    return 0
