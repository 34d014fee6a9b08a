from __future__ import annotations

from contextlib import suppress

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bot.core.errors import BadInput
from bot.sim.sdp import Audio
from bot.sim.sip_address import NameAddr, SipUri, Via
from bot.sim.sip_message import Headers, Request, Response, parse, response_to

INVITE = (
    "INVITE sip:node@127.0.0.1:5070 SIP/2.0\r\n"
    "v: SIP/2.0/UDP 127.0.0.1:5091;branch=z9hG4bK1;rport, SIP/2.0/UDP 10.0.0.1;branch=z9hG4bK0\r\n"
    'f: "Иван; \\"Ваня\\" <он>" <sip:ivan@127.0.0.1:5091>;tag=a1\r\n'
    "t: <sip:node@127.0.0.1:5070>\r\n"
    "i: abc@127.0.0.1\r\n"
    "CSeq: 7 INVITE\r\n"
    "m: <sip:ivan@127.0.0.1:5091;transport=udp>\r\n"
    "X-Agent-Id: 42,\r\n"
    "  43\r\n"
    "l: 4\r\n"
    "\r\n"
    "v=0\r\nbeyond the length"
).encode()


def test_reads_a_message_with_short_names_folded_lines_and_lists() -> None:
    invite = parse(INVITE)
    assert isinstance(invite, Request)
    assert (invite.method, invite.uri, invite.body) == ("INVITE", "sip:node@127.0.0.1:5070", b"v=0\r")
    assert invite.cseq == (7, "INVITE")
    assert invite.sender.display == 'Иван; "Ваня" <он>'
    assert invite.sender.tag == "a1"
    assert invite.sender.uri.address == ("127.0.0.1", 5091)
    assert invite.headers.get("x-agent-id") == "42, 43"
    assert [Via.parse(value).branch for value in invite.headers.all("Via")] == ["z9hG4bK1", "z9hG4bK0"]
    assert invite.contact is not None
    assert invite.contact.uri.params == {"transport": "udp"}


def test_a_response_copies_what_it_must_and_marks_its_side() -> None:
    invite = parse(INVITE)
    assert isinstance(invite, Request)
    ringing = response_to(invite, 180, tag="b2")
    assert ringing.recipient.tag == "b2"
    assert ringing.headers.all("Via") == invite.headers.all("Via")
    assert (ringing.call_id, ringing.cseq, ringing.reason) == (invite.call_id, (7, "INVITE"), "Ringing")
    assert parse(ringing.to_bytes()) == ringing


@pytest.mark.parametrize(
    "data",
    [
        b"",
        b"\x00\xff\r\n\r\n",
        b"INVITE sip:a@b SIP/2.0",
        b"INVITE sip:a@b HTTP/1.1\r\n\r\n",
        b"SIP/2.0 9000 What\r\n\r\n",
        b"OPTIONS sip:a@b SIP/2.0\r\nno colon here\r\n\r\n",
        b"OPTIONS sip:a@b SIP/2.0\r\nContent-Length: 10\r\n\r\nshort",
        b"OPTIONS sip:a@b SIP/2.0\r\nContent-Length: -1\r\n\r\n",
    ],
)
def test_a_broken_message_is_refused(data: bytes) -> None:
    with pytest.raises(BadInput):
        parse(data)


@pytest.mark.parametrize("text", ["", "agent", "http://a", "sip:", "sip:a@b:port", "sip:a@"])
def test_a_broken_address_is_refused(text: str) -> None:
    with pytest.raises(BadInput):
        SipUri.parse(text)


def test_an_address_without_brackets_owns_no_parameters() -> None:
    address = NameAddr.parse("sip:a@b.example;tag=1")
    assert address.uri.params == {}
    assert address.tag == "1"


names = st.from_regex(r"[A-Za-z][A-Za-z0-9-]{0,15}", fullmatch=True)
tokens = st.from_regex(r"[A-Za-z0-9._~-]{1,12}", fullmatch=True)
texts = st.text(st.characters(exclude_categories=["C", "Z"]), max_size=20)
lines = st.tuples(names.filter(lambda n: n.lower() != "content-length" and len(n) > 1), texts)
params = st.dictionaries(tokens.map(str.lower), tokens, max_size=3)
uris = st.builds(
    SipUri, host=tokens, user=st.just("") | tokens, port=st.none() | st.integers(1, 65535), params=params
)


@given(method=names, uri=uris, headers=st.lists(lines, max_size=6), body=st.binary(max_size=60))
def test_requests_survive_the_wire(
    method: str, uri: SipUri, headers: list[tuple[str, str]], body: bytes
) -> None:
    request = Request(Headers(headers), body, method=method, uri=str(uri))
    assert parse(request.to_bytes()) == request


@given(status=st.integers(100, 699), reason=texts, headers=st.lists(lines, max_size=6))
def test_responses_survive_the_wire(status: int, reason: str, headers: list[tuple[str, str]]) -> None:
    response = Response(Headers(headers), status=status, reason=reason)
    assert parse(response.to_bytes()) == response


@given(uri=uris, display=texts | st.sampled_from(['a "b" c', "\\", "<x>;y=1", "Иван Петров"]), params=params)
def test_addresses_survive_the_wire(uri: SipUri, display: str, params: dict[str, str]) -> None:
    address = NameAddr(uri, display, params)
    assert NameAddr.parse(str(address)) == address


@given(st.binary(max_size=200))
def test_no_datagram_does_more_than_be_refused(data: bytes) -> None:
    message: Request | Response | None = None
    with suppress(BadInput):
        message = parse(data)
    assert message is None or parse(message.to_bytes()) == message


def test_an_offer_is_answered_with_our_best_codec_and_its_event_type() -> None:
    offer = Audio.parse(
        b"v=0\r\no=- 1 1 IN IP4 10.1.1.1\r\ns=-\r\nc=IN IP4 10.1.1.1\r\nt=0 0\r\na=sendonly\r\n"
        b"m=audio 4000 RTP/AVP 9 0 8 96\r\nc=IN IP4 10.1.1.2\r\na=rtpmap:96 telephone-event/8000\r\n"
        b"m=video 5000 RTP/AVP 31\r\nc=IN IP4 10.1.1.3\r\n"
    )
    assert (offer.host, offer.port) == ("10.1.1.2", 4000)
    answer = offer.answering("127.0.0.1", 6000)
    assert answer is not None
    assert answer.codec == (8, "PCMA")
    assert (answer.events_type, answer.direction) == (96, "recvonly")
    assert Audio.parse(answer.to_bytes(1)) == answer
    pcmu = offer.answering("127.0.0.1", 6000, ("PCMU", "PCMA"))
    assert pcmu is not None
    assert pcmu.codec == (0, "PCMU")


def test_no_codec_in_common() -> None:
    assert Audio("h", 1, ((9, "G722/8000"),)).answering("127.0.0.1", 2) is None


def test_our_offer_survives_the_wire() -> None:
    offer = Audio.offering("127.0.0.1", 4000, ("PCMA", "PCMU"))
    assert Audio.parse(offer.to_bytes(7)) == offer
    assert offer.formats == ((8, "PCMA/8000"), (0, "PCMU/8000"), (101, "TELEPHONE-EVENT/8000"))


@pytest.mark.parametrize(
    "body", [b"", b"v=0\r\n", b"m=audio x RTP/AVP 8\r\n", b"c=IN\r\nm=audio 1 RTP/AVP 8\r\n"]
)
def test_a_broken_description_is_refused(body: bytes) -> None:
    with pytest.raises(BadInput):
        Audio.parse(body)
