"""Words are believed where somebody speaks: a recogniser that knows only words finds one in music, too.

Of an hour of tones, keys, music, knocks, faxes and streets in 600 pieces the model that ships makes words of
30, and of 2 where it is asked whether somebody speaks. Of 1,649 words that were said, some in noise as loud
as themselves, none lies where the voice activity stayed below 0.48 (models/small_ru/README.md).
"""

from __future__ import annotations

from bisect import bisect_left

from bot.core.audio import FRAME_S
from bot.core.context import Word
from bot.core.ports import Transcript

_BESIDE_S = 0.1
"""So far from a word its voice may be: the detector judges 32 ms at once and lags a little, and the ends of a
word in time are a recogniser's guess."""


class Voiced:
    """Where on a line somebody may be speaking, as far as it was heard: where it is at least so probable."""

    def __init__(self, least: float) -> None:
        self._least = least
        self._times: list[float] = []  # of the frames with a voice, ascending

    def add(self, at: float, probability: float) -> None:
        """A frame of media time `at`, later than those before it, and the probability that it is speech."""
        if probability >= self._least:
            self._times.append(at)

    def believed(self, transcript: Transcript) -> Transcript:
        """Without the words, known or not, under which there is no voice."""
        kept = tuple(word for word in transcript.words if self._under(word))
        if len(kept) == len(transcript.words):
            return transcript
        return Transcript(text=" ".join(word.text for word in kept), words=kept)

    def _under(self, word: Word) -> bool:
        index = bisect_left(self._times, word.start - _BESIDE_S - FRAME_S)
        return index < len(self._times) and self._times[index] <= word.end + _BESIDE_S
