"""Two ways to find the end of a turn in the same sound: what the question expects, or one silence for all.

On media time, with the real voice activity detector and recogniser, so it is exact and quick. What is
compared is how long a caller's answer takes to become text, and how often it is cut. The dialogue, the
first sound and the line come on top of both alike and are not in these figures.
"""

from __future__ import annotations

import random
import time
from collections.abc import Sequence
from dataclasses import dataclass
from statistics import fmean

import numpy as np
from pydantic import BaseModel, ConfigDict

from bot.core.audio import FRAME_S, Frame, Pcm
from bot.core.directives import Expectation, OpenExpected, ScaleExpected, YesNoExpected
from bot.core.percentiles import percentile
from bot.sim.bench.composing import PAUSED, Answers, Composer, Manner, Utterance
from bot.sim.bench.pieces import Piece
from bot.sim.bench.plan import plan_calls
from bot.sim.g711 import RATE, Samples
from bot.sim.measure import WINDOW, voiced
from bot.speech.endpointing import Endpointer, FixedSilence, SpeechEnded, TurnOver
from bot.speech.recogniser import VoskRecogniser
from bot.speech.vad import SileroVad

BEFORE_S, AFTER_S = 0.3, 2.5
"""Silence around a turn; after it longer than any strategy waits."""

SWEEP_S = tuple(round(0.3 + 0.1 * step, 1) for step in range(10))
"""The fixed silences that are shown: 0.3 to 1.2 s, what voice bots are shipped with."""

FURTHER_S = (1.3, 1.4, 1.5, 1.6, 1.7, 1.8)
"""Where none of those cuts as seldom as we do, the search for one that does goes on here."""

EXPECTED: dict[Answers, Expectation] = {
    Answers.SCALE: ScaleExpected(low=0, high=10),
    Answers.YES_NO: YesNoExpected(),
    Answers.OPEN: OpenExpected(),
}


class _Model(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")


class Way(_Model):
    """One way over all closed turns. `silence_s` is its fixed silence, None for ours.

    Times are from the last voiced sound to the text, of turns that were not cut, in ms. `cutoff_rate`
    is the share of turns with a hesitation or a pause inside a clause that were ended in that pause;
    `corrections_split` is the share of corrections whose first value was taken before the second came.
    """

    silence_s: float | None
    turns: int
    p50_ms: float
    p95_ms: float
    mean_ms: float
    cutoff_rate: float
    corrections_split: float


class Gain(_Model):
    """How many times longer the peer takes."""

    p50: float
    p95: float
    mean: float


class Comparison(_Model):
    """`equal` is the fixed silence that cuts no more often than we do, the shortest such; None where
    none does, and then there is no `gain`."""

    turns: int
    seed: int
    ours: Way
    fixed: tuple[Way, ...]
    equal: Way | None
    gain: Gain | None


@dataclass(frozen=True, slots=True)
class _Ended:
    """How one turn ended: in its pause, or so many ms after its last voiced sound."""

    utterance: Utterance
    cut: bool
    delay_ms: float


@dataclass(frozen=True, slots=True)
class _Clip:
    """One turn's sound as the ear gets it; `spoken_s` is where its last voiced 10 ms ends."""

    utterance: Utterance
    frames: tuple[Frame, ...]
    probabilities: tuple[float, ...]
    spoken_s: float
    sound: Samples

    @property
    def expectation(self) -> Expectation:
        return EXPECTED[self.utterance.answers]


async def compare(
    recogniser: VoskRecogniser, pieces: Sequence[Piece], *, seed: int, calls: int
) -> Comparison:
    """Over the closed turns of so many of the benchmark's calls. Raises AudioInvalid."""
    composer = Composer(pieces, random.Random())
    clips = [
        _clip(turn.utterance, composer)
        for call in plan_calls(pieces, seed, calls)
        for turn in call.turns
        if turn.during_prompt_s is None and turn.utterance.answers is not Answers.OPEN
    ]
    ours = summed(None, [await _ours(clip, recogniser) for clip in clips])
    partials = [await _partials(clip, recogniser) for clip in clips]
    heard_ms = [_recognised_ms(clip, recogniser) for clip in clips]

    def fixed(silence_s: float) -> Way:
        ended = [_fixed(*one, silence_s) for one in zip(clips, partials, heard_ms, strict=True)]
        return summed(silence_s, ended)

    ways = tuple(map(fixed, SWEEP_S))
    equal = next((way for way in ways if way.cutoff_rate <= ours.cutoff_rate), None)
    for silence_s in FURTHER_S if equal is None else ():
        way = fixed(silence_s)
        if way.cutoff_rate <= ours.cutoff_rate:
            equal = way
            break
    return Comparison(
        turns=len(clips), seed=seed, ours=ours, fixed=ways, equal=equal, gain=equal and gain(equal, ours)
    )


def gain(peer: Way, ours: Way) -> Gain:
    return Gain(
        p50=round(peer.p50_ms / ours.p50_ms, 2),
        p95=round(peer.p95_ms / ours.p95_ms, 2),
        mean=round(peer.mean_ms / ours.mean_ms, 2),
    )


def summed(silence_s: float | None, ended: Sequence[_Ended]) -> Way:
    """Pure. Raises ValueError where every turn was cut."""
    delays = [turn.delay_ms for turn in ended if not turn.cut]
    paused = [turn for turn in ended if turn.utterance.manner in PAUSED]
    corrections = [turn for turn in paused if turn.utterance.manner is Manner.CORRECTION]
    others = [turn for turn in paused if turn.utterance.manner is not Manner.CORRECTION]
    return Way(
        silence_s=silence_s,
        turns=len(delays),
        p50_ms=round(percentile(delays, 50), 1),
        p95_ms=round(percentile(delays, 95), 1),
        mean_ms=round(fmean(delays), 1),
        cutoff_rate=round(_cut_share(others), 4),
        corrections_split=round(_cut_share(corrections), 4),
    )


def _cut_share(turns: Sequence[_Ended]) -> float:
    return sum(turn.cut for turn in turns) / len(turns) if turns else 0.0


def _clip(utterance: Utterance, composer: Composer) -> _Clip:
    said = composer.sound(utterance)
    before, after = (np.zeros(round(seconds * RATE), np.int16) for seconds in (BEFORE_S, AFTER_S))
    sound = np.concatenate([before, said, after])
    size = round(FRAME_S * RATE)
    frames = tuple(
        Frame(sound[start : start + size].astype("<i2").tobytes(), RATE, round(start / RATE, 4))
        for start in range(0, sound.size - size + 1, size)
    )
    vad = SileroVad(RATE)
    last = int(np.flatnonzero(voiced(sound))[-1]) + 1
    return _Clip(
        utterance=utterance,
        frames=frames,
        probabilities=tuple(vad.probability(frame) for frame in frames),
        spoken_s=last * WINDOW / RATE,
        sound=sound,
    )


def _ended(clip: _Clip, over: TurnOver | None, recognised_ms: float) -> _Ended:
    assert over is not None, "the silence after a turn is longer than any strategy waits"
    delay_ms = (over.at - clip.spoken_s) * 1000
    return _Ended(clip.utterance, cut=delay_ms < 0, delay_ms=delay_ms + recognised_ms)


async def _ours(clip: _Clip, recogniser: VoskRecogniser) -> _Ended:
    """As the ear of a call does it: words as they come, settled in a pause, and a result that is forced."""
    endpointer = Endpointer(clip.expectation, no_input_s=10.0)
    stream = recogniser.open(RATE, clip.expectation)
    for frame, probability in zip(clip.frames, clip.probabilities, strict=True):
        for event in endpointer.push(frame, probability, await stream.feed(frame, probability)):
            match event:
                case SpeechEnded() if endpointer.wants_words:
                    await stream.settle()
                case TurnOver():
                    began = time.perf_counter()
                    await stream.finish()
                    return _ended(clip, event, (time.perf_counter() - began) * 1000)
    return _ended(clip, None, 0.0)


async def _partials(clip: _Clip, recogniser: VoskRecogniser) -> list[str]:
    """What was recognised up to each frame: the endpointer takes words for speech that the detector
    slept through, whatever the strategy."""
    stream = recogniser.open(RATE, clip.expectation)
    soundings = zip(clip.frames, clip.probabilities, strict=True)
    partials = [await stream.feed(frame, probability) for frame, probability in soundings]
    stream.close()
    return partials


def _recognised_ms(clip: _Clip, recogniser: VoskRecogniser) -> float:
    """How long the whole turn takes to recognise once it has ended."""
    spoken = clip.sound[: round(clip.spoken_s * RATE)]
    began = time.perf_counter()
    recogniser.transcribe(Pcm(spoken.astype("<i2").tobytes(), RATE))
    return (time.perf_counter() - began) * 1000


def _fixed(clip: _Clip, partials: list[str], recognised_ms: float, silence_s: float) -> _Ended:
    endpointer = Endpointer(clip.expectation, no_input_s=10.0, strategy=FixedSilence(silence_s))
    for frame, probability, partial in zip(clip.frames, clip.probabilities, partials, strict=True):
        for event in endpointer.push(frame, probability, partial):
            if isinstance(event, TurnOver):
                return _ended(clip, event, recognised_ms)
    return _ended(clip, None, 0.0)
