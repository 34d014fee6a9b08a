"""Run a scenario against a node: start the phones, place the calls, look at what came of them."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import AsyncExitStack, suppress
from pathlib import Path

import structlog

from bot.core.control import ControlClient
from bot.core.events import (
    CallEvent,
)
from bot.sim.agents import on_answer, when_asked
from bot.sim.messages import (
    PeerSpec,
)
from bot.sim.one_call import CallRun
from bot.sim.peer_process import PeerProcess
from bot.sim.results import CallReport, SimReport
from bot.sim.scenario import Agent, Call, Scenario

log = structlog.get_logger()


async def run_scenario(
    scenario: Scenario,
    control: ControlClient,
    sip_target: str,
    capture_dir: Path | None = None,
    on_event: Callable[[CallEvent], None] | None = None,
    on_report: Callable[[CallReport], None] | None = None,
) -> SimReport:
    """Every call of the scenario, in its order, `at_once` at a time, as `hold_lines` has it."""
    async with AsyncExitStack() as stack:
        tones = tuple(call.after_transfer.tone_hz for call in scenario.calls if call.after_transfer)
        agents = [await _start_agent(agent, tones, control, stack) for agent in scenario.agents]
        calls = await hold_lines(
            scenario.calls,
            min(scenario.at_once, len(scenario.calls)),
            control,
            sip_target,
            capture_dir=capture_dir,
            agents=agents,
            on_event=on_event,
            on_report=on_report,
        )
    return SimReport(calls=calls)


async def hold_lines(
    calls: Iterable[Call],
    lines: int,
    control: ControlClient,
    sip_target: str,
    *,
    capture_dir: Path | None = None,
    agents: Sequence[PeerProcess] = (),
    on_event: Callable[[CallEvent], None] | None = None,
    on_report: Callable[[CallReport], None] | None = None,
) -> list[CallReport]:
    """Each line takes the next call as soon as its last one is over, until there is none; the reports in the
    order in which the calls were taken.

    `sip_target` is the node's `host:port`; `on_event` sees each call event as it comes, `on_report` the
    report of each call as it ends. What the node refuses stands in the call's failures. Raises
    NodeUnavailable, and Unavailable for a phone that does not start.
    """
    source = iter(calls)
    floor = _Floor(control, sip_target, capture_dir, agents, on_event)
    reports: dict[int, CallReport] = {}

    async def line(run: CallRun | None) -> None:
        while run is not None:
            report = await run.run()
            floor.left(run)
            reports[run.number] = report
            if on_report is not None:
                on_report(report)
            run = floor.next(source)

    async with AsyncExitStack() as stack:
        stack.push_async_callback(floor.close)
        await control.watch()
        watching = asyncio.create_task(floor.forward())
        stack.push_async_callback(_stopped, watching)
        try:
            # The phones of calls that begin together are there before: to start one takes much of the
            # processor, and the calls of the others would be measured with it.
            first = [run for _ in range(lines) if (run := floor.next(source)) is not None]
            async with asyncio.TaskGroup() as group:
                for run in first:
                    group.create_task(run.prepare())
            async with asyncio.TaskGroup() as group:
                for run in first:
                    group.create_task(line(run))
        except ExceptionGroup as errors:
            raise errors.exceptions[0] from errors
    return [reports[number] for number in sorted(reports)]


async def _start_agent(
    agent: Agent, tones: tuple[float, ...], control: ControlClient, stack: AsyncExitStack
) -> PeerProcess:
    spec = PeerSpec(
        name=agent.name,
        user=agent.user,
        on_invite=agent.does.on_invite,
        on_answer=on_answer(agent.does, agent.say),
        when_asked=when_asked(agent.does, agent.say),
        ring_s=agent.ring_s,
        tone_hz=agent.tone_hz,
        listen_hz=tones,
    )
    peer = await PeerProcess.start(spec)
    stack.push_async_callback(peer.close)
    await control.request("set_agent", target=agent.target, uri=peer.uri, lasts="connection")
    return peer


async def _stopped(task: asyncio.Task[None]) -> None:
    task.cancel()
    with suppress(asyncio.CancelledError):
        await task


class _Floor:
    """The calls that are on, and what the node tells of them."""

    def __init__(
        self,
        control: ControlClient,
        sip_target: str,
        capture_dir: Path | None,
        agents: Sequence[PeerProcess],
        on_event: Callable[[CallEvent], None] | None,
    ) -> None:
        self._control, self._sip_target, self._capture_dir = control, sip_target, capture_dir
        self._agents, self._on_event = agents, on_event
        self._runs: dict[int, CallRun] = {}
        self._begun = 0
        self._over = False

    def next(self, calls: Iterator[Call]) -> CallRun | None:
        """The next call; None where there is none."""
        call = next(calls, None)
        if call is None:
            return None
        run = CallRun(self._begun, call, self._control, self._sip_target, self._capture_dir, self._agents)
        self._runs[self._begun] = run
        self._begun += 1
        if self._over:
            run.node_gone()
        return run

    def left(self, run: CallRun) -> None:
        del self._runs[run.number]

    async def forward(self) -> None:
        async for event in self._control.events():
            if self._on_event is not None:
                self._on_event(event)
            for run in tuple(self._runs.values()):
                run.take(event)
        self._over = True
        for run in tuple(self._runs.values()):
            run.node_gone()

    async def close(self) -> None:
        """End the phones that are still there."""
        for run in tuple(self._runs.values()):
            await run.close()
