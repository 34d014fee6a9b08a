"""A survey in English is heard by its own model, and its answers are read.

No English model ships. The one of these tests is the Russian one with English spelling: where a caller says
«девять» it hears "nine". What it proves is the way of a call, not how well anybody's English is understood.
"""

from __future__ import annotations

import json
import shutil
from pathlib import Path

import pytest
import typer

from bot import health
from bot.cli import models as commands
from bot.cli.survey_lint import lint_files
from bot.core.answer import Answer
from bot.core.context import TurnSource, UserTurn
from bot.core.directives import ChoiceExpected, ChoiceOption, Expectation, ScaleExpected, YesNoExpected
from bot.findings import Finding, State
from bot.linting import lint_tools
from bot.node_screen import about
from bot.published import Published, published_dir
from bot.settings_load import load_settings
from bot.speech.advice import unheard
from bot.speech.endpointing.completeness import Completeness, completeness
from bot.speech.models import find_entry
from bot.speech.models import model_path as model_path_of
from bot.speech.recogniser import VoskRecogniser
from bot.speech.recognisers import Recognisers
from bot.surveys.answers import parse
from bot.surveys.loader import load_survey
from tests.speech.sounds import MODELS, PROJECT, around, clip, frames, sound_of

ENGLISH = "vosk-model-small-en-us-0.15"
SPELT = {
    "ноль": "zero",
    "два": "two",
    "девять": "nine",
    "десять": "ten",
    "да": "yes",
    "нет": "no",
    "больше": "don't",
    "не": "call",
    "звоните": "me",
}

pytestmark = pytest.mark.usefixtures("logs_as_before")


@pytest.fixture
def installed(model_path: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("OTKLIK_VAR", str(tmp_path))
    folder = model_path_of(find_entry(ENGLISH, MODELS), tmp_path)
    shutil.copytree(model_path, folder)
    words = folder / "graph/words.txt"
    lines = [line.split() for line in words.read_text(encoding="utf-8").splitlines()]
    words.write_text("".join(f"{SPELT.get(word, word)} {number}\n" for word, number in lines))
    commands.use(ENGLISH)
    return folder


CHOICE = ChoiceExpected(
    options=(ChoiceOption(id="all", say=("ten",)), ChoiceOption(id="none", say=("zero",)))
)


@pytest.mark.usefixtures("installed")
@pytest.mark.parametrize("grammar", [False, True], ids=["openly", "by grammar"])
async def test_an_english_call_is_heard_and_read(grammar: bool, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("OTKLIK_SPEECH__GRAMMAR", json.dumps(grammar))
    recognisers = Recognisers()
    await recognisers.use(load_settings().speech_settings())
    assert recognisers.names == ("vosk-model-otklik-demo-ru", ENGLISH)
    lease = recognisers.lease("en", "nps_en")
    assert isinstance(lease.recogniser, VoskRecogniser)
    asked: list[tuple[str, Expectation, str, object]] = [
        ("009_elena", ScaleExpected(low=0, high=10), "nine", 9),
        ("020_elena", YesNoExpected(), "yes", "yes"),
        ("024_elena", YesNoExpected(), "no", "no"),
        ("010_elena", CHOICE, "ten", "all"),
    ]
    for name, expectation, text, value in asked:
        stream = lease.recogniser.open(8000, expectation)
        for frame in frames(around(sound_of(clip(name).path), 0.3, 0.4)):
            partial = await stream.feed(frame)
        assert completeness(expectation, await stream.settle()) is Completeness.COMPLETE, partial
        heard = await stream.finish()
        assert heard.text == text
        answer = parse(expectation, UserTurn(source=TurnSource.SPEECH, text=text, words=heard.words))
        assert isinstance(answer, Answer)
        assert answer.value == value
    stream = lease.recogniser.open(8000, YesNoExpected())
    for frame in frames(around(sound_of(clip("046_elena").path), 0.3, 0.4)):
        await stream.feed(frame)
    assert (await stream.finish()).text == "don't call me"  # an interruption that the grammar holds
    lease.release()
    recognisers.close()


def test_that_an_english_survey_has_no_recogniser_is_told(
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    request: pytest.FixtureRequest,
    capsys: pytest.CaptureFixture[str],
) -> None:
    monkeypatch.setenv("OTKLIK_VAR", str(tmp_path))
    surveys = [load_survey(PROJECT / "survey_defs" / name) for name in ("nps.yaml", "nps_en.yaml")]

    def told() -> str:
        return about(load_settings(), surveys, "sqlite", {}).get("Не слышно", "")

    def linted() -> str:
        with pytest.raises(typer.Exit) as ended:
            lint_files([PROJECT / "survey_defs/nps_en.yaml"])
        assert ended.value.exit_code == 0  # the file is good: what is missing is this machine's
        return capsys.readouterr().err

    published = Published(published_dir(load_settings()))
    for survey in surveys:
        published.release(published.freeze(survey))
    get, use = f"otklik models fetch {ENGLISH}", f"otklik models use {ENGLISH}"
    assert told().startswith("nps_en: ")
    assert told().endswith(f"только клавишами: {get} && {use}")
    assert f"только клавишами: {get} && {use}" in linted()
    assert health.surveys(load_settings()) == Finding("Опросы", State.ADVICE, told())
    request.getfixturevalue("installed")
    assert told() == ""
    assert linted() == ""
    assert health.surveys(load_settings()).state is State.OK
    monkeypatch.setenv("OTKLIK_SPEECH__SURVEY_MODELS", json.dumps({"nps": ENGLISH}))
    assert "на языке ru не распознаётся" in told()


@pytest.mark.usefixtures("installed")
def test_lint_knows_the_words_of_the_language() -> None:
    with lint_tools(load_settings()) as tools:
        assert tools.vocabulary is not None
        english, russian = tools.vocabulary("en", "nps_en"), tools.vocabulary("ru", "nps")
    assert english is not None
    assert russian is not None
    assert {"nine", "don't"} <= english
    assert "nine" not in russian


@pytest.mark.usefixtures("installed")
def test_a_model_chosen_for_one_survey_is_linted_against_and_must_be_of_its_language(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    large = model_path_of(find_entry("vosk-model-small-ru-0.22", MODELS), tmp_path)
    (large / "graph").mkdir(parents=True)
    (large / "graph/words.txt").write_text("скорость 1\nэвакуатор 2\n", encoding="utf-8")
    chosen = {"nps": "vosk-model-small-ru-0.22", "csat": ENGLISH}
    monkeypatch.setenv("OTKLIK_SPEECH__SURVEY_MODELS", json.dumps(chosen))
    told: list[str] = []
    with lint_tools(load_settings(), told.append) as tools:
        assert tools.vocabulary is not None
        assert tools.vocabulary("ru", "nps") == {"скорость", "эвакуатор"}
        assert "эвакуатор" not in (tools.vocabulary("ru", "triage") or ())
        assert tools.vocabulary("ru", "csat") is None
    assert told == []
    speech = load_settings().speech_settings()
    assert unheard(speech, "ru", "nps") == ""
    assert unheard(speech, "ru", "csat").endswith(
        f"{ENGLISH} — модель языка en, исправьте speech.survey_models.csat"
    )
