"""What a PBX writes into User-to-User, and whatever else may stand there."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bot.inbound.user_to_user import MAX_HEADER, MAX_PAIRS, MAX_VALUE, parse_user_to_user

PAIRS = {"agent": "op-17", "department": "billing"}
TEXT = "agent=op-17;department=billing"


@pytest.mark.parametrize(
    "header",
    [
        TEXT.encode().hex() + ";encoding=hex",
        TEXT.encode().hex().upper() + ";encoding=hex;purpose=isdn-uui;content=isdn-uui",
        TEXT.encode().hex(),
        "04" + TEXT.encode().hex() + ";encoding=hex;purpose=isdn-uui",
        "00" + TEXT.encode().hex() + "00;encoding=hex",
        f'"{TEXT}"',
        f'"{TEXT}";encoding=text',
        f'"{TEXT}";purpose=survey;vendor=acme',
        "agent=op-17&department=billing",
        "agent=op-17&department=billing;encoding=text",
        "agent=op-17, department=billing",
        '"Agent=op-17;DEPARTMENT=billing"',
        b'{"agent": "op-17", "department": "billing"}'.hex() + ";encoding=hex",
        r'"{\"agent\": \"op-17\", \"department\": \"billing\", \"note\": null}"',
    ],
)
def test_the_ways_to_write_it(header: str) -> None:
    found = parse_user_to_user(header)
    assert (dict(found.values), found.problem) == (PAIRS, "")


def test_letters_and_numbers_of_every_kind() -> None:
    assert parse_user_to_user("name=%D0%90%D0%BD%D0%BD%D0%B0").values["name"] == "Анна"
    assert parse_user_to_user("name=Анна;encoding=text").values["name"] == "Анна"
    hex_name = "name=Анна".encode().hex()
    assert parse_user_to_user(f"{hex_name};encoding=hex").values["name"] == "Анна"
    assert parse_user_to_user(r'"{\"conversation-id\": 42}"').values == {"conversation_id": "42"}


def test_the_first_to_say_something_counts() -> None:
    assert parse_user_to_user("agent=one, agent=two").values == {"agent": "one"}


def test_an_empty_header_says_nothing_and_is_not_wrong() -> None:
    assert parse_user_to_user("  ").problem == ""


@pytest.mark.parametrize(
    ("header", "problem"),
    [
        ("zz61;encoding=hex", "not hex"),
        ("616;encoding=hex", "not hex"),
        ("ff fe", "key=value"),
        ("fffe;encoding=hex", "not text"),
        ("agent=1;encoding=base64", "other than hex and text"),
        ("agent=1;encoding=text;encoding=hex", "twice"),
        ("agent=op-17;department=billing", "quotes"),
        ('"agent=op-17', "quote that is not closed"),
        ("hello", "key=value"),
        ('"{agent: 1}"', "JSON"),
        (r'"[1]"', "key=value"),
        (r'"{\"agent\": [1]}"', "whole numbers"),
        (r'"{\"agent\": true}"', "whole numbers"),
        (r'"{\"agent\": ' + "9" * 400 + '}"', "longer"),
        (b'{"a": 1'.hex() + ";encoding=hex", "JSON"),
        ("=op-17", "key"),
        ("a b=op-17", "key"),
        ("agent=%00", "control"),
        ("agent=" + "x" * (MAX_VALUE + 1), "longer"),
        ('"' + ";".join(f"k{i}=1" for i in range(MAX_PAIRS + 1)) + '"', "more than"),
        ("agent=1" + "," * MAX_HEADER, "longer"),
    ],
)
def test_what_cannot_be_read_says_nothing_and_why(header: str, problem: str) -> None:
    found = parse_user_to_user(header)
    assert not found.values
    assert problem in found.problem


def test_a_problem_tells_none_of_the_data() -> None:
    found = parse_user_to_user("Анна Ким +74950000001")
    assert found.problem
    assert "Анна" not in found.problem
    assert "7495" not in found.problem


@given(st.text(alphabet=st.sampled_from('"\\;,=&{}[]:%aF0 9\n\x00é-'), max_size=80) | st.text(max_size=200))
def test_no_text_makes_it_raise(header: str) -> None:
    found = parse_user_to_user(header)
    assert not (found.values and found.problem)
    assert all(len(value) <= MAX_VALUE for value in found.values.values())


@given(st.binary(max_size=200))
def test_no_hex_makes_it_raise(data: bytes) -> None:
    parse_user_to_user(f"{data.hex()};encoding=hex;purpose=isdn-uui")


@given(
    st.dictionaries(
        st.from_regex(r"[a-z]{1,8}", fullmatch=True),
        st.text(st.characters(categories=("L", "N")), min_size=1, max_size=20),
        min_size=1,
        max_size=5,
    )
)
def test_what_was_written_as_hex_is_read_again(values: dict[str, str]) -> None:
    data = ";".join(f"{key}={value}" for key, value in values.items()).encode().hex()
    assert dict(parse_user_to_user(f"{data};encoding=hex").values) == values
