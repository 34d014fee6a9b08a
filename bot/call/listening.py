"""The bot's ear on one line: speech and keys become one turn of the caller.

One task reads the line's frames for as long as the script lasts, so media time, the voice
activity's memory and the recording never stop, whether or not somebody is being listened to.
"""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from typing import Protocol

import structlog

from bot.call.keys import KeyPad
from bot.call.settings import CallSettings
from bot.core.audio import FRAME_S, Frame
from bot.core.context import TurnSource, Word
from bot.core.directives import Expectation, OpenExpected
from bot.core.errors import RecogniserUnavailable
from bot.core.ports import Recogniser, RecognitionStream, Transcript, VoiceActivity
from bot.speech.endpointing import Endpointer, NoInput, SpeechEnded, SpeechStarted, TurnOver
from bot.speech.settings import EndpointingSettings
from telephony.leg import CallLeg

log = structlog.get_logger()

UNHEARD_S = 5.0
"""As long as a slow dialogue or disk may keep a caller without a listener: he speaks all the same."""


Sounding = tuple[Frame, float]
"""A frame and the probability that it is speech."""


class CallerTape(Protocol):
    """Where the caller's side of a recording goes."""

    def write_caller(self, frame: Frame) -> None: ...


@dataclass(frozen=True, slots=True)
class Heard:
    """One turn of the caller. Times in seconds of media time.

    `decided_s` is when the turn was known to be over, `ended_s` the last voiced sound (or key)
    before it.
    """

    source: TurnSource
    decided_s: float
    text: str = ""
    words: tuple[Word, ...] = ()
    digits: str = ""
    unknown_share: float = 0.0
    started_s: float | None = None
    ended_s: float | None = None


class Ear:
    """Listens on one leg. `attend` starts it and `rest` stops it, as often as need be.

    `on_frame` gets every frame of the line as it comes, and None when there will be no more, for whoever
    listens beside a turn; `on_sounding` gets every one for as long as the line is attended; `on_words` what
    was said of a turn, and the media time at which it began, whenever it may be over with that. `partial`
    is what was recognised so far of the turn that is being heard.

    What comes while nobody listens is kept for whoever does next (`unheard`): people go on while their
    answer is being taken, and speak while a filler plays.
    """

    def __init__(
        self,
        leg: CallLeg,
        recogniser: Recogniser,
        vad: VoiceActivity,
        settings: CallSettings,
        tape: CallerTape,
        endpointing: EndpointingSettings | None = None,
    ) -> None:
        self._leg = leg
        self._recogniser = recogniser
        self._vad = vad
        self._settings = settings
        self._tape = tape
        self._endpointing = endpointing
        self._tasks: list[asyncio.Task[None]] = []
        self._turn: asyncio.Queue[Sounding | None] | None = None
        self._pad: KeyPad | None = None
        self._pressed = asyncio.Event()
        self._over = False
        self._failure: Exception | None = None
        self.media_s = 0.0
        self.on_frame: Callable[[Sounding | None], None] | None = None
        self.on_sounding: Callable[[Sounding], None] | None = None
        self.on_words: Callable[[str, float], None] | None = None
        self.partial = ""
        self._telling_since: float | None = None
        self._unheard: deque[Sounding] = deque(maxlen=round(UNHEARD_S / FRAME_S))
        self._answered: Expectation | None = None
        self._adds_until = 0.0

    # The line --------------------------------------------------------------------------------

    def attend(self) -> None:
        """Start to read the line."""
        if not self._tasks:
            self._tasks = [
                asyncio.create_task(self._read_frames()),
                asyncio.create_task(self._read_keys()),
            ]

    async def rest(self) -> None:
        """Let go of the line, so that somebody else (a bridge) may read it."""
        tasks, self._tasks = self._tasks, []
        for task in tasks:
            task.cancel()
        if tasks:
            await asyncio.wait(tasks)

    async def _read_frames(self) -> None:
        try:
            async for frame in self._leg.frames():
                self.media_s = frame.at + FRAME_S
                self._tape.write_caller(frame)
                probability = await self._vad.probability(frame)
                self._pass_on((frame, probability))
            self._over = True
        except Exception as error:
            # Kept for `hear`: a line that we cannot hear any more is not a line that has ended.
            log.exception("line not heard any more", leg=self._leg.id)
            self._failure = error
        finally:
            self._pass_on(None)

    def _pass_on(self, sounding: Sounding | None) -> None:
        if self._turn is not None:
            self._turn.put_nowait(sounding)
        if self.on_frame is not None:
            self.on_frame(sounding)
        elif self._turn is None and sounding is not None:
            self._unheard.append(sounding)
        if self.on_sounding is not None and sounding is not None:
            self.on_sounding(sounding)

    def took_turn(self, expectation: Expectation, adds_until: float) -> None:
        """The last turn is the caller's answer to this. A turn that begins by media time `adds_until` may
        still be about it."""
        self._answered, self._adds_until = expectation, adds_until

    def unheard(self) -> list[Sounding]:
        """What came since somebody listened last, once."""
        kept = list(self._unheard)
        self._unheard.clear()
        return kept

    def give_back(self, soundings: Iterable[Sounding]) -> None:
        """Keep these for whoever listens next: they were looked at, and not understood."""
        self._unheard.extend(soundings)

    @property
    def listening(self) -> bool:
        """Whether a turn of the caller is being heard."""
        return self._turn is not None

    @property
    def telling_s(self) -> float:
        """How long the caller has been telling something, at an open question; else 0."""
        return self.media_s - self._telling_since if self._telling_since is not None else 0.0

    @property
    def keyed(self) -> bool:
        """Whether keys were pressed that nobody has taken yet."""
        return self._pad is not None and self._pad.started

    async def _read_keys(self) -> None:
        async for digit in self._leg.digits():
            if self._pad is not None:
                self._pad.press(digit.key, digit.at)
                self._pressed.set()

    # One turn --------------------------------------------------------------------------------

    def expect_keys(self, expectation: Expectation) -> asyncio.Event:
        """From here on keys count as the answer to this question; the event tells of the first.

        Called before the question is spoken: whoever knows the survey need not hear it out.
        """
        self._pad = KeyPad(expectation, self._settings.key_gap_s)
        self._pressed.clear()
        return self._pressed

    async def hear(
        self, expectation: Expectation | None, no_input_s: float, before: Iterable[Sounding] = ()
    ) -> Heard | None:
        """One turn, or None when the line ended before the caller said anything. `before` is what was
        heard of it already, while a prompt was playing.

        Raises RecogniserUnavailable.
        """
        self._must_hear()
        before = list(before)
        if self._over and not before:
            return None
        pad = self._pad or KeyPad(expectation or OpenExpected(), self._settings.key_gap_s)
        turn: asyncio.Queue[Sounding | None] = asyncio.Queue()
        for sounding in before:
            turn.put_nowait(sounding)
        if self._over:
            turn.put_nowait(None)
        begins_s = before[0][0].at if before else self.media_s
        stream = self._recogniser.open(self._leg.rate, expectation)
        endpointer = Endpointer(
            expectation,
            no_input_s=no_input_s,
            settings=self._endpointing,
            before=self._answered if begins_s <= self._adds_until else None,
        )
        self._turn = turn
        self._unheard.clear()
        self.partial = ""
        try:
            opens = isinstance(expectation, OpenExpected)
            heard = await self._follow(turn, stream, endpointer, pad, telling=opens)
            self._must_hear()
            return heard
        finally:
            if self._turn is turn:  # else somebody listens anew already
                self._turn = self._pad = self._telling_since = None
                if self.on_frame is None:  # who listens beside the turn has had them
                    self._unheard.extend(_left(turn))
            stream.close()

    def cut(self) -> None:
        """The turn that is being heard is over now: what was said until here is all of it."""
        if self._turn is not None:
            self._turn.put_nowait(None)

    @property
    def _hears_on(self) -> bool:
        """Whether more will come from the line."""
        return bool(self._tasks) and not self._over and self._failure is None

    def _must_hear(self) -> None:
        if self._failure is not None:
            raise RecogniserUnavailable("the line cannot be heard any more") from self._failure

    async def _follow(
        self,
        turn: asyncio.Queue[Sounding | None],
        stream: RecognitionStream,
        endpointer: Endpointer,
        pad: KeyPad,
        *,
        telling: bool,
    ) -> Heard | None:
        now = self.media_s
        started_s: float | None = None
        ended_s = now  # of the voice, in a pause
        speaking = False
        offered = ""
        while True:
            item = await turn.get()
            if item is None:
                # The line ended in the middle of the turn, or it was cut: what was said or keyed counts.
                said = None
                if started_s is not None and not pad.keys:
                    said = _spoken(await stream.finish(), now, started_s, now if speaking else ended_s)
                if not pad.keys:
                    return said
                if not self._hears_on:
                    return await self._keyed(pad, stream, now)
                continue  # the second of two keys may come
            frame, probability = item
            now = frame.at + FRAME_S
            if pad.started:
                if pad.complete(now):
                    return await self._keyed(pad, stream, now)
                continue
            partial = self.partial = await stream.feed(frame, probability)
            for event in endpointer.push(frame, probability, partial):
                match event:
                    case SpeechStarted(at=at):
                        started_s = at if started_s is None else started_s
                        speaking = True
                        self._telling_since = started_s if telling else None
                    case SpeechEnded(at=at):
                        ended_s, speaking = at, False
                        if endpointer.wants_words:
                            self.partial = await stream.settle()
                    case TurnOver(at=at, started_s=begun_s, ended_s=ended_s):
                        said = _spoken(await stream.finish(), at, begun_s, ended_s)
                        if not pad.keys:
                            return said
                    case NoInput(at=at) if not pad.started:
                        return Heard(TurnSource.SILENCE, at)
            if pad.keys:  # pressed while those words were decoded
                continue
            if started_s is not None and not speaking and self.partial != offered:
                offered = self.partial
                if self.on_words is not None:
                    self.on_words(offered, started_s)

    async def _keyed(self, pad: KeyPad, stream: RecognitionStream, now: float) -> Heard:
        """Keys decide a closed question; after `#` at an open one, what was said is the answer."""
        if pad.keys:
            return Heard(TurnSource.DTMF, now, digits=pad.keys, ended_s=pad.last_s)
        transcript = await stream.finish()
        if transcript.words:
            words = transcript.words
            return _spoken(transcript, now, words[0].start, words[-1].end)
        return Heard(TurnSource.SILENCE, now)


def _left(turn: asyncio.Queue[Sounding | None]) -> Iterator[Sounding]:
    """What came behind the frame that ended the turn, while its last words were decoded."""
    while not turn.empty():
        if (sounding := turn.get_nowait()) is not None:
            yield sounding


def _spoken(transcript: Transcript, decided_s: float, started_s: float, ended_s: float) -> Heard:
    return Heard(
        TurnSource.SPEECH,
        decided_s,
        text=transcript.text,
        words=transcript.words,
        unknown_share=transcript.unknown_share,
        started_s=started_s,
        ended_s=ended_s,
    )
