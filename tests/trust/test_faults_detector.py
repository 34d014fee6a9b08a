"""The detector of voice breaks in the middle of calls: in the worker that has it, by a signal that only the
tests' own hook knows."""

from __future__ import annotations

import asyncio
import os
import signal
from pathlib import Path

import pytest

from bot.core.endings import EndKind
from bot.core.events import AnswerRecorded, PromptStarted
from tests.node.heard import Talk, stored, talk
from tests.node.test_calls import DEAD_AIR_S, NINE, SILENCE, YES, scenario
from tests.trust.clustered import Clustered
from tests.trust.faults import child, nothing, one, then, well, whole

CALLERS = (
    {"name": "answered", "survey": "csat", "answers": {"csat": {"keys": "5"}, "resolved": YES}},
    {"name": "asked", "survey": "csat", "answers": {"csat": {**NINE, "after_s": 1.5}, "resolved": SILENCE}},
)
"""The second one speaks when it is broken: silence is not judged."""


@pytest.fixture(scope="module")
def deaf(clustered_node: Clustered, tmp_path_factory: pytest.TempPathFactory) -> Talk:
    """It breaks when one of two callers has answered once, and the other not yet."""
    node, worker = clustered_node.node, child(clustered_node.node, "worker-0")
    breaks = then((AnswerRecorded, lambda: os.kill(worker, signal.SIGUSR1)))

    async def play(folder: Path) -> Talk:
        async with await node.connect() as control:
            return await talk(node, scenario(*CALLERS, at_once=2), folder, control, breaks)

    try:
        return asyncio.run(play(tmp_path_factory.mktemp("deaf")))
    finally:
        os.kill(worker, signal.SIGUSR2)


@pytest.mark.parametrize("name", ["answered", "asked"])
def test_the_detector_of_voice_breaks_in_a_call_and_the_caller_is_told(deaf: Talk, name: str) -> None:
    call = deaf.call(name)
    assert deaf.of(name, PromptStarted)[-1].purpose == "apology"
    assert call.ended == "remote_hangup"
    assert call.longest_bot_silence_s < DEAD_AIR_S


def test_the_detector_of_voice_breaks_in_a_call_and_what_he_had_answered_is_kept(
    clustered_node: Clustered, deaf: Talk
) -> None:
    found = stored(clustered_node.node, deaf.call("answered").call_id)
    assert [(answer.question_id, answer.value) for answer in found.answers] == [("csat", "5")]
    assert (found.attempt.disposition, found.attempt.end_cause) == ("partial", EndKind.LOCAL_HANGUP)


def test_the_detector_of_voice_breaks_before_an_answer_and_the_call_counts_as_interrupted(
    clustered_node: Clustered, deaf: Talk
) -> None:
    """By our own fault: a campaign rings him again."""
    found = stored(clustered_node.node, deaf.call("asked").call_id)
    assert (found.attempt.disposition, found.answers) == ("interrupted", ())


def test_the_next_call_after_the_detector_of_voice_broke_is_whole(
    clustered_node: Clustered, deaf: Talk
) -> None:
    node = clustered_node.node
    assert deaf.call("answered").answers == {"csat": 5}, "or it was broken too late"
    well(node)
    whole(one(node, "heard", nothing))
