"""ICE of one WebRTC line: on the addresses and ports of the settings, and able to restart.

The ICE agent of aioice listens on every address but loopback, on any port, and negotiates once. `BoundIce`
listens where the settings say. `IceLink` has the face that aiortc expects of an agent, so that a second
agent can take the first one's place under the same DTLS session when the network has changed (RFC 8445, 9).
"""

from __future__ import annotations

import asyncio
import random
import struct
from collections.abc import Callable
from contextlib import suppress
from typing import Any

import structlog
from aioice import Candidate, Connection, ConnectionClosed
from aioice.candidate import candidate_foundation, candidate_priority
from aioice.ice import StunProtocol, TransportPolicy, server_reflexive_candidate

from bot.core.errors import PortInUse
from telephony.settings import WebRtcSettings

log = structlog.get_logger()

_STUN_WAIT_S = 2.0
"""How long an answer waits for the STUN server: a browser that waits shows a ringing phone."""

_UNREAD = 500
"""Datagrams that may wait while DTLS is not listening yet (10 s of sound): whoever sends more floods us."""

_LONGEST = 1500
"""Bytes of a datagram that SRTP takes. DTLS gives the line up over a longer one, and over an empty one."""


class _Ear(StunProtocol):
    """A port on which anybody may send anything: STUN that cannot be read is none."""

    def datagram_received(self, data: bytes | str, addr: tuple[Any, ...]) -> None:
        with suppress(struct.error):  # an attribute that is too short: aioice does not look at each of them
            super().datagram_received(data, addr)


class BoundIce(Connection):
    """An agent on the hosts and ports of the settings. `heard` is given every datagram that is not of ICE,
    also while the agent still looks for the best way: the far end may have found one already."""

    def __init__(self, settings: WebRtcSettings, heard: Callable[[bytes], None]) -> None:
        relay = TransportPolicy.RELAY if settings.relay_only else TransportPolicy.ALL
        super().__init__(
            ice_controlling=False,
            turn_server=settings.turn or None,
            turn_username=settings.turn_user or None,
            turn_password=settings.turn_password or None,
            turn_ssl=settings.turn_transport == "tls",
            turn_transport="udp" if settings.turn_transport == "udp" else "tcp",
            transport_policy=relay,
        )
        self._settings = settings
        self._heard = heard

    def data_received(self, data: bytes, component: int) -> None:
        self._heard(data)

    async def get_component_candidates(
        self, component: int, addresses: list[str], timeout: int = 5
    ) -> list[Candidate]:
        """Host candidates of our own, their reflexive ones, and what the base class gets of TURN. Raises
        PortInUse."""
        hosts = list(self._settings.hosts or addresses) if not self._settings.relay_only else []
        bound = [await self._bound(host, component) for host in hosts]
        self._protocols += bound
        relayed = asyncio.ensure_future(super().get_component_candidates(component, [], timeout))
        reflexive = await self._reflexive(bound)
        return [protocol.local_candidate for protocol in bound] + reflexive + await relayed

    async def _bound(self, host: str, component: int) -> StunProtocol:
        loop = asyncio.get_running_loop()
        for port in self._ports():
            with suppress(OSError):
                _, protocol = await loop.create_datagram_endpoint(lambda: _Ear(self), local_addr=(host, port))
                address = protocol.transport.get_extra_info("sockname")
                protocol.local_candidate = Candidate(
                    foundation=candidate_foundation("host", "udp", address[0]),
                    component=component,
                    transport="udp",
                    priority=candidate_priority(component, "host"),
                    host=address[0],
                    port=address[1],
                    type="host",
                )
                return protocol
        first, last = self._settings.ports
        raise PortInUse(
            f"no free UDP port for WebRTC on {host} from {first} to {last}",
            hint="Widen webrtc.ports (one port a line), or set webrtc.hosts to addresses of this machine.",
        )

    def _ports(self) -> list[int]:
        """In any order: two lines that begin at once then seldom try the same."""
        first, last = self._settings.ports
        return random.sample(range(first, last + 1), last - first + 1)

    async def _reflexive(self, bound: list[StunProtocol]) -> list[Candidate]:
        """Our addresses as the STUN server sees them (IPv4); none where it does not answer in time."""
        if not self._settings.stun or not bound:
            return []
        asked = [
            asyncio.ensure_future(server_reflexive_candidate(protocol, self._settings.stun))
            for protocol in bound
            if ":" not in protocol.local_candidate.host
        ]
        done, late = await asyncio.wait(asked, timeout=_STUN_WAIT_S)
        for task in late:
            task.cancel()
        failed = [str(task.exception()) for task in done if task.exception() is not None]
        if late or failed:
            log.warning("the STUN server gave no address", server=self._settings.stun, reason=failed)
        return [task.result()[0] for task in done if task.exception() is None]


class IceLink:
    """The agent that a peer connection of aiortc works with, and its successors.

    Whoever the far end is, it is never said to have no more candidates: that it reaches us tells its
    address (RFC 8445, 7.3.1.3), and how long that may take is the line's to decide.
    """

    def __init__(self, settings: WebRtcSettings) -> None:
        self._settings = settings
        self._loop = asyncio.get_running_loop()
        self._now = BoundIce(settings, self._take)
        self._next: BoundIce | None = None
        self._received: asyncio.Queue[bytes | None] = asyncio.Queue()
        self._closed = asyncio.Event()
        self.heard_at = self._loop.time()
        """When anything but ICE itself was last received (loop clock)."""

    @property
    def _negotiated(self) -> BoundIce:
        return self._next or self._now

    async def restart(self, username: str, password: str) -> None:
        """A second agent for the far end's new credentials; `reconnect` brings it up."""
        if self._next is not None:
            await self._next.close()
        self._next = BoundIce(self._settings, self._take)
        self._next.remote_username, self._next.remote_password = username, password
        await self._next.gather_candidates()

    async def reconnect(self) -> None:
        """Returns when the far end is reached in the new way, and sends go there. The old way is heard
        until then. Raises ConnectionError when it was closed meanwhile, or overtaken by another restart."""
        agent = self._next
        if agent is None:
            return
        await agent.connect()
        if agent is not self._next:
            raise ConnectionError("overtaken by another restart")
        old, self._now, self._next = self._now, agent, None
        await old.close()

    def _take(self, data: bytes) -> None:
        if not 0 < len(data) <= _LONGEST:
            return
        self.heard_at = self._loop.time()
        if self._received.qsize() < _UNREAD:
            self._received.put_nowait(data)

    # -- what aiortc asks of an agent --------------------------------------------------------------

    @property
    def ice_controlling(self) -> bool:
        return self._negotiated.ice_controlling

    @ice_controlling.setter
    def ice_controlling(self, value: bool) -> None:
        self._negotiated.ice_controlling = value

    @property
    def remote_is_lite(self) -> bool:
        return self._negotiated.remote_is_lite

    @remote_is_lite.setter
    def remote_is_lite(self, value: bool) -> None:
        self._negotiated.remote_is_lite = value

    @property
    def remote_username(self) -> str | None:
        return self._negotiated.remote_username

    @remote_username.setter
    def remote_username(self, value: str | None) -> None:
        self._negotiated.remote_username = value

    @property
    def remote_password(self) -> str | None:
        return self._negotiated.remote_password

    @remote_password.setter
    def remote_password(self, value: str | None) -> None:
        self._negotiated.remote_password = value

    @property
    def local_username(self) -> str:
        return self._negotiated.local_username

    @property
    def local_password(self) -> str:
        return self._negotiated.local_password

    @property
    def local_candidates(self) -> list[Candidate]:
        return self._negotiated.local_candidates

    @property
    def remote_candidates(self) -> list[Candidate]:
        return self._negotiated.remote_candidates

    async def add_remote_candidate(self, candidate: Candidate | None) -> None:
        """A name of mDNS (`….local`, how browsers hide an address) is not looked up: the far end that
        has it reaches us."""
        if candidate is not None and not candidate.host.endswith(".local"):
            await self._negotiated.add_remote_candidate(candidate)

    async def gather_candidates(self) -> None:
        await self._negotiated.gather_candidates()

    async def connect(self) -> None:
        await self._now.connect()

    async def close(self) -> None:
        self._closed.set()
        self._received.put_nowait(None)
        for agent in (self._now, self._next):
            if agent is not None:
                await agent.close()

    async def get_event(self) -> ConnectionClosed:
        await self._closed.wait()
        return ConnectionClosed()

    async def recv(self) -> bytes:
        data = await self._received.get()
        if data is None:
            raise ConnectionError("the line is closed")
        return data

    async def send(self, data: bytes) -> None:
        """What cannot be sent now is lost, as on any network: the line may come back another way."""
        if self._closed.is_set():
            raise ConnectionError("the line is closed")
        with suppress(ConnectionError):
            await self._now.send(data)
