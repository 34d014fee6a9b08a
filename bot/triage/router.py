"""Routing where the truth is: over the tables and the presence board, in the control process.

It satisfies `bot.core.routing.Router`; a call in a worker reaches it through `bot.control_router`.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass, replace
from datetime import datetime

import structlog

from bot.core.clock import Clock
from bot.core.errors import BadInput, Unavailable
from bot.core.ids import new_id
from bot.core.intents import Topic
from bot.core.routing import Route, RouteOrder
from bot.store import agents, cases, queries
from bot.store.database import Database
from bot.store.tables_cases import CaseRow, RouteRow
from bot.triage.directory import Agent, Directory, Presence, PresenceState
from bot.triage.presence import Place, PresenceBoard
from bot.triage.routing import RESPONSIBLE, deadline, free_places, route
from bot.triage.rows import directory_of, seed_agents

log = structlog.get_logger(__name__)


@dataclass(frozen=True, eq=False, slots=True)
class _Moved:
    """One move of a telephone; two to the same place are two."""

    uri: str


class LocalRouter:
    """`seeds` are the settings' own agents, by name their address."""

    def __init__(
        self, db: Database, board: PresenceBoard, clock: Clock, seeds: Mapping[str, str] | None = None
    ) -> None:
        self._db = db
        self._clock = clock
        self._seeds = seed_agents(seeds or {})
        self._moved: dict[str, list[_Moved]] = {}
        self._claimed: set[tuple[str, str]] = set()
        self._nobody: set[str] = set()
        self._choosing = asyncio.Lock()
        self.board = board

    async def directory(self, contact_id: str = "") -> Directory:
        """Everybody as of now; with the contact's manager. Raises StoreUnavailable."""
        manager = await agents.manager_of(self._db, contact_id)
        managers = {contact_id: manager} if manager else {}
        uris = {agent_id: moves[-1].uri for agent_id, moves in self._moved.items()}
        directory = directory_of(await agents.staff(self._db), self._seeds | seed_agents(uris), managers)
        moved = {agent_id: replace(directory.agents[agent_id], sip=uri) for agent_id, uri in uris.items()}
        return replace(directory, agents={**directory.agents, **moved})

    def move(self, agent_id: str, uri: str) -> Callable[[], None]:
        """Where an agent's telephone is, until this node stops or what is returned is called; somebody new is
        as one of the settings. Of several moves the latest that was not taken back counts."""
        move = _Moved(uri)
        self._moved.setdefault(agent_id, []).append(move)

        def take_back() -> None:
            moves = self._moved[agent_id]
            moves.remove(move)
            if not moves:
                del self._moved[agent_id]

        return take_back

    # A call's view: bot.core.routing.Router ------------------------------------------------------

    async def route(self, order: RouteOrder) -> Route:
        """Raises Unavailable."""
        contact_id = order.contact_id or await agents.contact_of_call(self._db, order.call_id)
        directory = await self.directory(contact_id)
        decided = route(
            order.model_copy(update={"contact_id": contact_id}),
            directory,
            await self.board.presences(),
            await self.board.live(),
            self._clock.now(),
        )
        log.info(
            "routed",
            call_id=order.call_id,
            target=order.target,
            candidates=[each.agent_id for each in decided.candidates],
            skipped={each.agent_id: each.why.value for each in decided.skipped},
            owner_id=decided.owner_id,
        )
        return decided

    async def claim(self, call_id: str, agent_id: str) -> bool:
        """Raises BadInput for an agent who is not in the table, Unavailable."""
        directory = await self.directory()
        agent = known_agent(directory, agent_id)
        department = directory.department_of(agent)
        taken = await self.board.claim(
            Place(call_id, agent_id, agent.max_live, agent.department, department.max_live)
        )
        if taken:
            self._claimed.add((call_id, agent_id))
        return taken

    async def release(self, call_id: str, agent_id: str) -> None:
        """Raises Unavailable."""
        await self.board.release(call_id, agent_id)
        self._claimed.discard((call_id, agent_id))

    async def free_agents(self) -> int | None:
        """How many callers could be passed on now, to anybody; None where it is not known."""
        try:
            directory = await self.directory()
            return free_places(
                directory, await self.board.presences(), await self.board.live(), self._clock.now()
            )
        except Unavailable as error:
            log.warning("free agents not counted", reason=error.message)
            return None

    # What keeps it true --------------------------------------------------------------------------

    async def renew(self, live_calls: Collection[str]) -> None:
        """Claims of calls that live hold on; those of this node's calls that are over are given back.
        Raises Unavailable."""
        await self.board.renew(live_calls)
        for call_id, agent_id in [claim for claim in self._claimed if claim[0] not in live_calls]:
            await self.release(call_id, agent_id)

    async def choose(self, agent_id: str, state: PresenceState | None) -> None:
        """What an agent says of himself: kept in SQL, shown on the board. Raises BadInput, Unavailable."""
        known_agent(await self.directory(), agent_id)
        async with self._choosing:
            await agents.choose_presence(self._db, agent_id, state.value if state else "")
            await self.board.choose(agent_id, state)

    async def restore(self) -> None:
        """What agents chose, as SQL has it, is what the board shows: it may be new, or have been away while
        somebody chose. Raises Unavailable."""
        async with self._choosing:
            shown = await self.board.presences()
            for row in (await agents.staff(self._db)).agents:
                chosen = PresenceState(row.presence) if row.presence else None
                if shown.get(row.id, Presence()).state != chosen:
                    await self.board.choose(row.id, chosen)

    async def assign_ownerless(self) -> int:
        """Name owner and deadline of every case that has none; how many. Raises StoreUnavailable.

        Whom the call itself was routed to answers for it; where it was not, it is routed now. Presence
        has no part in that: an owner is named while Redis is away, too.
        """
        named = 0
        for row in await cases.ownerless(self._db):
            now = self._clock.now()
            owner_id, due_at, decision = await self._answerable(row, now)
            if not owner_id:
                if row.id not in self._nobody:
                    self._nobody.add(row.id)
                    log.warning("case without an owner: there is no active agent", case_id=row.id)
                continue
            named += await cases.assign(
                self._db, row.id, owner_id=owner_id, due_at=due_at, now=now, route=decision
            )
        return named

    async def _answerable(self, row: CaseRow, now: datetime) -> tuple[str, datetime | None, RouteRow | None]:
        contact_id = row.contact_id or ""
        directory = await self.directory(contact_id)
        owner = directory.agents.get(row.owner_id)
        if owner is not None:
            return owner.id, deadline(owner, directory, now), None
        for decision in reversed(await cases.routes(self._db, row.call_id)):
            if decision.owner_id in directory.agents and decision.due_at is not None:
                return decision.owner_id, decision.due_at, None
        call = await queries.call(self._db, row.call_id)
        order = RouteOrder(
            call_id=row.call_id,
            target=await cases.last_target(self._db, row.call_id) or RESPONSIBLE,
            reason=row.reason,
            topic=Topic(row.topic) if row.topic else None,
            contact_id=contact_id,
            agent_id=call.attempt.agent_id if call else "",
            department=row.department,
        )
        decided = route(order, directory, {}, {}, now)
        stored = RouteRow(
            id=new_id("route"),
            call_id=row.call_id,
            target=order.target,
            at=now,
            owner_id=decided.owner_id,
            due_at=decided.due_at,
            json_=decided.model_dump_json(),
        )
        return decided.owner_id, decided.due_at, stored


def known_agent(directory: Directory, agent_id: str) -> Agent:
    """Raises BadInput."""
    if agent_id not in directory.agents:
        raise BadInput(f"сотрудника «{agent_id}» нет", hint="кто есть, покажет otklik agents list")
    return directory.agents[agent_id]
