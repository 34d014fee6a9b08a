"""A number is one number in every spelling, and what is none is refused with what is wrong with it."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bot.campaigns.importing.phones import NotAPhone, read_phones


def keys(cell: str) -> list[str]:
    return [phone.key for phone in read_phones(cell)]


@pytest.mark.parametrize(
    ("cell", "expected"),
    [
        ("8 (916) 123-45-67", ["79161234567"]),
        ("8-800-555-35-35", ["78005553535"]),
        ("(495) 123-45-67", ["74951234567"]),
        ("+8 916 123-45-67", ["79161234567"]),
        ("tel:+79161234567", ["79161234567"]),
        ("моб. 8 916 123-45-67 (Иван)", ["79161234567"]),
        ("7.9161234567E+10", ["79161234567"]),
        ("7,9161234567Е+10", ["79161234567"]),
        ("79161234567.0", ["79161234567"]),
        ("8 916 123-45-67, 8 926 123-45-68", ["79161234567", "79261234568"]),
        ("8(916)1234567/8(926)1234568", ["79161234567", "79261234568"]),
        ("89161234567 89261234568", ["79161234567", "79261234568"]),
        ("8 916 123 45 67 8 926 123 45 68", ["79161234567", "79261234568"]),
        ("8 916 123-45-67 и +7 (916) 1234567", ["79161234567"]),
        ("375 29 123-45-67", ["375291234567"]),
        ("8 10 375 29 123-45-67", ["375291234567"]),
        ("+49 30 123456", ["4930123456"]),
        ("+81 3 1234 5678", ["81312345678"]),
        ("+7 727 234-56-78", ["77272345678"]),
    ],
)
def test_spellings_that_people_use(cell: str, expected: list[str]) -> None:
    assert keys(cell) == expected


@pytest.mark.parametrize(
    "cell",
    ["+7 495 123-45-67 доб. 12", "8(495)1234567,доб.12", "8 495 123 45 67 (вн. 12)", "84951234567 ext. 12"],
)
def test_an_extension_is_not_part_of_the_number(cell: str) -> None:
    [phone] = read_phones(cell)
    assert (phone.key, phone.uri, phone.extension) == ("74951234567", "tel:+74951234567", "12")


@pytest.mark.parametrize(
    ("cell", "why"),
    [
        ("", "номера нет"),
        ("  ;  ", "номера нет"),
        ("нет", "это не номер"),
        ("1234", "всего 4 цифры: короткие и внутренние"),
        ("123-45-67", "нет кода города"),
        ("8 916 123-45-6", "после восьмёрки их нужно ещё 10"),
        ("891612345678", "12 цифр, нужно 11"),
        ("8 123 123-45-67", "такого кода в плане нумерации нет"),
        ("916123456789", "12 цифр"),  # would be a telephone in India, with a plus
        ("7,91612E+10", "таблица округлила номер до «7,91612E+10»"),
        ("+999 123 456 789", "это не телефонный номер"),
        ("8 916 123-45-67, 12345", "«12345»: всего 5 цифр"),
    ],
)
def test_what_is_no_number_is_told_so(cell: str, why: str) -> None:
    with pytest.raises(NotAPhone) as refused:
        read_phones(cell)
    assert why in str(refused.value)


@st.composite
def spelled(draw: st.DrawFn) -> tuple[str, str]:
    """A Russian mobile number, and one way of writing it."""
    code = draw(st.sampled_from(["903", "916", "926", "950", "999"]))
    rest = f"{draw(st.integers(0, 9_999_999)):07}"
    start = draw(st.sampled_from(["+7", "8", "7", "", "+8"]))
    gap = draw(st.sampled_from(["", " ", "-", "\u00a0", ".", " - "]))
    dash = draw(st.sampled_from(["", " ", "-", "–", "\u2011", "."]))
    around = draw(st.sampled_from(["{}", "({})"]))
    cell = (
        f"{start}{gap if start else ''}{around.format(code)}{gap}{rest[:3]}{dash}{rest[3:5]}{dash}{rest[5:]}"
    )
    space = draw(st.sampled_from(["", " ", "\u00a0", "\u200b", "\ufeff"]))
    return f"{space}{cell}{space}", f"7{code}{rest}"


@given(spelled())
def test_every_spelling_of_a_number_is_that_number(both: tuple[str, str]) -> None:
    cell, key = both
    assert keys(cell) == [key]


@given(spelled(), spelled(), st.sampled_from([", ", "; ", " / ", "\n", " и ", ";"]))
def test_two_numbers_in_a_cell_are_two(one: tuple[str, str], two: tuple[str, str], between: str) -> None:
    assert keys(one[0] + between + two[0]) == list(dict.fromkeys([one[1], two[1]]))


@given(st.text(max_size=40))
def test_any_text_is_numbers_or_refused(cell: str) -> None:
    try:
        found = read_phones(cell)
    except NotAPhone:
        return
    assert found
    assert all(phone.key.isdecimal() and phone.uri == f"tel:+{phone.key}" for phone in found)
