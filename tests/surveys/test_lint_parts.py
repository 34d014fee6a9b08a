"""What the lint reads out of texts, and how it walks a survey."""

from __future__ import annotations

from typing import Any

import pytest

from bot.core.errors import SynthesiserUnavailable
from bot.speech.measuring import SpeechMeter
from bot.surveys.lint import lint_survey
from bot.surveys.lint.hearing import ALIKE_AT_MOST, difference
from bot.surveys.lint.scales import ends_in, labels_in
from bot.surveys.schema import Survey

NPS = "Порекомендуете ли вы нас, от нуля до десяти?"

_ABOUT = (
    *("магазин", "сайт", "цены", "склад", "заказ"),
    *("товар", "город", "отдел", "мастера", "доставку"),
)


def survey(*questions: dict[str, Any], **more: Any) -> Survey:
    """A survey whose questions may leave out what does not matter here."""
    filled = [
        {"reask": f"Скажите, пожалуйста, ещё раз про {place}.", **question}
        for place, question in zip(_ABOUT, questions, strict=False)
    ]
    return Survey.model_validate(
        {
            "id": "short",
            "version": 1,
            "language": "ru",
            "title": "Короткий",
            "company": "Ромашка",
            "consent": "Здравствуйте! Это компания {company}.",
            "introduction": "Несколько вопросов.",
            "questions": filled,
            **more,
        }
    )


def rules(checked: Survey) -> list[str]:
    return sorted(problem.rule for problem in lint_survey(checked))


# Scales ---------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("text", "ends"),
    [
        ("Оцените от одного до пяти.", [(1, 5)]),
        ("от нуля до десяти, где десять — отлично", [(0, 10)]),
        ("по пятибалльной шкале", [(1, 5)]),
        ("по десятибалльной шкале", [(1, 10)]),
        ("с одного до трёх", [(1, 3)]),
        ("from zero to ten", [(0, 10)]),
        ("on a five-point scale", [(1, 5)]),
        ("от первого до пятого этажа", []),
        ("Один из трёх ответов", []),
        ("Вы поставили {answer.nps|пять}, от одного до пяти", [(1, 5)]),
    ],
)
def test_ranges_in_words(text: str, ends: list[tuple[int, int]]) -> None:
    assert list(ends_in(text)) == ends


@pytest.mark.parametrize(
    ("text", "labels"),
    [
        ("Ноль — точно нет, десять — точно да.", {0: "точно нет", 10: "точно да"}),
        ("Можно нажать цифру: один — да, два — нет.", {1: "да", 2: "нет"}),
        ("от одного до пяти, где пять — всё отлично", {5: "все отлично"}),
        (
            "One is very hard, and seven means very easy, thank you.",
            {1: "very hard", 7: "very easy thank you"},
        ),
        ("where one is bad and three is good", {1: "bad", 3: "good"}),
        ("И последнее — что улучшить?", {}),
        ("Один вопрос — и всё.", {}),
    ],
)
def test_labels_in_words(text: str, labels: dict[int, str]) -> None:
    assert {label.value: label.meaning for label in labels_in(text)} == labels


@pytest.mark.parametrize(
    ("ask", "help_", "direction", "right"),
    [
        ("Насколько легко, от одного до семи?", "", "higher_is_easier", True),
        ("Насколько легко, от одного до семи?", "", "lower_is_easier", False),
        ("Насколько трудно, от одного до семи?", "", "lower_is_easier", True),
        ("Сколько сил, от одного до семи?", "Один — легко, семь — трудно.", "lower_is_easier", True),
        ("Насколько легко, от одного до семи?", "Один — очень легко.", "lower_is_easier", True),
        ("Сколько сил, от одного до семи?", "Семь — нелегко.", "higher_is_easier", False),
        ("Решили, от одного до семи?", "", "lower_is_easier", True),  # the words do not tell
    ],
)
def test_the_direction_of_an_effort(ask: str, help_: str, direction: str, right: bool) -> None:
    found = rules(survey({"id": "ease", "kind": "ces", "direction": direction, "ask": ask, "help": help_}))
    assert found == ([] if right else ["ces-direction"])


# Speech ---------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("text", "found"),
    [
        ("Оцените нас от 1 до 5", "number-in-digits"),
        ("Скидка 10% ваша", "number-in-digits"),
        ("Заказ № 5 готов", "number-in-digits"),
        ("Работаем 24/7", "number-in-digits"),
        ("Пишите 5-го числа", "number-in-digits"),
        ("Банк ВТБ", "abbreviation"),
        ("Мы в СПб", "abbreviation"),
        ("Сроки, цена и т. д.", "abbreviation"),
        ("Дом на ул. Мира", "abbreviation"),
        ("Стоит сто руб. в час", "abbreviation"),
        ("Наш р-н", "abbreviation"),
        ("Мы из г. Тверь", "abbreviation"),
        ("Спросите гр Петрова", "abbreviation"),
        ("Наш сайт shop.ru", "foreign-letters"),
        ("Есть Wi-Fi", "foreign-letters"),
        ("Стол & стул", "unspeakable-symbol"),
        ("Позвоните по номеру #", "unspeakable-symbol"),
        ("Плюс + минус", "unspeakable-symbol"),
        ("Закройте зам+ок", ""),
        ("Я и он, мы — друзья: «да», «нет»; вот (так)…", ""),
        ("Он пришёл в дом. Вы тоже. А я нет.", ""),
        ("Кто-то где-нибудь, по-русски", ""),
        ("Спасибо, {customer.first_name|друг}, {company}!", ""),
    ],
)
def test_what_is_misread(text: str, found: str) -> None:
    assert rules(survey({"id": "a", "kind": "open", "ask": text})) == ([found] if found else [])


@pytest.mark.parametrize(
    ("text", "found"),
    [
        ("How was it, on a scale from 1 to 10?", ""),
        ("We are open 9-18", "number-in-digits"),
        ("Prices, delivery, etc. matter", "abbreviation"),
        ("Call Mr. Smith", "abbreviation"),
        ("Was it no. Or yes", "abbreviation"),
        ("I said no.", ""),
        ("Скажите, how was it", "foreign-letters"),
        ("Bread & butter", "unspeakable-symbol"),
    ],
)
def test_what_is_misread_in_english(text: str, found: str) -> None:
    checked = survey(
        {"id": "a", "kind": "open", "ask": text, "reask": "Once more, please."},
        language="en",
        consent="Hello, this is {company}.",
        introduction="A question.",
        company="Daisy",
    )
    assert rules(checked) == ([found] if found else [])


# Hearing --------------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def meter() -> Any:
    with SpeechMeter() as meter:
        yield meter


@pytest.mark.parametrize(
    ("first", "second", "alike"),
    [
        ("код", "кот", True),
        ("карта", "парта", True),
        ("договор", "разговор", True),
        ("двойка", "тройка", True),
        ("кредит", "кредиты", True),
        ("семь", "восемь", False),
        ("магазин", "сайт", False),
        ("доставка", "оплата", False),
        ("на сайте", "в магазине", False),
        ("интернет", "кабинет", False),
    ],
)
def test_what_sounds_alike(meter: SpeechMeter, first: str, second: str, alike: bool) -> None:
    sounds, others = meter.phonemes([first, second], "ru")
    assert (difference(sounds, others) <= ALIKE_AT_MOST) == alike
    assert difference(sounds, others) == difference(others, sounds)
    assert difference(sounds, sounds) == 0


def test_seconds_are_the_speech_s(meter: SpeechMeter) -> None:
    short, long, again = meter.seconds(["Да.", "Да, конечно, с большим удовольствием.", "Да."], "ru")
    assert 0.1 < short < 1.0 < long < 5.0
    assert again == short
    (digits, words) = meter.seconds(["Сто двадцать пять.", "125."], "ru")
    assert digits == pytest.approx(words, rel=0.3)
    (paused,) = meter.seconds(['Да, <break time="1.2s"/> конечно.'], "ru")
    (whole,) = meter.seconds(["Да, конечно."], "ru")
    assert paused == pytest.approx(whole + 1.2, abs=0.5)


def test_a_voice_that_is_not_there_is_told() -> None:
    with SpeechMeter() as broken, pytest.raises(SynthesiserUnavailable, match="нет голоса"):
        broken.seconds(["Да."], "xx")
