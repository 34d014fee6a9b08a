"""A whole recording, heard as a call would hear it."""

from __future__ import annotations

from bot.core.audio import FRAME_S, SAMPLE_BYTES, Frame, Pcm
from bot.core.directives import Expectation
from bot.core.ports import Transcript
from bot.speech.recogniser import VoskRecogniser
from bot.speech.vad import SileroVad
from bot.speech.voiced import Voiced


def voiced(pcm: Pcm, least: float) -> Voiced:
    """Where somebody speaks in a recording. Blocking. Raises ValueError: neither 8000 nor 16000 Hz."""
    found = Voiced(least)
    detector = SileroVad(pcm.rate)
    step = round(FRAME_S * pcm.rate) * SAMPLE_BYTES
    for index, start in enumerate(range(0, len(pcm.data), step)):
        at = index * FRAME_S
        found.add(at, detector.probability(Frame(pcm.data[start : start + step], pcm.rate, at)))
    return found


def words_of(recogniser: VoskRecogniser, pcm: Pcm, expectation: Expectation | None = None) -> Transcript:
    """What is said in a recording, as a call hears it. Blocking."""
    return voiced(pcm, recogniser.settings.least_voice).believed(recogniser.transcribe(pcm, expectation))
