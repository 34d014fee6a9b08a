"""Calls as a worker would spool them, for the tests of the store."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any, Literal

from bot.core.answer import Answer, AnswerSource, AnswerStatus, AnswerValue
from bot.core.endings import Disposition, EndKind
from bot.core.events import Answered, AnswerRecorded, CallEnded, CallEvent, CallStarted

START = datetime(2026, 3, 1, 9, 0, tzinfo=UTC)


class Talk:
    """Numbers the events of one call, one second apart."""

    def __init__(
        self,
        call_id: str,
        attempt_id: str,
        *,
        direction: Literal["outbound", "inbound"] = "outbound",
        remote: str = "sip:+79001234567@trunk",
        contact_id: str = "",
    ) -> None:
        self.call_id = call_id
        self._next = 0
        self.started = self.event(
            CallStarted,
            direction=direction,
            remote=remote,
            survey_id="nps",
            survey_hash="hash-1",
            attempt_id=attempt_id,
            contact_id=contact_id,
            agent_id="agent-7",
            department="support",
        )

    def event(self, kind: type[CallEvent] | Any, **fields: Any) -> CallEvent:
        seq, self._next = self._next, self._next + 1
        event: CallEvent = kind(call_id=self.call_id, seq=seq, at=START + timedelta(seconds=seq), **fields)
        return event

    def answered(self) -> CallEvent:
        return self.event(Answered, codec="PCMA", rate=8000)

    def answer(self, question_id: str, value: AnswerValue, kind: str = "nps") -> CallEvent:
        status = AnswerStatus.ANSWERED if value is not None else AnswerStatus.REFUSED
        answer = Answer(
            status=status, value=value, confidence=0.9, source=AnswerSource.SPEECH, heard="девять"
        )
        return self.event(AnswerRecorded, question_id=question_id, question_kind=kind, answer=answer)

    def ended(
        self, disposition: Disposition = Disposition.COMPLETED, cause: EndKind = EndKind.LOCAL_HANGUP
    ) -> CallEvent:
        return self.event(CallEnded, cause=cause, disposition=disposition, duration_s=42.5)
