from __future__ import annotations

import shutil
from pathlib import Path

import numpy as np
import pytest
import soundfile

from bot.core.endings import Disposition
from bot.core.errors import ScenarioInvalid
from bot.sim.scenario import load_scenario
from bot.sim.script import OnInvite, Step
from bot.sim.sounds import read_clip, read_tone

SCENARIOS = Path(__file__).parents[2] / "bot" / "sim" / "scenarios"

GOOD = """\
calls:
  - name: one
    survey: nps
    answers:
      nps: {say: yes.wav, after_s: 0.5}
      nps#2: {keys: "7"}
      comment:
        - {say: yes.wav}
        - {pause_s: 0.5}
        - {stop_rtp: true}
    expect: {disposition: completed, answers: {nps: 9}}
agents:
  - name: demo-agent
"""


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    shutil.copy(SCENARIOS / "audio" / "да.wav", tmp_path / "yes.wav")
    return tmp_path


def write(folder: Path, text: str) -> Path:
    path = folder / "scenario.yaml"
    path.write_text(text)
    return path


def test_the_demo_is_four_calls_with_sounds_that_can_be_read() -> None:
    demo = load_scenario(SCENARIOS / "demo.yaml")
    assert [call.name for call in demo.calls] == ["satisfied", "unhappy", "busy", "inbound"]
    assert demo.calls[2].caller.on_invite is OnInvite.BUSY
    assert demo.calls[3].headers == {"X-Agent-Id": "42"}
    (step,) = demo.calls[0].answers["nps"]
    assert step.say is not None
    assert read_clip(step.say).size > 4000


def test_a_step_may_stand_alone_or_in_a_list(folder: Path) -> None:
    (call,) = load_scenario(write(folder, GOOD)).calls
    assert call.answers["nps"] == (Step(say=folder.resolve() / "yes.wav", after_s=0.5),)
    assert call.answers["nps#2"] == (Step(keys="7"),)
    assert [step.pause_s for step in call.answers["comment"]] == [None, 0.5, None]
    assert call.expect.disposition is Disposition.COMPLETED


@pytest.mark.parametrize(("name", "rate", "channels"), [("a.wav", 44100, 2), ("a.flac", 16000, 1)])
def test_anyones_sound_file_can_be_said(tmp_path: Path, name: str, rate: int, channels: int) -> None:
    """A tone at -6 dBFS is the same tone, as long and as loud, on the telephone."""
    tone = 0.5 * np.sin(2 * np.pi * 440 * np.arange(rate) / rate)
    soundfile.write(tmp_path / name, np.tile(tone[:, None], channels), rate)
    heard = read_clip(tmp_path / name)
    assert heard.size == pytest.approx(8000, abs=2)
    assert read_tone(heard, 440).heard_s == pytest.approx(1, abs=0.11)
    assert np.abs(heard[1000:7000]).max() == pytest.approx(16384, rel=0.02)


@pytest.mark.parametrize(
    ("old", "new", "line", "says"),
    [
        ("survey: nps", "surwey: nps", 2, "survey: нет обязательного поля"),
        ("    survey: nps\n", "    survey: nps\n    surwey: nps\n", 4, "surwey: такого поля нет"),
        ("yes.wav, after", "no.wav, after", 5, "no.wav"),
        ("{pause_s: 0.5}", "{pause_s: 0.5, hang_up: true}", 9, "что-то одно"),
        ("{pause_s: 0.5}", "{pause_s: -1}", 9, "pause_s"),
        ('keys: "7"', 'keys: "7x"', 6, "таких клавиш нет: x"),
        ("completed", "done", 11, "transferred"),
        ("name: one", "name: Один", 2, "name"),
        ("name: one", "name: one\n    name: two", 3, "duplicate key"),
        ("  - name: one", "  - {name: one, survey: nps}\n  - name: one", 1, "«one» описан дважды"),
        ("agents:\n  - name: demo-agent", "agents: [", 13, "YAML"),
    ],
)
def test_what_is_wrong_is_named_with_its_line(folder: Path, old: str, new: str, line: int, says: str) -> None:
    assert old in GOOD
    path = write(folder, GOOD.replace(old, new, 1))
    with pytest.raises(ScenarioInvalid, match=says) as caught:
        load_scenario(path)
    assert caught.value.place is not None
    assert (caught.value.place.file, caught.value.place.line) == (str(path), line)


def test_no_list_no_file_no_text(folder: Path) -> None:
    with pytest.raises(ScenarioInvalid, match="calls"):
        load_scenario(write(folder, "- one\n"))
    with pytest.raises(ScenarioInvalid, match="не читается"):
        load_scenario(folder / "none.yaml")
    (folder / "scenario.yaml").write_bytes(b"\xff\xfe")
    with pytest.raises(ScenarioInvalid, match="UTF-8"):
        load_scenario(folder / "scenario.yaml")


def test_what_is_no_sound_is_refused_with_its_line(folder: Path) -> None:
    (folder / "yes.wav").write_text("no sound at all")
    with pytest.raises(ScenarioInvalid, match=r"yes\.wav") as caught:
        load_scenario(write(folder, GOOD))
    assert "WAV" in caught.value.hint
    assert caught.value.place is not None
    assert caught.value.place.line == 5
