"""Surveys as they ship, in real calls: a Russian one by speech, an English one by keys.

English is spoken by the bot, but no model that ships understands it: its callers press keys.
"""

from __future__ import annotations

import asyncio
from pathlib import Path
from typing import Any

import pytest

from bot.sim.results import CallReport
from bot.sim.run import run_scenario
from bot.sim.scenario import Scenario
from tests.node.running import RunningNode

AUDIO = Path(__file__).parents[1] / "data" / "audio"
DEAD_AIR_S = 2.0

SAYS = {
    "resolved": {"say": AUDIO / "ru" / "022_elena.wav"},  # да, решили
    "csat": {"say": AUDIO / "ru" / "016_elena.wav"},  # ставлю три
    "improve": {"say": AUDIO / "calls" / "059_elena.wav"},  # скорость ответа и вежливость оператора
}
PRESSES = {"resolved": "2", "matter": "2", "offer": "2", "csat": "3", "improve": "13#"}
"""Not resolved, delivery, no person, three of five, speed and quality."""


def answers() -> dict[str, Any]:
    return {
        "calls": [
            {"name": "speaks", "survey": "triage", "answers": SAYS},
            {
                "name": "presses",
                "survey": "triage_en",
                "answers": {asked: {"keys": keys, "during_prompt": True} for asked, keys in PRESSES.items()},
            },
        ],
        "at_once": 2,
    }


@pytest.fixture(scope="module")
def calls(node: RunningNode) -> dict[str, CallReport]:
    async def ring() -> dict[str, CallReport]:
        async with await node.connect() as control:
            report = await run_scenario(Scenario.model_validate(answers()), control, node.sip)
        return {call.name: call for call in report.calls}

    return asyncio.run(ring())


def test_a_russian_survey_hears_a_score_and_several_choices(calls: dict[str, CallReport]) -> None:
    call = calls["speaks"]
    assert call.failures == []
    assert call.disposition == "completed"
    assert call.answers == {"resolved": "yes", "csat": 3, "improve": ["speed", "politeness"]}
    assert call.longest_silence_s < DEAD_AIR_S


def test_an_english_survey_takes_keys_at_every_question(calls: dict[str, CallReport]) -> None:
    call = calls["presses"]
    assert call.failures == []
    assert call.disposition == "completed"
    assert call.answers == {
        "resolved": "no",
        "matter": "delivery",
        "csat": 3,
        "improve": ["speed", "quality"],
    }
    assert call.transferred_to is None
    assert call.longest_silence_s < DEAD_AIR_S
