"""What callers wait for: on /metrics, in a stored call, and as `otklik bench reply-gap` measures it."""

from __future__ import annotations

import asyncio
import json
import os
import signal
import socket
import subprocess
import tempfile
from pathlib import Path
from typing import Any

import pytest

from bot.sim.bench.figures import STAGES
from tests.node.running import OTKLIK, RunningNode
from tests.node.test_calls import AGENT, ANSWERS, run, scenario
from tests.node.test_cli_call import otklik

KINDS = ("closed", "open", "barge_in_pause", "barge_in_stop")
TIMES = {"turns", "p50_ms", "p90_ms", "p95_ms", "p99_ms"}


def test_a_call_is_counted_and_its_gaps_are_shown(node: RunningNode) -> None:
    before = node.metrics()
    report = asyncio.run(run(node, scenario({"name": "counted", "answers": ANSWERS})))
    (call,) = report.calls
    assert call.disposition == "completed"
    after = node.metrics()

    def grown(name: str, *labels: str) -> float:
        return after[name, labels] - before.get((name, labels), 0)

    assert after["otklik_live_calls", ()] == 0
    assert grown("otklik_calls_total", "outbound", "completed") == 1
    assert grown("otklik_reply_gap_seconds_count", "closed") == 2
    assert grown("otklik_reply_gap_seconds_count", "open") == 1
    spent = sum(
        grown("otklik_reply_stage_seconds_sum", "closed", stage) for stage in STAGES if stage != "network"
    )
    assert spent == near(grown("otklik_reply_gap_seconds_sum", "closed"))

    shown = otklik(node, "calls", "show", call.call_id, "--json")
    assert shown.returncode == 0, shown.stderr
    stored = json.loads(shown.stdout)
    replies = stored["latency"]["replies"]
    assert [reply["question_id"] for reply in replies] == ["nps", "resolved", "comment"]
    assert [reply["kind"] for reply in replies] == ["closed", "closed", "open"]
    for kind in KINDS:
        assert set(stored["latency"][kind]) == TIMES
    assert stored["latency"]["closed"]["turns"] == 2
    assert stored["latency"]["corrections"] == {"answers": 0, "signals": 0}
    assert sum(reply["gap_ms"] for reply in replies[:2]) / 1000 == near(spent)
    told = otklik(node, "calls", "show", call.call_id)
    assert "Паузы до ответа бота" in told.stdout
    assert "p95" in told.stdout
    assert "Поправки: ответов заменено 0" in told.stdout
    assert "пройден" in told.stdout


def near(seconds: float) -> Any:
    """Sums of figures that were rounded to 0.1 ms each."""
    return pytest.approx(seconds, abs=0.002)


def test_a_stored_call_explains_its_triage(node: RunningNode) -> None:
    wants = {"name": "explained", "answers": {"nps": AGENT}, "after_transfer": {}}
    report = asyncio.run(run(node, scenario(wants, agents=[{"name": "human"}])))
    (call,) = report.calls
    told = otklik(node, "triage", "explain", call.call_id, "--json")
    assert told.returncode == 0, told.stderr
    entries = json.loads(told.stdout)["entries"]
    (asked,) = [each for each in entries if each["what"] == "signal_raised"]
    assert (asked["signal"], asked["rule"]) == ("request_agent", "intent:request_agent")
    assert asked["said"]
    assert "handover_connected" in [each["what"] for each in entries]
    assert "сигнал request_agent" in otklik(node, "triage", "explain", call.call_id).stdout


def test_a_call_that_is_not_known_is_told(node: RunningNode) -> None:
    refused = otklik(node, "calls", "show", "call-0")
    assert refused.returncode == 2
    assert "call-0" in refused.stderr


def bench(*words: str, **environment: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [*OTKLIK, "bench", *words],
        env={**os.environ, **environment},
        capture_output=True,
        text=True,
        timeout=150,
        check=False,
    )


def test_the_benchmark_measures_and_its_capture_gives_the_same_figures(tmp_path: Path) -> None:
    capture = tmp_path / "capture"
    with tempfile.TemporaryDirectory(prefix="otk") as var:  # short, for the sockets in it
        ran = bench("reply-gap", "--turns", "3", "--json", "--capture", str(capture), OTKLIK_VAR=var)
        assert not list(Path(var).glob("bench-*")), ran.stderr
    assert ran.returncode == 0, ran.stderr
    found = json.loads(ran.stdout)
    for kind in KINDS:
        assert set(found[kind]) == TIMES
    assert found["calls"] == 1
    assert found["closed"]["turns"] + sum(of["cut"] for of in found["cutoffs"].values()) >= 3
    assert 0 < found["closed"]["p50_ms"] <= found["closed"]["p99_ms"]
    assert 0 <= found["false_cutoff_rate"] <= 1
    assert set(found["stages_ms"]["closed"]) == set(STAGES)
    assert found["unfinished"] == 0

    again = subprocess.run(
        [*OTKLIK, "simulate", "--recompute", str(capture)], capture_output=True, text=True, check=False
    )
    assert again.returncode == 0, again.stdout
    told = json.loads(again.stdout)
    assert told["agrees"] is True
    assert told["figures"]["closed"] == found["closed"]
    refused = bench("reply-gap", "--capture", str(capture))
    assert refused.returncode == 2
    assert "новую папку" in refused.stderr


def test_what_the_benchmark_lacks_is_told_at_once(tmp_path: Path) -> None:
    lacking = bench("reply-gap", "--audio", str(tmp_path))
    assert lacking.returncode == 2
    assert "manifest.tsv" in lacking.stderr


def test_the_benchmark_lets_go_of_everything_on_ctrl_c() -> None:
    with tempfile.TemporaryDirectory(prefix="otk") as var:
        lets_go(Path(var))


def lets_go(var: Path) -> None:
    environment = {**os.environ, "OTKLIK_VAR": str(var)}
    running = subprocess.Popen(
        [*OTKLIK, "bench", "reply-gap"],
        env=environment,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )
    assert running.stderr is not None
    told = ""
    while "rasa" not in told:  # its children are being started
        line = running.stderr.readline()
        assert line, told
        told += line
    running.send_signal(signal.SIGINT)
    _, rest = running.communicate(timeout=180)
    assert running.returncode == 130, told + rest
    assert "Traceback" not in told + rest
    (left,) = var.glob("bench-*")
    assert not (left / "run" / "node.sock").exists()
    with socket.socket(socket.AF_UNIX) as synthesiser:
        assert synthesiser.connect_ex(str(left / "run" / "synthesiser.sock")) != 0
