"""A scripted caller who means to talk over a prompt, and a bot that does not let it play."""

from __future__ import annotations

import asyncio
import time
from pathlib import Path
from typing import cast

import pytest

from bot.sim.bench.composing import write_clip
from bot.sim.caller import Conversation, Done, Telephone
from bot.sim.g711 import RATE, Samples
from bot.sim.messages import ListeningCue, PeerSpec, PromptCue, PromptOver
from bot.sim.packets import Span
from bot.sim.rtp import RtpSession
from bot.sim.script import Step
from tests.sim.test_measure import channel

SAID_S = 0.2


class Line:
    """What a caller needs of his phone; the bot was heard when he began to listen."""

    def __init__(self) -> None:
        self.last_voiced_at = time.monotonic()
        self.sending = True
        self.tone_hz: float | None = None

    async def say(self, samples: Samples) -> Span:
        began = time.monotonic()
        await asyncio.sleep(samples.size / RATE)
        return Span(began, time.monotonic())


Cue = PromptCue | PromptOver | ListeningCue


async def talked(folder: Path, cues: list[tuple[float, Cue]], *, after_s: float = 0.3) -> tuple[Done, float]:
    """The talk with a bot that does this at these times, and when it began."""
    write_clip(folder / "over.wav", channel(SAID_S, (0, SAID_S)))
    write_clip(folder / "again.wav", channel(SAID_S, (0, SAID_S)))
    over = Step(say=folder / "over.wav", during_prompt=True, after_s=after_s)
    spec = PeerSpec(name="a", user="a", answers={"q#1": (over,), "q": (Step(say=folder / "again.wav"),)})

    line, began = Line(), time.monotonic()
    talk = Conversation(spec, cast(RtpSession, line), cast(Telephone, None))  # he does nothing to the call
    running = asyncio.create_task(talk.run())
    for at, cue in cues:
        await asyncio.sleep(began + at - time.monotonic())
        talk.cue(cue)
    await asyncio.sleep(1.0)
    running.cancel()
    return talk.done, began


async def test_he_talks_over_a_prompt_that_plays(tmp_path: Path) -> None:
    done, began = await talked(tmp_path, [(0, PromptCue(question_id="q", duration_s=3)), (0.4, PromptOver())])
    (turn,) = done.turns
    assert (turn.what, turn.talked_over) == ("over.wav", True)
    assert turn.span.began - began == pytest.approx(0.3, abs=0.15)


async def test_a_prompt_that_ended_before_he_spoke_he_answers_when_he_is_listened_to(tmp_path: Path) -> None:
    cues = [
        (0.0, PromptCue(question_id="q", duration_s=3)),
        (0.1, PromptOver()),
        (0.1, ListeningCue(question_id="q")),
    ]
    done, _ = await talked(tmp_path, cues)
    (turn,) = done.turns
    assert (turn.what, turn.talked_over) == ("over.wav", False)


async def test_a_prompt_that_begins_anew_he_talks_over_then(tmp_path: Path) -> None:
    cues: list[tuple[float, Cue]] = [
        (0.0, PromptCue(question_id="q", duration_s=3)),
        (0.1, PromptOver()),
        (0.8, PromptCue(question_id="q", duration_s=3)),
    ]
    done, began = await talked(tmp_path, cues)
    (turn,) = done.turns
    assert (turn.what, turn.talked_over) == ("over.wav", True)
    assert turn.span.began - began == pytest.approx(1.1, abs=0.15)


async def test_of_two_questions_he_answers_the_one_that_is_put_last(tmp_path: Path) -> None:
    again: list[tuple[float, Cue]] = [
        (0.0, ListeningCue(question_id="q")),
        (0.1, ListeningCue(question_id="q")),
    ]
    done, _ = await talked(tmp_path, again)
    assert [turn.what for turn in done.turns] == ["again.wav"]
