"""`otklik call` and `otklik simulate` from a shell, against a running node."""

from __future__ import annotations

import json
import os
import subprocess
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
    assert told.returncode == 0, told.stderr
    assert "сбой связи" in told.stdout
    stored = otklik(node, "call", nobody(), "--json")
    call = json.loads(stored.stdout)
    assert call["disposition"] == "failed"
    assert call["end_cause"] == "unreachable"
    assert call["answers"] == {}


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
