"""Control may be busy: nobody hears it."""

from __future__ import annotations

import asyncio
import tempfile
import time
from pathlib import Path

import numpy as np
import soundfile
from numpy.typing import NDArray

from bot.core.control import ControlClient
from bot.core.events import CallEvent, PromptStarted
from bot.node import Node
from bot.settings_rooms import speech_settings
from bot.sim.run import run_scenario
from bot.sim.scenario import Scenario
from bot.speech.prompts import PromptCache
from bot.speech.synthesiser import SynthesiserClient
from tests.node.running import node_settings

LOAD_S = 1.0
SCENARIO = {
    "calls": [{"name": "listener", "survey": "csat", "answers": {"csat": {"hang_up": True}}}],
}


def compute(seconds: float) -> int:
    """Pure Python that holds the GIL and the event loop of this process."""
    until, rounds = time.monotonic() + seconds, 0
    while time.monotonic() < until:
        rounds += sum(range(1000)) > 0
    return rounds


def likeness(heard: NDArray[np.float64], spoken: NDArray[np.float64]) -> float:
    """How much of `heard`, at its best place, is `spoken` in one piece: 1 is all of it (Pearson)."""
    size = 1 << (len(heard) + len(spoken)).bit_length()
    product = np.fft.rfft(heard, size) * np.conj(np.fft.rfft(spoken, size))
    at = int(np.argmax(np.fft.irfft(product, size)[: len(heard)]))
    part = heard[at : at + len(spoken)]
    return float(np.corrcoef(part, spoken[: len(part)])[0, 1])


def test_a_second_of_python_in_control_leaves_a_prompt_in_one_piece() -> None:
    loaded: list[str] = []

    def load(event: CallEvent) -> None:
        # Not a filler, which a dialogue that takes its time to start brings before the first words.
        if isinstance(event, PromptStarted) and event.purpose == "consent" and not loaded:
            loaded.append(event.text)
            compute(LOAD_S)

    async def call(folder: Path) -> NDArray[np.float64]:
        settings = node_settings(folder)
        # The node runs in this very process: what `load` computes, control computes.
        async with Node(settings), await ControlClient.connect(settings.control_socket) as control:
            scenario = Scenario.model_validate(SCENARIO)
            address = f"{settings.sip.host}:{settings.sip.port}"
            await run_scenario(scenario, control, address, folder / "capture", load)
            speech = speech_settings(settings)
            prompts = PromptCache(SynthesiserClient(speech.synthesiser), speech.prompts)
            spoken = await prompts.get(loaded[0], voice="", language="ru", rate=8000)
        return np.frombuffer(spoken.data, "<i2") / 32768.0

    with tempfile.TemporaryDirectory(prefix="otk") as name:
        folder = Path(name)
        spoken = asyncio.run(call(folder))
        captured, rate = soundfile.read(folder / "capture" / "listener.wav")
    assert rate == 8000
    assert len(spoken) > LOAD_S * rate, "the prompt must be longer than the load"
    assert likeness(captured[:, 1], spoken) > 0.97


def test_a_hole_of_sixty_milliseconds_would_be_found() -> None:
    rng = np.random.default_rng(1)
    spoken = rng.standard_normal(16000)
    whole = np.concatenate([np.zeros(500), spoken, np.zeros(500)])
    torn = np.concatenate([np.zeros(500), spoken[:8000], np.zeros(480), spoken[8000:], np.zeros(20)])
    assert likeness(whole, spoken) > 0.99
    assert likeness(torn, spoken) < 0.9
