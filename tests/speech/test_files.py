from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
import soundfile

from bot.core.errors import AudioInvalid
from bot.speech.files import read_audio
from bot.speech.recogniser import VoskRecogniser
from bot.speech.sound import resample, to_samples
from tests.speech.sounds import clip

SAID = clip("039_nsh")


@pytest.mark.parametrize("rate", [8000, 11025, 16000, 22050, 44100, 48000])
@pytest.mark.parametrize("suffix", [".wav", ".flac"])
@pytest.mark.parametrize("channels", [1, 2])
def test_any_rate_format_and_number_of_channels_is_understood(
    tmp_path: Path, recogniser: VoskRecogniser, rate: int, suffix: str, channels: int
) -> None:
    samples, found = soundfile.read(SAID.path, dtype="float32")
    made = resample(samples, found, rate)
    path = tmp_path / f"said{suffix}"
    soundfile.write(path, np.stack([made] * channels, axis=1), rate, subtype="PCM_16")
    pcm = read_audio(path)
    assert pcm.rate == (8000 if rate == 8000 else 16000)
    assert pcm.seconds == pytest.approx(len(samples) / found, abs=0.001)
    assert recogniser.transcribe(pcm).text == SAID.text


def test_two_channels_are_mixed(tmp_path: Path) -> None:
    path = tmp_path / "two.wav"
    soundfile.write(path, np.stack([np.full(800, 0.5), np.full(800, -0.1)], axis=1), 8000)
    assert to_samples(read_audio(path)) == pytest.approx(np.full(800, 0.2), abs=1e-3)


def test_an_empty_recording_is_silence(tmp_path: Path, recogniser: VoskRecogniser) -> None:
    path = tmp_path / "empty.wav"
    soundfile.write(path, np.zeros(0), 8000)
    assert recogniser.transcribe(read_audio(path)).text == ""


def test_what_cannot_be_read_is_named(tmp_path: Path) -> None:
    text, cut, nothing = tmp_path / "text.wav", tmp_path / "cut.flac", tmp_path / "nothing.wav"
    text.write_text("не звук", encoding="utf-8")
    soundfile.write(cut, np.random.default_rng(1).normal(0, 0.1, 16000), 16000)
    cut.write_bytes(cut.read_bytes()[:12000])
    nothing.touch()
    wrong = tmp_path / "nan.wav"
    soundfile.write(wrong, np.full(10, np.nan, dtype=np.float32), 8000, subtype="FLOAT")
    for path, reason in (
        (tmp_path / "missing.wav", "такого файла нет"),
        (tmp_path, "не читается"),
        (text, "не читается"),
        (nothing, "не читается"),
        (cut, "не читается|оборван"),
        (wrong, "не числа"),
    ):
        with pytest.raises(AudioInvalid, match=reason) as caught:
            read_audio(path)
        assert str(path) in caught.value.message
