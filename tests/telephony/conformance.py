"""What every `CallLeg` does, whatever carries it. A line's tests subclass `CallLegConformance` and give
it a `line`: a leg that is up, and the far end of it to speak, listen, press keys and hang up with."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass
from itertools import pairwise
from typing import Protocol

import pytest

from bot.core.audio import Frame, Pcm, silence
from bot.core.endings import EndKind
from bot.core.errors import LegClosed
from telephony.leg import CallLeg
from telephony.tones import goertzel_dbfs, level_dbfs, tone


class FarEnd(Protocol):
    def say(self, pcm: Pcm) -> None:
        """Speak (8 kHz), from now on."""

    def mute(self) -> None:
        """Send no more RTP."""

    def press(self, key: str) -> None: ...

    def hang_up(self) -> None: ...

    def listen(self) -> None:
        """Forget what was heard so far."""

    def heard(self) -> Pcm:
        """What was heard since `listen`."""

    def keys(self) -> list[str]: ...


@dataclass
class Line:
    leg: CallLeg
    far: FarEnd


async def collect(leg: CallLeg, count: int) -> list[Frame]:
    frames = leg.frames()
    async with asyncio.timeout(count * 0.02 + 2):
        return [await anext(frames) for _ in range(count)]


def joined(frames: list[Frame]) -> Pcm:
    return Pcm(b"".join(frame.data for frame in frames), frames[0].rate)


def best_dbfs(pcm: Pcm, hz: float) -> float:
    """The loudest 200 ms of a tone. For what passes through other processes on a busy machine: a gap
    there (that a packet came late is no fault of the line) must not blur whether the tone is right."""
    size = 2 * pcm.rate // 5
    windows = range(0, max(1, len(pcm.data) - size + 1), size // 4)
    return max(goertzel_dbfs(Pcm(pcm.data[at : at + size], pcm.rate), hz) for at in windows)


class CallLegConformance:
    async def test_it_says_what_it_is(self, line: Line) -> None:
        leg = line.leg
        assert leg.id
        assert leg.direction in ("inbound", "outbound")
        assert leg.remote.startswith(("sip:", "webrtc:"))
        assert leg.local.startswith(("sip:", "webrtc:"))
        assert leg.rate in (8000, 16000)
        assert leg.codec in ("PCMA", "PCMU", "G722", "opus")
        assert not leg.ended.done()
        await leg.established(1.0)  # long since

    async def test_a_frame_comes_every_20_ms_with_rising_media_time(self, line: Line) -> None:
        loop = asyncio.get_running_loop()
        began = loop.time()
        frames = await collect(line.leg, 50)
        assert loop.time() - began == pytest.approx(1.0, abs=0.25)
        for earlier, later in pairwise(frames):
            assert later.at - earlier.at == pytest.approx(0.02)
        assert {len(frame.data) for frame in frames} == {line.leg.rate // 50 * 2}
        assert {frame.rate for frame in frames} == {line.leg.rate}

    async def test_a_far_end_that_sends_nothing_gives_concealed_frames_at_the_same_pace(
        self, line: Line
    ) -> None:
        line.far.mute()
        await collect(line.leg, 15)  # what was under way
        loop = asyncio.get_running_loop()
        began, concealed = loop.time(), line.leg.stats().concealed_frames
        frames = await collect(line.leg, 50)
        assert loop.time() - began == pytest.approx(1.0, abs=0.25)
        assert all(frame.concealed and not any(frame.data) for frame in frames)
        assert line.leg.stats().concealed_frames - concealed == pytest.approx(50, abs=2)

    async def test_we_hear_the_far_end(self, line: Line) -> None:
        line.far.say(tone(0.8, 8000, hz=700))
        heard = joined(await collect(line.leg, 40))
        assert best_dbfs(heard, 700) == pytest.approx(-12, abs=1.5)

    async def test_everyone_who_listens_gets_all_frames(self, line: Line) -> None:
        first, second = await asyncio.gather(collect(line.leg, 20), collect(line.leg, 20))
        assert first == second

    async def test_the_far_end_hears_what_we_play_to_its_end(self, line: Line) -> None:
        line.far.listen()
        assert await line.leg.play(tone(0.6, line.leg.rate, hz=1000)).done() == pytest.approx(0.6)
        await asyncio.sleep(0.1)
        heard = line.far.heard()
        # 0.6 s of a sine at -12 dBFS and not a packet less: the energy says so.
        energy_s = heard.seconds * 10 ** ((level_dbfs(heard) + 15.05) / 10)
        assert energy_s == pytest.approx(0.6, abs=0.05)
        assert goertzel_dbfs(heard, 1000) > -20

    async def test_sounds_play_one_after_another(self, line: Line) -> None:
        line.far.listen()
        leg = line.leg
        first, second = leg.play(tone(0.3, leg.rate, hz=500)), leg.play(tone(0.3, leg.rate, hz=1500))
        assert await first.done() == pytest.approx(0.3)
        assert await second.done() == pytest.approx(0.3)
        await asyncio.sleep(0.1)
        heard = line.far.heard()
        assert goertzel_dbfs(heard, 500) > -26
        assert goertzel_dbfs(heard, 1500) > -26

    async def test_stop_silences_the_line_and_what_follows_is_heard_whole(self, line: Line) -> None:
        leg = line.leg
        long = leg.play(tone(5.0, leg.rate, hz=500))
        await asyncio.sleep(0.4)
        assert await long.stop() == pytest.approx(0.4, abs=0.08)
        line.far.listen()
        assert await leg.play(tone(0.4, leg.rate, hz=1500)).done() == pytest.approx(0.4)
        await asyncio.sleep(0.1)
        heard = line.far.heard()
        energy_s = heard.seconds * 10 ** ((goertzel_dbfs(heard, 1500) + 12) / 20)
        assert energy_s == pytest.approx(0.4, abs=0.03)
        assert goertzel_dbfs(heard, 500) < -25  # two packets of it at most

    async def test_a_pause_is_heard_as_silence_and_keeps_the_place(self, line: Line) -> None:
        leg = line.leg
        line.far.listen()
        size = round(0.5 * leg.rate) * 2
        halves = tone(0.5, leg.rate, hz=500).data[:size] + tone(0.5, leg.rate, hz=1500).data[:size]
        sound, behind = leg.play(Pcm(halves, leg.rate)), leg.play(tone(0.2, leg.rate, hz=2500))
        await asyncio.sleep(0.3)
        heard_s = await sound.pause()
        assert heard_s == pytest.approx(0.3, abs=0.08)
        assert await sound.pause() == heard_s
        await asyncio.sleep(0.1)  # what was on its way
        before = line.far.heard()
        assert goertzel_dbfs(before, 1500) < -35
        line.far.listen()
        await asyncio.sleep(0.3)
        assert level_dbfs(line.far.heard()) < -50, "neither the sound nor what is behind it goes on"
        line.far.listen()
        assert heard_s - 0.15 <= sound.resume() <= heard_s
        assert await sound.done() == pytest.approx(1.0)
        assert await behind.done() == pytest.approx(0.2)
        await asyncio.sleep(0.1)
        after = line.far.heard()
        # 0.2 s that were left of the first half, at most 0.15 s again, and the second half whole.
        energy_s = after.seconds * 10 ** ((goertzel_dbfs(after, 500) + 12) / 20)
        assert 0.15 < energy_s < 0.45
        assert after.seconds * 10 ** ((goertzel_dbfs(after, 1500) + 12) / 20) == pytest.approx(0.5, abs=0.05)

    async def test_a_paused_sound_can_be_stopped(self, line: Line) -> None:
        leg = line.leg
        sound, behind = leg.play(tone(2.0, leg.rate, hz=500)), leg.play(tone(0.3, leg.rate, hz=1500))
        await asyncio.sleep(0.3)
        heard_s = await sound.pause()
        await asyncio.sleep(0.2)
        line.far.listen()
        assert await sound.stop() == heard_s
        assert await behind.done() == pytest.approx(0.3)
        sound.resume()  # it is over: nothing
        await asyncio.sleep(0.2)
        heard = line.far.heard()
        assert goertzel_dbfs(heard, 500) < -40
        assert goertzel_dbfs(heard, 1500) > -22

    async def test_a_stopped_sound_that_never_began_was_not_heard(self, line: Line) -> None:
        leg = line.leg
        line.far.listen()
        first, second = leg.play(tone(0.4, leg.rate, hz=500)), leg.play(tone(0.4, leg.rate, hz=1500))
        assert await second.stop() == 0.0
        assert await first.done() == pytest.approx(0.4)
        await asyncio.sleep(0.3)
        assert goertzel_dbfs(line.far.heard(), 1500) < -35

    async def test_keys_arrive_in_order(self, line: Line) -> None:
        keys = line.leg.digits()
        line.far.press("9")
        first = await asyncio.wait_for(anext(keys), 2)
        line.far.press("#")
        second = await asyncio.wait_for(anext(keys), 2)
        assert (first.key, second.key) == ("9", "#")
        assert 0 <= first.at <= second.at

    async def test_keys_reach_the_far_end(self, line: Line) -> None:
        await line.leg.send_digits("5*")
        await asyncio.sleep(0.15)
        assert line.far.keys() == ["5", "*"]

    async def test_relayed_frames_are_heard(self, line: Line) -> None:
        leg = line.leg
        line.far.listen()
        sound = tone(0.6, leg.rate, hz=1200)
        size = leg.rate // 50 * 2
        pace = leg.frames()
        for at in range(0, len(sound.data), size):
            await anext(pace)
            leg.write_frame(Frame(sound.data[at : at + size], leg.rate, 0.0))
        await asyncio.sleep(0.15)
        heard = line.far.heard()
        assert best_dbfs(heard, 1200) == pytest.approx(-12, abs=1.5)

    async def test_the_far_end_hangs_up(self, line: Line) -> None:
        leg = line.leg
        frames, keys = leg.frames(), leg.digits()
        playing, waiting = leg.play(silence(60, leg.rate)), leg.play(silence(1, leg.rate))
        await asyncio.sleep(0.2)
        line.far.hang_up()
        cause = await asyncio.wait_for(asyncio.shield(leg.ended), 3)
        assert cause.kind is EndKind.REMOTE_HANGUP
        assert 0 < await playing.done() < 5
        assert await waiting.done() == 0.0
        async with asyncio.timeout(1):
            assert len([frame async for frame in frames]) > 5
            assert [key async for key in keys] == []
        self._is_closed(leg)
        for after in (
            leg.send_digits("1"),
            leg.transfer("sip:x@127.0.0.1", 1.0),
            leg.transfer_to(leg, 1.0),
            leg.answer(),
        ):
            with pytest.raises(LegClosed):
                await after
        await leg.hang_up()
        assert leg.ended.result() is cause

    async def test_we_hang_up(self, line: Line) -> None:
        leg = line.leg
        playing = leg.play(silence(60, leg.rate))
        await asyncio.wait_for(leg.hang_up(), 3)
        assert leg.ended.result().kind is EndKind.LOCAL_HANGUP
        assert await playing.stop() < 1
        self._is_closed(leg)
        await leg.hang_up()

    def _is_closed(self, leg: CallLeg) -> None:
        with pytest.raises(LegClosed):
            leg.play(silence(0.1, leg.rate))
        leg.write_frame(Frame(bytes(320), 8000, 0.0))  # nobody there: not an error in a bridge
        assert leg.stats().packets_sent >= 0
