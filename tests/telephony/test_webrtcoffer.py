from __future__ import annotations

import pytest

from bot.core.errors import OfferInvalid
from telephony.webrtcoffer import MAX_BYTES, Offer

GOOD = """v=0
o=- 1 1 IN IP4 0.0.0.0
s=-
t=0 0
m=audio 9 UDP/TLS/RTP/SAVPF 111 0
c=IN IP4 0.0.0.0
a=ice-ufrag:abcd
a=ice-pwd:0123456789012345678901
a=fingerprint:sha-256 AA:BB
a=setup:actpass
a=mid:0
a=rtpmap:111 opus/48000/2
a=rtpmap:0 PCMU/8000
"""


def test_what_a_browser_offers_is_read_with_either_line_end() -> None:
    for sdp in (GOOD, GOOD.replace("\n", "\r\n")):
        offer = Offer.parse(sdp)
        assert (offer.ufrag, offer.password) == ("abcd", "0123456789012345678901")
        assert offer.fingerprints == {"sha-256 aa:bb"}
        assert offer.sdp == sdp


@pytest.mark.parametrize(
    ("wrong", "told"),
    [
        ("", "no media"),
        ("hello", "no media"),
        (GOOD + "m=video 9 UDP/TLS/RTP/SAVPF 96\n", "audio, video"),
        (GOOD + GOOD[GOOD.index("m=") :], "audio, audio"),
        (GOOD.replace("opus", "speex"), "no Opus"),
        (GOOD.replace("a=ice-ufrag:abcd\n", ""), "no ICE"),
        (GOOD.replace("a=ice-pwd:0123456789012345678901", "a=ice-pwd:short"), "no ICE"),
        (GOOD.replace("a=fingerprint", "a=finger"), "no DTLS fingerprint"),
        (GOOD + "a=x\n" * (MAX_BYTES // 4), "at most"),
    ],
)
def test_anything_else_is_refused_with_what_is_wrong(wrong: str, told: str) -> None:
    with pytest.raises(OfferInvalid, match=told) as refusal:
        Offer.parse(wrong)
    assert "RTCPeerConnection" in refusal.value.hint
