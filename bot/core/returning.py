"""A caller who rings again while his matter is open: what control knows of it."""

from __future__ import annotations

from collections.abc import Awaitable, Callable

from pydantic import AwareDatetime, BaseModel, ConfigDict

from bot.core.intents import Topic


class OpenMatter(BaseModel):
    """Whose it is and by when, the target of the handover that came to nothing, and what its agent was to
    be told."""

    model_config = ConfigDict(frozen=True, extra="forbid", hide_input_in_errors=True)

    target: str
    owner_id: str = ""
    due_at: AwareDatetime | None = None
    topic: Topic | None = None
    whisper: str = ""


Returning = Callable[[str], Awaitable[OpenMatter | None]]
"""The open matter of the caller with this URI, if he has one. Raises Unavailable."""
