"""`otklik models` as a person runs it: choosing, licences, and a node that is told."""

from __future__ import annotations

import json
import shutil
from pathlib import Path

import pytest

from bot.cli import models as commands
from bot.core.clock import SystemClock
from bot.core.control import ControlServer
from bot.core.errors import BadInput, LicenceUnanswered, ModelMissing, RecogniserUnavailable
from bot.published import Published, published_dir
from bot.settings_load import as_environment, load_settings
from bot.settings_rooms import with_voice
from bot.speech.advice import recognition, voice
from bot.speech.chosen import read_chosen
from bot.speech.licences import agree, agreements, is_open, require_licence
from bot.speech.models import ensure_model, find_entry, model_path
from bot.speech.recognisers import Recognisers
from bot.speech.synthesiser import engine_name
from bot.speech.vocabulary import read_vocabulary
from bot.surveys.loader import load_survey
from tests.speech.sounds import MODELS, PROJECT

SMALL, DEMO, NC = "vosk-model-small-ru-0.22", "vosk-model-otklik-demo-ru", "v5_5_ru"


pytestmark = pytest.mark.usefixtures("logs_as_before")


@pytest.fixture(autouse=True)
def var(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("OTKLIK_VAR", str(tmp_path))
    return tmp_path


def installed(name: str, var: Path) -> None:
    path = model_path(find_entry(name, MODELS), var)
    path.mkdir(parents=True) if path.suffix != ".pt" else path.parent.mkdir(parents=True, exist_ok=True)
    if path.suffix == ".pt":
        path.write_bytes(b"package")


def test_a_chosen_model_is_the_nodes_until_a_setting_says_otherwise(
    var: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert load_settings().speech_settings().recogniser.models == (DEMO,)
    installed(SMALL, var)
    commands.use(SMALL)
    assert load_settings().speech_settings().recogniser.models == (SMALL,)
    installed("vosk-model-small-en-us-0.15", var)
    commands.use("vosk-model-small-en-us-0.15")
    chosen = load_settings().speech_settings().recogniser
    assert (chosen.model_for("ru"), chosen.model_for("en")) == (SMALL, "vosk-model-small-en-us-0.15")
    monkeypatch.setenv("OTKLIK_SPEECH__MODEL", DEMO)
    monkeypatch.setenv("OTKLIK_SPEECH__SURVEY_MODELS", json.dumps({"nps": SMALL}))
    overruled = load_settings().speech_settings().recogniser
    assert (overruled.model_for("ru"), overruled.model_for("ru", "nps")) == (DEMO, SMALL)
    with pytest.raises(BadInput, match=r"speech\.model"):
        commands.use(SMALL)


def test_a_model_is_chosen_for_one_survey_and_taken_back(var: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    published = Published(published_dir(load_settings()))
    published.release(published.freeze(load_survey(PROJECT / "survey_defs/nps.yaml")))
    for name in (SMALL, "vosk-model-small-en-us-0.15"):
        installed(name, var)
    with pytest.raises(BadInput, match="csat") as caught:
        commands.use(SMALL, survey="csat")
    assert "nps" in caught.value.hint
    with pytest.raises(BadInput, match="en-us"):
        commands.use("vosk-model-small-en-us-0.15", survey="nps")
    commands.use(SMALL, survey="nps")
    heard = load_settings().speech_settings().recogniser
    assert (heard.model_for("ru", "nps"), heard.model_for("ru", "csat")) == (SMALL, DEMO)
    commands.use(DEMO, survey="nps")
    assert read_chosen(var).surveys == {}
    monkeypatch.setenv("OTKLIK_SPEECH__SURVEY_MODELS", json.dumps({"nps": DEMO}))
    with pytest.raises(BadInput, match=r"speech\.survey_models\.nps"):
        commands.use(SMALL, survey="nps")


def test_a_model_that_is_not_here_is_not_chosen(var: Path) -> None:
    with pytest.raises(ModelMissing) as caught:
        commands.use(SMALL)
    assert f"otklik models fetch {SMALL}" in caught.value.hint
    assert read_chosen(var).asr == {}
    with pytest.raises(BadInput):
        commands.use("silero-vad")
    with pytest.raises(ModelMissing):
        commands.use(NC, accept=True)
    assert agreements(var) == {}, "nobody is asked about a licence of what is not here"


def test_whoever_fetches_is_told_to_answer_at_the_fetch(var: Path) -> None:
    with pytest.raises(LicenceUnanswered) as caught:
        commands.fetch(NC)
    assert f"otklik models fetch {NC}" in caught.value.hint


def test_a_non_commercial_licence_is_asked_about_once(var: Path) -> None:
    installed(NC, var)
    entry = find_entry(NC, MODELS)
    with pytest.raises(LicenceUnanswered, match="CC BY-NC"):
        commands.use(NC)  # nobody is there to answer
    assert read_chosen(var).tts == {}
    commands.use(NC, accept=True)
    assert read_chosen(var).tts == {"ru": NC}
    assert agreements(var)[NC].licence == "CC BY-NC 4.0"
    commands.use(NC)
    require_licence(entry, var)
    assert is_open(entry.model_copy(update={"licence": "CC BY-NC 5.0"}), var)
    assert not is_open(find_entry("v5_cis_base", MODELS), var)


def test_a_running_node_keeps_the_voice_that_it_began_with(
    var: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Prompts are kept by their engine: a worker that starts again must not call an old voice a new one."""
    began = with_voice(load_settings(speech={"engine": "silero"}))
    installed(NC, var)
    commands.use(NC, accept=True)
    assert began.speech_settings().synthesiser.silero_model == "v5_cis_base_nostress"
    assert load_settings(speech={"engine": "silero"}).speech_settings().synthesiser.silero_model == NC
    for key, value in as_environment(began).items():
        monkeypatch.setenv(key, value)
    child = load_settings()
    assert engine_name(child.speech_settings().synthesiser) == engine_name(
        began.speech_settings().synthesiser
    )
    with pytest.raises(BadInput, match=r"speech\.voices"):
        commands.use(NC)


def test_the_synthesiser_does_not_speak_with_a_licence_that_nobody_agreed_to(var: Path) -> None:
    from bot.speech.settings import SynthesiserSettings
    from bot.speech.synth_process import make_engine

    installed(NC, var)
    settings = SynthesiserSettings(engine="silero", silero_model=NC)
    with pytest.raises(LicenceUnanswered):
        make_engine(settings, MODELS, var)
    agree(find_entry(NC, MODELS), var, at=SystemClock().now(), user="uid 0")
    with pytest.raises(ModelMissing, match="torch"):
        make_engine(settings, MODELS, var)


async def test_a_running_node_is_told_and_one_that_cannot_leaves_the_choice_as_it_was(
    var: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    import asyncio

    installed(SMALL, var)
    node = ControlServer(load_settings().control_socket)
    told: list[str] = []

    async def use_models(params: dict[str, object]) -> dict[str, object]:
        told.append(load_settings().speech_settings().recogniser.model)
        if len(told) > 1:
            raise RecogniserUnavailable("Vosk cannot load it")
        return {}

    node.register("use_models", use_models)
    await node.start()
    try:
        await asyncio.to_thread(commands.use, SMALL)
        with pytest.raises(RecogniserUnavailable):
            await asyncio.to_thread(commands.use, DEMO)
    finally:
        await node.close()
    assert told == [SMALL, DEMO]
    assert read_chosen(var).asr == {"ru": SMALL}


async def test_a_model_is_changed_under_calls_for_real(var: Path) -> None:
    recognisers = Recognisers()
    settings = load_settings().speech_settings()
    await recognisers.use(settings)
    lease = recognisers.lease("ru", "nps")
    assert "десять" in lease.recogniser.vocabulary
    lease.release()
    assert await recognisers.use(settings) == ()
    replaced = var / "models" / DEMO
    shutil.copytree(replaced, var / "copy")
    shutil.rmtree(replaced)
    (var / "copy").rename(replaced)
    assert await recognisers.use(settings) == (DEMO,)
    recognisers.close()


def test_the_first_screen_says_what_is_used_and_what_is_better(
    var: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    settings = load_settings().speech_settings()
    assert str(recognition(settings)).startswith(f"{DEMO}: ")
    assert "слов " not in recognition(settings).used, "it is not unpacked yet: nobody has counted"
    known = len(read_vocabulary(ensure_model(DEMO, MODELS, var)))
    assert f"слов {known}," in recognition(settings).used
    assert f"otklik models fetch {SMALL} && otklik models use {SMALL}" in recognition(settings).better
    assert "otklik models fetch v5_cis_base_nostress" in voice(settings).better
    installed(SMALL, var)
    assert "fetch" not in recognition(settings).better
    commands.use(SMALL)
    assert recognition(load_settings().speech_settings()) == (SMALL, "")
    monkeypatch.setenv("OTKLIK_SPEECH__MODELS", json.dumps({"en": "vosk-model-small-en-us-0.15"}))
    monkeypatch.setenv("OTKLIK_SPEECH__SURVEY_MODELS", json.dumps({"nps": DEMO}))
    several = recognition(load_settings().speech_settings())
    assert several.used == f"{SMALL}, en: vosk-model-small-en-us-0.15, nps: {DEMO}"
