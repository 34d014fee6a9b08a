"""`otklik survey talk` against the real Rasa: scripts, silence, keys, handovers, and ways to leave."""

from __future__ import annotations

import os
import pty
import select
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
import soundfile
from typer.testing import CliRunner, Result

from bot.cli import survey_talk
from bot.cli.survey import app
from bot.core.context import TurnSource
from bot.core.errors import BadInput, SurveyInvalid
from bot.settings import PROJECT
from bot.surveys.loader import load_survey
from bot.surveys.talking import turn_of
from dialogue.running import RunningDialogue
from tests.dialogue.surveys import publish

CSAT = PROJECT / "survey_defs" / "csat.yaml"
Talk = Callable[..., Result]


@pytest.fixture
def talk(
    servers: RunningDialogue, surveys_dir: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> Talk:
    """The command within this process, with the Rasa of all tests in place of one of its own."""

    @contextmanager
    def the_servers(folder: Path, log: Path) -> Iterator[RunningDialogue]:
        for file in folder.glob("*.json"):
            shutil.copy(file, surveys_dir)
        yield servers

    monkeypatch.setattr(survey_talk, "running_dialogue", the_servers)
    monkeypatch.setenv("OTKLIK_VAR", str(tmp_path / "var"))

    def run(lines: str, *options: str, survey: Path = CSAT) -> Result:
        script = tmp_path / "script.txt"
        script.write_text(lines, encoding="utf-8")
        arguments = ["talk", str(survey), "--script", str(script), *options]
        return CliRunner().invoke(app, arguments, env={"COLUMNS": "160"})

    return run


def test_a_script_to_the_end(talk: Talk) -> None:
    result = talk("пять\nда, решили\n")
    assert result.exit_code == 0, result.output
    assert "понял: answer_score" in result.output
    assert "csat = 5 (speech 1.00)" in result.output
    assert "resolved = yes (speech 1.00)" in result.output
    assert "Исход: пройден" in result.output
    assert "Записано" in result.output
    assert load_survey(CSAT).closings.completed in result.output


def test_a_script_that_is_over_before_the_call(talk: Talk) -> None:
    result = talk("пять\n")
    assert result.exit_code == survey_talk.NOT_ENDED
    assert "Разговор не окончен" in result.output
    assert "csat = 5" in result.output, "what was answered is told all the same"


def test_an_empty_line_is_silence_and_a_hash_a_key(talk: Talk) -> None:
    result = talk("\n#7\n#4\n\n#1\n")
    assert result.exit_code == 0, result.output
    survey = load_survey(CSAT)
    assert survey.texts.no_input[0] in result.output
    assert survey.texts.wrong_key[0] in result.output
    assert "csat = 4 (dtmf 1.00)" in result.output
    assert "resolved = yes (dtmf 1.00)" in result.output


@pytest.mark.parametrize(("answered", "outcome"), [("", "передан сотруднику"), ("!\n", "обещан звонок")])
def test_a_person_takes_over_or_does_not(talk: Talk, answered: str, outcome: str) -> None:
    result = talk(f"позовите человека\n{answered}")
    assert result.exit_code == 0, result.output
    assert "перевод на responsible" in result.output
    assert f"Исход: {outcome}" in result.output


def test_what_is_piped_in_is_a_script(talk: Talk) -> None:
    result = CliRunner().invoke(app, ["talk", str(CSAT)], input="пять\nне звоните мне больше\n")
    assert result.exit_code == 0, result.output
    assert "больше не звонить" in result.output


def test_the_customer_is_called_by_name(talk: Talk) -> None:
    nps = PROJECT / "survey_defs" / "nps.yaml"
    assert "Анна" in talk("", "--customer", "Анна", survey=nps).output


def test_what_the_bot_says_is_written_as_sound(talk: Talk, tmp_path: Path) -> None:
    result = talk("пять\nда\n", "--say-to", str(tmp_path / "said"))
    assert result.exit_code == 0, result.output
    files = sorted((tmp_path / "said").glob("*.wav"))
    survey = load_survey(CSAT)
    heard = [line for line in result.output.splitlines() if line and not line.startswith((" ", ">"))]
    assert [file.name for file in files] == [f"{place:02}.wav" for place in range(1, len(files) + 1)]
    assert len(files) >= len(
        (survey.consent, survey.introduction, *survey.questions, survey.closings.completed)
    )
    assert len(files) <= len(heard)
    assert all(soundfile.info(file).duration > 0.3 for file in files)
    assert str(tmp_path / "said") in result.output


def test_without_a_sound_card_it_says_where_the_sound_is(
    talk: Talk, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("bot.cli.voicing.PLAYERS", (("false",), ("otklik-no-such-player",)))
    result = talk("", "--say")
    (folder,) = (tmp_path / "var" / "talk").iterdir()
    assert f"Слова бота записаны в {folder}" in result.output
    assert len(list(folder.glob("*.wav"))) >= 3


def test_a_player_that_works_leaves_no_files(
    talk: Talk, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("bot.cli.voicing.PLAYERS", (("true",),))
    assert "Слова бота записаны" not in talk("", "--say").output
    assert not (tmp_path / "var" / "talk").exists()


@pytest.mark.parametrize("content", [None, b"\xff\xfe"])
def test_a_script_that_cannot_be_read(content: bytes | None, tmp_path: Path) -> None:
    script = tmp_path / "script.txt"
    if content is not None:
        script.write_bytes(content)
    refusal = CliRunner().invoke(app, ["talk", str(CSAT), "--script", str(script)]).exception
    assert isinstance(refusal, BadInput)
    assert refusal.exit_status == 2


def test_a_survey_that_cannot_be_read(tmp_path: Path) -> None:
    refusal = CliRunner().invoke(app, ["talk", str(tmp_path / "nowhere.yaml")], input="").exception
    assert isinstance(refusal, SurveyInvalid)


@pytest.mark.parametrize(
    ("line", "source", "said"),
    [
        ("  ", TurnSource.SILENCE, ""),
        ("!", TurnSource.HANDOVER_FAILED, ""),
        ("#5", TurnSource.DTMF, "5"),
        ("#10#", TurnSource.DTMF, "10#"),
        ("5", TurnSource.SPEECH, "5"),
        ("Да — решили!", TurnSource.SPEECH, "да решили"),
        ("?!", TurnSource.SPEECH, "[unk]"),
    ],
)
def test_a_line_is_a_turn(line: str, source: TurnSource, said: str) -> None:
    turn = turn_of(line)
    assert turn.source is source
    assert (turn.digits or turn.text) == said


# At a terminal ------------------------------------------------------------------------------

PROGRAM = """
from contextlib import nullcontext
from types import SimpleNamespace
from bot.cli import survey_talk
from bot.cli.app import main
survey_talk.train = lambda progress: False
servers = SimpleNamespace(rasa_url={url!r}, token={token!r})
survey_talk.running_dialogue = lambda surveys, log: nullcontext(servers)
main(["survey", "talk", {file!r}])
"""


@pytest.mark.parametrize("leaves", ["ctrl-d", "ctrl-c"])
def test_who_leaves_at_a_terminal_gets_what_was_stored_and_no_traceback(
    leaves: str, servers: RunningDialogue, surveys_dir: Path, tmp_path: Path
) -> None:
    publish(load_survey(CSAT), surveys_dir)
    ours, theirs = pty.openpty()
    program = PROGRAM.format(url=servers.rasa_url, token=servers.token, file=str(CSAT))
    process = subprocess.Popen(
        [sys.executable, "-c", program],
        stdin=theirs,
        stdout=theirs,
        stderr=theirs,
        cwd=PROJECT,
        env={**os.environ, "OTKLIK_VAR": str(tmp_path), "TERM": "dumb"},
        start_new_session=True,
    )
    try:
        os.close(theirs)
        shown = read_until(ours, ">", "")
        os.write(ours, "пять\n".encode())
        shown = read_until(ours, "Удалось ли решить ваш вопрос?", shown)
        shown = read_until(ours, ">", shown[shown.rindex("Удалось") :])
        if leaves == "ctrl-d":
            os.write(ours, b"\x04")
        else:
            process.send_signal(signal.SIGINT)
        shown = read_until(ours, "Записано", shown)
        shown += rest(ours)
        assert process.wait(30) == (0 if leaves == "ctrl-d" else 130)
    finally:
        process.kill()  # no more than a word to one that has ended
        process.wait()
    assert "Traceback" not in shown
    assert "Разговор не окончен" in shown


def read_until(terminal: int, text: str, shown: str) -> str:
    """All that is shown from `shown` on, until `text` stands in it."""
    deadline = time.monotonic() + 60
    while text not in shown:
        ready, _, _ = select.select([terminal], [], [], max(deadline - time.monotonic(), 0))
        assert ready, shown
        shown += os.read(terminal, 4096).decode(errors="replace")
    return shown


def rest(terminal: int) -> str:
    """What is shown until the other end is closed; a terminal says so with an error."""
    shown = b""
    try:
        while part := os.read(terminal, 4096):
            shown += part
    except OSError:
        os.close(terminal)
    return shown.decode(errors="replace")
