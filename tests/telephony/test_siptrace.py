from __future__ import annotations

import pytest

from telephony.siptrace import Sighting, Sightings, codec_of, sighting

HEAD = (
    "RX UDP 127.0.0.1:5060 -> 127.0.0.1:5070\n{start}\r\n"
    "Via: SIP/2.0/UDP x\r\nCall-ID: abc@host\r\nCSeq: 7 {method}\r\n"
)


def message(start: str, method: str = "INVITE", sdp: str = "") -> str:
    return HEAD.format(start=start, method=method) + "\r\n" + sdp


@pytest.mark.parametrize(
    ("formats", "maps", "codec"),
    [
        ("8 101", "a=rtpmap:101 telephone-event/8000\r\n", "PCMA"),
        ("0", "", "PCMU"),
        ("9 8", "", "G722"),
        ("96 0", "a=rtpmap:96 opus/48000/2\r\n", "opus"),
        ("101 8", "a=rtpmap:101 telephone-event/8000\r\n", "PCMA"),
        ("13 0", "a=rtpmap:13 CN/8000\r\n", "PCMU"),
    ],
)
def test_the_codec_is_the_first_that_carries_sound(formats: str, maps: str, codec: str) -> None:
    assert codec_of(f"v=0\r\nm=audio 30000 RTP/AVP {formats}\r\n{maps}") == codec


def test_an_answer_is_read_and_an_offer_is_not() -> None:
    sdp = "v=0\r\nm=audio 30000 RTP/AVP 8\r\n"
    answer = sighting(message("SIP/2.0 200 OK", sdp=sdp))
    assert answer is not None
    assert (answer.call_id, answer.status, answer.codec) == ("abc@host", 200, "PCMA")
    offer = sighting(message("INVITE sip:x SIP/2.0", sdp=sdp))
    assert offer is not None
    assert (offer.status, offer.codec, offer.source) == (None, "", "127.0.0.1")
    late_offer = sighting(message("ACK sip:x SIP/2.0", "ACK", sdp))
    assert late_offer is not None
    assert late_offer.codec == "PCMA"


def test_any_response_shows_that_somebody_is_there() -> None:
    trying = sighting(message("SIP/2.0 100 Trying"))
    assert trying is not None
    assert (trying.status, trying.codec) == (100, "")


@pytest.mark.parametrize("start", ["SIP/2.0 200 OK", "OPTIONS sip:x SIP/2.0", ""])
def test_other_requests_and_rubbish_tell_nothing(start: str) -> None:
    assert sighting(message(start, "OPTIONS")) is None
    assert sighting(start) is None


def test_what_nobody_asks_about_is_forgotten_in_time() -> None:
    book = Sightings(limit=2)
    for number in range(3):
        book.add(Sighting(f"call-{number}", 180, ""))
    book.add(Sighting("call-2", 200, "PCMA"))
    assert book.of("call-0") == ()
    assert [seen.status for seen in book.of("call-2")] == [180, 200]
    book.forget("call-2")
    assert book.of("call-2") == ()
