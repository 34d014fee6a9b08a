"""What a simulated phone's process and its parent tell each other: one JSON object a line.

The parent's first line is the `PeerSpec`, the peer's first line `Ready`.
"""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Literal

from pydantic import BaseModel, ConfigDict, Field, TypeAdapter

from bot.core.endings import EndKind
from bot.sim.measure import Turn
from bot.sim.network import Network
from bot.sim.script import AfterTransfer, Dtmf, OnInvite, Step
from bot.sim.sip_agent import ReferPolicy
from bot.sim.sounds import ToneReading
from bot.sim.turns import MeasuredTurn


class _Message(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")


class PeerSpec(_Message):
    """Who a phone is and what it does. `tone_hz` is played as soon as a call is up (an agent), once he has
    done what he does `on_answer`, and `when_asked`: when the far end has spoken and fallen silent.
    `replaces` False: an INVITE with Replaces finds it busy."""

    name: str
    user: str
    host: str = "127.0.0.1"
    ring_s: float = 0.3
    on_invite: OnInvite = OnInvite.ANSWER
    refer: ReferPolicy = ReferPolicy.DIAL
    replaces: bool = True
    dtmf: Dtmf = Dtmf.EVENTS
    codecs: tuple[str, ...] = ("PCMA",)
    on_answer: tuple[Step, ...] = ()
    when_asked: tuple[Step, ...] = ()
    answers: dict[str, tuple[Step, ...]] = {}
    after_transfer: AfterTransfer | None = None
    tone_hz: float | None = None
    listen_hz: tuple[float, ...] = ()
    capture: Path | None = None
    network: Network = Network()
    noise_dbfs: float | None = None


# To the peer ----------------------------------------------------------------------------------


class PromptCue(_Message):
    """The bot begins to speak for `duration_s`; `question_id` is "" where no question is put."""

    kind: Literal["prompt"] = "prompt"
    question_id: str
    duration_s: float


class PromptOver(_Message):
    kind: Literal["prompt_over"] = "prompt_over"


class ListeningCue(_Message):
    """The bot listens for the answer to a question (or `offer`)."""

    kind: Literal["listening"] = "listening"
    question_id: str


class Transferred(_Message):
    """A human is on the line."""

    kind: Literal["transferred"] = "transferred"


class Perform(_Message):
    """Do this now, whatever is being said."""

    kind: Literal["perform"] = "perform"
    steps: tuple[Step, ...]


class Dial(_Message):
    """Ring the node."""

    kind: Literal["dial"] = "dial"
    target: str
    headers: dict[str, str] = {}


class HangUp(_Message):
    """End the call that is running: the scenario's patience is over."""

    kind: Literal["hang_up"] = "hang_up"


ToPeer = PromptCue | PromptOver | ListeningCue | Transferred | Perform | Dial | HangUp

to_peer: TypeAdapter[ToPeer] = TypeAdapter(Annotated[ToPeer, Field(discriminator="kind")])


# From the peer --------------------------------------------------------------------------------


class Ready(_Message):
    """The phone is there and can be rung."""

    kind: Literal["ready"] = "ready"
    uri: str


class Report(_Message):
    """One call as this phone had it. Without an answer everything measured is empty.

    `unanswered` are the questions that were put and have no answer in the script, `unasked` those
    in the script that were never put.
    """

    kind: Literal["report"] = "report"
    direction: Literal["inbound", "outbound"]
    remote: str
    answered: bool
    cause: EndKind
    status: int | None = None
    seconds: float = 0.0
    turns: tuple[Turn, ...] = ()
    unanswered: tuple[str, ...] = ()
    unasked: tuple[str, ...] = ()
    digits_heard: str = ""
    reply_gaps_ms: tuple[int, ...] = ()
    measured: tuple[MeasuredTurn, ...] = ()
    longest_silence_s: float = 0.0
    longest_bot_silence_s: float = 0.0
    tones: tuple[ToneReading, ...] = ()
    packets_sent: int = 0
    packets_received: int = 0
    packets_lost: int = 0
    packets_late: int = 0
    stalls: int = 0


FromPeer = Ready | Report

from_peer: TypeAdapter[FromPeer] = TypeAdapter(Annotated[FromPeer, Field(discriminator="kind")])
