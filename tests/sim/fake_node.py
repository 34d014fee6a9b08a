"""A node that is no node: puts questions as tones and tells of it, so that the simulator can be tested."""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import numpy as np

from bot.core.control import ControlServer
from bot.core.endings import Disposition, EndKind
from bot.core.errors import BadInput, DialFailed
from bot.core.events import (
    CallEnded,
    CallEvent,
    CallStarted,
    HandoverConnected,
    ListeningStarted,
    PromptEnded,
    PromptStarted,
)
from bot.sim.g711 import RATE
from bot.sim.rtp import RtpSession
from bot.sim.sip_agent import SipAgent
from bot.sim.sip_call import SipCall
from bot.sim.sounds import tone

ENDPOINT_S = 0.3
PROMPT_S = 0.4
NO_INPUT_S = 1.0


class FakeNode:
    """`surveys` are the questions of each survey; a question `offer` leads to a REFER to the agent."""

    def __init__(self, path: Path, surveys: dict[str, list[str]]) -> None:
        self.server = ControlServer(path)
        self.agent = SipAgent("node", self._inbound)
        self.surveys = surveys
        self.placed: list[dict[str, Any]] = []
        self.stored: dict[str, dict[str, Any]] = {}
        self.invites: list[SipCall] = []
        self.stalls = 0
        self._agents: dict[str, str] = {}
        self._seq = 0
        self._tasks: list[asyncio.Task[None]] = []
        for name in ("place_call", "calls", "set_agent", "status"):
            self.server.register(name, getattr(self, f"_{name}"))

    async def _set_agent(self, params: dict[str, Any]) -> dict[str, Any]:
        self._agents[params["target"]] = params["uri"]
        return {}

    async def _status(self, params: dict[str, Any]) -> dict[str, Any]:
        host, port = self.agent.transactions.local
        return {"sip": f"{host}:{port}"}

    async def _calls(self, params: dict[str, Any]) -> dict[str, Any]:
        return {"calls": [self.stored[id] for id in params["call_ids"] if id in self.stored]}

    async def _place_call(self, params: dict[str, Any]) -> dict[str, Any]:
        if params["survey"] not in self.surveys:
            raise BadInput(f"нет опроса {params['survey']}")
        self.placed.append(params)
        call_id = f"call-{len(self.placed)}"
        self._tasks.append(asyncio.create_task(self._outbound(call_id, params)))
        return {"call_id": call_id, "attempt_id": "attempt"}

    def tell(self, kind: type[Any], call_id: str, **fields: Any) -> None:
        self._seq += 1
        event: CallEvent = kind(call_id=call_id, seq=self._seq, at=datetime.now(UTC), **fields)
        self.server.broadcast(event)

    async def _outbound(self, call_id: str, params: dict[str, Any]) -> None:
        self._started(call_id, "outbound", params["to"], params["survey"])
        rtp = RtpSession.open()
        try:
            call = await self.agent.call(params["to"], rtp)
            await self._survey(call_id, call, rtp, self.surveys[params["survey"]])
        except DialFailed as error:
            self._ended(call_id, Disposition(error.cause.kind.value), {})
        finally:
            self.stalls += rtp.counters.stalls
            await rtp.close()

    async def _inbound(self, call: SipCall) -> None:
        self.invites.append(call)
        call_id = f"call-in-{len(self.invites)}"
        survey = call.local.uri.user
        self._started(call_id, "inbound", str(call.remote.uri), survey)
        rtp = RtpSession.open()
        try:
            await call.answer(rtp)
            await self._survey(call_id, call, rtp, self.surveys[survey])
        finally:
            self.stalls += rtp.counters.stalls
            await rtp.close()

    def _started(self, call_id: str, direction: str, remote: str, survey: str) -> None:
        self.tell(
            CallStarted,
            call_id,
            direction=direction,
            remote=remote,
            survey_id=survey,
            survey_hash="",
            attempt_id="attempt",
        )

    def _ended(
        self, call_id: str, disposition: Disposition, answers: dict[str, Any], target: str | None = None
    ) -> None:
        self.stored[call_id] = {
            "call_id": call_id,
            "disposition": disposition.value,
            "answers": answers,
            "transferred_to": target,
        }
        self.tell(CallEnded, call_id, cause=EndKind.LOCAL_HANGUP, disposition=disposition, duration_s=1.0)

    async def _survey(self, call_id: str, call: SipCall, rtp: RtpSession, questions: list[str]) -> None:
        answers: dict[str, Any] = {}
        for number, question in enumerate(questions, 1):
            spoken = await self._put(call_id, rtp, question, number)
            if call.ended.done():
                break
            if question == "offer" and spoken:
                await self._refer(call_id, call, answers)
                return
            if spoken:
                answers[question] = spoken
        await rtp.say(tone(300, round(PROMPT_S * RATE)))
        await call.hang_up()
        everything = len(answers) == len(questions)
        self._ended(call_id, Disposition.COMPLETED if everything else Disposition.PARTIAL, answers)

    async def _put(self, call_id: str, rtp: RtpSession, question: str, number: int) -> str:
        offer = question == "offer"
        self.tell(
            PromptStarted,
            call_id,
            prompt=number,
            purpose="offer" if offer else "question",
            text=question,
            duration_s=PROMPT_S,
            question_id="" if offer else question,
        )
        await rtp.say(tone(300, round(PROMPT_S * RATE)))
        self.tell(PromptEnded, call_id, prompt=number, heard_s=PROMPT_S, completed=True)
        self.tell(ListeningStarted, call_id, question_id=question, expects="scale")
        return await self._hear(rtp)

    async def _hear(self, rtp: RtpSession) -> str:
        began, keys = time.monotonic(), len(rtp.digits)
        while time.monotonic() - began < NO_INPUT_S or rtp.last_voiced_at > began:
            await asyncio.sleep(0.01)
            if len(rtp.digits) > keys:
                return rtp.digits[-1][1]
            if began < rtp.last_voiced_at < time.monotonic() - ENDPOINT_S:
                return "spoken"
        return ""

    async def _refer(self, call_id: str, call: SipCall, answers: dict[str, Any]) -> None:
        target = self._agents["responsible"]
        headers = [("Refer-To", f"<{target}>"), ("Contact", f"<{self.agent.contact}>")]
        await call.request("REFER", headers)
        await asyncio.sleep(1.0)
        self.tell(HandoverConnected, call_id, target="responsible")
        await call.hang_up()
        self._ended(call_id, Disposition.TRANSFERRED, answers, "responsible")


@asynccontextmanager
async def fake_node(path: Path, surveys: dict[str, list[str]]) -> AsyncIterator[FakeNode]:
    node = FakeNode(path, surveys)
    await node.server.start()
    await node.agent.open()
    try:
        yield node
    finally:
        for task in node._tasks:
            task.cancel()
        await asyncio.gather(*node._tasks, return_exceptions=True)
        await node.agent.close()
        await node.server.close()


def burst(seconds: float) -> np.ndarray[tuple[int], np.dtype[np.int16]]:
    return tone(300, round(seconds * RATE))
