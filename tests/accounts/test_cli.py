"""`otklik accounts`, and how long a link may last, as people type them."""

from __future__ import annotations

import io
import json
import re
from pathlib import Path

import pytest

from bot.cli.app import main
from bot.cli.survey_link import seconds_of
from bot.core.errors import BadInput

PASSWORD = "верблюд и четыре окна"


@pytest.fixture(autouse=True)
def _in_a_folder_of_its_own(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("OTKLIK_VAR", str(tmp_path))


def accounts(monkeypatch: pytest.MonkeyPatch, *words: str, typed: str = "") -> int:
    """The exit status of the command."""
    monkeypatch.setattr("sys.stdin", io.StringIO(typed))
    with pytest.raises(SystemExit) as left:
        main(["accounts", *words])
    return int(left.value.code or 0)


def test_the_way_of_an_account(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    assert accounts(monkeypatch, "add", "Irina", "--agent", "ivanova", typed=f"{PASSWORD}\n") == 0
    assert accounts(monkeypatch, "add", "irina", typed=f"{PASSWORD}\n") == 1  # taken
    assert accounts(monkeypatch, "password", "irina", typed="short\n") == 2
    assert accounts(monkeypatch, "password", "irina", typed=f"{PASSWORD}!\n") == 0
    capsys.readouterr()
    assert accounts(monkeypatch, "list", "--json") == 0
    (line,) = capsys.readouterr().out.splitlines()
    assert {"login": "irina", "role": "agent", "agent_id": "ivanova"}.items() <= json.loads(line).items()
    assert accounts(monkeypatch, "remove", "irina") == 0
    assert accounts(monkeypatch, "remove", "irina") == 2


def test_a_password_is_typed_and_never_an_argument(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    assert accounts(monkeypatch, "add", "irina", typed="") == 2
    assert "первая строка ввода" in capsys.readouterr().err
    assert accounts(monkeypatch, "add", "irina", "--password", PASSWORD) == 2


@pytest.mark.parametrize(("written", "seconds"), [("30m", 1800), ("24h", 86400), ("7d", 604800)])
def test_how_long_a_link_lasts(written: str, seconds: float) -> None:
    assert seconds_of(written) == seconds


@pytest.mark.parametrize("written", ["", "24", "h", "-1h", "1w", "99999h"])
def test_what_is_no_length_of_time(written: str) -> None:
    with pytest.raises(BadInput):
        seconds_of(written)


def test_a_one_time_password_a_change_and_the_log_of_it(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    assert accounts(monkeypatch, "add", "olga", "--role", "admin", "--once") == 0
    assert re.search(r"^\w{4}-\w{4}-\w{4}-\w{4}$", capsys.readouterr().out, re.MULTILINE)
    assert accounts(monkeypatch, "change", "olga") == 2
    assert accounts(monkeypatch, "change", "olga", "--role", "agent") == 1  # the only administrator
    assert accounts(monkeypatch, "change", "olga", "--name", "Ольга") == 0
    assert accounts(monkeypatch, "sessions") == 0
    assert accounts(monkeypatch, "end", "olga") == 0
    assert "Сейчас никто не вошёл" in capsys.readouterr().out
    with pytest.raises(SystemExit):
        main(["audit", "--json", "--subject", "account"])
    noted = [json.loads(line) for line in capsys.readouterr().out.splitlines()]
    assert [(row["action"], row["subject_id"]) for row in noted] == [("change", "olga"), ("add", "olga")]
    assert noted[0]["login"].startswith("shell:")
