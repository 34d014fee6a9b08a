"""A node that is to encrypt recordings does so, and does not start where it has no key that it may use."""

from __future__ import annotations

import asyncio
import logging
import wave
from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from pathlib import Path

import pytest

from bot.call.recording_files import read_recording
from bot.call.recording_keys import KeyRing
from bot.call.sealed import sealed_with
from bot.core.errors import RecordingsLocked
from bot.core.events import RecordingStarted
from bot.settings_load import as_environment
from bot.sim.g711 import RATE
from tests.node.heard import Talk, talk
from tests.node.running import RunningNode, node_settings
from tests.node.test_bad_input import var
from tests.node.test_calls import scenario
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


def test_what_a_node_records_opens_with_its_key_alone(other_node: RunningNode, tmp_path: Path) -> None:
    """A caller who answers one question and leaves."""
    answers = {"nps": {"keys": "9"}, "resolved": {"hang_up": True}}

    async def called() -> Talk:
        async with await other_node.connect() as control:
            return await talk(other_node, scenario({"name": "sealed", "answers": answers}), tmp_path, control)

    [began] = asyncio.run(called()).of("sealed", RecordingStarted)
    keys = other_node.settings.recording_keys
    assert keys is not None
    file = other_node.settings.recordings_dir / began.file
    assert sealed_with(file) == KeyRing.read(keys).newest.id
    with pytest.raises(RecordingsLocked):
        read_recording(file, None)
    with read_recording(file, keys) as sound, wave.open(sound, "rb") as opened:
        assert opened.getnframes() > RATE
