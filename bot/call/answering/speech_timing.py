"""When somebody speaks on the line: bursts of voice, and the utterances that they make up."""

from __future__ import annotations

from dataclasses import dataclass

from bot.call.answering.evidence import Sound
from bot.core.audio import FRAME_S

START_PROBABILITY, STAY_PROBABILITY = 0.5, 0.35
"""Silero VAD's own thresholds, as in the endpointing of turns."""
VOICED_DBFS = -45.0
_ABOVE_NOISE_DB = 6.0
_NOISE_PROBABILITY = 0.1
_NOISE_WEIGHT = 0.1
MIN_BURST_S = 0.06
"""Clicks are shorter."""
BURST_GAP_S = 0.2
"""Silence that parts two bursts: stops within words are shorter."""
UTTERANCE_GAP_S = 1.0
"""Silence that parts two utterances. Within one, people and announcers pause 0.2-0.8 s between sentences."""


@dataclass(frozen=True, slots=True)
class Span:
    """Voice from `start` to `end`, of which `voiced_s` is sound."""

    start: float
    end: float
    voiced_s: float

    @property
    def seconds(self) -> float:
        return self.end - self.start


class SpeechTrack:
    """Follows the voice on one line; `bursts` has them all, the last one may still go on."""

    def __init__(self) -> None:
        self.bursts: list[Span] = []
        self.speaking = False
        self._run: tuple[float, float] | None = None
        self._noise_dbfs = -120.0

    def push(self, sound: Sound, *, tone: bool) -> None:
        """One frame on. A `tone` is no voice, whatever the detector says."""
        voiced = not tone and self._voiced(sound)
        now = sound.at + FRAME_S
        if voiced:
            begin = self._run[0] if self._run is not None else sound.at
            self._run = (begin, now)
            if now - begin >= MIN_BURST_S - 1e-6:
                self._speak(begin, now)
        else:
            self._run = None
        if self.speaking and now - self.bursts[-1].end >= BURST_GAP_S - 1e-6:
            self.speaking = False

    def _voiced(self, sound: Sound) -> bool:
        if sound.voice < _NOISE_PROBABILITY:
            self._noise_dbfs += _NOISE_WEIGHT * (sound.level_dbfs - self._noise_dbfs)
        threshold = STAY_PROBABILITY if self.speaking or self._run else START_PROBABILITY
        gate = max(VOICED_DBFS, min(self._noise_dbfs + _ABOVE_NOISE_DB, -20.0))
        return sound.voice >= threshold and sound.level_dbfs >= gate

    def _speak(self, begin: float, now: float) -> None:
        if not self.speaking:
            self.speaking = True
            self.bursts.append(Span(begin, now, now - begin))
            return
        burst = self.bursts[-1]
        self.bursts[-1] = Span(burst.start, now, burst.voiced_s + now - max(begin, burst.end))

    def strike(self, since: float) -> None:
        """What was taken for voice from here on was a tone."""
        kept = [burst for burst in self.bursts if burst.start < since - 1e-6]
        if kept and kept[-1].end > since:
            last = kept[-1]
            kept[-1] = Span(last.start, since, max(0.0, last.voiced_s - (last.end - since)))
        self.speaking = self.speaking and bool(kept) and len(kept) == len(self.bursts)
        self.bursts, self._run = kept, None

    def forget(self) -> None:
        """The past was somebody else's. A burst that goes on is known by its new beginning."""
        self.bursts.clear()
        self.speaking = False
        self._run = None


def utterances(bursts: list[Span]) -> list[Span]:
    """Bursts joined where the silence between them is short."""
    joined: list[Span] = []
    for burst in bursts:
        if joined and burst.start - joined[-1].end < UTTERANCE_GAP_S:
            last = joined[-1]
            joined[-1] = Span(last.start, burst.end, last.voiced_s + burst.voiced_s)
        else:
            joined.append(burst)
    return joined
