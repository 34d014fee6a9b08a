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
    assert run("audit", "--json") == 0
    lines = [json.loads(line) for line in capsys.readouterr().out.splitlines()]
    [line] = [line for line in lines if line["action"] == "erase"]
    assert (line["subject"], line["subject_id"]) == ("person", again["certificate"])
    assert line["login"].startswith("shell:")
    assert line["details"] == {"by": "irina", "reason": "письмо"}
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


def test_the_keys_of_recordings_are_in_a_backup_when_asked_for_alone(
    var: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    """And the recordings in it are what they are on the disk."""
    monkeypatch.setenv("OTKLIK_PRIVACY__RECORDING_KEYS", str(tmp_path / "here.keys"))
    assert run("backup", str(tmp_path / "early.tar.gz"), "--with-recording-keys") == 3, "there are none yet"
    assert run("recordings", "key", "new") == 0
    assert run("recordings", "rotate") == 0
    without, whole = tmp_path / "without.tar.gz", tmp_path / "with.tar.gz"
    assert run("backup", str(without)) == 0
    assert run("backup", str(whole), "--with-recording-keys") == 0
    sealed = (var / "recordings/call-mine.wav").read_bytes()

    put(tmp_path / "first", monkeypatch)
    monkeypatch.setenv("OTKLIK_PRIVACY__RECORDING_KEYS", str(tmp_path / "first.keys"))
    capsys.readouterr()
    assert run("restore", str(without)) == 0
    assert "нет ключей" in capsys.readouterr().err
    assert not (tmp_path / "first.keys").exists()
    assert (tmp_path / "first/recordings/call-mine.wav").read_bytes() == sealed
    assert run("recordings", "save", "call-mine", str(tmp_path / "mine.wav")) == 3

    put(tmp_path / "second", monkeypatch)
    monkeypatch.delenv("OTKLIK_PRIVACY__RECORDING_KEYS")
    assert run("restore", str(whole)) == 2, "nobody says where the keys belong"
    assert not (tmp_path / "second").exists()
    monkeypatch.setenv("OTKLIK_PRIVACY__RECORDING_KEYS", str(tmp_path / "second.keys"))
    assert run("restore", str(whole)) == 0
    assert "нет ключей" not in capsys.readouterr().err
    assert (tmp_path / "second.keys").stat().st_mode & 0o777 == 0o600
    assert run("recordings", "save", "call-mine", str(tmp_path / "mine.wav")) == 0
    assert (tmp_path / "mine.wav").read_bytes()[:4] == b"RIFF"


def test_retention_says_what_would_go(var: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert run("privacy", "retention", "--dry-run", "--json") == 0
    counts = json.loads(capsys.readouterr().out)
    assert (counts["words"], counts["deliveries"]) == (0, 2), "cases are open: their calls keep their words"
    assert run("privacy", "retention") == 0
    assert "слова разговоров" in capsys.readouterr().out
    assert run("privacy", "retention", "--json") == 0
    assert json.loads(capsys.readouterr().out)["deliveries"] == 0, "they went the time before"
