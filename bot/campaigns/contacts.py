"""How contacts are found and written for people, by commands and pages alike."""

from __future__ import annotations

from collections.abc import Callable, Mapping

from bot.campaigns.importing.phones import NotAPhone, read_phones
from bot.core.errors import BadInput
from bot.store import contacts
from bot.store.database import Database
from bot.store.phones import phone_key
from bot.store.tables import Contact
from bot.words import words


def a_phone(written: str) -> str:
    """The key of a number as somebody typed it, or of a SIP address. Raises BadInput."""
    if written.lower().startswith(("sip:", "sips:")):
        return phone_key(written)
    try:
        found = read_phones(written)
    except NotAPhone as error:
        raise BadInput(str(error), hint=words("такой, как +7 916 123-45-67", "such as +7 916 …")) from error
    if len(found) > 1:
        raise BadInput(words("здесь два номера", "these are two numbers"), hint=words("назовите один", "one"))
    return found[0].key


async def find_contact(db: Database, who: str) -> Contact:
    """By phone in any spelling, or by id. Raises BadInput."""
    try:
        key = a_phone(who)
    except BadInput:
        key = phone_key(who)
    contact = await contacts.find(db, key, who)
    if contact is None:
        raise BadInput(
            words(f"клиента «{who}» нет", f"there is no contact «{who}»"),
            hint=words("кто есть: otklik contact list", "who there is: otklik contact list"),
        )
    return contact


def full_name(contact: Contact) -> str:
    return " ".join(filter(None, (contact.last_name, contact.first_name, contact.middle_name)))


def shown_phone(key: str) -> str:
    number, _, extension = key.partition(";ext=")
    shown = f"+{number}" if number.isdecimal() else number
    return shown + (f" доб. {extension}" if extension else "")


EXPORTED: Mapping[str, Callable[[Contact], str]] = {
    "Номер клиента": lambda row: row.external_id,
    "Фамилия": lambda row: row.last_name,
    "Имя": lambda row: row.first_name,
    "Отчество": lambda row: row.middle_name,
    "Телефон": lambda row: shown_phone(row.phone) + (f" доб. {row.extension}" if row.extension else ""),
    "Другой телефон": lambda row: ", ".join(map(shown_phone, filter(None, row.other_phones.split(",")))),
    "Часовой пояс": lambda row: row.tz,
    "Регион": lambda row: row.region,
    "Город": lambda row: row.city,
    "Язык": lambda row: row.language,
    "Отдел": lambda row: row.department,
    "Менеджер": lambda row: row.manager_id,
    "Не звонить": lambda row: "да" if row.do_not_call_at else "",
}
"""By headings that an import understands."""
