"""How we take leave of a machine: with a message, with a polite word, or without any."""

from __future__ import annotations

import asyncio
from collections.abc import Callable

from bot.call.answering.watch import AnswerWatch
from bot.call.speaking import Speaker
from bot.core.answerer import Answerer

_SILENT = (Answerer.ANNOUNCEMENT, Answerer.FAX)
"""Nobody records or hears us there."""
QUIET_S = 3.0
"""A mailbox without a beep records once it is silent; this is longer than its pauses before the beep."""
_GREETING_LIMIT_S = 45.0
"""A mailbox that talks longer gets no message."""
_OTHER_LIMIT_S = 10.0
"""A carrier's words may lead to a mailbox: so long it is waited for, where there is a message to leave."""
_TIMES = 3
"""A message that a late beep cuts in two is begun anew this often at most."""


async def take_leave(watch: AnswerWatch, speaker: Speaker, *, message: str, farewell: str) -> None:
    """Say what is to be said to the machine that `watch` has found. Raises LegClosed.

    A message is left from its beginning after the beep; a beep that comes while it is being said
    means that its beginning is lost, and it is said again. Without a message, whoever can hear us gets
    a farewell: should it be a person after all, he was not hung up on without a word.
    """
    if message and _found(watch) is Answerer.ANNOUNCEMENT:
        await _until(
            watch, lambda: _found(watch) is Answerer.VOICEMAIL or watch.quiet_s >= QUIET_S, _OTHER_LIMIT_S
        )
    if message and _found(watch) is Answerer.VOICEMAIL:
        await _leave_message(watch, speaker, message)
    elif _found(watch) not in _SILENT:
        await speaker.say(farewell, purpose="closing")


def _found(watch: AnswerWatch) -> Answerer | None:
    return watch.verdict.answerer if watch.verdict is not None else None


async def _leave_message(watch: AnswerWatch, speaker: Speaker, message: str) -> None:
    if not await _until(watch, lambda: watch.beep_after_words or watch.quiet_s >= QUIET_S, _GREETING_LIMIT_S):
        return
    for _ in range(_TIMES):
        watch.beeped.clear()
        await speaker.say(message, purpose="message", interrupt=watch.beeped)
        if not watch.beeped.is_set():
            return


async def _until(watch: AnswerWatch, holds: Callable[[], bool], limit_s: float) -> bool:
    """True as soon as it holds; False after `limit_s`, and when the line has ended."""
    try:
        async with asyncio.timeout(limit_s):
            while not holds():
                if watch.over:
                    return False
                await watch.next_frame()
    except TimeoutError:
        return False
    return True
