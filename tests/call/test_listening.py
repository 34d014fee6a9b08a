"""The ear on a line: no frame is lost between one turn and the next."""

from __future__ import annotations

import asyncio

import pytest

from bot.call.listening import Ear
from bot.call.settings import CallSettings
from bot.core.audio import FRAME_S, Frame
from telephony.scripted import ScriptedLeg
from telephony.tones import tone
from telephony.virtual_time import run
from tests.call.fakes import Loudness, Words


class Tape:
    def __init__(self) -> None:
        self.frames: list[Frame] = []

    def write_caller(self, frame: Frame) -> None:
        self.frames.append(frame)


@pytest.mark.parametrize("finish_s", [0.0, 0.03, 0.3])
def test_what_is_said_while_the_last_words_are_decoded_is_kept_for_the_next(finish_s: float) -> None:
    async def call() -> None:
        leg, tape = ScriptedLeg(answered=True), Tape()
        words = Words()
        words.finish_s = finish_s
        ear = Ear(leg, words, Loudness(), CallSettings(), tape)
        ear.attend()
        await asyncio.sleep(0.1)
        hearing = asyncio.create_task(ear.hear(None, 5.0))
        await asyncio.sleep(0)
        words.coming.append("да")
        leg.say(tone(0.4, 8000))
        heard = await hearing
        assert heard is not None
        assert heard.text == "да"
        await asyncio.sleep(0.2)
        kept = [frame.at for frame, _ in ear.unheard()]
        assert kept[0] == pytest.approx(heard.decided_s)
        assert kept == pytest.approx([kept[0] + FRAME_S * number for number in range(len(kept))])
        assert len(kept) >= round((finish_s + 0.2) / FRAME_S) - 1
        await ear.rest()
        assert [frame.at for frame in tape.frames] == pytest.approx(
            [FRAME_S * number for number in range(len(tape.frames))]
        )
        await leg.hang_up()

    run(call())
