"""What the small model is taught to hear: its words, how they sound, and the sentences they are said in."""

from __future__ import annotations

import random
from collections import Counter
from pathlib import Path

import pytest

from bot.core.directives import ScaleExpected, YesNoExpected
from bot.core.errors import BadInput, Place
from bot.settings import PROJECT
from bot.speech.asr_bench import read_set
from bot.speech.grammar import phrases_for
from bot.speech.grammar_words import RU
from bot.speech.models import ensure_model
from bot.speech.vocabulary import read_vocabulary
from bot.surveys.loader import load_survey
from bot.surveys.words import UNKNOWN
from small_ru import plan, voices
from small_ru.lexicon import PHONES, Word, parse_word, read_words, without_stress
from small_ru.phrases import NAMES, Phrases, first_words, number, read_lines, read_nlu, read_phrases

HERE = Place("words.txt", 7)


@pytest.fixture(scope="module")
def words() -> dict[str, Word]:
    return read_words(plan.TEXTS / "words.txt")


@pytest.fixture(scope="module")
def other() -> dict[str, Word]:
    return read_words(plan.TEXTS / "other_words.txt")


@pytest.fixture(scope="module")
def phrases(words: dict[str, Word], other: dict[str, Word]) -> Phrases:
    texts = [*read_phrases(plan.TEXTS / "phrases"), *read_lines(PROJECT / "models/words/phrases.txt")]
    return Phrases.of(words, [*texts, *read_nlu(PROJECT / "dialogue/data/nlu")], other)


def test_all_that_shipped_models_and_surveys_need_is_among_the_words(
    words: dict[str, Word], tmp_path: Path
) -> None:
    shipped = read_vocabulary(ensure_model("vosk-model-otklik-demo-ru", PROJECT / "models", tmp_path))
    assert len(shipped) > 600
    assert shipped <= set(words)
    asked = {word for phrase in RU.interruptions for word in phrase.split()}
    assert asked <= set(words)


def test_every_choice_of_every_shipped_survey_can_be_said(words: dict[str, Word]) -> None:
    surveys = [load_survey(file) for file in sorted((PROJECT / "survey_defs").glob("*.yaml"))]
    said = {
        word
        for survey in surveys
        if survey.language == "ru"
        for question in survey.questions
        for option in getattr(question, "options", ())
        for text in option.say
        for word in text.split()
    }
    assert len(said) > 10
    assert said <= set(words)


def test_the_closed_questions_listen_for_no_word_that_it_lacks(words: dict[str, Word]) -> None:
    everything = frozenset(words) | {UNKNOWN}
    for closed in (ScaleExpected(low=0, high=10), YesNoExpected()):
        listened = phrases_for(closed, frozenset())
        assert listened is not None
        assert phrases_for(closed, everything) == listened


def test_what_the_measurement_takes_for_unknown_is_unknown(words: dict[str, Word]) -> None:
    unknown = [item for item in read_set(PROJECT / "tests/data/speech") if item.kind == "unknown"]
    assert len(unknown) == 12
    assert not {word for item in unknown for word in item.words} & set(words)


def test_a_word_sounds_by_rule_by_hand_or_both() -> None:
    assert parse_word("нахам+ил", HERE) == Word(
        "нахамил", "нахам+ил", (("n", "a", "h", "a", "mj", "I", "l"),)
    )
    weak = parse_word("н+а weak", HERE)
    assert weak.said == (("n", "A"), ("n", "a"))
    assert parse_word("в = | f | v", HERE).said == (("f",), ("v",))
    assert parse_word("сейч+ас | sch A s", HERE).said[1] == ("sch", "A", "s")
    assert without_stress(("zh", "E")) == ("zh", "y")


@pytest.mark.parametrize(
    ("line", "wrong"),
    [("нахамил", "ударение"), ("д+а | XX", "XX"), ("д+а strong", "strong"), ("да =", r"\[\]")],
)
def test_a_line_that_is_no_word_is_refused_with_its_place(line: str, wrong: str) -> None:
    with pytest.raises(BadInput, match=wrong) as caught:
        parse_word(line, HERE)
    assert caught.value.place == HERE


def test_a_word_written_twice_is_refused(tmp_path: Path) -> None:
    file = tmp_path / "words.txt"
    file.write_text("# head\nд+а\nнет\nд+а\n", encoding="utf-8")
    with pytest.raises(BadInput, match="twice") as caught:
        read_words(file)
    assert caught.value.place == Place(str(file), 4)


def test_all_phones_are_said_by_some_word(words: dict[str, Word], other: dict[str, Word]) -> None:
    said = Counter(phone for word in (words | other).values() for way in word.said for phone in way)
    assert set(said) == set(PHONES)


def test_sentences_consist_of_known_words_and_a_seed_gives_the_same(phrases: Phrases) -> None:
    rng, again = random.Random(3), random.Random(3)
    said = [phrases.sentence(rng) for _ in range(2000)]
    assert said == [phrases.sentence(again) for _ in range(2000)]
    spoken = Counter(word for text in said for word in text.split())
    assert set(spoken) <= phrases.vocabulary
    # The words that are easily confused are said again and again.
    assert min(spoken[word] for word in ("один", "ноль", "на", "нахамил")) > 10
    assert len(set(said)) > 700


def test_unknown_sentences_have_no_known_word(phrases: Phrases) -> None:
    rng = random.Random(4)
    for _ in range(300):
        assert not set(phrases.unknown_sentence(rng).split()) & phrases.vocabulary


def test_a_bare_answer_is_expected_as_a_survey_hears_it(phrases: Phrases) -> None:
    rng = random.Random(8)
    said = Counter(phrases.bare(rng) for _ in range(2000))
    assert set(NAMES) < set(said)
    assert min(said["да"], said["нет"]) > 2 * max(said[name] for name in NAMES)
    alike = Counter(phrases.bare_or_like(rng) for _ in range(2000))
    assert alike["ну"]
    assert alike["нахамил"]
    assert all(phrases.vocabulary.issuperset(text.split()) for text in (*said, *alike))


def test_numbers_agree_with_what_they_count() -> None:
    rng = random.Random(5)
    said = " | ".join(number(rng) for _ in range(3000))
    for right in ("один балл ", "два балла", "пять баллов", "на единицу", "ближе к нулю", "между"):
        assert right in said
    assert "пять балла" not in said
    assert "{}" not in said


def test_a_small_vocabulary_can_still_say_a_number(words: dict[str, Word]) -> None:
    few = first_words(list(words), 40)
    assert len(set(few)) == 40
    assert {"ноль", "десять", "да", "нет"} <= set(few)
    some = Phrases.of(few, ["да", "не знаю"], ["слон"])
    assert some.fixed == ("да",)
    with pytest.raises(ValueError, match="no phrase"):
        Phrases.of(few, ["не знаю"], [])


def test_the_voices_that_measure_every_recogniser_teach_and_tune_none(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    from small_ru import rhvoice

    there = frozenset({"aleksandr", "anna", "elena", "irina", "pavel"})
    monkeypatch.setattr(rhvoice, "installed_voices", lambda: there)
    found = voices.known_voices(("espeak", "rhvoice", "rutts"), plan.FULL)
    assert not [voice for voice in found if voice.name.lower() in ("elena", "nsh")]
    roles = {voice.name: voice.role for voice in found}
    assert roles["Anna"] == "train"
    # Voices whose licence forbids derivatives only test, and so do those of tests/data/speech.
    assert {roles[name] for name in ("Pavel", "ru+m7", "ru+f2")} == {voices.Role.TEST}
    assert len(roles) == len(found)
