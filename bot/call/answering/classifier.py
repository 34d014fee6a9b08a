"""Who took the call: evidence in, verdicts out, on media time.

    classifier = Classifier()
    for evidence in ...:
        verdict = classifier.push(evidence)     # a Verdict whenever the mind is made up, or changed

In doubt it is a human: a person whom we take for a machine is hung up on, the worst that can happen.
So timing alone proves a machine only where no person would speak so long at one go, and a person
found by timing is given up only for a machine's own words, tones or loops.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

from bot.call.answering.evidence import Evidence, LineUp, OwnWords, Peak, Sound, Words
from bot.call.answering.judges import JUDGES, voicemail
from bot.call.answering.picture import Opinion, Picture, Weight
from bot.call.answering.repetition import WINDOW_S, Repetition
from bot.call.answering.speech_timing import SpeechTrack
from bot.call.answering.tones import Tone, ToneTrack
from bot.core.answerer import Answerer
from bot.core.audio import FRAME_S
from bot.core.endings import Disposition

_LATE_BEEP_S = 15.0
_JUDGED_EVERY = 5
"""Frames between two judgements: 0.1 s, and at once when a tone begins or ends."""
_FSK_SHARE = 0.85
_FSK_LEVEL_DBFS = -45.0
_NO_ECHO_DBFS = -100.0
_ABOVE_ECHO_DB = 6.0
"""What is not louder than our echo may be by this much, may be our echo."""


@dataclass(frozen=True, slots=True)
class Verdict:
    """What took the call, as known `at` (media time); `revised` where it replaces an earlier verdict.

    `outcome` is the disposition that the evidence itself names (a wrong number, a busy line).
    """

    answerer: Answerer
    reasons: tuple[str, ...]
    at: float
    weight: Weight
    revised: bool = False
    early: bool = False
    outcome: Disposition | None = None


class Classifier:
    """Follows one line from its first sound. After `finish` it takes no more evidence."""

    def __init__(self) -> None:
        self._speech = SpeechTrack()
        self._tones = ToneTrack()
        self._loop = Repetition()
        self._picture = Picture()
        self._verdict: Verdict | None = None
        self._frames = 0

    @property
    def verdict(self) -> Verdict | None:
        """The newest one since the answer, or before it."""
        return self._verdict

    @property
    def picture(self) -> Picture:
        return self._picture

    @property
    def beep(self) -> Tone | None:
        """The newest beep after a greeting, once it is over; a late one, too: for whoever waits for it."""
        return voicemail.beep_of(self._picture, within_s=_LATE_BEEP_S)

    def push(self, evidence: Evidence) -> Verdict | None:
        """The verdict that this changed, if it did."""
        self._picture.now = max(self._picture.now, evidence.at)
        match evidence:
            case Sound():
                tone = self._hear(evidence)
                self._frames += 1
                if tone is None and self._frames % _JUDGED_EVERY:
                    return None
            case Words(text=text):
                self._picture.words = text
            case OwnWords(text=text):
                self._picture.own = f"{self._picture.own} {text}".strip()
            case LineUp(at=at):
                self._answered(at)
        return self._judge()

    def finish(self) -> Verdict | None:
        """Nothing more will be heard: the verdict that follows from it, if it is a new one."""
        self._picture.finished = True
        return self._judge()

    def _hear(self, sound: Sound) -> Tone | None:
        """The tone that began or ended with it."""
        picture = self._picture
        picture.now = round(sound.at + FRAME_S, 4)
        echo = sound.echo_dbfs > _NO_ECHO_DBFS and sound.level_dbfs <= sound.echo_dbfs + _ABOVE_ECHO_DB
        tone = self._tones.push(replace(sound, peak=Peak(0.0, 0.0)) if echo else sound)
        if tone is not None and not tone.over:
            self._speech.strike(tone.start - FRAME_S)  # its first window was half of something else
        self._speech.push(sound, tone=self._tones.sounding is not None or echo)
        fsk = sound.fsk >= _FSK_SHARE and sound.level_dbfs >= _FSK_LEVEL_DBFS
        single = self._tones.sounding is not None
        picture.fsk_s = picture.fsk_s + FRAME_S if fsk and not single else 0.0
        picture.bursts = self._speech.bursts
        picture.speaking = self._speech.speaking
        picture.tones = self._tones.tones
        lag = self._loop.push(sound, voiced_s=self._voiced_lately(picture.now))
        picture.repeats_after = lag if lag is not None else picture.repeats_after
        return tone

    def _voiced_lately(self, now: float) -> float:
        since = now - WINDOW_S
        return sum(max(0.0, burst.end - max(burst.start, since)) for burst in self._speech.bursts[-8:])

    def _answered(self, at: float) -> None:
        """A new beginning: the carrier's words are not the answerer's."""
        early = None
        if self._verdict is not None:
            early = Opinion(
                self._verdict.answerer, self._verdict.weight, self._verdict.reasons[0], self._verdict.outcome
            )
        onward = self._speech.speaking
        self._speech.forget()
        self._loop.forget()
        self._tones = ToneTrack()
        self._verdict = None
        self._picture = Picture(now=at, since=at, answered=True, early=early, spoke_at_answer=onward)

    def _judge(self) -> Verdict | None:
        verdict = self._verdict
        if self._picture.own and verdict is not None and not verdict.answerer.is_machine:
            self._picture.talking = True
        opinions = [opinion for judge in JUDGES if (opinion := judge(self._picture)) is not None]
        if not opinions:
            return None
        best = max(opinions, key=lambda opinion: opinion.weight)
        if self._verdict is not None and not _replaces(best, self._verdict):
            return None
        reasons = tuple(opinion.reason for opinion in opinions if opinion.answerer is best.answerer)
        self._verdict = Verdict(
            best.answerer,
            (best.reason, *(reason for reason in reasons if reason != best.reason)),
            round(self._picture.now, 3),
            best.weight,
            revised=self._verdict is not None,
            early=not self._picture.answered,
            outcome=best.outcome,
        )
        return self._verdict


def _replaces(opinion: Opinion, verdict: Verdict) -> bool:
    if opinion.answerer is verdict.answerer:
        return opinion.outcome is not None and opinion.outcome is not verdict.outcome
    if verdict.answerer is Answerer.SILENCE:
        return True
    if opinion.answerer is Answerer.SILENCE or not opinion.answerer.is_machine:
        return False  # nothing proves a person where a machine was found
    if verdict.answerer is Answerer.HUMAN:
        return opinion.weight > verdict.weight
    return opinion.weight >= verdict.weight
