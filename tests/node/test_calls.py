"""Whole calls: a real node, real SIP and RTP, recorded Russian speech, Vosk, Rasa, SQLite.

Silence is measured on the caller's socket: nobody hears nothing for two seconds.
"""

from __future__ import annotations

import asyncio
import json
import os
from pathlib import Path
from typing import Any

import pytest

from bot.core.errors import NumberBlocked
from bot.core.events import AnswerRecorded, CallEvent
from bot.core.realtime import LINES, may_go_first
from bot.settings import DEMO_MODEL
from bot.sim.results import CallReport, SimReport
from bot.sim.run import run_scenario
from bot.sim.scenario import Scenario
from bot.speech.chosen import read_chosen, write_chosen
from bot.speech.models import find_entry
from bot.speech.wordgraph.adding import add_words
from bot.speech.wordgraph.g2p import phones
from tests.node.running import RunningNode

AUDIO = Path(__file__).parent.parent / "data" / "audio" / "ru"
DEAD_AIR_S = 2.0


def clip(name: str) -> dict[str, Any]:
    return {"say": AUDIO / name}


NINE, YES, PRAISE = clip("009_elena.wav"), clip("022_elena.wav"), clip("056_elena.wav")
AGENT, STOP, LATER = clip("039_elena.wav"), clip("046_nsh.wav"), clip("042_nsh.wav")
ANSWERS = {"nps": NINE, "resolved": YES, "comment": PRAISE}


def scenario(*calls: dict[str, Any], **rest: Any) -> Scenario:
    return Scenario.model_validate({"calls": [{"survey": "nps", **call} for call in calls], **rest})


async def run(node: RunningNode, script: Scenario, on_event: Any = lambda event: None) -> SimReport:
    async with await node.connect() as control:
        return await run_scenario(script, control, node.sip, None, on_event)


COMPLAINT = clip("032_elena.wav")
SILENCE, NO_RTP = ({"silence": True}, {"stop_rtp": True})


def mute(name: str, how: dict[str, Any]) -> dict[str, Any]:
    return {"name": name, "answers": dict.fromkeys(("nps", "resolved", "reason", "comment"), how)}


AT_ONCE = 6

MARKED_PHONE, MARKED_NAME, MARKED_WORD = "79161237548", "Апполинария", "решилась"
"""Of the caller who complains: these must stay out of logs and metrics."""


@pytest.fixture(scope="module")
def talks(node: RunningNode) -> dict[str, CallReport]:
    """Callers who have nothing to do with each other ring side by side, and must not be mixed up."""
    script = scenario(
        mute("mute-silence", SILENCE),
        mute("mute-stop-rtp", NO_RTP),
        {"name": "wants", "answers": {"nps": AGENT}, "after_transfer": {}},
        {
            "name": MARKED_PHONE,
            "customer": {"id": "C-1", "first_name": MARKED_NAME},
            "answers": {**ANSWERS, "nps": COMPLAINT, "nps#2": NINE},
        },
        *({"name": f"calm-{n}", "answers": ANSWERS} for n in range(3)),
        {"name": "wish-opted-out", "answers": {"nps": STOP}},
        {"name": "wish-callback", "answers": {"nps": LATER}},
        {"name": "busy", "caller": {"on_invite": "busy"}},
        agents=[{"name": "human"}],
        at_once=AT_ONCE,
    )
    return {call.name: call for call in asyncio.run(run(node, script)).calls}


@pytest.mark.parametrize("name", [f"calm-{n}" for n in range(3)])
def test_a_satisfied_customer_completes_the_survey(talks: dict[str, CallReport], name: str) -> None:
    call = talks[name]
    assert call.failures == []
    assert call.disposition == "completed"
    assert call.answers["nps"] == 9
    assert call.answers["resolved"] == "yes"
    assert len(call.reply_gaps_ms) == 3
    assert call.longest_silence_s < DEAD_AIR_S


@pytest.mark.parametrize("disposition", ["opted_out", "callback"])
def test_a_closed_question_hears_more_than_numbers(talks: dict[str, CallReport], disposition: str) -> None:
    assert talks[f"wish-{disposition.replace('_', '-')}"].disposition == disposition


def test_whoever_said_never_again_is_not_rung_again(node: RunningNode, talks: dict[str, CallReport]) -> None:
    call_id = talks["wish-opted-out"].call_id
    (stored,) = asyncio.run(node.ask("calls", call_ids=[call_id]))["calls"]
    with pytest.raises(NumberBlocked):
        asyncio.run(node.ask("place_call", to=stored["to"], survey="nps"))


def test_a_wish_for_a_person_at_the_scale_leads_to_one(talks: dict[str, CallReport]) -> None:
    call = talks["wants"]
    assert call.disposition == "transferred"
    assert call.failures == []


def test_a_complaint_at_the_scale_is_heard(node: RunningNode, talks: dict[str, CallReport]) -> None:
    """«Проблема не решилась», said where a number was asked for: it is noted, and the number still asked."""
    call = talks[MARKED_PHONE]
    (stored,) = asyncio.run(node.ask("calls", call_ids=[call.call_id]))["calls"]
    assert stored["signals"] == ["complaint"]
    assert (call.disposition, call.answers["nps"]) == ("completed", 9)
    assert call.longest_silence_s < DEAD_AIR_S


def test_number_name_and_words_of_a_caller_are_in_no_log(
    node: RunningNode, talks: dict[str, CallReport]
) -> None:
    """Nor in the metrics. That the call was logged is seen by its id, that number and words were known by its
    events; the name came with the order."""
    call_id = talks[MARKED_PHONE].call_id
    told = str(asyncio.run(node.ask("events", call_id=call_id)))
    assert MARKED_PHONE in told
    assert MARKED_WORD in told
    written = {file.name: file.read_bytes() for file in node.settings.log_dir.iterdir()}
    written |= {"serve.out": node.output().encode(), "/metrics": node.metrics_text().encode()}
    assert [name for name, text in written.items() if call_id.encode() in text], "it is logged"
    for mark in (MARKED_PHONE, MARKED_PHONE[1:], MARKED_NAME, MARKED_WORD):
        in_clear = (mark.encode(), json.dumps(mark).strip('"').encode())
        assert [name for name, text in written.items() if any(form in text for form in in_clear)] == []


@pytest.mark.parametrize("name", ["mute-silence", "mute-stop-rtp"])
def test_whoever_says_nothing_is_never_left_in_silence(talks: dict[str, CallReport], name: str) -> None:
    call = talks[name]
    assert call.disposition == "no_input"
    assert call.longest_bot_silence_s < DEAD_AIR_S


def test_a_busy_line_is_busy_among_many(talks: dict[str, CallReport]) -> None:
    assert talks["busy"].disposition == "busy"


class Changer:
    """Takes another model into use in the middle of a call, as `otklik models use` does."""

    def __init__(self, node: RunningNode) -> None:
        self._node = node
        self._asked: asyncio.Task[dict[str, Any]] | None = None
        self.models: list[str] = []

    def __call__(self, event: CallEvent) -> None:
        if isinstance(event, AnswerRecorded) and self._asked is None:
            self._asked = asyncio.get_running_loop().create_task(self._node.ask("use_models"))
        if self._asked is not None and self._asked.done():
            self.models = self._asked.result()["models"]


def test_a_model_is_changed_while_a_call_goes_on(node: RunningNode) -> None:
    models, var = node.settings.models_dir, node.settings.var_dir
    own, _ = add_words(DEMO_MODEL, {"бегемот": phones("бегем+от")}, models, var)
    before, changer = read_chosen(var), Changer(node)
    write_chosen(before.with_model(find_entry(own, models)), var)
    try:
        report = asyncio.run(run(node, scenario({"name": "changed", "answers": ANSWERS}), changer))
        assert changer.models == [own]
        assert report.calls[0].disposition == "completed"
        assert report.calls[0].longest_silence_s < DEAD_AIR_S
    finally:
        write_chosen(before, var)
    assert asyncio.run(node.ask("use_models")) == {"models": [DEMO_MODEL]}


def test_a_workers_sound_goes_before_other_programs(node: RunningNode) -> None:
    pid = asyncio.run(node.ask("status"))["children"]["worker-0"]
    threads = [int(thread.name) for thread in Path(f"/proc/{pid}/task").iterdir()]
    priorities = [os.sched_getparam(thread).sched_priority for thread in threads]
    granted = may_go_first()
    assert os.sched_getparam(pid).sched_priority == (LINES if granted else 0), "the lines' loop"
    assert priorities.count(LINES) >= 2 if granted else not any(priorities), "and the SIP stack"
