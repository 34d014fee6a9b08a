"""Everything by which one person is known: numbers, ids, calls."""

from __future__ import annotations

from collections.abc import Sequence

from pydantic import BaseModel, ConfigDict
from sqlalchemy import or_
from sqlmodel import col, select
from sqlmodel.ext.asyncio.session import AsyncSession

from bot.core.errors import BadInput
from bot.store.tables import Attempt, AttemptStatus, Contact
from bot.words import words

_ALIVE = (AttemptStatus.DIALLING, AttemptStatus.LIVE)


class Person(BaseModel):
    """`phones` are `phones.phone_key`s of his alone, the one that was asked for first; `contact_ids` our
    names for him, `named` the company's."""

    model_config = ConfigDict(frozen=True)

    phones: tuple[str, ...]
    contact_ids: tuple[str, ...] = ()
    named: tuple[str, ...] = ()

    @property
    def ids(self) -> tuple[str, ...]:
        return tuple(dict.fromkeys((*self.contact_ids, *self.named)))


async def find_person(session: AsyncSession, phone: str) -> Person:
    """Who has this number (a `phones.phone_key`); a person of that number alone where nobody is known by it.

    His other numbers are his unless they are another contact's own; so are numbers that he was called under
    before.
    """
    own = or_(col(Contact.phone) == phone, col(Contact.other_phones).contains(phone, autoescape=True))
    found = (await session.exec(select(Contact).where(own))).all()
    contacts = [row for row in found if row.phone == phone]
    if not contacts and len(mentioned := [row for row in found if phone in numbers_of(row)]) == 1:
        contacts = mentioned  # his second number
    ids = [row.id for row in contacts]
    numbers = [phone, *(number for row in contacts for number in numbers_of(row))]
    if ids:
        earlier = select(Attempt.phone).where(col(Attempt.contact_id).in_(ids)).distinct()
        numbers += (await session.exec(earlier)).all()
    others = select(Contact.phone).where(col(Contact.phone).in_(numbers), col(Contact.id).not_in(ids))
    taken = set((await session.exec(others)).all())
    return Person(
        phones=tuple(dict.fromkeys(number for number in numbers if number and number not in taken)),
        contact_ids=tuple(ids),
        named=tuple(row.external_id for row in contacts if row.external_id),
    )


def numbers_of(contact: Contact) -> list[str]:
    """The keys of all his numbers, without extensions."""
    written = [contact.phone, *contact.other_phones.split(",")]
    return [number for each in written if (number := each.partition(";")[0])]


async def calls_of(session: AsyncSession, person: Person, limit: int | None = None) -> Sequence[Attempt]:
    """His attempts, and those of his numbers, the oldest first. Raises BadInput while one of them goes on."""
    his = or_(col(Attempt.phone).in_(person.phones), col(Attempt.contact_id).in_(person.contact_ids))
    statement = select(Attempt).where(his).order_by(col(Attempt.created_at), col(Attempt.id)).limit(limit)
    found = (await session.exec(statement)).all()
    if any(attempt.status in _ALIVE for attempt in found):
        raise BadInput(
            words("с этим человеком сейчас говорят", "this person is on the line"),
            hint=words("повторите, когда разговор кончится", "repeat it when the call is over"),
        )
    return found
