"""Packets from an allowed and from forbidden addresses, through a real ruleset: run in a network of its own.

    unshare --net python -m tests.trust.two_networks < ruleset

The node's side is this process's network, where the ruleset is loaded; the other side is a second one that a
thread makes for itself. One veth pair joins them, on which packets keep their order: what came after a
packet that did not come proves that this one was dropped. Writes one JSON object: what each of the node's
ports received, in order, and what the counters say.
"""

from __future__ import annotations

import ctypes
import json
import socket
import subprocess
import sys
import threading
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack
from typing import Any, TypeVar

from bot.firewall import HURRIED

NODE, ALLOWED, PBX, SOUND, STRANGER = "192.0.2.1", "192.0.2.7", "192.0.2.8", "192.0.2.9", "192.0.2.66"
SIP, RTP, WEBRTC, WEB = 5070, 30000, 31000, 8080
LAST = b"last"
BURST = 8
"""Connections that one address makes at once, and INVITEs that it sends on one of them."""
_NEW_NET = 0x40000000  # CLONE_NEWNET of unshare(2)
_NFT = "/usr/sbin/nft"
T = TypeVar("T")


def run(*command: str, given: str | None = None) -> str:
    return subprocess.run(command, input=given, check=True, capture_output=True, text=True).stdout


class Outside:
    """The other side. Its sockets belong to its network for ever, whoever uses them."""

    def __init__(self) -> None:
        self._pool = ThreadPoolExecutor(1)
        thread = str(self._there(self._leave))
        run("ip", "link", "add", "inside", "type", "veth", "peer", "name", "outside", "netns", thread)
        for command in (f"addr add {NODE}/24 dev inside", "link set inside up", "link set lo up"):
            run("ip", *command.split())
        for command in (
            *(f"addr add {address}/24 dev outside" for address in (ALLOWED, PBX, SOUND, STRANGER)),
            "link set outside up",
        ):
            self._pool.submit(run, "ip", *command.split()).result()

    def _there(self, work: Callable[[], T]) -> T:
        return self._pool.submit(work).result()

    @staticmethod
    def _leave() -> int:
        if ctypes.CDLL(None, use_errno=True).unshare(_NEW_NET) != 0:
            raise OSError(ctypes.get_errno(), "unshare")
        return threading.get_native_id()

    def udp(self, address: str, port: int = 0) -> socket.socket:
        return self._there(lambda: _bound(socket.SOCK_DGRAM, address, port))

    def tcp(self, address: str) -> socket.socket:
        return self._there(lambda: _bound(socket.SOCK_STREAM, address, 0))


def _bound(kind: socket.SocketKind, address: str, port: int) -> socket.socket:
    made = socket.socket(socket.AF_INET, kind)
    made.bind((address, port))
    made.settimeout(5)
    return made


def received(server: socket.socket) -> list[str]:
    """All that came, up to the last one."""
    found: list[str] = []
    while not found or found[-1] != LAST.decode():
        found.append(server.recv(2048).decode())
    return found


def play(ruleset: str) -> dict[str, Any]:
    outside = Outside()
    servers = {port: _bound(socket.SOCK_DGRAM, NODE, port) for port in (SIP, RTP, WEBRTC, WEB)}
    run(_NFT, "-f", "-", given=ruleset)
    run(_NFT, "-f", "-", given=ruleset)  # loading it again replaces it
    allowed, sound, stranger = (outside.udp(address) for address in (ALLOWED, SOUND, STRANGER))
    for _ in range(3):
        stranger.sendto(b"INVITE of a stranger", (NODE, SIP))
        stranger.sendto(b"OPTIONS of a stranger", (NODE, SIP))
    sound.sendto(b"OPTIONS of who may only send sound", (NODE, SIP))
    for number in range(8):
        allowed.sendto(b"INVITE %d" % number, (NODE, SIP))
    for number in range(8):
        allowed.sendto(b"OPTIONS %d" % number, (NODE, SIP))
    stranger.sendto(b"sound of a stranger", (NODE, RTP))
    sound.sendto(b"sound", (NODE, RTP))
    stranger.sendto(b"a browser", (NODE, WEBRTC))
    stranger.sendto(b"not ours", (NODE, WEB))
    # A telephone that nobody listed, and that the node rings itself: its answers and its sound are let in.
    phone, its_sound = outside.udp(STRANGER, 5062), outside.udp(STRANGER, 4000)
    for port, rung, told in ((SIP, phone, b"180 Ringing"), (RTP, its_sound, b"sound of a telephone")):
        servers[port].sendto(b"ours", rung.getsockname())
        assert rung.recv(100) == b"ours"
        rung.sendto(told, (NODE, port))
    for port in (SIP, RTP):
        allowed.sendto(LAST, (NODE, port))
    for port in (WEBRTC, WEB):
        stranger.sendto(LAST, (NODE, port))
    return {
        "received": {str(port): received(server) for port, server in servers.items()},
        "tcp": connects(outside),
        "dropped": counters(),
        "burst": burst(outside, servers[SIP]),
    }


def connects(outside: Outside) -> dict[str, bool]:
    """Who reaches the port over TCP. The stranger's first packet would be repeated after a second."""
    with _bound(socket.SOCK_STREAM, NODE, SIP) as server:
        server.listen()
        reached = {}
        for name, address, patience_s in (("stranger", STRANGER, 0.5), ("allowed", ALLOWED, 5.0)):
            with outside.tcp(address) as client:
                client.settimeout(patience_s)
                try:
                    client.connect((NODE, SIP))
                except TimeoutError:
                    reached[name] = False
                else:
                    reached[name] = True
        return reached


def burst(outside: Outside, over_udp: socket.socket) -> dict[str, int]:
    """What is dropped of many connections at once of an address that may signal, and how many INVITEs arrive
    on the first one. When a last packet is there that was sent over UDP after them, they are through or
    dropped; those that were dropped are repeated after a second."""
    dropped = counters()[HURRIED]
    with ExitStack() as stack:
        server = stack.enter_context(_bound(socket.SOCK_STREAM, NODE, SIP))
        server.listen()
        clients = [stack.enter_context(outside.tcp(PBX)) for _ in range(BURST)]
        for client in clients:
            client.setblocking(False)
            client.connect_ex((NODE, SIP))
        stack.enter_context(outside.udp(PBX)).sendto(LAST, (NODE, SIP))
        received(over_udp)
        dropped = counters()[HURRIED] - dropped
        accepted, _ = server.accept()
        stack.enter_context(accepted).settimeout(5)
        (first,) = [each for each in clients if each.getsockname() == accepted.getpeername()]
        first.sendall(b"".join(b"INVITE %d\n" % number for number in range(BURST)))
        with accepted.makefile("rb") as stream:
            invites = sum(line.startswith(b"INVITE") for line in (stream.readline() for _ in range(BURST)))
    return {"dropped": dropped, "invites": invites}


def counters() -> dict[str, int]:
    listed = json.loads(run(_NFT, "--json", "list", "counters", "table", "inet", "otklik"))["nftables"]
    found = [each["counter"] for each in listed if "counter" in each]
    return {counter["name"]: counter["packets"] for counter in found}


if __name__ == "__main__":
    json.dump(play(sys.stdin.read()), sys.stdout)
