"""Barge-in in two stages: pure, on media time.

Voice over a prompt pauses it at once, on little evidence, because a pause costs nothing. Whether it was
meant is decided within `decide_s`: words stop the prompt, and a cough, a knock, our own echo or a «угу»
let it go on from the place that was heard.

    playing ── voice ──► paused ── words, a key, a long voice ──► stopped
       ▲                    └── silence, a nod ──► (playing again)

One `BargeIn` lives for one prompt. It is fed every frame of the line and answers with what to do now.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime
from enum import StrEnum

from bot.core.answer import Answer
from bot.core.audio import SILENT_DBFS
from bot.core.context import TurnSource, UserTurn
from bot.core.directives import Expectation, OpenExpected
from bot.surveys.answers import parse
from bot.surveys.words import UNKNOWN
from bot.surveys.yes_no_words import HUMS

_NOISE_PROBABILITY = 0.1
"""What the VAD is this sure of to be no speech is the line's noise."""
_NOISE_WEIGHT = 0.1
"""Weight of the newest frame in the noise level: it follows within ~0.2 s."""
_ABOVE_NOISE_DB = 6.0
_ECHO_SPREAD_DB = 6.0
"""Echo may be louder than expected, and then be taken for a voice, by so much more."""
_NEAR_S = 1.5
"""Echo brings back words that the prompt said up to this long ago, and the position is an estimate."""
_STEM = 4
"""Letters by which two forms of a word are one («десять», «десяти»)."""

_NODS = frozenset({"угу", "ага", "так", "э", "м", "мм", "хм", "ну", "да", "ок", "окей", "ясно", "понятно"})
_NODS |= {"хорошо", "ладно", "алло", "слушаю", "спасибо", "здравствуйте"}
"""What people say to show that they listen, or while they do, unless it answers the question. A hum never
does over its prompt: it is the sign of listening itself."""
_SOME_DAY = datetime(2001, 1, 1, tzinfo=UTC)
"""Whether words answer a question does not hang on the day on which they are said."""


@dataclass(frozen=True, slots=True)
class BargeInSettings:
    """Levels in dB, times in seconds of media time."""

    voice_probability: float = 0.35
    """The VAD's own threshold within speech: a pause needs less evidence than a turn."""
    loud_dbfs: float = -30.0
    loud_probability: float = 0.15
    """What is as loud as a voice close to a telephone needs less still: the «ш» of «шесть» is no speech to
    the VAD before its vowel comes."""
    voiced_dbfs: float = -45.0
    """What is softer is no voice, as everywhere."""
    above_echo_db: float = 9.0
    """Voice stands out of what may be left of our echo by this much."""
    onset_s: float = 0.04
    """Voice for so long pauses. On the recordings of the benchmark's callers the pause comes 53 ms after the
    first voiced sound at the median and after 160 at the 95th percentile (193 without the rule for what is
    loud). The price of that rule: of 216 knocks, noises, breaths and tones 4 set off a pause, not 1. One
    frame is too few: it takes 140, and an echo that is 10 dB down pauses its own prompt."""
    wary_s: float = 0.02
    """After each false alarm in a prompt it takes so much longer."""
    quiet_s: float = 0.35
    """Silence after which no word will come any more: partials lag 0.33 s behind a word (90th percentile)."""
    decide_s: float = 0.6
    """The decision, at the latest: a last look at the words and the line itself take up to 100 ms of the
    700 that are promised."""
    speech_s: float = 0.4
    """So much voice until then, and it goes on: somebody speaks, even if no word is known yet."""
    stable_s: float = 0.1
    """Words stop a prompt when they have stood for so long: the first guess at «да» may be another word."""
    word_s: float = 0.1
    """Words need at least so much voice: what is shorter is a click that was taken for a word."""


@dataclass(frozen=True, slots=True)
class Sound:
    """What one frame tells. `at` is the media time of its end, `saying_s` how much of the prompt was
    played until now."""

    at: float
    probability: float
    level_dbfs: float
    own_dbfs: float = SILENT_DBFS
    concealed: bool = False
    partial: str = ""
    saying_s: float = 0.0


class BargeInReason(StrEnum):
    VOICE = "voice"  # goes on and on, without a known word
    WORDS = "words"
    NOISE = "noise"
    NOD = "nod"
    ECHO = "echo"


@dataclass(frozen=True, slots=True)
class Pause:
    """Fall silent. `voice_s` is the media time at which the voice began."""

    voice_s: float


@dataclass(frozen=True, slots=True)
class Resume:
    because: BargeInReason


@dataclass(frozen=True, slots=True)
class Stop:
    because: BargeInReason


class BargeIn:
    """The policy for one prompt with this text and length, at this question (None: none is asked), beside
    which these words mean nothing."""

    def __init__(
        self,
        text: str,
        duration_s: float,
        expectation: Expectation | None,
        *,
        protected: bool = False,
        settings: BargeInSettings | None = None,
        nods: frozenset[str] = frozenset(),
    ) -> None:
        self._words = _plain(text)
        self._duration_s = max(duration_s, 0.1)
        self._nods = _NODS | nods
        self._expectation = expectation
        self._protected = protected
        self._settings = settings or BargeInSettings()
        self._noise_dbfs = SILENT_DBFS
        self._alarms = 0
        self._paused_s: float | None = None
        self._reset()

    @property
    def voice_s(self) -> float | None:
        """Media time at which the voice began that is heard now, or that the prompt was paused for."""
        return self._began

    def _reset(self) -> None:
        self._began: float | None = None
        self._last_voice = 0.0
        self._voiced_s = 0.0
        self._meant_since: float | None = None
        self._peak_dbfs = self._own_dbfs = SILENT_DBFS

    def push(self, sound: Sound, frame_s: float = 0.02) -> Pause | Resume | Stop | None:
        """One frame on; None where nothing is to be done. After `Stop`: nothing any more."""
        if self._protected:
            return None
        self._hear(sound, frame_s)
        if self._paused_s is None:
            return self._listen(sound)
        return self._decide(sound, sound.at - self._paused_s)

    def judge(self, text: str, saying_s: float) -> Resume | None:
        """Why these words, the final result of what was said, are no turn; None where they are one."""
        words = text.split()
        own = self._own_words(words, saying_s)
        if any(word not in self._nods for word in own) or self._answers(own):
            return None
        if all(word == UNKNOWN for word in words):
            return Resume(BargeInReason.NOISE)
        nod = any(word in self._nods for word in words)
        return Resume(BargeInReason.NOD if nod else BargeInReason.ECHO)

    def resumed(self) -> None:
        """The prompt goes on."""
        self._alarms += 1
        self._paused_s = None
        self._reset()

    def _hear(self, sound: Sound, frame_s: float) -> None:
        gate = max(
            self._settings.voiced_dbfs,
            self._noise_dbfs + _ABOVE_NOISE_DB,
            sound.own_dbfs + self._settings.above_echo_db,
        )
        loud = sound.level_dbfs >= self._settings.loud_dbfs
        needed = self._settings.loud_probability if loud else self._settings.voice_probability
        voiced = not sound.concealed and sound.probability >= needed and sound.level_dbfs >= gate
        if voiced:
            if self._began is None:
                self._began = sound.at - frame_s
            self._last_voice = sound.at
            self._voiced_s += frame_s
            self._peak_dbfs = max(self._peak_dbfs, sound.level_dbfs)
            self._own_dbfs = max(self._own_dbfs, sound.own_dbfs)
        elif not sound.concealed and sound.probability < _NOISE_PROBABILITY:
            self._noise_dbfs += _NOISE_WEIGHT * (sound.level_dbfs - self._noise_dbfs)

    def _listen(self, sound: Sound) -> Pause | None:
        if self._began is None:
            return None
        if sound.at - self._last_voice > self._settings.onset_s:
            self._reset()  # a click
            return None
        if not _reached(self._voiced_s, self._settings.onset_s + self._alarms * self._settings.wary_s):
            return None
        self._paused_s = sound.at
        return Pause(round(self._began, 3))

    def _decide(self, sound: Sound, since_s: float) -> Resume | Stop | None:
        settings = self._settings
        words = sound.partial.split()
        meant = bool(words) and self.judge(sound.partial, sound.saying_s) is None
        if not meant or self._meant_since is None:
            self._meant_since = sound.at if meant else None
        stable = self._meant_since is not None and _reached(sound.at - self._meant_since, settings.stable_s)
        if stable and _reached(self._voiced_s, settings.word_s):
            return Stop(BargeInReason.WORDS)
        quiet = _reached(sound.at - self._last_voice, settings.quiet_s)
        if not quiet and not _reached(since_s, settings.decide_s):
            return None
        if meant:
            return Stop(BargeInReason.WORDS)
        speaks = sound.at - self._last_voice < settings.quiet_s / 2  # our echo has long since ended
        nods = any(word in self._nods for word in words)
        if speaks and not nods and _reached(self._voiced_s, settings.speech_s):
            return Stop(BargeInReason.VOICE)
        return self.judge(sound.partial, sound.saying_s) or Resume(BargeInReason.NOISE)

    def _answers(self, words: list[str]) -> bool:
        """Whether words that are nods elsewhere are the answer here, as the survey will read it."""
        if not words or isinstance(self._expectation, OpenExpected | None) or HUMS.issuperset(words):
            return False
        turn = UserTurn(source=TurnSource.SPEECH, text=" ".join(words), at=_SOME_DAY)
        return isinstance(parse(self._expectation, turn), Answer)

    def _own_words(self, words: list[str], saying_s: float) -> list[str]:
        """The known words that the caller said himself, as far as one can tell."""
        known = [word for word in words if word != UNKNOWN]
        echo_like = self._peak_dbfs - self._own_dbfs < self._settings.above_echo_db + _ECHO_SPREAD_DB
        if not echo_like:
            return known
        said = self._said_around(saying_s)
        return [word for word in known if not any(_alike(word, other) for other in said)]

    def _said_around(self, saying_s: float) -> list[str]:
        """The prompt's words near a place in it; words take time by their letters."""
        letters = max(sum(map(len, self._words)), 1)
        near, at = [], 0.0
        for word in self._words:
            length = len(word) / letters * self._duration_s
            if at - _NEAR_S / 2 <= saying_s <= at + length + _NEAR_S:
                near.append(word)
            at += length
        return near


def _plain(text: str) -> list[str]:
    return "".join(letter if letter.isalpha() else " " for letter in text.lower()).split()


def _alike(one: str, other: str) -> bool:
    return one == other or (min(len(one), len(other)) >= _STEM and one[:_STEM] == other[:_STEM])


def _reached(value: float, limit: float) -> bool:
    """With half a sample of slack: media times are sums of 20 ms."""
    return value >= limit - 1e-4
