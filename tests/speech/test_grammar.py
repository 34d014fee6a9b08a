from __future__ import annotations

import pytest

from bot.core.answer import Answer
from bot.core.directives import (
    ChoiceExpected,
    ChoiceOption,
    ConfirmExpected,
    DateExpected,
    Expectation,
    MultiChoiceExpected,
    NumberExpected,
    OpenExpected,
    ScaleExpected,
    ScaleLabel,
    YesNoExpected,
)
from bot.speech.endpointing.completeness import reading_of
from bot.speech.grammar import phrases_for
from bot.speech.grammar_words import BY_LANGUAGE, EN, RU
from bot.speech.recogniser import VoskRecogniser

CHOICE = ChoiceExpected(options=(ChoiceOption(id="price", say=("Цена", "стоимость")),))
SEVERAL = MultiChoiceExpected(options=CHOICE.options)
CONFIRM = ConfirmExpected(of=ScaleExpected(low=0, high=10), candidates=(7,))
CLOSED: list[Expectation] = [ScaleExpected(low=1, high=5), YesNoExpected(), CHOICE, SEVERAL, CONFIRM]


@pytest.mark.parametrize("language", BY_LANGUAGE)
@pytest.mark.parametrize("expectation", CLOSED, ids=lambda e: e.kind)
def test_every_grammar_holds_the_interruptions_and_the_unknown(
    expectation: Expectation, language: str
) -> None:
    phrases = phrases_for(expectation, frozenset(), language)
    assert phrases is not None
    assert set(BY_LANGUAGE[language].interruptions) <= set(phrases)
    assert phrases[-1] == "[unk]"
    assert len(set(phrases)) == len(phrases)


def test_english_is_heard_in_english_and_other_languages_openly() -> None:
    phrases = phrases_for(CONFIRM, frozenset(), "en")
    assert phrases is not None
    assert {"seven", "yes", "correct", "do not call me"} <= set(phrases)
    assert not {letter for phrase in phrases for letter in phrase} & set("абвгдежзийклмнопрстуфхцчшщыьэюя")
    assert len(EN.numbers) == len(RU.numbers) == 11
    assert phrases_for(CONFIRM, frozenset(), "kk") is None


@pytest.mark.parametrize(
    ("number", "word"), [(number, word) for number, words in enumerate(EN.numbers) for word in words]
)
def test_the_english_numbers_are_read_as_what_they_are(number: int, word: str) -> None:
    reading = reading_of(ScaleExpected(low=0, high=10), word)
    assert isinstance(reading, Answer)
    assert reading.value == number


def test_open_questions_and_unusual_scales_have_no_grammar() -> None:
    assert phrases_for(None, frozenset()) is None
    assert phrases_for(OpenExpected(), frozenset()) is None
    assert phrases_for(ScaleExpected(low=0, high=100), frozenset()) is None


def test_numbers_and_dates_have_too_many_words_for_a_grammar() -> None:
    assert phrases_for(NumberExpected(low=0, high=10), frozenset()) is None
    assert phrases_for(DateExpected(horizon_days=14), frozenset()) is None
    number = ConfirmExpected(of=NumberExpected(low=0, high=10), candidates=(7,))
    assert phrases_for(number, frozenset()) is None


def test_a_confirming_question_hears_yes_no_and_the_values() -> None:
    phrases = phrases_for(CONFIRM, frozenset())
    assert phrases is not None
    assert {"да", "нет", "верно", "семь", "восемь"} <= set(phrases)


def test_labels_of_a_scale_and_several_options_are_heard() -> None:
    labelled = ScaleExpected(low=1, high=3, labels=(ScaleLabel(code=3, say=("Отлично",)),))
    assert "отлично" in (phrases_for(labelled, frozenset()) or ())
    assert {"цена", "ничего", "всё"} <= set(phrases_for(SEVERAL, frozenset()) or ())


def test_a_choice_is_heard_by_its_words_and_its_number() -> None:
    phrases = phrases_for(CHOICE, frozenset())
    assert phrases is not None
    assert {"цена", "стоимость", "один"} <= set(phrases)


def test_words_that_the_model_lacks_are_left_out() -> None:
    phrases = phrases_for(YesNoExpected(), frozenset({"да", "нет", "оператором"}))
    assert phrases == ("да", "нет", "оператором", "[unk]")


@pytest.mark.parametrize("expectation", CLOSED[:2], ids=lambda e: e.kind)
def test_the_shipped_model_knows_nearly_every_word_of_its_grammars(
    expectation: Expectation, recogniser: VoskRecogniser
) -> None:
    """A word that is missing here is a word that no caller is understood by."""
    wanted = {word for phrase in RU.interruptions for word in phrase.split()}
    recording = {"записывайте", "записи", "запись", "против", "выключите"}  # of these it has «не пишите»
    assert wanted - recogniser.vocabulary <= {"нахамил"} | recording  # it has «нахамили»
    every = phrases_for(expectation, frozenset()) or ()
    words = {word for phrase in every[:-1] for word in phrase.split()}
    assert len(words - recogniser.vocabulary) / len(words) < 0.15
