"""The command `otklik`: it is quick, it lists what there is, and it ends errors politely."""

from __future__ import annotations

import errno
import os
import re
import subprocess
import sys

import pytest
import typer

from bot.cli import app as cli
from bot.cli import lazy
from bot.core.errors import ModelMissing, SettingsInvalid


def run(*words: str) -> int:
    with pytest.raises(SystemExit) as ended:
        cli.main(list(words))
    return int(ended.value.code or 0)


def test_every_listed_command_is_real(capsys: pytest.CaptureFixture[str]) -> None:
    assert run("--help") == 0
    shown = capsys.readouterr().out
    for name in cli.COMMANDS:
        assert re.search(rf"\b{name}\b", shown), name
        assert lazy.load(name, cli.COMMANDS[name]).name == name
        assert run(name, "--help") == 0


def test_help_imports_no_room() -> None:
    program = (
        "import sys; from bot.cli.app import main\n"
        "try: main(['--help'])\n"
        "except SystemExit: pass\n"
        "print([m for m in sys.modules if m.split('.')[0] in ('vosk', 'aiohttp', 'sqlalchemy', 'numpy')])"
    )
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True)
    assert done.stdout.splitlines()[-1] == "[]"


def test_version(capsys: pytest.CaptureFixture[str]) -> None:
    assert run("--version") == 0
    assert re.fullmatch(r"otklik \d+\.\d+\.\d+\S*\n", capsys.readouterr().out)


def test_a_wrong_name_is_refused_with_a_right_one(capsys: pytest.CaptureFixture[str]) -> None:
    assert run("docter") == 2
    assert "doctor" in capsys.readouterr().err


@pytest.fixture
def raising(monkeypatch: pytest.MonkeyPatch) -> list[BaseException]:
    """`otklik doctor` raises what is put in here."""
    errors: list[BaseException] = []
    stand_in = typer.Typer()

    @stand_in.command()
    def doctor() -> None:
        raise errors[0]

    monkeypatch.setattr(lazy, "load", lambda name, entry: typer.main.get_command(stand_in))
    return errors


@pytest.mark.parametrize(
    ("error", "status"),
    [
        (SettingsInvalid("sip.port: «x» не целое число", hint="нужно: [5070]"), 2),
        (ModelMissing("модели нет", hint="нужно: [5070]"), 3),
    ],
)
def test_our_errors_end_as_message_hint_and_status(
    raising: list[BaseException], capsys: pytest.CaptureFixture[str], error: ModelMissing, status: int
) -> None:
    raising.append(error)
    assert run("doctor") == status
    said = capsys.readouterr()
    assert said.out == ""
    assert said.err.splitlines() == [f"otklik: {error.message}", "  нужно: [5070]"]


def test_ctrl_c_is_130(raising: list[BaseException]) -> None:
    raising.append(KeyboardInterrupt())
    assert run("doctor") == 130


@pytest.mark.parametrize(
    ("number", "says"),
    [(errno.ENOSPC, "на диске нет места"), (errno.EACCES, "писать или читать здесь нельзя")],
)
def test_a_disk_that_takes_no_more_is_told_with_its_place(
    raising: list[BaseException], capsys: pytest.CaptureFixture[str], number: int, says: str
) -> None:
    raising.append(OSError(number, os.strerror(number), "/var/otklik/x"))
    assert run("doctor") == 3
    assert capsys.readouterr().err.startswith(f"otklik: /var/otklik/x: {says}")


def test_a_mistake_of_the_program_keeps_its_traceback(raising: list[BaseException]) -> None:
    raising.append(RuntimeError("a bug"))
    with pytest.raises(RuntimeError, match="a bug"):
        cli.main(["doctor"])
