"""Whether a survey hangs together: names that mean something, conditions that can hold, ways that end."""

from __future__ import annotations

from collections.abc import Collection, Iterator
from typing import TYPE_CHECKING, Any

from pydantic import BaseModel

from bot.core.context import Person
from bot.core.directives import (
    ChoiceExpected,
    DateExpected,
    Expectation,
    MultiChoiceExpected,
    NumberExpected,
    ScaleExpected,
    YesNoExpected,
)
from bot.core.intents import Intent, Topic
from bot.surveys.conditions import ANGRY, COMPLAINT, MISUNDERSTOOD, Condition, comparisons
from bot.surveys.expressions import Comparison, nearest
from bot.surveys.piping import BY, piped_answers
from bot.surveys.problems import Fault, Loc
from bot.surveys.questions import Question
from bot.surveys.spoken import sayings

if TYPE_CHECKING:
    from bot.surveys.schema import Survey, TriageRule

REQUEST_AGENT = "request_agent"
"""The signal, and the reason of a transfer, when the caller asks for a person himself."""

MOST_SOUNDS = 150
"""As how many sounds one text may be prepared: two scales of 0-10 in one sentence are 144."""

_ORDERED = ("<", "<=", ">", ">=")


def faults(survey: Survey) -> Iterator[Fault]:
    """Everything that does not hang together, in the order of the survey."""
    yield from _twins(survey)
    for place, question in enumerate(survey.questions):
        yield from _condition(survey, question.when, survey.questions[:place], ("questions", place, "when"))
        yield from _branches(survey, place)
        earlier = [asked.id for asked in survey.questions[:place]]
        for loc, text in _texts(question, ("questions", place)):
            yield from _pipes(survey, text, earlier, loc)
    for place, rule in enumerate(survey.triage):
        yield from _condition(survey, rule.when, survey.questions, ("triage", place, "when"))
        yield from _action(rule, place)
        if rule.after is not None and rule.after not in (ids := [q.id for q in survey.questions]):
            message = f"after называет вопрос «{rule.after}», которого нет"
            loc = ("triage", place, "after")
            yield Fault("unknown-reference", message, loc, nearest(rule.after, ids), rule.after)

    everything = [question.id for question in survey.questions]
    for name in ("consent", "introduction"):
        yield from _pipes(survey, getattr(survey, name), [], (name,))
    for place, rule in enumerate(survey.triage):
        for loc, text in _texts(rule, ("triage", place)):
            yield from _pipes(survey, text, everything, loc)
    for part in ("texts", "closings"):
        for loc, text in _texts(getattr(survey, part), (part,)):
            yield from _pipes(survey, text, everything, loc)


_FIELDS_OF = {
    "human": {"after", "target", "declined", "text", "reask", "text_by_topic"},
    "callback": {"after", "by", "target", "declined", "text", "reask", "text_by_topic"},
    "case": {"target", "text"},
    "note": set[str](),
}
"""Which keys of a triage rule mean something to its action."""


def _action(rule: TriageRule, place: int) -> Iterator[Fault]:
    """One action, with what it needs and nothing that would be passed over."""
    loc: Loc = ("triage", place)
    actions = [action for action in (rule.offer, rule.do) if action is not None]
    if len(actions) != 1:
        message = f"правило «{rule.id}»: " + (
            "не сказано, что делать" if not actions else "offer и do сразу, а действие одно"
        )
        hint = "offer: human или callback — предложить, do: case или note — сделать молча"
        yield Fault("rule-action", message, loc, hint)
        return
    (action,) = actions
    if action == "callback" and rule.by is None:
        message = f"правило «{rule.id}»: не сказано, когда перезвонить"
        yield Fault("rule-action", message, loc, "добавьте by: today, tomorrow или workday")
    fields = type(rule).model_fields
    given = {
        name for name in rule.model_fields_set if getattr(rule, name) not in (None, {}, fields[name].default)
    }
    for name in sorted(given - _FIELDS_OF[action] - {"id", "when", "offer", "do"}):
        what = f"offer: {action}" if rule.offer else f"do: {action}"
        message = f"правило «{rule.id}»: ключ {name} ничего не значит при {what}"
        allowed = ", ".join(sorted(_FIELDS_OF[action])) or "только id и when"
        yield Fault("rule-action", message, (*loc, name), f"уберите его; здесь есть: {allowed}")


def _texts(model: BaseModel, loc: Loc) -> Iterator[tuple[Loc, str]]:
    """Every text directly in a model, in its lists and in its tables."""
    for name in type(model).model_fields:
        value = getattr(model, name)
        if isinstance(value, str):
            yield (*loc, name), value
        elif isinstance(value, tuple):
            yield from (
                ((*loc, name, place), text) for place, text in enumerate(value) if isinstance(text, str)
            )
        elif isinstance(value, dict):
            yield from (((*loc, name, key), text) for key, text in value.items() if isinstance(text, str))


def _pipes(survey: Survey, text: str, known: Collection[str], loc: Loc) -> Iterator[Fault]:
    """`known` are the questions whose answers the text may pipe."""
    sounds = 1
    if BY in text and not _of_a_callback(survey, loc):
        message = f"место {BY} есть только во фразах об обратном звонке"
        yield Fault("bad-pipe", message, loc, "скажите время словами или уберите его", BY)
    for name in piped_answers(text):
        near = f"answer.{name}"
        if name not in known:
            message = f"в тексте ответ «{name}», а такого вопроса раньше нет"
            yield Fault("unknown-reference", message, loc, nearest(name, known), near)
            return
        said = sayings(survey, survey.question(name))
        if said is None:
            message = f"ответ «{name}» вслух не повторить: заранее не озвучить всё, чем он может быть"
            yield Fault("bad-pipe", message, loc, "подставляются оценки, да и нет, варианты и числа", near)
            return
        sounds *= 1 + len(said)
    if sounds > MOST_SOUNDS:
        message = f"у фразы {sounds} звучаний: каждое озвучивается заранее"
        yield Fault("bad-pipe", message, loc, f"оставьте не больше {MOST_SOUNDS}: меньше ответов во фразе")


def _of_a_callback(survey: Survey, loc: Loc) -> bool:
    """Whether a text is said only where a callback is offered or promised."""
    if loc[0] == "triage" and isinstance(loc[1], int):
        return survey.triage[loc[1]].offer == "callback"
    return loc[0] == "texts" and "callback" in str(loc[1])


def _twins(survey: Survey) -> Iterator[Fault]:
    for part, what, items in (
        ("questions", "вопрос", [question.id for question in survey.questions]),
        ("triage", "правило", [rule.id for rule in survey.triage]),
    ):
        for place, name in enumerate(items):
            if name in items[:place]:
                yield Fault(
                    "duplicate-id", f"{what} «{name}» уже есть", (part, place, "id"), "назовите иначе"
                )
    said: set[str] = set()
    for place, question in enumerate(survey.questions):
        for loc, text in _wordings(question):
            spoken = " ".join(text.casefold().split())
            if spoken in said:
                message = f"одна и та же фраза дважды: «{text}»"
                yield Fault("same-wording", message, ("questions", place, *loc), "второй раз скажите иначе")
            said.add(spoken)


def _wordings(question: Question) -> Iterator[tuple[Loc, str]]:
    yield ("ask",), question.ask
    for place, text in enumerate(question.reask):
        yield ("reask", place), text
    if question.help:
        yield ("help",), question.help


def _branches(survey: Survey, place: int) -> Iterator[Fault]:
    ids = [question.id for question in survey.questions]
    for number, branch in enumerate(survey.questions[place].then):
        loc: Loc = ("questions", place, "then", number)
        yield from _condition(survey, branch.when, survey.questions[: place + 1], (*loc, "when"))
        if branch.goto is None:
            continue
        if branch.goto not in ids:
            message = f"goto называет вопрос «{branch.goto}», которого нет"
            hint = nearest(branch.goto, ids)
            yield Fault("unknown-reference", message, (*loc, "goto"), hint, branch.goto)
        elif ids.index(branch.goto) <= place and branch.at_most is None:
            message = f"переход назад, к «{branch.goto}», может повторяться без конца"
            hint = "добавьте at_most: 1 — сколько раз за разговор"
            yield Fault("endless-loop", message, (*loc, "goto"), hint, branch.goto)


def _condition(
    survey: Survey, condition: Condition | None, asked: Collection[Question], loc: Loc
) -> Iterator[Fault]:
    """`asked` are the questions whose answers the condition may read."""
    for comparison in comparisons(condition):
        for symbol in filter(None, (comparison.symbol, comparison.other)):
            unknown = _unknown(survey, symbol, asked)
            if unknown is not None:
                message, hint = unknown
                near = symbol if symbol in comparison.near else symbol.partition(".")[2]
                yield Fault("unknown-reference", message, loc, hint, near)
                break
        else:
            yield from _comparable(survey, comparison, loc)


def _unknown(survey: Survey, symbol: str, asked: Collection[Question]) -> tuple[str, str] | None:
    table, _, name = symbol.partition(".")
    if table in ("customer", "agent") and name not in Person.model_fields:
        return f"поля «{symbol}» нет", nearest(name, Person.model_fields)
    if table == "answer" and name not in (known := [question.id for question in asked]):
        if any(question.id == name for question in survey.questions):
            return f"условие называет «{name}», а такого вопроса раньше нет", "он задаётся позже"
        return f"условие называет «{name}», а такого вопроса раньше нет", nearest(name, known)
    return None


def _comparable(survey: Survey, comparison: Comparison, loc: Loc) -> Iterator[Fault]:
    table, _, name = comparison.symbol.partition(".")
    if table in ("customer", "agent"):
        yield from _text_compared(comparison, loc)
    elif table == "answer":
        yield from _answer_compared(survey, survey.question(name), comparison, loc)
    else:
        yield from _set_compared(survey, comparison, loc)


def _bad(comparison: Comparison, loc: Loc, message: str, hint: str = "", near: str = "") -> Fault:
    return Fault("bad-comparison", message, loc, hint, near or comparison.near)


def _text_compared(comparison: Comparison, loc: Loc) -> Iterator[Fault]:
    if comparison.operator in ("contains", "lacks", *_ORDERED) or any(
        not isinstance(value, str) for value in comparison.values
    ):
        yield _bad(comparison, loc, f"{comparison.symbol} — текст", 'сравнивается так: == "Анна"')


def _set_compared(survey: Survey, comparison: Comparison, loc: Loc) -> Iterator[Fault]:
    name = comparison.symbol
    if comparison.operator not in ("contains", "lacks"):
        yield _bad(comparison, loc, f"{name} — множество имён", f'спрашивают так: "…" in {name}')
        return
    known = {
        "intents": [intent.value for intent in Intent],
        "topics": [topic.value for topic in Topic],
        "signals": signal_names(survey),
    }[name]
    what = {"intents": "намерения", "topics": "темы", "signals": "сигнала"}[name]
    for value in comparison.values:
        if value not in known:
            message = f"{what} «{value}» не бывает"
            yield Fault("unknown-reference", message, loc, nearest(str(value), known), str(value))


def signal_names(survey: Survey) -> list[str]:
    """Every signal that a call of this survey can raise, each once."""
    of_words = (name for dictionary in survey.dictionaries for name in dictionary.signals())
    of_rules = (rule.id for rule in survey.triage)
    return list(dict.fromkeys((COMPLAINT, REQUEST_AGENT, MISUNDERSTOOD, ANGRY, *of_words, *of_rules)))


def _answer_compared(survey: Survey, question: Question, comparison: Comparison, loc: Loc) -> Iterator[Fault]:
    expected = question.expectation
    operator, values = comparison.operator, comparison.values
    is_set = isinstance(expected, MultiChoiceExpected)
    whose = f"ответ «{question.id}»"
    if question.kind == "open":
        yield _bad(comparison, loc, f"{whose} — своими словами: с открытым вопросом сравнивать нельзя")
    elif comparison.other:
        if comparison.other.startswith("answer."):
            other = survey.question(comparison.other.removeprefix("answer."))
            if is_set or _sort(expected) != _sort(other.expectation):
                yield _bad(comparison, loc, f"{whose} и ответ «{other.id}» не сравнить: они разного вида")
        else:
            yield _bad(comparison, loc, f"{whose} не сравнить с {comparison.other}")
    elif is_set != (operator in ("contains", "lacks")):
        hint = f'спрашивают так: "…" in answer.{question.id}' if is_set else "сравнивают через == или in"
        yield _bad(comparison, loc, f"{whose} не сравнить так: условие не подходит вопросу", hint)
    elif operator in _ORDERED and not isinstance(expected, ScaleExpected | NumberExpected | DateExpected):
        yield _bad(comparison, loc, f"{whose} больше или меньше не бывает", "сравнивают через == или in")
    else:
        for value in values:
            yield from _value_compared(question.id, expected, value, comparison, loc)


def _value_compared(
    question_id: str, expected: Expectation, value: Any, comparison: Comparison, loc: Loc
) -> Iterator[Fault]:
    near = str(value)
    if isinstance(expected, ScaleExpected | NumberExpected):
        if isinstance(value, str) or not expected.low <= value <= expected.high or value != int(value):
            what = "на шкале" if isinstance(expected, ScaleExpected) else "среди чисел"
            message = f"{value} нет {what} от {expected.low} до {expected.high}"
            yield _bad(comparison, loc, message, f"вопрос «{question_id}»", near)
        return
    if isinstance(expected, DateExpected):
        if not isinstance(value, str) or not value[:1].isdigit():
            yield _bad(comparison, loc, f"«{value}» — не дата", 'дата пишется "2027-01-31"', near)
        return
    known: list[str] = []
    if isinstance(expected, YesNoExpected):
        known = ["yes", "no"]
    elif isinstance(expected, ChoiceExpected | MultiChoiceExpected):
        known = [option.id for option in expected.options]
    if value not in known:
        message = f"ответом «{value}» вопрос «{question_id}» не бывает: условие не подходит вопросу"
        yield _bad(comparison, loc, message, nearest(str(value), known), near)


def _sort(expected: Expectation) -> str:
    """Answers of one sort compare with one another."""
    return "number" if isinstance(expected, ScaleExpected | NumberExpected) else expected.kind
