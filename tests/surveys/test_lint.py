"""Every bad file gives its rule and line; no rule is without a bad file; what ships is clean."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any, NamedTuple

import pytest
from typer.testing import CliRunner

from bot.cli.survey import app
from bot.core.audio import Pcm
from bot.linting import lint_tools
from bot.settings_load import load_settings
from bot.speech.prompts import encode
from bot.surveys.lint import RULES, Tools, lint, lint_survey
from bot.surveys.lint.allowing import allowed
from bot.surveys.loader import load_survey
from bot.surveys.problems import READING_RULES
from tests.effort import effort
from tests.surveys.turns import SURVEYS

DATA = Path(__file__).parents[1] / "data" / "surveys"
BAD = sorted((DATA / "bad").glob("*.yaml"))
UNREADABLE = sorted((DATA / "unreadable").glob("*.yaml"))
MADE_HERE = {"unreadable-file", "too-large"}
"""Rules whose files cannot lie in a folder of a repository."""

GOOD = (SURVEYS / "csat.yaml").read_text("utf-8")


class Expected(NamedTuple):
    rule: str
    line: int


def expected_of(file: Path) -> Expected:
    """What its first line says: `# expect: rule:line`."""
    first = file.read_bytes().split(b"\n", 1)[0].decode()
    rule, line = first.removeprefix("# expect: ").split(":")
    return Expected(rule, int(line))


@pytest.fixture(scope="module")
def tools() -> Iterator[Tools]:
    with lint_tools(load_settings()) as tools:
        yield tools


@pytest.mark.parametrize("file", BAD, ids=lambda file: file.stem)
def test_a_bad_file_has_its_one_fault(file: Path, tools: Tools) -> None:
    (problem,) = lint(file, tools)
    assert Expected(problem.rule, problem.place.line) == expected_of(file), str(problem)
    assert problem.place.column >= 1
    assert problem.level == RULES[problem.rule].level
    assert not problem.unreadable


@pytest.mark.parametrize("file", UNREADABLE, ids=lambda file: file.stem)
def test_an_unreadable_file_is_refused_at_once(file: Path) -> None:
    (problem,) = lint(file)
    assert Expected(problem.rule, problem.place.line) == expected_of(file), str(problem)
    assert problem.unreadable


def test_ten_megabytes_and_no_file_at_all_are_refused_at_once(tmp_path: Path) -> None:
    large = tmp_path / "large.yaml"
    large.write_text("# " + "я" * 5_000_000, "utf-8")
    files = (large, tmp_path / "nowhere.yaml")
    assert {problem.rule for file in files for problem in lint(file)} == MADE_HERE
    assert effort(lambda: [lint(file) for file in files]) < 1000


def test_no_rule_is_without_its_files() -> None:
    bad = {expected_of(file).rule for file in BAD}
    unreadable = {expected_of(file).rule for file in UNREADABLE}
    assert bad == set(RULES) - set(READING_RULES)
    assert unreadable == set(READING_RULES) - MADE_HERE
    assert len(BAD) >= 30


def test_every_rule_says_what_is_wrong_and_what_is_right() -> None:
    assert all(rule.id == name and rule.meaning and rule.mend for name, rule in RULES.items())


# The command --------------------------------------------------------------------------------


def run(*arguments: str | Path) -> tuple[int, str]:
    result = CliRunner().invoke(app, ["lint", *map(str, arguments)])
    assert result.exception is None or isinstance(result.exception, SystemExit), result.exception
    return result.exit_code, result.output


def test_what_ships_is_clean() -> None:
    files = sorted(SURVEYS.glob("*.yaml"))
    status, output = run(*files)
    assert status == 0, output
    assert output.count("в порядке") == len(files)


def test_a_problem_is_told_with_its_place_rule_and_remedy() -> None:
    file = DATA / "bad" / "unknown_key.yaml"
    status, output = run(file)
    assert status == 1
    assert output.startswith(f"{file}:5:1: error unknown-key: неизвестный ключ «titel» (может быть, title")


def test_a_warning_counts() -> None:
    status, output = run(DATA / "bad" / "and_or.yaml", SURVEYS / "csat.yaml")
    assert status == 1
    assert ": warning double-barrelled: " in output
    assert "csat.yaml: в порядке" in output


def test_what_cannot_be_read_exits_2_and_the_rest_is_still_told() -> None:
    status, output = run(DATA / "unreadable" / "tab.yaml", DATA / "bad" / "unknown_key.yaml")
    assert status == 2
    assert "error tab: " in output
    assert "error unknown-key: " in output


def test_json_tells_the_same() -> None:
    file = DATA / "bad" / "digits.yaml"
    status, output = run("--json", file, SURVEYS / "csat.yaml")
    assert status == 1
    (problem,) = json.loads(output)
    assert problem["file"] == str(file)
    assert (problem["rule"], problem["level"], problem["unreadable"]) == (
        "number-in-digits",
        "warning",
        False,
    )
    assert problem["line"] == expected_of(file).line
    assert problem["column"] >= 1
    assert "«0», «10»" in problem["message"]
    assert "от ноля до десяти" in problem["hint"]
    assert json.loads(run("--json", SURVEYS / "csat.yaml")[1]) == []


def test_rules_are_listed() -> None:
    status, output = run("--rules")
    assert status == 0
    assert all(rule in output for rule in RULES)
    listed = json.loads(run("--rules", "--json")[1])
    assert {entry["rule"] for entry in listed} == set(RULES)


def test_a_file_is_required() -> None:
    assert CliRunner().invoke(app, ["lint"]).exit_code == 2


# What is meant ------------------------------------------------------------------------------


def test_a_comment_allows_a_warning_on_its_line_or_the_next(tmp_path: Path) -> None:
    file = tmp_path / "survey.yaml"
    ask = "    ask: Удалось ли решить ваш вопрос?"
    either = "    ask: Решили ваш вопрос полностью или частично?"
    assert ask in GOOD
    file.write_text(GOOD.replace(ask, either), "utf-8")
    assert [problem.rule for problem in lint(file)] == ["yes-no-alternative"]
    file.write_text(GOOD.replace(ask, f"{either}  # lint: allow yes-no-alternative"), "utf-8")
    assert lint(file) == ()
    file.write_text(GOOD.replace(ask, f"    # lint: allow yes-no-alternative\n{either}"), "utf-8")
    assert lint(file) == ()
    file.write_text(GOOD.replace(ask, f"    # lint: allow double-barrelled\n{either}"), "utf-8")
    assert [problem.rule for problem in lint(file)] == ["useless-allow", "yes-no-alternative"]


def test_no_comment_allows_an_error() -> None:
    (error,) = lint(DATA / "bad" / "nps_without_scale.yaml")
    text = "\n" * (error.place.line - 1) + "ask: что-то  # lint: allow nps-wording\n"
    left = list(allowed(Path("x.yaml"), text, [error], RULES))
    assert [problem.rule for problem in left] == ["nps-wording", "useless-allow"]


def test_a_recording_is_played_and_measured(tmp_path: Path, tools: Tools) -> None:
    file = tmp_path / "survey.yaml"
    ask = "    ask: Удалось ли решить ваш вопрос?"
    file.write_text(GOOD.replace(ask, f"    audio: ask.wav\n{ask}"), "utf-8")
    sound = tmp_path / "ask.wav"
    sound.write_bytes(encode(Pcm(b"\1\0" * 8000 * 5, 8000)))
    assert lint(file, tools) == ()
    sound.write_bytes(encode(Pcm(b"\1\0" * 8000 * 13, 8000)))
    (problem,) = lint(file, tools)
    assert (problem.rule, problem.level) == ("prompt-too-long", "warning")
    assert "13.0 с" in problem.message
    sound.write_bytes(b"RIFF" + bytes(100))
    (problem,) = lint(file, tools)
    assert (problem.rule, problem.level) == ("bad-audio", "error")
    assert file.read_text("utf-8").splitlines()[problem.place.line - 1] == "    audio: ask.wav"


# Without tools, and without a file -------------------------------------------------------------


def test_without_tools_nothing_is_said_of_what_they_tell() -> None:
    for name in ("long_question", "word_not_heard", "options_alike", "unknown_target"):
        assert lint(DATA / "bad" / f"{name}.yaml") == (), name


def test_a_published_version_is_looked_at_without_its_file() -> None:
    survey = load_survey(DATA / "bad" / "nps_without_scale.yaml")
    (problem,) = lint_survey(survey)
    assert problem.rule == "nps-wording"
    assert problem.place.line == 0
    assert lint_survey(load_survey(DATA / "bad" / "no_target.yaml")) == ()


def test_tools_are_left_alone_where_there_is_nothing_to_measure() -> None:
    def unexpected(*_arguments: object) -> Any:
        raise AssertionError("nothing here needs measuring")

    tools = Tools(seconds=unexpected, phonemes=unexpected, read_aloud=unexpected, vocabulary=unexpected)
    (problem,) = lint(DATA / "bad" / "either_or.yaml", tools)
    assert problem.rule == "yes-no-alternative"


def test_a_model_that_does_not_tell_its_words_is_named(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Nothing is said of words that could not be looked up, but that they were not."""
    monkeypatch.setattr("bot.speech.vocabulary.read_vocabulary", lambda model: frozenset())
    told: list[str] = []
    with lint_tools(load_settings(), told.append) as tools:
        assert lint(DATA / "bad" / "word_not_heard.yaml", tools) == ()
        assert lint(DATA / "bad" / "word_not_heard.yaml", tools) == ()
    (line,) = told
    assert load_settings().speech_settings().recogniser.model in line
    assert "не проверены" in line


LABELLED = GOOD.replace(
    GOOD[GOOD.index("questions:") :],
    """\
questions:
  - id: mark
    kind: score
    low: 1
    high: 3
    labels: {labels}
    ask: Оцените разговор от одного до трёх.
    reask: Назовите число от одного до трёх.
""",
)


@pytest.mark.parametrize(
    ("labels", "found"),
    [
        ("{1: плохо, 2: средне, 3: отлично}", []),
        ("{1: один, 2: два, 3: три}", []),
        ("{1: три, 3: отлично}", ["scale-labels"]),
        ("{1: тройка, 3: отлично}", ["scale-labels"]),
        ("{1: плохо, 3: отлично 5+}", ["say-not-words"]),
        ("{1: плохо, 3: пклохо}", ["word-unknown", "sounds-alike"]),
    ],
)
def test_the_labels_of_a_scale_are_spoken_answers(
    labels: str, found: list[str], tools: Tools, tmp_path: Path
) -> None:
    file = tmp_path / "labelled.yaml"
    file.write_text(LABELLED.replace("{labels}", labels), "utf-8")
    assert [problem.rule for problem in lint(file, tools)] == found


@pytest.mark.parametrize("fault", ["helpp: Скажите.", "then: [{wehn: answer.mark == 1, skip_to_end: true}]"])
def test_the_only_question_with_a_fault_has_one_fault(fault: str, tmp_path: Path) -> None:
    file = tmp_path / "one.yaml"
    file.write_text(LABELLED.replace("labels: {labels}", fault), "utf-8")
    assert [problem.rule for problem in lint(file)] == ["unknown-key"]
