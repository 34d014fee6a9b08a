"""What stops a node from starting is said in one message, with what to do, and leaves nothing behind."""

from __future__ import annotations

import os
import resource
import socket
import subprocess
import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest

from bot.settings import Settings
from tests.node.running import OTKLIK, SHORT_SURVEYS, RunningNode, node_settings, start


@pytest.fixture
def var() -> Iterator[Path]:
    with tempfile.TemporaryDirectory(prefix="otk") as folder:
        yield Path(folder)


def refused(settings: Settings) -> tuple[int, str]:
    """Exit status and output of a node that does not start."""
    return outcome_of(start(settings), settings)


def outcome_of(node: RunningNode, settings: Settings) -> tuple[int, str]:
    try:
        status = node.process.wait(120)
    finally:
        if node.process.poll() is None:
            node.terminate()
    assert "Traceback" not in node.output()
    assert not settings.control_socket.exists()
    return status, node.output()


@pytest.mark.parametrize("port", ["sip", "rasa_port", "actions_port"])
def test_a_port_in_use(var: Path, port: str) -> None:
    settings = node_settings(var)
    kind = socket.SOCK_DGRAM if port == "sip" else socket.SOCK_STREAM
    with socket.socket(socket.AF_INET, kind) as holder:
        number = settings.sip.port if port == "sip" else getattr(settings.dialogue, port)
        holder.bind(("127.0.0.1", number))
        if kind == socket.SOCK_STREAM:
            holder.listen()
        status, output = refused(settings)
    assert status == 3
    assert f"127.0.0.1:{number}" in output
    assert "другой" in output


def test_a_broken_survey_names_its_line(var: Path) -> None:
    surveys = var / "surveys_in"
    surveys.mkdir()
    good = (SHORT_SURVEYS / "nps.yaml").read_text(encoding="utf-8")
    (surveys / "bad.yaml").write_text(good.replace("title:", "titel:"), encoding="utf-8")
    status, output = refused(node_settings(var, surveys=surveys))
    assert status == 2
    assert "bad.yaml:6:1" in output
    assert "titel" in output
    assert "title" in output


def test_no_survey_at_all(var: Path) -> None:
    empty = var / "nothing"
    empty.mkdir()
    status, output = refused(node_settings(var, surveys=empty))
    assert status == 2
    assert str(empty) in output


def test_a_missing_speech_model(var: Path) -> None:
    status, output = refused(node_settings(var, speech={"model": "vosk-model-small-ru-0.22"}))
    assert status == 3
    assert "vosk-model-small-ru-0.22" in output


def test_a_database_that_is_not_there(var: Path) -> None:
    url = "postgresql+asyncpg://otklik:wrong@127.0.0.1:1/otklik"
    status, output = refused(node_settings(var, store={"url": url}))
    assert status == 3
    assert "wrong" not in output, "the password is nobody's business"
    assert "127.0.0.1" in output


def test_a_full_disk(var: Path) -> None:
    """No file of this node may grow beyond this: what a full disk is to whoever writes."""
    settings = node_settings(var)
    node = start(settings)
    resource.prlimit(node.process.pid, resource.RLIMIT_FSIZE, (4096, 4096))
    status, output = outcome_of(node, settings)
    assert status == 3
    assert "the disk under the database" in output


def test_a_folder_that_cannot_be_made() -> None:
    ran = subprocess.run(
        [*OTKLIK, "serve"],
        env={**os.environ, "OTKLIK_VAR": "/proc/otklik"},
        capture_output=True,
        text=True,
        check=False,
    )
    assert ran.returncode == 3
    assert "OTKLIK_VAR" in ran.stderr
    assert "Traceback" not in ran.stderr


def test_a_second_node_in_the_same_folder(var: Path) -> None:
    settings = node_settings(var)
    settings.run_dir.mkdir(parents=True)
    with socket.socket(socket.AF_UNIX) as first:
        first.bind(str(settings.control_socket))
        first.listen()
        node = start(settings)
        assert node.process.wait(120) == 3
    assert "Traceback" not in node.output()
    assert settings.control_socket.name in node.output()


def test_a_setting_that_is_wrong(var: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    settings = node_settings(var)
    monkeypatch.setenv("OTKLIK_SIP__PROT", "5070")
    status, output = refused(settings)
    assert status == 2
    assert "похоже на sip.port" in output
