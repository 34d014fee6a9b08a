"""Piping, wordings and the list of all that can be said."""

from __future__ import annotations

from typing import Any

import pytest
from pydantic import ValidationError

from bot.core.context import CallContext, Person
from bot.core.intents import Topic
from bot.surveys.asking import wordings
from bot.surveys.piping import check, render
from bot.surveys.prompts import prompts
from bot.surveys.schema import Survey
from bot.surveys.texts import Closings, Texts, with_defaults
from bot.surveys.words import UNKNOWN, split, tokens
from tests.surveys.turns import CSAT, NPS, context, heard, say


def call(customer: str = "", agent: str = "") -> CallContext:
    return context(NPS, customer=Person(first_name=customer), agent=Person(first_name=agent))


@pytest.mark.parametrize(
    ("text", "customer", "spoken"),
    [
        ("Здравствуйте, {customer.first_name|}!", "Анна", "Здравствуйте, Анна!"),
        ("Здравствуйте, {customer.first_name|}!", "", "Здравствуйте!"),
        ("Здравствуйте, {customer.first_name|}!", "  ", "Здравствуйте!"),
        ("{customer.first_name|}, оцените нас.", "", "Оцените нас."),
        ("{customer.first_name|уважаемый клиент}, оцените нас.", "", "Уважаемый клиент, оцените нас."),
        ("Это {company}.", "", "Это Ромашка."),
        ("Скажите, {customer.first_name|}, да или нет?", "", "Скажите, да или нет?"),
        ("Без полей.", "Анна", "Без полей."),
        ("Имя: {customer.first_name|нет}.", "{company}", "Имя: {company}."),
    ],
)
def test_a_field_or_its_fall_back_is_spoken(text: str, customer: str, spoken: str) -> None:
    assert render(check(text), call(customer), "Ромашка") == spoken


@pytest.mark.parametrize("text", ["{customer.phone|}", "{customer.first_name}", "{", "}", "{a{company}}"])
def test_a_wrong_pipe_is_refused(text: str) -> None:
    with pytest.raises(ValueError, match=r"поле|запасного|скобка"):
        check(text)


def test_prompts_are_unique_complete_and_greet_by_name() -> None:
    texts = prompts(NPS, call("Анна"))
    assert len(texts) == len(set(texts))
    assert any(text.startswith("Здравствуйте, Анна!") for text in texts)
    assert not any("{" in text or not text for text in texts)
    for question in NPS.questions:
        assert set(question.reask) < set(texts)
    assert {NPS.closings.error, *NPS.texts.filler, *NPS.texts.connecting} < set(texts)
    assert set(NPS.texts.offer_by_topic.values()) < set(texts)


def test_only_few_prompts_are_personal() -> None:
    personal = set(prompts(NPS, call("Анна"))) - set(prompts(NPS, call("Пётр")))
    assert len(personal) == 1


def test_the_first_sentences_tell_who_rings_and_why() -> None:
    for survey in (NPS, CSAT):
        first = render(f"{survey.consent} {survey.introduction}", call(), survey.company)
        assert survey.company in first
        assert "помощник" in first
        assert ("записывается" in first) == survey.record
    assert "Отклик" in NPS.company


def test_hints_say_that_keys_may_be_pressed() -> None:
    for survey in (NPS, CSAT):
        for question in survey.questions:
            if question.kind != "open":
                assert "ожно нажать цифру на телефоне" in question.dtmf_hint


@pytest.mark.parametrize("language", ["ru", "en"])
def test_the_defaults_of_a_language_are_complete(language: str) -> None:
    filled = with_defaults({"language": language})
    texts, closings = Texts.model_validate(filled["texts"]), Closings.model_validate(filled["closings"])
    for name in Texts.model_fields:
        pool = getattr(texts, name)
        if isinstance(pool, tuple) and name != "numbers":
            assert len(pool) == len(set(pool)) >= 2, name
    cyrillic = any("а" <= char <= "я" for char in texts.offer + closings.completed)
    assert cyrillic == (language == "ru")
    assert set(texts.whisper_topics) == set(Topic)


def test_one_topic_can_be_reworded_and_the_rest_stays() -> None:
    data = NPS.model_dump(mode="json")
    data["texts"] = {"offer_by_topic": {"waiting": "Позвать человека?"}}
    survey = Survey.model_validate(data)
    assert survey.texts.offer_by_topic[Topic.WAITING] == "Позвать человека?"
    assert survey.texts.offer_by_topic[Topic.BILLING] == NPS.texts.offer_by_topic[Topic.BILLING]


def test_a_survey_is_frozen() -> None:
    with pytest.raises(ValidationError, match="frozen"):
        NPS.title = "другой"  # type: ignore[misc]
    with pytest.raises(KeyError):
        NPS.question("nowhere")


def test_words_are_compared_whole_and_folded() -> None:
    assert split("Твёрдая четвёрка, да-да! 8,5 [unk] 10/10") == (
        "твердая", "четверка", "да", "да", "8,5", UNKNOWN, "10", "из", "10",
    )  # fmt: skip
    assert [token.confidence for token in tokens(heard(("да", 0.5), ("нет", 0.7)))] == [0.5, 0.7]
    assert [token.confidence for token in tokens(say("да нет"))] == [1.0, 1.0]


@pytest.mark.parametrize(
    ("fields", "hint"),
    [
        ({"kind": "number", "high": 10}, "Можно набрать число на телефоне."),
        ({"kind": "date"}, "Можно набрать на телефоне час, от нуля до двадцати трёх."),
        ({"kind": "date", "dtmf_hint": "Наберите час."}, "Наберите час."),
        ({"kind": "yes_no"}, "Можно нажать цифру на телефоне: один — да, два — нет."),
        ({"kind": "open"}, None),
    ],
)
def test_the_last_wording_tells_of_the_keys(fields: dict[str, Any], hint: str | None) -> None:
    question = {"id": "q", "ask": "Когда?", "reask": "Скажите, когда?", **fields}
    survey = Survey.model_validate({**NPS.model_dump(), "questions": [question], "triage": []})
    said = wordings(survey, survey.questions[0])
    assert said[2:] == (() if hint is None else (hint,))
    assert set(said) <= set(prompts(survey, context(survey)))


def test_a_version_from_before_there_was_a_hint_says_none() -> None:
    question = {"id": "q", "kind": "date", "ask": "Когда?", "reask": "Скажите, когда?"}
    texts = {**NPS.texts.model_dump(), "dtmf_date": ""}
    survey = Survey.model_validate(
        {**NPS.model_dump(), "questions": [question], "triage": [], "texts": texts}
    )
    assert wordings(survey, survey.questions[0]) == ("Когда?", "Скажите, когда?")
