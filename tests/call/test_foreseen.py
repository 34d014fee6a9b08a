"""Replies that are performed before the dialogue has given them: sooner, and never otherwise."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field, replace

from bot.call.session import CallSession
from bot.core.context import CallContext, UserTurn
from bot.core.directives import End, Say, TurnReply
from bot.core.endings import Disposition
from bot.core.errors import DialogueUnavailable
from bot.core.events import AnswerRecorded, CallEnded, DialogueFailed, PromptStarted, ReplyMeasured, TurnHeard
from bot.surveys import flow
from telephony.scripted import ScriptedLeg
from telephony.virtual_time import run
from tests.call.fakes import FILLER, SORRY, Bench, Dialogue
from tests.call.test_session import say
from tests.surveys.turns import NPS, context

END = End(disposition=Disposition.COMPLETED, text="конец")


@dataclass
class Surveying(Dialogue):
    """The dialogue as it is: it takes `slow_s` for a turn. `other` is what it says instead at one turn."""

    state: flow.FlowState | None = None
    other: dict[int, TurnReply | Exception] = field(default_factory=dict)

    async def start(self, context: CallContext) -> TurnReply:
        step = flow.start(NPS, context)
        self.state = step.state
        return TurnReply(directives=step.directives)

    async def turn(self, call_id: str, turn: UserTurn) -> TurnReply:
        self.turns.append(turn)
        number = len(self.turns)
        await asyncio.sleep(self.slow_s)
        said = self.other.get(number)
        if isinstance(said, Exception):
            raise said
        assert self.state is not None
        step = flow.next_step(NPS, self.state, turn)
        self.state = step.state
        return said or TurnReply(directives=step.directives)


def call(
    bench: Bench, caller: Callable[[ScriptedLeg], Awaitable[None]], *, foresight: bool = True
) -> Disposition:
    plan = replace(bench.plan(), context=context(NPS), survey=NPS if foresight else None)

    async def talk() -> Disposition:
        leg = ScriptedLeg()
        session = asyncio.create_task(CallSession(plan, bench.room()).inbound(leg))
        await caller(leg)
        return await session

    return run(talk())


async def asked(bench: Bench, question: str, attempt: int = 1) -> None:
    """Until this question was put and its prompt has ended."""

    def put() -> bool:
        listening = [event for event in bench.sink.events if event.kind == "listening_started"]
        prompts = [p for p in bench.sink.of(PromptStarted) if p.question_id == question]
        return (
            bool(listening)
            and any(p.attempt == attempt for p in prompts)
            and (listening[-1].seq > prompts[-1].seq)
        )

    await bench.sink.until(put)


async def whole_call(bench: Bench, leg: ScriptedLeg) -> None:
    await asked(bench, "nps")
    await say(bench, leg, "девять")
    await asked(bench, "resolved")
    await say(bench, leg, "да")
    await asked(bench, "comment")
    await say(bench, leg, "всё понравилось")


def gaps(bench: Bench) -> list[float]:
    return [event.gap_ms for event in bench.sink.of(ReplyMeasured)]


def test_the_reply_does_not_wait_for_a_slow_dialogue() -> None:
    quick, slow = Bench(dialogue=Surveying(slow_s=0.4)), Bench(dialogue=Surveying(slow_s=0.4))
    assert call(quick, lambda leg: whole_call(quick, leg)) is Disposition.COMPLETED
    assert call(slow, lambda leg: whole_call(slow, leg), foresight=False) is Disposition.COMPLETED
    assert max(gaps(quick)[:2]) < 300
    assert min(gaps(slow)[:2]) > 600
    assert [turn.text for turn in quick.dialogue.turns] == [turn.text for turn in slow.dialogue.turns]
    spoken = [[event.text for event in bench.sink.of(PromptStarted)] for bench in (quick, slow)]
    assert spoken[0] == spoken[1]
    records = [[event.answer for event in bench.sink.of(AnswerRecorded)] for bench in (quick, slow)]
    assert records[0] == records[1]


def test_an_answer_is_durable_before_the_next_sentence_all_the_same() -> None:
    bench = Bench(dialogue=Surveying(slow_s=0.4))
    call(bench, lambda leg: whole_call(bench, leg))
    said = [e for e in bench.sink.events if not (isinstance(e, PromptStarted) and e.purpose == "filler")]
    kinds = [event.kind for event in said]
    for recorded in (place for place, kind in enumerate(kinds) if kind == "answer_recorded"):
        heard = max(place for place in range(recorded) if kinds[place] == "turn_heard")
        assert "prompt_started" not in kinds[heard:recorded]


def test_the_end_waits_for_the_dialogue() -> None:
    bench = Bench(dialogue=Surveying(slow_s=0.4))
    call(bench, lambda leg: whole_call(bench, leg))
    assert gaps(bench)[-1] > 1500  # 1.2 s of an open answer's silence and the dialogue's 0.4 s


def test_a_dialogue_that_says_otherwise_is_obeyed() -> None:
    other = TurnReply(directives=(Say(text="иначе", purpose="acknowledgement"), END))
    bench = Bench(dialogue=Surveying(slow_s=0.4, other={1: other}))

    async def caller(leg: ScriptedLeg) -> None:
        await asked(bench, "nps")
        await say(bench, leg, "девять")

    assert call(bench, caller) is Disposition.COMPLETED
    texts = [event.text for event in bench.sink.of(PromptStarted)]
    assert texts[-2:] == ["иначе", "конец"]
    assert bench.sink.of(CallEnded)


def test_a_dialogue_that_fails_meanwhile_ends_the_call_with_an_apology() -> None:
    bench = Bench(dialogue=Surveying(slow_s=0.4, other={1: DialogueUnavailable("gone")}))

    async def caller(leg: ScriptedLeg) -> None:
        await asked(bench, "nps")
        await say(bench, leg, "девять")

    assert call(bench, caller) is Disposition.PARTIAL
    assert [event.text for event in bench.sink.of(PromptStarted)][-1] == SORRY
    assert bench.sink.of(DialogueFailed)
    assert [event.answer.value for event in bench.sink.of(AnswerRecorded)] == [9]


def test_a_caller_who_outruns_the_dialogue_waits_for_it_with_a_filler() -> None:
    bench = Bench(dialogue=Surveying(slow_s=12.0))

    async def caller(leg: ScriptedLeg) -> None:
        await asked(bench, "nps")
        await say(bench, leg, "девять")
        await asked(bench, "resolved")
        await say(bench, leg, "да")
        await asyncio.sleep(14.0)
        leg.remote_hang_up()

    call(bench, caller)
    assert [turn.text for turn in bench.dialogue.turns][:2] == ["девять", "да"]
    assert FILLER in [event.text for event in bench.sink.of(PromptStarted)]


def test_keys_and_silence_are_foreseen_too() -> None:
    bench = Bench(dialogue=Surveying(slow_s=0.4))

    async def caller(leg: ScriptedLeg) -> None:
        await asked(bench, "nps")
        leg.press("9")
        await asked(bench, "resolved")
        await asked(bench, "resolved", attempt=2)
        leg.remote_hang_up()

    call(bench, caller)
    assert gaps(bench)[0] < 100


def test_a_caller_whose_turn_was_long_uncertain_hears_a_filler_all_the_sooner() -> None:
    """1.7 s of silence end such a turn, and no silence lasts two seconds."""
    bench = Bench(dialogue=Surveying(slow_s=3.0))

    async def caller(leg: ScriptedLeg) -> None:
        await asked(bench, "nps")
        await say(bench, leg, "ну наверное")
        await asked(bench, "nps", attempt=2)
        leg.remote_hang_up()

    call(bench, caller, foresight=False)
    turn = bench.sink.of(TurnHeard)[0]
    filler = next(event for event in bench.sink.of(PromptStarted) if event.text == FILLER)
    assert turn.ended_s is not None
    assert filler.media_s is not None
    assert filler.media_s - turn.ended_s <= 2.0
