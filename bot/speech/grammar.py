"""Runtime grammars: the words that a closed question listens for.

Vosk makes a bigram over the words of these phrases, not a list of sentences. A grammar always
holds the interruptions, so that a closed question is never deaf to a complaint, a wish for a
person or «не звоните».
"""

from __future__ import annotations

from bot.core.directives import (
    ChoiceExpected,
    ConfirmExpected,
    DateExpected,
    Expectation,
    MultiChoiceExpected,
    NumberExpected,
    OpenExpected,
    ScaleExpected,
    YesNoExpected,
)

UNKNOWN = "[unk]"

INTERRUPTIONS = (
    "соедините с оператором",
    "позовите человека",
    "хочу поговорить с человеком",
    "соедините с руководителем",
    "хочу пожаловаться",
    "у меня жалоба",
    "очень долго ждал",
    "долго ждала",
    "не мог дозвониться",
    "не могла дозвониться",
    "оператор нахамил",
    "нахамили",
    "грубо разговаривала",
    "бросили трубку",
    "проблема не решилась",
    "вопрос не решён",
    "ничего не решили",
    "до сих пор не работает",
    "списали деньги",
    "ужасное обслуживание",
    "ужасно плохо",
    "я очень недоволен",
    "недовольна",
    "перезвоните позже",
    "перезвоните завтра",
    "сейчас не могу говорить",
    "неудобно",
    "я занят",
    "я за рулём",
    "больше не звоните",
    "не звоните мне",
    "удалите мой номер",
    "не записывайте",
    "не записывайте меня",
    "не пишите меня",
    "я против записи",
    "выключите запись",
    "повторите пожалуйста",
    "ещё раз",
    "не расслышал",
    "не понял",
    "не знаю",
    "затрудняюсь ответить",
    "не хочу участвовать",
    "не хочу участвовать в опросе",
    "не буду отвечать",
    "кто это",
    "кто вы",
    "вы робот",
    "вы ошиблись номером",
    "до свидания",
)

_NUMBERS = (
    ("ноль", "нуль", "нулевая"),
    ("один", "одна", "единица", "единицу", "кол"),
    ("два", "двойка", "двойку", "двоечка"),
    ("три", "тройка", "тройку", "троечка"),
    ("четыре", "четвёрка", "четвёрку", "четвёрочка"),
    ("пять", "пятёрка", "пятёрку", "пятёрочка"),
    ("шесть", "шестёрка", "шестёрку", "шестью", "шести"),
    ("семь", "семёрка", "семёрку", "семью", "семи"),
    ("восемь", "восьмёрка", "восьмёрку", "восьми"),
    ("девять", "девятка", "девятку", "девяти"),
    ("десять", "десятка", "десятку", "десяти"),
)
_AROUND_NUMBERS = (
    "балл балла баллов",
    "оценка оценку",
    "ставлю поставлю",
    "ну наверное",
    # By itself as well: a «ну…» that has no word to become is heard as «ноль», and that ends the turn.
    "ну",
    "наверное",
    "ну ноль",
    "ноль баллов",
    "пусть будет",
    "из десяти",
    "твёрдая",
    "между и или",
    "не больше",
    "максимум минимум",
    "с плюсом с минусом с половиной",
    "нет",
    # What numbers count: unheard, «два раза звонил» would be a score of two.
    "раз раза минут минуты час часа часов дня дней",
    "утра вечера рублей человек оператора",
)
_YES_NO = (
    "да",
    "ага",
    "угу",
    "конечно",
    "удобно",
    "хорошо",
    "да решили",
    "решили",
    "нет",
    "нет не решили",
    "не решили",
    "не удобно",
    "не надо",
    "не хочу",
    "частично",
    # Without them «ну…» is heard as «угу», and «наверное…» as «верно».
    "ну наверное",
    "ну",
    "наверное",
    "ну да",
    "ну нет",
)
_CONFIRMING = ("верно", "да верно", "правильно", "нет не верно", "неправильно")
_SEVERAL = (
    "первое и второе и третье",
    "первый второй третий четвёртый пятый",
    "всё",
    "все кроме",
    "только",
    "ничего из этого",
    "ничего",
    "ни одного",
    "оба",
)


def phrases_for(expectation: Expectation | None, vocabulary: frozenset[str]) -> tuple[str, ...] | None:
    """The phrases of a runtime grammar; None where the model listens openly.

    That is at open questions, and at numbers and dates, whose words are too many for a bigram.

    Words that the model lacks are left out when `vocabulary` tells which it has; `[unk]` stands
    for everything else if the model knows it.
    """
    confirming = isinstance(expectation, ConfirmExpected)
    match expectation.of if isinstance(expectation, ConfirmExpected) else expectation:
        case None | OpenExpected() | NumberExpected() | DateExpected():
            return None
        case ScaleExpected(low=low, high=high, labels=labels):
            if low < 0 or high >= len(_NUMBERS):
                return None
            numbers = [word for number in _NUMBERS for word in number]  # 11 of 10 is heard, then refused
            spoken = (phrase.lower() for label in labels for phrase in label.say)
            phrases = (*numbers, *_AROUND_NUMBERS, *spoken)
        case YesNoExpected():
            phrases = _YES_NO
        case ChoiceExpected(options=options):
            spoken = (phrase.lower() for option in options for phrase in option.say)
            numbers = [word for number in _NUMBERS for word in number]
            phrases = (*spoken, *numbers)
        case MultiChoiceExpected(options=options):
            spoken = (phrase.lower() for option in options for phrase in option.say)
            numbers = [word for number in _NUMBERS for word in number]
            phrases = (*spoken, *numbers, *_SEVERAL)
    if confirming:
        phrases = (*phrases, *_YES_NO, *_CONFIRMING)
    known = tuple(_known(phrase, vocabulary) for phrase in (*phrases, *INTERRUPTIONS))
    return (*dict.fromkeys(phrase for phrase in known if phrase), UNKNOWN)


def _known(phrase: str, vocabulary: frozenset[str]) -> str:
    if not vocabulary:
        return phrase
    return " ".join(word for word in phrase.split() if word in vocabulary)
