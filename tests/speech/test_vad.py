from __future__ import annotations

import asyncio
from dataclasses import replace

import pytest

from bot.core.audio import Pcm, inaudible
from bot.speech.vad import Floats, Judge, SileroVad
from bot.speech.voices import LineVoice, SileroVoices
from tests.speech.sounds import around, clip, clips, frames, silent_frame, sound_of, voiced_span, with_noise


def probabilities(pcm: Pcm) -> list[float]:
    ear = SileroVad(pcm.rate)
    return [ear.probability(frame) for frame in frames(pcm)]


@pytest.mark.parametrize("rate", [8000, 16000])
def test_speech_is_told_from_silence_and_noise(rate: int) -> None:
    for said in clips():
        quiet = with_noise(around(sound_of(said.path, rate), 1.0, 1.0), -55.0)
        found = probabilities(quiet)
        assert max(found[:45]) < 0.3, said.name
        assert max(found[50:-50]) > 0.7, said.name
        assert max(found[-20:]) < 0.3, said.name


def test_the_beginning_is_seen_within_a_tenth_of_a_second() -> None:
    for name in ("046_elena", "009_nsh", "020_nsh"):
        sound = sound_of(clip(name).path)
        begin, _ = voiced_span(sound)
        found = probabilities(around(sound, 1.0, 0.5))
        first = next(index for index, value in enumerate(found) if value >= 0.5)
        assert (first + 1) * 0.02 == pytest.approx(1.0 + begin, abs=0.1), name


def test_two_lines_do_not_share_a_past_and_reset_forgets_it() -> None:
    sound = around(sound_of(clip("009_nsh").path), 0.2, 0.2)
    alone = probabilities(sound)
    one, two = SileroVad(8000), SileroVad(8000)
    mixed = [(one.probability(f), two.probability(silent_frame(f.at)))[0] for f in frames(sound)]
    assert mixed == alone
    one.reset()
    assert [one.probability(f) for f in frames(sound)] == alone


async def test_lines_are_judged_together_as_each_would_be_alone() -> None:
    sounds = [around(sound_of(clip(name).path), 0.2, 1.0) for name in ("009_nsh", "046_elena", "020_nsh")]
    voices = SileroVoices()

    async def listen(voice: LineVoice, sound: Pcm, late: int) -> list[float]:
        for _ in range(late):
            await asyncio.sleep(0)
        return [await voice.probability(frame) for frame in frames(sound)]

    lines = [voices.line(8000) for _ in sounds]
    listening = [
        listen(line, sound, late) for late, (line, sound) in enumerate(zip(lines, sounds, strict=True))
    ]
    for found, sound in zip(await asyncio.gather(*listening), sounds, strict=True):
        assert found == pytest.approx(probabilities(sound), abs=1e-5)


async def test_listeners_of_one_line_are_told_the_same() -> None:
    sound = around(sound_of(clip("009_nsh").path), 0.2, 0.2)
    voice, line, behind = SileroVoices().line(8000), list(frames(sound)), 7
    heard = [await voice.probability(frame) for frame in line[:behind]]
    again = []
    for ahead, back in zip(line[behind:], line, strict=False):
        one = asyncio.create_task(voice.probability(ahead))
        other = asyncio.create_task(voice.probability(ahead))
        again.append(await voice.probability(back))
        await asyncio.sleep(0)
        one.cancel()  # one of two who wait for the same frame gives up
        heard.append(await other)
    assert heard == pytest.approx(probabilities(sound), abs=1e-5)
    assert again == heard[: len(again)]


async def test_silence_is_not_judged_and_what_comes_behind_it_is_heard_as_ever(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    windows = 0
    judge = Judge.__call__

    def counted(self: Judge, rate: int, together: Floats, states: Floats) -> tuple[Floats, Floats]:
        nonlocal windows
        windows += len(together)
        return judge(self, rate, together, states)

    said = [sound_of(clip(name).path).data for name in ("009_nsh", "046_elena", "020_nsh")]
    sound = Pcm(bytes(16000 * 3).join(said), 8000)
    whole = probabilities(sound)
    monkeypatch.setattr(Judge, "__call__", counted)
    voice = SileroVoices().line(8000)
    line = [replace(frame, inaudible=inaudible(frame.data)) for frame in frames(sound)]
    found = [await voice.probability(frame) for frame in line]
    silent = sum(frame.inaudible for frame in line)
    assert silent > 250
    assert windows < (len(line) - silent + 3 * 20) * 0.02 / 0.032
    # The windows lie otherwise, so that a voice may begin or end a frame or two later; behind long silence
    # the network itself takes up to 0.1 s more to notice one.
    assert sum(one < 0.5 <= other for one, other in zip(found, whole, strict=True)) <= 3
    for begin in (i for i in range(1, len(line)) if line[i - 1].inaudible > line[i].inaudible):
        noticed, before = (next(i for i in range(begin, len(line)) if p[i] >= 0.5) for p in (found, whole))
        assert noticed <= before + 2


async def test_a_network_that_fails_fails_for_those_who_listen(monkeypatch: pytest.MonkeyPatch) -> None:
    def broken(*_: object) -> None:
        raise RuntimeError("broken")

    monkeypatch.setattr(Judge, "__call__", broken)
    voice = SileroVoices().line(8000)
    assert await voice.probability(silent_frame(0.0, 8000)) == 0.0  # no window yet
    with pytest.raises(RuntimeError, match="broken"):
        await voice.probability(silent_frame(0.02, 8000))


def test_a_frame_of_another_rate_is_refused() -> None:
    with pytest.raises(ValueError, match="16000 Hz"):
        SileroVad(8000).probability(silent_frame(0.0, 16000))
    with pytest.raises(ValueError, match="8000"):
        SileroVad(11025)
