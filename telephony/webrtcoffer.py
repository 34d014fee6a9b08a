"""What a browser may offer, read before anything is opened for it. Pure (RFC 8829, RFC 8866)."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Self

from bot.core.errors import OfferInvalid

MAX_BYTES = 32_768
"""A browser's offer of one audio stream has 1.5 to 6 kB, by its number of addresses."""

_OPUS = re.compile(r"^a=rtpmap:\d+ opus/48000/2$", re.IGNORECASE | re.MULTILINE)
_UFRAG = re.compile(r"^a=ice-ufrag:(\S{4,256})$", re.MULTILINE)
_PASSWORD = re.compile(r"^a=ice-pwd:(\S{22,256})$", re.MULTILINE)
_FINGERPRINT = re.compile(r"^a=fingerprint:(\S+ [0-9A-F:]+)$", re.IGNORECASE | re.MULTILINE)
_MEDIA = re.compile(r"^m=(\w+)", re.MULTILINE)

_RIGHT = "Right would be the offer of an RTCPeerConnection with one audio track and nothing else."


@dataclass(frozen=True, slots=True)
class Offer:
    """One audio stream in Opus. `ufrag` and `password` are of ICE and change when it restarts;
    `fingerprints` are of DTLS and stay the same as long as the browser's connection does."""

    sdp: str
    ufrag: str
    password: str
    fingerprints: frozenset[str]

    @classmethod
    def parse(cls, sdp: str) -> Self:
        """Raises OfferInvalid."""
        if len(sdp) > MAX_BYTES:
            raise OfferInvalid(f"an offer of {len(sdp)} characters, {MAX_BYTES} at most", hint=_RIGHT)
        text = sdp.replace("\r\n", "\n")
        media = _MEDIA.findall(text)
        if media != ["audio"]:
            raise OfferInvalid(f"the offer has {', '.join(media) or 'no media'}", hint=_RIGHT)
        if not _OPUS.search(text):
            raise OfferInvalid("the offer has no Opus (opus/48000/2)", hint=_RIGHT)
        ufrag, password, prints = _UFRAG.search(text), _PASSWORD.search(text), _FINGERPRINT.findall(text)
        if not ufrag or not password:
            raise OfferInvalid("the offer has no ICE credentials", hint=_RIGHT)
        if not prints:
            raise OfferInvalid("the offer has no DTLS fingerprint", hint=_RIGHT)
        return cls(sdp, ufrag[1], password[1], frozenset(each.lower() for each in prints))
