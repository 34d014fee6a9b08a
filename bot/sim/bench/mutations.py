"""Damage to messages, drawn from a seed: the same seed, the same damage. Pure."""

from __future__ import annotations

import random
import re
from collections.abc import Callable

_NUMBER = re.compile(rb"\d+")
_EDGES = (
    b"0", b"-1", b"1", b"65535", b"65536", b"2147483647", b"2147483648", b"4294967295", b"4294967296",
    b"18446744073709551616", b"9" * 40, b"1e9", b"0x10", b"%n%s%x", b"",
)  # fmt: skip
_ODD = (
    b"\0", b"\r", b"\n", b"\r\n", b"\r\n\r\n", b"\t ", b"\"", b"\\", b"<", b">", b";", b",", b"=", b"@", b":",
    b"%00", b"%n", b"\xff\xfe", b"\xc3\x28", b"\xf0\x9f\x98\x80", b"[", b"]", b"<sip:", b";tag=", b"z9hG4bK",
    b"../../", b"${x}", b"' OR 1",
)  # fmt: skip
_LONGEST = 8000
"""Bytes to which one piece is repeated; a datagram holds 65507."""
MOST = 60_000


class Mutator:
    """One to four injuries a message; one in twenty messages stays whole, for the way behind the parser."""

    def __init__(self, rng: random.Random) -> None:
        self._rng = rng

    def text(self, message: bytes) -> bytes:
        """A message of lines: headers or SDP."""
        return self._injure(message, (*_LINES, *_BYTES))

    def packet(self, packet: bytes) -> bytes:
        """A message of fields: RTP, RTCP, STUN."""
        return self._injure(packet, _BYTES)

    def _injure(self, data: bytes, ways: tuple[Callable[[random.Random, bytes], bytes], ...]) -> bytes:
        if self._rng.random() < 0.05:
            return data
        for _ in range(self._rng.randint(1, 4)):
            data = self._rng.choice(ways)(self._rng, data)
        return data[:MOST]


def _flip(rng: random.Random, data: bytes) -> bytes:
    found = bytearray(data)
    for _ in range(rng.randint(1, 8) if found else 0):
        found[rng.randrange(len(found))] ^= 1 << rng.randrange(8)
    return bytes(found)


def _slice(rng: random.Random, data: bytes) -> tuple[int, int]:
    first = rng.randint(0, len(data))
    return first, min(len(data), first + rng.randint(0, 40))


def _cut(rng: random.Random, data: bytes) -> bytes:
    first, last = _slice(rng, data)
    return data[:first] + data[last:]


def _truncate(rng: random.Random, data: bytes) -> bytes:
    return data[: rng.randint(0, len(data))]


def _repeat(rng: random.Random, data: bytes) -> bytes:
    first, last = _slice(rng, data)
    piece = data[first:last]
    times = rng.choice((1, 2, 50, _LONGEST // max(1, len(piece))))
    return data[:last] + piece * times + data[last:]


def _insert(rng: random.Random, data: bytes) -> bytes:
    at = rng.randint(0, len(data))
    odd = rng.choice(_ODD) if rng.random() < 0.7 else rng.randbytes(rng.randint(1, 64))
    return data[:at] + odd + data[at:]


def _edge(rng: random.Random, data: bytes) -> bytes:
    """One number becomes one at the edge of what fits."""
    numbers = list(_NUMBER.finditer(data))
    if not numbers:
        return _flip(rng, data)
    chosen = rng.choice(numbers)
    return data[: chosen.start()] + rng.choice(_EDGES) + data[chosen.end() :]


def _lines_changed(change: Callable[[random.Random, list[bytes]], None]) -> Callable[..., bytes]:
    def mutate(rng: random.Random, data: bytes) -> bytes:
        lines = data.split(b"\r\n")
        change(rng, lines)
        return b"\r\n".join(lines)

    return mutate


def _drop_line(rng: random.Random, lines: list[bytes]) -> None:
    del lines[rng.randrange(len(lines))]


def _double_line(rng: random.Random, lines: list[bytes]) -> None:
    lines.insert(rng.randrange(len(lines)), rng.choice(lines))


def _swap_lines(rng: random.Random, lines: list[bytes]) -> None:
    first, second = rng.randrange(len(lines)), rng.randrange(len(lines))
    lines[first], lines[second] = lines[second], lines[first]


def _fold_line(rng: random.Random, lines: list[bytes]) -> None:
    """A header goes on in the next line (RFC 3261, 7.3.1), wherever it was cut."""
    at = rng.randrange(len(lines))
    cut = rng.randint(0, len(lines[at]))
    lines[at : at + 1] = [lines[at][:cut], b" " + lines[at][cut:]]


_BYTES = (_flip, _cut, _truncate, _repeat, _insert)
_LINES = (_edge, *map(_lines_changed, (_drop_line, _double_line, _swap_lines, _fold_line)))
