"""Cases and notes of a call, held until they can no longer be taken back.

A caller may correct an answer in his very next turn, and a case that rested on it must not stand then.
So a case is written down with the reply to the turn after it, or at the end of the call, whichever
comes first: whoever hangs up in anger has his case all the same.
"""

from __future__ import annotations

from collections.abc import Sequence

from bot.call.journal import Journal
from bot.core.directives import Callback, Directive, Note, OpenCase, WithdrawMatter
from bot.core.events import CallbackPromised, CaseOpened, Noted

_OF_DEPARTMENT = "department:"


class Matters:
    """The matters of one call. `department` is the call's own, for whoever the case is sorted to."""

    def __init__(self, journal: Journal, department: str) -> None:
        self._journal = journal
        self._department = department
        self._held: dict[str, OpenCase | Note] = {}

    def hold(self, matter: OpenCase | Note) -> None:
        """Keep it back. The same rule's again changes nothing."""
        self._held.setdefault(matter.reason if isinstance(matter, OpenCase) else matter.rule, matter)

    async def settle(self, directives: Sequence[Directive]) -> None:
        """A reply has come: what it does not take back stands. Raises DiskFull."""
        for each in directives:
            if isinstance(each, WithdrawMatter):
                self._held.pop(each.rule, None)
        await self.close()

    async def close(self) -> None:
        """Write down whatever is held. Raises DiskFull."""
        while self._held:
            rule = next(iter(self._held))
            await self._write(self._held[rule])
            self._held.pop(rule, None)

    def kept(self) -> dict[str, OpenCase | Note]:
        """What is held now, for `back_to`."""
        return dict(self._held)

    def back_to(self, kept: dict[str, OpenCase | Note]) -> None:
        """Forget what was held since: it was foreseen, and the dialogue says otherwise."""
        self._held = {rule: matter for rule, matter in self._held.items() if rule in kept}

    async def promise(self, order: Callback) -> None:
        """Somebody will ring back; where an agent is to, that is a case of its own. Raises DiskFull."""
        await self._journal.write(
            CallbackPromised, when=order.when, by=order.by, reason=order.reason, due_at=order.due
        )
        if order.by == "agent":
            await self._journal.write(
                CaseOpened,
                reason=order.reason,
                topic=order.topic,
                department=self._department_of(order.target),
                due_at=order.due,
                callback=True,
                words=order.when,
            )

    async def _write(self, matter: OpenCase | Note) -> None:
        if isinstance(matter, Note):
            await self._journal.write(Noted, rule=matter.rule, topic=matter.topic, words=matter.words)
            return
        await self._journal.write(
            CaseOpened,
            reason=matter.reason,
            topic=matter.topic,
            department=self._department_of(matter.target),
            callback=matter.callback,
            words=matter.words,
        )

    def _department_of(self, target: str) -> str:
        """The department that a rule names, or the call's own."""
        named = target.removeprefix(_OF_DEPARTMENT)
        return self._department if named == target else named
