"""Random callers: what one may do at a question, whatever it is."""

from __future__ import annotations

from hypothesis import strategies as st

from bot.core.context import UserTurn
from bot.core.directives import Expectation
from bot.core.intents import Intent, Topic
from tests.surveys.turns import SILENCE, keys, say

NOISE = tuple(
    say(text, intent, sure=sure, topic=topic)
    for text, intent, topic in (
        ("[unk]", None, None),
        ("", None, None),
        ("магазин", Intent.INFORM, None),
        ("двенадцать", Intent.ANSWER_SCORE, None),
        ("между семью и восемью", Intent.ANSWER_SCORE, None),
        ("очень долго ждал", Intent.COMPLAIN, Topic.WAITING),
        ("ужасное обслуживание", Intent.COMPLAIN, Topic.QUALITY),
        ("не знаю", Intent.DONT_KNOW, None),
        ("повторите пожалуйста", Intent.ASK_REPEAT, None),
        ("кто это", Intent.ASK_IDENTITY, None),
        ("воздержусь", Intent.REFUSE, None),
        ("всё отлично спасибо большое", Intent.PRAISE, None),
        ("да", Intent.AFFIRM, None),
        ("нет", Intent.DENY, None),
        ("меня обхамили", Intent.INFORM, None),
        ("сколько можно", Intent.OUT_OF_SCOPE, None),
        ("звоню уже третий раз", Intent.INFORM, None),
        ("грубости не было", Intent.INFORM, None),
        ("давайте завтра в десять утра", Intent.CALLBACK_LATER, None),
        ("лучше в пятницу", None, None),
    )
    for sure in (0.3, 0.95)
)
"""What leads a caller nowhere, or only a step; none of it ends a call by itself."""

EARLY = tuple(turn.model_copy(update={"after_s": 2.5}) for turn in NOISE[::2])
"""The same, said before the question was heard out."""

LEAVING = (
    say("соедините с оператором", Intent.REQUEST_AGENT),
    say("перезвоните завтра", Intent.CALLBACK_LATER),
    say("больше не звоните", Intent.OPT_OUT),
    say("вы ошиблись номером", Intent.WRONG_PERSON),
    say("не хочу участвовать в опросе", Intent.REFUSE),
    say("до свидания", Intent.GOODBYE),
)
PRESSED = tuple(keys(digits) for digits in ("1", "2", "5", "10", "15", "99", "*", "#", "12#"))


def turns(expected: Expectation | None) -> st.SearchStrategy[UserTurn]:
    """What a caller may do where this is expected: answers and all else, half and half."""
    other = st.just(SILENCE) | st.sampled_from(NOISE) | st.sampled_from(EARLY) | st.sampled_from(PRESSED)
    return other if expected is None else _answers(expected) | other


def _answers(expected: Expectation) -> st.SearchStrategy[UserTurn]:
    match expected.kind:
        case "scale" | "number":
            return st.integers(expected.low, expected.high).map(lambda value: keys(str(value)))
        case "yes_no":
            return st.sampled_from([keys("1"), keys("2"), say("да", Intent.AFFIRM), say("нет", Intent.DENY)])
        case "choice":
            return st.integers(1, len(expected.options)).map(lambda place: keys(str(place)))
        case "multi_choice":
            places = st.integers(1, len(expected.options))
            return st.sets(places, min_size=1).map(lambda chosen: keys("".join(map(str, chosen)) + "#"))
        case "date":
            return st.integers(9, 20).map(lambda hour: keys(str(hour)))
        case "open":
            return st.sampled_from([say("всё хорошо спасибо"), say("долго отвечали на вопрос")])
        case "confirm":
            agreed = st.sampled_from([say("да", Intent.AFFIRM), say("нет", Intent.DENY)])
            return agreed | _answers(expected.of)
