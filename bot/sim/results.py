"""What came of a scenario: per call what was stored, what the caller heard, and what went wrong."""

from __future__ import annotations

from typing import Any

from pydantic import BaseModel, ConfigDict

from bot.core.answer import AnswerValue
from bot.sim.sounds import ToneReading
from bot.sim.turns import MeasuredTurn


class _Result(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")


class Tones(_Result):
    """The tones after a transfer, as each side received them; None where there was no transfer."""

    caller_heard: ToneReading | None = None
    agent_heard: ToneReading | None = None


class HeardPrompt(_Result):
    """What the node said to the caller, and how much of it was played to him, in seconds; None for a
    sentence that was still being said when the line ended."""

    text: str
    heard_s: float | None = None


class CallReport(_Result):
    """One call. `disposition`, `answers` and `transferred_to` are what the node stored, `heard` what it
    said to the caller; the rest is measured at the caller's socket. `ended` is how the caller's line
    ended, "" if it never rang; `stalls` counts how often the phone itself was held up for 0.2 s: its
    measures are then in doubt.
    """

    name: str
    call_id: str = ""
    disposition: str | None = None
    answers: dict[str, AnswerValue] = {}
    transferred_to: str | None = None
    ended: str = ""
    seconds: float = 0.0
    reply_gaps_ms: list[int] = []
    measured: list[MeasuredTurn] = []
    longest_silence_s: float = 0.0
    longest_bot_silence_s: float = 0.0
    tones: Tones = Tones()
    said: list[str] = []
    heard: list[HeardPrompt] = []
    unanswered: list[str] = []
    unasked: list[str] = []
    packets_received: int = 0
    packets_lost: int = 0
    packets_late: int = 0
    stalls: int = 0
    failures: list[str] = []

    @property
    def ok(self) -> bool:
        return not self.failures


class SimReport(_Result):
    calls: list[CallReport]

    @property
    def ok(self) -> bool:
        return all(call.ok for call in self.calls)

    def as_json(self) -> dict[str, Any]:
        """Plain values, ready for `json.dumps`."""
        calls = [{**call.model_dump(mode="json"), "ok": call.ok} for call in self.calls]
        return {"ok": self.ok, "calls": calls}
