"""The commands, on a database without a node."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from bot.cli.app import main
from tests.privacy.marked import PHONE


@pytest.fixture
def var(var: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    (tmp_path / "surveys").mkdir()
    monkeypatch.setenv("OTKLIK_SURVEYS", str(tmp_path / "surveys"))
    put(var, monkeypatch)
    monkeypatch.chdir(tmp_path)
    return var


def put(var: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("OTKLIK_VAR", str(var))
    monkeypatch.setenv("OTKLIK_RECORDINGS", str(var / "recordings"))


def run(*words: str) -> int:
    with pytest.raises(SystemExit) as ended:
        main(list(words))
    return int(ended.value.code or 0)


def test_a_person_is_looked_up_erased_and_certified(
    var: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert run("privacy", "erase", "8 (903) 111-22-33", "--dry-run", "--json") == 0
    assert json.loads(capsys.readouterr().out)["calls"] == 2
    assert (var / "recordings/call-mine.wav").exists()
    page = tmp_path / "certificate.md"
    erase = ("privacy", "erase", f"+{PHONE}", "--yes", "--by", "irina", "--reason", "письмо")
    assert run(*erase, "--certificate", str(page)) == 0
    told = capsys.readouterr().out
    assert "звонки обезличены" in told
    assert "больше никогда не звонить" in told
    assert "- кто удалил: irina" in page.read_text()
    assert run(*erase, "--json") == 0
    again = json.loads(capsys.readouterr().out)
    assert again["sha256"] in page.read_text(), "the same certificate"
    assert run("privacy", "erase", "+79990001122", "--yes") == 2
    assert "ничего не хранится" in capsys.readouterr().err
    assert run(*erase, "--certificate", "c.pdf") == 2


def test_a_backup_is_made_verified_and_restored(
    var: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    file = str(tmp_path / "copy.tar.gz")
    assert run("backup", file, "--json") == 0
    assert json.loads(capsys.readouterr().out)["rows"]["attempts"] == 3
    assert run("restore", file, "--check") == 0
    assert "Копия цела" in capsys.readouterr().out
    assert run("restore", file) == 2
    assert "здесь уже что-то есть" in capsys.readouterr().err
    put(tmp_path / "new", monkeypatch)
    assert run("restore", file) == 0
    assert "Восстановлено" in capsys.readouterr().out
    assert (tmp_path / "new/recordings/call-mine.wav").exists()
    assert run("privacy", "erase", PHONE, "--dry-run", "--json") == 0
    assert json.loads(capsys.readouterr().out)["calls"] == 2


def test_retention_says_what_would_go(var: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert run("privacy", "retention", "--dry-run", "--json") == 0
    counts = json.loads(capsys.readouterr().out)
    assert (counts["words"], counts["deliveries"]) == (0, 2), "cases are open: their calls keep their words"
    assert run("privacy", "retention") == 0
    assert "слова разговоров" in capsys.readouterr().out
    assert run("privacy", "retention", "--json") == 0
    assert json.loads(capsys.readouterr().out)["deliveries"] == 0, "they went the time before"
