"""Dictionaries as files: what ships, what a company adds, and what is refused with its line."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from jsonschema import Draft202012Validator
from ruamel.yaml import YAML

from bot.core.errors import SurveyInvalid
from bot.core.intents import Topic
from bot.surveys.dictionary_files import SHIPPED, file_problems, shelf, shipped
from bot.surveys.json_schema_dictionary import dictionary_schema
from bot.surveys.lexicon import find
from bot.surveys.lint import lint
from bot.surveys.loader import from_json, load_survey, survey_hash, to_json
from tests.surveys.turns import SURVEYS

MINE = "id: mine\nlanguage: ru\nlists:\n  - id: x\n    "

EXTENSION = """\
extend: complaints
lists:
  - id: waiting
    words: [сутками не отвечать]
    without: [слушать музыку]
  - id: courier
    signal: courier
    words: курьер опоздать
"""


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """A folder of surveys with two of ours and no own dictionary; csat reads no signal of words."""
    for name in ("nps.yaml", "csat.yaml"):
        (tmp_path / name).write_text((SURVEYS / name).read_text("utf-8"), "utf-8")
    (tmp_path / "dictionaries").mkdir()
    return tmp_path


def own(folder: Path, text: str, name: str = "own.yaml") -> Path:
    path = folder / "dictionaries" / name
    path.write_text(text, "utf-8")
    return path


@pytest.mark.parametrize("language", ["ru", "en"])
def test_every_topic_ships_in_both_languages(language: str) -> None:
    lists = [each for one in shipped().values() if one.language == language for each in one.lists]
    assert {each.topic for each in lists if each.topic} == set(Topic)
    assert {each.signal for each in lists} == {"complaint", "angry", "repeated_contact"}


def test_a_survey_carries_the_dictionaries_of_its_language(folder: Path) -> None:
    survey = load_survey(folder / "nps.yaml")
    assert [each.id for each in survey.dictionaries] == ["anger", "complaints", "contact"]
    assert from_json(to_json(survey)) == survey


def test_what_a_company_adds_counts_and_changes_the_hash(folder: Path) -> None:
    before = load_survey(folder / "nps.yaml")
    own(folder, EXTENSION)
    after = load_survey(folder / "nps.yaml")
    assert survey_hash(after) != survey_hash(before)
    said = [found.rule for found in find(after.dictionaries, "курьер опоздал и сутками не отвечали")]
    assert said == ["complaints.waiting", "complaints.courier"]
    assert find(after.dictionaries, "слушала музыку") == ()
    assert find(before.dictionaries, "слушала музыку") != ()
    assert find(before.dictionaries, "курьер опоздал") == ()


def test_a_file_that_is_changed_is_read_anew(folder: Path) -> None:
    own(folder, EXTENSION)
    first = survey_hash(load_survey(folder / "nps.yaml"))
    own(folder, EXTENSION.replace("курьер опоздать", "курьер не приехать вовремя"))
    assert survey_hash(load_survey(folder / "nps.yaml")) != first


def test_a_condition_may_read_an_own_signal(folder: Path) -> None:
    file = folder / "nps.yaml"
    rule = "triage:\n  - id: late\n    when: '\"courier\" in signals'\n    do: note\n"
    file.write_text(file.read_text("utf-8").replace("triage:\n", rule), "utf-8")
    (problem,) = lint(file)
    assert (problem.rule, problem.message) == ("unknown-reference", "сигнала «courier» не бывает")
    own(folder, EXTENSION)
    assert lint(file) == ()


def test_a_misspelt_signal_is_told_with_the_nearest(folder: Path) -> None:
    file = folder / "nps.yaml"
    file.write_text(file.read_text("utf-8").replace('"complaint" in signals', '"angri" in signals'), "utf-8")
    (problem,) = lint(file)
    assert problem.hint == "может быть, angry?"


def test_a_survey_names_the_dictionaries_it_wants(folder: Path) -> None:
    file = folder / "csat.yaml"
    text = file.read_text("utf-8")
    file.write_text(f"{text}\ndictionaries: [anger]\n", "utf-8")
    assert [each.id for each in load_survey(file).dictionaries] == ["anger"]
    file.write_text(f"{text}\ndictionaries: []\n", "utf-8")
    assert load_survey(file).dictionaries == ()


@pytest.mark.parametrize(
    ("names", "message"),
    [
        ("[complains]", "словаря «complains» нет (может быть, complaints?)"),
        ("[anger_en]", "словарь «anger_en» для другого языка: en"),
        ("[anger, anger]", "словарь «anger» назван дважды"),
        ("anger", "dictionaries: нужен список имён словарей"),
    ],
)
def test_a_name_that_is_wrong_is_refused(folder: Path, names: str, message: str) -> None:
    file = folder / "csat.yaml"
    file.write_text(f"{file.read_text('utf-8')}\ndictionaries: {names}\n", "utf-8")
    (problem,) = lint(file)
    assert message in str(problem)
    assert problem.place.line == len(file.read_text("utf-8").splitlines())


@pytest.mark.parametrize(
    ("text", "line", "rule"),
    [
        (
            "id: mine\nlanguage: ru\nlists:\n  - id: x\n    signal: complaint\n    words: [да]\n",
            4,
            "bad-list",
        ),
        (
            "id: mine\nlanguage: ru\nlists:\n  - id: x\n    signal: angry\n    words: [2 раза]\n",
            6,
            "bad-phrase",
        ),
        (MINE + "signal: angry\n    words: [да*]\n", 6, "bad-phrase"),
        (MINE + "signal: angry\n    words: [не]\n", 6, "bad-phrase"),
        (MINE + "signal: angry\n    word: да\n    words: [да]\n", 6, "unknown-key"),
        ("id: anger\nlanguage: ru\nlists:\n  - {id: x, signal: angry, words: [да]}\n", 1, "duplicate-id"),
        ("extend: angr\nlists:\n  - {id: x, words: [да]}\n", 1, "unknown-reference"),
        ("extend: anger\nlists:\n  - {id: x, words: [да]}\n", 3, "bad-list"),
        ("extend: anger\nlists:\n  - {id: anger, signal: cross, words: [да]}\n", 3, "bad-list"),
        ("extend: anger\nlists:\n  - {id: anger, without: [такого нет]}\n", 3, "bad-list"),
        ("id: mine\n\tlanguage: ru\n", 2, "tab"),
        ("", 1, "empty-file"),
    ],
)
def test_a_broken_file_is_told_with_its_line_and_stops_every_survey(
    folder: Path, text: str, line: int, rule: str
) -> None:
    path = own(folder, text)
    problems = file_problems(path)
    assert (problems[0].place.line, problems[0].rule) == (line, rule), problems
    assert problems[0].place.file == str(path)
    with pytest.raises(SurveyInvalid) as refused:
        load_survey(folder / "nps.yaml")
    assert refused.value.place == problems[0].place


def test_what_ships_is_in_order() -> None:
    files = sorted(SHIPPED.glob("*.yaml"))
    assert len(files) == len(shipped())
    for file in files:
        assert file_problems(file) == ()


def test_the_schema_fits_what_is_taken_and_refuses_the_rest() -> None:
    validator = Draft202012Validator(dictionary_schema())
    Draft202012Validator.check_schema(dictionary_schema())
    texts = [file.read_text("utf-8") for file in SHIPPED.glob("*.yaml")]
    for text in (*texts, EXTENSION):
        data = json.loads(json.dumps(YAML(typ="safe", pure=True).load(text)))
        assert list(validator.iter_errors(data)) == []
        data["lists"][0]["unknown"] = 1
        assert not validator.is_valid(data)
    assert not validator.is_valid({"extend": "anger"})
    assert not validator.is_valid({"id": "mine", "language": "fr", "lists": []})


def test_the_node_takes_no_dictionary_for_a_survey(folder: Path) -> None:
    own(folder, EXTENSION)
    assert [file.name for file in sorted([*folder.glob("*.yaml"), *folder.glob("*.yml")])] == [
        "csat.yaml",
        "nps.yaml",
    ]
    assert shelf(folder).problems == ()
