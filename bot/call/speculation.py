"""What the dialogue will likely say, worked out while the silence runs that may end a turn.

Rasa's tracker and the record see a turn only when it is committed. Until then the words go through
`/model/parse`, which changes nothing, and through the same pure step of the survey that Rasa's
actions take; what would be said then is brought to memory, so that it can be played at once. If the
caller goes on, nothing has happened.

Once the turn is over, the reply that these steps give need not be waited for either: it is performed
while Rasa takes the turn (`foreseen`), and Rasa has the last word.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from contextlib import suppress

import structlog

from bot.core.context import CallContext, TurnSource, UserTurn
from bot.core.directives import (
    Ask,
    Directive,
    End,
    Note,
    Offer,
    OfferAnswered,
    OpenCase,
    Record,
    Say,
    Signal,
    Transfer,
    TurnReply,
    Understood,
    WithdrawMatter,
    WithdrawSignal,
)
from bot.core.errors import Unavailable
from bot.core.ports import Dialogue
from bot.surveys import flow
from bot.surveys.schema import Survey
from bot.surveys.understanding import as_understood

log = structlog.get_logger()

_HARMLESS = (
    *(Say, Ask, Offer, OfferAnswered, Record),
    *(Signal, WithdrawSignal, OpenCase, Note, WithdrawMatter),
)
"""What may be done before Rasa has confirmed it: a later answer replaces an earlier one, a sentence can
be broken off, and a case is written down a turn later. A transfer, an opt-out or the end of a call
cannot be taken back."""


class Speculation:
    """Follows one call's survey beside Rasa. `ready` brings a text's sound to memory.

    Where a reply is not what its own steps lead to (Rasa runs another version of them), it gives up
    guessing for this call: a guess can only save time, and is never spoken by itself.
    """

    def __init__(
        self,
        survey: Survey,
        context: CallContext,
        dialogue: Dialogue,
        ready: Callable[[str], Awaitable[object]],
    ) -> None:
        self._survey = survey
        self._call_id = context.call_id
        self._dialogue = dialogue
        self._ready = ready
        self._step: flow.Step | None = flow.start(survey, context)
        self._guessing: asyncio.Task[None] | None = None
        self._read: tuple[str, Understood | None] | None = None  # the words of the last guess, understood
        self.likely: tuple[Directive, ...] | None = None
        """What follows if the turn is over with the words of the last guess, once that is known."""

    def started(self, reply: TurnReply) -> None:
        """The dialogue has opened the call."""
        self._compare(reply)

    def guess(self, text: str, after_s: float | None = None) -> None:
        """The turn may be over with these words. Replaces the guess before; returns at once."""
        self.forget()
        if self._step is not None and text:
            turn = UserTurn(source=TurnSource.SPEECH, text=text, after_s=after_s)
            self._guessing = asyncio.create_task(self._guess(self._step.state, turn))

    def foreseen(self, turn: UserTurn) -> TurnReply | None:
        """The reply to a turn that is over, where it can be told without Rasa and could be taken back.

        None where the words differ from the last guess (or are still being read), and where the reply
        does more than to write down, speak and listen.
        """
        understood: Understood | None = None
        if turn.source is TurnSource.SPEECH:
            if self._read is None or self._read[0] != turn.text:
                return None
            understood = self._read[1]
        if self._step is None:
            return None
        step = flow.next_step(self._survey, self._step.state, as_understood(turn, understood))
        if not all(isinstance(each, _HARMLESS) for each in step.directives):
            return None
        return TurnReply(directives=step.directives, understood=understood)

    def committed(self, turn: UserTurn, reply: TurnReply) -> None:
        """The dialogue has taken this turn."""
        self.forget()
        if self._step is not None:
            turn = as_understood(turn, reply.understood)
            self._step = flow.next_step(self._survey, self._step.state, turn)
            self._compare(reply)

    def forget(self) -> None:
        """No guess is wanted any more."""
        self.likely = self._read = None
        if self._guessing is not None:
            self._guessing.cancel()
            self._guessing = None

    async def guessed(self) -> None:
        """Waits until the last guess is worked out, and what it would say is in memory."""
        if self._guessing is not None:
            with suppress(asyncio.CancelledError):
                await asyncio.shield(self._guessing)

    async def _guess(self, state: flow.FlowState, turn: UserTurn) -> None:
        try:
            understood = await self._dialogue.parse(turn.text)
            self._read = turn.text, understood
            step = flow.next_step(self._survey, state, as_understood(turn, understood))
            for text in spoken(step.directives):
                await self._ready(text)
            self.likely = step.directives
        except Unavailable as error:
            # The turn itself will meet the same trouble, and the caller is told then.
            log.info("nothing foreseen", call_id=self._call_id, reason=error.message)

    def _compare(self, reply: TurnReply) -> None:
        if self._step is not None and self._step.directives != reply.directives:
            log.warning("the dialogue goes another way than foreseen", call_id=self._call_id)
            self._step = None


def spoken(directives: tuple[Directive, ...]) -> tuple[str, ...]:
    """What these directives say to the caller, in order."""
    speaking = (Say, Ask, Offer, Transfer, End)
    return tuple(each.text for each in directives if isinstance(each, speaking) and each.text)
