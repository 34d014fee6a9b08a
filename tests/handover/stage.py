"""Where the edges are played: one SIP endpoint, real phones, and a room for each form.

The calls, the machine, the recogniser and SIP are the real ones; the survey says one sentence, routing is
what the test says, and prompts are tones, so that whatever else is heard on a line is known for what it is.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncIterator, Awaitable, Callable, Coroutine, Sequence
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any, TypeVar

import soundfile

from bot.call.plan import CallPlan, CallRoom, CallTexts
from bot.call.session import CallSession
from bot.call.settings import CallSettings
from bot.call.speaking import Voice
from bot.core.audio import Pcm
from bot.core.context import CallContext
from bot.core.directives import Callback, End, Transfer
from bot.core.endings import Disposition
from bot.core.events import (
    CallbackPromised,
    CallEvent,
    CaseOpened,
    HandoverConnected,
    HandoverFailed,
    HandoverRinging,
    HandoverStarted,
    PromptEnded,
    PromptStarted,
)
from bot.core.routing import DESK, HandoverForm
from bot.settings import PROJECT
from bot.sim.agents import AgentDoes, on_answer, when_asked
from bot.sim.messages import Dial, PeerSpec, Perform, Report, Transferred
from bot.sim.peer_process import PeerProcess
from bot.sim.script import AfterTransfer, OnInvite, Step
from bot.sim.sip_address import SipUri
from bot.sim.sip_agent import ReferPolicy
from bot.speech.models import ensure_model
from bot.speech.recogniser import VoskRecogniser
from bot.speech.settings import RecogniserSettings
from bot.speech.voices import SileroVoices
from bot.surveys.handover_words import RUSSIAN
from telephony.leg import CallLeg, RejectReason
from telephony.settings import SipSettings
from telephony.sip import SipEndpoint, SipLeg
from telephony.tones import hold_music, listening_sign, tone
from tests.call.fakes import Desk, Dialogue, NoRecording, Sink, nobody_returns
from tests.call.loop_clock import LoopClock
from tests.ports import free_port, rtp_ports

E = TypeVar("E", bound=CallEvent)

AGENT_HZ, CALLER_HZ, PROMPT_HZ = 440.0, 700.0, 1000.0
LISTEN_S = 2.5
RING_S = 3.0
"""How long a telephone rings that nobody picks up."""
PATIENT_RING_S = 15.0
"""How long any other may: one that is held up picks up late."""
AUDIO = PROJECT / "tests" / "data"
YES, NO = AUDIO / "audio" / "ru" / "020_elena.wav", AUDIO / "audio" / "ru" / "024_elena.wav"
MAILBOX = AUDIO / "amd" / "tuning" / "voicemail_01.wav"

ORDER = Transfer(target="", reason="low_score", text="Соединяю", whisper="Оценка два")
NOBODY = "Никого нет"
FAILED = (Callback(by="agent"), End(disposition=Disposition.CALLBACK, text=NOBODY))
SETTINGS = CallSettings(
    handover_ring_s=PATIENT_RING_S, handover_refer_s=2.0, handover_decide_s=15.0, handover_word_s=15.0
)


class Tones:
    """Every prompt is a tone of 25 ms a letter."""

    async def prepare(self, texts: tuple[str, ...], *, voice: str, language: str, rate: int) -> None: ...

    async def get(self, text: str, *, voice: str, language: str, rate: int) -> Pcm:
        return tone(0.025 * len(text), rate, hz=PROMPT_HZ)


@dataclass
class Play:
    """One call as it is played: who is in it, what was written, and what each phone reports."""

    name: str
    form: HandoverForm
    sink: Sink = field(default_factory=Sink)
    caller: PeerProcess | None = None
    agents: dict[str, PeerProcess] = field(default_factory=dict)
    session: CallSession | None = None
    disposition: Disposition | None = None
    heard: Report | None = None
    began: float = 0.0
    ended: float = 0.0

    def of(self, kind: type[E]) -> list[E]:
        return self.sink.of(kind)

    async def until(self, holds: Callable[[], object], within_s: float = 25.0) -> None:
        try:
            async with asyncio.timeout(within_s):
                await self.sink.until(holds)
        except TimeoutError as error:
            raise AssertionError(f"{self.name}: not within {within_s} s of {self.sink.kinds()}") from error

    async def asked(self) -> None:
        await self.until(lambda: any(event.text == RUSSIAN.accept for event in self.of(PromptStarted)))

    async def rings(self) -> None:
        await self.until(lambda: self.of(HandoverRinging))

    async def joined(self) -> None:
        await self.until(lambda: self.of(HandoverConnected))

    async def cut_off(self, times: int = 1) -> None:
        """Until the caller has heard, for the n-th time, whether he wants to be joined again."""

        def asked() -> bool:
            put = [event.prompt for event in self.of(PromptStarted) if event.text == RUSSIAN.rejoin]
            return len(put) >= times and any(event.prompt == put[-1] for event in self.of(PromptEnded))

        await self.until(asked)

    def caller_does(self, *steps: Step) -> None:
        assert self.caller is not None
        self.caller.tell(Perform(steps=steps))

    @property
    def stalls(self) -> int:
        """How often one of its telephones was held up for 0.2 s, by its own account."""
        phones = [*self.agents.values(), *([self.caller] if self.caller is not None else [])]
        return sum(report.stalls for phone in phones for report in phone.reports)

    def agent_report(self, name: str = "agent") -> Report:
        (report,) = self.agents[name].reports
        return report

    def owed(self, reason: str) -> None:
        """A call back is promised, as a case with an owner and a deadline."""
        (promised,), (case,) = self.of(CallbackPromised), self.of(CaseOpened)
        assert (promised.reason, case.reason) == (reason, reason)
        assert case.callback
        assert case.owner_id
        assert case.due_at is not None
        assert self.disposition is Disposition.CALLBACK


def held_up(stalls: int, error: BaseException) -> AssertionError:
    """A failure of a machine that was not there: such a test is tried again (tests/conftest.py)."""
    return AssertionError(
        f"a telephone was held up {stalls} times, and then: {error or type(error).__name__}"
    )


Times = dict[str, float | None]


def times_of(events: Sequence[CallEvent]) -> Times:
    """Seconds since the handover began: until a phone rang, until two-way audio, until it was decided."""
    start = next(event.at for event in events if isinstance(event, HandoverStarted))

    def since(*kinds: type[CallEvent]) -> float | None:
        found = next((event for event in events if isinstance(event, kinds)), None)
        return round((found.at - start).total_seconds(), 2) if found is not None else None

    return {
        "ring_s": since(HandoverRinging),
        "joined_s": since(HandoverConnected),
        "decided_s": since(HandoverConnected, HandoverFailed, CaseOpened),
    }


Act = Callable[[Play], Awaitable[None]]


@dataclass(frozen=True)
class Case:
    """What people do. An agent's phone does `does` on its own; `act` is done beside it. `agents` names
    phones and what they do; a bare SIP address is a phone that is there already."""

    agents: dict[str, AgentDoes | OnInvite | str] = field(default_factory=dict)
    act: Act | None = None
    refer: ReferPolicy = ReferPolicy.DIAL
    desk: Desk | None = None
    listen_s: float = LISTEN_S
    ring_s: float = PATIENT_RING_S
    short_talk_s: float = 2.0
    replaces: bool = True
    browser: bool = False


class Stage:
    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._mailbox = folder / "mailbox.wav"
        self._plays: dict[str, tuple[Play, CallRoom]] = {}
        self._tasks: set[asyncio.Future[None]] = set()
        self._done: dict[str, asyncio.Future[None]] = {}
        self.browsers: dict[str, Callable[[], Awaitable[CallLeg]]] = {}

    @asynccontextmanager
    async def open(self) -> AsyncIterator[Stage]:
        recogniser_settings = RecogniserSettings()
        model = ensure_model(recogniser_settings.model, PROJECT / "models", self._folder)
        sound, rate = soundfile.read(MAILBOX, dtype="int16")  # A-law, which the phones do not read
        soundfile.write(self._mailbox, sound, rate, subtype="PCM_16")
        async with AsyncExitStack() as stack:
            self.recogniser = await VoskRecogniser.load(model, recogniser_settings)
            stack.callback(self.recogniser.close)
            self.voices = await asyncio.to_thread(SileroVoices)
            self.endpoint = SipEndpoint(
                SipSettings(port=free_port(), rtp_ports=rtp_ports(), max_calls=60), on_call=self._rung
            )
            await self.endpoint.start()
            stack.push_async_callback(self.endpoint.stop)
            yield self

    async def play(self, name: str, form: HandoverForm, case: Case, desk: Desk | None = None) -> Play:
        """One call to its end; raises whatever went wrong in it, and whether its telephones could help it."""
        play = Play(name, form)
        try:
            await self._play(play, case, desk or case.desk or Desk())
        except Exception as error:
            if play.stalls:
                raise held_up(play.stalls, error) from error
            raise
        return play

    async def _play(self, play: Play, case: Case, desk: Desk) -> None:
        name, form = play.name, play.form
        async with AsyncExitStack() as stack:
            specs = {agent: self._agent(f"{name}-{form}-{agent}", case, agent) for agent in case.agents}
            play.caller = await PeerProcess.start(self._caller(play, case))
            stack.push_async_callback(play.caller.close)
            for agent, spec in specs.items():
                if spec is None:
                    desk.person("responsible", agent, str(case.agents[agent]))
                    continue
                phone = play.agents[agent] = await PeerProcess.start(spec)
                stack.push_async_callback(phone.close)
                desk.person("responsible", agent, phone.uri)
            if case.browser:
                desk.person("responsible", "desk", f"{DESK}{play.caller.spec.user}")
            user = play.caller.spec.user
            self._plays[user] = (play, self._room(play, desk, case))
            over = self._done[user] = asyncio.get_running_loop().create_future()
            play.began = time.monotonic()
            play.caller.tell(Dial(target=f"sip:{user}@{self.endpoint.address}"))
            acting = asyncio.ensure_future(case.act(play)) if case.act is not None else None
            async with asyncio.timeout(60):
                await over
                if acting is not None:
                    await acting
            play.ended = time.monotonic()
            play.heard = await play.caller.report(0, 15)
            for agent, phone in play.agents.items():
                rung = sum(event.agent_id == agent for event in play.of(HandoverRinging))
                if rung:
                    await phone.report(rung - 1, 10)
        mine = f"call-{play.caller.spec.user}"
        assert not any(mine in calls for calls in desk.claims.values()), "every place was given back"

    def _caller(self, play: Play, case: Case) -> PeerSpec:
        return PeerSpec(
            name=f"{play.name}-{play.form}",
            user=f"{play.name}-{play.form}",
            refer=case.refer,
            after_transfer=AfterTransfer(tone_hz=CALLER_HZ, expect_hz=AGENT_HZ, listen_s=case.listen_s),
            listen_hz=(AGENT_HZ, PROMPT_HZ, CALLER_HZ),
        )

    def _agent(self, name: str, case: Case, agent: str) -> PeerSpec | None:
        does = case.agents[agent]
        if not isinstance(does, AgentDoes | OnInvite):
            return None
        known = does if isinstance(does, AgentDoes) else AgentDoes.IS_SILENT
        say = {
            AgentDoes.ACCEPTS_BY_VOICE: YES,
            AgentDoes.DECLINES_BY_VOICE: NO,
            AgentDoes.VOICEMAIL: self._mailbox,
        }.get(known)
        return PeerSpec(
            name=name,
            user=name,
            replaces=case.replaces,
            on_invite=does if isinstance(does, OnInvite) else does.on_invite,
            on_answer=on_answer(known, say),
            when_asked=when_asked(known, say),
            tone_hz=AGENT_HZ,
            listen_hz=(CALLER_HZ, PROMPT_HZ),
        )

    # Our side of the calls ----------------------------------------------------------------------------

    def _rung(self, leg: SipLeg) -> None:
        user = SipUri.parse(leg.local).user
        if user not in self._plays:
            self._keep(leg.reject(RejectReason.BUSY))
            return
        play, room = self._plays[user]
        play.session = CallSession(self._plan(user), room)
        self._keep(self._run(play, leg, self._done[user]))

    def _keep(self, work: Coroutine[Any, Any, None]) -> None:
        task = asyncio.ensure_future(work)
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    async def _run(self, play: Play, leg: SipLeg, done: asyncio.Future[None]) -> None:
        assert play.session is not None
        try:
            play.disposition = await play.session.inbound(leg)
        except BaseException as error:
            done.set_exception(error)
            return
        done.set_result(None)

    def _plan(self, user: str) -> CallPlan:
        return CallPlan(
            attempt_id=f"attempt-{user}",
            survey_id="handover",
            context=CallContext(call_id=f"call-{user}", survey_hash="h", direction="outbound"),
            voice=Voice("ru", "ru"),
            texts=CallTexts(
                filler=("Секунду",), hold=("Соединяю вас",), error="Простите", farewell="До свидания"
            ),
        )

    def _room(self, play: Play, desk: Desk, case: Case) -> CallRoom:
        dialogue = Dialogue()
        dialogue.replies.extend([(ORDER.model_copy(update={"target": "responsible"}),), FAILED])

        def watch(event: CallEvent) -> None:
            if isinstance(event, HandoverConnected) and play.caller is not None:
                play.caller.tell(Transferred())

        return CallRoom(
            dialogue=dialogue,
            recogniser=self.recogniser,
            vad=self.voices.line,
            prompts=Tones(),
            sink=play.sink,
            clock=LoopClock(),
            watcher=watch,
            dial=self._dial,
            router=desk,
            returning=nobody_returns,
            hold_music=hold_music,
            listening_sign=listening_sign,
            open_recording=NoRecording(),  # type: ignore[arg-type]
            settings=replace(
                SETTINGS,
                handover_form=play.form,
                handover_ring_s=case.ring_s,
                handover_short_talk_s=case.short_talk_s,
            ),
        )

    async def _dial(
        self, uri: str, timeout_s: float, placed: Callable[[CallLeg], None] | None = None
    ) -> CallLeg:
        if uri.startswith(DESK):
            return await self.browsers[uri.removeprefix(DESK).partition("@")[0]]()
        return await self.endpoint.dial(uri, timeout_s=timeout_s, placed=placed)
