"""One call of a scenario, from its phone's start to its report."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator, Sequence
from contextlib import suppress
from pathlib import Path
from typing import Any

from bot.core.control import ControlClient
from bot.core.errors import BadInput, NodeUnavailable, OtklikError, StoreUnavailable
from bot.core.events import (
    CallEnded,
    CallEvent,
    CallStarted,
    HandoverAccepted,
    HandoverConnected,
    ListeningStarted,
    PromptEnded,
    PromptStarted,
)
from bot.sim.expectations import failures
from bot.sim.messages import (
    Dial,
    HangUp,
    ListeningCue,
    PeerSpec,
    PromptCue,
    PromptOver,
    Report,
    ToPeer,
    Transferred,
)
from bot.sim.peer_process import PeerProcess
from bot.sim.results import CallReport, HeardPrompt, Tones
from bot.sim.scenario import Call
from bot.sim.sip_address import SipUri
from bot.sim.sounds import ToneReading

STORED_WITHIN_S = 10.0
"""How long the node's writer may take to bring a finished call into SQL."""

REPORTED_WITHIN_S = 10.0
_ASK_AGAIN_S = 0.1


class CallRun:
    """One call of the scenario, from its phone's start to its report."""

    def __init__(
        self,
        number: int,
        call: Call,
        control: ControlClient,
        sip_target: str,
        capture_dir: Path | None,
        agents: Sequence[PeerProcess],
    ) -> None:
        self.number = number
        self._call, self._control, self._sip_target = call, control, sip_target
        self._capture_dir, self._agents = capture_dir, agents
        self._peer: PeerProcess | None = None
        self._call_id = ""
        self._last_prompt = ""
        self._transferred = False
        self._at_desk = False
        self._prompts: dict[int, HeardPrompt] = {}
        self._ended: asyncio.Future[None] = asyncio.get_running_loop().create_future()

    def take(self, event: CallEvent) -> None:
        """An event of any call: of our own, the caller hears what concerns him."""
        if self._peer is None:
            return
        if isinstance(event, CallStarted) and not self._call_id and self._is_ours(event):
            self._call_id = event.call_id
        if event.call_id != self._call_id:
            return
        self._note(event)
        for cue in self._cues(event):
            self._peer.tell(cue)
        if isinstance(event, HandoverAccepted):
            self._at_desk = event.by == "button"
        if isinstance(event, HandoverConnected):
            self._transferred = True
        if isinstance(event, CallEnded) and not self._ended.done():
            self._ended.set_result(None)

    def _note(self, event: CallEvent) -> None:
        """What the caller is told; the whisper is the agent's."""
        match event:
            case PromptStarted(purpose=purpose, prompt=number, text=text) if purpose != "whisper":
                self._prompts[number] = HeardPrompt(text=text)
            case PromptEnded(prompt=number, heard_s=heard_s) if number in self._prompts:
                heard = self._prompts[number]
                self._prompts[number] = heard.model_copy(update={"heard_s": heard_s})

    def node_gone(self) -> None:
        if not self._ended.done():
            self._ended.set_exception(NodeUnavailable("узел пропал посреди звонка", hint="otklik serve"))
            self._ended.exception()  # a run that has not begun yet asks the node and hears it there

    def _is_ours(self, event: CallStarted) -> bool:
        try:
            user = SipUri.parse(event.remote.strip().removeprefix("<").removesuffix(">")).user
        except BadInput:
            return False
        return event.direction == self._call.direction and user == self._call.name

    def _cues(self, event: CallEvent) -> Iterator[ToPeer]:
        match event:
            case PromptStarted(purpose="whisper"):  # that one the agent hears
                return
            case PromptStarted(question_id=question, purpose=purpose, duration_s=duration):
                self._last_prompt = "offer" if purpose == "offer" else question
                yield PromptCue(question_id=self._last_prompt, duration_s=duration)
            case PromptEnded():
                yield PromptOver()
            case ListeningStarted(question_id=question):
                yield ListeningCue(question_id=question or self._last_prompt)
            case HandoverConnected():
                yield Transferred()

    async def prepare(self) -> PeerProcess:
        """Its phone, started if it was not. Raises Unavailable."""
        if self._peer is None:
            self._peer = await PeerProcess.start(self._spec())
        return self._peer

    async def close(self) -> None:
        """End the phone, if it is still there."""
        if self._peer is not None:
            await self._peer.close()

    async def run(self) -> CallReport:
        """Place the call, wait for its end, and compare. Raises NodeUnavailable, Unavailable."""
        agents_had = [len(agent.reports) for agent in self._agents]
        peer = await self.prepare()
        trouble: list[str] = []
        try:
            await self._begin(peer)
            heard = await self._end(peer, trouble)
        except NodeUnavailable:
            raise
        except OtklikError as error:
            trouble.append(str(error))
            heard = None
        finally:
            await peer.close()
        heard = heard or (peer.reports[0] if peer.reports else None)
        stored = await self._stored() if self._call_id else None
        report = self._report(heard, stored, await self._tones(heard, agents_had))
        return report.model_copy(update={"failures": [*trouble, *failures(self._call, report)]})

    def _spec(self) -> PeerSpec:
        call, after = self._call, self._call.after_transfer
        return PeerSpec(
            name=call.name,
            user=call.name,
            ring_s=call.caller.ring_s,
            on_invite=call.caller.on_invite,
            refer=call.caller.refer,
            dtmf=call.caller.dtmf,
            codecs=call.caller.codecs,
            network=call.caller.network,
            noise_dbfs=call.caller.noise_dbfs,
            on_answer=call.on_answer or (),
            answers=call.answers,
            after_transfer=after,
            listen_hz=(after.expect_hz,) if after else (),
            capture=self._capture_dir and self._capture_dir.resolve(),
        )

    async def _begin(self, peer: PeerProcess) -> None:
        call = self._call
        if call.direction == "inbound":
            peer.tell(Dial(target=f"sip:{call.dial or call.survey}@{self._sip_target}", headers=call.headers))
            return
        placed = await self._control.request(
            "place_call",
            to=peer.uri,
            survey=call.survey,
            customer=call.customer.model_dump(),
            agent=call.agent.model_dump(),
            department=call.department,
        )
        self._call_id = placed["call_id"]

    async def _end(self, peer: PeerProcess, trouble: list[str]) -> Report | None:
        """Both ends of the call: the node's `call_ended` and the phone's report."""
        over = asyncio.ensure_future(peer.report(0, self._call.limit_s))
        try:
            await asyncio.wait(
                (over, self._ended), timeout=self._call.limit_s, return_when=asyncio.FIRST_COMPLETED
            )
            if not over.done() and not self._ended.done():
                trouble.append(f"звонок не кончился за {self._call.limit_s:g} с")
                peer.tell(HangUp())
            if self._call_id or self._call.direction == "outbound":
                await asyncio.wait((self._ended,), timeout=REPORTED_WITHIN_S)
            if self._ended.done():
                self._ended.result()
            # A call handed over by REFER goes on without the node; a phone that never rang has no report.
            patience = self._call.limit_s if self._transferred else REPORTED_WITHIN_S
            await asyncio.wait((over,), timeout=patience if self._rings else 0)
            return over.result() if over.done() else None
        finally:
            over.cancel()

    @property
    def _rings(self) -> bool:
        return bool(self._call_id) or self._call.direction == "inbound"

    async def _stored(self) -> dict[str, Any] | None:
        """The call as SQL has it, once its writer has got that far."""
        with suppress(TimeoutError):
            async with asyncio.timeout(STORED_WITHIN_S):
                while True:
                    with suppress(StoreUnavailable):  # its database may be away for a while
                        reply = await self._control.request("calls", call_ids=[self._call_id])
                        for stored in reply["calls"]:
                            if stored.get("disposition"):
                                return dict(stored)
                    await asyncio.sleep(_ASK_AGAIN_S)
        return None

    async def _tones(self, heard: Report | None, agents_had: list[int]) -> Tones:
        after = self._call.after_transfer
        if after is None or not self._transferred:
            return Tones()
        readings: list[ToneReading] = []
        rung = () if self._at_desk else self._agents  # a desk reports nothing
        for agent, had in zip(rung, agents_had, strict=False):
            report = await agent.report(had, REPORTED_WITHIN_S / len(self._agents))
            if report is not None:
                readings += [tone for tone in report.tones if tone.hz == after.tone_hz]
        best = max(readings, key=lambda reading: reading.heard_s, default=None)
        return Tones(caller_heard=heard.tones[0] if heard and heard.tones else None, agent_heard=best)

    def _report(self, heard: Report | None, stored: dict[str, Any] | None, tones: Tones) -> CallReport:
        report = CallReport(
            name=self._call.name, call_id=self._call_id, tones=tones, heard=list(self._prompts.values())
        )
        if stored is not None:
            report = report.model_copy(
                update={
                    "disposition": stored["disposition"],
                    "answers": stored.get("answers", {}),
                    "transferred_to": stored.get("transferred_to") or None,
                }
            )
        if heard is None:
            return report
        return report.model_copy(
            update={
                "ended": heard.cause.value,
                "seconds": heard.seconds,
                "reply_gaps_ms": list(heard.reply_gaps_ms),
                "measured": list(heard.measured),
                "longest_silence_s": round(heard.longest_silence_s, 2),
                "longest_bot_silence_s": round(heard.longest_bot_silence_s, 2),
                "said": [f"{turn.question_id}: {turn.what}" for turn in heard.turns if turn.question_id],
                "unanswered": list(heard.unanswered),
                "unasked": list(heard.unasked),
                "packets_received": heard.packets_received,
                "packets_lost": heard.packets_lost,
                "packets_late": heard.packets_late,
                "stalls": heard.stalls,
            }
        )
