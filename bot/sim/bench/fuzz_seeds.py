"""Whole messages of every kind that a node's ports take, from which a fuzzer starts. Pure.

Call-IDs, branches and tags are new each time: who is not on the way of a call does not know those of others.
"""

from __future__ import annotations

import random
import struct

from bot.sim.bench.mutations import Mutator

WITHIN = ("ACK", "BYE", "CANCEL", "INFO", "UPDATE", "REFER", "NOTIFY", "PRACK")
METHODS = ("OPTIONS", "REGISTER", "MESSAGE", "SUBSCRIBE", "PUBLISH", *WITHIN)
_EXTRA = {
    "REFER": "Refer-To: <sip:someone@127.0.0.1?Replaces=a%3Bto-tag%3Db%3Bfrom-tag%3Dc>\r\n",
    "SUBSCRIBE": "Event: presence\r\nExpires: 60\r\n",
    "NOTIFY": "Event: refer\r\nSubscription-State: active;expires=60\r\nContent-Type: message/sipfrag\r\n",
    "INFO": "Content-Type: application/dtmf-relay\r\n",
    "PRACK": "RAck: 1 1 INVITE\r\n",
    "REGISTER": 'Authorization: Digest username="a", realm="b", nonce="c", uri="sip:d", response="e"\r\n',
}
_BODY = {"INFO": "Signal=5\r\nDuration=160\r\n", "NOTIFY": "SIP/2.0 200 OK\r\n"}
_STUN_MAGIC = 0x2112A442


class Seeds:
    """Messages to the node at `node` (host:port), as if from `own`. `mutator` is for bodies that must be in a
    whole message to be read at all."""

    def __init__(self, node: str, own: str, rng: random.Random, mutator: Mutator) -> None:
        self._node, self._own = node, own
        self._rng, self._mutator = rng, mutator

    def request(self) -> bytes:
        method = self._rng.choice(METHODS)
        return self._message(method, "csat", _EXTRA.get(method, ""), _BODY.get(method, "").encode())

    def invite(self, number: str) -> bytes:
        return self._message("INVITE", number, "Content-Type: application/sdp\r\n", self.sdp())

    def invite_with_bad_sdp(self, number: str) -> bytes:
        """A whole INVITE, so that the description within it gets to the parser it is meant for."""
        body = self._mutator.text(self.sdp())
        return self._message("INVITE", number, "Content-Type: application/sdp\r\n", body)

    def response(self) -> bytes:
        status = self._rng.choice((100, 180, 183, 200, 202, 302, 401, 407, 486, 503, 603))
        head = f"SIP/2.0 {status} Some Reason\r\n{self._headers(self._rng.choice(METHODS), 'csat')}"
        return f"{head}WWW-Authenticate: Digest realm=r, nonce=n\r\nContent-Length: 0\r\n\r\n".encode()

    def sdp(self) -> bytes:
        host, _, _ = self._own.partition(":")
        media = self._rng.choice(
            ("RTP/AVP 8 0 9 96 101", "RTP/SAVP 8 0", "UDP/TLS/RTP/SAVPF 96", "RTP/AVP 3 4 18 101")
        )
        return (
            f"v=0\r\no=- 1 1 IN IP4 {host}\r\ns=-\r\nc=IN IP4 {host}\r\nt=0 0\r\nm=audio 9 {media}\r\n"
            "a=rtpmap:96 opus/48000/2\r\na=fmtp:96 useinbandfec=1;maxaveragebitrate=30000\r\n"
            "a=rtpmap:101 telephone-event/8000\r\na=fmtp:101 0-15\r\na=ptime:20\r\na=sendrecv\r\n"
            "a=crypto:1 AES_CM_128_HMAC_SHA1_80 inline:d0RmdmcmVCspeEc3QGZiNWpVLFJhQX1cfHAwJSoj|2^20|1:32\r\n"
            "a=fingerprint:sha-256 00:11:22:33\r\na=setup:actpass\r\n"
            "a=ice-ufrag:abcd\r\na=ice-pwd:efghijkl\r\n"
            "a=candidate:1 1 UDP 2130706431 127.0.0.1 9 typ host\r\na=rtcp-mux\r\n"
            "m=video 9 RTP/AVP 31\r\na=rtpmap:31 H261/90000\r\n"
        ).encode()

    def rtp(self) -> bytes:
        """Of a codec or of a key, with extension, padding and contributors in some."""
        payload = self._rng.choice((0, 8, 9, 96, 101, 13, 72, 127))
        flags = 0x80 | self._rng.choice((0, 0, 0, 0x10, 0x20, 0x05))
        head = struct.pack(
            "!BBHII",
            flags,
            payload,
            self._rng.getrandbits(16),
            self._rng.getrandbits(32),
            self._rng.getrandbits(32),
        )
        return head + self._rng.randbytes(self._rng.choice((0, 1, 4, 160, 320, 1400)))

    def rtcp(self) -> bytes:
        """SR, RR, SDES, BYE, APP, RTPFB, PSFB or XR, two of them in one packet."""
        return b"".join(self._report(self._rng.randint(200, 207)) for _ in range(2))

    def _report(self, kind: int) -> bytes:
        words = self._rng.randint(1, 12)
        count = self._rng.randint(0, 31)
        return struct.pack("!BBH", 0x80 | count, kind, words) + self._rng.randbytes(4 * words)

    def stun(self) -> bytes:
        """A binding request, answer or error with attributes known and unknown."""
        attributes = b""
        for _ in range(self._rng.randint(0, 6)):
            value = self._rng.randbytes(self._rng.choice((0, 4, 8, 20, 33)))
            kind = self._rng.choice(
                (0x0001, 0x0006, 0x0008, 0x0009, 0x0014, 0x0020, 0x0024, 0x8028, 0x8029, 0x7777)
            )
            attributes += struct.pack("!HH", kind, len(value)) + value + bytes(-len(value) % 4)
        kind = self._rng.choice((0x0001, 0x0011, 0x0101, 0x0111, 0x0003))
        return struct.pack("!HHI", kind, len(attributes), _STUN_MAGIC) + self._rng.randbytes(12) + attributes

    def dtls(self) -> bytes:
        """One or two records (RFC 6347, 4.1): handshake, alert, change of cipher, data, those of 1.3; of the
        first epochs, in clear or as if enciphered."""
        return b"".join(self._record() for _ in range(self._rng.choice((1, 1, 2))))

    def _record(self) -> bytes:
        kind = self._rng.choice((20, 21, 22, 22, 22, 23, 25, 26))
        match kind:
            case 20:
                body = b"\x01"
            case 21:
                body = bytes((self._rng.choice((1, 2)), self._rng.choice((0, 10, 20, 40, 80, 90))))
            case 22:
                body = self._handshake()
            case _:
                body = self._rng.randbytes(self._rng.choice((0, 1, 24, 300)))
        version = self._rng.choice((0xFEFD, 0xFEFD, 0xFEFF, 0x0303))
        epoch, number = self._rng.choice((0, 0, 1, 2, 65_535)), self._rng.choice((0, 1, 5, 2**48 - 1))
        return (
            struct.pack("!BHH", kind, version, epoch)
            + number.to_bytes(6)
            + struct.pack("!H", len(body))
            + body
        )

    def _handshake(self) -> bytes:
        """Hellos, certificates, keys and the end of it, whole or a piece of one."""
        kind = self._rng.choice((0, 1, 2, 3, 11, 12, 13, 14, 15, 16, 20))
        body = self._rng.randbytes(self._rng.choice((0, 2, 36, 200, 1100)))
        if kind in (1, 2):
            body = (
                b"\xfe\xfd" + self._rng.randbytes(32) + bytes(2) + b"\x00\x04\xc0\x2b\xc0\x2f\x01\x00" + body
            )
        whole = self._rng.choice((len(body), len(body), 2**24 - 1))
        sequence, offset = self._rng.choice((0, 1, 7, 65_535)), self._rng.choice((0, 0, 100, 2**24 - 1))
        return (
            bytes((kind,))
            + whole.to_bytes(3)
            + sequence.to_bytes(2)
            + offset.to_bytes(3)
            + len(body).to_bytes(3)
            + body
        )

    def _message(self, method: str, number: str, extra: str, body: bytes) -> bytes:
        head = (
            f"{method} sip:{number}@{self._node} SIP/2.0\r\n{self._headers(method, number)}{extra}"
            f"Content-Length: {len(body)}\r\n\r\n"
        )
        return head.encode() + body

    def _headers(self, method: str, number: str) -> str:
        mark = f"{self._rng.getrandbits(64):x}"
        tag = f";tag={mark}" if method in WITHIN else ""
        return (
            f"Via: SIP/2.0/UDP {self._own};branch=z9hG4bK{mark};rport\r\nMax-Forwards: 70\r\n"
            f'From: "Анна \\"" <sip:+74950000001@{self._own}>;tag={mark}\r\n'
            f"To: <sip:{number}@{self._node}>{tag}\r\n"
            f"Call-ID: {mark}@fuzz\r\nCSeq: {self._rng.randint(1, 99)} {method}\r\n"
            f"Contact: <sip:fuzz@{self._own};transport=udp>\r\nX-Agent-Id: anna\r\n"
            "User-to-User: agent=anna&department=billing\r\n"
            "P-Asserted-Identity: <sip:+74950000001@pbx.test>\r\n"
        )
