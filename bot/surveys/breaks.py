"""Pauses within a text: `<break time="500ms"/>`, the one mark of SSML that texts may hold.

The form is that of SSML 1.1 (W3C, 3.2.3), with its time in seconds or milliseconds. A pause parts two things
that are said: one at the edge of a text, as an empty field may leave it, is none, and of several with nothing
between them the longest counts. So no text is silent for longer than `LONGEST_S`, whatever is filled in.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass

LONGEST_S = 1.5
"""Callers are promised that no silence lasts two seconds (bot/call/silence.py); the rest of them is left for
the edges of words and for the line."""
SHORTEST_S = 0.05
"""What is shorter is no pause: a plosive within a word is as long."""

EXAMPLE = '<break time="500ms"/>'

_BREAK = re.compile(
    r"""<break\s+time\s*=\s*(?P<quote>["'])(?P<time>\d{1,4}(?:\.\d{1,3})?)(?P<unit>ms|s)(?P=quote)\s*/>"""
)
_MARK = re.compile(r"</?[^\W\d_][^<>]*>?|<[!?][^<>]*>?")
_SPACE = re.compile(r"(?<!\s)\s+(?=[,.!?…:;])")


@dataclass(frozen=True, slots=True)
class Piece:
    """What is said in one breath, and the seconds of silence behind it: 0 behind the last one."""

    text: str
    silence_s: float = 0.0


@dataclass(frozen=True, slots=True)
class BadBreak:
    """`near` is the mark as it is written."""

    near: str
    message: str


def pieces(text: str) -> tuple[Piece, ...]:
    """A text taken apart at its pauses; none where nothing is said. Marks of another form are words here."""
    made: list[Piece] = []
    begin = 0
    silence_s = 0.0
    for mark in [*_BREAK.finditer(text), None]:
        said = text[begin : mark.start() if mark else len(text)].strip()
        if said:
            if made:
                made[-1] = Piece(made[-1].text, silence_s)
            made.append(Piece(said))
            silence_s = 0.0
        if mark:
            silence_s = max(silence_s, min(_seconds(mark), LONGEST_S))
            begin = mark.end()
    return tuple(made)


def without_breaks(text: str) -> str:
    """The words alone, as they are shown and compared."""
    if "<" not in text:
        return text
    return _SPACE.sub("", " ".join(_BREAK.sub(" ", text).split()))


def without_marks(text: str) -> str:
    """Without whatever looks like a mark, of the right form or not."""
    return _SPACE.sub("", " ".join(_MARK.sub(" ", text).split())) if "<" in text else text


def unmarked(value: str) -> str:
    """What is filled into a text from elsewhere, so that it can hold no mark."""
    return value.replace("<", " ").replace(">", " ")


def faults(text: str) -> Iterator[BadBreak]:
    """Marks that are no pause, are too short or too long, or part nothing."""
    for mark in _MARK.finditer(text):
        found = _BREAK.match(text, mark.start())
        if found is None:
            known = mark[0].lstrip("</").lower().startswith("break")
            message = f"пауза пишется так: {EXAMPLE}" if known else "из меток SSML есть только пауза"
            yield BadBreak(mark[0], message)
            continue
        seconds = _seconds(found)
        if not SHORTEST_S <= seconds <= LONGEST_S:
            bounds = f"от {SHORTEST_S:g} до {LONGEST_S:g}"
            yield BadBreak(mark[0], f"пауза в {seconds:g} с, а бывает {bounds} с")
        elif not without_marks(text[: mark.start()]).strip() or not without_marks(text[mark.end() :]).strip():
            yield BadBreak(mark[0], "пауза в начале или в конце фразы ничего не разделяет")


def _seconds(mark: re.Match[str]) -> float:
    return float(mark["time"]) / (1000 if mark["unit"] == "ms" else 1)
