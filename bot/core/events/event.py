"""What every event of a call has."""

from __future__ import annotations

from datetime import datetime

from pydantic import BaseModel, ConfigDict

from bot.core.ids import event_id


class Event(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid", hide_input_in_errors=True)

    call_id: str
    seq: int
    at: datetime
    media_s: float | None = None

    @property
    def id(self) -> str:
        return event_id(self.call_id, self.seq)
