"""What a simulated phone is told to do: when it is rung, at each question, after a transfer."""

from __future__ import annotations

from enum import StrEnum
from pathlib import Path
from typing import Annotated, Literal

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field, model_validator

from bot.sim.network import Network
from bot.sim.sip_agent import ReferPolicy
from bot.sim.sounds import EVENT_CODES

QUIET_S = 0.3
"""A polite caller speaks once the line has been quiet for so long: a pause between two sentences of a
prompt is rarely longer, and people leave about as much (Stivers et al. 2009: 0.2 s on average)."""


class OnInvite(StrEnum):
    """What a simulated phone does when it is rung."""

    ANSWER = "answer"
    BUSY = "busy"
    DECLINE = "decline"
    NOT_FOUND = "not_found"
    UNAVAILABLE = "unavailable"
    ERROR = "error"
    NO_ANSWER = "no_answer"  # rings for ever; takes a CANCEL


REFUSALS = {
    OnInvite.BUSY: 486,
    OnInvite.DECLINE: 603,
    OnInvite.NOT_FOUND: 404,
    OnInvite.UNAVAILABLE: 480,
    OnInvite.ERROR: 503,
}


class Dtmf(StrEnum):
    """How keys are sent."""

    EVENTS = "events"  # RFC 4733; tones where the far end takes no events
    INFO = "info"  # SIP INFO


class _Model(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")


THINGS = (
    "say", "keys", "pause_s", "hang_up", "silence", "stop_rtp", "hold_s", "reinvite", "rebind", "vanish",
)  # fmt: skip


class Step(_Model):
    """One thing the caller does: exactly one of the fields before `after_s`.

    `say` is a WAV file. `silence` is doing nothing, `stop_rtp` is sending no more packets until the
    next sound. `hold_s` puts the node on hold for so long, `reinvite` renegotiates the call, `rebind` goes
    on at another port without a word, as behind a NAT, and `vanish` is a phone that is switched off.
    `after_s` is how long the line has been quiet when he begins (at least 0.3 s), or,
    with `during_prompt`, the time since the prompt began.
    """

    say: Path | None = None
    keys: str | None = Field(None, min_length=1)
    pause_s: float | None = Field(None, ge=0)
    hang_up: Literal[True] | None = None
    silence: Literal[True] | None = None
    stop_rtp: Literal[True] | None = None
    hold_s: float | None = Field(None, gt=0)
    reinvite: Literal[True] | None = None
    rebind: Literal[True] | None = None
    vanish: Literal[True] | None = None
    after_s: float = Field(QUIET_S, ge=0)
    during_prompt: bool = False

    @model_validator(mode="after")
    def _one_thing(self) -> Step:
        if sum(getattr(self, thing) is not None for thing in THINGS) != 1:
            raise ValueError(f"шаг делает что-то одно: {', '.join(THINGS[:-1])} или {THINGS[-1]}")
        wrong = set(self.keys or "") - set(EVENT_CODES)
        if wrong:
            raise ValueError(f"таких клавиш нет: {' '.join(sorted(wrong))}")
        return self


def _as_list(given: object) -> object:
    return [given] if isinstance(given, dict) else given


Steps = Annotated[tuple[Step, ...], BeforeValidator(_as_list), Field(min_length=1)]
"""One step, or a list of them."""


NOISE_FROM_DBFS, NOISE_TO_DBFS = -70.0, -50.0
"""A-law knows nothing softer, and what is louder would count as a voice where a call is measured."""


class Caller(_Model):
    """The customer's phone. `ring_s` is how long it rings before it answers, `network` what becomes of the
    packets of its sound, `noise_dbfs` the noise of its surroundings, under all that it sends; None for a
    phone that is digitally silent between two words."""

    ring_s: float = Field(0.3, ge=0)
    on_invite: OnInvite = OnInvite.ANSWER
    refer: ReferPolicy = ReferPolicy.DIAL
    dtmf: Dtmf = Dtmf.EVENTS
    codecs: tuple[Literal["PCMA", "PCMU"], ...] = ("PCMA",)
    network: Network = Network()
    noise_dbfs: float | None = Field(None, ge=NOISE_FROM_DBFS, le=NOISE_TO_DBFS)


class AfterTransfer(_Model):
    """Once a human took over: play a tone, hear `listen_s` of what comes, hang up."""

    tone_hz: float = Field(700, gt=0, lt=4000)
    expect_hz: float = Field(440, gt=0, lt=4000)
    listen_s: float = Field(2.0, gt=0)
