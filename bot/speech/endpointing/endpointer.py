"""When a caller begins to speak, and when his turn is over: one turn followed on media time.


An `Endpointer` lives for one turn. It is fed every frame of the line with the VAD's probability
and the recogniser's partial text, and answers with events. It holds no clock: a frame that stands
in for lost audio moves time on just as a real one does.

    endpointer = Endpointer(ask.expectation, no_input_s=ask.no_input_s)
    async for frame in leg.frames():
        voice = await vad.probability(frame)
        for event in endpointer.push(frame, voice, await stream.feed(frame, voice)):
            if isinstance(event, SpeechEnded) and endpointer.wants_words:
                await stream.settle()

A partial shows a word a median 0.21 s after it ended, and a turn may be over 0.25 s after it: so
where every word counts at once (`wants_words`) the recogniser is made to settle on its words as
soon as a pause begins, and no word of the voice before it is still to come.
"""

from __future__ import annotations

import math

import numpy as np

from bot.core.audio import FRAME_S, SILENT_DBFS, Frame
from bot.core.directives import Expectation, OpenExpected
from bot.speech.endpointing.choosing import EitherTurns, strategy_for
from bot.speech.endpointing.events import (
    EndpointEvent,
    NoInput,
    OverReason,
    SpeechEnded,
    SpeechStarted,
    TurnOver,
)
from bot.speech.endpointing.strategy import TurnStrategy
from bot.speech.settings import EndpointingSettings
from bot.surveys.words import UNKNOWN

_BLOCK_S = 0.01
"""Resolution of the last voiced sound: the 10 ms in which reply gaps are defined."""
_QUIET_CALLER_DB = 25.0
"""On a line so soft that all of it is below `voiced_dbfs`, voice is what is this close to its peak."""
_ABOVE_NOISE_DB = 6.0
"""On a noisy line, voice is what stands out of the noise by this much (twice its amplitude)."""
_ABOVE_ECHO_DB = 9.0
"""Voice stands out of what may be left of the echo of our own sound by this much."""
_NOISE_PROBABILITY = 0.1
"""What the VAD is this sure of to be no speech is the line's noise."""
_NOISE_WEIGHT = 0.1
"""Weight of the newest frame in the noise level: it follows within ~0.2 s."""
_TORN_S = 0.08
"""A voice that lost packets tear for less has not paused, and was as long as it would have been."""
_TEARING_LOSS = (0.08, 0.5)
"""Of the last second's frames: a line that loses so many tears words into scraps of voice. One that loses
more is interrupted, and whoever is on it does not hear a question either."""
_LOSS_WEIGHT = 0.02
"""Weight of the newest frame in what the line loses: a second's worth."""
_SCRAP_SILENCE_S = 1.4
"""So long after a scrap of voice on such a line he is taken to have spoken, and to wait to be asked again."""
_WORD_LAG_S = 0.2
"""A partial shows a word a median 0.21 s after the word ended (measured, small model)."""
_WORD_LAG_MAX_S = 0.5
"""Words that come later than this after the last voice were not in that voice."""
_SLEPT_S = 1.0
"""Words are new so long after the detector last thought of a voice, at most: a word, and its lag."""
_NO_WORDS = {UNKNOWN, "м", "мм", "э", "эм"}
"""What a cough or a breath is heard as: with a voice it holds the floor, without one it is a noise."""


class Endpointer:
    """The endpointing of one turn."""

    def __init__(
        self,
        expectation: Expectation | None,
        *,
        no_input_s: float,
        settings: EndpointingSettings | None = None,
        strategy: TurnStrategy | None = None,
        waiting: bool = True,
        before: Expectation | None = None,
    ) -> None:
        """`waiting` False while a prompt is still playing: the time for no-input then starts with `wait`.

        `before` is what the last question expected, where the turn may still be about that.
        """
        self._expectation = expectation
        self._no_input_s = no_input_s
        self._settings = settings or EndpointingSettings()
        self._strategy = strategy or self._strategy_of(expectation, before)
        self._closed = any(
            each is not None and not isinstance(each, OpenExpected) for each in (expectation, before)
        )
        self._max_s = (
            expectation.max_s if isinstance(expectation, OpenExpected) else self._settings.closed_max_s
        )
        self._waiting = waiting
        self._waits_since: float | None = None
        self._speaking = False
        self._burst_at: float | None = None  # where the run of voice that is not yet speech began
        self._scrap_until: float | None = None  # end of the last such run that came to nothing
        self._losing = 0.0
        self._doubtful_at = -math.inf  # the end of the last frame that may have been a voice
        self._started: float | None = None
        self._voiced_until = 0.0
        self._voiced_s = 0.0
        self._peak_dbfs = SILENT_DBFS
        self._noise_dbfs = SILENT_DBFS
        self._partial = ""
        self._judged: tuple[tuple[str, float], float] | None = None
        self._over = False

    @property
    def over(self) -> bool:
        return self._over

    @property
    def wants_words(self) -> bool:
        """Whether the words decide so soon that the recogniser shall settle on them at once."""
        return self._closed

    def _strategy_of(self, expectation: Expectation | None, before: Expectation | None) -> TurnStrategy:
        strategy = strategy_for(expectation, self._settings)
        if before is None:
            return strategy
        return EitherTurns(strategy, before, self._settings)

    def wait(self, at: float) -> None:
        """The prompt has ended at this media time: from here on the caller is waited for."""
        self._waiting = True
        self._waits_since = at

    def push(self, frame: Frame, probability: float, partial: str) -> tuple[EndpointEvent, ...]:
        """One frame on. `partial` is the recognised text so far. After the turn is over: nothing."""
        if self._over:
            return ()
        if self._waiting and self._waits_since is None:
            self._waits_since = frame.at
        now = round(frame.at + FRAME_S, 4)
        events = [*self._hear(frame, probability), *self._read(partial, now)]
        needed_s = self._needed_s(now)
        pause_s = min(self._settings.pause_s, needed_s)
        if self._speaking and _reached(now - self._voiced_until, pause_s):
            self._speaking = False
            events.append(SpeechEnded(self._voiced_until))
        ending = self._ending(now, needed_s)
        if ending is not None:
            self._over = True
            events.append(ending)
        return tuple(events)

    def _needed_s(self, now: float) -> float:
        """The silence that would end the turn; without end where there is none yet, or no voice before it.
        It is asked for with every frame, and what it hangs on changes with a word or a voice."""
        if self._started is None or self._voiced_until >= now:
            return math.inf
        said = self._partial, self._spoken_s
        if self._judged is None or self._judged[0] != said:
            self._judged = said, self._strategy.silence_s(self._expectation, *said)
        return self._judged[1]

    def _hear(self, frame: Frame, probability: float) -> list[EndpointEvent]:
        if probability >= self._settings.stay_probability:
            self._doubtful_at = frame.at + FRAME_S
        in_speech = self._speaking or self._burst_at is not None
        threshold = self._settings.stay_probability if in_speech else self._settings.start_probability
        levels = _block_levels(frame)
        self._losing += _LOSS_WEIGHT * (frame.concealed - self._losing)
        if frame.concealed:
            if _reached(frame.at + FRAME_S - self._voiced_until, _TORN_S):
                self._drop_burst()
            elif in_speech:
                self._voiced_s += FRAME_S
            return []
        if probability < threshold:
            self._drop_burst()
            if probability < _NOISE_PROBABILITY:
                self._noise_dbfs += _NOISE_WEIGHT * (max(levels) - self._noise_dbfs)
            return []
        voiced = self._voiced_span(frame, levels)
        if voiced is None:
            return []
        begin, end = voiced
        if self._burst_at is None and not self._speaking:
            self._burst_at = begin
        self._voiced_until = end
        self._voiced_s += FRAME_S
        burst = self._burst_at
        if burst is not None and _reached(end - burst, self._settings.min_speech_s):
            return self._start(burst)
        return []

    def _drop_burst(self) -> None:
        if self._burst_at is not None:
            self._burst_at = None
            self._scrap_until = self._voiced_until

    def _start(self, at: float) -> list[EndpointEvent]:
        self._burst_at = None
        self._speaking = True
        if self._started is None:
            self._started = at
        return [SpeechStarted(at)]

    def _voiced_span(self, frame: Frame, levels: list[float]) -> tuple[float, float] | None:
        """Media times of the first and last loud 10 ms of a frame; None if it has none."""
        self._peak_dbfs = max(self._peak_dbfs, *levels)
        soft = min(self._settings.voiced_dbfs, self._peak_dbfs - _QUIET_CALLER_DB)
        gate = min(max(soft, self._noise_dbfs + _ABOVE_NOISE_DB), self._peak_dbfs - _ABOVE_NOISE_DB)
        if frame.own_dbfs > SILENT_DBFS:
            gate = max(gate, frame.own_dbfs + _ABOVE_ECHO_DB)
        loud = [index for index, level in enumerate(levels) if level >= gate and level > SILENT_DBFS]
        if not loud:
            return None
        return round(frame.at + loud[0] * _BLOCK_S, 4), round(frame.at + (loud[-1] + 1) * _BLOCK_S, 4)

    def _read(self, partial: str, now: float) -> list[EndpointEvent]:
        """Words that the VAD slept through are speech as well; where it is sure that nobody speaks they are
        music, or a key (bot/speech/voiced.py)."""
        grown = len(partial.split()) > len(self._partial.split()) and _has_words(partial)
        self._partial = partial
        explained = self._voiced_s > 0 and now - self._voiced_until < _WORD_LAG_MAX_S
        if not grown or self._speaking or explained or now - self._doubtful_at > _SLEPT_S:
            return []
        self._voiced_until = max(self._voiced_until, now - _WORD_LAG_S)
        return self._start(self._voiced_until)

    @property
    def _spoken_s(self) -> float:
        return 0.0 if self._started is None else self._voiced_until - self._started

    def _ending(self, now: float, needed_s: float) -> TurnOver | NoInput | None:
        if self._started is not None:
            if _reached(now - self._started, self._max_s):
                return TurnOver(now, self._started, self._voiced_until, OverReason.TOO_LONG)
            if not self._speaking and _reached(now - self._voiced_until, needed_s):
                if _has_words(self._partial) or self._voiced_s >= self._settings.min_wordless_s:
                    return TurnOver(now, self._started, self._voiced_until, OverReason.SILENCE)
                self._started = None  # a cough or a click: go on waiting
                self._scrap_until = self._voiced_until
                self._voiced_s = 0.0
        waited = self._waits_since is not None and _reached(now - self._waits_since, self._no_input_s)
        if (waited or self._torn(now)) and self._started is None and self._burst_at is None:
            return NoInput(now)
        return None

    def _torn(self, now: float) -> bool:
        """Whether he seems to have answered, and the line to have lost what he said."""
        least, most = _TEARING_LOSS
        if self._waits_since is None or self._scrap_until is None or not least <= self._losing <= most:
            return False
        return self._scrap_until > self._waits_since and _reached(now - self._scrap_until, _SCRAP_SILENCE_S)


def _reached(value: float, limit: float) -> bool:
    """With half a sample of slack: media times are sums of 20 ms."""
    return value >= limit - 1e-4


def _has_words(text: str) -> bool:
    return any(word not in _NO_WORDS for word in text.split())


def _block_levels(frame: Frame) -> list[float]:
    """RMS of each 10 ms in dB below full scale."""
    if frame.inaudible:
        return [SILENT_DBFS]
    samples = np.frombuffer(frame.data, dtype="<i2").astype(np.float32)
    length = max(round(frame.rate * _BLOCK_S), 1)
    blocks = samples[: len(samples) // length * length].reshape(-1, length)
    powers: list[float] = (np.einsum("ij,ij->i", blocks, blocks) / (length * 32768.0**2)).tolist()
    return [10 * math.log10(power) if power > 1e-12 else SILENT_DBFS for power in powers] or [SILENT_DBFS]
