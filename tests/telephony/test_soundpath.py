"""Playing and hearing on a wire that the test holds: it behaves as the stack's buffers were measured."""

from __future__ import annotations

import asyncio

import pytest

from bot.core.audio import Frame, Pcm, silence
from telephony.pacer import Pacer
from telephony.soundpath import SoundPath, WireState
from telephony.tones import goertzel_dbfs, tone
from telephony.virtual_time import run


class StackLikeWire:
    """20 ms leave every 20 ms. A flush takes effect when the next packet is due; whatever is written
    before that is thrown away, too."""

    def __init__(self, rate: int = 8000) -> None:
        self.rate = rate
        self.up = True
        self.sent = bytearray()
        self.arrived = bytearray()
        self.ring = bytearray()
        self.flush_asked = False
        self.restarted = False
        self._size = rate // 50 * 2
        self._task = asyncio.create_task(self._clock())

    async def _clock(self) -> None:
        while True:
            await asyncio.sleep(0.02)
            if self.flush_asked:
                self.ring.clear()
                self.flush_asked = False
            self.sent += bytes(self.ring[: self._size]).ljust(self._size, b"\0")
            del self.ring[: self._size]

    def probe(self) -> WireState | None:
        return WireState(self.rate, self.rate, len(self.ring)) if self.up else None

    def read(self) -> bytes:
        data = bytes(self.arrived)
        self.arrived.clear()
        return data

    def write(self, data: bytes) -> None:
        self.ring += data

    def flush(self) -> None:
        self.flush_asked = True

    def take_restart(self) -> bool:
        restarted, self.restarted = self.restarted, False
        return restarted

    def stop(self) -> None:
        self._task.cancel()


class Rig:
    """A sound path on a wire, ticked by a pacer."""

    def __init__(self, rate: int = 8000) -> None:
        self.wire = StackLikeWire(rate)
        self.path = SoundPath(self.wire)
        assert self.path.open()
        self.frames: list[Frame] = []
        self.pacer = Pacer()
        self.pacer.add(self)

    def tick(self, count: int) -> None:
        self.frames += self.path.tick(count)

    def heard(self, start_s: float, end_s: float) -> Pcm:
        scale = 2 * self.wire.rate
        return Pcm(bytes(self.wire.sent[round(start_s * scale) : round(end_s * scale)]), self.wire.rate)

    def close(self) -> None:
        self.pacer.remove(self)
        self.path.close()
        self.wire.stop()


def test_a_sound_starts_at_once_and_its_end_is_known() -> None:
    async def call() -> None:
        rig = Rig()
        sound = rig.path.play(tone(1.0, 8000, hz=1000))
        assert len(rig.wire.ring) == 3200  # 200 ms ahead, without waiting for a tick
        assert await sound.done() == pytest.approx(1.0)
        assert asyncio.get_running_loop().time() == pytest.approx(1.02, abs=0.03)
        assert goertzel_dbfs(rig.heard(0, 1), 1000) == pytest.approx(-12, abs=0.5)
        rig.close()

    run(call())


def test_a_sound_whose_next_part_comes_too_late_is_torn_once() -> None:
    async def call() -> None:
        rig = Rig()
        sound = rig.path.play(tone(2.0, 8000))
        await asyncio.sleep(0.5)
        rig.pacer.remove(rig)  # the event loop stalls for longer than the line has sound
        await asyncio.sleep(0.4)
        rig.pacer.add(rig)
        assert await sound.done() == pytest.approx(2.0)
        assert rig.path.torn == 1
        rig.close()

    run(call())


def test_pauses_and_ends_and_the_next_sound_tear_nothing() -> None:
    async def call() -> None:
        rig = Rig()
        first = rig.path.play(tone(1.0, 8000))
        await asyncio.sleep(0.3)
        await first.pause()
        await asyncio.sleep(0.5)
        first.resume()
        assert await first.done() == pytest.approx(1.0)
        await asyncio.sleep(0.5)
        second = rig.path.play(tone(1.0, 8000))
        rig.path.play(tone(0.1, 8000))
        await asyncio.sleep(0.5)
        await second.stop()
        await asyncio.sleep(0.5)
        assert rig.path.torn == 0
        rig.close()

    run(call())


def test_stop_silences_the_line_within_two_packets_and_says_what_was_heard() -> None:
    async def call() -> None:
        rig = Rig()
        sound = rig.path.play(tone(5.0, 8000))
        await asyncio.sleep(0.5)
        assert await sound.stop() == pytest.approx(0.5, abs=0.041)
        assert asyncio.get_running_loop().time() == pytest.approx(0.5)
        await asyncio.sleep(0.5)
        assert not any(rig.heard(0.54, 1.0).data)
        rig.close()

    run(call())


@pytest.mark.parametrize("pause_s", [0.0, 0.003, 0.011, 0.019])
def test_what_is_played_right_after_a_stop_is_not_lost(pause_s: float) -> None:
    async def call() -> None:
        rig = Rig()
        first = rig.path.play(tone(5.0, 8000, hz=500))
        await asyncio.sleep(0.313)
        await first.stop()
        await asyncio.sleep(pause_s)
        second = rig.path.play(tone(0.4, 8000, hz=1500))
        assert await second.done() == pytest.approx(0.4)
        whole = sum(
            1 for index in range(0, len(rig.wire.sent), 320) if any(rig.wire.sent[index : index + 320])
        )
        heard = rig.heard(0.3 + 0.04 + pause_s, 0.9)
        assert whole * 0.02 == pytest.approx(0.313 + 0.4, abs=0.05)
        # All of it: the energy of 0.4 s of tone in 0.54 s of line.
        assert goertzel_dbfs(heard, 1500) > -12 - 4
        assert goertzel_dbfs(heard, 500) < -40
        rig.close()

    run(call())


def test_a_sound_that_follows_the_stop_of_an_almost_finished_one_is_not_lost() -> None:
    async def call() -> None:
        rig = Rig()
        first = rig.path.play(tone(0.2, 8000, hz=500))
        await asyncio.sleep(0.163)
        await first.stop()
        second = rig.path.play(tone(0.1, 8000, hz=1500))  # it would fit into the buffer whole
        assert await second.done() == pytest.approx(0.1)
        heard = rig.heard(0.16, 0.46)
        energy_s = heard.seconds * 10 ** ((goertzel_dbfs(heard, 1500) + 12) / 20)
        assert energy_s == pytest.approx(0.1, abs=0.01)
        rig.close()

    run(call())


def test_sounds_queue_and_the_second_survives_the_stop_of_the_first() -> None:
    async def call() -> None:
        rig = Rig()
        first, second = rig.path.play(tone(0.1, 8000, hz=500)), rig.path.play(tone(0.3, 8000, hz=1500))
        await asyncio.sleep(0.05)
        await first.stop()
        assert await second.done() == pytest.approx(0.3)
        assert goertzel_dbfs(rig.heard(0.08, 0.45), 1500) > -16
        rig.close()

    run(call())


def test_a_sound_that_waits_can_be_taken_back_unheard() -> None:
    async def call() -> None:
        rig = Rig()
        first, second = rig.path.play(tone(0.5, 8000)), rig.path.play(tone(0.5, 8000, hz=1500))
        assert await second.stop() == 0.0
        assert await first.done() == pytest.approx(0.5)
        assert goertzel_dbfs(rig.heard(0, 1), 1500) < -40
        rig.close()

    run(call())


def test_a_loop_that_stalls_does_not_tear_the_sound() -> None:
    async def call() -> None:
        rig = Rig()
        rig.path.play(tone(1.0, 8000, hz=1000))
        await asyncio.sleep(0.3)
        rig.pacer.remove(rig)  # nothing of ours runs for 180 ms; the stack's own thread goes on
        await asyncio.sleep(0.18)
        rig.pacer.add(rig)
        await asyncio.sleep(0.6)
        packets = [any(rig.wire.sent[at : at + 320]) for at in range(0, 50 * 320, 320)]
        assert all(packets)
        rig.close()

    run(call())


def test_a_line_that_ends_ends_its_sounds() -> None:
    async def call() -> None:
        rig = Rig()
        sound, waiting = rig.path.play(silence(5, 8000)), rig.path.play(silence(5, 8000))
        await asyncio.sleep(0.5)
        rig.close()
        assert await sound.done() == pytest.approx(0.5, abs=0.05)
        assert await waiting.done() == 0.0
        assert await rig.path.play(silence(1, 8000)).done() == 0.0

    run(call())


def test_relayed_frames_wait_four_packets_at_most_and_a_burst_is_cut() -> None:
    async def call() -> None:
        rig = Rig()
        frame = Frame(tone(0.02, 8000, hz=1000).data, 8000, 0.0)
        for _ in range(50):
            rig.path.relay(frame)
            await asyncio.sleep(0.02)
            assert len(rig.wire.ring) <= 4 * 320
        for _ in range(50):
            rig.path.relay(frame)
        assert len(rig.wire.ring) <= 4 * 320
        rig.close()

    run(call())


def test_what_never_had_to_wait_in_the_line_is_left_out_at_a_silence() -> None:
    async def call() -> None:
        rig = Rig()
        loud = Frame(tone(0.02, 8000, hz=1000).data, 8000, 0.0)
        still = Frame(bytes(320), 8000, 0.0)

        async def relay(frame: Frame, count: int) -> None:
            for _ in range(count):
                rig.path.relay(frame)
                await asyncio.sleep(0.02)

        for _ in range(3):
            rig.path.relay(loud)  # what a stall of ours leaves behind
        await relay(loud, 210)  # the first window saw the beginning
        waited = len(rig.wire.ring)
        assert waited >= 2 * 320  # not in the middle of a word
        await relay(still, 5)
        assert len(rig.wire.ring) == waited - 320
        rig.close()

    run(call())


def test_relayed_frames_do_not_disturb_what_is_played_and_counted() -> None:
    async def call() -> None:
        rig = Rig()
        frame = Frame(tone(0.02, 8000, hz=1000).data, 8000, 0.0)
        for _ in range(3):
            rig.path.relay(frame)
        sound = rig.path.play(tone(0.5, 8000, hz=1500))
        rig.path.relay(frame)  # dropped: a sound plays
        await asyncio.sleep(0.2)
        assert await sound.stop() == pytest.approx(0.2 - 0.08, abs=0.041)
        rig.close()

    run(call())


def test_streams_replaced_at_another_rate_are_converted() -> None:
    async def call() -> None:
        rig = Rig()
        assert rig.path.rate == 8000
        rig.wire.rate = 16000
        rig.wire._size = 640
        rig.wire.restarted = True
        rig.wire.arrived += tone(0.5, 16000, hz=1000).data
        rig.tick(1)
        await asyncio.sleep(0.1)
        assert {frame.rate for frame in rig.frames} == {8000}
        assert {len(frame.data) for frame in rig.frames} == {320}
        rig.wire.sent.clear()
        sound = rig.path.play(tone(0.5, 8000, hz=700))
        assert await sound.done() == pytest.approx(0.5)
        assert goertzel_dbfs(Pcm(bytes(rig.wire.sent), 16000), 700) > -14
        rig.close()

    run(call())


def test_a_wire_that_is_gone_gives_concealed_frames() -> None:
    async def call() -> None:
        rig = Rig()
        rig.wire.up = False
        await asyncio.sleep(0.2)
        assert all(frame.concealed for frame in rig.frames)
        assert len(rig.frames) == pytest.approx(10, abs=1)
        rig.path.play(silence(1, 8000))
        rig.path.relay(rig.frames[0])
        rig.close()

    run(call())


@pytest.mark.parametrize("rate", [8000, 16000])
def test_the_line_runs_at_the_wires_rate(rate: int) -> None:
    async def call() -> None:
        rig = Rig(rate)
        assert rig.path.rate == rate
        with pytest.raises(ValueError, match="samples a second"):
            rig.path.play(tone(1, 24000 - rate))
        rig.close()

    run(call())


def test_a_line_without_sound_is_opened_only_when_it_is_certainly_up() -> None:
    async def call() -> None:
        wire = StackLikeWire()
        wire.up = False
        path = SoundPath(wire)
        assert not path.open()
        assert path.open(certainly=True)
        assert path.rate == 8000
        wire.stop()

    run(call())


def test_time_begins_when_early_sound_does() -> None:
    async def call() -> None:
        wire = StackLikeWire(16000)
        wire.up = False
        path = SoundPath(wire)
        assert path.tick(3) == []
        wire.up = True
        assert [frame.at for frame in path.tick(2)] == pytest.approx([0.0, 0.02])
        assert path.rate == 16000
        wire.stop()

    run(call())
