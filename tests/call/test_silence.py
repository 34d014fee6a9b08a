"""No dead air beyond two seconds, whatever is slow: measured on what the caller heard."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from itertools import pairwise

import pytest

from bot.call.session import CallSession
from bot.core.audio import FRAME_S, Pcm, frame_bytes
from bot.core.context import CallContext
from bot.core.directives import Ask, Directive, End, OpenExpected, Say, ScaleExpected, TurnReply
from bot.core.endings import Disposition
from bot.core.events import Answered, CallEvent, ListeningStarted, PromptResumed, PromptStarted, TurnHeard
from telephony.scripted import ScriptedLeg
from telephony.tones import tone
from telephony.virtual_time import run
from tests.call.fakes import FILLER, Bench, Dialogue, Sink, Voices
from tests.call.test_session import NINE, NPS, OPEN, call, prompt_ended, said, say

CONSENT = Say(
    text="здравствуйте это голосовой помощник разговор записывается", purpose="consent", protected=True
)
AGAIN = Ask(
    question_id="nps",
    text="назовите число от нуля до десяти",
    expectation=ScaleExpected(low=0, high=10),
    attempt=2,
)
CLOSING = End(disposition=Disposition.COMPLETED, text="спасибо всего доброго")
PROMISED_S = 2.0


def gaps(leg: ScriptedLeg, spoken: list[tuple[float, float]], *, until_s: float) -> list[float]:
    """Seconds in which neither our sound nor the caller's own was on the line."""
    spans = sorted([*spoken, *((at, at + pcm.seconds) for at, pcm in leg.played)])
    ends, last = [], 0.0
    for begin, end in spans:
        if begin >= until_s:
            break
        ends.append((last, begin))
        last = max(last, end)
    return [begin - end for end, begin in ends]


def unheard(leg: ScriptedLeg, spoken: list[tuple[float, float]], *, until_s: float) -> list[float]:
    """The same where a prompt was paused: by what came over the line."""
    size = frame_bytes(leg.rate)
    last, found = 0.0, []
    for number in range(round(until_s / FRAME_S)):
        at = number * FRAME_S
        own = any(begin <= at < end for begin, end in spoken)
        if own or any(leg.heard[number * size : (number + 1) * size]):
            found.append(at - last)
            last = at
    return found


class Talker:
    """A caller who notes when he speaks."""

    def __init__(self, bench: Bench, leg: ScriptedLeg) -> None:
        self.bench, self.leg = bench, leg
        self.spoken: list[tuple[float, float]] = []

    async def say(self, words: str, seconds: float = 0.5) -> None:
        began = self.leg.media_s
        await say(self.bench, self.leg, words, seconds)
        self.spoken.append((began, self.leg.media_s))


class SlowSink(Sink):
    """A disk that takes `slow_s` for each event."""

    slow_s = 0.0

    async def commit(self, event: CallEvent) -> None:
        if self.slow_s:
            await asyncio.sleep(self.slow_s)
        await super().commit(event)


class LateOpening(Dialogue):
    """Takes `opens_s` to begin."""

    opens_s = 0.0
    begun = 0

    async def start(self, context: CallContext) -> TurnReply:
        self.begun += 1
        await asyncio.sleep(self.opens_s)
        return await super().start(context)


@pytest.mark.parametrize("slow_s", [0.3, 1.0, 1.9, 3.0, 7.0])
@pytest.mark.parametrize("opening", [(), (CONSENT,)])
def test_a_slow_disk_is_no_dead_line(slow_s: float, opening: tuple[Directive, ...]) -> None:
    sink = SlowSink()
    bench = Bench(sink=sink)
    found: list[float] = []

    async def caller(leg: ScriptedLeg) -> None:
        talker = Talker(bench, leg)
        sink.slow_s = slow_s
        await sink.until(lambda: sink.of(ListeningStarted))
        await talker.say("девять")
        await sink.until(lambda: any(event.text == CLOSING.text for event in sink.of(PromptStarted)))
        closing_s = leg.played[-1][0]
        await leg.ended
        found.extend(gaps(leg, talker.spoken, until_s=closing_s))

    assert call(bench, caller, (*opening, NPS), (NINE, CLOSING)) is Disposition.COMPLETED
    assert found
    assert max(found) < PROMISED_S
    assert said(bench)[-1] == CLOSING.text, "nobody is told to wait after the farewell"


@pytest.mark.parametrize("slow_s", [1.9, 3.0, 7.0])
def test_a_slow_disk_is_no_dead_line_for_who_coughs_over_the_question(slow_s: float) -> None:
    sink = SlowSink()
    bench = Bench(sink=sink)
    found: list[float] = []

    async def caller(leg: ScriptedLeg) -> None:
        talker = Talker(bench, leg)
        await sink.until(lambda: sink.of(PromptStarted))
        await asyncio.sleep(0.3)
        sink.slow_s = slow_s
        await talker.say("", 0.1)
        await sink.until(lambda: sink.of(ListeningStarted))
        sink.slow_s = 0.0
        await talker.say("девять")
        await sink.until(lambda: any(event.text == CLOSING.text for event in sink.of(PromptStarted)))
        closing_s = leg.played[-1][0]
        await leg.ended
        found.extend(unheard(leg, talker.spoken, until_s=closing_s))

    long = NPS.model_copy(update={"text": "насколько вы готовы порекомендовать нас от нуля до десяти"})
    assert call(bench, caller, (long,), (NINE, CLOSING)) is Disposition.COMPLETED
    assert [event.because for event in sink.of(PromptResumed)] == ["noise"]
    assert max(found) < PROMISED_S


@pytest.mark.parametrize("slow_s", [1.0, 1.4])
@pytest.mark.parametrize("words", ["ну наверное", "девять"])
def test_a_slow_synthesiser_is_no_dead_line(slow_s: float, words: str) -> None:
    class SlowVoices(Voices):
        async def get(self, text: str, *, voice: str, language: str, rate: int) -> Pcm:
            if text != FILLER:
                await asyncio.sleep(slow_s)
            return await super().get(text, voice=voice, language=language, rate=rate)

    bench = Bench(voices=SlowVoices())
    found: list[float] = []

    async def caller(leg: ScriptedLeg) -> None:
        talker = Talker(bench, leg)
        await bench.sink.until(lambda: bench.sink.of(ListeningStarted))
        await talker.say(words)
        await bench.sink.until(lambda: len(bench.sink.of(ListeningStarted)) == 2)
        await talker.say("девять")
        await leg.ended
        found.extend(gaps(leg, talker.spoken, until_s=1e9))

    lead = Say(text="извините не удалось разобрать", purpose="no_match")
    replies = ((CONSENT, NPS), (lead, AGAIN), (NINE, CLOSING))
    assert call(bench, caller, *replies) is Disposition.COMPLETED
    assert max(found) < PROMISED_S


def test_a_filler_is_said_at_once_and_written_down_behind() -> None:
    sink = SlowSink()
    bench = Bench(sink=sink)

    async def caller(leg: ScriptedLeg) -> None:
        await prompt_ended(bench, 1)
        sink.slow_s = 3.0
        await say(bench, leg, "девять")
        await leg.ended

    call(bench, caller, (NPS,), (NINE, CLOSING))
    filler = next(event for event in bench.sink.of(PromptStarted) if event.text == FILLER)
    turn = bench.sink.of(TurnHeard)[0]
    assert filler.media_s is not None
    assert turn.ended_s is not None
    assert filler.media_s - turn.ended_s < PROMISED_S
    assert filler.seq > turn.seq
    assert bench.sink.kinds()[-1] == "call_ended"


def test_a_filler_gives_way_to_the_caller() -> None:
    bench = Bench()
    cut: list[float] = []

    async def caller(leg: ScriptedLeg) -> None:
        await prompt_ended(bench, 1)
        bench.dialogue.slow_s = 3.0
        await say(bench, leg, "девять")
        await bench.sink.until(lambda: FILLER in said(bench))
        sounded = len(leg.played)  # the filler comes with the next frame
        await asyncio.sleep(0.1)
        leg.say(tone(0.6, leg.rate))
        await leg.said()
        cut.append(leg.played[sounded][1].seconds)
        await leg.ended

    call(bench, caller, (NPS,), (NINE, CLOSING))
    assert cut[0] < 0.25 < 0.05 * len(FILLER)


@pytest.mark.parametrize("slow_s", [1.2, 3.0, 5.0])
def test_nobody_is_asked_to_wait_before_he_knows_who_calls(slow_s: float) -> None:
    dialogue = LateOpening()
    dialogue.opens_s = slow_s
    bench = Bench(dialogue=dialogue)
    found: list[float] = []

    async def caller(leg: ScriptedLeg) -> None:
        await prompt_ended(bench, 2)
        found.extend(gaps(leg, [], until_s=1e9))
        leg.remote_hang_up()

    call(bench, caller, (CONSENT, NPS))
    assert said(bench)[0] == CONSENT.text
    assert FILLER not in said(bench)
    assert max(found) < PROMISED_S


# Signs of listening -------------------------------------------------------------------------


def signs(leg: ScriptedLeg) -> list[float]:
    """When the quiet sign was given, which lasts 0.1 s."""
    return [round(at, 2) for at, pcm in leg.played if abs(pcm.seconds - 0.1) < 0.011]


def open_answer(tell: Callable[[ScriptedLeg], Awaitable[None]]) -> tuple[list[float], Bench]:
    bench = Bench()
    given: list[float] = []

    async def caller(leg: ScriptedLeg) -> None:
        await prompt_ended(bench, 1)
        bench.words.coming.append("очень долго ждал")
        await tell(leg)
        await leg.ended
        given.extend(signs(leg))

    assert call(bench, caller, (OPEN,), (CLOSING,)) is Disposition.COMPLETED
    return given, bench


def test_who_tells_a_long_story_hears_now_and_then_that_he_is_listened_to() -> None:
    paused: list[float] = []

    async def tell(leg: ScriptedLeg) -> None:
        for _ in range(8):
            leg.say(tone(2.0, leg.rate))
            await leg.said()
            paused.append(leg.media_s)
            await asyncio.sleep(1.0)

    given, bench = open_answer(tell)
    assert len(bench.sink.of(TurnHeard)) == 1, "a sign is no answer and ends none"
    assert given[0] == pytest.approx(paused[1] + 0.7, abs=0.05), "not in the first four seconds"
    assert 2 <= len(given) <= 4
    assert all(later - earlier >= 8.0 for earlier, later in pairwise(given))
    assert all(any(0 < at - pause <= 0.75 for pause in paused) for at in given), "never over his words"


def test_a_short_comment_brings_no_sign() -> None:
    async def tell(leg: ScriptedLeg) -> None:
        leg.say(tone(2.0, leg.rate))
        await leg.said()

    given, _ = open_answer(tell)
    assert given == []


def test_a_closed_question_brings_no_sign_within_a_pause() -> None:
    bench = Bench()
    given: list[float] = []

    async def caller(leg: ScriptedLeg) -> None:
        await prompt_ended(bench, 1)
        bench.words.coming.append("ну сейчас подумаю")
        for _ in range(3):
            leg.say(tone(2.0, leg.rate))
            await leg.said()
            await asyncio.sleep(1.0)
        await leg.ended
        given.extend(signs(leg))

    call(bench, caller, (NPS,), (CLOSING,))
    assert given == []
    assert not isinstance(NPS.expectation, OpenExpected)


# The beginning ------------------------------------------------------------------------------


def test_the_dialogue_begins_while_the_telephone_rings() -> None:
    dialogue = LateOpening()
    dialogue.opens_s = 1.2
    bench = Bench(dialogue=dialogue)
    bench.dialogue.replies.append((CONSENT, NPS))
    greeted: list[float] = []

    async def ring() -> Disposition:
        leg = bench.phones.legs["sip:a@test.invalid"] = ScriptedLeg(direction="outbound", answered=False)
        session = asyncio.create_task(CallSession(bench.plan(), bench.room()).outbound("sip:a@test.invalid"))
        await asyncio.sleep(5.0)
        leg.remote_answer()
        await prompt_ended(bench, 2)
        greeted.append(leg.played[0][0])
        leg.remote_hang_up()
        return await session

    assert run(ring()) is Disposition.HUNG_UP
    assert said(bench) == [CONSENT.text, NPS.text]
    assert greeted[0] < 1.5, "only the wait for an «алло»"


def test_a_call_that_is_not_taken_leaves_no_dialogue_behind() -> None:
    dialogue = LateOpening()
    dialogue.opens_s = 100.0
    bench = Bench(dialogue=dialogue)

    async def ring() -> tuple[Disposition, int]:
        disposition = await CallSession(bench.plan(), bench.room()).outbound("sip:busy@test.invalid")
        return disposition, len(asyncio.all_tasks())

    assert run(ring()) == (Disposition.BUSY, 1)
    assert dialogue.begun == 1


@pytest.mark.parametrize(("opens_s", "rings_s"), [(0.0, 0.0), (1.2, 1.2), (10.0, 2.0)])
def test_a_call_that_comes_in_rings_until_the_dialogue_has_begun(opens_s: float, rings_s: float) -> None:
    dialogue = LateOpening()
    dialogue.opens_s = opens_s
    bench = Bench(dialogue=dialogue)
    rang: list[float] = []

    async def caller(leg: ScriptedLeg) -> None:
        began = asyncio.get_running_loop().time()
        await bench.sink.until(lambda: bench.sink.of(Answered))
        rang.append(asyncio.get_running_loop().time() - began)
        await prompt_ended(bench, 1)
        leg.remote_hang_up()

    call(bench, caller, (CONSENT, NPS))
    assert rang[0] == pytest.approx(rings_s, abs=0.05)
    assert said(bench)[0] == CONSENT.text
