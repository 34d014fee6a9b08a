"""The sockets that rooms plug into: what a call needs, without saying who provides it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Protocol

from bot.core.audio import Frame, Pcm
from bot.core.context import CallContext, UserTurn, Word
from bot.core.directives import Expectation, TurnReply, Understood
from bot.core.events import CallEvent


@dataclass(frozen=True, slots=True)
class Transcript:
    """Recognised words: raw lower case, ё kept, no punctuation; `[unk]` where a word is unknown."""

    text: str
    words: tuple[Word, ...]

    @property
    def unknown_share(self) -> float:
        """Share of words that the recogniser does not know, 0..1; 0 where there are no words."""
        if not self.words:
            return 0.0
        return sum(word.text == "[unk]" for word in self.words) / len(self.words)


class RecognitionStream(Protocol):
    """One turn's recognition. Word times are media times of the frames that were fed."""

    async def feed(self, frame: Frame, voice: float = 1.0) -> str:
        """Decode one frame off the event loop; the partial text so far ("" while there is none). `voice` is
        the probability that it is speech: before the first one there is nothing to decode, and a word
        counts only where there is one."""

    async def settle(self) -> str:
        """Decide at once on all that was fed, and go on; the text so far, with no word still to come."""

    async def finish(self) -> Transcript:
        """Force the final result. The stream is of no further use."""

    def close(self) -> None:
        """Give it up without a result."""


class Recogniser(Protocol):
    """A speech model that is loaded and warm."""

    @property
    def vocabulary(self) -> frozenset[str]:
        """The words that can be recognised; empty where the model does not tell."""

    def open(self, rate: int, expectation: Expectation | None) -> RecognitionStream: ...


class VoiceActivity(Protocol):
    """Speech or not, for one line."""

    async def probability(self, frame: Frame) -> float:
        """Probability 0..1 that the sound up to the end of this frame is speech. Frames in their order;
        whoever listens to the same line as well is told the same."""


class Synthesiser(Protocol):
    """Text to sound. Only ever called ahead of need: nobody waits for it."""

    @property
    def name(self) -> str:
        """Engine and version, part of every cache key."""

    async def speak(self, text: str, *, voice: str, language: str, rate: int) -> Pcm:
        """Raises SynthesiserUnavailable."""


class Prompts(Protocol):
    """Prompts that are ready to be played, on disk, keyed by text, voice, language, engine and rate."""

    async def prepare(self, texts: tuple[str, ...], *, voice: str, language: str, rate: int) -> None:
        """Synthesise what is missing. Raises SynthesiserUnavailable, DiskFull."""

    async def get(self, text: str, *, voice: str, language: str, rate: int) -> Pcm:
        """The sound of a text; synthesised on the spot (and logged as a miss) if it is not there."""


class Dialogue(Protocol):
    """Rasa, as one call sees it. One request in flight a call; each raises DialogueUnavailable."""

    async def start(self, context: CallContext) -> TurnReply: ...

    async def turn(self, call_id: str, turn: UserTurn) -> TurnReply: ...

    async def parse(self, text: str) -> Understood | None:
        """What the NLU makes of words that are no turn (yet). Changes nothing; any number at once."""


class EventSink(Protocol):
    """Where a call's events go."""

    async def commit(self, event: CallEvent) -> None:
        """Returns when the event is durable. Raises DiskFull."""
