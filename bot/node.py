"""What a node starts, watches and stops.

Control holds the socket first, so that a second node on the same folder fails before it touches
anything. Then come the store, the surveys, the children in their order, and the prompts; only then
calls are taken. On the way down the worker drains first, and the last events reach SQL.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Coroutine
from contextlib import AsyncExitStack
from pathlib import Path
from typing import Any, Self

import structlog

from bot.accounts.first import first_admin
from bot.accounts.roles import Role
from bot.call.recording_keys import KeyRing
from bot.call.spool import SpoolReader
from bot.campaign_node import CampaignNode
from bot.caretaker import Caretaker
from bot.core.clock import Clock, SystemClock
from bot.core.control import ControlServer
from bot.core.errors import BadInput, DiskFull, StoreUnavailable, Unavailable
from bot.core.events import CallEvent
from bot.delivery.mail import Mailer
from bot.delivery.posting import Postman
from bot.delivery.sender import Sender
from bot.dispatch import Dispatcher
from bot.free_ports import require_free_ports
from bot.inbound.announcements import AnnouncementBook
from bot.metrics import Metrics
from bot.metrics_server import MetricsServer
from bot.node_screen import about, first_sign_in
from bot.notifier import Notifier, NotifierSettings
from bot.orders import Orders, take_no_more, take_none_yet
from bot.orders_agents import AgentOrders
from bot.orders_campaigns import CampaignOrders
from bot.orders_cases import CaseOrders
from bot.orders_inbound import InboundOrders
from bot.orders_requests import RequestOrders, StandingCalls
from bot.orders_surveys import SurveyOrders
from bot.planning import check_routes
from bot.privacy_keeper import PrivacyKeeper, retention
from bot.processes import children, worker_of
from bot.published import Published, published_dir
from bot.publishing import Publisher, checked, start_tools
from bot.settings import Settings
from bot.settings_rooms import (
    alert_rules,
    inbound_settings,
    mail_settings,
    presence_board,
    speech_settings,
    store_settings,
    web_settings,
    with_voice,
)
from bot.speech.models import require_model
from bot.speech.synthesiser import SynthesiserClient
from bot.store.database import Database
from bot.store.writer import Writer
from bot.supervisor import ChildState, Supervisor
from bot.surveys.loader import survey_hash
from bot.surveys.schema import Survey
from bot.triage.router import LocalRouter
from bot.web.customers.orders import LinkOrders, no_pages
from bot.web.desk.desks import Desks
from bot.web.desk.keeping import DeskKeeper
from bot.web.live import Live
from bot.web.parts import web_parts
from bot.web.server import WebServer
from bot.words import words
from bot.worker_link import ANSWER_S, WorkerLink
from bot.worker_process import dialogs_dir, socket_path
from dialogue.launch import new_token
from telephony.orphans import end_orphans

log = structlog.get_logger()

_TOLD = {
    ChildState.STARTING: ("запускается", "starting"),
    ChildState.READY: ("готов", "ready"),
    ChildState.WAITING: ("упал, запущу снова", "died, is started again"),
    ChildState.FAILED: ("не запускается", "does not start"),
}

OnStep = Callable[[str], None]


class Node:
    """`async with Node(settings) as node: await node.run()`. Entering it returns when calls can be made."""

    def __init__(self, settings: Settings, *, on_step: OnStep = lambda step: None) -> None:
        self.settings = settings
        self._on_step = on_step
        self._stack = AsyncExitStack()
        self._tasks: list[asyncio.Task[None]] = []
        self._files: list[tuple[Path, Survey]] = []
        self._surveys: dict[str, Survey] = {}
        self._sources: dict[str, Path] = {}
        self._metrics = Metrics()
        self._live = Live()
        self._desks = Desks(self._live)
        self._token = new_token()
        self._admins = 0
        self._first_password: str | None = None

    async def __aenter__(self) -> Self:
        """Raises Unavailable or BadInput for whatever is missing; nothing is left half-started."""
        try:
            await self._start()
        except BaseException:
            await self._stack.aclose()
            raise
        return self

    async def __aexit__(self, *_: object) -> None:
        await self._stack.aclose()

    async def run(self) -> None:
        """As long as all is well. Raises what the node cannot live with."""
        done, _ = await asyncio.wait(self._tasks, return_when=asyncio.FIRST_COMPLETED)
        for task in done:
            await task

    # The way up ------------------------------------------------------------------------------

    async def _start(self) -> None:
        self.settings = settings = with_voice(self.settings)
        clock = SystemClock()
        for folder in (settings.run_dir, settings.log_dir, settings.spool_dir):
            folder.mkdir(parents=True, exist_ok=True)
        self._server = ControlServer(settings.control_socket)
        take_none_yet(self._server)
        await self._server.start()
        self._stack.push_async_callback(self._server.close)
        require_free_ports(self.settings)
        if settings.recording_keys is not None:
            await asyncio.to_thread(lambda keys: KeyRing.read(keys).newest, settings.recording_keys)
        speech = speech_settings(settings)
        # The worker needs it last of all: whoever has no such model would wait for Rasa to hear of it.
        require_model(speech.recogniser.model, speech.models_dir, speech.var_dir)
        self._published = Published(published_dir(settings))
        self._load_surveys()
        self._database = Database.open(store_settings(settings))
        self._stack.push_async_callback(self._database.close)
        await self._database.upgrade()
        self._publisher = Publisher(settings, self._published, self._database, clock)
        await self._publish_surveys()
        check_routes(inbound_settings(settings), self._surveys.values())
        self._on_step(words("база готова", "the database is ready"))
        spools = SpoolReader(settings.spool_dir, node=settings.node.name)
        self._writer = Writer(self._database, spools, clock=clock)
        self._link = WorkerLink(
            socket_path(settings, 0),
            on_event=self._event,
            on_lost=self._worker_lost,
        )
        self._supervisor = Supervisor(
            children(settings, self._token), log_dir=settings.log_dir, on_state=self._child_state
        )
        worker = worker_of(settings.node.name, 0)
        self._dispatcher = Dispatcher(
            self._database, self._link, clock, worker, self._supervisor.missing, settings.timezone
        )
        self._start_routing(clock)
        postman = await self._stack.enter_async_context(Postman(clock))
        self._sender = Sender(self._database, postman, clock, self._writer.drain_once)
        self._mailer = Mailer(mail_settings(settings), clock)
        self._notifier = Notifier(
            self._database,
            self._mailer,
            postman,
            clock,
            alert_rules(settings),
            NotifierSettings(settings.web.address),
            drain=self._writer.drain_once,
            tell=lambda alerts: self._live.alert("alert", {"ids": [each.row.id for each in alerts]}),
        )
        self._campaigns = CampaignNode(
            settings, self._database, self._published, self._router, self._dispatcher, self._link, clock
        )
        self._orders = Orders(
            settings,
            self._database,
            self._writer,
            self._published,
            self._link,
            self._dispatcher,
            self._router,
            clock,
            self._supervisor.pids,
        )
        await self._worker_lost()  # of a node that was killed
        self._stack.push_async_callback(self._store_the_rest)
        self._stack.push_async_callback(self._stop_tasks)
        await self._start_children()
        self._task(self._link.run())
        self._task(self._writer.run(asyncio.Event()))
        self._task(self._dispatcher.run(self._writer))
        self._task(self._caretaker.run())
        self._task(self._sender.run())
        self._task(self._notifier.run())
        self._task(PrivacyKeeper(retention(settings, self._database, clock)).run())
        await self._link.connected.wait()
        self._task(self._campaigns.run())
        if settings.metrics.port:
            await self._stack.enter_async_context(
                MetricsServer(settings.metrics.host, settings.metrics.port, self._scraped)
            )
        if settings.web.port:
            await self._open_pages(clock)
        else:
            self._server.register("survey_link", no_pages)
        self._server.register("ring_desk", self._desks.ring_desk)
        self._server.register("desk_done", self._desks.desk_done)
        self._orders.register(self._server)
        InboundOrders(self._database, self._published, AnnouncementBook(), clock).register(self._server)
        trunk, campaigns = settings.sip.trunk, self._campaigns
        standing = StandingCalls(self._database, campaigns.survey, campaigns.queue.begin, trunk, clock)
        requests = RequestOrders(self._database, standing, clock)
        requests.register(self._server)
        self._task(requests.run())
        studio = SurveyOrders(settings, self._published, self._publisher, self._database, clock, self._token)
        (await self._stack.enter_async_context(studio)).register(self._server)
        CampaignOrders(self._database, self._campaigns, clock).register(self._server)
        for orders in (AgentOrders, CaseOrders):
            orders(self._database, self._writer, self._router, clock).register(self._server)
        self._stack.callback(take_no_more, self._server)

    def _start_routing(self, clock: Clock) -> None:
        settings = self.settings
        board = presence_board(settings, clock)
        self._stack.push_async_callback(board.close)
        self._router = LocalRouter(self._database, board, clock, settings.handover.agents)
        look_s = settings.presence.ttl_s / 3
        self._caretaker = Caretaker(self._router, self._writer, self._link, look_s=look_s)

    def _task(self, work: Coroutine[Any, Any, None]) -> None:
        self._tasks.append(asyncio.create_task(work))

    async def _open_pages(self, clock: Clock) -> None:
        """Raises Unavailable where the pages' files are not installed, or their port is taken."""
        parts = web_parts(
            web_settings(self.settings),
            self._database,
            clock,
            self._published,
            self._live,
            control=self._server.ask,
            worker=self._link.request,
            desks=self._desks,
            alerts=alert_rules(self.settings),
            mails=self._mailer.configured,
        )
        self._first_password = await first_admin(parts.accounts)
        self._admins = await parts.accounts.count(Role.ADMIN)
        links = LinkOrders(parts.links, self._published, self.settings.web.address)
        self._server.register("survey_link", links.survey_link)
        keeper = DeskKeeper(self._live, self._server.ask, look_s=self.settings.presence.ttl_s / 3)
        self._task(keeper.run())
        await self._stack.enter_async_context(WebServer(parts))

    def _load_surveys(self) -> None:
        """All or none: a broken file stops the node before it rings anyone. Raises SurveyInvalid."""
        folder = self.settings.surveys_dir
        files = sorted([*folder.glob("*.yaml"), *folder.glob("*.yml")])
        if not files:
            raise BadInput(
                words(f"в {folder} нет ни одного опроса", f"there is no survey in {folder}"),
                hint=words("положите туда YAML-файл опроса", "put a survey's YAML file there"),
            )
        self._files = [(file, checked(file)) for file in files]

    async def _publish_surveys(self) -> None:
        """Freeze what the files say. Answers name the version they were given to: SQL has it as well.

        What was published by hand and has no file is run on.
        """
        running = dict(self._published.current())
        with start_tools(self.settings) as tools:
            for file, survey in sorted(self._files, key=lambda each: each[1].version):
                chosen, note = await self._publisher.to_run(survey)
                if note:
                    log.warning("survey file not taken", survey=survey.id, version=survey.version)
                    self._on_step(note)
                if chosen is survey:
                    if running.get(survey.id) != survey_hash(survey):  # a version that it has not run yet
                        await asyncio.to_thread(checked, file, tools)
                    self._publisher.keep_recordings(survey, file.parent)
                running[survey.id] = await self._publisher.freeze(chosen)
                if chosen is survey:
                    self._sources[running[survey.id]] = file
        for digest in running.values():
            self._surveys[digest] = self._published.by_hash(digest)
            await self._publisher.freeze(self._surveys[digest])
        self._on_step(words("опросы: ", "surveys: ") + ", ".join(sorted(running)))

    async def _start_children(self) -> None:
        await self._supervisor.start()
        self._stack.push_async_callback(self._supervisor.stop)
        self._task(self._supervisor.watch())
        await self._prepare_prompts()

    def _child_state(self, name: str, state: ChildState) -> None:
        log.info("child state", child=name, state=state.value)
        if state in _TOLD:
            self._on_step(f"{name}: {words(*_TOLD[state])}")
        if state is ChildState.READY:
            self._dispatcher.look()

    async def _prepare_prompts(self) -> None:
        """Whatever a survey can say to anybody is on disk before the first call of it."""
        synthesiser = SynthesiserClient(speech_settings(self.settings).synthesiser)
        try:
            for digest, survey in self._surveys.items():
                count = await self._publisher.prepare(survey, synthesiser)
                self._publisher.release(digest)
                source = self._sources.get(digest)
                await self._publisher.note(digest, text=source.read_text("utf-8-sig") if source else "")
                self._on_step(
                    words(f"опрос {survey.id}: озвучено фраз {count}", f"survey {survey.id}: {count} prompts")
                )
        finally:
            await synthesiser.close()

    # In between ------------------------------------------------------------------------------

    def _event(self, event: CallEvent) -> None:
        """Whoever watches is told, and it is counted."""
        self._metrics.take(event)
        self._writer.saw(event)
        self._caretaker.saw(event)
        self._sender.saw(event)
        self._notifier.saw(event)
        self._campaigns.saw(event)
        self._server.broadcast(event)
        self._desks.saw(event)  # before: he is shown the call, and then its events
        self._live.publish(event)

    async def _scraped(self) -> bytes:
        """What Prometheus gets. A call whose end could not be written down (a full disk) ended all the
        same, and only the worker can tell that it is no longer there."""
        live = self._metrics.live  # before we ask: what starts meanwhile is not in the answer
        try:
            async with asyncio.timeout(ANSWER_S):
                status = await self._link.request("status")
        except (Unavailable, TimeoutError) as error:
            log.info("worker not asked about its calls", reason=str(error))
        else:
            self._metrics.lost(live.difference(status["call_ids"]))
        return self._metrics.text()

    async def _worker_lost(self) -> None:
        """Its calls are over: their far ends are told, what it had committed is stored, and what is left
        of its attempts becomes final."""
        self._metrics.lost(self._metrics.live)
        await end_orphans(dialogs_dir(self.settings, 0))
        await self._dispatcher.recover(self._writer)
        await self._caretaker.worker_lost()
        self._desks.worker_lost()
        self._live.worker_lost()

    def about(self) -> dict[str, str]:
        """What an operator wants to see on one screen, in order."""
        entry = first_sign_in(self._first_password, self._admins) if self.settings.web.port else {}
        return about(self.settings, self._surveys.values(), self._database.dialect, entry)

    # The way down ----------------------------------------------------------------------------

    async def _stop_tasks(self) -> None:
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)

    async def _store_the_rest(self) -> None:
        """The last calls ended while everything else was going down: their events as well."""
        try:
            await self._writer.drain_once()
        except (StoreUnavailable, DiskFull) as error:
            log.warning("events left in the spool", reason=error.message)
