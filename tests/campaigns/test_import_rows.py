"""What a row tells: columns by their headings, names, consents, flags, and every reason of a refusal."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta, timezone
from zoneinfo import ZoneInfo

import pytest

from bot.campaigns.importing.columns import Meaning, guess, headings_key, meanings, said_mapping
from bot.campaigns.importing.names import NameParts, split_name
from bot.campaigns.importing.rows import Company, Reader, RowRefused, moment
from bot.core.cells import harmless
from bot.core.errors import BadInput
from bot.store.contact_writing import ToldConsent, ToldContact

NOW = datetime(2026, 7, 1, 12, tzinfo=UTC)
COMPANY = Company(
    {"ivanova": "ivanova", "анна иванова": "ivanova", "пётр": ""},
    {"продажи": "sales"},
    ZoneInfo("Europe/Moscow"),
    NOW,
)


def read(**cells: str) -> ToldContact:
    columns = tuple(cells)
    return Reader(columns, meanings(columns, {}), COMPANY).read(list(cells.values()))


def reasons(**cells: str) -> str:
    with pytest.raises(RowRefused) as refused:
        read(**cells)
    return str(refused.value)


@pytest.mark.parametrize(
    ("heading", "meaning"),
    [
        ("Телефон", Meaning.PHONE), ("МОБ. ТЕЛЕФОН", Meaning.PHONE), ("Phone_Number", Meaning.PHONE),
        ("Ф.И.О.", Meaning.FULL_NAME), ("Лицевой счёт", Meaning.EXTERNAL_ID), ("Time zone", Meaning.TZ),
        ("Не звонить", Meaning.DO_NOT_CALL), ("причина", Meaning.NOTHING), ("Причина обращения", Meaning.OWN),
        ("Тариф", Meaning.OWN),
    ],
)  # fmt: skip
def test_headings_are_guessed_in_two_languages(heading: str, meaning: Meaning) -> None:
    assert guess(heading) is meaning


def test_a_second_column_of_telephones_holds_further_ones() -> None:
    found = meanings(("Телефон", "Моб.", "Имя", "First name"), {})
    assert list(found.values()) == [Meaning.PHONE, Meaning.OTHER_PHONE, Meaning.FIRST_NAME, Meaning.OWN]
    said = meanings(("Телефон", "Моб."), {"моб": Meaning.PHONE})
    assert list(said.values()) == [Meaning.OTHER_PHONE, Meaning.PHONE]


@pytest.mark.parametrize(
    ("columns", "said", "told"),
    [
        (("a", "b"), {}, "непонятно, в каком столбце телефон"),
        (("Телефон",), {"Телефн": Meaning.PHONE}, "столбца «Телефн» в файле нет"),
        (("a", "b"), {"a": Meaning.PHONE, "b": Meaning.PHONE}, "оба столбца названы phone"),
    ],
)
def test_a_mapping_that_cannot_be_is_refused(
    columns: tuple[str, ...], said: dict[str, Meaning], told: str
) -> None:
    with pytest.raises(BadInput, match=told):
        meanings(columns, said)


def test_a_mapping_is_written_as_column_and_field() -> None:
    assert said_mapping(["a=b=phone", " Тариф = - "]) == {"a=b": Meaning.PHONE, "Тариф": Meaning.NOTHING}
    for wrong in ("phone", "=phone", "a=fone"):
        with pytest.raises(BadInput, match="--map"):
            said_mapping([wrong])


def test_one_set_of_headings_has_one_key() -> None:
    assert headings_key(("Имя", "Телефон")) == headings_key(("телефон", "ИМЯ ", "причина"))
    assert headings_key(("Имя",)) != headings_key(("Имя", "Телефон"))


@pytest.mark.parametrize(
    ("whole", "parts"),
    [
        ("Иванов Иван Иванович", NameParts("Иван", "Иванович", "Иванов")),
        ("Анна Петровна Иванова", NameParts("Анна", "Петровна", "Иванова")),
        ("Анна Петровна", NameParts("Анна", "Петровна", "")),
        ("Иванова Анна", NameParts("Анна", "", "Иванова")),
        ("Анна", NameParts("Анна", "", "")),
        ("Мамедов Али Гасан оглы", NameParts("Али", "Гасан оглы", "Мамедов")),
        ("", NameParts()),
    ],
)
def test_a_whole_name_has_parts(whole: str, parts: NameParts) -> None:
    assert split_name(whole) == parts


def test_a_row_tells_a_contact() -> None:
    told = read(
        Телефон="8 916 123-45-67, 8 926 000-00-01", ФИО="Иванов Иван Иванович", ID="C1",
        Регион="Томская обл.",
        Менеджер="Анна  Иванова", Отдел="Продажи", Язык="английский", Тариф="Базовый", Пусто="",
        Согласие="01.02.2026", Источник_согласия="анкета", Не_звонить="нет",
    )  # fmt: skip
    assert told == ToldContact(
        "79161234567", "tel:+79161234567", other_phones="79260000001", first_name="Иван",
        middle_name="Иванович", last_name="Иванов", external_id="C1", tz="Asia/Tomsk", tz_told=True,
        region="Томская обл.", language="en", department="sales", manager_id="ivanova",
        own_fields={"Тариф": "Базовый"},
        consent=ToldConsent(datetime(2026, 1, 31, 21, tzinfo=UTC), "анкета"),
    )  # fmt: skip


def test_a_further_number_steps_in_for_an_empty_one() -> None:
    told = read(Телефон="", Рабочий_телефон="8 495 123-45-67 доб. 5")
    assert (told.phone, told.extension, told.tz, told.tz_told) == ("74951234567", "5", "Europe/Moscow", False)


def test_every_reason_is_told_at_once() -> None:
    told = reasons(
        Телефон="12", Менеджер="Пётр", Отдел="Склад", Язык="по-русски", Согласие="да", Не_звонить="может"
    )
    for reason in (
        "«12»: всего 2 цифры", "сотрудника «Пётр» нет", "отдела «Склад» нет", "язык «по-русски» непонятен",
        "согласие «да»: нужен день", "«может» не да и не нет",
    ):  # fmt: skip
        assert reason in told


@pytest.mark.parametrize(
    ("cells", "why"),
    [
        ({"Телефон": "", "Имя": "Анна"}, "телефона нет"),
        ({"Телефон": "89161234567", "Пояс": "утром"}, "часовой пояс «утром» непонятен"),
        ({"Телефон": "89161234567", "Согласие": "02.07.2026"}, "этот день ещё не наступил"),
        ({"Телефон": "89161234567", "Согласие": "", "Источник согласия": "анкета"}, "согласие без даты"),
        ({"Телефон": "89161234567", "Согласие": "31.02.2026"}, "нужен день"),
        ({"Телефон": "89161234567", "Имя": "я" * 301}, "«Имя»: длиннее 300 знаков"),
        ({"Телефон": "89161234567", "Заметки": "я" * 20_001}, "больше чем на 20000 знаков"),
    ],
)
def test_a_row_that_cannot_be_is_refused(cells: dict[str, str], why: str) -> None:
    assert why in reasons(**cells)


def test_a_row_with_more_cells_than_columns_is_refused() -> None:
    reader = Reader(("Телефон",), {"Телефон": Meaning.PHONE}, COMPANY)
    with pytest.raises(RowRefused, match="ячеек 2, а столбцов 1"):
        reader.read(["89161234567", "лишнее"])
    assert reader.read(["89161234567", ""]).phone == "79161234567"


@pytest.mark.parametrize(
    ("written", "expected"),
    [
        ("2026-02-01", datetime(2026, 1, 31, 21, tzinfo=UTC)),
        ("1.2.2026 09:30", datetime(2026, 2, 1, 6, 30, tzinfo=UTC)),
        ("2026-02-01T09:30:15.5Z", datetime(2026, 2, 1, 9, 30, 15, tzinfo=UTC)),
        ("2026-02-01 09:30:00+05:00", datetime(2026, 2, 1, 9, 30, tzinfo=timezone(timedelta(hours=5)))),
    ],
)
def test_a_moment_is_read_by_the_companys_clock(written: str, expected: datetime) -> None:
    assert moment(written, COMPANY.zone) == expected


@pytest.mark.parametrize("cell", ["=1+1", "@SUM(A1)", "-1+2|cmd", "+cmd"])
def test_the_guard_of_a_cell_that_we_wrote_is_taken_off(cell: str) -> None:
    told = read(Телефон="89161234567", Заметка=harmless(cell))
    assert told.own_fields == {"Заметка": cell}
