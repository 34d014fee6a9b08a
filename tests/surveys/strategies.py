"""Random surveys that lint clean: every kind of question, conditions, branches, rules."""

from __future__ import annotations

from typing import Any

from hypothesis import strategies as st

from bot.core.intents import Topic
from bot.surveys.dictionary_files import shipped
from bot.surveys.lint import lint_survey
from bot.surveys.schema import Survey

MOST = 6
"""Questions: with more of them a survey does not lint."""

_UP_TO = (
    *("нуля", "одного", "двух", "трёх", "четырёх", "пяти"),
    *("шести", "семи", "восьми", "девяти", "десяти"),
)
_ABOUT = ("магазин", "сайт", "доставку", "цены", "поддержку", "приложение")
_OPTIONS = ("магазин", "сайт", "телефон", "доставка", "кабинет")
_KEYS = ("один", "два", "три", "четыре", "пять")

Data = dict[str, Any]
Draw = st.DrawFn


@st.composite
def surveys(draw: Draw) -> Survey:
    """A survey of 1 to 6 questions. Branches and rules that would make it fail its lint are left out."""
    data = draw(_data())
    survey = Survey.model_validate(data)
    never = {problem.rule for problem in lint_survey(survey)} & {"rule-never-reached"}
    if never:
        data["triage"] = data["triage"][:1]
        survey = Survey.model_validate(data)
    if lint_survey(survey):
        for question in data["questions"]:
            question.pop("then", None)
        survey = Survey.model_validate(data)
    return survey


def unchecked_surveys() -> st.SearchStrategy[Survey]:
    """The same, whether or not they lint: with questions and branches that may be out of reach."""
    return _data().map(Survey.model_validate)


@st.composite
def _data(draw: Draw) -> Data:
    record = draw(st.booleans())
    consent = "Здравствуйте, {customer.first_name|}! Это компания {company}."
    questions: list[Data] = []
    for place in range(draw(st.integers(1, MOST))):
        question = draw(_question(place))
        if questions and draw(st.booleans()):
            question["when"] = draw(_condition(questions))
        questions.append(question)
    for place, question in enumerate(questions):
        if draw(st.integers(0, 2)) == 0:
            question["then"] = draw(_branches(questions, place))
    return {
        "id": "random",
        "version": 1,
        "language": "ru",
        "title": "Случайный опрос",
        "company": "Ромашка",
        "record": record,
        "patience": draw(st.integers(1, 12)),
        "consent": f"{consent} Разговор записывается." if record else consent,
        "introduction": "Ответьте, пожалуйста, на несколько вопросов.",
        "questions": questions,
        "triage": draw(_rules(questions)),
        "dictionaries": _DICTIONARIES if draw(st.booleans()) else [],
        "signals": {"misunderstood_after": draw(st.integers(1, 4)), "interruptions": 2},
    }


@st.composite
def _question(draw: Draw, place: int) -> Data:
    kind = draw(st.sampled_from(sorted(_KINDS)))
    question: Data = {"id": f"q{place}", "kind": kind, **_KINDS[kind](draw, _ABOUT[place])}
    reask = f"Ещё раз про {_ABOUT[place]}"
    question["reask"] = [
        f"{reask}, {how}." for how in ("пожалуйста", "своими словами", "коротко")[: draw(st.integers(1, 3))]
    ]
    if draw(st.booleans()):
        question["help"] = f"Нам важно, что вы думаете про {_ABOUT[place]}."
    return question


def _nps(draw: Draw, about: str) -> Data:
    return {"ask": f"Порекомендуете ли вы {about} знакомым, от нуля до десяти?"}


def _csat(draw: Draw, about: str) -> Data:
    points = draw(st.sampled_from((3, 5)))
    positive = list(range(draw(st.integers(points // 2 + 1, points)), points + 1))
    return {
        "points": points,
        "positive": positive,
        "ask": f"Как вы оцените {about}, от одного до {_UP_TO[points]}?",
    }


def _ces(draw: Draw, about: str) -> Data:
    high = draw(st.integers(2, 10))
    return {
        "low": 1,
        "high": high,
        "direction": "higher_is_easier",
        "ask": f"Насколько легко было выбрать {about}, от одного до {_UP_TO[high]}?",
    }


def _score(draw: Draw, about: str) -> Data:
    low = draw(st.integers(0, 3))
    high = draw(st.integers(low + 1, 10))
    labels = {low: "плохо", high: "хорошо"} if draw(st.booleans()) else {}
    ask = f"Какую оценку вы поставите за {about}, от {_UP_TO[low]} до {_UP_TO[high]}?"
    return {"low": low, "high": high, "labels": labels, "ask": ask}


def _yes_no(draw: Draw, about: str) -> Data:
    return {"ask": f"Понравилось ли вам, как сделали {about}?"}


def _one(draw: Draw, about: str) -> Data:
    said = draw(st.lists(st.sampled_from(_OPTIONS), min_size=2, max_size=5, unique=True))
    keys = ", ".join(f"{key} — {word}" for key, word in zip(_KEYS, said, strict=False))
    return {
        "ask": f"Выберите, что нужнее, чем {about}.",
        "dtmf_hint": f"Можно нажать цифру: {keys}.",
        "options": [{"id": f"o{place}", "say": word} for place, word in enumerate(said)],
    }


def _several(draw: Draw, about: str) -> Data:
    found = _one(draw, about)
    if draw(st.booleans()):
        found["at_most"] = draw(st.integers(2, len(found["options"])))
    return found


def _number(draw: Draw, about: str) -> Data:
    return {"high": draw(st.integers(1, 100)), "ask": f"Сколько раз вы искали {about}?"}


def _date(draw: Draw, about: str) -> Data:
    return {"horizon_days": draw(st.integers(1, 30)), "ask": f"Когда рассказать вам про {about}?"}


def _open(draw: Draw, about: str) -> Data:
    return {"max_s": draw(st.sampled_from((10.0, 30.0))), "ask": f"Как улучшить {about}?"}


_KINDS = {
    "nps": _nps,
    "csat": _csat,
    "ces": _ces,
    "score": _score,
    "yes_no": _yes_no,
    "choice": _one,
    "multi_choice": _several,
    "number": _number,
    "date": _date,
    "open": _open,
}


@st.composite
def _condition(draw: Draw, asked: list[Data]) -> str:
    """A condition that some call meets, over questions that were put before."""
    heard = ['"complaint" in signals', '"billing" in topics', '"praise" in intents']
    heard += ['"angry" in signals', '"misunderstood" in signals']
    around = [*heard, 'customer.first_name == "Анна"']
    comparable = [question for question in asked if question["kind"] != "open"]
    if comparable and draw(st.integers(0, 2)):
        condition = _about_answer(draw, draw(st.sampled_from(comparable)))
    else:
        condition = draw(st.sampled_from(around))
    if draw(st.integers(0, 3)) == 0:
        condition = f'not ({condition}) or "rudeness" in topics'
    return condition


def _about_answer(draw: Draw, question: Data) -> str:
    symbol = f"answer.{question['id']}"
    match question["kind"]:
        case "yes_no":
            return f'{symbol} == "{draw(st.sampled_from(("yes", "no")))}"'
        case "choice":
            return f'{symbol} in ["o0", "o1"]'
        case "multi_choice":
            return f'"o0" in {symbol}'
        case "date":
            return f'{symbol} >= "2027-01-15"'
    low, high = {"nps": (0, 10), "csat": (1, question.get("points", 5))}.get(
        question["kind"], (question.get("low", 0), question.get("high", 10))
    )
    return f"{symbol} {draw(st.sampled_from(('<=', '>=', '==', '!=')))} {draw(st.integers(low, high))}"


@st.composite
def _branches(draw: Draw, questions: list[Data], place: int) -> list[Data]:
    found = []
    for _ in range(draw(st.integers(1, 2))):
        branch: Data = {"when": draw(_condition(questions[: place + 1]))}
        target = draw(st.integers(0, len(questions)))
        if target == len(questions):
            branch["skip_to_end"] = True
        else:
            branch["goto"] = questions[target]["id"]
            if target <= place:
                branch["at_most"] = draw(st.integers(1, 2))
        found.append(branch)
    return found


_DICTIONARIES = [each.model_dump() for each in shipped().values() if each.language == "ru"]

_ACTIONS = st.sampled_from(
    (
        {"offer": "human", "target": "responsible"},
        {"offer": "human", "target": "department:Поддержка"},
        {"offer": "callback", "by": "today", "target": "responsible"},
        {"offer": "callback", "by": "workday", "target": "skill:billing"},
        {"do": "case", "target": "responsible"},
        {"do": "note"},
    )
)


@st.composite
def _rules(draw: Draw, questions: list[Data]) -> list[Data]:
    rules: list[Data] = []
    for place in range(draw(st.integers(0, 3))):
        rule: Data = {"id": f"r{place}", "when": draw(_condition(questions)), **draw(_ACTIONS)}
        if rule.get("do") == "case" and draw(st.booleans()):
            rule["text"] = ("Передам это руководителю.", "Всё записано.", "Этим займутся.")[place]
        rules.append(rule)
        if "offer" not in rule:
            continue
        if draw(st.booleans()):
            rule["declined"] = "case"
        if draw(st.booleans()):
            rule["after"] = draw(st.sampled_from(questions))["id"]
        if draw(st.booleans()):
            topic = draw(st.sampled_from(list(Topic)))
            what = "Соединить вас с сотрудником" if rule["offer"] == "human" else "Перезвонить вам {by}"
            rule["text_by_topic"] = {topic.value: f"Жаль, что так вышло. {what}?"}
    return rules
