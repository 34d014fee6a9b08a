"""SIP over baresip: the endpoint. With `telephony/sipstack.py` and `telephony/sipconfig.py` the only
files that know the stack, its faults and their cures.

The stack runs in its own thread; its events come to the event loop as callbacks. An event can come
before `dial` has returned the call it belongs to (a 486 that comes at once while the loop is busy):
the endpoint keeps such events and replays them. That needs one private method of the stack's binding
(`Call._on_stack_event`), which is why its version is pinned.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable, Coroutine, Mapping
from typing import Any, Literal

import structlog
from baresip.call import Call
from baresip.errors import BaresipError, RegistrationError, RuntimeDead
from baresip.events import Event, StackEvent
from baresip.runtime import Runtime
from baresip.ua import UserAgent

from bot.core.endings import EndCause, EndKind
from bot.core.errors import DialFailed, PortInUse, RuntimeDied, TrunkUnreachable
from telephony.doorman import Doorman
from telephony.leg import RejectReason
from telephony.orphans import DialogKeeper
from telephony.pacer import Pacer
from telephony.rtplimit import limit_rtp
from telephony.settings import SipSettings
from telephony.sipconfig import account, domain, stack_config, uri_of
from telephony.sipleg import SipLeg
from telephony.sipstack import SipStackCall, TraceHandler, tell
from telephony.siptrace import Sighting, Sightings
from telephony.sipunmade import all_told, counted, end_unmade
from telephony.timers import lenient

__all__ = ["SipEndpoint", "SipLeg"]

log = structlog.get_logger()

UNMADE_AFTER_S = 0.5
"""A call of which the stack has told nothing but its offer for so long is none."""

_SLACK_S = 0.004
"""The stack has a thread for each call that asks every 4 ms whether its next packet is due. They may be woken
so much later, and then together: a packet that is late by that is early enough for any jitter buffer."""


class SipEndpoint:
    """The SIP side of a process: one stack, one identity, all its calls.

        endpoint = SipEndpoint(settings, on_call=take_call)
        await endpoint.start()
        leg = await endpoint.dial("sip:+74950000001@trunk", headers={"X-Call": "7"}, timeout_s=30)
        ...
        await endpoint.stop()

    `on_call` is called with every inbound leg, which is ringing; it returns at once and answers or
    rejects the leg later. Without it, inbound calls are rejected. Who is no trunk and not among those who
    are allowed (`SipSettings.allowed`) is refused before that. `on_dead` is called once when the
    stack has died: every line has ended with STACK_DIED by then, everything else raises RuntimeDied,
    and the process is to be replaced.
    """

    def __init__(
        self,
        settings: SipSettings,
        *,
        on_call: Callable[[SipLeg], None] | None = None,
        on_dead: Callable[[], None] | None = None,
        pacer: Pacer | None = None,
        keeper: DialogKeeper | None = None,
    ) -> None:
        self.settings = settings
        self._keeper = keeper
        self._on_call = on_call or self._refuse
        self._on_dead = on_dead
        self._dead = False
        self._pacer = pacer or Pacer()
        self._doorman = Doorman(settings.allowed, settings.trunks)
        self._runtime: Runtime | None = None
        self._agents: dict[tuple[str, str], UserAgent] = {}
        self._legs: dict[int, SipLeg] = {}
        self._dialling = 0
        self._early: dict[int, list[StackEvent]] = {}
        self._unmade: set[int] = set()
        self._sightings = Sightings()
        self._registered = False
        self._trace: TraceHandler | None = None
        self._tasks: set[asyncio.Task[None]] = set()

    @property
    def address(self) -> str:
        """Where SIP is listened for, as host:port."""
        return f"{self.settings.host}:{self.settings.port}"

    @property
    def registered(self) -> bool:
        """True while the registrar knows us; always False without registration."""
        return self._registered

    @property
    def legs(self) -> tuple[SipLeg, ...]:
        """Every line there is now, ringing ones included."""
        return tuple(self._legs.values())

    async def start(self) -> None:
        """Raises PortInUse, and TrunkUnreachable where registration is asked for and fails."""
        loop = asyncio.get_running_loop()
        self._trace = TraceHandler(lambda seen: self._post(loop, seen), self._keeper)
        logger = logging.getLogger("baresip.native.sip")
        logger.setLevel(logging.DEBUG)
        logger.propagate = False
        logger.addHandler(self._trace)
        runtime = Runtime()
        runtime.on_dead = self._die  # type: ignore[assignment]  # the binding declares None only
        try:
            with lenient(_SLACK_S):
                await runtime.start(stack_config(self.settings))
        except BaresipError as error:
            self._drop_trace()
            where = self.address
            if "in use" in str(error):
                hint = "Another process listens there: end it, or set another sip.port."
                raise PortInUse(f"SIP cannot listen on {where}: the port is in use", hint=hint) from error
            if isinstance(error, RuntimeDead):
                raise RuntimeDied(str(error)) from error
            raise PortInUse(f"SIP cannot listen on {where}: {error}") from error
        self._runtime = runtime
        runtime.subscribe(self._on_event)
        try:
            limit_rtp()
            agent = await self._agent_for(self.settings.user, self.settings.display_name)
            if self.settings.register:
                await self._register(agent)
        except BaseException:
            await self.stop()
            raise

    async def _register(self, agent: UserAgent) -> None:
        try:
            await agent.register()
        except RegistrationError as error:
            if error.status:
                told = f"отказал: {error.status} {error.reason}"
                hint = "проверьте sip.user, sip.trunk.auth_user и пароль sip.trunk.password"
            else:
                told = f"не отвечает ({error})"
                hint = "работает ли он, верны ли sip.trunk.domain и sip.trunk.transport, пускает ли сеть"
            raise TrunkUnreachable(
                f"регистратор {self.settings.domain} для {self.settings.user} {told}", hint=hint
            ) from error

    async def stop(self) -> None:
        """End every line, take the registration back, release the port. Idempotent."""
        runtime, self._runtime = self._runtime, None
        if runtime is None:
            return
        try:
            if not self._dead:
                await asyncio.gather(*(leg.hang_up() for leg in self.legs))
                if self._registered:
                    await self._agents[self.settings.user, self.settings.display_name].unregister(timeout=2.0)
        except RegistrationError as error:
            log.warning("registration was not taken back", reason=str(error))
        finally:
            self._registered = False
            self._drop_trace()
            await runtime.close()

    async def stack_calls(self) -> int:
        """How many calls the stack itself counts; those that it could not make for a moment as well."""
        return await counted(self._live())

    async def taken(self) -> int:
        """How many lines are not free: a call that has ended is still one until the stack has let go of it,
        and meanwhile it refuses another. One that has died lets go of nothing more."""
        try:
            return max(len(self._legs), await self.stack_calls())
        except (BaresipError, RuntimeDied):
            return len(self._legs)

    async def drain(self) -> None:
        """Take no new calls (486) and wait until the last one has ended."""
        await self._live().drain()

    async def dial(
        self,
        uri: str,
        *,
        headers: Mapping[str, str] | None = None,
        timeout_s: float = 30.0,
        caller_id: str | None = None,
        caller_name: str | None = None,
        placed: Callable[[SipLeg], None] | None = None,
    ) -> SipLeg:
        """Ring `uri` and return when it has answered. Raises DialFailed with its cause. Cancelling it
        cancels the ringing. `placed` is told the leg before it is answered, for its early media."""
        placing = asyncio.create_task(
            self.place(uri, headers=headers, caller_id=caller_id, caller_name=caller_name)
        )
        try:
            leg = await asyncio.shield(placing)
        except asyncio.CancelledError:
            # The stack has its order and cannot be told to forget it: wait for the call, then end it.
            self._keep(self._end_placed(placing))
            raise
        try:
            if placed is not None:
                placed(leg)
            await leg.established(timeout_s)
        except BaseException:
            await leg.hang_up()
            raise
        return leg

    async def _end_placed(self, placing: asyncio.Task[SipLeg]) -> None:
        try:
            leg = await placing
        except (DialFailed, RuntimeDied) as error:
            log.info("call was not there to cancel", reason=error.code)
        else:
            await leg.hang_up()

    async def place(
        self,
        uri: str,
        *,
        headers: Mapping[str, str] | None = None,
        caller_id: str | None = None,
        caller_name: str | None = None,
    ) -> SipLeg:
        """Send the INVITE and return the leg at once: early media is in `frames()`, and
        `established()` tells how it went. `caller_id` is the user part of From and `caller_name` the name
        in it, ours by default; the trunk must accept them. Raises DialFailed if there is no way to send it,
        RuntimeDied."""
        self._live()
        if len(self._legs) >= self.settings.max_calls:
            cause = EndCause(EndKind.FAILED, text="no free line")
            raise DialFailed(f"all {self.settings.max_calls} lines are taken", cause=cause)
        user = caller_id or self.settings.user
        self._dialling += 1
        try:
            name = self.settings.display_name if caller_name is None else caller_name
            call = await (await self._agent_for(user, name)).dial(uri, dict(headers or {}))
            leg = self._adopt(call, "outbound", remote=uri, local=f"sip:{user}@{domain(self.settings)}")
            for event in self._early.pop(call.handle, ()):
                call._on_stack_event(event)
                tell(leg, event)
            self._tell_sightings(leg)
        except RuntimeDead as error:
            raise RuntimeDied(str(error)) from error
        except (BaresipError, ValueError) as error:
            cause = EndCause(EndKind.UNREACHABLE, text=str(error))
            raise DialFailed(f"{uri} cannot be called: {error}", cause=cause) from error
        finally:
            self._dialling -= 1
            if self._dialling == 0:
                self._early.clear()
        return leg

    async def _agent_for(self, user: str, name: str) -> UserAgent:
        """The stack's identity for one user part and name; the first one takes calls for any."""
        agent = self._agents.get((user, name))
        if agent is None:
            spelled = account(self.settings, user, registers=self.settings.register and not self._agents)
            shown = name.replace('"', "")
            agent = await UserAgent.create(self._live(), f'"{shown}" {spelled}' if shown else spelled)
            agent.on_incoming(self._on_incoming)
            self._agents[user, name] = agent
        return agent

    def _adopt(
        self, call: Call, direction: Literal["inbound", "outbound"], *, remote: str, local: str
    ) -> SipLeg:
        leg = SipLeg(
            SipStackCall(call),
            direction=direction,
            remote=remote,
            local=local,
            headers=dict(call.headers),
            settings=self.settings,
            pacer=self._pacer,
            closed=lambda leg: self._forget(call.handle, leg),
        )
        self._legs[call.handle] = leg
        return leg

    def _forget(self, handle: int, leg: SipLeg) -> None:
        self._legs.pop(handle, None)
        self._sightings.forget(leg.call_id)

    def _on_incoming(self, call: Call) -> None:
        called = uri_of(call.headers.pop("To", "")) or f"sip:{self.settings.user}@{domain(self.settings)}"
        leg = self._adopt(call, "inbound", remote=call.peer or "", local=called)
        self._tell_sightings(leg)
        self._keep(self._let_in(leg))

    async def _let_in(self, leg: SipLeg) -> None:
        source = await leg.came_from()
        if leg.ended.done():
            return
        if not await self._doorman.admits(source):
            log.warning("call of a stranger refused", leg=leg.id, source=source or "unknown")
            await leg.reject(RejectReason.BUSY)
            return
        try:
            self._on_call(leg)
        except Exception as error:  # whatever its taker's fault: no line is left ringing for nobody
            log.exception("incoming call was not taken", leg=leg.id, error=str(error))
            await leg.reject(RejectReason.BUSY)

    def _refuse(self, leg: SipLeg) -> None:
        self._keep(leg.reject(RejectReason.BUSY))

    def _keep(self, work: Coroutine[Any, Any, None]) -> None:
        """Let it run by itself, to its end."""
        task = asyncio.create_task(work)
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    def _on_event(self, event: StackEvent) -> None:
        if event.event in (Event.REGISTER_OK, Event.REGISTER_FAIL):
            self._registered = event.event is Event.REGISTER_OK
            if not self._registered:
                log.warning("registration failed", reason=event.text)
        if not event.call:
            return
        leg = self._legs.get(event.call)
        if leg is not None:
            tell(leg, event)
            self._tell_sightings(leg)
        elif event.event is Event.CALL_REMOTE_SDP and event.text == "offer":
            if not self._unmade:
                self._keep(self._end_unmade())
            self._unmade.add(event.call)
        elif self._dialling:
            self._early.setdefault(event.call, []).append(event)

    async def _end_unmade(self) -> None:
        await asyncio.sleep(UNMADE_AFTER_S)
        runtime = self._runtime
        if runtime is None or self._dead:
            return
        try:
            await all_told(runtime)
            offered, self._unmade = self._unmade, set()
            unmade = offered - self._legs.keys()
            if unmade and (ended := await end_unmade(runtime, unmade)):
                log.warning("calls that the stack could not make were ended", calls=ended)
        except BaresipError as error:
            self._unmade.clear()
            log.warning("calls that the stack could not make are left", reason=str(error))

    def _post(self, loop: asyncio.AbstractEventLoop, seen: Sighting) -> None:
        """LOG THREAD."""
        if not loop.is_closed():
            loop.call_soon_threadsafe(self._on_sighting, seen)

    def _on_sighting(self, seen: Sighting) -> None:
        self._sightings.add(seen)
        for leg in self.legs:
            if leg.call_id == seen.call_id:
                leg.on_sighting(seen)

    def _tell_sightings(self, leg: SipLeg) -> None:
        for seen in self._sightings.of(leg.call_id):
            leg.on_sighting(seen)

    def _live(self) -> Runtime:
        if self._dead or self._runtime is None:
            raise RuntimeDied("the SIP stack of this process is not running")
        return self._runtime

    def _die(self) -> None:
        self._dead = True
        self._registered = False
        log.critical("sip stack died", lines=len(self._legs))
        for leg in self.legs:
            leg.end(EndCause(EndKind.STACK_DIED))
        if self._on_dead is not None:
            self._on_dead()

    def _drop_trace(self) -> None:
        if self._trace is not None:
            logging.getLogger("baresip.native.sip").removeHandler(self._trace)
            self._trace = None
