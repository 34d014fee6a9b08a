"""Recorded prompts: from a file beside a survey to the sound on a line of any rate."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
import soundfile

from bot.core.audio import Pcm
from bot.core.context import CallContext
from bot.core.errors import AudioInvalid, SurveyInvalid, SynthesiserUnavailable
from bot.speech.loudness import loudness
from bot.speech.prompts import PromptCache
from bot.speech.recorded import RecordedVoices, keep_recordings
from bot.speech.settings import PromptSettings, SynthesiserSettings
from bot.speech.sound import to_samples
from bot.surveys.loader import find_problems, load_survey, survey_hash
from bot.surveys.prompts import prompts, prompts_by_voice, recordings, voices
from bot.surveys.schema import Survey

SURVEY = """\
id: short
version: 1
language: ru
title: Короткий
company: Ромашка
consent: Здравствуйте!
introduction: Один вопрос.
questions:
  - id: nps
    kind: nps
    audio: sounds/ask.wav
    ask: Порекомендуете нас?
    reask: Назовите число от нуля до десяти.
"""
NOBODY = CallContext(call_id="", survey_hash="", direction="inbound")


def tone(
    path: Path, *, seconds: float = 1.0, rate: int = 44100, level: float = 0.9, channels: int = 2
) -> None:
    """A tone in the middle of a second of silence."""
    path.parent.mkdir(parents=True, exist_ok=True)
    sound = level * np.sin(2 * np.pi * 440 * np.arange(round(seconds * rate)) / rate)
    quiet = np.zeros(rate // 2)
    samples = np.concatenate([quiet, sound, quiet])
    soundfile.write(path, np.stack([samples] * channels, axis=1), rate)


def survey_with(folder: Path, text: str = SURVEY) -> Survey:
    (folder / "survey.yaml").write_text(text, encoding="utf-8")
    return load_survey(folder / "survey.yaml")


class Silent:
    """A synthesiser whose every text is a moment of silence."""

    name = "silent"

    def __init__(self) -> None:
        self.spoke: list[str] = []

    async def speak(self, text: str, *, voice: str, language: str, rate: int) -> Pcm:
        self.spoke.append(text)
        return Pcm(bytes(320), rate)


@pytest.mark.parametrize("rate", [8000, 16000])
async def test_a_recording_is_played_in_place_of_synthesis(tmp_path: Path, rate: int) -> None:
    tone(tmp_path / "sounds" / "ask.wav")
    survey = survey_with(tmp_path)
    assert keep_recordings(survey, tmp_path, tmp_path / "kept") == 1
    synthesiser = Silent()
    cache = PromptCache(
        RecordedVoices(synthesiser, tmp_path / "kept", SynthesiserSettings()),
        PromptSettings(folder=tmp_path / "prompts"),
    )
    for voice, texts in prompts_by_voice(survey, NOBODY).items():
        await cache.prepare(texts, voice=voice, language="ru", rate=rate)
    assert "Порекомендуете нас?" not in synthesiser.spoke
    assert set(synthesiser.spoke) == set(prompts(survey, NOBODY)) - {"Порекомендуете нас?"}
    voice = voices(survey, NOBODY)["Порекомендуете нас?"]
    sound = await cache.get("Порекомендуете нас?", voice=voice, language="ru", rate=rate)
    assert sound.rate == rate
    assert sound.seconds == pytest.approx(1.04, abs=0.02)  # the silence around it is gone
    assert loudness(to_samples(sound), rate) == pytest.approx(-23, abs=0.2)


def test_the_content_of_a_recording_is_part_of_the_hash(tmp_path: Path) -> None:
    tone(tmp_path / "sounds" / "ask.wav")
    first = survey_with(tmp_path)
    assert survey_hash(survey_with(tmp_path)) == survey_hash(first)
    tone(tmp_path / "sounds" / "ask.wav", level=0.5)
    second = survey_with(tmp_path)
    assert survey_hash(second) != survey_hash(first)
    assert recordings(second)[0].sha256 != recordings(first)[0].sha256


def test_every_wording_may_be_recorded(tmp_path: Path) -> None:
    for name in ("a", "b", "c"):
        tone(tmp_path / f"{name}.wav", level=0.2 + ord(name) / 1000)
    text = SURVEY.replace(
        "audio: sounds/ask.wav", "audio: {ask: a.wav, reask: [b.wav], help: c.wav}\n    help: Ноль — нет."
    )
    survey = survey_with(tmp_path, text)
    asked, again, helped = survey.questions[0].ask, survey.questions[0].reask[0], "Ноль — нет. "
    spoken = voices(survey, NOBODY)
    assert [text for text in spoken if text.startswith(helped)]
    assert {asked, again} < set(spoken)
    assert set(spoken) < set(prompts(survey, NOBODY))
    assert [made.file for made in recordings(survey)] == ["a.wav", "b.wav", "c.wav"]


@pytest.mark.parametrize(
    ("audio", "message"),
    [
        ("nowhere.wav", "такого файла нет"),
        ("../ask.wav", "рядом с файлом опроса"),
        ("/etc/passwd", "рядом с файлом опроса"),
        ("survey.yaml", "не WAV"),
        ("sounds", "не файл"),
        ("{ask: sounds/ask.wav, reask: [sounds/ask.wav, sounds/ask.wav]}", "больше, чем текстов"),
        ("{ask: sounds/ask.wav, helf: sounds/ask.wav}", "неизвестный ключ «helf»"),
        ("3", "audio"),
    ],
)
def test_what_cannot_be_a_recording_is_refused(tmp_path: Path, audio: str, message: str) -> None:
    tone(tmp_path / "sounds" / "ask.wav")
    file = tmp_path / "survey.yaml"
    file.write_text(SURVEY.replace("sounds/ask.wav", audio), encoding="utf-8")
    found = [problem for problem in find_problems(file) if message in problem.message]
    assert len(found) == 1, find_problems(file)
    assert found[0].place.line in (9, 11)


def test_a_recording_of_a_text_with_fields_is_refused(tmp_path: Path) -> None:
    tone(tmp_path / "sounds" / "ask.wav")
    with pytest.raises(SurveyInvalid, match="одно и то же"):
        survey_with(
            tmp_path, SURVEY.replace("Порекомендуете нас?", '"{customer.first_name|}, порекомендуете?"')
        )


@pytest.mark.parametrize(("seconds", "level", "reason"), [(61.0, 0.5, "дольше 60 с"), (1.0, 0.0, "тишина")])
def test_what_nobody_can_listen_to_is_not_published(
    tmp_path: Path, seconds: float, level: float, reason: str
) -> None:
    tone(tmp_path / "sounds" / "ask.wav", seconds=seconds, level=level, rate=8000, channels=1)
    survey = survey_with(tmp_path)
    with pytest.raises(AudioInvalid, match=reason):
        keep_recordings(survey, tmp_path, tmp_path / "kept")
    assert not (tmp_path / "kept").exists()


async def test_a_recording_that_changed_or_is_gone_is_not_played(tmp_path: Path) -> None:
    tone(tmp_path / "sounds" / "ask.wav")
    survey = survey_with(tmp_path)
    voice = RecordedVoices(Silent(), tmp_path / "kept", SynthesiserSettings())
    name = voices(survey, NOBODY)["Порекомендуете нас?"]
    with pytest.raises(SynthesiserUnavailable, match="No such file"):
        await voice.speak("Порекомендуете нас?", voice=name, language="ru", rate=8000)
    tone(tmp_path / "sounds" / "ask.wav", level=0.3)
    with pytest.raises(AudioInvalid, match="изменился"):
        keep_recordings(survey, tmp_path, tmp_path / "kept")
    keep_recordings(survey_with(tmp_path), tmp_path, tmp_path / "kept")
    (kept,) = (file for file in (tmp_path / "kept").rglob("*") if file.is_file())
    kept.write_bytes(kept.read_bytes()[:-2])
    name = voices(survey_with(tmp_path), NOBODY)["Порекомендуете нас?"]
    with pytest.raises(SynthesiserUnavailable, match="не то, что публиковали"):
        await voice.speak("Порекомендуете нас?", voice=name, language="ru", rate=8000)
