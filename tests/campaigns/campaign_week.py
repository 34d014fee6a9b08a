"""A campaign on a virtual clock: customers in eleven time zones, a trunk, agents, and the pure functions that
decide; no store, no node. What happened is kept for the tests to judge.

Time goes from one event to the next. Among them are a trunk that is down for a while, a worker that dies, a
do-not-call list that is imported, and somebody who resumes the campaign after it has paused itself.
"""

from __future__ import annotations

import heapq
from collections import Counter
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from itertools import count
from random import Random
from zoneinfo import ZoneInfo

from bot.campaigns.breaker import Outcome, Trip, tripped
from bot.campaigns.facts import TARGET, CampaignFacts, ContactFacts, PastRing, QuotaCount
from bot.campaigns.pacing import Bound, Counted, Load, Rate, new_dials
from bot.campaigns.policy import Allowed, may_dial
from bot.campaigns.reasons import Reason
from bot.campaigns.retries import Again, Over, after_ring
from bot.campaigns.urgency import urgency_of
from bot.core.endings import Disposition

ZONES = (
    "Europe/Kaliningrad", "Europe/Moscow", "Europe/Samara", "Asia/Yekaterinburg", "Asia/Omsk",
    "Asia/Krasnoyarsk", "Asia/Irkutsk", "Asia/Yakutsk", "Asia/Vladivostok", "Asia/Magadan", "Asia/Kamchatka",
)  # fmt: skip

BEGIN = datetime(2027, 2, 14, 10, 0, tzinfo=UTC)
"""A Sunday, 22:00 in Kamchatka. Of the days after, Saturday is worked and the Monday after it is not."""

END = datetime(2027, 2, 23, 22, 0, tzinfo=UTC)
"""The end of a Tuesday that is a holiday, in Kaliningrad too."""

SECOND, MINUTE = timedelta(seconds=1), timedelta(minutes=1)
TRUNK_DOWN = (datetime(2027, 2, 17, 7, 0, tzinfo=UTC), 40 * MINUTE)
WORKER_DIES = datetime(2027, 2, 18, 7, 1, tzinfo=UTC)
"""When it is ten in Moscow, and whoever came in over night is rung."""

LIST_IMPORTED = datetime(2027, 2, 16, 7, 30, tzinfo=UTC)
COME_IN_FOR = timedelta(days=5, hours=12)
"""Every other customer is there from the beginning; the others come in while the campaign runs."""

RESUMED_AFTER = 30 * MINUTE
ASKED_AGAIN = 120 * MINUTE
"""After a refusal that neither time nor an end takes away: a list may change."""

AGENTS_AT_NIGHT, AGENTS_BY_DAY = 2, 6
DAY_SHIFT = range(5, 17)
"""Hours of UTC: from 8 to 20 in Moscow."""

ANSWER_MODEL: tuple[tuple[Disposition, float], ...] = (
    (Disposition.COMPLETED, 0.26), (Disposition.PARTIAL, 0.04), (Disposition.REFUSED, 0.04),
    (Disposition.TRANSFERRED, 0.05), (Disposition.CALLBACK, 0.07), (Disposition.OPTED_OUT, 0.012),
    (Disposition.NO_INPUT, 0.02), (Disposition.HUNG_UP, 0.03), (Disposition.VOICEMAIL, 0.08),
    (Disposition.SECRETARY, 0.04), (Disposition.UNAVAILABLE, 0.06), (Disposition.BUSY, 0.10),
    (Disposition.NO_ANSWER, 0.178), (Disposition.INVALID_NUMBER, 0.01), (Disposition.FAILED, 0.01),
)  # fmt: skip
UNANSWERED = frozenset(
    {
        Disposition.BUSY,
        Disposition.NO_ANSWER,
        Disposition.UNAVAILABLE,
        Disposition.INVALID_NUMBER,
        Disposition.FAILED,
    }
)
RINGS_FOR = {Disposition.NO_ANSWER: 40, Disposition.BUSY: 3, Disposition.FAILED: 1}


@dataclass(slots=True)
class Dialled:
    """One attempt as the world saw it."""

    contact_id: str
    at: datetime
    for_promise: bool
    disposition: Disposition | None = None
    ended_at: datetime | None = None


@dataclass(slots=True)
class Kept:
    """What the world came to."""

    dialled: list[Dialled] = field(default_factory=list)
    blocked: dict[str, datetime] = field(default_factory=dict)
    promises: list[tuple[str, datetime]] = field(default_factory=list)
    pauses: list[tuple[datetime, datetime, tuple[Trip, ...]]] = field(default_factory=list)
    bounds: Counter[Bound] = field(default_factory=Counter)
    most_lines: int = 0
    dialled_without_agents: int = 0
    wanted_agent: int = 0
    waited_for_agent: int = 0
    ended: dict[str, Reason] = field(default_factory=dict)


class World:
    def __init__(
        self, campaign: CampaignFacts, contacts: list[ContactFacts], *, on_import: list[str], seed: int
    ) -> None:
        self.now = BEGIN
        self.campaign = replace(campaign, counts={TARGET: QuotaCount(0)})
        self.contacts = {each.contact_id: each for each in contacts}
        self.kept = Kept()
        self._on_import = on_import
        self._random = Random(seed)
        self._order = count()
        self._events: list[tuple[datetime, int, Callable[[], None]]] = []
        self._due: list[tuple[datetime, int, str]] = []
        for number, name in enumerate(self.contacts):
            self._wake(name, BEGIN + (number % 2) * self._random.random() * COME_IN_FOR)
        self._ready: list[tuple[int, datetime, str]] = []
        self._live: dict[str, Dialled] = {}
        self._answered: set[str] = set()
        self._outcomes: list[Outcome] = []
        self._counted = Counted()
        self._recent: list[datetime] = []
        self._since: datetime | None = None
        self._with_agents = self._completed = 0

    def run(self) -> Kept:
        self._at(LIST_IMPORTED, self._import_list)
        self._at(WORKER_DIES, self._worker_dies)
        hour = BEGIN
        while hour < END:  # shifts change on the hour
            self._at(hour, lambda: None)
            hour += timedelta(hours=1)
        while True:
            again_at = self._dial()
            moments = [queue[0][0] for queue in (self._events, self._due) if queue]
            soonest = min([*moments, *([again_at] if again_at else [])], default=END)
            if soonest >= END and not self._live:
                return self.kept
            self.now = max(self.now, soonest)
            while self._events and self._events[0][0] <= self.now:
                heapq.heappop(self._events)[2]()

    # Dialling ------------------------------------------------------------------------------------

    def _dial(self) -> datetime | None:
        """As many as may be dialled now; when there will be room again, if that is a matter of time."""
        while self._due and self._due[0][0] <= self.now:
            due, _, name = heapq.heappop(self._due)
            rings = self.contacts[name].rings or ()
            again = after_ring(rings, self.campaign, lambda: 0.0)
            urgency = urgency_of(again.cause if isinstance(again, Again) else None)
            heapq.heappush(self._ready, (urgency, due, name))
        if self.now >= END or self.campaign.state != "running":
            return None
        while self._ready:
            pace = new_dials(
                self.campaign.definition.pacing, self._load(), self._counted, self._rates(), self.now
            )
            self.kept.bounds[pace.bound] += 1
            if not pace.count:
                return pace.again_at
            for _ in range(pace.count):
                if not self._ready:
                    break
                self._consider(heapq.heappop(self._ready)[2])
        return None

    def _consider(self, name: str) -> None:
        decision = may_dial(self._facts(name), self.campaign, self.now)
        if isinstance(decision, Allowed):
            self._ring(name, for_promise=decision.for_promise)
        elif decision.final:
            self.kept.ended[name] = decision.reasons[0]
        else:
            self._wake(name, decision.not_before or self.now + ASKED_AGAIN)

    def _facts(self, name: str) -> ContactFacts:
        """As an engine reads them anew: the list, and what is on the line."""
        return replace(
            self.contacts[name], do_not_call=name in self.kept.blocked, on_the_line=name in self._live
        )

    def _ring(self, name: str, *, for_promise: bool) -> None:
        if not self._free_agents:
            self.kept.dialled_without_agents += 1
        dialled = Dialled(name, self.now, for_promise)
        self.kept.dialled.append(dialled)
        self._live[name] = dialled
        self._recent = [at for at in self._recent if at > self.now - 10 * SECOND] + [self.now]
        self.kept.most_lines = max(self.kept.most_lines, len(self._live))
        contact = self.contacts[name]
        ring = PastRing(f"{len(self.kept.dialled)}", "week", "nps", self.now, None, for_promise=for_promise)
        self.contacts[name] = replace(contact, rings=(*(contact.rings or ()), ring))
        self._recount()
        outcome = self._outcome()
        if outcome in UNANSWERED:
            rang = RINGS_FOR.get(outcome, 5)
            self._at(self.now + rang * SECOND, lambda: self._end(name, dialled, outcome))
        else:
            self._at(
                self.now + self._random.randint(4, 20) * SECOND, lambda: self._answer(name, dialled, outcome)
            )

    def _outcome(self) -> Disposition:
        begin, lasts = TRUNK_DOWN
        if begin <= self.now < begin + lasts:
            return Disposition.FAILED
        names, weights = zip(*ANSWER_MODEL, strict=True)
        return self._random.choices(names, weights)[0]

    # Calls ---------------------------------------------------------------------------------------

    def _answer(self, name: str, dialled: Dialled, outcome: Disposition) -> None:
        if self._live.get(name) is not dialled:
            return
        self._answered.add(name)
        talk = self._random.randint(20, 180) * SECOND
        if outcome is Disposition.TRANSFERRED:
            self._at(self.now + talk, lambda: self._want_agent(name, dialled))
        else:
            self._at(self.now + talk, lambda: self._end(name, dialled, outcome))

    def _want_agent(self, name: str, dialled: Dialled) -> None:
        if self._live.get(name) is not dialled:
            return
        self.kept.wanted_agent += 1
        if not self._free_agents:
            self.kept.waited_for_agent += 1
            self._end(name, dialled, Disposition.PARTIAL)  # he is promised a call instead
            return
        self._with_agents += 1
        self._at(self.now + 3 * MINUTE, lambda: self._agent_done(name, dialled))

    def _agent_done(self, name: str, dialled: Dialled) -> None:
        self._with_agents -= 1
        self._end(name, dialled, Disposition.TRANSFERRED)

    def _end(self, name: str, dialled: Dialled, outcome: Disposition) -> None:
        if self._live.get(name) is not dialled:
            return  # its worker died before
        del self._live[name]
        dialled.disposition, dialled.ended_at = outcome, self.now
        self._completed += outcome is Disposition.COMPLETED
        answered = name in self._answered
        self._answered.discard(name)
        self._counted = Counted(
            self._counted.dialled + 1,
            self._counted.answered + answered,
            self._counted.wanted_agent + (outcome is Disposition.TRANSFERRED),
        )
        promised = None
        if outcome is Disposition.CALLBACK:
            promised = self.now + timedelta(minutes=self._random.randint(20, 2000))
        contact = self.contacts[name]
        *before, last = contact.rings or ()
        over = replace(last, disposition=outcome, ended_at=self.now, promised_at=promised)
        if outcome is Disposition.OPTED_OUT:
            self.kept.blocked[name] = self.now
        again = after_ring((*before, over), self.campaign, self._random.random)
        self.contacts[name] = replace(
            contact,
            rings=(*before, over),
            next_at=again.at if isinstance(again, Again) and not promised else None,
        )
        if isinstance(again, Again):
            self._wake(name, again.at)
            if promised is not None:
                self.kept.promises.append((name, promised))
        elif isinstance(again, Over):
            self.kept.ended[name] = again.reason
        self._recount()
        yesterday = self.now - timedelta(days=1)
        self._outcomes = [each for each in self._outcomes if each.at > yesterday] + [
            Outcome(self.now, outcome)
        ]
        self._break_if_bad()

    # What befalls it -----------------------------------------------------------------------------

    def _break_if_bad(self) -> None:
        if self.campaign.state != "running":
            return
        trips = tripped(self._outcomes, self.campaign.definition.breaker, self.now, since=self._since)
        if trips:
            self.campaign = replace(self.campaign, state="paused")
            self.kept.pauses.append((self.now, self.now + RESUMED_AFTER, trips))
            self._at(self.now + RESUMED_AFTER, self._resume)

    def _resume(self) -> None:
        self.campaign = replace(self.campaign, state="running")
        self._since = self.now

    def _import_list(self) -> None:
        self.kept.blocked |= dict.fromkeys(self._on_import, self.now)

    def _worker_dies(self) -> None:
        for name, dialled in list(self._live.items()):
            self._end(name, dialled, Disposition.INTERRUPTED)

    # Counting ------------------------------------------------------------------------------------

    def _recount(self) -> None:
        self.campaign = replace(self.campaign, counts={TARGET: QuotaCount(self._completed, len(self._live))})

    def _load(self) -> Load:
        talking = len(self._answered)
        busy = self._with_agents
        return Load(
            free_lines=30 - len(self._live),
            campaign_lines=len(self._live),
            ringing=len(self._live) - talking,
            talking=max(0, talking - busy),
            waiting=0,
            free_agents=self._free_agents,
        )

    @property
    def _free_agents(self) -> int:
        on_shift = AGENTS_BY_DAY if self.now.hour in DAY_SHIFT else AGENTS_AT_NIGHT
        return max(0, on_shift - self._with_agents)

    def _rates(self) -> tuple[Rate, ...]:
        return (Rate(self.campaign.definition.pacing.per_second, tuple(self._recent)),)

    def _at(self, moment: datetime, do: Callable[[], None]) -> None:
        heapq.heappush(self._events, (moment, next(self._order), do))

    def _wake(self, name: str, moment: datetime) -> None:
        heapq.heappush(self._due, (moment, next(self._order), name))


def local(moment: datetime, tz: str) -> datetime:
    return moment.astimezone(ZoneInfo(tz))


def customers(each_zone: int) -> Iterator[ContactFacts]:
    for tz in ZONES:
        for number in range(each_zone):
            yield ContactFacts(f"{tz}/{number}", tz, False, None, False, ())
