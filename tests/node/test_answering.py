"""Real calls that no person takes: a mailbox with a beep, and a carrier's words before the answer."""

from __future__ import annotations

import asyncio
from dataclasses import replace
from pathlib import Path
from typing import Any

import soundfile

from bot.call.plan import CallRoom
from bot.call.session import CallSession
from bot.core.answerer import Answerer
from bot.core.clock import SystemClock
from bot.core.directives import Ask, Say, ScaleExpected
from bot.core.endings import Disposition
from bot.core.events import Answered, AnswererClassified, AnswerRecorded, PromptEnded, PromptStarted
from bot.settings import PROJECT
from bot.sim.run import run_scenario
from bot.sim.scenario import Scenario
from bot.speech.files import read_audio
from bot.speech.voices import SileroVoices
from telephony.tones import tone
from tests.call.fakes import Bench
from tests.node.running import RunningNode
from tests.telephony.conformance import best_dbfs
from tests.telephony.peers import SipEndpoint, rtp_party, sip_endpoint, sipp

CLIPS = PROJECT / "tests" / "data" / "amd" / "tuning"
TALK = (
    Say(text="здравствуйте, это опрос о качестве обслуживания", purpose="introduction"),
    Ask(question_id="nps", text="от нуля до десяти", expectation=ScaleExpected(low=0, high=10)),
)
MESSAGE = "перезвоните нам, пожалуйста"


def room(bench: Bench, endpoint: SipEndpoint) -> CallRoom:
    """The stand-ins of a call's neighbours, but for the line, its voice activity and the time."""

    async def dial(uri: str, timeout_s: float, placed: Any = None) -> Any:
        return await endpoint.dial(uri, timeout_s=timeout_s, placed=placed)

    return replace(bench.room(), dial=dial, vad=SileroVoices().line, clock=SystemClock())


async def test_a_message_is_left_on_a_real_line_after_the_beep(tmp_path: Path) -> None:
    bench = Bench()
    bench.dialogue.replies.extend([TALK, TALK, TALK])
    async with (
        rtp_party() as party,
        sipp("uas_talk", tmp_path, rtp_port=party.address) as peer,
        sip_endpoint() as endpoint,
    ):
        party.say(read_audio(CLIPS / "voicemail_01.wav"))
        plan = replace(bench.plan(), message=MESSAGE)
        disposition = await CallSession(plan, room(bench, endpoint)).outbound(peer.uri)
        assert await peer.succeeded(), peer.log
    assert disposition is Disposition.VOICEMAIL
    found = bench.sink.of(AnswererClassified)[-1]
    assert found.answerer is Answerer.VOICEMAIL
    assert "beep" in found.reasons[0]
    message = bench.sink.of(PromptStarted)[-1]
    assert (message.text, message.purpose) == (MESSAGE, "message")
    assert message.media_s is not None
    assert found.media_s is not None
    assert -0.001 <= message.media_s - found.media_s <= 0.5
    assert bench.sink.of(PromptEnded)[-1].completed
    heard = party.heard_since(party.heard[-1][0] - 1.0, 2.0)
    assert best_dbfs(heard, 425) > -20, "the mailbox has recorded it"


async def test_a_carriers_words_before_a_refusal_are_no_answer(tmp_path: Path) -> None:
    bench = Bench()
    async with (
        rtp_party() as party,
        sipp(
            "uas_early_refused", tmp_path, rtp_port=party.address, status="480", reason="Unavailable"
        ) as peer,
        sip_endpoint() as endpoint,
    ):
        party.say(read_audio(CLIPS / "announcement_02.wav"))
        disposition = await CallSession(bench.plan(), room(bench, endpoint)).outbound(peer.uri)
        assert await peer.succeeded(), peer.log
    assert disposition is Disposition.UNAVAILABLE
    found = bench.sink.of(AnswererClassified)[-1]
    assert (found.answerer, found.early) == (Answerer.ANNOUNCEMENT, True)
    assert not bench.sink.of(Answered)
    assert not bench.sink.of(PromptStarted)


async def test_a_carriers_words_and_then_a_person(tmp_path: Path) -> None:
    """1.5 s of early media, then the answer, an «алло» and nothing more."""
    bench = Bench()
    bench.dialogue.replies.extend([TALK[:1]])
    async with (
        rtp_party() as party,
        sipp("uas_early", tmp_path, rtp_port=party.address) as peer,
        sip_endpoint() as endpoint,
    ):
        for hz in (950, 1400, 1800):
            party.say(tone(0.33, 8000, hz=hz, dbfs=-16))
        await CallSession(bench.plan(), room(bench, endpoint)).outbound(peer.uri)
        assert await peer.succeeded(), peer.log
    early, *later = bench.sink.of(AnswererClassified)
    assert (early.answerer, early.early) == (Answerer.ANNOUNCEMENT, True)
    assert not any(event.answerer.is_machine for event in later)
    kinds = bench.sink.kinds()
    assert kinds.index("answerer_classified") < kinds.index("answered")


def test_a_mailbox_is_no_completed_survey_on_a_whole_node(node: RunningNode, tmp_path: Path) -> None:
    clip = tmp_path / "mailbox.wav"
    sound, rate = soundfile.read(CLIPS / "voicemail_01.wav")
    soundfile.write(clip, sound, rate, subtype="PCM_16")
    call = {"name": "mailbox", "survey": "nps", "on_answer": {"say": clip}}
    events: list[Any] = []

    async def ring() -> Any:
        async with await node.connect() as control:
            scenario = Scenario.model_validate({"calls": [call]})
            return await run_scenario(scenario, control, node.sip, None, events.append)

    (report,) = asyncio.run(ring()).calls
    assert report.disposition == "voicemail", [event.model_dump() for event in events]
    assert report.answers == {}
    assert report.ended == "remote_hangup"
    assert [event for event in events if isinstance(event, AnswererClassified)][-1].answerer == "voicemail"
    assert not [event for event in events if isinstance(event, AnswerRecorded)]
