"""Whom to ring for an unhappy customer, and whose the matter is if nobody takes it. Pure.

    owner ──────► department ──────► skill ──────► fallback            the steps of the chain
    his manager,  its agents         who know      agents and departments
    else who                         the topic     with a fallback order
    had the talk

`responsible` walks the whole chain, `department:NAME` and `skill:NAME` begin at their step, and any other
target is the one agent of that id. Everybody in the chain is a candidate or is passed over with a reason,
once, at the first step that names him. Within a step whoever speaks the customer's language comes first,
then whoever has the fewest live transfers, then the lower id.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta

from bot.core.routing import DESK, Candidate, PassedOver, Route, RouteOrder, RouteStep, Skipped
from bot.triage.directory import Agent, Directory, Live, Presence, Presences, PresenceState
from bot.triage.working_days import (
    after_working_hours,
    end_of_next_working_day,
    is_off,
    on_shift,
    working_periods,
)

RESPONSIBLE = "responsible"
DEPARTMENT, SKILL = "department:", "skill:"

OWNER_WAITS = timedelta(days=4)
"""An owner who works within this time (a long weekend) keeps the matter; one who is away for longer leaves
it to the next in the chain."""

UNKNOWN_SHIFT = timedelta(days=1)
"""The deadline of an owner who has no shift for a year to come."""


@dataclass(frozen=True, slots=True)
class _Named:
    """Somebody whom a step of the chain names; he may not exist."""

    agent_id: str
    step: RouteStep


def route(order: RouteOrder, directory: Directory, presences: Presences, live: Live, now: datetime) -> Route:
    """The decision for one call at this moment. It has an owner and a deadline whenever the directory has
    an active agent at all."""
    chain = list(_chain(order, directory, live))
    candidates: list[Candidate] = []
    skipped: list[Skipped] = []
    for named in chain:
        agent = directory.agents.get(named.agent_id)
        presence = presences.get(named.agent_id, Presence())
        why = PassedOver.UNKNOWN if agent is None else _why_not(agent, directory, presence, live, now)
        if agent is None or why is not None:
            skipped.append(Skipped(agent_id=named.agent_id, step=named.step, why=why or PassedOver.UNKNOWN))
            continue
        candidates.append(
            Candidate(
                agent_id=agent.id,
                name=agent.name,
                address=_address(agent, presence),
                step=named.step,
                voicemail=agent.voicemail and not _at_desk(agent, presence),
            )
        )
    owner = _owner(chain, directory, now)
    return Route(
        candidates=tuple(candidates),
        skipped=tuple(skipped),
        owner_id=owner.id if owner else "",
        due_at=deadline(owner, directory, now) if owner else None,
    )


def deadline(owner: Agent, directory: Directory, now: datetime) -> datetime:
    """By when he must have rung back: his department's working hours ahead, in his own shifts, or else the
    end of his next working day."""
    hours = directory.department_of(owner).callback_hours
    due = (
        end_of_next_working_day(owner, directory, now)
        if hours is None
        else after_working_hours(owner, directory, now, hours)
    )
    return due or now + UNKNOWN_SHIFT


def free_places(directory: Directory, presences: Presences, live: Live, now: datetime) -> int:
    """How many more callers all agents together could take at this moment."""
    free: dict[str, int] = {}
    for agent in directory.agents.values():
        if _why_not(agent, directory, presences.get(agent.id, Presence()), live, now) is None:
            places = agent.max_live - live.get(agent.id, 0)
            free[agent.department] = free.get(agent.department, 0) + places
    return sum(min(places, _places_of(name, directory, live)) for name, places in free.items())


def _places_of(department: str, directory: Directory, live: Live) -> int:
    """What a department's own limit leaves; without one, more than any number of agents have."""
    members = [agent for agent in directory.agents.values() if agent.department == department]
    bound = directory.department_of(members[0]).max_live
    if bound is None:
        return sum(agent.max_live for agent in members)
    return max(0, bound - sum(live.get(agent.id, 0) for agent in members))


# The chain ---------------------------------------------------------------------------------------


def _chain(order: RouteOrder, directory: Directory, live: Live) -> Iterator[_Named]:
    """Nobody twice."""
    seen: set[str] = set()
    for named in _steps(order, directory, live):
        if named.agent_id not in seen:
            seen.add(named.agent_id)
            yield named


def _steps(order: RouteOrder, directory: Directory, live: Live) -> Iterator[_Named]:
    target = order.target or RESPONSIBLE
    if not target.startswith((DEPARTMENT, SKILL)) and target != RESPONSIBLE:
        yield _Named(target, RouteStep.NAMED)
        return
    skill = target.removeprefix(SKILL) if target.startswith(SKILL) else order.topic or ""
    department = target.removeprefix(DEPARTMENT) if target.startswith(DEPARTMENT) else order.department
    agents = directory.agents.values()

    def those(step: RouteStep, chosen: Iterable[Agent]) -> Iterator[_Named]:
        for agent in sorted(chosen, key=lambda agent: _rank(agent, order.language, live)):
            yield _Named(agent.id, step)

    if target == RESPONSIBLE:
        owner = directory.managers.get(order.contact_id, "") or order.agent_id
        if owner:
            yield _Named(owner, RouteStep.OWNER)
            if not department and owner in directory.agents:
                department = directory.agents[owner].department
    if department and not target.startswith(SKILL):
        yield from those(RouteStep.DEPARTMENT, (each for each in agents if each.department == department))
    if skill:
        yield from those(RouteStep.SKILL, (each for each in agents if skill in each.skills))
    for rank in sorted({*_fallback_ranks(directory)}):
        yield from those(RouteStep.FALLBACK, (each for each in agents if rank in _ranks_of(each, directory)))


def _rank(agent: Agent, language: str, live: Live) -> tuple[bool, int, str]:
    return language not in agent.languages, live.get(agent.id, 0), agent.id


def _fallback_ranks(directory: Directory) -> Iterator[int]:
    for agent in directory.agents.values():
        yield from _ranks_of(agent, directory)


def _ranks_of(agent: Agent, directory: Directory) -> tuple[int, ...]:
    """His own place among those who are asked last, and his department's."""
    both = (agent.fallback, directory.department_of(agent).fallback)
    return tuple(rank for rank in both if rank > 0)


# One agent ---------------------------------------------------------------------------------------


def _why_not(
    agent: Agent, directory: Directory, presence: Presence, live: Live, now: datetime
) -> PassedOver | None:
    if not agent.active:
        return PassedOver.INACTIVE
    if not on_shift(agent, directory, now):
        # A day off takes the shift that he would have had; at other hours he is simply off.
        would_work = on_shift(agent, directory, now, off_too=True)
        today = now.astimezone(directory.zone_of(agent)).date()
        return PassedOver.HOLIDAY if would_work or is_off(agent, directory, today) else PassedOver.OFF_SHIFT
    if presence.state in (PresenceState.AWAY, PresenceState.OFFLINE):
        return PassedOver.AWAY
    if presence.state is PresenceState.BUSY:
        return PassedOver.BUSY
    if not _address(agent, presence):
        return PassedOver.NO_ADDRESS
    return PassedOver.AT_LIMIT if _at_limit(agent, directory, live) else None


def _at_limit(agent: Agent, directory: Directory, live: Live) -> bool:
    if live.get(agent.id, 0) >= agent.max_live:
        return True
    bound = directory.department_of(agent).max_live
    if bound is None:
        return False
    return bound <= sum(
        live.get(each.id, 0) for each in directory.agents.values() if each.department == agent.department
    )


def _at_desk(agent: Agent, presence: Presence) -> bool:
    return presence.desk and (agent.rings == "auto" or not agent.sip)


def _address(agent: Agent, presence: Presence) -> str:
    """Where he is rung: his open desk, or his telephone; "" where he has neither."""
    return f"{DESK}{agent.id}" if _at_desk(agent, presence) else agent.sip


# Whose the matter is -----------------------------------------------------------------------------


def _owner(chain: Iterable[_Named], directory: Directory, now: datetime) -> Agent | None:
    """The first of the chain who will work soon enough; else whoever works first; else anybody at all."""
    named = [directory.agents[each.agent_id] for each in chain if each.agent_id in directory.agents]
    last = sorted(directory.agents.values(), key=lambda agent: (not agent.fallback, agent.fallback, agent.id))
    for group in (named, last):
        soonest: tuple[datetime, Agent] | None = None
        active = [agent for agent in group if agent.active]
        for agent in active:
            start = _works_at(agent, directory, now)
            if start is not None and start - now <= OWNER_WAITS:
                return agent
            if start is not None and (soonest is None or start < soonest[0]):
                soonest = start, agent
        if active:
            return soonest[1] if soonest is not None else active[0]
    return None


def _works_at(agent: Agent, directory: Directory, now: datetime) -> datetime | None:
    """When he works next; now, if he does."""
    return next((period.start for period in working_periods(agent, directory, now)), None)
