"""Cases and notes in a call: written down when they can no longer be taken back, and never lost."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest

from bot.call.journal import Journal
from bot.call.matters import Matters
from bot.core.directives import Ask, Callback, End, Note, OpenCase, ScaleExpected, WithdrawMatter
from bot.core.endings import Disposition
from bot.core.events import CallbackPromised, CallEnded, CaseOpened, Noted, PromptEnded
from bot.core.intents import Topic
from telephony.scripted import ScriptedLeg
from tests.call.fakes import Bench, Sink
from tests.call.loop_clock import LoopClock
from tests.call.test_session import call, say

NPS = Ask(question_id="nps", text="от нуля до десяти", expectation=ScaleExpected(low=0, high=10))
CASE = OpenCase(reason="low_score", topic=Topic.WAITING, words="двойка")
NOTE = Note(rule="remark", words="третий раз")


@pytest.fixture
def sink() -> Sink:
    return Sink()


@pytest.fixture
def matters(sink: Sink) -> Matters:
    return Matters(Journal("call-1", sink, LoopClock(), lambda event: None), "Продажи")


async def test_a_case_is_written_down_with_the_next_reply(matters: Matters, sink: Sink) -> None:
    matters.hold(CASE)
    assert sink.events == []
    await matters.settle([])
    (opened,) = sink.of(CaseOpened)
    assert (opened.reason, opened.topic, opened.words, opened.department) == (
        "low_score",
        Topic.WAITING,
        "двойка",
        "Продажи",
    )
    await matters.settle([])
    assert len(sink.events) == 1


async def test_what_the_next_reply_takes_back_is_never_written(matters: Matters, sink: Sink) -> None:
    matters.hold(CASE)
    matters.hold(NOTE)
    await matters.settle([WithdrawMatter(rule="low_score")])
    assert sink.kinds() == ["noted"]


async def test_at_the_end_of_the_call_whatever_is_held_is_written(matters: Matters, sink: Sink) -> None:
    matters.hold(CASE)
    matters.hold(NOTE)
    await matters.close()
    assert sink.kinds() == ["case_opened", "noted"]
    (noted,) = sink.of(Noted)
    assert (noted.rule, noted.words) == ("remark", "третий раз")


async def test_what_was_only_foreseen_is_forgotten(matters: Matters, sink: Sink) -> None:
    matters.hold(NOTE)
    kept = matters.kept()
    matters.hold(CASE)
    matters.back_to(kept)
    await matters.close()
    assert sink.kinds() == ["noted"]


async def test_a_rule_that_names_a_department_sends_its_case_there(matters: Matters, sink: Sink) -> None:
    matters.hold(CASE.model_copy(update={"target": "department:Поддержка"}))
    await matters.close()
    assert sink.of(CaseOpened)[0].department == "Поддержка"


async def test_a_callback_by_an_agent_is_a_case_with_its_time(matters: Matters, sink: Sink) -> None:
    due = datetime(2026, 11, 24, 17, tzinfo=UTC)
    await matters.promise(Callback(by="agent", when="завтра", due=due, reason="ring", topic=Topic.BILLING))
    (promised,) = sink.of(CallbackPromised)
    assert (promised.by, promised.when, promised.reason, promised.due_at) == ("agent", "завтра", "ring", due)
    (case,) = sink.of(CaseOpened)
    assert (case.callback, case.reason, case.topic, case.due_at) == (True, "ring", Topic.BILLING, due)


async def test_a_callback_by_the_bot_is_no_case(matters: Matters, sink: Sink) -> None:
    await matters.promise(Callback(by="bot", when="позже"))
    assert sink.kinds() == ["callback_promised"]


# In a call ----------------------------------------------------------------------------------


def test_who_hangs_up_has_his_case_all_the_same() -> None:
    bench = Bench()

    async def caller(leg: ScriptedLeg) -> None:
        await bench.sink.until(lambda: bench.sink.of(PromptEnded))
        leg.remote_hang_up()

    call(bench, caller, (CASE, NPS))
    kinds = bench.sink.kinds()
    assert kinds.count("case_opened") == 1
    assert kinds.index("case_opened") < kinds.index("call_ended")
    assert isinstance(bench.sink.events[-1], CallEnded)


def test_a_case_that_is_taken_back_in_the_next_turn_leaves_nothing() -> None:
    bench = Bench()
    end = End(disposition=Disposition.COMPLETED, text="спасибо")

    async def caller(leg: ScriptedLeg) -> None:
        await bench.sink.until(lambda: bench.sink.of(PromptEnded))
        await say(bench, leg, "ой нет девять")

    call(bench, caller, (CASE, NOTE, NPS), (WithdrawMatter(rule="low_score"), end))
    assert "case_opened" not in bench.sink.kinds()
    assert bench.sink.kinds().count("noted") == 1
