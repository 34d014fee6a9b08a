"""SIP messages as values: parse and serialise (the subset of RFC 3261 that a telephone needs).

Everything is text in, text out; nothing here knows of sockets or calls. A message that breaks the
grammar raises BadInput.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field

from bot.core.errors import BadInput
from bot.sim.sip_address import VERSION, NameAddr, Via, split_outside_quotes

_COMPACT = {
    "v": "Via",
    "f": "From",
    "t": "To",
    "i": "Call-ID",
    "m": "Contact",
    "l": "Content-Length",
    "c": "Content-Type",
    "e": "Content-Encoding",
    "k": "Supported",
    "s": "Subject",
    "r": "Refer-To",
    "b": "Referred-By",
    "o": "Event",
    "u": "Allow-Events",
    "x": "Session-Expires",
}
"""Short header names (RFC 3261, 7.3.3, and the RFCs that add some)."""

_LISTS = frozenset({"via", "route", "record-route", "contact"})
"""Headers whose comma separates whole values."""

REASONS = {
    100: "Trying",
    180: "Ringing",
    200: "OK",
    202: "Accepted",
    400: "Bad Request",
    404: "Not Found",
    405: "Method Not Allowed",
    408: "Request Timeout",
    480: "Temporarily Unavailable",
    481: "Call/Transaction Does Not Exist",
    486: "Busy Here",
    487: "Request Terminated",
    488: "Not Acceptable Here",
    491: "Request Pending",
    500: "Server Internal Error",
    503: "Service Unavailable",
    603: "Decline",
}

_TOKEN = re.compile(r"[A-Za-z0-9\-.!%*_+`'~]+")


class Headers:
    """Header lines in order; names compare without case, short names count as their long ones."""

    __slots__ = ("_lines",)

    def __init__(self, lines: Iterable[tuple[str, str]] = ()) -> None:
        self._lines: tuple[tuple[str, str], ...] = tuple(
            (_COMPACT.get(name.lower(), name), value.strip()) for name, value in lines
        )

    def get(self, name: str, default: str = "") -> str:
        return next(self._named(name), default)

    def all(self, name: str) -> list[str]:
        """Every value of a header, lists taken apart."""
        values = list(self._named(name))
        if name.lower() in _LISTS:
            return [part for value in values for part in split_outside_quotes(value, ",")]
        return values

    def _named(self, name: str) -> Iterator[str]:
        wanted = name.lower()
        return (value for known, value in self._lines if known.lower() == wanted)

    def adding(self, *lines: tuple[str, str]) -> Headers:
        return Headers((*self._lines, *lines))

    def replacing(self, name: str, *values: str) -> Headers:
        """The same lines with those of this name put in place of the old ones, at the front."""
        rest = (line for line in self._lines if line[0].lower() != name.lower())
        return Headers((*((name, value) for value in values), *rest))

    def __iter__(self) -> Iterator[tuple[str, str]]:
        return iter(self._lines)

    def __contains__(self, name: object) -> bool:
        return isinstance(name, str) and next(self._named(name), None) is not None

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Headers) and self._lines == other._lines

    def __hash__(self) -> int:
        return hash(self._lines)

    def __repr__(self) -> str:
        return f"Headers({self._lines!r})"


@dataclass(frozen=True, slots=True)
class _Message:
    headers: Headers
    body: bytes = b""

    @property
    def call_id(self) -> str:
        return self.headers.get("Call-ID")

    @property
    def sender(self) -> NameAddr:
        return NameAddr.parse(self.headers.get("From"))

    @property
    def recipient(self) -> NameAddr:
        return NameAddr.parse(self.headers.get("To"))

    @property
    def contact(self) -> NameAddr | None:
        values = self.headers.all("Contact")
        return NameAddr.parse(values[0]) if values else None

    @property
    def cseq(self) -> tuple[int, str]:
        number, _, method = self.headers.get("CSeq").partition(" ")
        if not number.isdecimal() or not method.strip():
            raise BadInput(f"a broken CSeq: «{self.headers.get('CSeq')}»")
        return int(number), method.strip()

    @property
    def via(self) -> Via:
        values = self.headers.all("Via")
        if not values:
            raise BadInput("a message without Via")
        return Via.parse(values[0])

    def _serialise(self, first_line: str) -> bytes:
        lines = [f"{name}: {value}" for name, value in self.headers if name.lower() != "content-length"]
        lines.append(f"Content-Length: {len(self.body)}")
        return "\r\n".join([first_line, *lines, "", ""]).encode() + self.body


@dataclass(frozen=True, slots=True)
class Request(_Message):
    method: str = field(kw_only=True)
    uri: str = field(kw_only=True)

    def to_bytes(self) -> bytes:
        return self._serialise(f"{self.method} {self.uri} {VERSION}")


@dataclass(frozen=True, slots=True)
class Response(_Message):
    status: int = field(kw_only=True)
    reason: str = field(kw_only=True, default="")

    def to_bytes(self) -> bytes:
        return self._serialise(f"{VERSION} {self.status} {self.reason}")


def parse(data: bytes) -> Request | Response:
    """A datagram's message. The body is cut to Content-Length where one is given (RFC 3261, 18.3)."""
    head, separator, body = data.partition(b"\r\n\r\n")
    if not separator:
        raise BadInput("a SIP message without the empty line after its headers")
    try:
        first, *lines = re.sub(r"\r\n[ \t]+", " ", head.decode()).split("\r\n")
    except UnicodeDecodeError as error:
        raise BadInput(f"a SIP message that is not UTF-8: {error}") from error
    headers = Headers(_header(line) for line in lines)
    length = headers.get("Content-Length")
    if length:
        if not length.isdecimal() or int(length) > len(body):
            raise BadInput(f"Content-Length {length}, but {len(body)} bytes of body")
        body = body[: int(length)]
    headers = Headers(line for line in headers if line[0].lower() != "content-length")
    if first.startswith(VERSION):
        match = re.fullmatch(r"SIP/2\.0 ([1-6]\d\d) ?(.*)", first)
        if not match:
            raise BadInput(f"a broken status line: «{first}»")
        return Response(headers, body, status=int(match[1]), reason=match[2])
    match = re.fullmatch(r"(\S+) (\S+) SIP/2\.0", first)
    if not match or not _TOKEN.fullmatch(match[1]):
        raise BadInput(f"a broken request line: «{first}»")
    return Request(headers, body, method=match[1], uri=match[2])


def _header(line: str) -> tuple[str, str]:
    name, colon, value = line.partition(":")
    if not colon or not _TOKEN.fullmatch(name.strip()):
        raise BadInput(f"a broken header line: «{line}»")
    return name.strip(), value


def response_to(
    request: Request,
    status: int,
    *,
    tag: str = "",
    extra: Iterable[tuple[str, str]] = (),
    body: bytes = b"",
) -> Response:
    """A response with what must be copied from its request (RFC 3261, 8.2.6.2); `tag` marks To."""
    recipient = request.recipient
    if tag and not recipient.tag:
        recipient = recipient.tagged(tag)
    lines = [("Via", value) for value in request.headers.all("Via")]
    lines += [("From", request.headers.get("From")), ("To", str(recipient))]
    lines += [("Call-ID", request.call_id), ("CSeq", request.headers.get("CSeq"))]
    return Response(Headers([*lines, *extra]), body, status=status, reason=REASONS.get(status, "Status"))
