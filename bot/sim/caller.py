"""The scripted caller: waits for his turn as a polite person does, and says what the script holds."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Awaitable
from dataclasses import dataclass, field
from typing import Protocol

import numpy as np

from bot.core.audio import FRAME_S
from bot.sim.agents import ASKED_S
from bot.sim.g711 import Samples
from bot.sim.measure import PAUSE_S, TurnKind
from bot.sim.messages import ListeningCue, PeerSpec, PromptCue, PromptOver
from bot.sim.packets import Span
from bot.sim.rtp import RtpSession
from bot.sim.script import QUIET_S, Dtmf, Step
from bot.sim.sounds import read_clip

REACTION_S = 3.0
"""So long a caller waits for the bot to say anything after his words, before he speaks again unasked."""


@dataclass(frozen=True, slots=True)
class SpokenTurn:
    """Something the caller did, and when."""

    kind: TurnKind
    question_id: str
    what: str
    span: Span
    talked_over: bool = False


@dataclass(slots=True)
class _Asking:
    """One time that a question was put; `early_at` is when its prompt began, for who talks over it, and
    `void` says that this prompt was over before he did."""

    question_id: str
    steps: tuple[Step, ...]
    early_at: float | None = None
    void: bool = False


@dataclass(slots=True)
class Done:
    """What came of a conversation; times are those of the socket's clock."""

    turns: list[SpokenTurn] = field(default_factory=list)
    cues: list[tuple[str, float]] = field(default_factory=list)
    prompts: list[float] = field(default_factory=list)
    unanswered: list[str] = field(default_factory=list)
    asked: set[str] = field(default_factory=set)
    transferred_at: float | None = None


class Telephone(Protocol):
    """What a caller can do to the call itself."""

    async def hang_up(self) -> None: ...

    async def send_info(self, key: str) -> object: ...

    async def renegotiate(self, direction: str = "sendrecv") -> None:
        """Raises LegClosed."""

    def vanish(self) -> None: ...


class Conversation:
    """One caller on one line."""

    def __init__(self, spec: PeerSpec, rtp: RtpSession, telephone: Telephone) -> None:
        self.done = Done()
        self._spec, self._rtp, self._telephone = spec, rtp, telephone
        self._askings: asyncio.Queue[_Asking] = asyncio.Queue()
        self._times: dict[str, int] = {}
        self._talked_over: set[str] = set()
        self._early: _Asking | None = None
        self._prompt_until = float("-inf")
        self._said_until = float("-inf")
        self._transferred = asyncio.Event()

    def cue(self, cue: PromptCue | PromptOver | ListeningCue) -> None:
        """What the bot is doing, from its own events."""
        match cue:
            case PromptCue(question_id=question_id, duration_s=duration_s):
                self.done.prompts.append(time.monotonic())
                self._prompt_until = time.monotonic() + duration_s
                self._talked_over.discard(question_id)
                if question_id and self._steps(question_id, self._times.get(question_id, 0) + 1, early=True):
                    self._talked_over.add(question_id)
                    self._ask(question_id, time.monotonic())
            case PromptOver():
                self._prompt_until = time.monotonic()
                self._too_late()
            case ListeningCue(question_id=question_id):
                if question_id in self._talked_over:
                    self._talked_over.discard(question_id)
                else:
                    self._ask(question_id, None)

    def _too_late(self) -> None:
        """The prompt that he meant to talk over is over: he answers when he is listened to, or talks over
        the next one."""
        early, self._early = self._early, None
        if early is not None:
            early.void = True
            self._times[early.question_id] -= 1
            self._talked_over.discard(early.question_id)

    def transferred(self) -> None:
        """A human is on the line: the script of the questions is over. Idempotent."""
        if not self._transferred.is_set():
            self.done.transferred_at = time.monotonic()
            self._transferred.set()

    async def perform(self, steps: tuple[Step, ...]) -> None:
        """Do these things now, beside whatever else the script holds."""
        for step in steps:
            await self._do(step, _Asking("", steps))

    async def run(self) -> None:
        """Talk until cancelled, or until the script hangs up."""
        if self._spec.on_answer:
            await self._perform(_Asking("", self._spec.on_answer, early_at=time.monotonic()))
        if self._spec.when_asked:
            await self._told()
            await self.perform(self._spec.when_asked)
        if self._spec.tone_hz is not None:
            self._rtp.tone_hz = self._spec.tone_hz
        talking = asyncio.create_task(self._talk())
        waiting = asyncio.create_task(self._transferred.wait())
        try:
            await asyncio.wait((talking, waiting), return_when=asyncio.FIRST_COMPLETED)
            if talking.done():
                await talking  # it ends only by an error
            if self._spec.after_transfer is not None:
                await self._after_transfer(
                    self._spec.after_transfer.tone_hz, self._spec.after_transfer.listen_s
                )
            else:
                await asyncio.get_running_loop().create_future()
        finally:
            talking.cancel()
            waiting.cancel()

    async def _told(self) -> None:
        """Until the far end has said something and is silent for longer than within its sentences."""
        began = time.monotonic()
        while True:
            last = self._rtp.last_voiced_at
            left = last + ASKED_S - time.monotonic() if last > began else 0.1
            if left <= 0:
                return
            await asyncio.sleep(left)

    def _steps(self, question_id: str, time_put: int, *, early: bool = False) -> tuple[Step, ...] | None:
        """The script for the n-th time a question is put, falling back to the first time's."""
        answers = self._spec.answers
        steps = answers.get(f"{question_id}#{time_put}") or answers.get(question_id)
        if early and not (steps and steps[0].during_prompt):
            return None
        return steps

    def _ask(self, question_id: str, early_at: float | None) -> None:
        self._times[question_id] = self._times.get(question_id, 0) + 1
        steps = self._steps(question_id, self._times[question_id])
        self.done.asked |= {question_id, f"{question_id}#{self._times[question_id]}"}
        if steps is None:
            self.done.unanswered.append(question_id)
            steps = (Step(silence=True),)
        asking = _Asking(question_id, steps, early_at)
        if early_at is not None:
            self._early = asking
        self._askings.put_nowait(asking)

    async def _talk(self) -> None:
        while True:
            await self._perform(await self._askings.get())

    async def _perform(self, asking: _Asking) -> None:
        first = asking.steps[0]
        if asking.early_at is not None:
            await asyncio.sleep(asking.early_at + first.after_s - time.monotonic())
            if asking.void:
                return
            self._early = None
        else:
            await self._my_turn(QUIET_S if first.during_prompt else first.after_s)
            if not self._askings.empty():
                return  # the bot has moved on: an answer now would be to another question
            self.done.cues.append((asking.question_id, self._rtp.last_voiced_at))
        for step in asking.steps:
            await self._do(step, asking)

    async def _my_turn(self, after_s: float) -> None:
        """Until no prompt is under way and the line has been quiet for a polite while.

        Who has spoken and heard nothing since (his words stopped the next prompt) waits for a reaction.
        """
        while True:
            due = max(self._prompt_until, self._rtp.last_voiced_at + max(after_s, QUIET_S))
            unheard = self._rtp.last_voiced_at < self._said_until and self._askings.empty()
            if unheard:
                due = max(due, self._said_until + REACTION_S)
            left = due - time.monotonic()
            if left <= 0:
                return
            await asyncio.sleep(min(left, 0.1) if unheard else left)

    async def _do(self, step: Step, asking: _Asking) -> None:
        if step.say is not None:
            await self._sound("say", asking, step.say.name, self._rtp.say(read_clip(step.say)))
        elif step.keys is not None and self._spec.dtmf is Dtmf.INFO:
            await self._sound("keys", asking, step.keys, self._press_by_info(step.keys))
        elif step.keys is not None:
            await self._sound("keys", asking, step.keys, self._rtp.press(step.keys))
        elif step.pause_s is not None:
            await asyncio.sleep(step.pause_s)
        elif step.stop_rtp:
            self._rtp.sending = False
        elif step.hang_up:
            await self._telephone.hang_up()
        elif step.hold_s is not None:
            await self._telephone.renegotiate("sendonly")
            await asyncio.sleep(step.hold_s)
            await self._telephone.renegotiate()
        elif step.reinvite:
            await self._telephone.renegotiate()
        elif step.rebind:
            self._rtp.rebind()
        elif step.vanish:
            self._telephone.vanish()

    async def _sound(self, kind: TurnKind, asking: _Asking, what: str, sounding: Awaitable[Span]) -> None:
        voiced_just_now = time.monotonic() - self._rtp.last_voiced_at < PAUSE_S
        over_prompt = asking.early_at is not None and bool(asking.question_id)
        self._rtp.sending = True
        span = await sounding
        self._said_until = span.ended
        self.done.turns.append(
            SpokenTurn(kind, asking.question_id, what, span, voiced_just_now or over_prompt)
        )

    async def _press_by_info(self, keys: str) -> Span:
        began = time.monotonic()
        for key in keys:
            await self._telephone.send_info(key)
        return Span(began, time.monotonic())

    async def _after_transfer(self, tone_hz: float, listen_s: float) -> None:
        began = time.monotonic()
        self._rtp.sending = True
        self._rtp.tone_hz = tone_hz
        await self._exchanged(listen_s)
        self.done.turns.append(SpokenTurn("tone", "", f"{tone_hz:g} Hz", Span(began, time.monotonic())))
        await self._telephone.hang_up()

    async def _exchanged(self, seconds: float) -> None:
        """Until so much sound went and so much came: on a machine that is held up the clock says less.

        A far end that sends nothing is given up after twice the time.
        """
        sent, received = len(self._rtp.sent), len(self._rtp.received)
        patience = time.monotonic() + 2 * seconds
        while True:
            packets = min(len(self._rtp.sent) - sent, len(self._rtp.received) - received)
            left = min(seconds - packets * FRAME_S, patience - time.monotonic())
            if left <= 0:
                return
            await asyncio.sleep(left)


def received_since(rtp: RtpSession, since: float) -> Samples:
    """What arrived from a moment on, end to end as it came."""
    parts = [packet.samples for packet in rtp.received if packet.at >= since]
    return np.concatenate(parts) if parts else np.zeros(0, np.int16)
