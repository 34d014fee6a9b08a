"""Simulated calls: a satisfied, an unhappy and a silent caller on a scripted line, on virtual time.

The whole call session runs. The recogniser hears the words it is given, and the dialogue is the flow
itself, with a phrase book in place of Rasa. Real calls over SIP are in tests/node.
"""

from __future__ import annotations

import asyncio
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from itertools import pairwise
from typing import Literal

from bot.call.session import CallSession
from bot.core.answer import Answer
from bot.core.context import CallContext, Person, TurnSource, UserTurn
from bot.core.directives import Expectation, TurnReply
from bot.core.endings import Disposition
from bot.core.events import (
    AnswerRecorded,
    CallEnded,
    CallEvent,
    HandoverConnected,
    HandoverStarted,
    ListeningStarted,
    PromptStarted,
)
from bot.core.intents import Intent, Topic
from bot.planning import plan_of
from bot.surveys import flow
from bot.surveys.canonical import survey_hash
from bot.surveys.schema import Survey
from telephony.scripted import ScriptedLeg
from telephony.tones import tone
from telephony.virtual_time import run
from tests.call.fakes import Bench

Temper = Literal["satisfied", "unhappy", "silent"]

SURE = 0.95
NOW = datetime(2026, 11, 23, 10, 0, tzinfo=UTC)
"""A Monday; in Moscow it is one in the afternoon."""

AGENT = "sip:responsible@test.invalid"
TALK_S = 5.0
"""Whoever hangs up sooner has dropped the caller, and did not talk to him."""


@dataclass(frozen=True)
class Language:
    """How a caller says things; the keys of `intents` are what an NLU would know."""

    customer: str
    agent: str
    numbers: tuple[str, ...]
    yes: str
    no: str
    both: str
    when: str
    praise: str
    complaint: str

    def intent_of(self, words: str) -> tuple[Intent, Topic | None] | None:
        known: dict[str, tuple[Intent, Topic | None]] = {
            self.yes: (Intent.AFFIRM, None),
            self.no: (Intent.DENY, None),
            self.when: (Intent.INFORM, None),
            self.praise: (Intent.PRAISE, None),
            self.complaint: (Intent.COMPLAIN, Topic.WAITING),
        }
        return known.get(words)


LANGUAGES = {
    "ru": Language(
        customer="Анна",
        agent="Мария",
        numbers=(
            "ноль",
            "один",
            "два",
            "три",
            "четыре",
            "пять",
            "шесть",
            "семь",
            "восемь",
            "девять",
            "десять",
        ),
        yes="да",
        no="нет",
        both="и",
        when="завтра в пятнадцать часов",
        praise="всё отлично спасибо большое",
        complaint="очень долго ждал",
    ),
    "en": Language(
        customer="Anna",
        agent="Mary",
        numbers=("zero", "one", "two", "three", "four", "five", "six", "seven", "eight", "nine", "ten"),
        yes="yes",
        no="no",
        both="and",
        when="tomorrow at three pm",
        praise="it was all very good",
        complaint="i waited far too long",
    ),
}


class FlowDialogue:
    """`bot.surveys.flow` as the dialogue of one call."""

    def __init__(self, survey: Survey) -> None:
        self._survey = survey
        self._state: flow.FlowState | None = None

    @property
    def state(self) -> flow.FlowState:
        assert self._state is not None, "the call has not begun"
        return self._state

    async def start(self, context: CallContext) -> TurnReply:
        return self._reply(flow.start(self._survey, context))

    async def turn(self, call_id: str, turn: UserTurn) -> TurnReply:
        turn = turn.model_copy(update={"at": NOW})
        understood = LANGUAGES[self._survey.language].intent_of(turn.text)
        if turn.source is TurnSource.SPEECH and understood is not None:
            intent, topic = understood
            turn = turn.model_copy(update={"intent": intent, "intent_confidence": SURE, "topic": topic})
        return self._reply(flow.next_step(self._survey, self.state, turn))

    def expects(self) -> Expectation | None:
        return flow.expectation(self._survey, self.state)

    def _reply(self, step: flow.Step) -> TurnReply:
        self._state = step.state
        return TurnReply(directives=step.directives)


@dataclass(frozen=True)
class Caller:
    """Answers every question after his temper; `says` are exceptions, by the question's id."""

    temper: Temper
    language: Language
    says: Mapping[str, str] = field(default_factory=dict)

    def words(self, question_id: str, expected: Expectation) -> str:
        """What he says; to an answer of his that is read back he agrees."""
        if expected.kind == "confirm":
            return self.language.yes
        if question_id in self.says:
            return self.says[question_id]
        content = self.temper == "satisfied"
        language = self.language
        match expected.kind:
            case "scale":
                return language.numbers[expected.high if content else expected.low]
            case "number":
                return language.numbers[expected.low]
            case "yes_no":
                return language.yes if content else language.no
            case "choice":
                return expected.options[0].say[0]
            case "multi_choice":
                return f" {language.both} ".join(option.say[0] for option in expected.options[:2])
            case "date":
                return language.when
            case "open":
                return language.praise if content else language.complaint


@dataclass(frozen=True)
class Simulated:
    """What came of a call. `whispered` is what the agent alone heard; `longest_silence_s` is between
    two sounds of the bot."""

    disposition: Disposition
    answers: dict[str, Answer]
    said: list[str]
    whispered: list[str]
    expected: list[str]
    seconds: float
    longest_silence_s: float


def context_of(survey: Survey) -> CallContext:
    language = LANGUAGES[survey.language]
    return CallContext(
        call_id="call-1",
        survey_hash=survey_hash(survey),
        direction="outbound",
        customer=Person(first_name=language.customer),
        agent=Person(first_name=language.agent),
    )


def simulate(survey: Survey, temper: Temper, says: Mapping[str, str] | None = None) -> Simulated:
    """One call on virtual time. An accepted offer is taken by a human who hangs up again."""
    dialogue = FlowDialogue(survey)
    bench = Bench(dialogue=dialogue)  # type: ignore[arg-type]
    bench.desk.person("responsible", "responsible", AGENT)
    caller = Caller(temper, LANGUAGES[survey.language], says or {})
    # What a recording holds, and that it waits for the consent, is tested elsewhere.
    plan = replace(plan_of(survey, context_of(survey), "attempt-1"), record=False)

    async def talk() -> tuple[Disposition, ScriptedLeg]:
        leg = ScriptedLeg()
        bench.phones.legs[AGENT] = agent = ScriptedLeg(direction="outbound")
        session = asyncio.create_task(CallSession(plan, bench.room()).inbound(leg))
        await answer_all(bench, dialogue, caller, leg, agent, plan.texts.handover.accept)
        return await session, leg

    disposition, leg = run(talk())
    spans = [(at, at + pcm.seconds) for at, pcm in leg.played]
    ended = bench.sink.of(CallEnded)[0]
    return Simulated(
        disposition=disposition,
        answers={event.question_id: event.answer for event in bench.sink.of(AnswerRecorded)},
        said=[event.text for event in bench.sink.of(PromptStarted)],
        whispered=[event.whisper for event in bench.sink.of(HandoverStarted)],
        expected=[event.expects for event in bench.sink.of(ListeningStarted)],
        seconds=ended.duration_s,
        longest_silence_s=max(later[0] - earlier[1] for earlier, later in pairwise(spans)),
    )


async def answer_all(
    bench: Bench, dialogue: FlowDialogue, caller: Caller, leg: ScriptedLeg, agent: ScriptedLeg, accept: str
) -> None:
    """Speak whenever the bot listens, until the call is over; the agent takes it when he is asked to."""
    turning: tuple[type[CallEvent], ...] = (ListeningStarted, PromptStarted, HandoverConnected, CallEnded)
    seen = 0
    while True:
        events = [event for event in bench.sink.events if isinstance(event, turning)]
        if len(events) == seen:
            count = len(bench.sink.events)
            await bench.sink.until(lambda count=count: len(bench.sink.events) > count)  # type: ignore[misc]
            continue
        event = events[seen]
        seen += 1
        if isinstance(event, CallEnded):
            return
        if isinstance(event, HandoverConnected):
            agent.say(tone(TALK_S, agent.rate))
            await agent.said()
            agent.remote_hang_up()
        elif isinstance(event, PromptStarted):
            if event.text == accept:
                agent.press("1")
        elif isinstance(event, ListeningStarted) and caller.temper != "silent":
            words = _words(dialogue, caller, event.question_id)
            bench.words.coming.append(words)
            leg.say(tone(0.1 * len(words), leg.rate))


def _words(dialogue: FlowDialogue, caller: Caller, question_id: str) -> str:
    expected = dialogue.expects()
    assert expected is not None, "the bot listens and expects nothing"
    if question_id == "offer":
        return caller.language.no if caller.temper == "satisfied" else caller.language.yes
    return caller.words(question_id, expected)
