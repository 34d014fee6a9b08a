"""What a dictionary hears in words, and what it does not: denials, wishes, look-alikes."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bot.surveys.dictionary import Dictionary
from bot.surveys.dictionary_files import shipped
from bot.surveys.lexicon import find
from tests.effort import effort

RUSSIAN = tuple(each for each in shipped().values() if each.language == "ru")
ENGLISH = tuple(each for each in shipped().values() if each.language == "en")


def rules(text: str, dictionaries: tuple[Dictionary, ...] = RUSSIAN, *, denied: bool = False) -> list[str]:
    return [found.rule for found in find(dictionaries, text, denied=denied)]


@pytest.mark.parametrize(
    ("text", "rule", "words"),
    [
        ("ждала очень долго", "complaints.waiting", "ждала очень долго"),
        ("я там долго ждал ответа", "complaints.waiting", "долго ждал"),
        ("мне так и не перезвонили", "complaints.waiting", "не перезвонили"),
        ("оператор нахамил", "complaints.rudeness", "нахамил"),
        ("меня обхамили", "complaints.rudeness", "обхамили"),
        ("бросила трубку", "complaints.rudeness", "бросила трубку"),
        ("трубку бросают", "complaints.rudeness", "трубку бросают"),
        ("вопрос не решили", "complaints.unresolved", "не решили"),
        ("она сама ничего не знает", "complaints.incompetence", "ничего не знает"),
        ("с меня списали лишние деньги", "complaints.billing", "списали лишние деньги"),
        ("обслуживание у вас ужасное", "complaints.quality", "обслуживание у вас ужасное"),
        ("хочу пожаловаться", "complaints.other", "хочу пожаловаться"),
        ("сколько можно", "anger.anger", "сколько можно"),
        ("чёрт знает что", "anger.swearing", "черт"),
        ("звоню уже третий раз", "contact.repeated", "звоню уже третий раз"),
        ("я не первый раз обращаюсь", "contact.repeated", "не первый раз"),
    ],
)
def test_a_phrase_is_found_in_any_form_and_order(text: str, rule: str, words: str) -> None:
    said = {found.rule: found.words for found in find(RUSSIAN, text)}
    assert said.get(rule) == words


@pytest.mark.parametrize(
    "text",
    [
        "грубости не было",
        "грубости я не заметила",
        "ни единой жалобы",
        "жаловаться не на что",
        "претензий никаких",
        "грех жаловаться",
        "конечно дорогая",
        "сам не знаю",
        "не могу ответить на этот вопрос",
        "не перезванивайте",
        "не хамили",
        "никто не грубил",
        "ни разу не нахамили",
        "без хамства",
        "никакого хамства",
        "хамства нет",
        "я не жалуюсь",
        "жаловаться не буду",
        "претензий нет",
        "претензий не имею",
        "долго ждать не пришлось",
        "не очень долго ждал",
        "не скажу что долго ждал",
        "хотелось бы меньше ждать",
        "если бы нахамили я бы сказал",
        "не первый год с вами",
        "всё отлично спасибо большое",
        "грубо говоря девять",
        "решили быстро",
        "помогли",
        "работает",
        "девять",
        "",
        "[unk] [unk]",
    ],
)
def test_what_is_denied_wished_or_alike_is_not_found(text: str) -> None:
    assert rules(text) == []


@pytest.mark.parametrize(
    ("text", "rule"),
    [
        ("не спорю но нахамили", "complaints.rudeness"),
        ("не могли не нахамить", "complaints.rudeness"),
        ("ждать не пришлось зато нахамили", "complaints.rudeness"),
        ("не решили и даже не извинились", "complaints.unresolved"),
    ],
)
def test_a_denial_reaches_no_further_than_what_it_denies(text: str, rule: str) -> None:
    assert rule in rules(text)


def test_what_is_denied_is_told_to_those_who_ask() -> None:
    assert rules("не хамили", denied=True) == ["complaints.rudeness"]


@pytest.mark.parametrize(
    ("text", "found"),
    [
        ("i waited far too long", ["complaints_en.waiting"]),
        ("she was rude to me", ["complaints_en.rudeness"]),
        ("she was not rude", []),
        ("nobody was rude", []),
        ("they overcharged me and i am furious", ["anger_en.anger", "complaints_en.billing"]),
        ("it is the third time i call", ["contact_en.repeated"]),
        ("it was all very good", []),
    ],
)
def test_english(text: str, found: list[str]) -> None:
    assert rules(text, ENGLISH) == found


def test_every_phrase_that_ships_finds_itself() -> None:
    dumb = [
        (each.id, text)
        for dictionary in RUSSIAN + ENGLISH
        for each in dictionary.lists
        for text in each.words
        if each.id
        not in [found.list.id for found in find((dictionary,), text.replace("*", "").replace("=", ""))]
    ]
    assert dumb == []


@given(st.text(max_size=200))
def test_any_text_is_borne(text: str) -> None:
    find(RUSSIAN + ENGLISH, text)


def test_a_long_turn_takes_no_more_than_its_length() -> None:
    words = "здравствуйте я вам так скажу обслуживание нормальное но оператор долго искал и трубку бросили "
    find(RUSSIAN, words)  # every word is analysed once
    assert effort(lambda: find(RUSSIAN, words * 40)) <= 11 * effort(lambda: find(RUSSIAN, words * 4))
