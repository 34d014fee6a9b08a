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
    the far end's Contact URI, `peer` the host:port that its messages come from."""

    call_id: str
    local: str
    remote: str
    target: str
    peer: str
    routes: tuple[str, ...]
    cseq: int


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
        self._limit = limit

    def see(self, traced: str) -> tuple[str, Dialog | None] | None:
        """What this message changes: a Call-ID with its dialog, now up, or with None, now over."""
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
        elif message.method == "BYE" and self._up.pop(call_id, None) is not None:
            self._offers.pop(call_id, None)
            return call_id, None
        return None

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
        return call_id, dialog


def bye(dialog: Dialog, sent_by: str) -> bytes:
    """The request that ends it (15.1.1). `sent_by` is the host:port that it is sent from."""
    lines = [
        f"BYE {dialog.target} SIP/2.0",
        f"Via: SIP/2.0/UDP {sent_by};branch=z9hG4bK{secrets.token_hex(8)};rport",
        *(f"Route: {route}" for route in dialog.routes),
        "Max-Forwards: 70",
        f"From: {dialog.local}",
        f"To: {dialog.remote}",
        f"Call-ID: {dialog.call_id}",
        f"CSeq: {dialog.cseq + _CSEQ_AHEAD} BYE",
        'Reason: SIP;cause=500;text="node failure"',
        "Content-Length: 0",
    ]
    return ("\r\n".join(lines) + "\r\n\r\n").encode()
