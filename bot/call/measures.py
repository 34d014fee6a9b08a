"""The bot's own estimate of a reply gap and of where it went: one measurement a turn."""

from __future__ import annotations

from bot.call.journal import Journal
from bot.call.listening import Heard
from bot.core.clock import Clock
from bot.core.events import ReplyMeasured


class ReplyTimer:
    """Follows one turn from the caller's last voiced sound to our first frame.

    Called in this order: `heard`, `asked`, `replied`, `sounded`, `write`. A filler sounds before
    the reply is there: then the dialogue's share is what the caller waited until then.
    """

    def __init__(self, journal: Journal, clock: Clock) -> None:
        self._journal = journal
        self._clock = clock
        self._question_id = ""
        self._heard: Heard | None = None
        self._decided_at = self._asked_at = 0.0
        self._replied_at: float | None = None
        self._sounded_at: float | None = None

    def heard(self, question_id: str, heard: Heard, decided_at: float) -> None:
        """`decided_at`: the monotonic time at which the turn was known to be over."""
        self._heard = heard
        self._question_id = question_id
        self._decided_at = decided_at
        self._replied_at = self._sounded_at = None

    def asked(self) -> None:
        self._asked_at = self._clock.monotonic()

    def replied(self) -> None:
        self._replied_at = self._clock.monotonic()

    def sounded(self) -> None:
        if self._heard is not None and self._sounded_at is None:
            self._sounded_at = self._clock.monotonic()

    async def write(self) -> None:
        """Writes the measurement down, once it is whole. Silence has no reply gap."""
        heard, sounded_at = self._heard, self._sounded_at
        if heard is None or sounded_at is None:
            return
        self._heard = None
        if heard.ended_s is None:
            return
        endpointing_s = heard.decided_s - heard.ended_s
        replied_at = sounded_at if self._replied_at is None else self._replied_at
        await self._journal.write(
            ReplyMeasured,
            media_s=heard.decided_s,
            question_id=self._question_id,
            gap_ms=_ms(endpointing_s + sounded_at - self._decided_at),
            endpointing_ms=_ms(endpointing_s),
            recognition_ms=_ms(self._asked_at - self._decided_at),
            dialogue_ms=_ms(replied_at - self._asked_at),
            first_audio_ms=_ms(sounded_at - replied_at),
        )


def _ms(seconds: float) -> float:
    return round(seconds * 1000, 1)
