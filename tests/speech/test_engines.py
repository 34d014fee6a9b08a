"""Engines at the border of their process or their package: RHVoice's program, Silero's torch package."""

from __future__ import annotations

import io
import pickle
import sys
import zipfile
from datetime import UTC, datetime
from importlib.util import find_spec
from pathlib import Path
from types import ModuleType
from typing import Literal

import pytest

from bot.core.audio import Pcm
from bot.core.errors import SynthesiserUnavailable
from bot.speech.licences import agree
from bot.speech.loudness import loudness
from bot.speech.models import find_entry
from bot.speech.rhvoice import PROGRAM, RhVoice
from bot.speech.settings import SynthesiserSettings
from bot.speech.sound import to_samples
from bot.speech.synth_process import make_engine, synthesise
from bot.speech.synthesiser import engine_name
from bot.speech.wire import SpeakRequest
from bot.surveys.breaks import LONGEST_S
from tests.speech.sounds import MODELS
from tests.speech.test_sound import silences

SPEAKS = """#!{python}
import sys, wave, math, struct
arguments, said = sys.argv[1:], sys.stdin.buffer.read().decode()
voice, output = arguments[arguments.index("-p") + 1], arguments[arguments.index("-o") + 1]
if voice == "nobody":
    sys.exit("no such voice")
open({told!r}, "w").write(said)
if voice == "dumb":
    sys.exit(0)
with wave.open(output, "wb") as file:
    file.setparams((1, 2, 24000, 0, "NONE", ""))
    file.writeframes(b"".join(struct.pack("<h", int(9000 * math.sin(n / 9))) for n in range(24000)))
"""


@pytest.fixture
def told(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """RHVoice installed: a program of its name that speaks a tone, and writes down what it was told."""
    program, told = tmp_path / "bin" / PROGRAM, tmp_path / "told"
    program.parent.mkdir()
    program.write_text(SPEAKS.format(python=sys.executable, told=str(told)))
    program.chmod(0o755)
    monkeypatch.setenv("PATH", str(program.parent))
    return told


def test_rhvoice_speaks_where_it_is_installed(told: Path, tmp_path: Path) -> None:
    settings = SynthesiserSettings(engine="rhvoice", voice="elena")
    engine = make_engine(settings, MODELS, tmp_path)
    pcm = synthesise(engine, SpeakRequest(text="зам+ок, 1", voice="", language="ru", rate=8000), settings)
    assert told.read_text() == "замок, один"
    assert pcm.seconds == pytest.approx(1.0, abs=0.05)
    assert loudness(to_samples(pcm), 8000) == pytest.approx(settings.loudness_lufs, abs=0.2)
    assert engine_name(settings).startswith("rhvoice/")
    english = synthesise(engine, SpeakRequest(text="Yes.", voice="", language="en", rate=8000), settings)
    assert english.seconds > 0.1
    assert told.read_text() == "замок, один"  # eSpeak NG spoke it


@pytest.mark.parametrize("voice", ["nobody", "dumb"])
def test_a_voice_that_says_nothing_is_told(told: Path, voice: str) -> None:
    with pytest.raises(SynthesiserUnavailable) as caught:
        RhVoice().speak("да", voice=voice, language="ru", rate=8000)
    assert voice in caught.value.hint


def test_without_rhvoice_the_error_says_so(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PATH", str(tmp_path))
    with pytest.raises(SynthesiserUnavailable, match=PROGRAM):
        RhVoice()


# Silero's file is a torch package: a zip archive with one top folder, in which PackageImporter finds Python
# modules, the names of those that come from outside, and pickles that may name classes of the modules. Where
# the extra `silero` is installed, these tests load such a package by torch itself. It is no part of the
# default environment: there, this importer stands in for torch.package and reads the same archive.

MODULE = """
import numpy as np

class TTSModel:
    def apply_tts(self, *, text, speaker, sample_rate):
        if speaker not in ("ru_zhadyra", "xenia"):
            raise ValueError(f"`speaker` should be in ru_zhadyra, xenia, not {speaker}")
        self.said = text
        return 0.2 * np.sin(np.arange(sample_rate // 2, dtype=np.float32) * 2 * np.pi * 440 / sample_rate)
"""


def package(path: Path) -> Path:
    """A tiny voice in the form of Silero's packages."""
    path.parent.mkdir(parents=True, exist_ok=True)
    with zipfile.ZipFile(path, "w") as archive:
        archive.writestr("v5/.data/version", "6\n")
        archive.writestr("v5/.data/extern_modules", "numpy\n")
        archive.writestr("v5/multi_acc.py", MODULE)
        archive.writestr("v5/tts_models/model", b"\x80\x02cmulti_acc\nTTSModel\n)\x81.")
    return path


class PackageImporter:
    """torch.package.PackageImporter, as far as a package of plain classes needs it."""

    def __init__(self, path: str) -> None:
        self._archive = zipfile.ZipFile(path)
        self._top = self._archive.namelist()[0].split("/")[0]

    def load_pickle(self, package: str, resource: str) -> object:
        importer = self

        class Unpickler(pickle.Unpickler):
            def find_class(self, module: str, name: str) -> object:
                made = ModuleType(module)
                exec(importer._archive.read(f"{importer._top}/{module}.py"), made.__dict__)  # noqa: S102
                return getattr(made, name)

        return Unpickler(io.BytesIO(self._archive.read(f"{self._top}/{package}/{resource}"))).load()


@pytest.fixture
def torch(monkeypatch: pytest.MonkeyPatch) -> None:
    if find_spec("torch") is None:
        torch, torch_package = ModuleType("torch"), ModuleType("torch.package")
        torch.set_num_threads = lambda count: None  # type: ignore[attr-defined]
        torch_package.PackageImporter = PackageImporter  # type: ignore[attr-defined]
        monkeypatch.setitem(sys.modules, "torch", torch)
        monkeypatch.setitem(sys.modules, "torch.package", torch_package)
    if find_spec("silero_stress") is None:
        stress = ModuleType("silero_stress")
        stress.load_accentor = lambda: lambda text: text.replace("а", "+а", 1)  # type: ignore[attr-defined]
        monkeypatch.setitem(sys.modules, "silero_stress", stress)


@pytest.mark.usefixtures("torch")
def test_a_package_of_silero_s_form_is_loaded_and_speaks(tmp_path: Path) -> None:
    package(tmp_path / "models/v5_cis_base_nostress.pt")
    settings = SynthesiserSettings(engine="silero", voice="ru_zhadyra")
    engine = make_engine(settings, MODELS, tmp_path)
    for rate in (8000, 16000):
        pcm = synthesise(engine, SpeakRequest(text="Да, 5", voice="", language="ru", rate=rate), settings)
        assert pcm.seconds == pytest.approx(0.5, abs=0.05)
        assert loudness(to_samples(pcm), rate) == pytest.approx(settings.loudness_lufs, abs=0.2)
    with pytest.raises(SynthesiserUnavailable, match="ru_zhadyra, xenia"):
        synthesise(engine, SpeakRequest(text="Да", voice="nobody", language="ru", rate=8000), settings)


@pytest.mark.usefixtures("torch")
def test_an_english_voice_of_silero_speaks_english_where_it_was_chosen(tmp_path: Path) -> None:
    for name in ("v5_cis_base_nostress", "v3_en"):
        package(tmp_path / f"models/{name}.pt")
    settings = SynthesiserSettings(engine="silero", foreign_models=(("en", "v3_en"),), voice="ru_zhadyra")
    agree(find_entry("v3_en", MODELS), tmp_path, at=datetime.now(UTC), user="uid 0")
    engine = make_engine(settings, MODELS, tmp_path)
    request = SpeakRequest(text="Thank  you.", voice="xenia", language="en", rate=8000)
    assert synthesise(engine, request, settings).seconds == pytest.approx(0.5, abs=0.05)
    french = SpeakRequest(text="Merci.", voice="", language="fr", rate=8000)
    assert synthesise(engine, french, settings).seconds != pytest.approx(0.5, abs=0.01)  # eSpeak NG


@pytest.mark.usefixtures("torch", "told")
@pytest.mark.parametrize(("engine", "rate"), [("espeak", 8000), ("silero", 16000), ("rhvoice", 8000)])
def test_a_pause_is_as_long_as_it_says_whoever_speaks(
    tmp_path: Path, engine: Literal["espeak", "silero", "rhvoice"], rate: int
) -> None:
    package(tmp_path / "models/v5_cis_base_nostress.pt")
    settings = SynthesiserSettings(
        engine=engine, voice={"espeak": "ru", "rhvoice": "elena"}.get(engine, "xenia")
    )
    made = make_engine(settings, MODELS, tmp_path)

    def spoken(text: str) -> Pcm:
        return synthesise(made, SpeakRequest(text=text, voice="", language="ru", rate=rate), settings)

    pcm = spoken('Оцените нас <break time="700ms"/> — <break time="1s"/> от 0 до 10.')
    assert max(silences(pcm)) == pytest.approx(rate, abs=rate // 100)
    assert pcm.seconds == pytest.approx(
        spoken("Оцените нас,").seconds + 1.0 + spoken("от 0 до 10.").seconds, abs=0.15
    )
    assert loudness(to_samples(pcm), rate) == pytest.approx(settings.loudness_lufs, abs=0.2)
    at_most = spoken('Да <break time="90s"/> <break time="80s"/> нет')
    assert max(silences(at_most)) <= (LONGEST_S + 0.01) * rate
