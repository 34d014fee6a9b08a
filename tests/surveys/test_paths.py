"""Every way through a survey: counted by hand where that can be done, walked at random where not."""

from __future__ import annotations

import json
from functools import cache
from itertools import islice
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from typer.testing import CliRunner

from bot.cli.survey import app
from bot.core.answer import AnswerValue
from bot.core.context import CallContext, TurnSource, UserTurn
from bot.core.directives import End, Record, Transfer
from bot.core.intents import Intent
from bot.surveys import flow
from bot.surveys.answer_classes import Said, answer_classes
from bot.surveys.loader import load_survey
from bot.surveys.paths import Paths, paths_of
from bot.surveys.schema import Survey
from bot.surveys.ways import Fork, Way
from tests.surveys.turns import SURVEYS

EVERYTHING = load_survey(Path(__file__).with_name("everything.yaml"))


def survey(*questions: dict[str, Any], **fields: Any) -> Survey:
    """Questions with wordings made up for them; the kind is `yes_no` unless it is said."""
    return Survey.model_validate(
        {
            "id": "small",
            "version": 1,
            "language": "ru",
            "title": "Малый",
            "company": "Ромашка",
            "consent": "Здравствуйте! Ответы сохраняются.",
            "introduction": "Это короткий опрос.",
            "questions": [
                {
                    "kind": "yes_no",
                    "ask": f"Вопрос {question['id']}?",
                    "reask": f"Ещё раз: {question['id']}?",
                    **question,
                }
                for question in questions
            ],
            **fields,
        }
    )


def human(rule: str, when: str, **fields: Any) -> dict[str, Any]:
    return {"id": rule, "when": when, "offer": "human", **fields}


def told(said: Said) -> str:
    parts = [f"{low}..{high}" if low < high else str(low) for low, high in said.ranges]
    parts += [*said.names, *said.heard]
    parts += ["*"] if said.everything else []
    parts += ["-"] if said.nothing else []
    return "|".join(parts)


def lines(paths: Paths) -> list[str]:
    return [
        " ".join([*(f"{fork.id}={told(said)}" for fork, said in way.forks), way.ending.disposition])
        for way in paths.ways()
    ]


def test_one_question_has_two_ways() -> None:
    assert lines(paths_of(survey({"id": "a"}))) == ["a=* completed", "a=- partial"]


def test_answers_that_no_condition_tells_apart_are_one_class() -> None:
    found = paths_of(
        survey(
            {"id": "score", "kind": "nps"},
            {"id": "low", "when": "answer.score <= 6"},
            {"id": "high", "when": "answer.score >= 9"},
        )
    )
    assert lines(found) == [
        "score=0..6 low=*|- completed",
        "score=7..8 completed",
        "score=9..10 high=*|- completed",
        "score=- partial",
    ]
    assert (found.count, found.complete) == (4, True)


def test_a_boundary_that_makes_no_difference_parts_nothing() -> None:
    found = paths_of(survey({"id": "score", "kind": "nps"}, {"id": "b", "when": "answer.score != 3"}))
    assert lines(found)[0] == "score=0..2|4..10 b=*|- completed"
    same = paths_of(survey({"id": "a"}, {"id": "b", "when": 'answer.a == "yes" or not (answer.a == "yes")'}))
    assert lines(same) == ["a=* b=*|- completed", "a=- b=* completed", "a=- b=- partial"]


def test_rules_offer_a_person_and_name_who() -> None:
    found = paths_of(
        survey(
            {"id": "score", "kind": "csat", "points": 3, "positive": [3]},
            {"id": "b"},
            triage=[human("bad", "answer.score == 1", after="score", target="head")],
        )
    )
    assert lines(found) == [
        "score=1 bad=accepted transferred",
        "score=1 bad=declined b=*|- completed",
        "score=2..3 b=*|- completed",
        "score=- b=* completed",
        "score=- b=- partial",
    ]
    assert next(found.ways()).ending.target == "head"
    assert found.offered() == {"bad"}


def test_a_complaint_is_a_way_of_its_own_only_where_a_condition_listens() -> None:
    deaf = paths_of(survey({"id": "a"}))
    assert not any(said.heard for way in deaf.ways() for _, said in way.forks)
    listening = paths_of(survey({"id": "a"}, triage=[human("sad", '"rudeness" in topics', after="a")]))
    assert lines(listening) == [
        "a=* completed",
        "a=- partial",
        "a=complain:rudeness a=* sad=accepted transferred",
        "a=complain:rudeness a=* sad=declined completed",
        "a=complain:rudeness a=- sad=accepted transferred",
        "a=complain:rudeness a=- sad=declined partial",
    ]


def test_branches_are_followed_forward_to_the_end_and_back_as_often_as_they_may() -> None:
    found = paths_of(
        survey(
            {
                "id": "a",
                "then": [
                    {"when": 'answer.a == "no"', "skip_to_end": True},
                    {"when": 'answer.a == "yes"', "goto": "c"},
                ],
            },
            {"id": "b"},
            {"id": "c", "then": [{"when": 'answer.c == "no"', "goto": "c", "at_most": 1}]},
        )
    )
    assert lines(found) == [
        "a=yes c=yes|- completed",
        "a=yes c=no c=*|- completed",
        "a=no completed",
        "a=- b=* c=yes|- completed",
        "a=- b=* c=no c=*|- completed",
        "a=- b=- c=yes completed",
        "a=- b=- c=no c=* completed",
        "a=- b=- c=no c=- partial",
        "a=- b=- c=- partial",
    ]


def test_fields_of_the_contact_part_the_way_before_the_first_question() -> None:
    found = paths_of(survey({"id": "a", "when": 'customer.first_name == "Анна"'}, {"id": "b"}))
    assert {way.forks[0][0].kind for way in found.ways()} == {"contact"}
    anna = [line for line in lines(found) if "a=" in line]
    assert anna[0] == "customer.first_name=Анна a=* b=*|- completed"
    assert {line.split()[0] for line in lines(found)} == {
        "customer.first_name=Анна",
        "customer.first_name=<Анна|>Анна|-",
    }


def test_several_choices_part_by_the_options_that_conditions_name() -> None:
    options = [
        {"id": name, "say": say} for name, say in (("slow", "долго"), ("rude", "грубо"), ("x", "иное"))
    ]
    found = paths_of(
        survey(
            {"id": "why", "kind": "multi_choice", "options": options, "dtmf_hint": "Один, два или три."},
            {"id": "b", "when": '"slow" in answer.why and "rude" not in answer.why'},
        )
    )
    assert lines(found) == [
        "why=+slow+rude|-slow+rude|-slow-rude completed",
        "why=+slow-rude b=*|- completed",
        "why=- partial",
    ]


def test_two_answers_that_are_compared_are_taken_number_by_number() -> None:
    found = paths_of(
        survey(
            {"id": "was", "kind": "csat", "points": 3, "positive": [3]},
            {"id": "now", "kind": "csat", "points": 3, "positive": [3]},
            {"id": "why", "when": "answer.now < answer.was"},
        )
    )
    assert [line for line in lines(found) if "why" in line] == [
        "was=2 now=1 why=*|- completed",
        "was=3 now=1..2 why=*|- completed",
    ]


def test_what_is_never_asked_is_known() -> None:
    found = paths_of(survey({"id": "a"}, {"id": "b", "when": 'answer.a == "yes" and answer.a == "no"'}))
    assert found.asked() == {"a"}


def test_what_a_caller_may_do_at_any_moment_ends_as_the_flow_ends_it() -> None:
    exits = {each.does: each.ending for each in paths_of(EVERYTHING).exits}
    assert {name: ending.disposition for name, ending in exits.items()} == {
        "silence": "no_input",
        "opt_out": "opted_out",
        "request_agent": "transferred",
        "callback_later": "callback",
        "wrong_person": "wrong_person",
        "refuse": "refused",
        "goodbye": "hung_up",
    }
    assert exits["opt_out"].closing == "opted_out"
    assert exits["request_agent"].target == "responsible"


def test_a_walk_that_is_too_long_is_broken_off_and_says_so() -> None:
    """Each score is told from each other one, three in a row: 12 * 12 * 12 ways, and their ends."""
    wide = survey(
        *({"id": f"q{place}", "kind": "nps"} for place in range(3)),
        *(
            {"id": f"x{low}", "when": f"answer.q0 == {low} and answer.q1 == {low} and answer.q2 == {low}"}
            for low in range(11)
        ),
    )
    whole = paths_of(wide)
    assert whole.complete
    assert whole.count == len(list(whole.ways()))
    for steps in (1, 5, 50):
        part = paths_of(wide, steps=steps)
        assert not part.complete
        assert 1 <= part.count <= whole.count


def test_a_survey_that_goes_round_and_round_is_walked_at_all() -> None:
    """50 questions, each of which may lead back to the first five times: far more ways than stars."""
    back = {"then": [{"when": 'answer.{id} == "no"', "goto": "q0", "at_most": 5}]}
    round_ = survey(
        *(
            {
                "id": f"q{place}",
                "then": [{**back["then"][0], "when": f'answer.q{place} == "no"'}],
            }
            for place in range(50)
        )
    )
    found = paths_of(round_, steps=2000)
    assert not found.complete
    assert found.count >= 1


# Walked at random ---------------------------------------------------------------------------


def keys(question_kind: str, value: AnswerValue, options: list[str]) -> str:
    if question_kind == "yes_no":
        return {"yes": "1", "no": "2"}[str(value)]
    if question_kind == "choice":
        return str(options.index(str(value)) + 1)
    return str(value)


def fits(said: Said, value: AnswerValue | None) -> bool:
    if value is None:
        return said.nothing
    if said.everything or value in said.names:
        return True
    return isinstance(value, int) and any(low <= value <= high for low, high in said.ranges)


def goes(way: Way, course: list[tuple[str, AnswerValue | bool | None]], end: str) -> bool:
    """Whether a call is this way. Offers are in its course by their rule and a yes or no."""
    if len(way.forks) != len(course) or way.ending.disposition != end:
        return False
    for (fork, said), (name, value) in zip(way.forks, course, strict=True):
        if fork.id != name:
            return False
        if fork.kind == "offer":
            if (said.names == ("accepted",)) != (value is True):
                return False
        elif not fits(said, value):
            return False
    return True


@cache
def walked(file: str) -> tuple[Survey, Paths]:
    tested = EVERYTHING if file == "everything" else load_survey(SURVEYS / f"{file}.yaml")
    return tested, paths_of(tested)


@settings(max_examples=60, deadline=None)
@given(data=st.data(), file=st.sampled_from(["nps", "csat", "everything"]))
def test_every_call_goes_exactly_one_of_the_ways(data: st.DataObject, file: str) -> None:
    """The parser, the keys and the flow on one side, the tree on the other."""
    tested, found = walked(file)
    step = flow.start(tested, CallContext(call_id="c", survey_hash="", direction="outbound"))
    course: list[tuple[str, AnswerValue | bool | None]] = []
    while step.state.stage in (flow.Stage.QUESTION, flow.Stage.OFFER):
        if step.state.offer is not None:
            yes = data.draw(st.booleans())
            course.append((step.state.offer.rule, yes))
            turn = UserTurn(source=TurnSource.DTMF, digits="1" if yes else "2")
        else:
            assert step.state.question_id is not None
            question = tested.question(step.state.question_id)
            expected = flow.expectation(tested, step.state)
            value: AnswerValue | None
            if expected is not None and expected.kind == "scale":
                value = data.draw(st.sampled_from([None, *range(expected.low, expected.high + 1)]))
            elif expected is not None and expected.kind == "choice":
                value = data.draw(st.sampled_from([None, *(option.id for option in expected.options)]))
            else:
                value = data.draw(st.sampled_from([None, "yes", "no"]))
            course.append((question.id, value))
            if value is None:
                turn = UserTurn(
                    source=TurnSource.SPEECH, text="не знаю", intent=Intent.DONT_KNOW, intent_confidence=1.0
                )
            elif question.kind == "open":
                turn = UserTurn(source=TurnSource.SPEECH, text="было всякое")
            else:
                options = [option.id for option in getattr(question, "options", ())]
                turn = UserTurn(source=TurnSource.DTMF, digits=keys(question.kind, value, options))
        step = flow.next_step(tested, step.state, turn)
        if not isinstance(course[-1][1], bool):
            assert any(isinstance(directive, Record) for directive in step.directives)
    last = step.directives[-1]
    assert isinstance(last, End | Transfer)
    end = "transferred" if isinstance(last, Transfer) else last.disposition.value
    assert sum(goes(way, course, end) for way in found.ways()) == 1


@pytest.mark.parametrize("file", sorted(SURVEYS.glob("*.yaml")), ids=lambda file: file.stem)
def test_shipped_surveys_are_walked_whole_and_leave_no_question_out(file: Path) -> None:
    shipped = load_survey(file)
    found = paths_of(shipped)
    assert found.complete
    assert found.count == len(list(islice(found.ways(), found.count + 1)))
    assert found.asked() == {question.id for question in shipped.questions}
    assert found.offered() == {rule.id for rule in shipped.triage if rule.offer}


def test_classes_cover_every_answer_once() -> None:
    classes = answer_classes(EVERYTHING, EVERYTHING.question("ease"))
    covered = [value for part in classes for low, high in part.said.ranges for value in range(low, high + 1)]
    assert sorted(covered) == [1, 2, 3, 4, 5, 6, 7]
    assert all(part.value in range(low, high + 1) for part in classes for low, high in part.said.ranges)


# The command --------------------------------------------------------------------------------


def test_the_command_draws_a_tree_with_the_total() -> None:
    result = CliRunner().invoke(app, ["paths", str(SURVEYS / "csat.yaml")], env={"COLUMNS": "160"})
    assert result.exit_code == 0, result.output
    assert "csat: 1–2" in result.output
    assert "low_score предлагает сотрудника: согласие" in result.output
    assert f"Путей: {paths_of(load_survey(SURVEYS / 'csat.yaml')).count}" in result.output
    assert "--limit" not in result.output


def test_the_limit_is_said_when_it_is_reached() -> None:
    result = CliRunner().invoke(app, ["paths", str(SURVEYS / "csat.yaml"), "--limit", "2"])
    assert "показаны не все" in result.output
    assert f"Путей: {paths_of(load_survey(SURVEYS / 'csat.yaml')).count}" in result.output


def test_json_tells_the_same_to_programs() -> None:
    result = CliRunner().invoke(app, ["paths", str(SURVEYS / "csat.yaml"), "--json", "--limit", "3"])
    shown = json.loads(result.stdout)
    assert (shown["shown"], len(shown["ways"])) == (3, 3)
    assert shown["complete"] is True
    assert shown["count"] > 3
    assert shown["ways"][0]["steps"][0] == {"question": "csat", "answers": ["1..2"]}
    assert shown["ways"][0]["end"] == {
        "disposition": "transferred",
        "closing": "transfer",
        "target": "responsible",
    }


def test_a_fork_is_drawn_once(tmp_path: Path) -> None:
    """Equal parts of the tree are one object: what comes again is named, not repeated."""
    root = paths_of(EVERYTHING).root
    assert isinstance(root, Fork)
    output = CliRunner().invoke(app, ["paths", str(Path(__file__).with_name("everything.yaml"))]).output
    assert "дальше как [1]" in output
