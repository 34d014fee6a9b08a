"""A SIP dialog as the messages on the wire show it, and the BYE that ends it from outside.

When the process that holds a call dies, the far end is not told: it would listen to silence until
it gives up. What a dialog is made of (RFC 3261, 12) is enough for anybody on this machine to end it.
Pure: reading traced messages and writing a request.
"""

from __future__ import annotations

import re
import secrets
from dataclasses import dataclass

_TRACED = re.compile(r"^(RX|TX) (\w+) (\S+) -> (\S+)\n", re.IGNORECASE)
_TAG = re.compile(r";\s*tag=([^;>\s]+)", re.IGNORECASE)
_COMPACT = {"i": "call-id", "f": "from", "t": "to", "m": "contact"}
_CSEQ_AHEAD = 1000
"""How far our CSeq jumps ahead: it must exceed every request that the dead process sent (12.2.1.1)."""


@dataclass(frozen=True, slots=True)
class Dialog:
    """One established call. `local` and `remote` are From and To values with their tags, `target` is
    the far end's Contact URI, `peer` the host:port that its messages come from.

    `via` is "" but where the far end only rings yet: the Via of our INVITE, whose address `target` is then.
    """

    call_id: str
    local: str
    remote: str
    target: str
    peer: str
    routes: tuple[str, ...]
    cseq: int
    via: str = ""


@dataclass(frozen=True, slots=True)
class _Message:
    received: bool
    transport: str
    source: str
    destination: str
    start: str
    headers: dict[str, list[str]]

    def first(self, name: str) -> str:
        return next(iter(self.headers.get(name, ())), "")

    @property
    def peer(self) -> str:
        return self.source if self.received else self.destination

    @property
    def method(self) -> str:
        return self.first("cseq").rpartition(" ")[2].upper()


def _read(traced: str) -> _Message | None:
    line = _TRACED.match(traced)
    if line is None:
        return None
    head = traced[line.end() :].partition("\r\n\r\n")[0]
    start, *rest = head.split("\r\n")
    headers: dict[str, list[str]] = {}
    for header in rest:
        name, colon, value = header.partition(":")
        if colon:
            key = name.strip().lower()
            headers.setdefault(_COMPACT.get(key, key), []).append(value.strip())
    received, transport = line[1].upper() == "RX", line[2].upper()
    return _Message(received, transport, line[3], line[4], start, headers)


def _uri(value: str) -> str:
    return value.partition("<")[2].partition(">")[0] or value.partition(";")[0].strip()


class Dialogs:
    """Follows traced messages and knows the dialogs that are up. One thread at a time."""

    def __init__(self, limit: int = 1024) -> None:
        self._offers: dict[str, _Message] = {}
        self._up: dict[str, Dialog] = {}
        self._ringing: set[str] = set()
        self._limit = limit

    def see(self, traced: str) -> tuple[str, Dialog | None] | None:
        """What this message changes: a Call-ID with its dialog, now ringing or up, or with None, now over."""
        message = _read(traced)
        if message is None or message.transport != "UDP":
            return None
        call_id = message.first("call-id")
        if message.start.startswith("INVITE "):
            self._offers.setdefault(call_id, message)
            while len(self._offers) > self._limit:
                self._offers.pop(next(iter(self._offers)))
        elif message.start.startswith("SIP/2.0 2") and message.method == "INVITE":
            return self._established(call_id, message)
        elif message.received and message.start.startswith("SIP/2.0 1") and message.method == "INVITE":
            return self._rings(call_id, message)
        elif message.received and message.start.startswith("SIP/2.0 ") and message.method == "INVITE":
            self._offers.pop(call_id, None)  # refused; with another password it may be offered again
            if call_id in self._ringing:
                self._ringing.discard(call_id)
                return call_id, None
        elif message.method == "BYE" and self._up.pop(call_id, None) is not None:
            self._offers.pop(call_id, None)
            return call_id, None
        return None

    def _rings(self, call_id: str, answer: _Message) -> tuple[str, Dialog] | None:
        """A provisional answer to an INVITE of ours: from here on it can be cancelled (9.1)."""
        offer = self._offers.get(call_id)
        if offer is None or offer.received or call_id in self._up or call_id in self._ringing:
            return None
        self._ringing.add(call_id)
        return call_id, Dialog(
            call_id=call_id,
            local=offer.first("from"),
            remote=offer.first("to"),
            target=offer.start.split()[1],
            peer=answer.peer,
            routes=tuple(offer.headers.get("route", ())),
            cseq=int(offer.first("cseq").split()[0]),
            via=offer.first("via"),
        )

    def _established(self, call_id: str, answer: _Message) -> tuple[str, Dialog] | None:
        """12.1: the caller's side takes the target from the answer, the called side from the INVITE."""
        offer = self._offers.get(call_id)
        if call_id in self._up or offer is None or not _TAG.search(answer.first("to")):
            return None
        ours = answer.received  # an answer that we receive is to an INVITE of ours
        routes = tuple(answer.headers.get("record-route", ()))
        dialog = Dialog(
            call_id=call_id,
            local=answer.first("from") if ours else answer.first("to"),
            remote=answer.first("to") if ours else answer.first("from"),
            target=_uri((answer if ours else offer).first("contact")),
            peer=answer.peer,
            routes=routes[::-1] if ours else routes,
            cseq=int(answer.first("cseq").split()[0]) if ours else 0,
        )
        self._up[call_id] = dialog
        self._ringing.discard(call_id)
        return call_id, dialog


def farewell(dialog: Dialog, sent_by: str) -> bytes:
    """The request that ends it: BYE (15.1.1), or CANCEL where it only rings (9.1: all but the method is the
    INVITE's own). `sent_by` is the host:port that it is sent from."""
    method, number = ("CANCEL", dialog.cseq) if dialog.via else ("BYE", dialog.cseq + _CSEQ_AHEAD)
    via = dialog.via or f"SIP/2.0/UDP {sent_by};branch=z9hG4bK{secrets.token_hex(8)};rport"
    lines = [
        f"{method} {dialog.target} SIP/2.0",
        f"Via: {via}",
        *(f"Route: {route}" for route in dialog.routes),
        "Max-Forwards: 70",
        f"From: {dialog.local}",
        f"To: {dialog.remote}",
        f"Call-ID: {dialog.call_id}",
        f"CSeq: {number} {method}",
        'Reason: SIP;cause=500;text="node failure"',
        "Content-Length: 0",
    ]
    return ("\r\n".join(lines) + "\r\n\r\n").encode()
