"""What the SIP messages of a call tell and the stack does not: the codec, that anyone answered, who calls.

The stack hands out every message as text (its SIP trace). Pure.
"""

from __future__ import annotations

import re
from collections import OrderedDict
from dataclasses import dataclass

_HEADER = re.compile(r"^(call-id|i|cseq)\s*:\s*(\S.*)", re.IGNORECASE | re.MULTILINE)
_AUDIO = re.compile(r"^m=audio \d+ \S+ ([\d ]+)", re.MULTILINE)
_RECEIVED = re.compile(r"^RX \w+ (\S+):\d+ -> ")
_RTPMAP = re.compile(r"^a=rtpmap:(\d+) ([^/\s]+)/(\d+)", re.MULTILINE)

_STATIC = {"0": "PCMU", "8": "PCMA", "9": "G722"}
"""Payload types that need no rtpmap (RFC 3551, table 4)."""


@dataclass(frozen=True, slots=True)
class Sighting:
    """A response to an INVITE, or its ACK: `codec` is the one it settles on, "" where it has no SDP. Or an
    INVITE that came in: `source` is the address that sent it, without the port."""

    call_id: str
    status: int | None
    codec: str
    source: str = ""


class Sightings:
    """What was seen of each call, by Call-ID. The trace and the calls' events come by different ways, so
    either may be first. Two lines of ours share a Call-ID where a proxy sends our own call back to us."""

    def __init__(self, limit: int = 1024) -> None:
        self._seen: OrderedDict[str, list[Sighting]] = OrderedDict()
        self._limit = limit

    def add(self, seen: Sighting) -> None:
        self._seen.setdefault(seen.call_id, []).append(seen)
        while len(self._seen) > self._limit:
            self._seen.popitem(last=False)

    def of(self, call_id: str) -> tuple[Sighting, ...]:
        """Everything that was seen of a call, in order."""
        return tuple(self._seen.get(call_id, ()))

    def forget(self, call_id: str) -> None:
        self._seen.pop(call_id, None)


def sighting(message: str) -> Sighting | None:
    """What one traced message says; None where it settles nothing."""
    head, _, body = message.partition("\r\n\r\n")
    lines = head.splitlines()
    # The first line names direction and addresses; the start line of the message is the second.
    start = lines[1] if len(lines) > 1 else ""
    headers = {name.lower(): value.rstrip() for name, value in _HEADER.findall(head)}
    call_id = headers.get("call-id") or headers.get("i", "")
    if not call_id or not headers.get("cseq", "").upper().endswith(("INVITE", "ACK")):
        return None
    if start.startswith("SIP/2.0 "):
        status = int(start[8:11])
        return Sighting(call_id, status, codec_of(body)) if status < 300 else Sighting(call_id, status, "")
    received = _RECEIVED.match(lines[0])
    if start.startswith("INVITE ") and received is not None:
        return Sighting(call_id, None, "", received[1].strip("[]"))
    if start.startswith("ACK ") and body:
        return Sighting(call_id, None, codec_of(body))
    return None


def codec_of(sdp: str) -> str:
    """The codec that an SDP answer settles on: the first of its audio formats that carries sound."""
    audio = _AUDIO.search(sdp)
    if audio is None:
        return ""
    names: dict[str, str] = {payload: name for payload, name, _ in _RTPMAP.findall(sdp)}
    formats: str = audio.group(1)
    for payload in formats.split():
        name = names.get(payload, _STATIC.get(payload, ""))
        if name and name.lower() not in ("telephone-event", "cn"):
            return name
    return ""
