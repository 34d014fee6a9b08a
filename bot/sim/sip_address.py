"""Addresses inside SIP messages: URIs, named addresses, Via hops (RFC 3261, 19.1, 20, 25)."""

from __future__ import annotations

import re
import secrets
from collections.abc import Iterable
from dataclasses import dataclass, field, replace
from typing import Self

from bot.core.errors import BadInput

VERSION = "SIP/2.0"
BRANCH_COOKIE = "z9hG4bK"
"""Every branch of an RFC 3261 element begins with it (8.1.1.7)."""

_URI = re.compile(
    r"(?P<scheme>sips?):(?:(?P<user>[^@;?>\s]+)@)?(?P<host>\[[0-9a-fA-F:.]+\]|[^@:;?\s>\[\]]+)"
    r"(?::(?P<port>\d{1,5}))?(?P<params>(?:;[^?;>\s]*)*)(?:\?(?P<headers>[^>\s]*))?"
)


def new_tag() -> str:
    return secrets.token_hex(6)


def new_branch() -> str:
    return BRANCH_COOKIE + secrets.token_hex(8)


def split_outside_quotes(text: str, separator: str) -> list[str]:
    """Split at a separator that stands neither in "quotes" nor in <angle brackets>."""
    parts: list[str] = []
    current: list[str] = []
    quoted = angled = escaped = False
    for char in text:
        if escaped:
            escaped = False
        elif quoted and char == "\\":
            escaped = True
        elif char == '"':
            quoted = not quoted
        elif not quoted and char in "<>":
            angled = char == "<"
        elif char == separator and not quoted and not angled:
            parts.append("".join(current).strip())
            current = []
            continue
        current.append(char)
    parts.append("".join(current).strip())
    return parts


def _params(parts: Iterable[str]) -> dict[str, str]:
    """`;name=value` pairs; a name without a value gets ""."""
    pairs = (part.partition("=") for part in parts if part.strip())
    return {name.strip().lower(): value.strip() for name, _, value in pairs}


def _with_params(head: str, params: dict[str, str]) -> str:
    return head + "".join(f";{name}={value}" if value else f";{name}" for name, value in params.items())


@dataclass(frozen=True, slots=True)
class SipUri:
    """`sip:user@host:port;params?headers`."""

    host: str
    user: str = ""
    port: int | None = None
    params: dict[str, str] = field(default_factory=dict)
    headers: str = ""
    scheme: str = "sip"

    @classmethod
    def parse(cls, text: str) -> Self:
        match = _URI.fullmatch(text.strip())
        if not match:
            raise BadInput(f"not a SIP address: «{text}»", hint="sip:user@127.0.0.1:5060")
        return cls(
            host=match["host"],
            user=match["user"] or "",
            port=int(match["port"]) if match["port"] else None,
            params=_params(match["params"].split(";")),
            headers=match["headers"] or "",
            scheme=match["scheme"],
        )

    @property
    def address(self) -> tuple[str, int]:
        """Where UDP packets for this URI go: host and port (5060 where none is named)."""
        return self.host.strip("[]"), self.port or 5060

    def __str__(self) -> str:
        user = f"{self.user}@" if self.user else ""
        port = f":{self.port}" if self.port else ""
        headers = f"?{self.headers}" if self.headers else ""
        return _with_params(f"{self.scheme}:{user}{self.host}{port}", self.params) + headers


@dataclass(frozen=True, slots=True)
class NameAddr:
    """The value of From, To, Contact, Route, Refer-To: an address with a name and parameters."""

    uri: SipUri
    display: str = ""
    params: dict[str, str] = field(default_factory=dict)

    @classmethod
    def parse(cls, text: str) -> Self:
        head, *rest = split_outside_quotes(text, ";")
        if "<" in head:
            display, _, uri = head.partition("<") if not head.startswith('"') else _quoted_display(head)
            return cls(SipUri.parse(uri.rstrip().removesuffix(">")), display.strip(), _params(rest))
        # Without brackets every parameter belongs to the header, not to the URI (RFC 3261, 20.10).
        return cls(SipUri.parse(head), "", _params(rest))

    @property
    def tag(self) -> str:
        return self.params.get("tag", "")

    def tagged(self, tag: str) -> NameAddr:
        return replace(self, params={**self.params, "tag": tag})

    def __str__(self) -> str:
        quoted = self.display.replace("\\", "\\\\").replace('"', '\\"')
        display = f'"{quoted}" ' if self.display else ""
        return _with_params(f"{display}<{self.uri}>", self.params)


def _quoted_display(head: str) -> tuple[str, str, str]:
    match = re.fullmatch(r'"((?:[^"\\]|\\.)*)"\s*<(.*)', head, re.DOTALL)
    if not match:
        raise BadInput(f"a broken quoted name: «{head}»")
    return re.sub(r"\\(.)", r"\1", match[1]), "<", match[2]


@dataclass(frozen=True, slots=True)
class Via:
    """One hop. `rport` without a value asks for the source port (RFC 3581)."""

    host: str
    port: int | None = None
    params: dict[str, str] = field(default_factory=dict)
    transport: str = "UDP"

    @classmethod
    def parse(cls, text: str) -> Self:
        head, *rest = split_outside_quotes(text, ";")
        match = re.fullmatch(r"SIP\s*/\s*2\.0\s*/\s*(\w+)\s+(\[[^\]]+\]|[^:\s]+)(?:\s*:\s*(\d{1,5}))?", head)
        if not match:
            raise BadInput(f"a broken Via: «{text}»")
        return cls(match[2], int(match[3]) if match[3] else None, _params(rest), match[1])

    @property
    def branch(self) -> str:
        return self.params.get("branch", "")

    def __str__(self) -> str:
        port = f":{self.port}" if self.port else ""
        return _with_params(f"{VERSION}/{self.transport} {self.host}{port}", self.params)
