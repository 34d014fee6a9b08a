"""One row of a file as a contact, or why it is none. Pure: nothing is looked up in the database."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, tzinfo

from bot.campaigns.importing.columns import Meaning
from bot.campaigns.importing.names import NameParts, split_name
from bot.campaigns.importing.phones import NotAPhone, Phone, read_phones
from bot.campaigns.importing.zones import FoundZone, ZoneFrom, find_zone
from bot.core.cells import as_meant
from bot.core.years import is_meant
from bot.store.contact_writing import ToldConsent, ToldContact

MAX_TEXT = 300
MAX_FIELDS = 20_000
"""Characters of one value, and of all of a contact's own fields together."""

_YES = {"1", "да", "yes", "true", "+", "y", "д", "x", "х", "не звонить", "истина"}
_NO = {"0", "нет", "no", "false", "-", "n", "н", "ложь"}
_LANGUAGES = {
    "русский": "ru", "рус": "ru", "russian": "ru", "английский": "en", "англ": "en", "english": "en",
}  # fmt: skip
_MOMENT = re.compile(
    r"(?:(?P<y>\d{4})-(?P<m>\d\d?)-(?P<d>\d\d?)|(?P<d2>\d\d?)[./](?P<m2>\d\d?)[./](?P<y2>\d{4}))"
    r"(?:[T\s]+(?P<hour>\d\d?):(?P<minute>\d\d)(?::(?P<second>\d\d)(?:\.\d+)?)?)?(?P<z>Z|[+-]\d\d:?\d\d)?"
)
_UNPRINTABLE = re.compile(r"[\x00-\x08\x0b-\x1f\x7f\u200b-\u200f\u2028\u2029\ufeff]")


class RowRefused(ValueError):
    """Why a row is no contact: every reason, in Russian."""

    def __init__(self, reasons: Sequence[str]) -> None:
        super().__init__("; ".join(reasons))


@dataclass(frozen=True, slots=True)
class Company:
    """What rows are checked against. `agents` and `departments` lead from ids and names, in lower case, to
    ids; a name that two have leads nowhere. `zone` is the clock of dates without one."""

    agents: Mapping[str, str]
    departments: Mapping[str, str]
    zone: tzinfo
    now: datetime


class Reader:
    """Reads rows of one file. `found` is what each of its columns means."""

    def __init__(self, columns: Sequence[str], found: Mapping[str, Meaning], company: Company) -> None:
        self._columns = columns
        self._company = company
        self._at: dict[Meaning, int] = {found[column]: at for at, column in enumerate(columns)}
        self._others = [at for at, column in enumerate(columns) if found[column] is Meaning.OTHER_PHONE]
        self._own = [at for at, column in enumerate(columns) if found[column] is Meaning.OWN]

    def read(self, cells: Sequence[str]) -> ToldContact:
        """Raises RowRefused."""
        wrong: list[str] = []
        if len(cells) > len(self._columns) and any(cells[len(self._columns) :]):
            told = f"ячеек {len(cells)}, а столбцов {len(self._columns)}"
            raise RowRefused([f"{told}: значение с разделителем берут в кавычки"])
        cells = [_clean(cell) for cell in cells] + [""] * (len(self._columns) - len(cells))
        wrong += [
            f"«{self._columns[at]}»: длиннее {MAX_TEXT} знаков"
            for at, cell in enumerate(cells[: len(self._columns)])
            if len(cell) > MAX_TEXT and at not in self._own
        ]
        phones = self._phones(cells, wrong)
        name = self._name(cells)
        row_tz = self._cell(cells, Meaning.TZ)
        region, city = self._cell(cells, Meaning.REGION), self._cell(cells, Meaning.CITY)
        zone = FoundZone("", ZoneFrom.NOWHERE)
        if phones:
            try:
                zone = find_zone(row_tz, region, city, phones[0].parsed)
            except ValueError as error:
                wrong.append(str(error))
        language = self._language(cells, wrong)
        department = self._known(cells, Meaning.DEPARTMENT, self._company.departments, "отдела", wrong)
        manager = self._known(cells, Meaning.MANAGER, self._company.agents, "сотрудника", wrong)
        consent = self._consent(cells, wrong)
        blocked = self._flag(cells, wrong)
        own = {self._columns[at]: cells[at] for at in self._own if cells[at]}
        if len(json.dumps(own, ensure_ascii=False)) > MAX_FIELDS:
            wrong.append(f"собственных полей больше чем на {MAX_FIELDS} знаков")
        if wrong:
            raise RowRefused(wrong)
        return ToldContact(
            phones[0].key,
            phones[0].uri,
            phones[0].extension,
            ",".join(
                phone.key + (f";ext={phone.extension}" if phone.extension else "") for phone in phones[1:]
            ),
            *name,
            external_id=self._cell(cells, Meaning.EXTERNAL_ID),
            tz=zone.name,
            tz_told=zone.source in (ZoneFrom.COLUMN, ZoneFrom.REGION),
            region=region,
            city=city,
            language=language,
            department=department,
            manager_id=manager,
            own_fields=own,
            consent=consent,
            do_not_call=blocked,
        )

    def _cell(self, cells: Sequence[str], meaning: Meaning) -> str:
        at = self._at.get(meaning)
        return cells[at] if at is not None else ""

    def _phones(self, cells: Sequence[str], wrong: list[str]) -> list[Phone]:
        """The main ones first. Where the main cell is empty, a further one steps in."""
        found: dict[str, Phone] = {}
        main = self._at[Meaning.PHONE]
        for at in (main, *self._others):
            if cells[at]:
                try:
                    for phone in read_phones(cells[at]):
                        found.setdefault(phone.key, phone)
                except NotAPhone as error:
                    wrong.append(str(error))
        if not found and not wrong:
            wrong.append("телефона нет")
        return list(found.values())

    def _name(self, cells: Sequence[str]) -> NameParts:
        """What stands in columns of its own goes before what a whole name is split into."""
        whole = split_name(self._cell(cells, Meaning.FULL_NAME))
        return NameParts(
            self._cell(cells, Meaning.FIRST_NAME) or whole.first,
            self._cell(cells, Meaning.MIDDLE_NAME) or whole.middle,
            self._cell(cells, Meaning.LAST_NAME) or whole.last,
        )

    def _language(self, cells: Sequence[str], wrong: list[str]) -> str:
        written = self._cell(cells, Meaning.LANGUAGE).lower()
        language = _LANGUAGES.get(written, written)
        if language and not re.fullmatch(r"[a-z]{2}", language):
            wrong.append(f"язык «{written}» непонятен: нужен такой, как ru или en")
        return language

    def _known(
        self, cells: Sequence[str], meaning: Meaning, known: Mapping[str, str], what: str, wrong: list[str]
    ) -> str:
        written = self._cell(cells, meaning)
        if not written:
            return ""
        found = known.get(" ".join(written.lower().split()), "")
        if not found:
            wrong.append(f"{what} «{written}» нет (или с таким именем не один)")
        return found

    def _consent(self, cells: Sequence[str], wrong: list[str]) -> ToldConsent | None:
        at = self._cell(cells, Meaning.CONSENT_AT)
        source, words = (self._cell(cells, each) for each in (Meaning.CONSENT_SOURCE, Meaning.CONSENT_WORDS))
        if at.lower() in _NO:
            return None
        if not at:
            if source or words:
                wrong.append("согласие без даты: нужен день, когда оно получено")
            return None
        try:
            given = moment(at, self._company.zone)
        except ValueError:
            wrong.append(f"согласие «{at}»: нужен день, когда оно получено, такой, как 01.07.2026")
            return None
        if given > self._company.now:
            wrong.append(f"согласие «{at}»: этот день ещё не наступил")
        return ToldConsent(given, source, words)

    def _flag(self, cells: Sequence[str], wrong: list[str]) -> bool:
        written = self._cell(cells, Meaning.DO_NOT_CALL).lower()
        if written and written not in _YES | _NO:
            wrong.append(f"«не звонить»: «{written}» не да и не нет")
        return written in _YES


def _clean(cell: str) -> str:
    """Without what cannot be printed, and without the apostrophe before what would be a formula."""
    return as_meant(_UNPRINTABLE.sub("", cell).strip()).strip()


def moment(written: str, zone: tzinfo) -> datetime:
    """`2026-07-01`, `01.07.2026 12:30`, with or without an offset. Raises ValueError."""
    found = _MOMENT.fullmatch(written.strip())
    if found is None:
        raise ValueError(f"«{written}» не день: нужен такой, как 01.07.2026 или 2026-07-01 12:30")
    year, month, day = (int(found[name] or found[name + "2"]) for name in "ymd")
    if not is_meant(year):
        raise ValueError(f"«{written}»: тогда согласий не давали")
    hour, minute, second = (int(found[name] or 0) for name in ("hour", "minute", "second"))
    there = datetime(year, month, day, hour, minute, second, tzinfo=zone)
    if offset := found["z"]:
        return datetime.fromisoformat(there.replace(tzinfo=None).isoformat() + offset)
    return there
