"""Whoever rings again while his matter is open is known by his telephone; on both databases."""

from __future__ import annotations

from datetime import timedelta

import pytest

from bot.core.events import CaseOpened, HandoverFailed, HandoverStarted
from bot.core.intents import Topic
from bot.core.returning import OpenMatter
from bot.store import cases
from bot.store.database import Database
from bot.store.projection_cases import case_of
from bot.store.returning import open_matter
from tests.store.talk import START
from tests.store.test_cases import DUE, Keep, call, keep

__all__ = ["keep"]

PHONE = "sip:8(900)123-45-67@another-trunk:5080"
"""The same telephone as the call's, written as another trunk writes it."""


async def failed_handover(keep: Keep, number: int = 1, owner_id: str = "petrov") -> str:
    talk = call(number)
    await keep(
        talk.started,
        talk.event(
            HandoverStarted, target="responsible", form="bridge", reason="low_score", whisper="Оценка два"
        ),
        talk.event(HandoverFailed, target="responsible", reason="caller_left"),
        talk.event(
            CaseOpened,
            reason="caller_left",
            topic=Topic.WAITING,
            owner_id=owner_id,
            due_at=DUE,
            callback=True,
        ),
    )
    return case_of(talk.call_id)


async def test_he_is_known_with_his_owner_and_what_the_agent_was_to_be_told(db: Database, keep: Keep) -> None:
    await failed_handover(keep)
    assert await open_matter(db, PHONE, START) == OpenMatter(
        target="responsible", owner_id="petrov", due_at=DUE, topic=Topic.WAITING, whisper="Оценка два"
    )


async def test_the_newest_matter_counts(db: Database, keep: Keep) -> None:
    await failed_handover(keep)
    later = call(2)
    await keep(
        later.started,
        later.answered(),
        later.event(HandoverStarted, target="department:billing", form="bridge", reason="billing"),
        later.event(HandoverFailed, target="department:billing", reason="busy"),
        later.event(CaseOpened, reason="busy", owner_id="orlova", due_at=DUE, callback=True),
    )
    found = await open_matter(db, PHONE, START)
    assert found is not None
    assert (found.target, found.owner_id) == ("department:billing", "orlova")


async def test_an_old_matter_another_telephone_and_a_closed_case_are_none(db: Database, keep: Keep) -> None:
    case_id = await failed_handover(keep)
    assert await open_matter(db, PHONE, START + timedelta(hours=1)) is None
    assert await open_matter(db, "sip:+79007654321@trunk", START) is None
    await cases.close(db, case_id, START + timedelta(minutes=5), outcome="перезвонили")
    assert await open_matter(db, PHONE, START) is None


@pytest.mark.parametrize("remote", ["", "webrtc:page", "sip:anonymous@anonymous.invalid"])
async def test_who_does_not_show_his_number_is_not_known(db: Database, keep: Keep, remote: str) -> None:
    await failed_handover(keep)
    assert await open_matter(db, remote, START) is None


async def test_a_case_without_a_handover_is_not_gone_on_with(db: Database, keep: Keep) -> None:
    talk = call()
    await keep(talk.started, talk.event(CaseOpened, reason="complaint", owner_id="petrov", due_at=DUE))
    assert await open_matter(db, PHONE, START) is None
