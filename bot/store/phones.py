"""One key for one telephone, however its address is written."""

from __future__ import annotations

import re

_SCHEME = re.compile(r"^(sips?|tel):", re.IGNORECASE)
_PUNCTUATION = str.maketrans("", "", " -.()")
_SUBSCRIBER = re.compile(r"\+?\d{7,15}")
"""A public number has at most 15 digits (ITU-T E.164, 6.2.1); shorter than 7 is an extension of a PBX."""


def phone_key(address: str) -> str:
    """The key under which a phone is blocked and never rung twice at once.

    `sip:+79001234567@trunk;user=phone`, `tel:+7-900-123-45-67` and `8 (900) 123-45-67` are one
    phone: its digits with the country code. Any other SIP address is `user@host:port` in lower case,
    without parameters and without the default port.

    >>> phone_key("sip:89001234567@trunk:5060")
    '79001234567'
    >>> phone_key("sip:Anna@pbx.example:5060;transport=udp")
    'anna@pbx.example'
    """
    bare = _SCHEME.sub("", address.strip()).partition(";")[0].partition("?")[0]
    user, _, host = bare.rpartition("@") if "@" in bare else (bare, "", "")
    digits = user.partition(":")[0].translate(_PUNCTUATION)
    if _SUBSCRIBER.fullmatch(digits):
        # Within Russia 8 is dialled where the rest of the world dials +7.
        return "7" + digits[1:] if len(digits) == 11 and digits[0] == "8" else digits.lstrip("+")
    if not host:
        return bare.lower()
    return f"{user.partition(':')[0]}@{host.removesuffix(':5060')}".lower()
