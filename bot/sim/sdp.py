"""Session descriptions: one audio stream, offered or answered (RFC 4566, RFC 3264, RFC 4733)."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Self

from bot.core.errors import BadInput

STATIC = {0: "PCMU/8000", 8: "PCMA/8000", 9: "G722/8000"}
"""Payload types that need no rtpmap (RFC 3551, table 4)."""

OURS = {"PCMA": 8, "PCMU": 0}
"""The codecs that a simulated phone speaks, with their payload types."""

EVENTS = "TELEPHONE-EVENT/8000"
EVENTS_TYPE = 101

_MIRROR = {"sendonly": "recvonly", "recvonly": "sendonly", "inactive": "inactive", "sendrecv": "sendrecv"}


@dataclass(frozen=True, slots=True)
class Audio:
    """One party's audio: where it wants its RTP, and what it speaks, best first.

    `formats` are pairs of payload type and encoding in upper case, such as `(8, "PCMA/8000")`.
    """

    host: str
    port: int
    formats: tuple[tuple[int, str], ...]
    direction: str = "sendrecv"
    ptime_ms: int = 20

    @classmethod
    def parse(cls, body: bytes) -> Self:
        """The first audio stream of a description. Raises BadInput."""
        host, port, types, direction, ptime = "", None, [], "sendrecv", 20
        maps: dict[int, str] = {}
        media = ""
        try:
            for line in body.decode().splitlines():
                key, _, value = line.partition("=")
                if key == "m":
                    media = "audio" if value.startswith("audio") and port is None else "other"
                    if media == "audio":
                        _, place, _, *listed = value.split()
                        port, types = int(place.partition("/")[0]), [int(entry) for entry in listed]
                elif key == "c" and (not media or media == "audio"):
                    host = value.split()[2].partition("/")[0]
                elif key == "a" and media in ("", "audio"):
                    name, _, rest = value.partition(":")
                    if name == "rtpmap" and media:
                        number, encoding = rest.split(maxsplit=1)
                        maps[int(number)] = "/".join(encoding.strip().upper().split("/")[:2])
                    elif name == "ptime" and media:
                        ptime = int(rest)
                    elif name in _MIRROR:
                        direction = name
        except (ValueError, IndexError) as error:
            raise BadInput(f"a broken session description: {error}") from error
        if port is None or not host:
            raise BadInput("a session description without an audio stream and its address")
        formats = tuple((number, maps.get(number) or STATIC.get(number, "")) for number in types)
        return cls(host, port, formats, direction, ptime)

    @classmethod
    def offering(cls, host: str, port: int, codecs: tuple[str, ...] = ("PCMA",)) -> Self:
        known = tuple((OURS[name], STATIC[OURS[name]]) for name in codecs)
        return cls(host, port, (*known, (EVENTS_TYPE, EVENTS)))

    def answering(self, host: str, port: int, codecs: tuple[str, ...] = ("PCMA",)) -> Audio | None:
        """The answer to this offer: our best codec of those offered, None where there is none."""
        wanted = [f"{name}/8000" for name in codecs]
        shared = [entry for entry in self.formats if entry[1] in wanted]
        if not shared:
            return None
        best = min(shared, key=lambda entry: wanted.index(entry[1]))
        events = [entry for entry in self.formats if entry[1] == EVENTS]
        return Audio(host, port, (best, *events[:1]), _MIRROR[self.direction])

    @property
    def codec(self) -> tuple[int, str]:
        """Payload type and name of the first codec that we speak. Raises BadInput."""
        for number, encoding in self.formats:
            name = encoding.partition("/")[0]
            if name in OURS:
                return number, name
        raise BadInput("no codec that a simulated phone speaks", hint="it speaks PCMA and PCMU")

    @property
    def events_type(self) -> int | None:
        """Payload type of telephone events, None where they are not spoken."""
        return next((number for number, encoding in self.formats if encoding == EVENTS), None)

    def to_bytes(self, session: int) -> bytes:
        numbers = " ".join(str(number) for number, _ in self.formats)
        lines = [
            "v=0",
            f"o=- {session} {session} IN IP4 {self.host}",
            "s=-",
            f"c=IN IP4 {self.host}",
            "t=0 0",
            f"m=audio {self.port} RTP/AVP {numbers}",
        ]
        for number, encoding in self.formats:
            shown = encoding.lower() if encoding == EVENTS else encoding
            lines.append(f"a=rtpmap:{number} {shown}")
            if encoding == EVENTS:
                lines.append(f"a=fmtp:{number} 0-15")
        lines += [f"a=ptime:{self.ptime_ms}", f"a={self.direction}"]
        return "\r\n".join([*lines, ""]).encode()
