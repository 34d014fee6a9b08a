"""The Silero engine, with stand-ins for torch and its packages, which the default set-up does not have."""

from __future__ import annotations

import sys
from pathlib import Path
from types import ModuleType
from typing import Any

import numpy as np
import pytest

from bot.core.errors import ModelMissing, SynthesiserUnavailable
from bot.speech import silero
from bot.speech.espeak import Espeak
from bot.speech.settings import SynthesiserSettings
from bot.speech.silero import Silero
from bot.speech.sound import Samples
from bot.speech.synth_process import make_engine, synthesise
from bot.speech.wire import SpeakRequest
from tests.speech.sounds import MODELS


class _Model:
    def __init__(self) -> None:
        self.asked: list[dict[str, Any]] = []

    def apply_tts(self, *, text: str, speaker: str, sample_rate: int) -> Any:
        self.asked.append({"text": text, "speaker": speaker, "sample_rate": sample_rate})
        if speaker == "nobody":
            raise ValueError("`speaker` should be in ru_zhadyra, …")
        return 0.2 * np.sin(np.arange(sample_rate, dtype=np.float32))


class _Importer:
    model = _Model()

    def __init__(self, path: str) -> None:
        if Path(path).read_bytes() != b"package":
            raise RuntimeError("PytorchStreamReader failed")

    def load_pickle(self, package: str, resource: str) -> _Model:
        assert (package, resource) == ("tts_models", "model")
        return self.model


@pytest.fixture
def installed(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> tuple[Path, _Model]:
    """torch, silero-stress and the model file, as far as the engine uses them."""
    torch, package, stress = ModuleType("torch"), ModuleType("torch.package"), ModuleType("silero_stress")
    torch.set_num_threads = lambda count: None  # type: ignore[attr-defined]
    package.PackageImporter = _Importer  # type: ignore[attr-defined]
    stress.load_accentor = lambda: lambda text: text.replace("о", "+о", 1)  # type: ignore[attr-defined]
    for module in (torch, package, stress):
        monkeypatch.setitem(sys.modules, module.__name__, module)
    monkeypatch.setattr(_Importer, "model", _Model())
    path = tmp_path / "models" / "v5_cis_base_nostress.pt"
    path.parent.mkdir()
    path.write_bytes(b"package")
    return path, _Importer.model


def test_it_is_found_where_the_manifest_says_and_gets_stress(installed: tuple[Path, _Model]) -> None:
    path, model = installed
    settings = SynthesiserSettings(engine="silero", voice="")
    engine = make_engine(settings, MODELS, path.parents[1])
    assert engine.name == "silero-v5_cis_base_nostress"
    request = SpeakRequest(text="Вопрос 1", voice="ru_dmitriy", language="ru", rate=16000)
    pcm = synthesise(engine, request, settings)
    assert pcm.rate == 16000
    assert pcm.seconds == pytest.approx(1.0, abs=0.05)
    (asked,) = model.asked
    assert asked["speaker"] == "ru_dmitriy"
    assert asked["sample_rate"] == 24000  # 16 kHz is not among its rates
    assert "+о" in asked["text"]
    assert "1" not in asked["text"]


def test_english_is_left_to_espeak_as_it_is_written(
    installed: tuple[Path, _Model], monkeypatch: pytest.MonkeyPatch
) -> None:
    path, model = installed
    settings = SynthesiserSettings(engine="silero", voice="ru_zhadyra")
    engine = make_engine(settings, MODELS, path.parents[1])
    heard: list[tuple[str, str]] = []
    speak = Espeak.speak

    def listen(self: Espeak, text: str, *, voice: str, language: str, rate: int) -> tuple[Samples, int]:
        heard.append((text, voice))
        return speak(self, text, voice=voice, language=language, rate=rate)

    monkeypatch.setattr(Espeak, "speak", listen)
    pcm = synthesise(engine, SpeakRequest(text="Thank  you.", voice="", language="en", rate=8000), settings)
    assert heard == [("Thank you.", "")]
    assert 0.3 < pcm.seconds < 1.5
    assert model.asked == []


def test_it_speaks_at_8_khz_by_itself_and_has_a_default_speaker(installed: tuple[Path, _Model]) -> None:
    path, model = installed
    samples, rate = Silero(path).speak("да", voice="", language="ru", rate=8000)
    assert (len(samples), rate, samples.dtype) == (8000, 8000, np.float32)
    assert model.asked[0]["speaker"] == "ru_zhadyra"


def test_a_model_with_stress_of_its_own_needs_no_accentor(
    installed: tuple[Path, _Model], monkeypatch: pytest.MonkeyPatch
) -> None:
    path, model = installed
    monkeypatch.setitem(sys.modules, "silero_stress", None)
    own = path.rename(path.with_name("v5_cis_base.pt"))
    Silero(own).speak("вопрос", voice="ru_zhadyra", language="ru", rate=8000)
    assert model.asked[0]["text"] == "вопрос"


def test_an_unknown_speaker_is_told(installed: tuple[Path, _Model]) -> None:
    path, _ = installed
    with pytest.raises(SynthesiserUnavailable, match="не произносит") as caught:
        Silero(path).speak("да", voice="nobody", language="ru", rate=8000)
    assert "nobody" in caught.value.hint


@pytest.mark.parametrize("missing", ["torch", "silero_stress"])
def test_a_missing_package_is_told(
    installed: tuple[Path, _Model], monkeypatch: pytest.MonkeyPatch, missing: str
) -> None:
    monkeypatch.setitem(sys.modules, missing, None)
    with pytest.raises(ModelMissing, match="нужен пакет Python") as caught:
        Silero(installed[0])
    assert "espeak" in caught.value.hint


def test_a_missing_or_broken_model_is_told(installed: tuple[Path, _Model]) -> None:
    path, _ = installed
    path.write_bytes(b"half")
    with pytest.raises(ModelMissing, match="не голос Silero"):
        Silero(path)
    path.unlink()
    with pytest.raises(ModelMissing, match="нет голоса Silero"):
        silero.Silero(path)
