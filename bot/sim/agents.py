"""What a simulated agent does with a handover: his telephone's script, by one word."""

from __future__ import annotations

from enum import StrEnum
from pathlib import Path

from bot.sim.script import OnInvite, Step

ASKED_S = 0.8
"""So long the line is quiet when an agent takes the whisper for over: longer than any pause in it."""


class AgentDoes(StrEnum):
    """What he does once he is rung. Those with a voice need a sound file (`say`)."""

    ACCEPTS_BY_KEY = "accepts_by_key"
    ACCEPTS_BY_VOICE = "accepts_by_voice"
    DECLINES_BY_KEY = "declines_by_key"
    DECLINES_BY_VOICE = "declines_by_voice"
    VOICEMAIL = "voicemail"  # a greeting and a beep, and then it listens
    DROPS_IN_WHISPER = "drops_in_whisper"
    DROPS_IN_TALK = "drops_in_talk"
    IS_SILENT = "is_silent"  # picks up, and never decides
    TALKS = "talks"  # picks up and talks, for nobody whispers to him: after a blind REFER
    NEVER_ANSWERS = "never_answers"
    BUSY = "busy"

    @property
    def speaks(self) -> bool:
        return self in (AgentDoes.ACCEPTS_BY_VOICE, AgentDoes.DECLINES_BY_VOICE, AgentDoes.VOICEMAIL)

    @property
    def on_invite(self) -> OnInvite:
        return {AgentDoes.NEVER_ANSWERS: OnInvite.NO_ANSWER, AgentDoes.BUSY: OnInvite.BUSY}.get(
            self, OnInvite.ANSWER
        )


def on_answer(does: AgentDoes, say: Path | None = None) -> tuple[Step, ...]:
    """What he does as soon as he has picked up."""
    if does is AgentDoes.VOICEMAIL:
        return (Step(say=say),)
    if does is AgentDoes.DROPS_IN_WHISPER:
        return (Step(pause_s=2.0), Step(hang_up=True))
    return ()


def when_asked(does: AgentDoes, say: Path | None = None) -> tuple[Step, ...]:
    """What he does when the whisper is over."""
    match does:
        case AgentDoes.ACCEPTS_BY_KEY:
            return (Step(keys="1"),)
        case AgentDoes.DECLINES_BY_KEY:
            return (Step(keys="2"),)
        case AgentDoes.ACCEPTS_BY_VOICE | AgentDoes.DECLINES_BY_VOICE:
            return (Step(say=say),)
        case AgentDoes.DROPS_IN_TALK:
            return (Step(keys="1"), Step(pause_s=1.0), Step(hang_up=True))
        case _:
            return ()
