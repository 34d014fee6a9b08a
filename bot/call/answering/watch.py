"""The watch over one outbound line: from its first early sound to the first answer of whoever took it.

It reads the line beside the ear, on a stream of its own, and learns of everything else from the
call's own events. `machine` resolves when the survey has nobody to ask.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable

import structlog

from bot.call.answering.classifier import Classifier, Verdict
from bot.call.answering.evidence import LineUp, OwnWords, Words
from bot.call.answering.greeting import WAIT_S, may_speak
from bot.call.answering.hearing import Hearing
from bot.call.answering.speech_timing import STAY_PROBABILITY
from bot.call.journal import Journal
from bot.core.answer import AnswerStatus
from bot.core.audio import FRAME_S, Frame
from bot.core.errors import DiskFull, RecogniserUnavailable, StoreUnavailable
from bot.core.events import (
    Answered,
    AnswererClassified,
    AnswerRecorded,
    CallEvent,
    HandoverStarted,
    OptedOut,
    PromptStarted,
    TurnHeard,
)
from bot.core.ports import Recogniser, RecognitionStream, VoiceActivity
from telephony.leg import CallLeg

log = structlog.get_logger()

OPENING_S = 20.0
"""After the answer the watch recognises words by itself for so long; later ones come with the turns."""

SETTLED_S = 1.0
"""Behind so much silence the words before it are settled, and what follows is decoded from its next voice
on: a line is silent for most of the time that it is watched, and decoding is most of what that costs."""

_LAST_FRAMES_S = 0.5
"""How long the last sound of a line that has ended may take to be looked at."""


class AnswerWatch:
    """`observe` a line as soon as it is placed, tell it the call's events (`saw`), `close` it at the end.

    `writes` is False on an agent's line: what took that one is no fact of the survey's call.
    """

    def __init__(
        self,
        recogniser: Recogniser,
        vad: Callable[[int], VoiceActivity],
        journal: Journal,
        *,
        writes: bool = True,
    ) -> None:
        self._writes = writes
        self._recogniser = recogniser
        self._vad = vad
        self._journal = journal
        self._classifier = Classifier()
        self._hearing: Hearing | None = None
        self._voice: VoiceActivity
        self._rate = 0
        self._stream: RecognitionStream | None = None
        self._text = ""
        self._turns: list[str] = []
        self._media_s = 0.0
        self._silent_s = 0.0
        self._answered = False
        self._told: list[Answered | PromptStarted | TurnHeard] = []
        self._verdicts: list[Verdict] = []
        self._settled = False
        self._over = False
        self._leg: CallLeg | None = None
        self._task: asyncio.Task[None] | None = None
        self._moved = asyncio.Event()
        self._beep_at: float | None = None
        self.beeped = asyncio.Event()
        """Set by every new beep after a greeting; whoever waits for one clears it first."""
        self.machine: asyncio.Future[Verdict] = asyncio.get_running_loop().create_future()

    @property
    def verdict(self) -> Verdict | None:
        """The newest one."""
        return self._classifier.verdict

    @property
    def over(self) -> bool:
        """The line has ended, cannot be watched any more, or there is nothing more to find out."""
        return self._over

    @property
    def beep_after_words(self) -> bool:
        """A beep is over, and nobody has spoken since."""
        bursts = self._classifier.picture.bursts
        return self._beep_at is not None and (not bursts or bursts[-1].end <= self._beep_at)

    @property
    def quiet_s(self) -> float:
        """Silence on the line until now; 0 while a tone sounds."""
        picture = self._classifier.picture
        last = picture.last_tone
        if last is not None and not last.over:
            return 0.0
        return min(picture.pause_s, picture.now - last.end) if last is not None else picture.pause_s

    def observe(self, leg: CallLeg) -> None:
        """Read the line from now on. Once."""
        self._leg = leg
        self._task = asyncio.create_task(self._read(leg.frames()))

    def saw(self, event: CallEvent) -> None:
        """One of the call's events, as it is written."""
        match event:
            case Answered() | PromptStarted() | TurnHeard():
                self._told.append(event)
            case AnswerRecorded() if event.answer.status is AnswerStatus.ANSWERED:
                self._settled = True  # machines do not answer surveys
            case HandoverStarted() | OptedOut():
                self._settled = True
            case _:
                pass

    async def turn_to_speak(self) -> None:
        """Returns when the first «алло» is over, or after `WAIT_S`."""
        try:
            # Twice: an «алло» may begin at the very end of the wait. A line without frames waits no longer.
            async with asyncio.timeout(2 * WAIT_S):
                while not self._over and not (self._answered and may_speak(self._classifier.picture)):
                    await self.next_frame()
        except TimeoutError:
            log.warning("line gave no sound to wait for", call_id=self._journal.call_id)

    async def next_frame(self) -> None:
        """Waits for the line to move on, by a frame or to its end."""
        if self._over:
            return
        self._moved.clear()
        await self._moved.wait()

    async def close(self) -> Verdict | None:
        """Stop, and write no more; the last verdict."""
        task, self._task = self._task, None
        if task is not None:
            if self._leg is not None and self._leg.ended.done():
                await asyncio.wait({task}, timeout=_LAST_FRAMES_S)
            task.cancel()
            await asyncio.wait({task})
        return self.verdict

    async def _read(self, frames: AsyncIterator[Frame]) -> None:
        try:
            async for frame in frames:
                await self._take(frame)
                self._moved.set()
                if self._is_person:
                    break  # there is nothing more to find out
        except (DiskFull, StoreUnavailable) as error:
            log.error("answerer not watched any more", call_id=self._journal.call_id, reason=error.message)
        except Exception:
            # Whatever is wrong with the watch, the call is taken for what it would be without one.
            log.exception("answerer not watched any more", call_id=self._journal.call_id)
        finally:
            self._over = True
            self._moved.set()
            self._close_stream()

    async def _take(self, frame: Frame) -> None:
        if self._hearing is None or frame.rate != self._rate:
            self._rate = frame.rate
            self._hearing = Hearing(frame.rate)
            self._voice = self._vad(frame.rate)
            self._close_stream()
        self._media_s = frame.at + FRAME_S
        for event in self._told:
            self._learn(event, frame.at)
        self._told.clear()
        if self._is_person:
            return
        probability = await self._voice.probability(frame)
        self._judged(self._classifier.push(self._hearing.hear(frame, probability)))
        await self._recognise(frame, probability)
        self._notice_beep()
        await self._write()

    def _learn(self, event: Answered | PromptStarted | TurnHeard, at: float) -> None:
        match event:
            case Answered():
                self._answered = True
                self._close_stream()
                self._classifier.push(LineUp(at))
            case PromptStarted(text=text):
                self._classifier.push(OwnWords(at, text))
            case TurnHeard(text=text) if self._stream is None and text:
                self._turns.append(text)
                self._judged(self._classifier.push(Words(at, self._words)))

    @property
    def _is_person(self) -> bool:
        return self._settled and not self.machine.done()

    @property
    def _words(self) -> str:
        return " ".join(filter(None, (self._text, *self._turns)))

    async def _recognise(self, frame: Frame, probability: float) -> None:
        opening = self._media_s - self._classifier.picture.since <= OPENING_S
        if not opening or self.machine.done():
            self._close_stream()
            return
        if self._stream is None:
            self._text = ""
            self._stream = self._recogniser.open(frame.rate, None)
        before_s = self._silent_s
        self._silent_s = 0.0 if probability >= STAY_PROBABILITY else before_s + FRAME_S
        try:
            text = await self._stream.feed(frame, probability)
            if before_s < SETTLED_S <= self._silent_s:
                text = await self._stream.settle()
        except RecogniserUnavailable as error:
            log.warning("no words of the answerer", call_id=self._journal.call_id, reason=error.message)
            self._close_stream()
            return
        if text != self._text:
            self._text = text
            self._judged(self._classifier.push(Words(self._media_s, self._words)))

    def _close_stream(self) -> None:
        stream, self._stream = self._stream, None
        if stream is not None:
            stream.close()

    def _notice_beep(self) -> None:
        beep = self._classifier.beep
        if beep is not None and beep.end != self._beep_at:
            self._beep_at = beep.end
            self.beeped.set()

    def _judged(self, verdict: Verdict | None) -> None:
        if verdict is not None:
            self._verdicts.append(verdict)

    async def _write(self) -> None:
        """Durable first: what is acted on is written down."""
        while self._verdicts:
            verdict = self._verdicts.pop(0)
            if self._writes:
                await self._journal.write(
                    AnswererClassified,
                    media_s=verdict.at,
                    answerer=verdict.answerer,
                    reasons=verdict.reasons,
                    revised=verdict.revised,
                    early=verdict.early,
                )
            machine = self._answered and verdict.answerer.is_machine and not self._settled
            if machine and not self.machine.done():
                self.machine.set_result(verdict)
