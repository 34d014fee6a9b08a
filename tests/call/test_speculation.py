"""Guesses about a turn that is not over: what they bring to memory, and that nothing else comes of them."""

from __future__ import annotations

import asyncio

import pytest

from bot.call.speculation import Speculation, spoken
from bot.core.context import CallContext, TurnSource, UserTurn
from bot.core.directives import End, Record, TurnReply, Understood
from bot.core.errors import DialogueUnavailable, SynthesiserUnavailable
from bot.core.intents import Intent
from bot.surveys import flow
from tests.surveys.turns import NPS, say

CONTEXT = CallContext(call_id="call-1", survey_hash="h", direction="outbound")
SCORE = Understood(intent=Intent.ANSWER_SCORE, confidence=0.9)


class Parser:
    """A dialogue that only reads words."""

    def __init__(self) -> None:
        self.parsed: list[str] = []
        self.slow_s = 0.0
        self.fails = False

    async def parse(self, text: str) -> Understood | None:
        self.parsed.append(text)
        await asyncio.sleep(self.slow_s)
        if self.fails:
            raise DialogueUnavailable("gone")
        return SCORE

    async def start(self, context: CallContext) -> TurnReply:
        raise AssertionError("a guess starts nothing")

    async def turn(self, call_id: str, turn: UserTurn) -> TurnReply:
        raise AssertionError("a guess is no turn")


class Shelf:
    def __init__(self) -> None:
        self.ready: list[str] = []
        self.fails = False

    async def get(self, text: str) -> None:
        if self.fails:
            raise SynthesiserUnavailable("gone")
        self.ready.append(text)


def begun(parser: Parser, shelf: Shelf) -> tuple[Speculation, flow.FlowState]:
    speculation = Speculation(NPS, CONTEXT, parser, shelf.get)
    step = flow.start(NPS, CONTEXT)
    speculation.started(TurnReply(directives=step.directives))
    return speculation, step.state


async def test_what_would_be_said_is_ready_and_is_what_will_be_said() -> None:
    parser, shelf = Parser(), Shelf()
    speculation, state = begun(parser, shelf)
    speculation.guess("девять")
    await speculation.guessed()
    step = flow.next_step(NPS, state, say("девять", Intent.ANSWER_SCORE, sure=0.9))
    assert speculation.likely == step.directives
    assert tuple(shelf.ready) == spoken(step.directives)
    assert len(shelf.ready) == 2  # thanks, and the next question


async def test_a_caller_who_goes_on_is_guessed_anew_from_the_same_place() -> None:
    parser, shelf = Parser(), Shelf()
    speculation, state = begun(parser, shelf)
    for text in ("восемь", "восемь ой", "восемь ой нет девять"):
        speculation.guess(text)
        await speculation.guessed()
    assert speculation.likely is not None
    (record,) = [each for each in speculation.likely if isinstance(each, Record)]
    assert record.answer.value == 9
    turn = say("восемь ой нет девять", Intent.ANSWER_SCORE, sure=0.9)
    assert speculation.likely == flow.next_step(NPS, state, turn).directives


async def test_only_the_last_guess_is_worked_out() -> None:
    parser, shelf = Parser(), Shelf()
    parser.slow_s = 0.05
    speculation, _ = begun(parser, shelf)
    for text in ("два", "два ой", "два ой десять"):
        speculation.guess(text)
        await asyncio.sleep(0)
    await speculation.guessed()
    assert parser.parsed == ["два", "два ой", "два ой десять"]
    assert speculation.likely is not None
    assert [each.answer.value for each in speculation.likely if isinstance(each, Record)] == [10]


async def test_it_follows_the_turns_that_are_committed() -> None:
    parser, shelf = Parser(), Shelf()
    speculation, state = begun(parser, shelf)
    for turn in (
        say("девять"),
        UserTurn(source=TurnSource.SILENCE),
        UserTurn(source=TurnSource.DTMF, digits="1"),
    ):
        step = flow.next_step(NPS, state, turn)
        state = step.state
        speculation.committed(turn, TurnReply(directives=step.directives))
    speculation.guess("всё хорошо")
    await speculation.guessed()
    assert speculation.likely is not None
    assert isinstance(speculation.likely[-1], End)


async def test_a_commit_ends_the_guess_before_it() -> None:
    parser, shelf = Parser(), Shelf()
    parser.slow_s = 60.0
    speculation, state = begun(parser, shelf)
    speculation.guess("девять")
    await asyncio.sleep(0)
    step = flow.next_step(NPS, state, say("девять"))
    speculation.committed(say("девять"), TurnReply(directives=step.directives))
    await speculation.guessed()
    assert (speculation.likely, shelf.ready) == (None, [])


async def test_a_dialogue_that_goes_its_own_way_is_not_guessed_at() -> None:
    parser, shelf = Parser(), Shelf()
    speculation, _ = begun(parser, shelf)
    speculation.committed(say("девять"), TurnReply(directives=()))
    speculation.guess("да")
    await speculation.guessed()
    assert (parser.parsed, shelf.ready) == ([], [])


@pytest.mark.parametrize("who", ["parser", "shelf"])
async def test_a_guess_that_fails_says_nothing(who: str) -> None:
    parser, shelf = Parser(), Shelf()
    speculation, _ = begun(parser, shelf)
    parser.fails, shelf.fails = who == "parser", who == "shelf"
    speculation.guess("девять")
    await speculation.guessed()
    assert speculation.likely is None
    parser.fails = shelf.fails = False
    speculation.guess("девять")
    await speculation.guessed()
    assert speculation.likely is not None
