"""Who, or what, took a call."""

from __future__ import annotations

from enum import StrEnum


class Answerer(StrEnum):
    """What is at the other end of a line, as far as its sound tells."""

    HUMAN = "human"
    VOICEMAIL = "voicemail"  # takes a message after a beep
    ANNOUNCEMENT = "announcement"  # the carrier's own words or tones: «абонент временно недоступен»
    IVR = "ivr"  # a company's menu
    SECRETARY = "secretary"  # a virtual one, that talks and listens: «голосовой помощник»
    SILENCE = "silence"  # nothing was heard
    FAX = "fax"

    @property
    def is_machine(self) -> bool:
        """Nobody is there who could answer a survey. Silence may be a person who listens."""
        return self not in (Answerer.HUMAN, Answerer.SILENCE)
