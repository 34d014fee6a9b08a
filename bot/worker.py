"""A media worker: one process that owns the lines and runs the calls, and does nothing else.

It takes orders over its own control socket (`place`, `status`, and those of bot/worker_orders.py and
bot/browser_calls.py), streams call events back, and keeps them in its spool. It knows no database: when it
dies, its calls die, and whatever they had committed is in the spool.
"""

from __future__ import annotations

import asyncio
import gc
import os
import signal
import sys
from collections.abc import Callable, Coroutine
from concurrent.futures import ThreadPoolExecutor
from contextlib import AsyncExitStack
from dataclasses import replace
from typing import Any

import aiohttp
import structlog
import uvloop

from bot.browser_calls import BrowserCalls, CustomerOffer
from bot.call.dialling import Caller, Dial
from bot.call.dialogue import RasaDialogue
from bot.call.plan import CallPlan, CallRoom
from bot.call.recording import Recording
from bot.call.session import CallSession
from bot.call.spool import Spool
from bot.control_router import ControlRouter
from bot.core.clock import SystemClock
from bot.core.context import CallContext
from bot.core.control import ControlServer
from bot.core.endings import Disposition
from bot.core.errors import OtklikError, RuntimeDied, SurveyInvalid, Unavailable
from bot.core.ids import new_id
from bot.core.realtime import behind_the_lines, lines_first, others_behind_the_lines, unless_restless
from bot.core.returning import OpenMatter
from bot.core.routing import DESK
from bot.desk_lines import DeskLines
from bot.inbound.attributing import Heard, heard
from bot.logs import configure_logs
from bot.planning import Met, line_rates, plan_inbound, plan_of
from bot.published import Published, published_dir, recordings_dir
from bot.settings import Settings
from bot.settings_load import load_settings
from bot.settings_rooms import (
    call_settings,
    inbound_settings,
    sip_settings,
    speech_settings,
    webrtc_settings,
)
from bot.speech.prompts import PromptCache
from bot.speech.recognisers import Lease, Recognisers
from bot.speech.recorded import RecordedVoices
from bot.speech.synthesiser import SynthesiserClient
from bot.speech.voices import SileroVoices
from bot.surveys import morphology
from bot.surveys.prompts import prompts_by_voice
from bot.surveys.schema import Survey
from bot.worker_orders import CallOrders
from bot.worker_process import GOODBYE_S, ORPHANED, dialogs_dir, socket_path
from dialogue.launch import TOKEN
from telephony.leg import CallLeg, RejectReason
from telephony.orphans import DialogKeeper
from telephony.pacer import Pacer
from telephony.sip import SipEndpoint
from telephony.tones import hold_music, listening_sign
from telephony.webrtc import WebRtcEndpoint

log = structlog.get_logger()


MEET_S = 1.5
"""How long a telephone may ring until control has said whether this call was announced."""


class Worker:
    def __init__(self, settings: Settings, index: int) -> None:
        self._settings = settings
        self._index = index
        self._name = f"worker-{index}"
        self._server = ControlServer(socket_path(settings, index))
        self._published = Published(published_dir(settings))
        self._inbound = inbound_settings(settings)
        self._recognisers = Recognisers()
        self._calls: dict[str, tuple[CallSession, asyncio.Task[None]]] = {}
        self._chores: set[asyncio.Task[None]] = set()
        self._draining = False
        self._stack_dead = False
        self._stop = asyncio.Event()
        self._drain_s = settings.call.drain_s

    def _die(self) -> None:
        self._stack_dead = True
        self._stop.set()

    def _orphaned(self) -> None:
        log.error("control is gone", worker=self._name, calls=len(self._calls))
        self._drain_s = 0.0
        self._stop.set()
        if self._draining:
            for session, _ in self._calls.values():
                session.interrupt()

    async def run(self) -> None:
        """Until SIGTERM, or until the SIP stack dies (RuntimeDied). Raises Unavailable at the start."""
        loop = asyncio.get_running_loop()
        loop.set_default_executor(ThreadPoolExecutor(thread_name_prefix="file", initializer=behind_the_lines))
        for number in (signal.SIGTERM, signal.SIGINT):
            loop.add_signal_handler(number, self._stop.set)
        loop.add_signal_handler(ORPHANED, self._orphaned)
        async with AsyncExitStack() as stack:
            self._room = await self._furnish(stack)
            # What is there now stays: a look for garbage that went through all of it held every line up.
            gc.collect()
            gc.freeze()
            self._server.register("place", self._place)
            self._server.register("status", self._status)
            self._server.register("use_models", self._use_models)
            self._browsers.register(self._server)
            CallOrders(self._session, self._browsers).register(self._server)
            await self._server.start()
            stack.push_async_callback(self._server.close)
            log.info("worker ready", worker=self._name, sip=self._endpoint.address)
            await self._stop.wait()
            if self._stack_dead:
                raise RuntimeDied("the SIP stack of this process died")
            await self._let_go()

    async def _furnish(self, stack: AsyncExitStack) -> CallRoom:
        """Build what the calls share, in the order in which it must be ready."""
        settings, speech = self._settings, speech_settings(self._settings)
        stack.callback(self._recognisers.close)
        await self._recognisers.use(speech)
        main = self._recognisers.lease(settings.speech.language, "")
        stack.callback(main.release)
        voices_heard = await asyncio.to_thread(SileroVoices)
        await asyncio.to_thread(morphology.warm)
        synthesiser = SynthesiserClient(speech.synthesiser)
        stack.push_async_callback(synthesiser.close)
        spool = await stack.enter_async_context(Spool.open(settings.spool_dir, self._name))
        http = await stack.enter_async_context(aiohttp.ClientSession())
        voices = RecordedVoices(synthesiser, recordings_dir(settings), speech.synthesiser)
        self._router = ControlRouter(settings.control_socket)
        stack.push_async_callback(self._router.close)
        self._prompts = PromptCache(voices, speech.prompts)
        pacer = Pacer()
        browsers = WebRtcEndpoint(webrtc_settings(settings), pacer=pacer)
        stack.push_async_callback(browsers.stop)
        self._browsers = BrowserCalls(browsers, plan=self._plan_in_browser, begin=self._begin)
        self._desks = DeskLines(
            browsers, self._router.request, lambda call_id, leg: self._browsers.keep(call_id, "agent", leg)
        )
        self._browsers.purposes["desk"] = self._desks.offer
        self._endpoint = SipEndpoint(
            sip_settings(settings),
            on_call=self._incoming,
            on_dead=self._die,
            pacer=pacer,
            keeper=DialogKeeper(dialogs_dir(settings, self._index)),
        )
        if settings.call.realtime and lines_first():  # and with this thread the stack's, which start here
            others_behind_the_lines()
            unless_restless()
        await self._endpoint.start()
        stack.push_async_callback(self._endpoint.stop)
        return CallRoom(
            dialogue=RasaDialogue(
                f"http://127.0.0.1:{settings.dialogue.rasa_port}",
                http,
                token=os.environ.get(TOKEN, ""),
                timeout_s=settings.dialogue.timeout_s,
            ),
            recogniser=main.recogniser,
            vad=voices_heard.line,
            prompts=self._prompts,
            sink=spool,
            clock=SystemClock(),
            watcher=self._server.broadcast,
            dial=self._dial,
            router=self._router,
            returning=self._returning,
            hold_music=hold_music,
            listening_sign=listening_sign,
            open_recording=self._open_recording,
            settings=call_settings(settings),
        )

    async def _dial(
        self, uri: str, timeout_s: float, placed: Callable[[CallLeg], None] | None = None
    ) -> CallLeg:
        if uri.startswith(DESK):
            return await self._desks.dial(uri, timeout_s, placed)
        return await self._endpoint.dial(uri, timeout_s=timeout_s, placed=placed)

    def _dial_as(self, caller: Caller, customer: str) -> Dial:
        """How one call rings: its customer sees this caller, agents see who we are."""

        async def dial(
            uri: str, timeout_s: float, placed: Callable[[CallLeg], None] | None = None
        ) -> CallLeg:
            if uri != customer:
                return await self._dial(uri, timeout_s, placed)
            return await self._endpoint.dial(
                uri,
                timeout_s=timeout_s,
                placed=placed,
                caller_id=caller.number or None,
                caller_name=caller.label or None,
            )

        return dial

    async def _open_recording(self, call_id: str, rate: int) -> Recording:
        file = self._settings.recordings_dir / f"{call_id}.wav"
        return await Recording.open(file, rate, keys=self._settings.recording_keys)

    # Orders ----------------------------------------------------------------------------------

    async def _place(self, order: dict[str, Any]) -> dict[str, Any]:
        """Ring a customer. Returns as soon as the call is under way; its events tell the rest."""
        self._must_take_calls()
        context = CallContext.model_validate(order["context"])
        survey = await self._survey(context.survey_hash)
        await self._prepare(survey, context)
        self._must_take_calls()  # since then
        plan = replace(
            plan_of(survey, context, order["attempt_id"], order["contact_id"]),
            conversation_id=order.get("conversation_id", ""),
            about=order.get("about", ""),
        )
        caller = Caller.model_validate(order.get("caller", {}))
        room = replace(self._room, dial=self._dial_as(caller, order["to"]))
        session, lease = self._open(plan, room)
        self._run(context.call_id, session, session.outbound(order["to"]), lease)
        return {}

    async def _survey(self, digest: str) -> Survey:
        """Another node may have published it: then it is brought from SQL. Raises SurveyInvalid."""
        try:
            return self._published.by_hash(digest)
        except SurveyInvalid:
            await self._router.request("fetch_survey", hash=digest)
            return self._published.by_hash(digest)

    async def _use_models(self, order: dict[str, Any]) -> dict[str, Any]:
        """Take the models that were chosen meanwhile. Raises what cannot be loaded; then nothing changes."""
        speech = await asyncio.to_thread(speech_settings, self._settings)
        loaded = await self._recognisers.use(speech)
        log.info("models changed", loaded=loaded, models=self._recognisers.names)
        return {"models": list(self._recognisers.names)}

    async def _prepare(self, survey: Survey, context: CallContext) -> None:
        """Whatever this call can say is on disk before it rings."""
        for voice, texts in prompts_by_voice(survey, context).items():
            for rate in line_rates(self._settings):
                await self._prompts.prepare(texts, voice=voice, language=survey.language, rate=rate)

    def _session(self, call_id: str) -> CallSession | None:
        call = self._calls.get(call_id)
        return call[0] if call is not None else None

    async def _returning(self, remote: str) -> OpenMatter | None:
        """Asked of control, which has the cases. Raises Unavailable."""
        found = await self._router.request("returning", remote=remote)
        return OpenMatter.model_validate(found) if found else None

    async def _status(self, order: dict[str, Any]) -> dict[str, Any]:
        taken = max(len(self._calls), await self._endpoint.taken())
        return {
            "sip": self._endpoint.address,
            "registered": self._endpoint.registered,
            "registers": self._settings.sip.trunk.registration,
            "trunk": self._settings.sip.trunk.domain,
            "calls": len(self._calls),
            "call_ids": list(self._calls),
            "free_lines": max(self._settings.sip.max_calls - taken, 0),
            "draining": self._draining,
            "pid": os.getpid(),
        }

    # Calls -----------------------------------------------------------------------------------

    def _incoming(self, leg: CallLeg) -> None:
        """A PBX passes a customer on, or somebody rings by himself."""
        self._chore(self._take(leg))

    async def _take(self, leg: CallLeg) -> None:
        call_id = new_id("call")
        try:
            self._must_take_calls()
            call = heard(leg.local, leg.remote, leg.headers, self._inbound.headers)
            if call.problems:
                log.warning("headers not understood", call_id=call_id, headers=dict(call.problems))
            met = await self._meet(call_id, call)
            self._must_take_calls()  # since then
            plan = plan_inbound(call_id, call, met, self._inbound, self._published, self._settings.timezone)
        except (Unavailable, SurveyInvalid) as error:
            log.warning("incoming call refused", reason=error.message)
            await leg.reject(RejectReason.BUSY)
        except Exception:
            # The border of a call: whatever the fault, no telephone is left ringing for nobody.
            log.exception("incoming call was not taken", call_id=call_id)
            await leg.reject(RejectReason.BUSY)
        else:
            self._begin(plan, leg)

    async def _meet(self, call_id: str, call: Heard) -> Met:
        """Whether control knows anything of it. A call is taken without control, too."""
        try:
            async with asyncio.timeout(MEET_S):
                reply = await self._router.request(
                    "meet", call_id=call_id, called=call.called, phones=call.phones, token=call.token
                )
        except (OtklikError, TimeoutError) as error:
            log.warning("control not asked about a call", call_id=call_id, reason=str(error) or "too slow")
            return Met()
        return Met.model_validate(reply)

    async def _plan_in_browser(self, offer: CustomerOffer, context: CallContext) -> CallPlan:
        """The plan of a survey in a customer's browser: like that of a call that comes in."""
        self._must_take_calls()
        survey = await self._survey(context.survey_hash)
        await self._prepare(survey, context)
        self._must_take_calls()  # since then
        return plan_of(survey, context, offer.attempt_id, offer.contact_id)

    def _begin(self, plan: CallPlan, leg: CallLeg) -> None:
        session, lease = self._open(plan, self._room)
        self._run(plan.context.call_id, session, session.inbound(leg), lease)

    def _open(self, plan: CallPlan, room: CallRoom) -> tuple[CallSession, Lease]:
        """A call in this room, but with the recogniser of its language and survey."""
        lease = self._recognisers.lease(plan.voice.language, plan.survey_id)
        return CallSession(plan, replace(room, recogniser=lease.recogniser)), lease

    def _must_take_calls(self) -> None:
        if self._draining:
            raise Unavailable("the node is stopping and takes no new calls")

    def _chore(self, work: Coroutine[Any, Any, None]) -> None:
        task = asyncio.create_task(work)
        self._chores.add(task)
        task.add_done_callback(self._chores.discard)

    def _run(
        self, call_id: str, session: CallSession, call: Coroutine[Any, Any, Disposition], lease: Lease
    ) -> None:
        task = asyncio.create_task(self._watched(call_id, call))
        task.add_done_callback(lambda _: lease.release())
        self._calls[call_id] = (session, task)
        task.add_done_callback(lambda _: self._calls.pop(call_id))

    async def _watched(self, call_id: str, call: Coroutine[Any, Any, Disposition]) -> None:
        try:
            disposition = await call
        except OtklikError as error:
            log.error("call lost", call_id=call_id, reason=error.message)
        except Exception:
            # The border of a call: whatever the fault, the other calls go on. Its attempt is made
            # final by the node's recovery.
            log.exception("call lost", call_id=call_id)
        else:
            log.info("call ended", call_id=call_id, disposition=disposition.value)

    async def _let_go(self) -> None:
        """No new calls; live ones may end by themselves, and after that their callers are told."""
        self._draining = True
        log.info("worker draining", worker=self._name, calls=len(self._calls))
        await self._all_ended(self._drain_s)
        for session, _ in tuple(self._calls.values()):
            session.interrupt()
        await self._all_ended(GOODBYE_S)
        for _, task in tuple(self._calls.values()):
            task.cancel()
        await self._all_ended(None)

    async def _all_ended(self, timeout_s: float | None) -> None:
        if self._calls:
            await asyncio.wait([task for _, task in self._calls.values()], timeout=timeout_s)


def main() -> None:
    """`python -m bot.worker INDEX`: started by the node, with its settings in the environment."""
    settings = load_settings()
    configure_logs(settings.log_level)
    try:
        uvloop.run(Worker(settings, int(sys.argv[1])).run())
    except OtklikError as error:
        log.error("worker stopped", code=error.code, reason=error.message, hint=error.hint)
        raise SystemExit(error.exit_status) from error


if __name__ == "__main__":
    main()
