from __future__ import annotations

import wave
from pathlib import Path

import numpy as np
import pytest

from bot.core.control import ControlClient
from bot.core.errors import Unavailable
from bot.core.events import CallEvent
from bot.sim.capture import read_capture, recompute
from bot.sim.measure import window_levels
from bot.sim.nursery import Nursery
from bot.sim.results import CallReport, SimReport
from bot.sim.run import run_scenario
from bot.sim.scenario import load_scenario
from tests.sim.fake_node import PROMPT_S, FakeNode, burst, fake_node

SURVEYS = {"nps": ["nps", "comment"], "unhappy": ["nps", "offer"], "csat": ["csat", "resolved"]}


async def simulate(
    tmp_path: Path,
    text: str,
    *,
    capture: bool = False,
    events: list[CallEvent] | None = None,
    nodes: list[FakeNode] | None = None,
) -> SimReport:
    with wave.open(str(tmp_path / "one.wav"), "wb") as file:
        file.setparams((1, 2, 8000, 0, "NONE", ""))
        # Half a second of voice between silences, as recordings have them.
        quiet = np.zeros(800, np.int16)
        file.writeframes(np.concatenate([quiet, burst(0.5), quiet]).tobytes())
    path = tmp_path / "scenario.yaml"
    path.write_text(text)
    async with (
        fake_node(tmp_path / "control.sock", SURVEYS) as node,
        await ControlClient.connect(node.server.path) as control,
    ):
        if nodes is not None:
            nodes.append(node)
        host, port = node.agent.transactions.local
        seen = events if events is not None else []
        folder = tmp_path / "capture" if capture else None
        report = await run_scenario(load_scenario(path), control, f"{host}:{port}", folder, seen.append)
    assert not node.stalls, "the fake node was held up"
    assert not any(call.stalls for call in report.calls), "a telephone was held up"
    return report


async def one(tmp_path: Path, text: str, **options: bool) -> CallReport:
    (call,) = (await simulate(tmp_path, text, **options)).calls
    return call


async def test_a_caller_answers_what_he_is_asked_and_the_gaps_are_measured_at_his_socket(
    tmp_path: Path,
) -> None:
    text = """
calls:
  - name: satisfied
    survey: nps
    customer: {first_name: Иван}
    answers:
      nps: {say: one.wav}
      comment: [{say: one.wav}, {pause_s: 0.02}, {say: one.wav}]
    expect: {disposition: completed, answers: {nps: spoken, comment: "*"}, max_reply_gap_ms: 900}
"""
    events: list[CallEvent] = []
    nodes: list[FakeNode] = []
    report = await simulate(tmp_path, text, capture=True, events=events, nodes=nodes)
    (call,) = report.calls
    assert call.failures == []
    assert report.ok
    assert nodes[0].placed[0]["customer"]["first_name"] == "Иван"
    assert call.said == ["nps: one.wav", "comment: one.wav", "comment: one.wav"]
    # The bot replies 0.3 s after the last voice, and polls every 10 ms: no less, and little more. The
    # first of the two clips of the comment is followed by the second, not by a reply.
    assert len(call.reply_gaps_ms) == 2
    assert all(280 <= gap <= 450 for gap in call.reply_gaps_ms)
    assert call.packets_lost == 0
    assert events[0].kind == "call_started"
    assert events[-1].kind == "call_ended"
    turns, sent, received = read_capture(tmp_path / "capture" / "satisfied.json")
    assert len(turns.turns) == 3
    assert [cue.question_id for cue in turns.cues] == ["nps", "comment"]
    for turn in turns.turns:  # he waited until the prompt was over
        assert np.abs(received[max(turn.start - 2000, 0) : turn.start]).max() < 500
        assert not turn.talked_over
    assert sent.size == received.size
    first = turns.turns[0]
    assert (np.abs(sent[first.start + 800 : first.start + 4800]).reshape(-1, 80).max(axis=1) > 500).all()
    assert not np.abs(received[first.start : first.end]).max() > 500
    (again,) = recompute(tmp_path / "capture")
    assert again.agrees
    assert again.reply_gaps_ms == call.reply_gaps_ms


async def test_a_caller_amid_noise_sends_it_under_all_that_he_says(tmp_path: Path) -> None:
    text = """
calls:
  - name: street
    survey: nps
    caller: {noise_dbfs: -52}
    answers: {nps: {say: one.wav}, comment: {silence: true}}
"""
    call = await one(tmp_path, text, capture=True)
    assert len(call.reply_gaps_ms) == 1
    turns, sent, _ = read_capture(tmp_path / "capture" / "street.json")
    (turn,) = turns.turns
    for quiet in (sent[turn.start - 1600 : turn.start], sent[turn.end : turn.end + 4000]):
        assert np.median(window_levels(quiet)) == pytest.approx(-52, abs=1)
    clip = np.concatenate([np.zeros(800, np.int16), burst(0.5), np.zeros(800, np.int16)])
    under = sent[turn.start : turn.start + clip.size] - clip
    assert np.median(window_levels(under)) == pytest.approx(-52, abs=1)


async def test_who_talks_over_the_prompt_does_so(tmp_path: Path) -> None:
    text = f"""
calls:
  - name: eager
    survey: csat
    answers:
      csat: {{say: one.wav, during_prompt: true, after_s: {PROMPT_S / 2}}}
      resolved: {{keys: "1"}}
"""
    await one(tmp_path, text, capture=True)
    turns, _, received = read_capture(tmp_path / "capture" / "eager.json")
    assert turns.turns[0].talked_over
    assert np.abs(received[turns.turns[0].start :][:800]).max() > 500


async def test_keys_and_headers_of_one_who_rings_the_node(tmp_path: Path) -> None:
    text = """
calls:
  - name: inbound
    direction: inbound
    survey: csat
    headers: {X-Agent-Id: "42"}
    answers: {csat: {keys: "4"}, resolved: {keys: "1"}}
    expect: {disposition: completed, answers: {csat: "4", resolved: "1"}}
"""
    nodes: list[FakeNode] = []
    report = await simulate(tmp_path, text, nodes=nodes)
    (call,) = report.calls
    assert call.failures == []
    invite = nodes[0].invites[0].invite
    assert invite is not None
    assert invite.headers.get("X-Agent-Id") == "42"
    assert invite.sender.uri.user == "inbound"
    assert len(call.reply_gaps_ms) == 2


async def test_a_transfer_is_measured_on_both_sides(tmp_path: Path) -> None:
    text = """
agents: [{name: demo-agent, does: talks, tone_hz: 440}]
calls:
  - &unhappy
    name: unhappy
    survey: unhappy
    answers: {nps: {say: one.wav}, offer: {say: one.wav}}
    after_transfer: {tone_hz: 700, expect_hz: 440, listen_s: 1.5}
    expect: {disposition: transferred, transferred_to: responsible}
  - <<: *unhappy
    name: wrong-tone
    after_transfer: {tone_hz: 800, expect_hz: 600, listen_s: 1.2}
"""
    call, wrong = (await simulate(tmp_path, text)).calls
    assert call.failures == []
    assert call.tones.caller_heard is not None
    assert call.tones.agent_heard is not None
    assert (call.tones.caller_heard.hz, call.tones.agent_heard.hz) == (440, 700)
    assert call.tones.caller_heard.dominance > 0.9
    assert call.tones.agent_heard.level_dbfs == pytest.approx(-12, abs=1)
    assert call.ended == "local_hangup"
    assert len(wrong.failures) == 1
    assert "клиент не слышал агента: тон 600 Гц" in wrong.failures[0]


async def test_phones_that_do_not_answer_and_what_differs_from_the_scenario(tmp_path: Path) -> None:
    text = """
at_once: 2
calls:
  - {name: busy, survey: nps, caller: {on_invite: busy}, expect: {disposition: busy}}
  - {name: refusing, survey: nps, caller: {on_invite: decline, ring_s: 0.1}, expect: {disposition: completed}}
  - {name: absent, survey: none}
"""
    report = await simulate(tmp_path, text)
    busy, refusing, absent = report.calls
    assert (busy.ok, busy.disposition, busy.ended) == (True, "busy", "rejected")
    assert refusing.failures == ["исход declined, а ожидался completed"]
    assert absent.failures == ["нет опроса none"]
    assert not report.ok
    assert report.as_json()["calls"][0]["ok"]


async def test_who_leaves_falls_silent_stops_his_rtp_or_never_answers(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("bot.sim.one_call.REPORTED_WITHIN_S", 2.0)
    text = """
at_once: 4
calls:
  - name: leaver
    survey: nps
    answers: {nps: [{say: one.wav}, {hang_up: true}]}
  - name: silent
    survey: nps
    answers: {nps: {silence: true}, extra: {keys: "1"}}
  - name: mute
    survey: nps
    answers: {nps: [{say: one.wav}, {stop_rtp: true}], comment: {say: one.wav}}
    expect: {disposition: completed}
  - name: stuck
    survey: nps
    caller: {on_invite: no_answer}
    limit_s: 0.5
"""
    report = await simulate(tmp_path, text)
    leaver, silent, mute, stuck = report.calls
    assert (leaver.ended, leaver.reply_gaps_ms) == ("local_hangup", [])
    assert (silent.unanswered, silent.unasked, silent.said) == (["comment"], ["extra"], [])
    assert silent.longest_silence_s >= 0.9
    assert silent.longest_bot_silence_s < 0.5
    assert mute.failures == []
    assert "звонок не кончился за 0.5 с" in stuck.failures[0]


async def test_a_phone_that_cannot_start_is_reported(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    nursery = Nursery()
    monkeypatch.setattr("bot.sim.nursery.sys.executable", "/bin/true")
    monkeypatch.setattr("bot.sim.peer_process.NURSERY", nursery)
    with pytest.raises(Unavailable, match="one не запустился"):
        await one(tmp_path, "calls: [{name: one, survey: nps}]")
    nursery.close()
