"""The User-to-User header (RFC 7433): what a PBX hands on with a call. Pure; never raises.

    User-to-User: 6167656e743d6f702d3137;encoding=hex;purpose=isdn-uui
    User-to-User: "agent=op-17;department=billing"
    User-to-User: agent=op-17

The data are `key=value` pairs, separated by `;`, `&` or a new line, with %XX as in a URL, or one JSON
object. Hex data may begin with a protocol discriminator (RFC 7434: 00 or 04). Several values may stand in
one header, separated by commas; the first to say something of a key counts.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from types import MappingProxyType
from urllib.parse import unquote

MAX_HEADER = 2048
"""Characters of the whole header."""
MAX_PAIRS = 32
MAX_VALUE = 256
"""Characters of one value."""

_KNOWN = frozenset({"encoding", "purpose", "content"})
_PARTS = re.compile(r'(?:"(?:[^"\\]|\\.)*"|[^",])+')
_SECTIONS = re.compile(r'(?:"(?:[^"\\]|\\.)*"|[^";])+')
_HEX = re.compile(r"(?:[0-9A-Fa-f]{2})+")
_KEY = re.compile(r"[A-Za-z][A-Za-z0-9_.-]{0,31}")
_CONTROL = re.compile(r"[\x00-\x1f\x7f]")
_DISCRIMINATORS = (b"\x00", b"\x04")


@dataclass(frozen=True, slots=True)
class UserToUser:
    """What was read, keys in lower case with `_` for `-`; or `problem` says why nothing could be."""

    values: Mapping[str, str] = field(default_factory=lambda: MappingProxyType({}))
    problem: str = ""


class _Malformed(ValueError):
    """With what is wrong; none of the data are in it."""


def parse_user_to_user(header: str) -> UserToUser:
    """All of it or nothing: a header of which a part cannot be read says nothing."""
    if not header.strip():
        return UserToUser()
    try:
        if len(header) > MAX_HEADER:
            raise _Malformed(f"longer than {MAX_HEADER} characters")
        found: dict[str, str] = {}
        for part in _split(_PARTS, header, ","):
            for key, value in _pairs(_data(part)):
                found.setdefault(key, value)
                if len(found) > MAX_PAIRS:
                    raise _Malformed(f"more than {MAX_PAIRS} values")
    except _Malformed as problem:
        return UserToUser(problem=str(problem))
    return UserToUser(MappingProxyType(found))


def _split(pattern: re.Pattern[str], text: str, separator: str) -> list[str]:
    """Separated outside of quotes. Raises _Malformed for a quote that is not closed."""
    parts = pattern.findall(text)
    if "".join(parts) != "".join(_without(text, separator)):
        raise _Malformed("a quote that is not closed")
    return [part.strip() for part in parts if part.strip()]


def _without(text: str, separator: str) -> Iterator[str]:
    quoted = escaped = False
    for sign in text:
        if escaped:
            escaped = False
        elif sign == "\\" and quoted:
            escaped = True
        elif sign == '"':
            quoted = not quoted
        elif sign == separator and not quoted:
            continue
        yield sign


def _data(part: str) -> str:
    """The data of one value, decoded."""
    data, *params = _split(_SECTIONS, part, ";") or [""]
    named = [param.partition("=") for param in params]
    names = [name.strip().lower() for name, _, _ in named]
    if len(set(names)) < len(names):
        raise _Malformed("a parameter that stands there twice")
    settings = {
        name: value.strip().strip('"').lower() for name, (_, _, value) in zip(names, named, strict=True)
    }
    quoted = data.startswith('"')
    text = re.sub(r"\\(.)", r"\1", data[1:-1]) if quoted and data.endswith('"') else data
    encoding = settings.get("encoding", "")
    if encoding not in ("", "hex", "text", "ascii", "utf-8"):
        raise _Malformed("an encoding other than hex and text")
    if encoding == "hex" or (not encoding and not quoted and _HEX.fullmatch(text)):
        return _unhex(text)
    if not quoted and "=" in text and not _KNOWN.issuperset(names):
        raise _Malformed("pairs with semicolons that do not stand in quotes")
    return text


def _unhex(text: str) -> str:
    if not _HEX.fullmatch(text):
        raise _Malformed("data that are not hex")
    data = bytes.fromhex(text)
    if data.startswith(_DISCRIMINATORS):
        data = data[1:]
    try:
        return data.rstrip(b"\x00").decode("utf-8")
    except UnicodeDecodeError:
        raise _Malformed("hex data that are not text") from None


def _pairs(text: str) -> Iterator[tuple[str, str]]:
    if text.lstrip().startswith("{"):
        yield from _of_json(text)
        return
    for pair in re.split(r"[;&\r\n]+", text):
        if not pair.strip():
            continue
        key, sign, value = pair.partition("=")
        if not sign:
            raise _Malformed("data that are neither key=value nor JSON")
        yield _checked(key.strip(), unquote(value.strip()))


def _of_json(text: str) -> Iterator[tuple[str, str]]:
    try:
        found = json.loads(text)
    except (ValueError, RecursionError):
        raise _Malformed("JSON that cannot be read") from None
    if not isinstance(found, dict):
        raise _Malformed("JSON that is no object")
    for key, value in found.items():
        if value is None:
            continue
        if isinstance(value, bool) or not isinstance(value, str | int):
            raise _Malformed("JSON with values other than words and whole numbers")
        if isinstance(value, int) and value.bit_length() > 256:
            raise _Malformed(f"a value longer than {MAX_VALUE} characters")
        yield _checked(key, str(value))


def _checked(key: str, value: str) -> tuple[str, str]:
    if not _KEY.fullmatch(key):
        raise _Malformed("a key that is no word of 32 characters at most")
    if len(value) > MAX_VALUE:
        raise _Malformed(f"a value longer than {MAX_VALUE} characters")
    if _CONTROL.search(value):
        raise _Malformed("a value with control characters")
    return key.lower().replace("-", "_"), value.strip()
