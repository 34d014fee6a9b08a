"""A line without a network, for tests of whatever talks over a line.

The test is the far end. It speaks, presses keys and hangs up by calling methods; what the code
under test plays is in `played`. The leg runs on the event loop's clock through the same pacer,
streams and play queue as a real line, so on a `VirtualTimeLoop` (telephony/virtual_time.py) a call
of minutes takes milliseconds, and on an ordinary loop it runs in real time.

    def test_greets() -> None:
        async def call() -> None:
            leg = ScriptedLeg()                        # an inbound call that is ringing
            session = asyncio.create_task(run_session(leg))
            await leg.wait_played(1)                   # the code has answered and played its greeting
            leg.say(recording)                         # the caller speaks: recording is a Pcm
            await leg.said()                           # ... to the end of it
            leg.press("9")
            leg.remote_hang_up()
            await session
            at, pcm = leg.played[0]                    # media time in seconds, and what was heard
        run(call())                                    # telephony.virtual_time.run

An outbound leg is up at once unless `answered=False`; then `remote_answer()` or
`remote_refuse(EndCause(EndKind.BUSY, 486))` decides what becomes of it.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Mapping
from dataclasses import dataclass
from typing import Literal

import numpy as np

from bot.core.audio import FRAME_S, Frame, Pcm, frame_bytes
from bot.core.endings import EndCause, EndKind
from bot.core.errors import DialFailed, LegClosed, TransferFailed
from bot.core.ids import new_id
from telephony.echo import EchoControl
from telephony.leg import CallLeg, Digit, LegStats, Playback, RejectReason, TransferOutcome
from telephony.pacer import Pacer
from telephony.playout import PlayQueue, Sound
from telephony.streams import Broadcast, Stream

_FRAMES_KEPT = 100  # 2 s, as the port says
_DIGITS_KEPT = 256


@dataclass(frozen=True, slots=True)
class EchoPath:
    """How the far end returns what it hears: `loss_db` softer, and `delay_s` later."""

    loss_db: float
    delay_s: float


class ScriptedLeg:
    """Satisfies `CallLeg`. `pacer` may be shared by several legs of one test."""

    def __init__(
        self,
        *,
        direction: Literal["inbound", "outbound"] = "inbound",
        rate: int = 8000,
        codec: str = "PCMA",
        remote: str = "sip:+74950000001@test.invalid",
        local: str = "sip:otklik@test.invalid",
        headers: Mapping[str, str] | None = None,
        answered: bool | None = None,
        pacer: Pacer | None = None,
    ) -> None:
        self.id = new_id("leg")
        self.direction: Literal["inbound", "outbound"] = direction
        self.rate = rate
        self.codec = codec
        self.remote = remote
        self.local = local
        self.headers: Mapping[str, str] = headers or {}
        loop = asyncio.get_running_loop()
        self.ended: asyncio.Future[EndCause] = loop.create_future()

        self.played: list[tuple[float, Pcm]] = []
        """What the far end heard: media time of the beginning, and the sound as far as it was played.
        The last entry grows while it plays; a sound that is stopped keeps what was heard of it, and one
        that was paused what it repeated."""
        self.heard = bytearray()
        """All that the far end heard (relayed frames apart) from media time 0 on, silence included."""
        self.relayed: list[Frame] = []
        """Frames that a bridge passed on to this line."""
        self.sent_digits: list[tuple[float, str]] = []
        """Keys that the code under test pressed: media time and key."""
        self.transfers: list[str] = []
        """Targets of `transfer`, in order."""
        self.transfer_result: TransferOutcome | TransferFailed = TransferOutcome.DONE
        """What the far end makes of a transfer; set it before. DONE and UNKNOWN end the line."""
        self.attended: list[CallLeg] = []
        """Lines whose parties were given to ours by `transfer_to`, in order."""
        self.attended_result: TransferOutcome | TransferFailed = TransferOutcome.DONE
        """What comes of `transfer_to`; set it before. DONE ends both lines, UNKNOWN this one."""
        self.rtp = True
        """Set to False and the far end sends nothing any more: frames are concealed silence."""

        self.echo: EchoPath | None = None
        """Set it, and our own sound comes back in what the far end sends; the line's echo control works on
        it as on a real line."""

        self._pacer = pacer or Pacer()
        self._frames: Broadcast[Frame] = Broadcast(_FRAMES_KEPT)
        self._digits: Broadcast[Digit] = Broadcast(_DIGITS_KEPT)
        # What is pulled is heard: there is nothing to flush, and the next tick pulls.
        self._queue = PlayQueue(rate, lambda: 0, lambda: None)
        self._echo_control = EchoControl(rate)
        self._speech = bytearray()
        self._silent = asyncio.Event()
        self._silent.set()
        self._changed = asyncio.Event()
        self._starts: dict[Sound, int] = {}
        self._ticks = 0
        self._concealed = 0
        self._up: asyncio.Future[None] = loop.create_future()
        if answered if answered is not None else direction == "outbound":
            self._establish()

    # -- the far end, driven by the test ---------------------------------------------------------

    @property
    def media_s(self) -> float:
        """Media time in seconds: the end of the newest frame."""
        return self._ticks * FRAME_S

    def say(self, pcm: Pcm) -> None:
        """The far end speaks, from the next frame on, after what it is still saying."""
        if pcm.rate != self.rate:
            raise ValueError(f"this line runs at {self.rate} samples a second, not {pcm.rate}")
        self._speech += pcm.data + bytes(-len(pcm.data) % frame_bytes(self.rate))
        if self._speech:
            self._silent.clear()

    async def said(self) -> None:
        """Waits until everything given to `say` has been spoken, or the line has ended."""
        await self._silent.wait()

    def press(self, keys: str) -> None:
        """The far end presses keys, now."""
        for key in keys:
            self._digits.publish(Digit(key, self.media_s))

    def remote_early_media(self) -> None:
        """Sound comes before an outbound call is answered: `say` is heard from here on."""
        if not self.ended.done():
            self._pacer.add(self)

    def remote_answer(self) -> None:
        """The far end picks up an outbound call."""
        self._establish()

    def remote_refuse(self, cause: EndCause) -> None:
        """The far end (or the trunk) ends an outbound call before its answer."""
        self._end(cause)

    def remote_hang_up(self) -> None:
        """BYE from the far end, or CANCEL where the call was not up yet."""
        up = self._up.done()
        self._end(EndCause(EndKind.REMOTE_HANGUP if up else EndKind.CANCELLED, text="scripted"))

    def fail(self, cause: EndCause) -> None:
        """The line ends in any other way."""
        self._end(cause)

    async def wait_played(self, count: int) -> None:
        """Waits until `count` sounds have been played or stopped. Raises LegClosed if the line ends first."""
        while len(self.played) < count or not self._settled(count):
            if self.ended.done():
                raise LegClosed(f"the line ended with {len(self.played)} of {count} sounds played")
            self._changed.clear()
            await self._changed.wait()

    def _settled(self, count: int) -> bool:
        return len(self.played) - len([s for s in self._starts if not s.finished]) >= count

    # -- CallLeg ---------------------------------------------------------------------------------

    async def answer(self) -> None:
        self._must_be_open()
        self._establish()

    async def reject(self, reason: RejectReason) -> None:
        self._end(EndCause(EndKind.REJECTED, 486, reason.value))

    async def established(self, timeout_s: float) -> None:
        waiting: set[asyncio.Future[None] | asyncio.Future[EndCause]] = {self._up, self.ended}
        await asyncio.wait(waiting, timeout=timeout_s, return_when=asyncio.FIRST_COMPLETED)
        if self._up.done():
            return
        if not self.ended.done():
            self._end(EndCause(EndKind.NO_ANSWER))
        cause = self.ended.result()
        raise DialFailed(f"the call was not established: {cause.kind}", cause=cause)

    def frames(self) -> Stream[Frame]:
        return self._frames.subscribe()

    def play(self, pcm: Pcm) -> Playback:
        self._must_be_open()
        sound = self._queue.add(pcm)
        sound.on_finish(self._changed.set)
        return sound

    def write_frame(self, frame: Frame) -> None:
        if not self.ended.done() and not self._queue:
            self.relayed.append(frame)

    def digits(self) -> AsyncIterator[Digit]:
        return self._digits.subscribe()

    async def send_digits(self, keys: str) -> None:
        self._must_be_open()
        self.sent_digits += [(self.media_s, key) for key in keys]

    async def transfer(self, target: str, timeout_s: float) -> TransferOutcome:
        self._must_be_open()
        self.transfers.append(target)
        if isinstance(self.transfer_result, TransferFailed):
            raise self.transfer_result
        done = self.transfer_result is TransferOutcome.DONE
        self._end(EndCause(EndKind.TRANSFERRED if done else EndKind.TRANSFER_UNKNOWN))
        return self.transfer_result

    async def transfer_to(self, other: CallLeg, timeout_s: float) -> TransferOutcome:
        self._must_be_open()
        if not isinstance(other, ScriptedLeg) or other.ended.done():
            raise TransferFailed(f"{other.remote} cannot be given to {self.remote}: not in a call of ours")
        self.attended.append(other)
        if isinstance(self.attended_result, TransferFailed):
            raise self.attended_result
        if self.attended_result is TransferOutcome.DONE:
            other._end(EndCause(EndKind.TRANSFERRED))
            self._end(EndCause(EndKind.TRANSFERRED))
        else:
            self._end(EndCause(EndKind.TRANSFER_UNKNOWN))
        return self.attended_result

    async def hang_up(self) -> None:
        up = self._up.done()
        if not up and self.direction == "inbound":
            self._end(EndCause(EndKind.REJECTED, 486))
        else:
            self._end(EndCause(EndKind.LOCAL_HANGUP if up else EndKind.CANCELLED))

    def stats(self) -> LegStats:
        return LegStats(
            packets_sent=self._ticks,
            packets_received=self._ticks - self._concealed,
            concealed_frames=self._concealed,
        )

    # -- time ------------------------------------------------------------------------------------

    def tick(self, count: int) -> None:
        """Called by the pacer: `count` frames of time have passed."""
        for _ in range(count):
            played = self._play_out()
            frame = self._next_frame()
            if self.echo is not None:
                frame = self._echo_control.process(self._echoed(frame, self.echo), played)
            self._frames.publish(frame)
            self._ticks += 1

    def _next_frame(self) -> Frame:
        size = frame_bytes(self.rate)
        if not self.rtp:
            self._concealed += 1
            return Frame(bytes(size), self.rate, self.media_s, concealed=True)
        data = bytes(self._speech[:size]) or bytes(size)
        del self._speech[:size]
        if not self._speech:
            self._silent.set()
        return Frame(data, self.rate, self.media_s)

    def _echoed(self, frame: Frame, path: EchoPath) -> Frame:
        """The frame with what comes back of the sound that the far end heard `delay_s` ago."""
        if frame.concealed:
            return frame
        size = len(frame.data)
        end = len(self.heard) - 2 * round(path.delay_s * self.rate)
        back = bytes(self.heard[max(0, end - size) : max(0, end)]).rjust(size, b"\0")
        sound = np.frombuffer(back, "<i2") * 10 ** (-path.loss_db / 20) + np.frombuffer(frame.data, "<i2")
        data = np.clip(np.rint(sound), -32768, 32767).astype("<i2").tobytes()
        return Frame(data, frame.rate, frame.at)

    def _play_out(self) -> bytes:
        played = self._next_played().ljust(frame_bytes(self.rate), b"\0")
        self.heard += played
        return played

    def _next_played(self) -> bytes:
        sound = self._queue.playing
        if sound is None or sound.paused:
            return b""
        if sound not in self._starts:
            self._starts[sound] = len(self.played)
            self.played.append((self.media_s, Pcm(b"", self.rate)))
        before = sound.sent
        data = self._queue.pull(frame_bytes(self.rate))
        index = self._starts[sound]
        at, heard = self.played[index]
        self.played[index] = (at, Pcm(heard.data + data[: sound.length - before], self.rate))
        self._queue.settle(0)
        return data

    def _establish(self) -> None:
        if not self._up.done() and not self.ended.done():
            self._up.set_result(None)
            self._pacer.add(self)

    def _end(self, cause: EndCause) -> None:
        if self.ended.done():
            return
        self._pacer.remove(self)
        self.ended.set_result(cause)
        self._queue.close()
        self._frames.close()
        self._digits.close()
        self._speech.clear()
        self._silent.set()
        self._changed.set()

    def _must_be_open(self) -> None:
        if self.ended.done():
            raise LegClosed(f"the line has ended: {self.ended.result().kind}")
