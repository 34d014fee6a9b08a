"""A node that is to encrypt recordings and has no key that it may use does not start, and says why."""

from __future__ import annotations

import logging
from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from pathlib import Path

import pytest

from bot.call.recording_keys import KeyRing
from bot.settings_load import as_environment
from tests.node.running import node_settings
from tests.node.test_bad_input import var
from tests.privacy.test_commands import run

__all__ = ["var"]


@pytest.fixture(autouse=True)
def _log_closed() -> Iterator[None]:
    """The command is run in this process: a node's log is not left open."""
    yield
    root = logging.getLogger()
    for handler in [each for each in root.handlers if isinstance(each, logging.FileHandler)]:
        root.removeHandler(handler)
        handler.close()


def lost(keys: Path) -> None:
    keys.unlink()


def read_by_others(keys: Path) -> None:
    keys.chmod(0o644)


@pytest.mark.parametrize(
    ("happened", "told", "hint"),
    [
        (lost, "нет файла ключей записей", "otklik recordings key new"),
        (read_by_others, "может прочесть другой", "chmod 600 "),
    ],
)
def test_a_node_without_its_recording_keys(
    var: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
    happened: Callable[[Path], None],
    told: str,
    hint: str,
) -> None:
    """Nothing was begun that a call could be recorded by: no database, no other program, no folder."""
    keys = var / "recording.keys"
    KeyRing(keys, ()).with_new(datetime.now(UTC)).save()
    happened(keys)
    (var / "surveys").mkdir()  # of which there is none: it would not start with its keys either
    settings = node_settings(var, surveys=var / "surveys", privacy={"recording_keys": str(keys)})
    for name, value in as_environment(settings).items():
        monkeypatch.setenv(name, value)
    assert run("serve") == 3
    printed = capsys.readouterr().err
    assert told in printed
    assert str(keys) in printed
    assert hint in printed
    assert [file.name for file in settings.log_dir.iterdir()] == ["control.log"]
    assert not list(var.glob("*.sqlite"))
    assert not settings.recordings_dir.exists()
    assert not settings.control_socket.exists()
