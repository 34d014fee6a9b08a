"""Words that the small model is given: how they sound, and that it hears them. OpenFst is the real one."""

from __future__ import annotations

from pathlib import Path

import pytest

from bot.cli import models_words
from bot.core.audio import Pcm
from bot.core.errors import BadInput, DiskFull, ModelMissing, Unavailable
from bot.speech.espeak import Espeak
from bot.speech.fetching import fetch_model
from bot.speech.models import ensure_model, find_entry, known_models, verify_model
from bot.speech.recogniser import VoskRecogniser
from bot.speech.settings import FetchSettings
from bot.speech.sound import for_the_line
from bot.speech.wordgraph import fst
from bot.speech.wordgraph.adding import add_words, read_added
from bot.speech.wordgraph.g2p import VOWELS, phones, stressed_vowel, with_stress
from tests.disk import no_file_beyond
from tests.speech.sounds import MODELS, clip, sound_of

DEMO, OWN = "vosk-model-otklik-demo-ru", "vosk-model-otklik-demo-ru+words"


def lexicon() -> dict[str, tuple[str, ...]]:
    lines = (MODELS / "words/lexicon.txt").read_text(encoding="utf-8").splitlines()
    return {word: tuple(said) for word, *said in map(str.split, lines) if word != "#"}


def marked(word: str, said: tuple[str, ...]) -> str:
    """The word with its stress where the lexicon has it, in capitals."""
    sounded = [phone for phone in said if phone[0] in "AEIOUYaiuy"]
    places = [place for place, letter in enumerate(word) if letter in VOWELS]
    for phone, place in zip(sounded, places, strict=True):
        if phone.isupper():
            return f"{word[:place]}+{word[place:]}"
    return word


def test_words_sound_as_the_lexicon_of_the_model_has_them() -> None:
    written = lexicon()
    assert len(written) > 70
    differ = {word for word, said in written.items() if phones(marked(word, said)) != said}
    assert differ == {"почтовый"}  # said «поштовый» there


@pytest.mark.parametrize(
    ("word", "said"),
    [
        ("нахам+ил", "n a h a mj I l"),
        ("плох+ого", "p l a h O v a"),
        ("здр+авствуйте", "z d r A s t v u j tj i"),
        ("кон+ечно", "k a nj E sh n a"),
        ("л+естница", "lj E sj nj i ts a"),
        ("счёт", "sch O t"),
        ("просьба".replace("о", "+о"), "p r O zj b a"),
        ("сд+елал", "zj dj E l a l"),
        ("друг", "d r U k"),
        ("жизнь", "zh Y zj nj"),
        ("семь+я", "sj i mj j A"),
        ("отд+ать", "a d A tj"),
    ],
)
def test_spelling_is_not_sound(word: str, said: str) -> None:
    assert " ".join(phones(word)) == said


@pytest.mark.parametrize("word", ["нахамил", "нах+хамил", "н+ах+амил", "брр", "hello", "сло+во2"])
def test_a_word_without_stress_or_letters_is_refused(word: str) -> None:
    with pytest.raises(BadInput, match=word.replace("+", r"\+")):
        phones(word)


def test_stress_is_taken_from_the_sounds_where_they_tell() -> None:
    assert with_stress("оператор", ["ɑ", "pʲ", "ɪ", "r", "ˈa", "t", "ə", "r"]) == "опер+атор"
    assert with_stress("опер+атор", []) == "опер+атор"
    assert with_stress("оператор", ["ˈa"]) == "оператор"
    assert stressed_vowel("учёт") == ("учёт", 2)


def say(word: str) -> Pcm:
    samples, rate = Espeak().speak(word, voice="ru", language="ru", rate=8000)
    return for_the_line(samples, rate, 8000, edge_s=0.2, lufs=-23.0)


def heard(path: Path, *sounds: Pcm) -> list[str]:
    recogniser = VoskRecogniser(path)
    try:
        return [recogniser.transcribe(sound).text for sound in sounds]
    finally:
        recogniser.close()


@pytest.mark.usefixtures("logs_as_before")
def test_a_word_is_heard_once_it_was_added(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("OTKLIK_VAR", str(tmp_path))
    sounds = (say("бегемот"), sound_of(clip("039_nsh").path))
    before = heard(ensure_model(DEMO, MODELS, tmp_path), *sounds)
    assert before[0] != "бегемот"
    capsys.readouterr()
    models_words.add(["бегем+от", "Носорог", "десять"])
    told = capsys.readouterr().out.splitlines()
    assert told[:3] == [
        "бегем+от: добавлено [bj i gj i m O t]",
        "носор+ог: добавлено [n a s a r O k]",
        "д+есять: уже есть [dj E sj i tj]",
    ]
    own = ensure_model(OWN, MODELS, tmp_path)
    assert heard(own, *sounds) == ["бегемот", before[1]]
    assert before[1] == clip("039_nsh").text
    assert verify_model(OWN, MODELS, tmp_path) == "распакованные файлы"
    assert OWN in known_models(MODELS, tmp_path)

    capsys.readouterr()
    models_words.add(["десять"])
    assert capsys.readouterr().out.splitlines()[-1] == "Новых слов нет."

    # More words come on top of these; what cannot be added changes nothing.
    added = {"кирпич": phones("кирп+ич")}
    assert add_words(OWN, added, MODELS, tmp_path) == (OWN, ("кирпич",))
    assert set(read_added(own)) == {"бегемот", "носорог", "кирпич"}
    with pytest.raises(BadInput, match="XX"):
        add_words(DEMO, {"щука": ("XX",)}, MODELS, tmp_path)
    with no_file_beyond(100_000), pytest.raises(DiskFull):
        add_words(DEMO, {"щука": phones("щ+ука")}, MODELS, tmp_path)
    assert not [
        path for path in (tmp_path / "models").iterdir() if path.name.startswith(f".{OWN}.") and path.is_dir()
    ]
    assert set(read_added(own)) == {"бегемот", "носорог", "кирпич"}
    assert heard(own, sounds[0]) == ["бегемот"]


def test_without_openfst_the_error_says_so(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PATH", str(tmp_path))
    with pytest.raises(Unavailable, match="fstprint") as caught:
        add_words(DEMO, {"бегемот": phones("бегем+от")}, MODELS, tmp_path)
    assert caught.value.hint == fst.INSTALL
    assert not (tmp_path / "models" / OWN).exists()


async def test_only_the_small_model_is_given_words_and_its_copy_is_not_fetched(tmp_path: Path) -> None:
    official = "vosk-model-small-ru-0.22"
    with pytest.raises(ModelMissing, match=official):
        add_words(official, {}, MODELS, tmp_path)
    (tmp_path / "models" / official / "graph").mkdir(parents=True)
    with pytest.raises(BadInput, match=official):
        add_words(official, {}, MODELS, tmp_path)
    with pytest.raises(BadInput):
        await fetch_model(OWN, MODELS, tmp_path, FetchSettings())
    with pytest.raises(ModelMissing) as caught:
        ensure_model(OWN, MODELS, tmp_path)
    assert "models words add" in caught.value.hint
    assert find_entry(OWN, MODELS).language == "ru"
