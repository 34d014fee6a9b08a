"""Numbers and the SIP addresses they stand in. Pure."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import TypeVar
from urllib.parse import unquote

from bot.core.attribution import Missing
from bot.store.phones import phone_key

T = TypeVar("T")

_PUNCTUATION = str.maketrans("", "", "+ -.()")
_PUBLIC = re.compile(r"\d{7,15}")
_ADDRESS = re.compile(r"<([^<>]*)>|((?:sips?|tel):[^\s,;>]+)", re.IGNORECASE)
_HIDDEN = frozenset({"anonymous", "unavailable", "restricted", "unknown", "private", "withheld"})
"""Users under which callers who hide their number are told of (RFC 3323, 4.1, and what PBXs write)."""

MAX_ADDRESS = 512
"""Characters of an address header that are looked at."""


def user_of(uri: str) -> str:
    """The user part of a SIP URI, or a tel URI's number: `sip:100@pbx` -> `100`."""
    return unquote(uri.partition(":")[2].partition("@")[0].partition(";")[0])


def phone_of(address: str) -> str | Missing:
    """The telephone in a URI or an address header such as `"Anna" <sip:+74950000001@pbx>`, as its digits
    with the country code; else why there is none. Never raises."""
    text = address[:MAX_ADDRESS].strip()
    if not text:
        return Missing.NOT_SENT
    if found := _ADDRESS.search(text):
        text = found[1] or found[2] or ""
    user = user_of(text) if ":" in text.partition("@")[0] else text.partition("@")[0]
    if user.lower() in _HIDDEN or "anonymous.invalid" in text.lower():
        return Missing.WITHHELD
    key = phone_key(user)
    return key if _PUBLIC.fullmatch(key) else Missing.NO_NUMBER


def bare(number: str) -> str:
    """A number as routes are compared: without punctuation and `+`, letters in lower case."""
    return number.translate(_PUNCTUATION).lower()


def route_for(called: str, routes: Mapping[str, T]) -> T | None:
    """The route of a called number: its own, else the longest `prefix*` that it begins with. A number
    may be called from within the country (`8 495 …`) and be written with its code, or the reverse."""
    forms = {bare(called), bare(phone_key(called))}
    exact = {key: route for key, route in routes.items() if not key.endswith("*")}
    for key, route in exact.items():
        if forms & {bare(key), bare(phone_key(key))}:
            return route
    prefixes = [key for key in routes if key.endswith("*")]
    for key in sorted(prefixes, key=len, reverse=True):
        if any(form.startswith(bare(key[:-1])) for form in forms):
            return routes[key]
    return None
