"""What is known of a line at one moment, as the judges of answerers see it."""

from __future__ import annotations

from dataclasses import dataclass, field
from enum import IntEnum

from bot.call.answering.speech_timing import Span, utterances
from bot.call.answering.tones import Tone
from bot.core.answerer import Answerer
from bot.core.endings import Disposition


class Weight(IntEnum):
    """How far evidence is trusted."""

    DOUBT = 0
    TIMING = 1
    LOOP = 2
    WORDS = 3
    TONE = 4


@dataclass(frozen=True, slots=True)
class Opinion:
    """What one judge holds a line to be. `outcome` where he knows more of the call than its class."""

    answerer: Answerer
    weight: Weight
    reason: str
    outcome: Disposition | None = None


@dataclass(slots=True)
class Picture:
    """Seconds of media time. Everything but `early` is since `since`: the answer, or the first sound
    of a line that has not been answered. `own` is all that we have said ourselves, `talking` once we have
    spoken to somebody who was not taken for a machine; `early` what was
    found before the answer.
    """

    now: float = 0.0
    since: float = 0.0
    answered: bool = False
    bursts: list[Span] = field(default_factory=list)
    speaking: bool = False
    tones: list[Tone] = field(default_factory=list)
    fsk_s: float = 0.0
    words: str = ""
    own: str = ""
    talking: bool = False
    repeats_after: float | None = None
    early: Opinion | None = None
    spoke_at_answer: bool = False
    finished: bool = False

    @property
    def voiced_s(self) -> float:
        return sum(burst.voiced_s for burst in self.bursts)

    @property
    def greeting(self) -> Span | None:
        """The first utterance."""
        return utterances(self.bursts)[0] if self.bursts else None

    @property
    def utterances(self) -> list[Span]:
        return utterances(self.bursts)

    @property
    def last_tone(self) -> Tone | None:
        return self.tones[-1] if self.tones else None

    @property
    def pause_s(self) -> float:
        """Silence until now: since the last voice, or since the beginning."""
        return self.now - max([self.since, *(burst.end for burst in self.bursts[-1:])])
