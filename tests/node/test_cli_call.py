"""`otklik call` and `otklik simulate` from a shell, against a running node."""

from __future__ import annotations

import asyncio
import json
import os
import signal
import socket
import subprocess
import time
from pathlib import Path

from bot.cli.demo import free_ports
from bot.settings_load import as_environment
from tests.node.running import OTKLIK, RunningNode, node_settings


def otklik(node: RunningNode, *words: str) -> subprocess.CompletedProcess[str]:
    environment = {**os.environ, **as_environment(node.settings), "COLUMNS": "200"}
    return subprocess.run(
        [*OTKLIK, *words], env=environment, capture_output=True, text=True, timeout=90, check=False
    )


def nobody() -> str:
    """An address where no telephone is."""
    return f"sip:nobody@127.0.0.1:{free_ports(0)[0]}"


def test_a_call_to_nobody_is_told_and_stored(node: RunningNode) -> None:
    told = otklik(node, "call", nobody(), "--name", "Анна")
    assert told.returncode == 1, told.stderr
    assert "сбой связи" in told.stdout
    assert "проверьте узел и порт" in told.stdout
    stored = otklik(node, "call", nobody(), "--json")
    call = json.loads(stored.stdout)
    assert call["disposition"] == "failed"
    assert call["end_cause"] == "unreachable"
    assert call["answers"] == {}


def test_a_call_whose_worker_dies_is_told_to_its_end(node: RunningNode) -> None:
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as silent:
        silent.bind(("127.0.0.1", 0))
        calling = subprocess.Popen(
            [*OTKLIK, "call", f"sip:silent@127.0.0.1:{silent.getsockname()[1]}"],
            env={**os.environ, **as_environment(node.settings)},
            stdout=subprocess.PIPE,
            text=True,
        )
        try:
            assert calling.stdout is not None
            assert "silent" in calling.stdout.readline()
            os.kill(asyncio.run(node.ask("status"))["children"]["worker-0"], signal.SIGKILL)
            told, _ = calling.communicate(timeout=60)
        finally:
            calling.kill()
            calling.wait()
    assert "прерван" in told
    assert calling.returncode == 1
    until_ready(node)


def test_who_waits_no_longer_takes_his_call_back(node: RunningNode) -> None:
    """While Rasa is started again nobody is rung; and who gave up is not rung afterwards."""
    until_ready(node)
    os.kill(asyncio.run(node.ask("status"))["children"]["rasa"], signal.SIGKILL)
    calling = subprocess.Popen(
        [*OTKLIK, "call", nobody()],
        env={**os.environ, **as_environment(node.settings)},
        stdout=subprocess.PIPE,
        text=True,
    )
    try:
        assert calling.stdout is not None
        assert "жду: rasa" in calling.stdout.readline()
        calling.send_signal(signal.SIGINT)
        calling.communicate(timeout=30)
    finally:
        calling.kill()
        calling.wait()
    assert calling.returncode == 130
    until_ready(node)
    stored = otklik(node, "call", nobody(), "--json")
    assert json.loads(stored.stdout)["disposition"] == "failed", "the next one is rung at once"


def until_ready(node: RunningNode) -> None:
    deadline = time.monotonic() + 120
    while asyncio.run(node.ask("status"))["missing"]:
        assert time.monotonic() < deadline
        time.sleep(0.2)  # polled: nobody tells when a child serves again


def test_what_is_no_address_is_refused_before_anybody_is_rung(node: RunningNode) -> None:
    refused = otklik(node, "call", "Анна")
    assert refused.returncode == 2
    assert "sip:имя@узел" in refused.stderr
    unknown = otklik(node, "call", nobody(), "--survey", "npx")
    assert unknown.returncode == 2
    assert "есть: csat" in unknown.stderr


def test_without_a_node_it_says_how_to_start_one(tmp_path: Path) -> None:
    settings = node_settings(tmp_path)
    alone = RunningNode(settings, None, tmp_path / "none")  # type: ignore[arg-type]
    refused = otklik(alone, "call", nobody())
    assert refused.returncode == 3
    assert "otklik serve" in refused.stderr
