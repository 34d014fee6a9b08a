"""The edge of a cluster as it ships in `deploy/`, as processes on loopback that no privilege runs.

What ships is what is tested: kamailio.cfg is copied as it is, and the values of site.cfg, dispatcher.list and
rtpengine.conf are those of this machine. Where a file of these has no such key (any more), this fails.
"""

from __future__ import annotations

import os
import pwd
import re
import shutil
import signal
import subprocess
import tempfile
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path

import pytest

from bot.settings import PROJECT
from tests.ports import free_port, rtp_ports

DEPLOY = PROJECT / "deploy"
START_S = 15.0
PING_S = 1


def program(name: str, package: str) -> str:
    found = shutil.which(name, path=f"{os.environ.get('PATH', '')}:/usr/sbin:/usr/bin")
    if found is None:
        pytest.exit(f"{name} is not installed, and the edge is tested with it: apt-get install {package}", 3)
    return found


def site(text: str, values: Mapping[str, str]) -> str:
    """site.cfg with other values. Raises AssertionError for a key that it does not have."""
    for key, value in values.items():
        text, found = re.subn(rf"(?m)^(#!define {key}) .*$", rf"\1 {value}", text)
        assert found == 1, f"site.cfg defines {key} {found} times"
    return text


def destinations(text: str, addresses: Mapping[int, Sequence[str]]) -> str:
    """dispatcher.list with these addresses, each in the place of one that stands there, by group; lines that
    are left over go. Raises AssertionError where a group has too few."""
    left = {group: list(found) for group, found in addresses.items()}
    lines = []
    for line in text.splitlines():
        head = re.match(r"(\d) sip:\S+", line)
        if head is None:
            lines.append(line)
        elif left.get(int(head[1])):
            lines.append(f"{head[1]} sip:{left[int(head[1])].pop(0)}{line[head.end() :]}")
    assert not any(left.values()), f"dispatcher.list has no place for {left}"
    return "\n".join([*lines, ""])


def _bound(address: str) -> bool:
    """Whether this UDP port of 127.0.0.1 is taken (Linux: /proc/net/udp)."""
    return f"0100007F:{int(address.rpartition(':')[2]):04X}" in Path("/proc/net/udp").read_text()


class Edge:
    """Kamailio and rtpengine. `host:port` is where both sides reach it."""

    def __init__(
        self, home: Path, nodes: Sequence[str], trunks: Sequence[str], guest: tuple[str, str] = ("", "")
    ) -> None:
        self._home = home
        self._processes: list[subprocess.Popen[bytes]] = []
        self.address = f"127.0.0.1:{free_port()}"
        self.rtp_ports = rtp_ports()
        self._control = f"127.0.0.1:{free_port()}"
        self._socket = f"unix:{home}/ctl"
        for name in ("kamailio.cfg", "site.cfg", "dispatcher.list"):
            shutil.copy(DEPLOY / "kamailio" / name, home)
        shutil.copy(DEPLOY / "rtpengine" / "rtpengine.conf", home)
        self._rewrite(
            "site.cfg",
            lambda text: site(
                text,
                {
                    "LISTEN": f"udp:{self.address}",
                    "RTPENGINE": f'"udp:{self._control}"',
                    "NODES_FILE": f'"{home}/dispatcher.list"',
                    "RPC_SOCKET": f'"{self._socket}"',
                    "PING_S": str(PING_S),
                    "GUEST": f'"{guest[0]}"',
                    "GUEST_PASSWORD": f'"{guest[1]}"',
                },
            ),
        )
        self._rewrite("dispatcher.list", lambda text: destinations(text, {1: nodes, 2: trunks}))

    def _rewrite(self, name: str, change: Callable[[str], str]) -> None:
        file = self._home / name
        file.write_text(change(file.read_text(encoding="utf-8")), encoding="utf-8")

    def start(self) -> None:
        """Returns when both answer."""
        first, last = self.rtp_ports
        self._run(
            program("rtpengine", "rtpengine-daemon"),
            "--config-file", "rtpengine.conf", "--config-section", "rtpengine",
            "--interface", "127.0.0.1", "--listen-ng", self._control,
            "--port-min", str(first), "--port-max", str(last), "--num-threads", "2",
            "--log-level", "6",  # at which it tells of each address that it has settled on
        )  # fmt: skip
        self._until(lambda: _bound(self._control))  # Kamailio looks for it once, at its start
        self._run(
            program("kamailio", "kamailio"),
            "-DD", "-f", "kamailio.cfg", "-w", str(self._home), "-Y", str(self._home), "-m", "64", "-M", "8",
        )  # fmt: skip
        self._until(lambda: "support for it enabled" in self.log() and (self._home / "ctl").exists())

    def _until(self, holds: Callable[[], bool]) -> None:
        deadline = time.monotonic() + START_S
        while not holds():
            if time.monotonic() > deadline or any(each.poll() is not None for each in self._processes):
                raise RuntimeError(f"the edge does not start:\n{self.log()}")
            time.sleep(0.02)  # polled: they do not tell when they listen

    def log(self) -> str:
        return "\n".join(file.read_text(errors="replace") for file in sorted(self._home.glob("*.log")))

    def settled_on(self, host: str, port: int) -> bool:
        """Whether rtpengine takes the sound of a party from this address, and from no other: it learns for
        three whole seconds of the clock after a call's last signalling, and until a packet comes then."""
        return f"Confirmed peer address as {host}:{port}\n" in self.log()

    def tool(self, *arguments: str) -> str:
        """What `otklik-edge` says. Raises CalledProcessError."""
        return subprocess.run(
            [DEPLOY / "kamailio" / "otklik-edge", *arguments],
            env={**os.environ, "OTKLIK_EDGE_SOCKET": self._socket, "PATH": f"{os.environ['PATH']}:/usr/sbin"},
            check=True, capture_output=True, text=True, timeout=10,
        ).stdout  # fmt: skip

    def states(self) -> dict[str, str]:
        """Each node's state by its address, in the words of `otklik-edge list`."""
        lines = [line.split(maxsplit=2) for line in self.tool("list").splitlines()]
        return {uri.removeprefix("sip:"): how for group, uri, how in lines if group == "1"}

    def stop(self) -> None:
        for process in reversed(self._processes):
            if process.poll() is None:
                process.send_signal(signal.SIGTERM)
                process.wait(15)

    def _run(self, path: str, *arguments: str) -> None:
        command = [path, *arguments]
        if os.geteuid() == 0:
            nobody = pwd.getpwnam("nobody")
            drop = [f"--reuid={nobody.pw_uid}", f"--regid={nobody.pw_gid}", "--clear-groups"]
            command = ["setpriv", *drop, "--no-new-privs", "--bounding-set=-all", "--inh-caps=-all", *command]
        with (self._home / f"{Path(path).name}.log").open("wb") as output:
            process = subprocess.Popen(
                command, cwd=self._home, stdin=subprocess.DEVNULL, stdout=output, stderr=output
            )
        self._processes.append(process)


@contextmanager
def running_edge(
    nodes: Sequence[str], trunks: Sequence[str], *, guest: tuple[str, str] = ("", "")
) -> Iterator[Edge]:
    """`guest` is the name and the password of who is not in dispatcher.list."""
    # Not under pytest's own folder: that one is closed to the user whom they run as.
    with tempfile.TemporaryDirectory(prefix="otklik-edge-") as home:
        edge = Edge(Path(home), nodes, trunks, guest)
        if os.geteuid() == 0:
            shutil.chown(home, "nobody")
        try:
            edge.start()
            yield edge
        finally:
            edge.stop()
