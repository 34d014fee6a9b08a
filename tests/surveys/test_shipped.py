"""The surveys that ship: sound as questionnaires, speakable, and taken by callers of every temper.

That they lint clean is tested with the lint (test_lint.py).
"""

from __future__ import annotations

import re
from itertools import pairwise

import pytest

from bot.core.answer import AnswerStatus
from bot.core.directives import ScaleExpected
from bot.core.endings import Disposition
from bot.surveys.loader import load_survey
from bot.surveys.paths import paths_of
from bot.surveys.prompts import prompts
from bot.surveys.questions import CesQuestion, CsatQuestion, DateQuestion, OpenQuestion, Question
from bot.surveys.schema import Survey, expectation_of
from tests.surveys.callers import LANGUAGES, Simulated, context_of, simulate
from tests.surveys.turns import SURVEYS

KINDS = ("nps_short", "nps", "csat3", "csat", "ces", "triage", "callback")
SHIPPED = {path.stem: load_survey(path) for path in sorted(SURVEYS.glob("*.yaml"))}

LONGEST_CALL_S = 120.0
"""Of talking; a letter takes 50 ms here, which is how fast eSpeak NG speaks."""

DEAD_AIR_S = 2.0

MANY_PATHS = 60
"""More ways than this through a survey of at most five questions, and nobody can read them."""

_UNSPEAKABLE = {"ru": re.compile(r"[A-Za-z0-9%№/&*]"), "en": re.compile(r"[А-Яа-яё0-9%№/&*]")}
"""Digits, letters of another language and signs: nobody knows how a voice will read them."""

_RECORDED = {"ru": "записывается", "en": "recorded"}
_ASSISTANT = {"ru": "голосовой помощник", "en": "voice assistant"}
_ON_THE_PHONE = {"ru": "на телефоне", "en": "press"}


@pytest.fixture(params=list(SHIPPED))
def survey(request: pytest.FixtureRequest) -> Survey:
    return SHIPPED[request.param]


def test_every_kind_ships_in_both_languages() -> None:
    assert sorted(SHIPPED) == sorted([*KINDS, *(f"{kind}_en" for kind in KINDS)])
    for name, survey in SHIPPED.items():
        assert survey.id == name
        assert survey.language == ("en" if name.endswith("_en") else "ru")


def test_every_path_ends(survey: Survey) -> None:
    paths = paths_of(survey)
    assert paths.complete
    assert paths.asked() == {question.id for question in survey.questions}
    assert {way.ending.disposition for way in paths.ways()} >= {"completed", "transferred"}
    assert paths.count < MANY_PATHS


# As questionnaires --------------------------------------------------------------------------


@pytest.mark.parametrize("kind", KINDS)
def test_both_languages_measure_the_same(kind: str) -> None:
    russian, english = SHIPPED[kind], SHIPPED[f"{kind}_en"]
    assert [_measure(question) for question in russian.questions] == [
        _measure(question) for question in english.questions
    ]
    assert [(rule.id, rule.when, rule.after) for rule in russian.triage] == [
        (rule.id, rule.when, rule.after) for rule in english.triage
    ]
    assert (russian.record, russian.calling) == (english.record, english.calling)


def _measure(question: Question) -> dict[str, object]:
    """All of a question but its wording."""
    data = question.model_dump(mode="json", exclude={"ask", "reask", "help", "dtmf_hint", "audio"})
    for option in data.get("options", ()):
        del option["say"]
    return data


def test_the_scales_are_the_fields_own() -> None:
    for name, survey in SHIPPED.items():
        for question in survey.questions:
            if isinstance(question, CsatQuestion):
                top = [question.points] if question.points == 3 else [4, 5]
                assert list(question.positive) == top, name
            if isinstance(question, CesQuestion):
                assert (question.low, question.high, question.direction) == (1, 7, "higher_is_easier")


def test_a_scale_is_named_at_both_ends_in_words(survey: Survey) -> None:
    numbers = LANGUAGES[survey.language].numbers
    for question in survey.questions:
        expected = expectation_of(question)
        if isinstance(expected, ScaleExpected):
            for wording in (*question.reask, question.help):
                words = set(re.findall(r"\w+", wording.lower()))
                assert {numbers[expected.low], numbers[expected.high]} <= words, wording


def test_every_question_has_all_its_wordings(survey: Survey) -> None:
    for question in survey.questions:
        assert question.reask
        if not isinstance(question, OpenQuestion):
            assert question.help
            assert _ON_THE_PHONE[survey.language] in question.dtmf_hint


def test_the_first_sentence_tells_who_rings_and_whether_sound_is_kept(survey: Survey) -> None:
    assert "{company}" in survey.consent
    assert _ASSISTANT[survey.language] in survey.consent
    assert (_RECORDED[survey.language] in survey.consent) == survey.record
    if any(isinstance(question, OpenQuestion) for question in survey.questions):
        assert survey.record or survey.id.startswith("callback"), "an open answer is its sound"


def test_a_complaint_leads_to_a_person_wherever_it_is_made(survey: Survey) -> None:
    assert "complaint" in [rule.id for rule in survey.triage]
    assert all(rule.target == "responsible" for rule in survey.triage)
    assert any(rule.text_by_topic for rule in survey.triage)


def test_everything_is_speakable(survey: Survey) -> None:
    for text in prompts(survey, context_of(survey)):
        assert not _UNSPEAKABLE[survey.language].search(text), text
        assert text[-1] in ".!?", text
        assert text == " ".join(text.split())


# In calls -----------------------------------------------------------------------------------


def says(survey: Survey) -> dict[str, str]:
    """Who confirms a callback has an open matter, however content he is."""
    return {"resolved": LANGUAGES[survey.language].no} if survey.id.startswith("callback") else {}


def check(survey: Survey, call: Simulated) -> None:
    """What holds for every call: what was said had been prepared, but for a date; in order and in time."""
    heard = [text for text in call.said if text not in call.whispered]
    made = set(heard) - set(prompts(survey, context_of(survey)))
    confirming = survey.texts.confirm.partition("{value}")[0]
    assert all(text.startswith(confirming) for text in made), "only a date is put into words in the call"
    assert not made or any(isinstance(question, DateQuestion) for question in survey.questions)
    assert all(first != second for first, second in pairwise(heard))
    assert call.said[0].startswith(survey.consent.split(",")[0].split("!")[0])
    assert call.seconds < LONGEST_CALL_S


def test_a_satisfied_caller_answers_everything_and_is_thanked(survey: Survey) -> None:
    call = simulate(survey, "satisfied", says(survey))
    assert call.disposition is Disposition.COMPLETED
    assert {answer.status for answer in call.answers.values()} == {AnswerStatus.ANSWERED}
    assert call.said[-1] == survey.closings.completed
    assert not call.whispered
    check(survey, call)


def test_an_unhappy_caller_is_handed_to_a_person(survey: Survey) -> None:
    call = simulate(survey, "unhappy", says(survey))
    assert call.disposition is Disposition.TRANSFERRED
    assert {answer.status for answer in call.answers.values()} == {AnswerStatus.ANSWERED}
    (whisper,) = call.whispered
    assert whisper, "the agent is told something of the matter"
    check(survey, call)


def test_a_silent_caller_is_asked_otherwise_and_let_go(survey: Survey) -> None:
    call = simulate(survey, "silent")
    assert call.disposition is Disposition.NO_INPUT
    assert {(answer.status, answer.reason) for answer in call.answers.values()} == {
        (AnswerStatus.NO_ANSWER, "silence")
    }
    assert call.said[-1] == survey.closings.no_input
    assert call.longest_silence_s < DEAD_AIR_S
    check(survey, call)


def test_who_no_longer_needs_a_callback_is_not_asked_when() -> None:
    for language in ("", "_en"):
        survey = SHIPPED[f"callback{language}"]
        call = simulate(survey, "satisfied")
        assert {question: answer.value for question, answer in call.answers.items()} == {"resolved": "yes"}
        assert call.disposition is Disposition.COMPLETED


def test_the_time_of_a_callback_is_always_read_back() -> None:
    call = simulate(SHIPPED["callback"], "satisfied", says(SHIPPED["callback"]))
    assert call.answers["time"].value == "2026-11-24T15:00+03:00"
    assert "Звоним во вторник, двадцать четвёртого ноября, в пятнадцать часов, верно?" in call.said
    assert "confirm" in call.expected


@pytest.mark.parametrize(
    ("score", "asked"), [("ноль", "reason"), ("шесть", "reason"), ("семь", "improve"), ("восемь", "improve"),
                         ("девять", "comment"), ("десять", "comment")],
)  # fmt: skip
def test_each_group_of_nps_hears_its_own_follow_up(score: str, asked: str) -> None:
    survey = SHIPPED["nps"]
    call = simulate(survey, "satisfied", {"nps": score})
    assert list(call.answers) == ["nps", "resolved", asked]
    if asked == "improve":
        assert f"Вы поставили {score}. Чего не хватило до десяти?" in call.said
