"""`otklik survey` in its own process of typer: messages and exit statuses."""

from __future__ import annotations

import json
import subprocess
import sys
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import pytest
from typer.testing import CliRunner

from bot.cli.survey import COMMANDS, app
from bot.core.errors import SurveyInvalid
from bot.published import Published
from bot.surveys.json_schema import json_schema
from bot.surveys.loader import load_survey, survey_hash
from tests.published import publish
from tests.surveys.turns import SURVEYS

CSAT_FILE = str(SURVEYS / "csat.yaml")


def test_show_prints_the_questions() -> None:
    result = CliRunner().invoke(app, ["show", CSAT_FILE])
    assert result.exit_code == 0, result.output
    assert "csat 1–5" in result.output


def test_show_refuses_what_is_no_survey(tmp_path: Path) -> None:
    result = CliRunner().invoke(app, ["show", str(tmp_path / "nowhere.yaml")])
    assert isinstance(result.exception, SurveyInvalid)


def test_show_requires_a_file() -> None:
    assert CliRunner().invoke(app, ["show"]).exit_code == 2


def test_only_the_command_that_is_called_is_imported() -> None:
    """Help must be quick: no recogniser, no Rasa client."""
    code = (
        "import sys; from bot.cli.app import app; from typer.testing import CliRunner\n"
        "for group in ([], ['survey']):\n"
        "    assert CliRunner().invoke(app, [*group, '--help']).exit_code == 0\n"
        "print([name for name in sys.modules if name.startswith('bot.cli.survey')])"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "['bot.cli.survey']"


def test_every_command_has_its_line_in_the_help() -> None:
    listed = CliRunner().invoke(app, ["--help"]).output
    assert all(f" {name} " in listed for name, lazy in COMMANDS.items() if find_spec(lazy.module))


@pytest.fixture
def folders(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Surveys of one's own, and nothing published."""
    monkeypatch.setenv("OTKLIK_VAR", str(tmp_path / "var"))
    monkeypatch.setenv("OTKLIK_SURVEYS", str(tmp_path / "surveys"))
    (tmp_path / "surveys").mkdir()
    return tmp_path


def listed(*arguments: str) -> list[dict[str, Any]]:
    result = CliRunner().invoke(app, ["list", "--json", *arguments])
    assert result.exit_code == 0, result.output
    rows: list[dict[str, Any]] = json.loads(result.stdout)
    return rows


def test_list_says_how_to_begin_where_there_is_nothing(folders: Path) -> None:
    result = CliRunner().invoke(app, ["list"])
    assert result.exit_code == 0
    assert "Опросов ещё нет" in result.output
    assert "otklik survey publish" in result.output
    assert listed() == []


def test_list_tells_files_from_what_is_published(folders: Path) -> None:
    file = folders / "surveys" / "csat.yaml"
    file.write_text(Path(CSAT_FILE).read_text("utf-8"), "utf-8")
    (draft,) = listed()
    survey = load_survey(file)
    assert (draft["id"], draft["version"], draft["hash"]) == ("csat", survey.version, survey_hash(survey))
    assert (draft["state"], draft["questions"], draft["file"]) == ("draft", 2, "csat.yaml")
    shortest, longest = draft["seconds"]
    assert 10 < shortest <= longest < 60

    published = Published(folders / "var" / "surveys")
    publish(published, survey)
    assert [(row["state"], row["file"]) for row in listed()] == [("current", "csat.yaml")]

    publish(published, survey.model_copy(update={"version": 99}))
    both = [(survey.version, "older"), (99, "current")]
    assert [(row["version"], row["state"]) for row in listed()] == both

    file.write_text(file.read_text("utf-8").replace("title: ", "title: Новый "), "utf-8")
    (folders / "surveys" / "bad.yaml").write_text("id: [", "utf-8")
    shown = {(row["file"], row["version"], row["state"]) for row in listed()}
    assert shown == {
        ("", 99, "current"),
        ("csat.yaml", survey.version, "changed"),
        ("bad.yaml", None, "broken"),
    }
    result = CliRunner().invoke(app, ["list", "--all"], env={"COLUMNS": "200"})
    assert "поднимите version" in result.output
    assert "прежняя версия" in result.output


def test_schema_is_json_for_editors() -> None:
    result = CliRunner().invoke(app, ["schema"])
    assert result.exit_code == 0
    assert json.loads(result.stdout) == json_schema()
