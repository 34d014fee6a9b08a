"""One person whose number, name and words stand wherever Otklik can keep them, among others like him.

Everything goes in by the ways of a node: the contact by an import, the calls by events from a spool.
"""

from __future__ import annotations

import wave
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from sqlmodel import select

from bot.accounts.accounts import Accounts
from bot.accounts.audit import Audit
from bot.accounts.passwords import Passwords
from bot.accounts.roles import Role
from bot.call.spool import DAMAGED, SUFFIX, Spool, SpoolReader
from bot.core.answer import Answer, AnswerSource, AnswerStatus
from bot.core.clock import ManualClock
from bot.core.context import Person, TurnSource, Word
from bot.core.endings import Disposition, EndKind
from bot.core.events import (
    Answered,
    AnswerRecorded,
    CallbackPromised,
    CallEnded,
    CallEvent,
    CallStarted,
    CaseOpened,
    HandoverConnected,
    HandoverEnded,
    HandoverStarted,
    OptedOut,
    PromptStarted,
    RecordingStarted,
    SignalRaised,
    TalkHeard,
    TurnHeard,
)
from bot.core.intents import Topic
from bot.core.requests import CallRequest
from bot.delivery.endpoints import Endpoints
from bot.privacy.files import CallFiles
from bot.store import campaigns, cases, consents, do_not_call, notes, requests
from bot.store.account_tables import SurveyLinkRow
from bot.store.consents import NewConsent
from bot.store.contact_writing import Stamp, ToldContact, write_batch
from bot.store.corrections import correct
from bot.store.database import Database
from bot.store.projection_cases import case_of
from bot.store.tables_campaigns import CampaignRow
from bot.store.tables_contacts import ConsentKind
from bot.store.tables_corrections import CorrectionRow, Subject
from bot.store.tables_delivery import WebhookDeliveryRow, WebhookTryRow
from bot.store.tables_notices import AlertRow
from bot.store.writer import Writer
from tests.accounts.conftest import QUICK
from tests.store.talk import START

PHONE = "79031112233"
SECOND = "79035556677"
NAME = "Апполинария"
SURNAME = "Преображенская"
SENTENCE = "синий самовар протекает на балконе"
EXTERNAL = "CRM-904417"
TALK = "CONV-551903"
MARKS = (PHONE, "9031112233", SECOND, NAME, SURNAME, SENTENCE, "самовар", EXTERNAL, TALK)

BOTH = pytest.mark.parametrize("store_url", ["sqlite", "postgresql"], indirect=True)
"""A test that is run on a database of each kind."""

OTHER = "79047778899"
OTHER_SENTENCE = "зелёный чайник свистит на кухне"
"""Somebody else's, of whom nothing may be lost."""


@dataclass(frozen=True, slots=True)
class Place:
    """Where it all lies."""

    var: Path

    @property
    def recordings(self) -> Path:
        return self.var / "recordings"

    @property
    def spool(self) -> Path:
        return self.var / "spool"

    def files(self) -> CallFiles:
        return CallFiles(self.recordings, self.spool)

    def contents(self) -> Iterator[tuple[Path, bytes]]:
        for file in sorted(self.var.rglob("*")):
            if file.is_file():
                yield file, file.read_bytes()


def told_call(
    call_id: str, phone: str, said: str, name: str, at: datetime, **started: Any
) -> list[CallEvent]:
    """A whole talk: scores, words, a handover, a case, a promise, a wish never to be rung."""
    events: list[CallEvent] = []

    def add(kind: Any, **fields: Any) -> None:
        moment = at + timedelta(seconds=len(events))
        events.append(kind(call_id=call_id, seq=len(events), at=moment, **fields))

    def answered(question: str, kind: str, value: Any) -> None:
        given = Answer(
            status=AnswerStatus.ANSWERED, value=value, source=AnswerSource.SPEECH, heard=said,
            alternatives=(said,),
        )  # fmt: skip
        add(AnswerRecorded, question_id=question, question_kind=kind, answer=given)

    heard = (Word(text=said, start=1.0, end=2.0, confidence=0.9),)
    add(
        CallStarted, direction="inbound", remote=f"sip:+{phone}@trunk", phone=phone, survey_id="nps",
        survey_hash="hash-1", attempt_id=f"attempt-{call_id}", agent_id="anna", department="support",
        about=said, **started,
    )  # fmt: skip
    add(Answered, codec="PCMA", rate=8000)
    add(RecordingStarted, file=f"{call_id}.wav")
    for question, kind, value in (
        ("nps", "nps", 3), ("why", "open", said), ("flat", "number", 4417), ("when", "date", "2026-03-02"),
    ):  # fmt: skip
        add(PromptStarted, prompt=1, purpose="question", text=f"{name}, почему?", duration_s=1.0,
            question_id=question)  # fmt: skip
        add(TurnHeard, question_id=question, source=TurnSource.SPEECH, text=said, words=heard, digits=phone)
        answered(question, kind, value)
    add(SignalRaised, name="complaint", rule="complaint", topic=Topic.WAITING, words=said)
    add(HandoverStarted, target="anna", form="bridge", reason="complaint", whisper=f"{name}: {said}")
    add(HandoverConnected, target="anna", agent_id="anna")
    add(TalkHeard, side="caller", text=said, words=heard, started_s=1.0, ended_s=2.0)
    add(HandoverEnded, target="anna", talk_s=12.0, by="caller", agent_id="anna")
    add(CaseOpened, reason="complaint", topic=Topic.WAITING, words=said, owner_id="anna")
    add(CallbackPromised, when=said, by="agent", owner_id="anna")
    add(OptedOut, words=said)
    add(CallEnded, cause=EndKind.LOCAL_HANGUP, disposition=Disposition.OPTED_OUT, duration_s=30.0)
    return events


def sound(file: Path, seconds: float = 1.0) -> Path:
    file.parent.mkdir(parents=True, exist_ok=True)
    with wave.open(str(file), "wb") as wav:
        wav.setnchannels(2)
        wav.setsampwidth(2)
        wav.setframerate(8000)
        wav.writeframes(bytes(round(seconds * 8000) * 4))
    return file


async def fill(db: Database, place: Place, now: datetime = START) -> None:
    clock = ManualClock(now)
    people = [
        ToldContact(
            phone=PHONE, phone_uri=f"tel:+{PHONE}", other_phones=SECOND, first_name=NAME, last_name=SURNAME,
            external_id=EXTERNAL, own_fields={"замечание": SENTENCE},
        ),
        ToldContact(phone=OTHER, phone_uri=f"tel:+{OTHER}", other_phones=PHONE, first_name="Борис"),
    ]  # fmt: skip
    stamp = Stamp("import-1", "clients.csv", "oleg", now)
    await write_batch(db, people, stamp, {"rows": 2, "repeated": 0, "refused": 0})
    given = NewConsent(ConsentKind.CALLS, now, "анкета", f"{NAME} согласна: {SENTENCE}")
    await consents.give(db, EXTERNAL, given, by="oleg", now=now)
    await consents.withdraw(db, EXTERNAL, ConsentKind.CALLS, words=SENTENCE, by="oleg", now=now)
    row = CampaignRow(
        id="march", title="Март", survey_id="nps", definition="{}", state="running", created_at=now,
        changed_at=now,
    )  # fmt: skip
    await campaigns.create(db, row, campaigns.Chosen(contact_ids=(EXTERNAL,)), now)
    await do_not_call.add(db, [SECOND], source="hand", words=SENTENCE, by="oleg", now=now)
    await do_not_call.remove(db, SECOND, reason=SENTENCE, by="oleg", now=now)
    wish = CallRequest(
        phone=f"+{PHONE}", survey="nps", customer=Person(id=EXTERNAL, first_name=NAME), about=SENTENCE,
        conversation_id=TALK,
    )  # fmt: skip
    await requests.keep(db, "request-1", "crm", wish, now)
    await Endpoints(db, clock).add("bi", "https://bi.example.ru/", personal=True)
    await _calls(db, place, now)
    await _people(db, clock)


async def _calls(db: Database, place: Place, now: datetime) -> None:
    mine = told_call("call-mine", PHONE, SENTENCE, NAME, now, contact_id=EXTERNAL, conversation_id=TALK)
    second = told_call("call-second", SECOND, SENTENCE, NAME, now + timedelta(hours=1))
    others = told_call("call-other", OTHER, OTHER_SENTENCE, "Борис", now + timedelta(hours=2))
    place.spool.mkdir(parents=True)
    async with Spool.open(place.spool, "media-1") as spool:
        for event in (*mine, *second, *others):
            await spool.commit(event)
        await Writer(db, SpoolReader(place.spool), ManualClock(now)).drain_once()
        [segment] = place.spool.glob(f"*{SUFFIX}")  # its worker goes on: it stays
        (place.spool / f"media-0.x.000001{SUFFIX}{DAMAGED}").write_bytes(segment.read_bytes() + b"torn {")
    for call_id in ("call-mine", "call-second", "call-other"):
        sound(place.recordings / f"{call_id}.wav")


async def _people(db: Database, clock: ManualClock) -> None:
    """What people wrote about it."""
    now = clock.now()
    await notes.write(db, "call-mine", "anna", notes.OUTCOMES[0], f"{SURNAME}: {SENTENCE}", now)
    await cases.note(db, case_of("call-mine"), f"{NAME} {PHONE}: {SENTENCE}", now, agent_id="anna")
    why = CorrectionRow(
        call_id="call-mine", subject=Subject.ANSWER, question_id="why", kind="open", status="answered",
        value=SENTENCE, note=f"{NAME} сказала", login="olga", at=now,
    )  # fmt: skip
    await correct(db, why)
    accounts = Accounts(db, Passwords(QUICK), clock)
    olga = await accounts.add("olga", "верблюд и четыре окна", Role.MANAGER)
    audit = Audit(db, clock)
    await audit.note(olga, "10.0.0.7", "view", "contact", EXTERNAL)
    await audit.note(olga, "10.0.0.7", "view", "do-not-call", PHONE, {"phone": f"+{PHONE}"})
    link = SurveyLinkRow(
        id="link-1", survey_id="nps", contact_id=EXTERNAL, first_name=NAME, phone=PHONE, created_at=now,
        expires_at=now,
    )  # fmt: skip
    of_mine = select(WebhookDeliveryRow.id).where(WebhookDeliveryRow.call_id == "call-mine").limit(1)
    async with db.write() as session:
        delivery_id = (await session.exec(of_mine)).one()
        session.add(link)
        session.add(AlertRow(id="alert-9", kind="low_score", at=now, call_id="call-mine"))
        session.add(
            WebhookTryRow(
                id="try-1",
                delivery_id=delivery_id,
                at=now,
                duration_ms=9,
                status=500,
                body_head=f"{PHONE} {NAME}",
            )
        )
