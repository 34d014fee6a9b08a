"""What happens in calls, as it happens, to those pages that may see it (server-sent events).

Whoever watches how things go (`OBSERVERS`) sees that every call is there and how far it is. Only an
administrator hears its words here; the number is as `masking` has it for each of them. An agent sees the
calls that were shown to him (`show`: he is rung for the caller, or talks to him), but not from where they
come; a customer his own. Messages that are no call's events go to one agent's pages (`tell`), or to all that
watch for alerts (`alert`).
"""

from __future__ import annotations

import asyncio
import json
from collections import defaultdict
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from enum import Enum
from typing import Any

from bot.accounts.accounts import Account
from bot.accounts.roles import OBSERVERS, Role
from bot.core.events import PERSONAL_FIELDS, CallEvent, CallStarted
from bot.web.board import Board
from bot.web.masking import sees_numbers, shown_number

BACKLOG = 500
"""Messages that wait for a page which does not read; more, and it is cut off and begins anew."""


@dataclass(frozen=True, slots=True)
class Message:
    """One server-sent event: `call` with a call event, or what the pages of an agent are told."""

    name: str
    data: str


CHANGED = Message("changed", "")


class View(Enum):
    """How much of an event somebody is shown."""

    WHOLE = "whole"
    NUMBER = "number"  # from where, but nothing that was said
    MASKED = "masked"  # neither


_WHERE_FROM = frozenset({"remote", "phone"})


def view_of(account: Account) -> View:
    if account.role in (Role.ADMIN, Role.AGENT):
        return View.WHOLE
    return View.NUMBER if sees_numbers(account.role) else View.MASKED


def as_seen(event: CallEvent, view: View) -> str:
    """JSON. What is not shown is not there; of a masked number the last two digits are."""
    if view is View.WHOLE:
        return event.model_dump_json()
    told = event.model_dump(mode="json", exclude=set(PERSONAL_FIELDS - _WHERE_FROM))
    if view is View.MASKED:
        told |= {name: shown_number(told[name], whole=False) for name in _WHERE_FROM & told.keys()}
    return json.dumps(told, ensure_ascii=False)


class Listener:
    """The stream of one page: `await listener.next()`."""

    def __init__(
        self,
        agent_id: str,
        wants: Callable[[CallEvent], bool],
        account_id: str = "",
        view: View = View.WHOLE,
    ) -> None:
        self.agent_id = agent_id
        self.wants = wants
        self.account_id = account_id
        self.view = view
        self.watches = False
        self._queue: asyncio.Queue[Message | None] = asyncio.Queue()
        self._over = False

    async def next(self) -> Message | None:
        """The next message; None when there will be no more."""
        return await self._queue.get()

    def put(self, message: Message) -> None:
        if self._over:
            return
        if self._queue.qsize() >= BACKLOG:
            self.end()
        else:
            self._queue.put_nowait(message)

    def end(self) -> None:
        if not self._over:
            self._over = True
            self._queue.put_nowait(None)


class Ticks(Listener):
    """The stream of a page that only wants to know that something is other than it was: however much
    happens before it looks, it is told once."""

    def put(self, message: Message) -> None:
        if self._queue.empty():
            super().put(message)


class Live:
    """`board` is every call as it stands. `on_desk` is called with an agent's id whenever his first page
    opens or his last one closes."""

    def __init__(self) -> None:
        self.board = Board()
        self._listeners: set[Listener] = set()
        self._watchers: set[Ticks] = set()
        self._shown: defaultdict[str, set[str]] = defaultdict(set)
        self.on_desk: Callable[[str], None] = lambda agent_id: None

    # What is told ----------------------------------------------------------------------------

    def publish(self, event: CallEvent) -> None:
        """To every page that may see this call; never waits."""
        if self.board.take(event):
            self._changed()
        seen: dict[View, Message] = {}
        for listener in tuple(self._listeners):
            if listener.wants(event):
                if listener.view not in seen:
                    seen[listener.view] = Message("call", as_seen(event, listener.view))
                listener.put(seen[listener.view])

    def worker_lost(self) -> None:
        """Its calls are over."""
        self.board.worker_lost()
        self._changed()

    def _changed(self) -> None:
        for watcher in self._watchers:
            watcher.put(CHANGED)

    def tell(self, agent_id: str, name: str, data: dict[str, Any]) -> bool:
        """To this agent's pages; False where none is open."""
        found = [each for each in self._listeners if each.agent_id == agent_id]
        for listener in found:
            listener.put(Message(name, json.dumps(data, ensure_ascii=False)))
        return bool(found)

    def alert(self, name: str, data: dict[str, Any]) -> None:
        """To every page that watches for alerts."""
        message = Message(name, json.dumps(data, ensure_ascii=False))
        for listener in tuple(self._listeners):
            if listener.watches:
                listener.put(message)

    # Who may see what ------------------------------------------------------------------------

    def show(self, call_id: str, agent_id: str) -> None:
        """From now on this agent sees this call's events."""
        self._shown[agent_id].add(call_id)

    def hide(self, call_id: str, agent_id: str) -> None:
        self._shown[agent_id].discard(call_id)

    def sees(self, account: Account, call_id: str) -> bool:
        if account.role in OBSERVERS:
            return True
        return bool(account.agent_id) and call_id in self._shown[account.agent_id]

    def is_open(self, agent_id: str) -> bool:
        """Whether some page of this agent listens now."""
        return any(each.agent_id == agent_id for each in self._listeners)

    def open_desks(self) -> set[str]:
        """The agents of whom some page listens now."""
        return {each.agent_id for each in self._listeners if each.agent_id}

    # Who listens -----------------------------------------------------------------------------

    @contextmanager
    def of_account(self, account: Account) -> Iterator[Listener]:
        def wants(event: CallEvent) -> bool:
            """The first event says from where the call comes, which is not an agent's to see."""
            shown = account.role in OBSERVERS or not isinstance(event, CallStarted)
            return shown and self.sees(account, event.call_id)

        with self._listening(Listener(account.agent_id, wants, account.id, view_of(account))) as listener:
            yield listener

    @contextmanager
    def of_alerts(self, account: Account) -> Iterator[Listener]:
        """No call's events, and nobody's desk is open by it."""
        watching = Listener("", lambda event: False, account.id)
        watching.watches = True
        with self._listening(watching) as listener:
            yield listener

    @contextmanager
    def of_board(self, account: Account) -> Iterator[Ticks]:
        """`CHANGED` whenever the board is other than it was, the first one at once."""
        watcher = Ticks("", lambda event: False, account.id)
        watcher.put(CHANGED)
        self._watchers.add(watcher)
        try:
            yield watcher
        finally:
            self._watchers.discard(watcher)

    @contextmanager
    def of_call(self, call_id: str, account_id: str = "") -> Iterator[Listener]:
        """All of one call; "" is the customer's own page."""
        one = Listener("", lambda event: event.call_id == call_id, account_id)
        with self._listening(one) as listener:
            yield listener

    @contextmanager
    def _listening(self, listener: Listener) -> Iterator[Listener]:
        was_open = self.is_open(listener.agent_id)
        self._listeners.add(listener)
        if listener.agent_id and not was_open:
            self.on_desk(listener.agent_id)
        try:
            yield listener
        finally:
            self._listeners.discard(listener)
            if listener.agent_id and not self.is_open(listener.agent_id):
                self.on_desk(listener.agent_id)

    def end_of(self, account_id: str) -> None:
        """End this account's streams: its pages ask for new ones, with the session and the role that it has
        now."""
        for listener in (*self._listeners, *self._watchers):
            if listener.account_id == account_id:
                listener.end()

    def close(self) -> None:
        """End every stream, so that the server can stop."""
        for listener in (*self._listeners, *self._watchers):
            listener.end()
