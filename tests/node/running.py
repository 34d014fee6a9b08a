"""A real node in its own process, on free ports and in a folder of its own."""

from __future__ import annotations

import asyncio
import os
import signal
import subprocess
import sys
import tempfile
import time
import urllib.request
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from prometheus_client.parser import text_string_to_metric_families

from bot.cli.demo import free_ports
from bot.core.control import ControlClient
from bot.core.errors import NodeUnavailable
from bot.settings import PROJECT, Settings
from bot.settings_load import as_environment, load_settings
from tests.prompts import share_prompts

OTKLIK = [str(Path(sys.executable).with_name("otklik"))]
START_S = 120.0
Samples = dict[tuple[str, tuple[str, ...]], float]
"""Each sample by its name and its labels' values."""

SHORT_SURVEYS = PROJECT / "tests" / "data" / "surveys" / "short"


def node_settings(var: Path, **changes: Any) -> Settings:
    """The embedded defaults on free ports; `changes` are sections, as in `sip={"max_calls": 2}`."""
    sip, rasa, actions, metrics, web = free_ports(0, 0, 0, 0, 0)
    sections: dict[str, Any] = {
        "sip": {
            "port": sip,
            "rtp_ports": "31000-31999",
            "rtp_timeout_s": 60,
        },
        "dialogue": {"rasa_port": rasa, "actions_port": actions},
        "handover": {"ring_s": 5},
        "metrics": {"port": metrics},
        "web": {"port": web},
        "webrtc": {"ports": "32000-32767"},
    }
    sections["surveys"] = changes.pop("surveys", SHORT_SURVEYS)
    for name, fields in changes.items():
        sections.setdefault(name, {}).update(fields)
    return load_settings(var=var, recordings=var / "recordings", **sections)


class RunningNode:
    def __init__(self, settings: Settings, process: subprocess.Popen[bytes], output: Path) -> None:
        self.settings = settings
        self.process = process
        self._output = output

    @property
    def sip(self) -> str:
        return f"{self.settings.sip.host}:{self.settings.sip.port}"

    def output(self) -> str:
        return self._output.read_text(encoding="utf-8")

    async def connect(self) -> ControlClient:
        return await ControlClient.connect(self.settings.control_socket)

    async def ask(self, do: str, **params: Any) -> dict[str, Any]:
        async with await self.connect() as control:
            return await control.request(do, **params)

    def metrics(self) -> Samples:
        """What Prometheus would get now."""
        return {
            (sample.name, tuple(sample.labels.values())): sample.value
            for family in text_string_to_metric_families(self.metrics_text())
            for sample in family.samples
        }

    def metrics_text(self) -> str:
        """The same as it comes."""
        metrics = self.settings.metrics
        with urllib.request.urlopen(f"http://{metrics.host}:{metrics.port}/metrics", timeout=10) as reply:
            assert reply.headers["Content-Type"].startswith("text/plain")
            return str(reply.read().decode())

    def terminate(self) -> int:
        """SIGTERM; the exit status."""
        self.process.send_signal(signal.SIGTERM)
        return self.process.wait(60)


def start(settings: Settings, environment: Mapping[str, str] | None = None) -> RunningNode:
    """Start `otklik serve`, with more in its environment where that is given; returns at once."""
    settings.var_dir.mkdir(parents=True, exist_ok=True)
    share_prompts(settings.var_dir)
    output = settings.var_dir / "serve.out"
    with output.open("wb") as sink:
        process = subprocess.Popen(
            [*OTKLIK, "serve"],
            cwd=PROJECT,
            env={**os.environ, **as_environment(settings), "COLUMNS": "200", **(environment or {})},
            stdout=sink,
            stderr=sink,
            stdin=subprocess.DEVNULL,
        )
    return RunningNode(settings, process, output)


@contextmanager
def running_node(environment: Mapping[str, str] | None = None, **changes: Any) -> Iterator[RunningNode]:
    """A node that takes calls; ended by its process id."""
    with tempfile.TemporaryDirectory(prefix="otk") as folder:
        node = start(node_settings(Path(folder), **changes), environment)
        try:
            asyncio.run(ready(node))
            yield node
        finally:
            if node.process.poll() is None:
                node.terminate()


async def ready(node: RunningNode) -> None:
    """Waits until it takes calls. Raises AssertionError with what it printed where it does not come up."""
    deadline = time.monotonic() + START_S
    while time.monotonic() < deadline:
        if node.process.poll() is not None:
            raise AssertionError(f"the node ended at its start:\n{node.output()}")
        try:
            if (await node.ask("status"))["ready"]:
                return
        except NodeUnavailable:
            pass  # its socket is not there yet
        await asyncio.sleep(0.2)  # polled: there is nothing to wait on before the socket is there
    raise AssertionError(f"the node is not up after {START_S} s:\n{node.output()}")
