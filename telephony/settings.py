"""What the lines of a process need to know. Composed elsewhere; nothing here reads a file."""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from typing import Literal

from bot.core.errors import SettingsInvalid

MAX_CALLS = 255
"""Calls that one stack can hold (its handle table; measured)."""

_HEADER_NAME = re.compile(r"[A-Za-z0-9!#$%&'*+.^_`|~-]{1,63}")  # a token of RFC 3261, 25.1

CODECS = ("PCMA", "PCMU", "G722", "opus")


@dataclass(frozen=True, slots=True)
class SipSettings:
    """One SIP identity on one address. Raises SettingsInvalid on construction.

    host, port          where SIP is listened for (UDP and TCP); "0.0.0.0" is every address
    rtp_ports           first and last UDP port for RTP and RTCP; every call takes two
    user, domain        our address is sip:user@domain; `domain` is the registrar and may carry a port;
                        empty: host and port themselves (no trunk)
    display_name        the name in From, as the called party may see it
    outbound_proxy      where requests are sent if not to their domain: host, host:port or a sip: URI
    auth_user, password for 401 and 407; `auth_user` is `user` where empty
    register            register with `domain` and keep it up every `register_interval_s` seconds
    ca_file             whose certificates a TLS trunk may show, PEM; empty: those of the system
    srtp                how sound is encrypted, "" not at all: "sdes" (RFC 4568: keys in the signalling) or
                        "dtls" (RFC 5764); a far end that does not encrypt is refused
    codecs              in order of preference
    dtmf                how keys are sent: RFC 4733 events, SIP INFO, or whatever the far end offers
    max_calls           a further inbound call is answered 486
    trunks, allowed     who may call in beside this machine itself: names or addresses of trunks, and networks
                        ("192.0.2.0/24", "2001:db8::7"); anybody else is answered 486
    rtp_timeout_s       a far end that sends no RTP for so long has vanished; 0 never minds
    ack_timeout_s       a 200 of ours that is not confirmed for so long ends the call
    response_timeout_s  an INVITE that nobody answers in any way for so long has failed
    expose_headers      names of INVITE headers to hand on with an inbound call, 15 at most
    jitter_ms           bounds of the adaptive jitter buffer in milliseconds
    echo_control        take our own sound out of what a far end sends; only a test that sends a tone
                        around wants to have it back
    """

    host: str = "127.0.0.1"
    port: int = 5060
    rtp_ports: tuple[int, int] = (30000, 30999)
    user: str = "otklik"
    domain: str = ""
    display_name: str = ""
    outbound_proxy: str = ""
    auth_user: str = ""
    password: str = field(default="", repr=False)
    register: bool = False
    register_interval_s: int = 600
    transport: Literal["udp", "tcp", "tls"] = "udp"
    ca_file: str = ""
    srtp: Literal["", "sdes", "dtls"] = ""
    codecs: tuple[str, ...] = CODECS
    dtmf: Literal["rtpevent", "info", "auto"] = "auto"
    max_calls: int = 50
    trunks: tuple[str, ...] = ()
    allowed: tuple[str, ...] = ()
    rtp_timeout_s: int = 30
    ack_timeout_s: float = 8.0
    response_timeout_s: float = 6.0
    expose_headers: tuple[str, ...] = ()
    jitter_ms: tuple[int, int] = (20, 120)
    echo_control: bool = True

    def __post_init__(self) -> None:
        self._require(0 < self.port < 65536, "port", "a number from 1 to 65535")
        first, last = self.rtp_ports
        self._require(
            1024 <= first < last < 65536 and last - first + 1 >= 2 * self.max_calls,
            "rtp_ports",
            f"two ports from 1024 up, with at least {2 * self.max_calls} between them (two a call)",
        )
        self._require(1 <= self.max_calls <= MAX_CALLS, "max_calls", f"a number from 1 to {MAX_CALLS}")
        unknown = [name for name in self.codecs if name not in CODECS]
        self._require(bool(self.codecs) and not unknown, "codecs", f"some of {', '.join(CODECS)}")
        self._require(bool(self.user), "user", "the user part of our SIP address")
        self._require(not self.register or bool(self.domain), "domain", "the registrar, as `register` is on")
        self._require(self.register_interval_s > 0, "register_interval_s", "seconds, more than 0")
        self._require(self.rtp_timeout_s >= 0, "rtp_timeout_s", "seconds, or 0")
        proper = all(_HEADER_NAME.fullmatch(name) for name in self.expose_headers)
        self._require(proper and len(self.expose_headers) <= 15, "expose_headers", "15 header names at most")
        for name in ("ack_timeout_s", "response_timeout_s"):
            self._require(getattr(self, name) > 0, name, "seconds, more than 0")
        low, high = self.jitter_ms
        self._require(0 <= low <= high, "jitter_ms", "two numbers of milliseconds, the lower one first")

    def _require(self, holds: bool, name: str, right: str) -> None:
        if not holds:
            raise SettingsInvalid(
                f"sip.{name} cannot be {getattr(self, name)!r}", hint=f"Right would be: {right}."
            )


@dataclass(frozen=True, slots=True)
class WebRtcSettings:
    """How browsers reach this process. Raises SettingsInvalid on construction.

    hosts               addresses of this machine to offer; none: every one but loopback
    ports               first and last UDP port for media; every line takes one on each host
    stun                host and port of the server that tells our address behind a NAT; none: not asked
    turn                host and port of the relay for what no direct way reaches; none: not used
    turn_user, turn_password, turn_transport   for the relay
    relay_only          no way but the relay (and no address of ours in the answer)
    max_calls           a further offer is refused
    connect_s           a far end that is not reached for so long after our answer has failed
    reconnect_s         nothing heard for so long: the far end is gone. Until then it may come back another
                        way with a new offer
    rejoin_s            a page that closes its connection may be one that is loaded anew, and somebody has to
                        press a button there: so long it may come back before that counts as hanging up
    echo_control        as in `SipSettings`
    """

    hosts: tuple[str, ...] = ("127.0.0.1",)
    ports: tuple[int, int] = (31000, 31999)
    stun: tuple[str, int] | None = None
    turn: tuple[str, int] | None = None
    turn_user: str = ""
    turn_password: str = field(default="", repr=False)
    turn_transport: Literal["udp", "tcp", "tls"] = "udp"
    relay_only: bool = False
    max_calls: int = 12
    connect_s: float = 15.0
    reconnect_s: float = 20.0
    rejoin_s: float = 15.0
    echo_control: bool = True

    def __post_init__(self) -> None:
        first, last = self.ports
        self._require(
            1024 <= first <= last < 65536 and last - first + 1 >= self.max_calls,
            "ports",
            f"two ports from 1024 up, with at least {self.max_calls} between them (one a line)",
        )
        self._require(all(self.hosts), "hosts", "addresses of this machine")
        self._require(self.max_calls >= 1, "max_calls", "a number from 1 up")
        self._require(
            not self.relay_only or self.turn is not None, "turn", "the relay, as `relay_only` is on"
        )
        for name in ("connect_s", "reconnect_s"):
            self._require(getattr(self, name) > 0, name, "seconds, more than 0")
        self._require(self.rejoin_s >= 0, "rejoin_s", "seconds, or 0")

    def _require(self, holds: bool, name: str, right: str) -> None:
        if not holds:
            raise SettingsInvalid(
                f"webrtc.{name} cannot be {getattr(self, name)!r}", hint=f"Right would be: {right}."
            )
