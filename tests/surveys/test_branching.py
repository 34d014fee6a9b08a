"""Branches: where they lead, what going back takes back, and that every way ends."""

from __future__ import annotations

from itertools import pairwise
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from bot.core.answer import Answer, AnswerStatus
from bot.core.context import Person
from bot.core.directives import Ask, End, Offer, Record
from bot.core.endings import Disposition
from bot.core.intents import Intent, Topic
from bot.surveys.branching import way_on
from bot.surveys.conditions import Facts
from bot.surveys.flow import FlowState, Stage
from bot.surveys.loader import find_problems, from_json, to_json
from bot.surveys.prompts import prompts
from bot.surveys.schema import Survey
from tests.surveys.turns import SILENCE, Talk, say

HEAD: dict[str, Any] = {
    "id": "branches", "version": 1, "language": "ru", "title": "Переходы", "company": "Ромашка",
    "consent": "Здравствуйте!", "introduction": "Несколько вопросов.",
}  # fmt: skip


def nps(name: str, **more: Any) -> dict[str, Any]:
    ask = f"Оцените {name} от нуля до десяти?"
    return {"id": name, "kind": "nps", "ask": ask, "reask": f"Число от нуля до десяти, {name}.", **more}


def yes_no(name: str, **more: Any) -> dict[str, Any]:
    return {
        "id": name,
        "kind": "yes_no",
        "ask": f"Верно ли, {name}?",
        "reask": f"Да или нет, {name}?",
        **more,
    }


def survey(*questions: dict[str, Any], **more: Any) -> Survey:
    return Survey.model_validate({**HEAD, "questions": list(questions), **more})


def asked(talk: Talk) -> list[str]:
    return [ask.question_id for ask in talk.of(Ask)]


def test_goto_passes_over_what_lies_between() -> None:
    told = survey(
        nps("first", then=[{"when": "answer.first >= 9", "goto": "third"}]), nps("second"), nps("third")
    )
    assert asked(Talk(told).turn(say("девять"))) == ["first", "third"]
    assert asked(Talk(told).turn(say("восемь"))) == ["first", "second"]


def test_goto_leads_behind_a_question_that_is_not_due() -> None:
    told = survey(
        nps("first", then=[{"goto": "third"}]),
        nps("second"),
        nps("third", when="answer.first <= 6"),
        nps("fourth"),
    )
    assert asked(Talk(told).turn(say("девять"))) == ["first", "fourth"]
    assert asked(Talk(told).turn(say("три"))) == ["first", "third"]


def test_skip_to_end_ends_as_completed() -> None:
    told = survey(nps("first", then=[{"when": "answer.first >= 9", "skip_to_end": True}]), nps("second"))
    talk = Talk(told).turn(say("десять"))
    assert asked(talk) == ["first"]
    assert [end.disposition for end in talk.of(End)] == [Disposition.COMPLETED]


def test_a_skip_to_the_end_does_not_pass_over_an_offer() -> None:
    told = survey(
        nps("first", then=[{"when": "answer.first <= 6", "skip_to_end": True}]),
        nps("second"),
        triage=[{"id": "low", "when": "answer.first <= 6", "after": "second", "offer": "human"}],
    )
    talk = Talk(told).turn(say("два"))
    assert talk.now(Offer)
    talk.turn(say("нет"))
    assert [end.disposition for end in talk.of(End)] == [Disposition.COMPLETED]


def test_the_first_branch_that_holds_wins() -> None:
    branches = [
        {"when": "answer.first <= 3", "goto": "third"},
        {"when": "answer.first <= 6", "skip_to_end": True},
        {"goto": "fourth"},
    ]
    told = survey(nps("first", then=branches), nps("second"), nps("third"), nps("fourth"))
    assert asked(Talk(told).turn(say("два"))) == ["first", "third"]
    assert asked(Talk(told).turn(say("пять"))) == ["first"]
    assert asked(Talk(told).turn(say("девять"))) == ["first", "fourth"]


def test_a_branch_is_read_after_a_question_without_an_answer_too() -> None:
    told = survey(
        nps("first", then=[{"when": "not (answer.first >= 0)", "goto": "third"}]), nps("second"), nps("third")
    )
    talk = Talk(told).turn(say("не знаю", Intent.DONT_KNOW))
    assert asked(talk) == ["first", "third"]
    assert asked(Talk(told).turn(say("пять"))) == ["first", "second"]


def test_intents_topics_signals_and_people_decide() -> None:
    told = survey(
        nps("first", then=[
            {"when": '"rudeness" in topics and "complain" in intents', "goto": "rude"},
            {"when": 'customer.first_name == "Анна"', "goto": "anna"},
            {"when": '"low" in signals', "goto": "low"},
        ]),
        nps("second"), nps("rude"), nps("anna"), nps("low"),
        triage=[{"id": "low", "when": "answer.first <= 3", "after": "low", "offer": "human"}],
    )  # fmt: skip
    rude = say("пять но мне нахамили", Intent.COMPLAIN, topic=Topic.RUDENESS)
    assert asked(Talk(told).turn(rude)) == ["first", "rude"]
    unsure = say("пять но мне нахамили", Intent.COMPLAIN, sure=0.4, topic=Topic.RUDENESS)
    assert asked(Talk(told).turn(unsure)) == ["first", "second"]
    assert asked(Talk(told, customer=Person(first_name="Анна")).turn(say("пять"))) == ["first", "anna"]
    assert asked(Talk(told).turn(say("два"))) == ["first", "low"]


AGAIN = survey(
    nps("first"),
    yes_no("sure", then=[{"when": 'answer.sure == "no"', "goto": "first", "at_most": 1}]),
    nps("last"),
)


def test_going_back_asks_anew_in_other_words_and_only_so_often() -> None:
    talk = Talk(AGAIN).turn(say("пять"), say("нет"))
    assert asked(talk) == ["first", "sure", "first"]
    assert len({ask.text for ask in talk.of(Ask) if ask.question_id == "first"}) == 2
    assert "first" not in talk.state.answers
    assert "sure" not in talk.state.answers
    talk.turn(say("восемь"), say("нет"))
    assert asked(talk) == ["first", "sure", "first", "sure", "last"]
    assert talk.state.answers["first"].value == 8
    assert [record.answer.value for record in talk.of(Record)] == [5, "no", 8, "no"]


def test_a_question_that_leads_to_itself_is_put_in_turn() -> None:
    told = survey(
        nps("first", then=[{"when": "answer.first <= 3", "goto": "first", "at_most": 3}]), nps("last")
    )
    talk = Talk(told).turn(say("два"), say("два"), say("два"), say("два"))
    texts = [ask.text for ask in talk.of(Ask)]
    assert asked(talk) == ["first"] * 4 + ["last"]
    assert all(one != other for one, other in pairwise(texts))


def test_an_offer_in_between_takes_no_branch() -> None:
    """The branch is looked at before the offer and taken behind it: once, not twice."""
    told = survey(
        nps("first"),
        yes_no("sure", then=[{"when": 'answer.sure == "no"', "goto": "first", "at_most": 1}]),
        triage=[{"id": "low", "when": "answer.first <= 6", "offer": "human"}],
    )
    talk = Talk(told).turn(say("три"))
    assert talk.now(Offer)
    talk.turn(say("нет"), say("нет"))
    assert asked(talk) == ["first", "sure", "first"]
    assert talk.state.taken == {"sure/0": 1}


def test_a_state_with_branches_taken_is_json() -> None:
    state = Talk(AGAIN).turn(say("пять"), say("нет", Intent.DENY)).state
    again = FlowState.model_validate_json(state.model_dump_json())
    assert again == state
    assert again.taken == {"sure/0": 1}
    assert again.intents == (Intent.DENY,)
    assert len(state.model_dump_json()) < 3000


def test_a_survey_with_branches_is_published_and_read_back() -> None:
    assert from_json(to_json(AGAIN)) == AGAIN


def test_answers_are_piped_as_words() -> None:
    told = survey(
        nps("first", then=[{"when": "answer.first >= 9", "goto": "third"}]),
        yes_no("second", ask="Вы поставили {answer.first|оценку}, это из-за цены?"),
        nps("third", ask="Ответ о цене: {answer.second|неизвестно}. Оцените доставку."),
    )
    talk = Talk(told).turn(say("семь"))
    assert talk.of(Ask)[-1].text == "Вы поставили семь, это из-за цены?"
    talk.turn(say("да"))
    assert talk.of(Ask)[-1].text == "Ответ о цене: да. Оцените доставку."
    assert Talk(told).turn(say("девять")).of(Ask)[-1].text == "Ответ о цене: неизвестно. Оцените доставку."
    assert {ask.text for ask in talk.of(Ask)} <= set(prompts(told, talk.context))


# What does not hang together ----------------------------------------------------------------

FILE = """\
id: branches
version: 1
language: ru
title: Переходы
company: Ромашка
consent: Здравствуйте!
introduction: Вопрос.
questions:
  - id: first
    kind: nps
    ask: Первый?
    reask: Ещё раз первый?
    then:
      - {when: answer.first >= 9, goto: third}
  - id: second
    kind: choice
    ask: Второй?
    reask: Ещё раз второй?
    dtmf_hint: Один или два.
    options: [{id: a, say: один}, {id: b, say: два}]
  - id: third
    kind: open
    ask: Третий?
    reask: Ещё раз третий?
    when: answer.second == "a"
"""


@pytest.mark.parametrize(
    ("old", "new", "place", "rule", "message"),
    [
        ("goto: third", "goto: thrd", (14, 41), "unknown-reference", "«thrd», которого нет"),
        ("goto: third", "goto: first", (14, 41), "endless-loop", "без конца"),
        ("goto: third", "goto: third, skip_to_end: true", (14, 9), "bad-value", "ровно одно"),
        (", goto: third", "", (14, 9), "bad-value", "ровно одно"),
        ("answer.first >= 9", "answer.frist >= 9", (14, 16), "unknown-reference", "«frist»"),
        ("answer.first >= 9", "answer.second >= 9", (14, 16), "unknown-reference", "«second»"),
        ("answer.first >= 9", "answer.first >= 11", (14, 32), "bad-comparison", "11 нет на шкале"),
        ("answer.first >= 9", 'answer.first == "9"', (14, 33), "bad-comparison", "9 нет на шкале"),
        ("answer.first >= 9", "customer.name == 9", (14, 16), "unknown-reference", "«customer.name»"),
        ("answer.first >= 9", "agent.first_name == 9", (14, 16), "bad-comparison", "текст"),
        ("answer.first >= 9", "'\"rude\" in topics'", (14, 18), "unknown-reference", "темы «rude»"),
        ("answer.first >= 9", "topics == 'rudeness'", (14, 16), "bad-comparison", "множество"),
        ("answer.first >= 9", "answer.first = 9", (14, 29), "expression-syntax", "не разобрать"),
        ("answer.first >= 9", "awser.first >= 9", (14, 16), "unknown-reference", "«awser»"),
        ('answer.second == "a"', 'answer.second == "c"', (25, 29), "bad-comparison", "«c»"),
        ('answer.second == "a"', "answer.second >= 1", (25, 11), "bad-comparison", "больше или меньше"),
        ('answer.second == "a"', '\'"a" in answer.second\'', (25, 12), "bad-comparison", "не сравнить так"),
        ('answer.second == "a"', "answer.second == answer.first", (25, 11), "bad-comparison", "разного вида"),
        ('answer.second == "a"', 'answer.third == "a"', (25, 11), "unknown-reference", "«third»"),
        ("Второй?", "'{answer.frst|} второй?'", (17, 12), "unknown-reference", "«frst»"),
        ("Второй?", "'{answer.third|} второй?'", (17, 12), "unknown-reference", "«third»"),
        ("Второй?", "'{answer.first} второй?'", (17, 11), "bad-pipe", "нет запасного слова"),
        ("Здравствуйте!", "'Привет, {answer.first|}!'", (6, 20), "unknown-reference", "«first»"),
        (
            "Вопрос.\n",
            "Вопрос.\nclosings: {completed: 'Вы сказали {answer.third|}'}\n",
            (8, 36), "bad-pipe", "вслух",
        ),
    ],
)  # fmt: skip
def test_what_does_not_hang_together_is_told_at_its_place(
    tmp_path: Path, old: str, new: str, place: tuple[int, int], rule: str, message: str
) -> None:
    assert old in FILE
    file = tmp_path / "survey.yaml"
    file.write_text(FILE, encoding="utf-8")
    assert find_problems(file) == ()
    file.write_text(FILE.replace(old, new, 1), encoding="utf-8")
    found = find_problems(file)
    assert len(found) == 1, [str(problem) for problem in found]
    assert (found[0].place.line, found[0].place.column) == place, str(found[0])
    assert found[0].rule == rule
    assert message in found[0].message


def test_everything_wrong_is_told_at_once(tmp_path: Path) -> None:
    file = tmp_path / "survey.yaml"
    file.write_text(
        FILE.replace("goto: third", "goto: thrd").replace('== "a"', '== "c"').replace("Второй?", "Первый?")
    )
    assert [problem.rule for problem in find_problems(file)] == [
        "unknown-reference",
        "same-wording",
        "bad-comparison",
    ]


# Every way ends -----------------------------------------------------------------------------

conditions = st.sampled_from(["answer.{} <= 5", "answer.{} >= 3", "not (answer.{} >= 0)", "answer.{} != 4"])


@st.composite
def surveys(draw: st.DrawFn) -> Survey:
    """Surveys of scales, full of branches to and fro."""
    names = [f"q{place}" for place in range(draw(st.integers(1, 5)))]
    questions = []
    for place, name in enumerate(names):
        branches = []
        for _ in range(draw(st.integers(0, 3))):
            read = st.sampled_from(names[: place + 1])
            when = draw(st.none() | st.builds(lambda text, of: text.format(of), conditions, read))
            branch: dict[str, Any] = {} if when is None else {"when": when}
            target = draw(st.none() | st.sampled_from(names))
            branch |= {"skip_to_end": True} if target is None else {"goto": target}
            if target is not None and names.index(target) <= place:
                branch["at_most"] = draw(st.integers(1, 3))
            branches.append(branch)
        more: dict[str, Any] = {"then": branches}
        if place and draw(st.booleans()):
            more["when"] = draw(conditions).format(draw(st.sampled_from(names[:place])))
        questions.append(nps(name, **more))
    return survey(*questions, patience=50)


def most_questions(told: Survey) -> int:
    """A way back is taken at most so often in a call, and between two of them lie all questions at most."""
    back = sum(branch.at_most or 0 for question in told.questions for branch in question.then)
    return (1 + back) * len(told.questions)


@given(surveys(), st.lists(st.sampled_from(["ноль", "четыре", "девять", ""]), max_size=200))
@settings(deadline=None, max_examples=80)
def test_any_way_through_any_branches_ends(told: Survey, said: list[str]) -> None:
    talk = Talk(told)
    prepared = set(prompts(told, talk.context))
    for text in [*said, *["пять"] * 200]:
        if talk.state.stage is Stage.ENDED:
            break
        talk.turn(say(text) if text else say("не знаю", Intent.DONT_KNOW))
    heard = [ask.text for ask in talk.of(Ask)]
    assert len(heard) <= most_questions(told)
    assert all(one != other for one, other in pairwise(heard))
    assert talk.state.stage is Stage.ENDED
    assert {ask.text for ask in talk.of(Ask)} <= prepared
    assert sum(talk.state.taken.values()) <= most_questions(told)


@given(surveys())
@settings(deadline=None, max_examples=40)
def test_silence_ends_any_survey(told: Survey) -> None:
    talk = Talk(told).turn(*[SILENCE] * (3 * 2))
    assert talk.state.stage is Stage.ENDED


@given(surveys(), st.dictionaries(st.sampled_from(["q0", "q1", "q2"]), st.integers(0, 10)))
@settings(deadline=None, max_examples=40)
def test_a_used_up_branch_is_not_taken(told: Survey, values: dict[str, int]) -> None:
    facts = Facts(
        answers={name: Answer(status=AnswerStatus.ANSWERED, value=value) for name, value in values.items()}
    )
    for question in told.questions:
        taken = {f"{question.id}/{place}": 5 for place in range(len(question.then))}
        way = way_on(told, question.id, facts, taken)
        assert not way.branch
        assert not way.back
