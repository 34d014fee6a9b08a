"""What is recorded of a call, and what never is: measured in the files against what the caller heard."""

from __future__ import annotations

import asyncio
import wave
from pathlib import Path

import numpy as np
import pytest

from bot.call.recording_files import read_recording
from bot.core.events import ConsentHeard, PromptStarted, RecordingStarted, RecordingStopped
from bot.sim.g711 import RATE
from bot.sim.sounds import read_clip, read_tone
from tests.node.heard import ANOTHER, SAME, Sound, Talk, place_of, sentence, stored, talk
from tests.node.running import RunningNode
from tests.node.test_calls import AGENT, AUDIO, NINE, PRAISE, YES, scenario

NEAR_S = 0.35
"""How far two clocks of one call may be apart: jitter buffer, packets, and a machine that others use."""

CONSENT, INTRODUCTION, QUESTION = "Разговор записывается.", "Это опрос.", "Оценка от нуля до десяти?"


@pytest.fixture(scope="module")
def calls(node: RunningNode, tmp_path_factory: pytest.TempPathFactory) -> Talk:
    """Four calls at once: two that are recorded, one of them with an agent, and two that are not."""
    script = scenario(
        {"name": "kept", "answers": {"nps": NINE, "resolved": YES, "comment": PRAISE}},
        {"name": "handed", "answers": {"nps": AGENT}, "after_transfer": {"tone_hz": 700}},
        {"name": "unasked", "survey": "csat", "answers": {"csat": [{"keys": "5"}], "resolved": YES}},
        {"name": "left", "on_answer": [{"pause_s": 0.3}, {"hang_up": True}]},
        agents=[{"name": "human", "tone_hz": 440}],
        at_once=4,
    )

    async def run() -> Talk:
        async with await node.connect() as control:
            return await talk(node, script, tmp_path_factory.mktemp("calls"), control)

    return asyncio.run(run())


def recording(node: RunningNode, name: str) -> tuple[Sound, Sound]:
    """Left and right channel."""
    settings = node.settings
    sound = read_recording(settings.recordings_dir / name, settings.recording_keys)
    with sound, wave.open(sound, "rb") as file:
        assert (file.getnchannels(), file.getsampwidth(), file.getframerate()) == (2, 2, RATE)
        data = np.frombuffer(file.readframes(file.getnframes()), "<i2")
    return data[0::2], data[1::2]


def test_only_where_the_survey_says_so(node: RunningNode, calls: Talk) -> None:
    assert [calls.call(name).disposition for name in ("kept", "unasked")] == ["completed", "completed"]
    assert calls.of("unasked", ConsentHeard), "he heard the consent sentence out as well"
    files = {name: stored(node, calls.call(name).call_id).attempt.recording for name in ("kept", "unasked")}
    assert files == {"kept": f"{calls.call('kept').call_id}.wav", "unasked": ""}
    assert not list(node.settings.recordings_dir.glob(f"*{calls.call('unasked').call_id}*"))


def test_the_caller_is_left_and_the_bot_right(node: RunningNode, calls: Talk) -> None:
    left, right = recording(node, calls.of("kept", RecordingStarted)[0].file)
    for clip in (NINE, YES, PRAISE):
        said = read_clip(clip["say"])
        assert place_of(said, left).likeness > SAME
        assert place_of(said, right).likeness < ANOTHER
    for text in (INTRODUCTION, QUESTION, "Вопрос решён?", "Что добавите?", "Спасибо!"):
        prompt = sentence(node, text)
        assert place_of(prompt, right).likeness > SAME, text
        assert place_of(prompt, left).likeness < ANOTHER, text


def test_both_channels_keep_the_callers_time(node: RunningNode, calls: Talk) -> None:
    left, right = recording(node, calls.of("kept", RecordingStarted)[0].file)
    heard = calls.capture("kept")
    clip, prompt = read_clip(AUDIO / "009_elena.wav"), sentence(node, QUESTION)
    kept = place_of(clip, left).at_s - place_of(prompt, right).at_s
    lived = place_of(clip, heard.sent).at_s - place_of(prompt, heard.received).at_s
    assert kept == pytest.approx(lived, abs=NEAR_S)


def test_it_begins_when_the_consent_sentence_was_heard_out(node: RunningNode, calls: Talk) -> None:
    left, right = recording(node, calls.of("kept", RecordingStarted)[0].file)
    heard = calls.capture("kept")
    consent, clip = sentence(node, CONSENT), read_clip(AUDIO / "009_elena.wav")
    asked = place_of(consent, heard.received)
    assert asked.likeness > SAME
    # The recording's first moment on the caller's own clock: where his clip is in both tells it.
    began_s = place_of(clip, heard.sent).at_s - place_of(clip, left).at_s
    over_s = asked.at_s + consent.size / RATE
    assert began_s == pytest.approx(over_s, abs=NEAR_S)
    assert place_of(consent, right).likeness < ANOTHER
    assert place_of(consent, left).likeness < ANOTHER
    # And the first thing in it is the next sentence.
    assert place_of(sentence(node, INTRODUCTION), right).at_s < NEAR_S


def test_the_events_tell_the_files_length(node: RunningNode, calls: Talk) -> None:
    for name in ("kept", "handed"):
        (stopped,) = calls.of(name, RecordingStopped)
        left, _ = recording(node, stopped.file)
        assert left.size / RATE == pytest.approx(stopped.seconds, abs=0.05)
    (consent,) = calls.of("kept", ConsentHeard)
    (stopped,) = calls.of("kept", RecordingStopped)
    assert consent.media_s is not None
    assert calls.call("kept").seconds - consent.media_s == pytest.approx(stopped.seconds, abs=2 * NEAR_S)


def test_both_people_are_recorded_while_they_talk_and_the_agent_was_told(
    node: RunningNode, calls: Talk
) -> None:
    call = calls.call("handed")
    assert call.disposition == "transferred"
    assert call.failures == [], "the two did hear each other"
    assert [stopped.reason for stopped in calls.of("handed", RecordingStopped)] == ["end"]
    left, right = recording(node, calls.of("handed", RecordingStarted)[0].file)
    wish = read_clip(AGENT["say"])
    assert place_of(wish, left).likeness > SAME, "what led to it is there"
    assert place_of(sentence(node, "Соединяю."), right).likeness > SAME
    assert read_tone(left, 700).heard_s > 1.0, "the caller"
    assert read_tone(right, 440).heard_s > 1.0, "and the agent beside him"
    assert read_tone(left, 440).heard_s == 0
    assert read_tone(right, 700).heard_s == 0
    whispers = [prompt.text for prompt in calls.of("handed", PromptStarted) if prompt.purpose == "whisper"]
    assert "Разговор записывается." in whispers
    for whispered in whispers:
        assert place_of(sentence(node, whispered), right).likeness < ANOTHER, (
            "that one was not for the caller"
        )


def test_nothing_of_a_caller_who_leaves_during_the_consent(node: RunningNode, calls: Talk) -> None:
    call = calls.call("left")
    assert call.disposition == "hung_up"
    assert not calls.of("left", ConsentHeard)
    assert not calls.of("left", RecordingStarted)
    assert stored(node, call.call_id).attempt.recording == ""
    assert not list(node.settings.recordings_dir.glob(f"*{call.call_id}*"))
    assert place_of(sentence(node, CONSENT), calls.capture("left").received).likeness < SAME


def test_a_recording_is_the_owners_alone(node: RunningNode, calls: Talk) -> None:
    file: Path = node.settings.recordings_dir / calls.of("kept", RecordingStarted)[0].file
    assert file.stat().st_mode & 0o077 == 0
    assert file.parent.stat().st_mode & 0o077 == 0
