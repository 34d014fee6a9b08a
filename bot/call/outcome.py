"""From how a line ended and what was said on it to the attempt's one disposition. Pure."""

from __future__ import annotations

from dataclasses import dataclass, replace

from bot.call.answering.classifier import Verdict
from bot.call.answering.consequences import of_early, of_machine
from bot.core.endings import Disposition, EndCause, EndKind

_NEVER_ANSWERED = {
    EndKind.BUSY: Disposition.BUSY,
    EndKind.DECLINED: Disposition.DECLINED,
    EndKind.NO_ANSWER: Disposition.NO_ANSWER,
    EndKind.CANCELLED: Disposition.NO_ANSWER,
    EndKind.NOT_FOUND: Disposition.INVALID_NUMBER,
    EndKind.STACK_DIED: Disposition.INTERRUPTED,
}
_NETWORK = {EndKind.MEDIA_LOST, EndKind.NEVER_ACKED, EndKind.FAILED, EndKind.UNREACHABLE}


@dataclass(frozen=True, slots=True)
class Progress:
    """What a call has come to so far.

    `decided` is the disposition that the dialogue gave at its end; `answers` counts the questions
    with a value; `machine` is set where no person took the call; `handed_over` is set once a human and
    the caller were joined.
    """

    answers: int = 0
    decided: Disposition | None = None
    handed_over: bool = False
    callback: bool = False
    machine: Disposition | None = None

    def with_answer(self) -> Progress:
        return replace(self, answers=self.answers + 1)

    def ending(self, decided: Disposition) -> Progress:
        return replace(self, decided=decided)

    def going_on(self) -> Progress:
        """The dialogue has more to say: its end, if it had come, was none."""
        return replace(self, decided=None)

    def met(self, verdict: Verdict) -> Progress:
        return replace(self, machine=of_machine(verdict))

    def joined(self) -> Progress:
        return replace(self, handed_over=True)

    def promising(self) -> Progress:
        return replace(self, callback=True)


def of_unanswered(cause: EndCause, early: Verdict | None = None) -> Disposition:
    """The disposition of an attempt whose line was never up; `early` is what was heard on it."""
    told = of_early(early, cause)
    if told is not None:
        return told
    return _NEVER_ANSWERED.get(cause.kind, Disposition.FAILED)


def of_answered(progress: Progress, cause: EndCause) -> Disposition:
    """The disposition of an attempt whose line was up, whoever ended it.

    A survey that was cut by a broken network is still worth its answers (`PARTIAL`); without any
    it is the network's failure and not the caller's refusal. What a machine took is never completed.
    """
    if progress.handed_over:
        return Disposition.TRANSFERRED
    if progress.machine is not None:
        return Disposition.PARTIAL if progress.answers else progress.machine
    if progress.decided is not None:
        return progress.decided
    if progress.callback:
        return Disposition.CALLBACK
    if cause.kind is EndKind.STACK_DIED:
        return Disposition.INTERRUPTED
    if progress.answers:
        return Disposition.PARTIAL
    return Disposition.FAILED if cause.kind in _NETWORK else Disposition.HUNG_UP
