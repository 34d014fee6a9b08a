"""What changed in meaning, and what that does to the scores."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from typer.testing import CliRunner, Result

from bot.cli.survey import app
from bot.core.errors import SurveyInvalid
from bot.published import Published
from bot.surveys.canonical import from_json, to_json
from bot.surveys.comparability import Effect
from bot.surveys.diff import SurveyDiff, diff
from bot.surveys.loader import load_survey, survey_hash
from bot.surveys.schema import Survey
from tests.published import publish
from tests.surveys.turns import SURVEYS

OPTIONS = [{"id": "shop", "say": "магазин"}, {"id": "site", "say": ["сайт", "на сайте"]}]

BASE: dict[str, Any] = {
    "id": "base",
    "version": 1,
    "language": "ru",
    "title": "Основа",
    "company": "Ромашка",
    "consent": "Здравствуйте! Ответы сохраняются.",
    "introduction": "Это короткий опрос.",
    "questions": [
        {
            "id": "place",
            "kind": "choice",
            "options": OPTIONS,
            "ask": "Где вы покупали?",
            "reask": "Магазин или сайт?",
            "dtmf_hint": "Один — магазин, два — сайт.",
        },
        {
            "id": "nps",
            "kind": "nps",
            "ask": "Насколько вы готовы порекомендовать нас знакомым, от нуля до десяти?",
            "reask": "Назовите число от нуля до десяти.",
        },
        {
            "id": "csat",
            "kind": "csat",
            "points": 5,
            "positive": [4, 5],
            "when": "answer.nps >= 0",
            "ask": "Насколько вы довольны, от одного до пяти?",
            "reask": "Назовите число от одного до пяти.",
        },
        {
            "id": "ease",
            "kind": "ces",
            "direction": "higher_is_easier",
            "ask": "Насколько было легко, от одного до семи?",
            "reask": "Назовите число от одного до семи.",
        },
        {"id": "why", "kind": "open", "ask": "Почему такие оценки?", "reask": "Скажите в двух словах."},
    ],
    "triage": [{"id": "low", "when": "answer.nps <= 6", "after": "why", "offer": "human"}],
}


def version(**fields: Any) -> Survey:
    """The base with other questions' fields (`nps={"ask": …}`), or other fields of the survey."""
    data: dict[str, Any] = json.loads(json.dumps(BASE))
    for name, value in fields.items():
        question = next((each for each in data["questions"] if each["id"] == name), None)
        if question is not None:
            question.update(value)
        else:
            data[name] = value
    return Survey.model_validate(data)


def without(*gone: str) -> Survey:
    return version(questions=[each for each in BASE["questions"] if each["id"] not in gone])


def ordered(*ids: str) -> Survey:
    return version(questions=[next(q for q in BASE["questions"] if q["id"] == each) for each in ids])


BASIS = version()


def effects(found: SurveyDiff) -> dict[str, Effect]:
    return {each.question: each.effect for each in found.verdicts}


def codes(found: SurveyDiff, question: str) -> set[str]:
    return {reason.code for each in found.verdicts if each.question == question for reason in each.reasons}


@pytest.mark.parametrize(
    "same",
    [
        version(version=7, title="Другой заголовок"),
        version(nps={"ask": "Насколько вы готовы порекомендовать нас знакомым — от нуля до десяти"}),
        version(why={"ask": "почему ТАКИЕ оценки?"}),
        version(triage=[{"id": "low", "when": "6 >= answer.nps", "after": "why", "offer": "human"}]),
        version(
            triage=[
                {
                    "id": "low",
                    "when": {"question": "nps", "at_most": 6},
                    "after": "why",
                    "offer": "human",
                }
            ]
        ),
        version(triage=[{"id": "low", "when": "not (answer.nps >= 7) and answer.nps >= 0",
                         "after": "why", "offer": "human"}]),
        from_json(to_json(BASIS)),
    ],
    ids=["aside", "punctuation", "case", "mirrored", "of before expressions", "same ways", "published"],
)  # fmt: skip
def test_the_same_meaning_is_no_difference(same: Survey) -> None:
    found = diff(BASIS, same)
    assert found.same, found.changes
    assert found.effect is Effect.COMPARABLE
    assert all(not each.reasons for each in found.verdicts)


@pytest.mark.parametrize(
    ("changed", "question", "effect", "code"),
    [
        (version(csat={"points": 3, "positive": [3]}), "csat", Effect.INCOMPARABLE, "measure"),
        (version(csat={"positive": [5]}), "csat", Effect.INCOMPARABLE, "measure"),
        (version(ease={"direction": "lower_is_easier"}), "ease", Effect.INCOMPARABLE, "measure"),
        (version(ease={"high": 5}), "ease", Effect.INCOMPARABLE, "measure"),
        (version(language="en"), "nps", Effect.INCOMPARABLE, "language"),
        (version(csat={"when": "answer.nps >= 7"}), "csat", Effect.INCOMPARABLE, "population"),
        (without("ease"), "ease", Effect.INCOMPARABLE, "removed"),
        (
            version(nps={"ask": "Готовы порекомендовать нас знакомым и коллегам, от нуля до десяти?"}),
            "nps",
            Effect.CAVEAT,
            "reworded",
        ),
        (
            version(csat={"ask": "Как вам наш новый оператор Мария?"}),
            "csat",
            Effect.INCOMPARABLE,
            "rewritten",
        ),
        (
            version(csat={"ask": "Насколько вы не довольны, от одного до пяти?"}),
            "csat",
            Effect.INCOMPARABLE,
            "negated",
        ),
        (version(nps={"reask": "Скажите число от нуля до десяти."}), "nps", Effect.CAVEAT, "stimulus"),
        (ordered("place", "ease", "nps", "csat", "why"), "nps", Effect.CAVEAT, "order"),
        (version(voice="ru_ekaterina"), "nps", Effect.CAVEAT, "frame"),
        (version(introduction="Мы очень старались для вас."), "nps", Effect.CAVEAT, "frame"),
        (
            version(triage=[{"id": "low", "when": "answer.nps <= 6", "offer": "human"}]),
            "csat",
            Effect.CAVEAT,
            "handover",
        ),
        (
            version(nps={"then": [{"when": "answer.nps <= 6", "goto": "why"}]}),
            "csat",
            Effect.INCOMPARABLE,
            "population",
        ),
        (
            version(place={"options": [*OPTIONS, {"id": "app", "say": "приложение"}]}),
            "place",
            Effect.INCOMPARABLE,
            "measure",
        ),
        (
            version(place={"options": [OPTIONS[0], {"id": "site", "say": "интернет"}]}),
            "place",
            Effect.CAVEAT,
            "recognition",
        ),
    ],
)  # fmt: skip
def test_what_it_does_to_the_score(changed: Any, question: str, effect: Any, code: str) -> None:
    found = diff(BASIS, changed)
    assert not found.same
    assert effects(found)[question] is effect
    assert code in codes(found, question)
    assert found.effect is not None
    if question != "place":
        assert found.effect >= effect


def test_what_comes_after_a_question_does_nothing_to_its_score() -> None:
    found = diff(BASIS, version(why={"ask": "Что нам исправить?"}, closings={"completed": "Пока!"}))
    assert [(each.part, each.where, each.field) for each in found.changes] == [
        ("question", "why", "ask"),
        ("closing", "", "completed"),
    ]
    assert found.effect is Effect.COMPARABLE
    assert codes(diff(BASIS, ordered("place", "nps", "csat", "why", "ease")), "nps") == set()


def test_another_kind_is_another_measure() -> None:
    other = version(
        questions=[
            {**each, "kind": "score", "low": 0, "high": 10} if each["id"] == "nps" else each
            for each in BASE["questions"]
        ]
    )
    found = diff(BASIS, other)
    assert {each.field for each in found.changes} == {"kind", "low", "high"}
    assert effects(found)["nps"] is Effect.INCOMPARABLE


def test_questions_come_go_move_and_change_their_names() -> None:
    added = {"id": "more", "kind": "yes_no", "ask": "Купите ещё?", "reask": "Да или нет?"}
    other = version(
        questions=[
            BASE["questions"][1],
            {**BASE["questions"][0], "id": "where"},
            *BASE["questions"][2:4],
            added,
        ],
        triage=[],
    )
    found = diff(version(triage=[]), other)
    told = {(each.how, each.where) for each in found.changes}
    assert ("renamed", "place") in told
    assert ("removed", "why") in told
    assert ("added", "more") in told
    assert len([each for each in found.changes if each.how == "moved"]) == 1
    assert codes(found, "where") >= {"renamed"}
    assert codes(found, "nps") == {"order"}


def test_without_scores_there_is_nothing_to_compare() -> None:
    plain = version(
        questions=[BASE["questions"][0], BASE["questions"][4]],
        triage=[],
    )
    assert diff(plain, plain.model_copy(update={"consent": "Мы записываем."})).effect is None


def test_there_and_back_are_of_the_same_weight() -> None:
    other = version(csat={"positive": [5]}, nps={"ask": "Порекомендуете ли вы нас, от нуля до десяти?"})
    there, back = diff(BASIS, other), diff(other, BASIS)
    assert effects(there) == effects(back)
    assert len(there.changes) == len(back.changes)


@pytest.mark.parametrize("file", sorted(SURVEYS.glob("*.yaml")), ids=lambda file: file.stem)
def test_a_shipped_survey_is_the_same_as_itself_published(file: Path) -> None:
    shipped = load_survey(file)
    assert diff(shipped, from_json(to_json(shipped))).same


# The command --------------------------------------------------------------------------------


@pytest.fixture
def published(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Published:
    monkeypatch.setenv("OTKLIK_VAR", str(tmp_path))
    return Published(tmp_path / "surveys")


def run(*arguments: str | Path) -> Result:
    return CliRunner().invoke(app, ["diff", *map(str, arguments)])


def test_the_command_ends_with_0_1_or_2(published: Published, tmp_path: Path) -> None:
    old, new = BASIS, version(version=2, csat={"positive": [5]})
    digest = publish(published, old)
    publish(published, new)
    same = run("base@1", digest[:10])
    assert same.exit_code == 0, same.output
    assert "Смысл тот же" in same.output
    other = run("base@1", "base")
    assert other.exit_code == 1
    assert "вопрос csat · какие коды положительные: изменено" in other.output
    assert "Оценки несравнимы" in other.output
    for missing in ("base@3", tmp_path / "nowhere.yaml"):
        refusal = run("base@1", missing).exception
        assert isinstance(refusal, SurveyInvalid)
        assert refusal.exit_status == 2


def test_a_file_is_compared_with_what_is_published(published: Published) -> None:
    csat = SURVEYS / "csat.yaml"
    publish(published, load_survey(csat))
    assert run("csat", csat).exit_code == 0


def test_json_tells_the_same_to_programs(published: Published) -> None:
    publish(published, BASIS)
    other = version(version=2, nps={"ask": "Порекомендуете нас знакомым, от нуля до десяти?"}, voice="x")
    publish(published, other)
    result = run("base@1", "base@2", "--json")
    told = json.loads(result.stdout)
    assert result.exit_code == 1
    assert told["a"] == {"id": "base", "version": 1, "hash": survey_hash(BASIS)}
    assert told["same"] is False
    assert told["comparability"] == "caveat"
    nps = next(each for each in told["questions"] if each["question"] == "nps")
    assert {why["code"] for why in nps["reasons"]} == {"reworded", "frame"}
    assert {(each["part"], each["where"], each["field"]) for each in told["changes"]} == {
        ("survey", "", "voice"),
        ("question", "nps", "ask"),
    }
    assert told["aside"] == [
        {"part": "survey", "how": "changed", "where": "", "field": "version", "before": 1, "after": 2}
    ]
