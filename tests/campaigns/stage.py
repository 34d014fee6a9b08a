"""A campaign on a database and a virtual clock, with a worker that does what the test says."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any

from sqlmodel import col, select

from bot.campaigns.claiming import claim
from bot.campaigns.engine import Engine, Parts, Ticked
from bot.campaigns.facts import CampaignState
from bot.campaigns.schema import Campaign
from bot.core.answer import Answer, AnswerSource
from bot.core.answer import AnswerStatus as Status
from bot.core.clock import ManualClock
from bot.core.endings import Disposition, EndKind
from bot.core.errors import SurveyInvalid
from bot.core.events import (
    Answered,
    AnswerRecorded,
    CallbackPromised,
    CallEnded,
    CallEvent,
    CallStarted,
    OptedOut,
)
from bot.core.ids import call_of
from bot.store import campaigns as store
from bot.store.campaigns import Chosen
from bot.store.database import Database
from bot.store.projection import project
from bot.store.tables import Attempt, Contact
from bot.store.tables_campaigns import CampaignRow, MemberRow, NodeRow
from bot.surveys.schema import Survey

MONDAY_NOON = datetime(2026, 3, 2, 9, 0, tzinfo=UTC)
"""12:00 in Moscow, on a working day."""

LINES = 100


def campaign(name: str = "after", **changes: Any) -> Campaign:
    """A service survey that rings as fast as it is let; `changes` are keys of its file."""
    definition: dict[str, Any] = {
        "id": name,
        "title": "О вашем обращении",
        "survey": "nps",
        "purpose": "service",
        "pacing": {"lines": 50, "per_second": 50, "agents": False},
        "retries": {"jitter": 0},
    }
    return Campaign.model_validate(definition | changes)


@dataclass
class Stage:
    db: Database
    clock: ManualClock
    survey: Survey
    agents: int | None = None
    on_time: bool = True

    def __post_init__(self) -> None:
        self.engine = Engine(self.db, self.clock, self.parts())
        self.seq = 0

    def parts(self) -> Parts:
        async def free_agents() -> int | None:
            return self.agents

        async def on_time() -> bool:
            return self.on_time

        return Parts(
            self.published,
            lambda phone: phone,
            free_agents,
            trunk_per_s=100.0,
            random=lambda: 0.0,
            on_time=on_time,
        )

    def published(self, name: str) -> tuple[str, Survey]:
        if name != self.survey.id:
            raise SurveyInvalid(f"опрос «{name}» не опубликован")
        return "hash", self.survey

    # The company --------------------------------------------------------------------------------

    async def contacts(self, *names: str, tz: str = "Europe/Moscow") -> None:
        async with self.db.write() as session:
            for number, name in enumerate(names):
                phone = f"7900{abs(hash((name, number))) % 10_000_000:07}"
                session.add(
                    Contact(id=name, phone=phone, phone_uri=f"sip:{phone}@pbx", tz=tz, created_at=self.now)
                )

    async def start(self, definition: Campaign, *, standing: bool = False) -> str:
        """Made, with everybody, or with nobody yet where it is standing, and started."""
        row = CampaignRow(
            id=definition.id,
            title=definition.title,
            survey_id=definition.survey,
            definition=definition.model_dump_json(),
            standing=standing,
            created_at=self.now,
            changed_at=self.now,
        )
        await store.create(self.db, row, None if standing else Chosen(), self.now)
        await self.resume(definition.id)
        return definition.id

    async def resume(self, campaign_id: str) -> None:
        among = (CampaignState.DRAFT, CampaignState.PAUSED)
        assert await store.change_state(
            self.db, campaign_id, to=CampaignState.RUNNING, among=among, now=self.now
        )

    @property
    def now(self) -> datetime:
        return self.clock.now()

    # What goes on -------------------------------------------------------------------------------

    async def tick(self, campaign_id: str = "after") -> Ticked:
        await store.node_says(
            self.db, NodeRow(name="node", boot="b", seen_at=self.now, free_lines=LINES, ready=True)
        )
        return await self.engine.tick(campaign_id)

    async def claim(self, attempt_id: str, worker: str = "node/worker-0") -> Attempt | None:
        return await claim(self.db, attempt_id, worker=worker, now=self.now, surveys=self.published)

    async def dial(self, campaign_id: str = "after") -> list[Attempt]:
        """Tick, and claim whatever waits for a line."""
        claimed = [await self.claim(attempt_id) for attempt_id in (await self.tick(campaign_id)).queued]
        return [attempt for attempt in claimed if attempt is not None]

    async def happens(self, *events: CallEvent) -> None:
        async with self.db.write() as session:
            connection = await session.connection()
            for event in events:
                for change in project(event, self.db.dialect, "node/worker-0"):
                    await connection.execute(*change)

    async def ends(
        self, attempt: Attempt, disposition: Disposition, *told: CallEvent, after_s: float = 5
    ) -> None:
        """The call of this attempt, from its INVITE to this end; `told` is what else it says."""
        begun = CallStarted(
            **self.of(attempt), direction="outbound", remote=attempt.to_uri, survey_id=attempt.survey_id,
            survey_hash=attempt.survey_hash, attempt_id=attempt.id, contact_id=attempt.contact_id or "",
        )  # fmt: skip
        self.clock.advance(after_s)
        ended = CallEnded(
            **self.of(attempt), cause=EndKind.LOCAL_HANGUP, disposition=disposition, duration_s=after_s
        )
        await self.happens(begun, *told, ended)

    def of(self, attempt: Attempt) -> dict[str, Any]:
        """The head of an event of this attempt's call, now."""
        self.seq += 1
        return {"call_id": call_of(attempt.id), "seq": self.seq, "at": self.now}

    def answer(self, attempt: Attempt, question: str, value: int | str) -> AnswerRecorded:
        given = Answer(status=Status.ANSWERED, value=value, source=AnswerSource.SPEECH)
        return AnswerRecorded(**self.of(attempt), question_id=question, question_kind="nps", answer=given)

    def promise(self, attempt: Attempt, due: datetime | None) -> CallbackPromised:
        return CallbackPromised(**self.of(attempt), when="завтра в три", by="bot", due_at=due)

    def opt_out(self, attempt: Attempt) -> OptedOut:
        return OptedOut(**self.of(attempt), words="больше не звоните")

    def answered(self, attempt: Attempt) -> Answered:
        return Answered(**self.of(attempt), codec="PCMA", rate=8000)

    # What is stored -----------------------------------------------------------------------------

    async def member(self, contact_id: str, campaign_id: str = "after") -> MemberRow:
        async with self.db.read() as session:
            found = await session.get(MemberRow, (campaign_id, contact_id))
        assert found is not None
        return found

    async def attempts(self, contact_id: str | None = None) -> Sequence[Attempt]:
        statement = select(Attempt).order_by(col(Attempt.created_at), col(Attempt.id))
        if contact_id is not None:
            statement = statement.where(col(Attempt.contact_id) == contact_id)
        async with self.db.read() as session:
            return (await session.exec(statement)).all()

    async def state(self, campaign_id: str = "after") -> tuple[str, str]:
        row = await store.campaign(self.db, campaign_id)
        return row.state, row.reason

    def wait(self, **span: float) -> None:
        self.clock.advance(timedelta(**span).total_seconds())


async def at_once(*work: Any) -> list[Any]:
    return list(await asyncio.gather(*work))
