"""Pure tones in the sound, one after another, with their times."""

from __future__ import annotations

from dataclasses import dataclass

from bot.call.answering.evidence import Sound
from bot.core.audio import FRAME_S

MIN_TONE_S = 0.12
"""A shorter whistle may be a vowel. The shortest tones of telephony that matter here are longer: SIT 0.33 s,
busy 0.25 s and more (ITU-T E.180/Q.35); mailbox beeps are 0.15-1.5 s."""

_SHARE = 0.8
"""A tone holds at least this share of the sound's power: 6 dB above all else."""
_LEVEL_DBFS = -45.0
_DRIFT = 0.012
_DRIFT_HZ = 7.0
"""A tone stands still, to 1.2 % or 7 Hz; a sung vowel's pitch moves more than that in a tenth of a second."""
_HOLES = 1
"""Frames without the tone that do not end it: a lost packet, a phase reversal (ITU-T V.8, every 450 ms)."""


@dataclass(frozen=True, slots=True)
class Tone:
    """`over` once it has ended; until then `end` is now."""

    hz: float
    start: float
    end: float
    over: bool = True

    @property
    def seconds(self) -> float:
        return self.end - self.start

    def near(self, hz: float, within: float) -> bool:
        return abs(self.hz - hz) <= within


class ToneTrack:
    """Finds tones of `MIN_TONE_S` and more; they are in `tones`, the one that still sounds is the last."""

    def __init__(self) -> None:
        self.tones: list[Tone] = []
        self._start = 0.0
        self._end = 0.0
        self._hz = 0.0
        self._frames = 0
        self._missing = 0

    @property
    def sounding(self) -> Tone | None:
        """The tone that sounds now, once it has lasted long enough to be one."""
        return self.tones[-1] if self.tones and not self.tones[-1].over else None

    @property
    def last(self) -> Tone | None:
        """The newest tone that has ended."""
        return next((tone for tone in reversed(self.tones) if tone.over), None)

    def push(self, sound: Sound) -> Tone | None:
        """One frame on. The tone whose start, or end, is known by it."""
        if self._goes_on(sound):
            return self._extend(sound)
        if self._frames and self._missing < _HOLES and not self._is_tone(sound):
            self._missing += 1
            return None
        ended = self._finish()
        if self._is_tone(sound):
            self._begin(sound)
        return ended

    def _is_tone(self, sound: Sound) -> bool:
        return sound.peak.share >= _SHARE and sound.level_dbfs >= _LEVEL_DBFS

    def _goes_on(self, sound: Sound) -> bool:
        drift = max(_DRIFT_HZ, self._hz * _DRIFT)
        return bool(self._frames) and self._is_tone(sound) and abs(sound.peak.hz - self._hz) <= drift

    def _begin(self, sound: Sound) -> None:
        self._start, self._end = sound.at, sound.at + FRAME_S
        self._hz, self._frames, self._missing = sound.peak.hz, 1, 0

    def _extend(self, sound: Sound) -> Tone | None:
        self._frames += 1
        self._missing = 0
        self._end = sound.at + FRAME_S
        self._hz += (sound.peak.hz - self._hz) / min(self._frames, 10)
        if self._end - self._start < MIN_TONE_S - 1e-6:
            return None
        tone = Tone(self._hz, self._start, self._end, over=False)
        if self.sounding is not None:
            self.tones[-1] = tone
            return None
        self.tones.append(tone)
        return tone

    def _finish(self) -> Tone | None:
        self._frames = 0
        sounding = self.sounding
        if sounding is None:
            return None
        self.tones[-1] = Tone(sounding.hz, sounding.start, sounding.end)
        return self.tones[-1]
