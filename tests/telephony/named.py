"""A far end that is dialled by a name: run in a network of its own, where every name leads to this machine.

    unshare --net --mount python -m tests.telephony.named

Writes one JSON object: of each name in the far end's certificate, whether it was talked to.
"""

from __future__ import annotations

import asyncio
import json
import socket
import subprocess
import sys
import tempfile
import threading
from pathlib import Path

from cryptography import x509

from bot.core.errors import DialFailed
from tests.telephony.authority import Authority
from tests.telephony.peers import baresip, sip_endpoint

DIALLED, ANOTHER = "trunk.invalid", "elsewhere.invalid"
_ANSWER, _HEAD = b"\x81\x80", 12
_TYPE_A = b"\x00\x01"


def answer(question: bytes) -> bytes:
    """127.0.0.1 for every name, and nothing of another type (RFC 1035, 4.1)."""
    name_ends = question.index(b"\0", _HEAD) + 1
    asked = question[_HEAD : name_ends + 4]
    count, records = b"\0\0", b""
    if question[name_ends : name_ends + 2] == _TYPE_A:
        count = b"\0\1"
        records = (
            b"\xc0\x0c" + asked[-4:] + (60).to_bytes(4) + (4).to_bytes(2) + socket.inet_aton("127.0.0.1")
        )
    return question[:2] + _ANSWER + b"\0\1" + count + b"\0\0\0\0" + asked + records


def serve_names(resolver: socket.socket) -> None:
    while True:
        question, asker = resolver.recvfrom(512)
        resolver.sendto(answer(question), asker)


async def talked_to(folder: Path, authority: Authority, name: str) -> bool:
    async with (
        baresip(folder, "PCMA", certificate=authority.issue(x509.DNSName(name))) as uri,
        sip_endpoint(transport="tls", ca_file=str(authority.file)) as endpoint,
    ):
        try:
            leg = await endpoint.dial(uri.replace("127.0.0.1", DIALLED), timeout_s=5)
        except DialFailed:
            return False
        await leg.hang_up()
        return True


async def play(folder: Path) -> dict[str, bool]:
    authority = Authority(folder)
    return {name: await talked_to(folder, authority, name) for name in (DIALLED, ANOTHER)}


def main() -> None:
    with (
        tempfile.TemporaryDirectory() as folder,
        socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as resolver,
    ):
        names = Path(folder, "resolv.conf")
        names.write_text("nameserver 127.0.0.1\n")
        subprocess.run(["mount", "--bind", str(names), "/etc/resolv.conf"], check=True)
        subprocess.run(["ip", "link", "set", "lo", "up"], check=True)
        resolver.bind(("127.0.0.1", 53))
        threading.Thread(target=serve_names, args=(resolver,), daemon=True).start()
        json.dump(asyncio.run(play(Path(folder))), sys.stdout)


if __name__ == "__main__":
    main()
