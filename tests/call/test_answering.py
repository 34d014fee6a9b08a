"""Outbound calls that a person, or a machine, takes: on virtual time, with the line's real sound."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from dataclasses import replace
from itertools import count

import numpy as np
import pytest

from bot.call.session import CallSession
from bot.core.answer import Answer, AnswerSource, AnswerStatus
from bot.core.answerer import Answerer
from bot.core.audio import Pcm
from bot.core.directives import Ask, Directive, End, OpenExpected, Record, Say, ScaleExpected
from bot.core.endings import Disposition, EndCause, EndKind, RetryCause, retry_cause
from bot.core.events import Answered, AnswererClassified, AnswerRecorded, CallEnded, PromptStarted, TurnHeard
from telephony.scripted import ScriptedLeg
from telephony.tones import tone
from telephony.virtual_time import run
from tests.call.fakes import FAREWELL, SORRY, Bench

URI = "sip:customer@test.invalid"
HELLO = Say(text="здравствуйте, это опрос", purpose="introduction")
NPS = Ask(question_id="nps", text="от нуля до десяти", expectation=ScaleExpected(low=0, high=10))
WHY = Ask(question_id="why", text="почему", expectation=OpenExpected())
NINE = Record(
    question_id="nps",
    question_kind="nps",
    answer=Answer(status=AnswerStatus.ANSWERED, value=9, source=AnswerSource.DTMF),
)
END = End(disposition=Disposition.COMPLETED, text="спасибо")
MESSAGE = "перезвоните нам, пожалуйста, мы ждём вашего звонка"

_noises = map(np.random.default_rng, count())

FarEnd = Callable[[ScriptedLeg], Awaitable[None]]


def speech(seconds: float) -> Pcm:
    """Noise at speech's level, never the same twice: to the scripted voice activity, voice is whatever is
    not silence."""
    wave = next(_noises).standard_normal(round(seconds * 8000)) * 2500
    return Pcm(np.clip(wave, -32768, 32767).astype("<i2").tobytes(), 8000)


async def says(leg: ScriptedLeg, *parts: float | Pcm) -> None:
    """Speech for positive seconds, silence for negative ones, or any sound, one after another."""
    for part in parts:
        if isinstance(part, Pcm):
            leg.say(part)
        elif part > 0:
            leg.say(speech(part))
        else:
            await asyncio.sleep(-part)
            continue
        await leg.said()


def beep(hz: float = 1000.0, seconds: float = 0.5) -> Pcm:
    return tone(seconds, 8000, hz=hz, dbfs=-16)


def place(
    bench: Bench,
    far_end: FarEnd,
    *replies: tuple[Directive, ...],
    message: str = "",
    answered: bool = True,
) -> tuple[Disposition, ScriptedLeg]:
    async def ring() -> tuple[Disposition, ScriptedLeg]:
        bench.dialogue.replies.extend(replies)
        leg = ScriptedLeg(direction="outbound", answered=answered)
        bench.phones.legs[URI] = leg
        plan = replace(bench.plan(), message=message)
        session = asyncio.create_task(CallSession(plan, bench.room()).outbound(URI))
        far = asyncio.create_task(far_end(leg))
        disposition = await session
        far.cancel()
        await asyncio.wait({far})
        if not far.cancelled():
            far.result()
        return disposition, leg

    return run(ring())


def said(bench: Bench) -> list[str]:
    return [event.text for event in bench.sink.of(PromptStarted)]


def classes(bench: Bench) -> list[Answerer]:
    return [event.answerer for event in bench.sink.of(AnswererClassified)]


def sounds(leg: ScriptedLeg) -> list[tuple[float, float]]:
    """Beginning and length of what the far end heard, but for silences."""
    return [(at, pcm.seconds) for at, pcm in leg.played if any(pcm.data)]


# Greeting -----------------------------------------------------------------------------------


async def answers_nine(bench: Bench, leg: ScriptedLeg) -> None:
    await bench.sink.until(lambda: "listening_started" in bench.sink.kinds())
    leg.press("9")


@pytest.mark.parametrize(("before_s", "alo_s"), [(0.2, 0.3), (0.5, 0.5), (0.9, 0.4), (1.1, 0.5), (0.3, 0.9)])
def test_the_greeting_waits_for_the_end_of_an_alo_and_no_longer(before_s: float, alo_s: float) -> None:
    bench = Bench()

    async def person(leg: ScriptedLeg) -> None:
        await says(leg, -before_s, alo_s)
        await answers_nine(bench, leg)

    disposition, leg = place(bench, person, (HELLO, NPS), (NINE, END))
    assert disposition is Disposition.COMPLETED
    greeted = sounds(leg)[0][0]
    assert 0.25 <= greeted - (before_s + alo_s) <= 0.5
    assert classes(bench) == [Answerer.HUMAN]


def test_whoever_says_nothing_is_greeted_all_the_same() -> None:
    bench = Bench()

    async def silent(leg: ScriptedLeg) -> None:
        await answers_nine(bench, leg)

    disposition, leg = place(bench, silent, (HELLO, NPS), (NINE, END))
    assert disposition is Disposition.COMPLETED
    assert sounds(leg)[0][0] == pytest.approx(1.2, abs=0.1)


def test_the_greeting_never_waits_for_a_verdict() -> None:
    bench = Bench()

    async def talks_on(leg: ScriptedLeg) -> None:
        await says(leg, -0.4, 9.0)

    _, leg = place(bench, talks_on, (HELLO, NPS), (END,))
    assert sounds(leg)[0][0] == pytest.approx(1.6, abs=0.1)
    assert bench.sink.of(AnswererClassified)[0].media_s == pytest.approx(7.4, abs=0.5)


def test_a_silent_person_is_asked_to_the_end() -> None:
    bench = Bench()

    async def silent(leg: ScriptedLeg) -> None:
        await leg.ended

    disposition, _ = place(bench, silent, (HELLO, NPS), (NPS,), (END,))
    assert disposition is Disposition.COMPLETED
    assert classes(bench) == [Answerer.SILENCE]
    assert len(bench.dialogue.turns) == 2


# Machines -----------------------------------------------------------------------------------


async def mailbox(leg: ScriptedLeg) -> None:
    await says(leg, -0.5, 2.0, -0.4, 2.5, -0.4, beep())
    await leg.ended


def test_a_mailbox_is_asked_nothing_more_and_bid_farewell() -> None:
    bench = Bench()
    disposition, leg = place(bench, mailbox, (HELLO, NPS), (NPS,), (END,))
    assert disposition is Disposition.VOICEMAIL
    assert said(bench)[-1] == FAREWELL
    assert classes(bench)[-1] is Answerer.VOICEMAIL
    assert "beep" in bench.sink.of(AnswererClassified)[-1].reasons[0]
    assert bench.sink.of(CallEnded)[0].cause is EndKind.LOCAL_HANGUP
    assert not bench.sink.of(AnswerRecorded)
    assert bench.sink.kinds()[-1] == "call_ended"
    assert leg.ended.done()


def test_a_message_begins_after_the_beep_and_is_left_whole() -> None:
    bench = Bench()
    disposition, leg = place(bench, mailbox, (HELLO, NPS), (NPS,), (END,), message=MESSAGE)
    assert disposition is Disposition.VOICEMAIL
    at, seconds = sounds(leg)[-1]
    assert 0.0 <= at - 6.3 <= 0.5, "it begins when the beep is over"
    assert seconds == pytest.approx(0.05 * len(MESSAGE), abs=0.03)
    assert said(bench)[-1] == MESSAGE


def test_a_message_waits_for_the_beep_of_a_mailbox_known_before() -> None:
    bench = Bench()

    async def long_greeting(leg: ScriptedLeg) -> None:
        await says(leg, -0.3, 4.0, -0.5, 5.0, -1.5, beep(800.0, 0.8))
        await leg.ended

    disposition, leg = place(bench, long_greeting, (HELLO, NPS), (NPS,), (END,), message=MESSAGE)
    assert disposition is Disposition.VOICEMAIL
    at, seconds = sounds(leg)[-1]
    assert 0.0 <= at - 12.1 <= 0.4
    assert seconds == pytest.approx(0.05 * len(MESSAGE), abs=0.03)


def test_a_message_that_a_late_beep_cuts_begins_anew() -> None:
    bench = Bench()

    async def slow_beep(leg: ScriptedLeg) -> None:
        await says(leg, -0.3, 4.0, -0.5, 5.0, -4.0, beep())
        await leg.ended

    _, leg = place(bench, slow_beep, (HELLO, NPS), (NPS,), (END,), message=MESSAGE)
    (_, first_s), (again, second_s) = sounds(leg)[-2:]
    assert first_s < 2.0
    assert 0.0 <= again - 14.3 <= 0.4, "after the beep"
    assert second_s == pytest.approx(0.05 * len(MESSAGE), abs=0.03)
    assert said(bench)[-2:] == [MESSAGE, MESSAGE]


def test_a_mailbox_without_a_beep_gets_its_message_in_the_silence() -> None:
    bench = Bench()

    async def no_beep(leg: ScriptedLeg) -> None:
        await says(leg, -0.3, 4.0, -0.5, 5.0)
        await leg.ended

    _, leg = place(bench, no_beep, (HELLO, NPS), (NPS,), (END,), message=MESSAGE)
    assert sounds(leg)[-1][0] == pytest.approx(9.8 + 3.0, abs=0.3)


def test_a_late_secretary_revises_the_verdict_and_is_not_asked_on() -> None:
    bench = Bench()

    async def secretary(leg: ScriptedLeg) -> None:
        await says(leg, -0.4, 0.5)
        await bench.sink.until(lambda: "listening_started" in bench.sink.kinds())
        await asyncio.sleep(20.0 - leg.media_s)  # late: the watch hears no words by itself any more
        bench.words.coming.append("абонент не может ответить я голосовой помощник")
        await says(leg, 2.5)
        await leg.ended

    patient = NPS.model_copy(update={"no_input_s": 20.0})
    disposition, _ = place(bench, secretary, (HELLO, patient), (NPS,), (END,))
    assert disposition is Disposition.SECRETARY
    assert classes(bench) == [Answerer.HUMAN, Answerer.SECRETARY]
    assert bench.sink.of(AnswererClassified)[-1].revised
    assert said(bench)[-1] == FAREWELL


def test_after_the_first_answer_nothing_is_revised() -> None:
    bench = Bench()

    async def person(leg: ScriptedLeg) -> None:
        await says(leg, -0.4, 0.5)
        await answers_nine(bench, leg)
        await bench.sink.until(lambda: bench.sink.of(AnswerRecorded))
        await bench.sink.until(lambda: bench.sink.kinds().count("listening_started") == 2)
        bench.words.coming.append("оставьте сообщение после сигнала")
        await says(leg, 2.5, -0.3, beep())

    disposition, _ = place(bench, person, (HELLO, NPS), (NINE, WHY), (END,))
    assert disposition is Disposition.COMPLETED
    assert classes(bench) == [Answerer.HUMAN]
    assert bench.sink.of(TurnHeard)[-1].text == "оставьте сообщение после сигнала"


def test_a_fax_hears_no_word_more() -> None:
    bench = Bench()

    async def fax(leg: ScriptedLeg) -> None:
        await says(leg, -0.5, tone(2.6, 8000, hz=2100, dbfs=-15))
        await leg.ended

    disposition, _ = place(bench, fax, (HELLO, NPS), (END,), message=MESSAGE)
    assert disposition is Disposition.FAX
    assert not {FAREWELL, MESSAGE} & set(said(bench))


def test_a_carrier_that_answers_to_say_it_cannot_is_unavailable() -> None:
    bench = Bench()

    async def carrier(leg: ScriptedLeg) -> None:
        await says(leg, *(tone(0.33, 8000, hz=hz, dbfs=-16) for hz in (950, 1400, 1800)), 2.0)
        leg.remote_hang_up()

    disposition, _ = place(bench, carrier, (HELLO, NPS), (END,))
    assert disposition is Disposition.UNAVAILABLE
    assert retry_cause(disposition) is RetryCause.UNAVAILABLE


def test_a_node_that_stops_lets_a_mailbox_go() -> None:
    bench = Bench()

    async def ring() -> Disposition:
        bench.dialogue.replies.extend([(HELLO, NPS), (NPS,), (END,)])
        bench.phones.legs[URI] = leg = ScriptedLeg(direction="outbound")
        session = CallSession(replace(bench.plan(), message=MESSAGE), bench.room())
        task = asyncio.create_task(session.outbound(URI))
        far = asyncio.create_task(mailbox(leg))
        await bench.sink.until(lambda: said(bench)[-1:] == [MESSAGE])
        session.interrupt()
        disposition = await task
        far.cancel()
        return disposition

    assert run(ring()) is Disposition.VOICEMAIL
    assert said(bench)[-1] == SORRY


# Before the answer --------------------------------------------------------------------------


async def announces(leg: ScriptedLeg) -> None:
    leg.remote_early_media()
    await says(leg, -0.4, 2.5, -0.3)


@pytest.mark.parametrize(
    ("cause", "disposition"),
    [
        (EndCause(EndKind.NO_ANSWER, 480), Disposition.UNAVAILABLE),
        (EndCause(EndKind.CANCELLED, 487), Disposition.UNAVAILABLE),
        (EndCause(EndKind.FAILED, 500), Disposition.UNAVAILABLE),
        (EndCause(EndKind.NOT_FOUND, 404), Disposition.INVALID_NUMBER),
        (EndCause(EndKind.BUSY, 486), Disposition.BUSY),
    ],
)
def test_a_carriers_words_say_why_nobody_answered(cause: EndCause, disposition: Disposition) -> None:
    bench = Bench()

    async def carrier(leg: ScriptedLeg) -> None:
        await announces(leg)
        leg.remote_refuse(cause)

    assert place(bench, carrier, answered=False)[0] is disposition
    (event,) = bench.sink.of(AnswererClassified)
    assert (event.answerer, event.early) == (Answerer.ANNOUNCEMENT, True)
    assert not bench.sink.of(Answered)
    assert not bench.dialogue.turns


def test_a_carriers_words_before_the_answer_never_count_as_answered() -> None:
    bench = Bench()

    async def carrier_then_person(leg: ScriptedLeg) -> None:
        await announces(leg)
        leg.remote_answer()
        await says(leg, -0.5, 0.5)
        await answers_nine(bench, leg)

    disposition, leg = place(bench, carrier_then_person, (HELLO, NPS), (NINE, END), answered=False)
    assert disposition is Disposition.COMPLETED
    assert classes(bench) == [Answerer.ANNOUNCEMENT, Answerer.HUMAN]
    kinds = bench.sink.kinds()
    assert kinds.index("answerer_classified") < kinds.index("answered")
    assert sounds(leg)[0][0] > 4.1, "the greeting waits for the person's own alo"


def test_ringing_without_words_is_no_answer() -> None:
    bench = Bench()

    async def rings(leg: ScriptedLeg) -> None:
        leg.remote_early_media()
        await says(leg, tone(1.0, 8000, hz=425), -4.0, tone(1.0, 8000, hz=425), -4.0)
        leg.remote_refuse(EndCause(EndKind.NO_ANSWER, 480))

    assert place(bench, rings, answered=False)[0] is Disposition.NO_ANSWER
    assert not classes(bench)


def test_words_are_settled_behind_a_second_of_silence() -> None:
    """The recogniser here knows them only when it must, and until then he is a person by his timing."""
    bench = Bench()
    bench.words.coming.append("оставьте сообщение после сигнала")

    async def far_end(leg: ScriptedLeg) -> None:
        await says(leg, 1.0)
        await bench.sink.until(lambda: Answerer.VOICEMAIL in classes(bench))

    disposition, _ = place(bench, far_end, (HELLO, NPS), (END,))
    assert disposition is Disposition.VOICEMAIL
    first, *_, last = bench.sink.of(AnswererClassified)
    assert first.answerer is Answerer.HUMAN
    assert last.media_s == pytest.approx(2.0, abs=0.1)
