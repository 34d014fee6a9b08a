"""How many new calls may be begun at this moment: by lines, by agents who will be needed, by the trunk.

The smallest bound holds, and its name is told, so that `watch` can say what a campaign is waiting for.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum

from bot.campaigns.schema import Pacing

PRIOR_ANSWERS = 20
"""Answers that the file's `agent_share` weighs as much as: so many have to be counted to outweigh it."""

PRIOR_DIALS = 10
"""Until as many dials were counted, rather too many are expected to answer: too few calls, not too many."""


class Bound(StrEnum):
    CAMPAIGN_LINES = "campaign_lines"
    FREE_LINES = "free_lines"
    AGENTS = "agents"
    RATE = "rate"


@dataclass(frozen=True, slots=True)
class Rate:
    """At most `per_second` calls begun in a second; `dialled` are the moments of the last of them, at
    least those of the last `span`, in any order. Below one a second the span is longer."""

    per_second: float
    dialled: tuple[datetime, ...] = ()

    @property
    def calls(self) -> int:
        return math.ceil(self.per_second)

    @property
    def span(self) -> timedelta:
        """In any such time at most `calls` are begun; rounded up, never above the rate."""
        return timedelta(microseconds=math.ceil(self.calls / self.per_second * 1_000_000))

    def room(self, now: datetime) -> int:
        """A call that another node began in what is the future here was begun just now."""
        return max(0, self.calls - sum(at > now - self.span for at in self.dialled))

    def free_at(self, now: datetime) -> datetime:
        """The first moment from `now` on at which there is room for one."""
        if self.room(now):
            return now
        return sorted(self.dialled)[-self.calls] + self.span


@dataclass(frozen=True, slots=True)
class Counted:
    """What came of the campaign's calls so far: how many were dialled to an end, how many of them were
    answered by a person, and how many of those wanted an agent."""

    dialled: int = 0
    answered: int = 0
    wanted_agent: int = 0


@dataclass(frozen=True, slots=True)
class Load:
    """What goes on now. `free_lines` are those of the node or trunk that may be used for outbound calls.
    `campaign_lines` are in use by this campaign. Of all campaigns: `ringing` are dialled and not answered,
    `talking` are answered and may yet want an agent, `waiting` want one now and have none. `free_agents` is
    None where it is not known."""

    free_lines: int
    campaign_lines: int
    ringing: int
    talking: int
    waiting: int
    free_agents: int | None


@dataclass(frozen=True, slots=True)
class Pace:
    """`bound` is what keeps it from being more; `again_at` when a bound of time gives way."""

    count: int
    bound: Bound
    again_at: datetime | None = None


def new_dials(rules: Pacing, load: Load, counted: Counted, rates: tuple[Rate, ...], now: datetime) -> Pace:
    """How many may be dialled now. `rates` are the campaign's own and the trunk's."""
    bounds = {
        Bound.CAMPAIGN_LINES: rules.lines - load.campaign_lines,
        Bound.FREE_LINES: load.free_lines,
    }
    if rules.agents:
        bounds[Bound.AGENTS] = _for_agents(rules, load, counted)
    if rates:
        bounds[Bound.RATE] = min(rate.room(now) for rate in rates)
    bound = min(bounds, key=lambda name: bounds[name])
    again_at = max(rate.free_at(now) for rate in rates) if bound is Bound.RATE else None
    return Pace(max(0, bounds[bound]), bound, again_at)


def agent_share(rules: Pacing, counted: Counted) -> float:
    """Of the answered calls, how many want an agent: as counted, and as the file says until then."""
    expected = rules.agent_share * PRIOR_ANSWERS
    return (counted.wanted_agent + expected) / (counted.answered + PRIOR_ANSWERS)


def answer_share(counted: Counted) -> float:
    """Of the dialled calls, how many are answered by a person: all of them, until it is known better."""
    return (counted.answered + PRIOR_DIALS) / (counted.dialled + PRIOR_DIALS)


def _for_agents(rules: Pacing, load: Load, counted: Counted) -> int:
    """So many that no more agents are expected to be wanted than are free. Not known is none."""
    if not load.free_agents:
        return 0
    per_answer = agent_share(rules, counted)
    per_dial = per_answer * answer_share(counted)
    spoken_for = load.waiting + load.talking * per_answer + load.ringing * per_dial
    return math.floor(max(0.0, load.free_agents - spoken_for) / per_dial)
