"""Words and keys to values: what is taken, and above all what is not."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from bot.core.answer import Answer, AnswerSource
from bot.core.directives import (
    ChoiceExpected,
    ChoiceOption,
    Expectation,
    NumberExpected,
    OpenExpected,
    ScaleExpected,
    YesNoExpected,
)
from bot.surveys.answers import Unclear, UnclearReason, parse
from bot.surveys.numerals import LEXICON, Form
from tests.surveys.turns import HANDOVER_FAILED, SILENCE, heard, keys, say

TEN = ScaleExpected(low=0, high=10)
FIVE = ScaleExpected(low=1, high=5)
YES_NO = YesNoExpected()
CHOICE = ChoiceExpected(
    options=(
        ChoiceOption(id="shop", say=("магазин", "в магазине")),
        ChoiceOption(id="site", say=("сайт", "на сайте", "интернет")),
        ChoiceOption(id="app", say=("приложение", "мобильное приложение")),
    )
)

AMBIGUOUS, OUT, NO_MATCH = UnclearReason.AMBIGUOUS, UnclearReason.OUT_OF_RANGE, UnclearReason.NO_MATCH


def read(expectation: Expectation, text: str) -> object:
    result = parse(expectation, say(text))
    return result.value if isinstance(result, Answer) else result.reason


def listed(texts: str) -> list[str]:
    return [text.strip() for text in texts.split("|")]


def rows(table: dict[object, str]) -> list[tuple[str, object]]:
    """«value: what is said | or said otherwise», as rows of text and value."""
    return [(text, value) for value, texts in table.items() for text in listed(texts)]


@pytest.mark.parametrize(
    ("text", "value"),
    rows(
        {
            9: (
                "девять | девяточка | на девятку | девятка | девять баллов | девять из десяти | "
                "Девять! | восемь ой нет девять | не восемь а девять | восемь то есть девять | "
                "восемь скорее девять | ну наверное девять | 9 | девять девять | поставила бы девять | "
                "[unk] девять [unk] | восемь всё-таки девять | nine | nine out of ten | "
                "eight no sorry nine"
            ),
            10: "десять из десяти | десятка | десять баллов | червонец | 10 | 10/10",
            1: (
                "один из десяти | кол | единица | один | один балл | ну наверное один | "
                "больше одного не поставлю"
            ),
            0: "ноль из десяти | ноль | нолик | зеро | нуль",
            5: (
                "пять с плюсом | пять с минусом | пятёрка | шесть хотя нет лучше пять | "
                "пять пять с плюсом | больше пяти не дам | не больше пяти | максимум пять | пять максимум | "
                "два раза звонил поэтому пять"
            ),
            4: "твёрдая четвёрка | четыре больше не заслужили | муж сказал два а я поставлю четыре",
            8: (
                "восемь нет девять нет восемь | семь восемь ну пусть восемь | "
                "от нуля до десяти восемь | по десятибалльной шкале восемь | оцениваю в восемь баллов | "
                "я бы поставил десять но ждал поэтому восемь | восемь хотя ждал два часа | восьмёрка | "
                "восьмью"
            ),
            7: (
                "между шестью и семью пусть будет семь | оценю в семь | "
                "десятку не поставлю поставлю семь | семь потому что минут десять ждал | "
                "семёрку ставлю | семёрку дам"
            ),
            2: ("двойка | двоечка | двойка ждал три часа и говорил с тремя операторами | к сожалению два"),
            3: "ставлю три | трояк | три с минусом | на тройку",
            6: "шестёрочка",
        }
    ),
)
def test_a_score_is_read(text: str, value: int) -> None:
    assert read(TEN, text) == value


@pytest.mark.parametrize(
    ("text", "reason"),
    rows(
        {
            OUT: "двенадцать | одиннадцать | двадцать пять | сто баллов | минус один",
            AMBIGUOUS: (
                "на все сто | между семью и восемью | семь восемь | семь-восемь | от семи до восьми | "
                "восемь или девять | восемь с половиной | "
                "полтора балла | 8,5 | больше пяти | почти десять | четыре из пяти | "
                "по пятибалльной шкале четыре | восемь нет | десять если бы не ждал | около восьми | "
                "шесть или даже семь | шесть шесть с половиной | я уже ставил восемь в прошлый раз | "
                "попросили поставить десять"
            ),
            NO_MATCH: (
                "два раза звонил | в восемь утра | в восемь | не восемь | минут десять ждал | "
                "три долгих часа | через два дня | после шести | десятку не поставлю | "
                "ни одного балла | один оператор сказал | один из ваших операторов | ещё один раз | "
                "номер два | максимум | всю семью | опять | [unk] |  | из десяти | второй раз звоню | "
                "пятый день жду | тысяча рублей | четыре оператора"
            ),
        }
    ),
)
def test_no_score_is_guessed(text: str, reason: UnclearReason) -> None:
    assert read(TEN, text) is reason


def test_the_scale_decides_what_a_number_is_worth() -> None:
    assert read(FIVE, "четыре из пяти") == 4
    assert read(FIVE, "по пятибалльной шкале четыре") == 4
    assert read(FIVE, "девять") is OUT
    assert read(FIVE, "ноль") is OUT
    assert read(FIVE, "восемь из десяти") is AMBIGUOUS
    assert read(FIVE, "четыре из десяти") is AMBIGUOUS


def test_every_form_of_every_number_is_a_whole_word_with_one_value() -> None:
    for word, (value, form) in LEXICON.items():
        assert word == word.lower()
        assert "ё" not in word
        if form in (Form.COLLECTIVE, Form.FRACTION):
            assert isinstance(read(TEN, f"{word} баллов"), UnclearReason), word
            continue
        if form is Form.ORDINAL:
            assert read(TEN, f"{word} баллов") is NO_MATCH, word
        elif value > 10:
            assert read(TEN, f"{word} баллов") is OUT, word
        elif word != "семью":  # also «family»: a score only beside «на» and «между»
            assert read(TEN, f"{word} баллов") == value, word


def test_a_teen_is_never_its_unit() -> None:
    for value in range(11, 20):
        result = parse(TEN, say(str(value)))
        assert isinstance(result, Unclear)
        assert result.candidates == (value,)


def test_candidates_are_named_in_the_order_they_were_said() -> None:
    result = parse(TEN, say("между семью и восемью"))
    assert result == Unclear(AMBIGUOUS, (7, 8))


def test_confidence_is_that_of_the_words_it_rests_on() -> None:
    sure = parse(TEN, heard(("ну", 0.2), ("девять", 0.9)))
    assert isinstance(sure, Answer)
    assert (sure.value, sure.confidence, sure.heard, sure.source) == (9, 0.9, "девять", AnswerSource.SPEECH)
    assert parse(TEN, heard(("девять", 0.4))) == Unclear(UnclearReason.LOW_CONFIDENCE, (9,))
    assert isinstance(parse(TEN, heard(("девять", 0.4)), least_confidence=0.3), Answer)


def test_a_hardly_heard_not_makes_the_whole_statement_unsure() -> None:
    assert parse(YES_NO, heard(("не", 0.3), ("решили", 1.0))) == Unclear(
        UnclearReason.LOW_CONFIDENCE, ("no",)
    )


@pytest.mark.parametrize(
    "text",
    listed(
        "да | угу | ага | конечно | да решили | да нет всё решили | нет всё решили | решили | "
        "да удобно | ну да | да да конечно | всё решилось | вопрос решён | давайте | хорошо | "
        "решили но не сразу | не сразу но решили | да спасибо | да помогли | нет ой да | верно | "
        "соедините пожалуйста | да проблем нет | yes | yes of course | конечно решили | "
        "не только решили | мгм | меня устроило | сам разобрался и всё решилось | да извините решили | "
        "да я же сказала решили"
    ),
)
def test_yes(text: str) -> None:
    assert read(YES_NO, text) == "yes"


@pytest.mark.parametrize(
    "text",
    listed(
        "нет | да нет | не решили | нет не решили | неудобно | нет конечно | конечно нет | "
        "да не решили | ничего не решили | никто не помог | так и не решили | не удалось | "
        "да какое решили | вряд ли | да извините нет | "
        "проблема не решена | не надо | спасибо не надо | нет спасибо | неа | да ой нет | "
        "вопрос не решён | не помогли | no | не нужно | нет вопрос не решили"
    ),
)
def test_no(text: str) -> None:
    assert read(YES_NO, text) == "no"


@pytest.mark.parametrize(
    "text",
    listed(
        "нет решили | не до конца решили | частично | частично решили | не всё решили | не знаю | "
        "не совсем | не знаю решили или нет | хочу пожаловаться | можно погромче | я решил уйти | "
        "если решили | девять | чтобы решили | да что вы | нет времени | нет проблем | не очень | "
        "[unk] |  | точно не | не то чтобы нет | нельзя сказать что нет | не сказать что решили | "
        "на девяносто процентов решили | решили один из двух | оператор сказал что решили | "
        "не могу ответить | интернет работает а телевизор не работает | вопросов больше нет | "
        "вопрос решили но интернет не работает | да отстаньте"
    ),
)
def test_neither_yes_nor_no(text: str) -> None:
    assert isinstance(parse(YES_NO, say(text)), Unclear)


@pytest.mark.parametrize(
    ("text", "option"),
    rows(
        {
            "shop": "магазин | в магазине | номер один",
            "site": "на сайте конечно | второй | два | магазин ой нет сайт | не магазин а сайт",
            "app": "вариант три | мобильное приложение",
        }
    ),
)
def test_a_choice_is_read(text: str, option: str) -> None:
    assert read(CHOICE, text) == option


@pytest.mark.parametrize(
    "text", ["", "магазин и сайт", "никакой", "четвёртый", "звонил два раза в поддержку", "не магазин"]
)
def test_no_choice_is_guessed(text: str) -> None:
    assert isinstance(parse(CHOICE, say(text)), Unclear)


@pytest.mark.parametrize(
    ("expectation", "digits", "value"),
    [
        (TEN, "9", 9), (TEN, "10", 10), (TEN, "10#", 10), (TEN, "0", 0), (FIVE, "5", 5), (YES_NO, "1", "yes"),
        (YES_NO, "2", "no"), (CHOICE, "3", "app"),
    ],
)  # fmt: skip
def test_keys(expectation: Expectation, digits: str, value: object) -> None:
    answer = parse(expectation, keys(digits))
    assert isinstance(answer, Answer)
    assert (answer.value, answer.source, answer.confidence) == (value, AnswerSource.DTMF, 1.0)


@pytest.mark.parametrize(
    ("expectation", "digits"),
    [
        (TEN, "11"), (TEN, ""), (TEN, "*"), (TEN, "00"), (TEN, "A"), (FIVE, "0"), (FIVE, "6"), (YES_NO, "3"),
        (CHOICE, "4"), (CHOICE, "0"), (OpenExpected(), "1"),
    ],
)  # fmt: skip
def test_wrong_keys(expectation: Expectation, digits: str) -> None:
    assert parse(expectation, keys(digits)) == Unclear(UnclearReason.WRONG_KEY)


def test_any_speech_answers_an_open_question() -> None:
    said = parse(OpenExpected(), say("очень долго ждал"))
    unknown = parse(OpenExpected(), say("[unk] [unk]"))
    nothing = parse(OpenExpected(), say(""))
    assert [answer.value for answer in (said, unknown, nothing) if isinstance(answer, Answer)] == [
        "очень долго ждал",
        "",
        "",
    ]


def test_silence_is_no_answer_anywhere() -> None:
    for expectation in (TEN, YES_NO, CHOICE, OpenExpected()):
        assert parse(expectation, SILENCE) == Unclear(UnclearReason.SILENCE)
        assert parse(expectation, HANDOVER_FAILED) == Unclear(UnclearReason.SILENCE)


SOME_WORDS = st.sampled_from(
    listed(
        "да | нет | не | решили | девять | восемь | один | два | раза | десять | из | ой | между | и | в"
        " | утра | больше | дам | максимум | [unk] | ну | двойка | с | половиной | сто | двадцать"
        " | магазин | сайт | бы | но | если | все | минус | 7 | 8,5"
    )
)


@given(st.lists(SOME_WORDS, max_size=9).map(" ".join), st.sampled_from([TEN, FIVE, YES_NO, CHOICE]))
@settings(deadline=None)
def test_a_value_is_always_one_that_was_expected(text: str, expectation: Expectation) -> None:
    result = parse(expectation, say(text))
    if isinstance(result, Unclear):
        return
    if isinstance(expectation, ScaleExpected):
        assert isinstance(result.value, int)
        assert expectation.low <= result.value <= expectation.high
    elif isinstance(expectation, YesNoExpected):
        assert result.value in ("yes", "no")
    else:
        assert result.value in {"shop", "site", "app"}
    assert result.heard


@given(st.text(max_size=60))
@settings(deadline=None)
def test_no_text_breaks_the_parser(text: str) -> None:
    for expectation in (TEN, YES_NO, CHOICE):
        parse(expectation, say(text))


@pytest.mark.parametrize("hedge", ["наверное", "наверно", "не знаю", "даже не знаю", "как сказать"])
@pytest.mark.parametrize("filler", ["", "э "])
def test_a_hedge_that_is_heard_as_zero_is_no_zero(filler: str, hedge: str) -> None:
    """«Ну, наверное…» is heard as «нуль наверное»."""
    assert read(TEN, f"{filler}нуль {hedge}") is NO_MATCH
    assert read(TEN, f"{filler}нуль {hedge} семь") == 7
    assert read(TEN, f"{filler}ноль {hedge}") == 0
    assert read(NumberExpected(low=0, high=10), f"{filler}нуль {hedge}") is NO_MATCH


@pytest.mark.parametrize(("sure", "value"), [(0.72, None), (0.81, 0)])
def test_a_zero_that_is_sure_stays_one(sure: float, value: int | None) -> None:
    result = parse(TEN, heard(("нуль", sure), ("наверное", 1.0)))
    assert (result.value if isinstance(result, Answer) else None) == value


@pytest.mark.parametrize("text", ["нуль", "нуль баллов", "поставлю нуль наверное", "нуль конечно"])
def test_other_zeros_stay(text: str) -> None:
    assert read(TEN, text) == 0
