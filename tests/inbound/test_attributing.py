"""Several say whose talk it was: who counts, and what is said of what nobody said."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bot.core.attribution import VALUES, Missing, Source
from bot.core.context import Person
from bot.inbound.announcements import Announcement
from bot.inbound.attributing import Heard, Known, attribute, heard
from bot.inbound.settings import HeaderNames, Route

NAMES = HeaderNames()
ROUTE = Route("csat", department="route-dep", agent="route-agent")
UUI = {"User-to-User": '"agent=uui-agent;department=uui-dep;conversation_id=uui-c;phone=84950000002"'}
HEADERS = {
    "X-Agent-Id": "head-agent",
    "x-department": "head-dep",
    "X-Conversation-Id": "head-c",
    "X-Customer-Phone": "+74950000003",
}
ANNOUNCED = (
    "announcement-1",
    Announcement(
        phone="+74950000001",
        agent="told-agent",
        department="told-dep",
        conversation_id="told-c",
        survey="nps",
    ),
)
FROM = "sip:+74950000005@pbx"
ANNA = Known(person=Person(id="contact-1", first_name="Анна", last_name="Ким"), timezone="Asia/Omsk")


def call(headers: dict[str, str] | None = None, remote: str = FROM) -> Heard:
    return heard("sip:701@otklik", remote, headers or {}, NAMES)


LADDER = [
    (Source.ANNOUNCEMENT, ("told-agent", "told-dep", "told-c", "74950000001")),
    (Source.USER_TO_USER, ("uui-agent", "uui-dep", "uui-c", "74950000002")),
    (Source.HEADER, ("head-agent", "head-dep", "head-c", "74950000003")),
    (Source.ROUTE, ("route-agent", "route-dep", "", "74950000005")),
]


@pytest.mark.parametrize("step", range(4))
def test_the_first_of_the_sources_counts(step: int) -> None:
    headers = (UUI if step < 2 else {}) | (HEADERS if step < 3 else {})
    found = attribute(call(headers), ROUTE, ANNOUNCED if step == 0 else None, None)
    source, values = LADDER[step]
    assert (found.agent, found.department, found.conversation_id, found.phone) == values
    assert (found.attribution.agent, found.attribution.department) == (source, source)
    assert found.attribution.phone == (source if step < 3 else Source.FROM)
    assert found.survey == ("nps" if step == 0 else "csat")
    assert found.attribution.announcement == ("announcement-1" if step == 0 else "")


def test_each_value_has_a_source_of_its_own() -> None:
    announced = ("announcement-1", Announcement(called="701", conversation_id="told-c"))
    found = attribute(call({"User-to-User": "agent=uui-agent"} | HEADERS), ROUTE, announced, None).attribution
    assert (found.conversation_id, found.agent, found.department, found.survey) == (
        Source.ANNOUNCEMENT, Source.USER_TO_USER, Source.HEADER, Source.ROUTE,
    )  # fmt: skip


def test_an_asserted_identity_is_surer_than_from() -> None:
    found = attribute(call({"P-Asserted-Identity": "<sip:+74950000004@pbx>"}), None, None, None)
    assert (found.phone, found.attribution.phone) == ("74950000004", Source.ASSERTED)


def test_what_nobody_said_is_missing_and_why() -> None:
    found = attribute(call(), Route("csat"), None, None)
    assert (found.agent, found.attribution.agent) == ("", None)
    assert found.attribution.missing == {
        "agent": Missing.NOT_SENT,
        "department": Missing.NOT_SENT,
        "conversation_id": Missing.NOT_SENT,
        "customer": Missing.UNKNOWN_CALLER,
    }


@pytest.mark.parametrize(
    ("remote", "why"),
    [
        ("sip:anonymous@anonymous.invalid", Missing.WITHHELD),
        ("sip:101@pbx", Missing.NO_NUMBER),
        ("", Missing.NOT_SENT),
    ],
)
def test_a_caller_without_a_number(remote: str, why: Missing) -> None:
    found = attribute(call(remote=remote), Route("csat"), None, None)
    assert found.phone == ""
    assert found.attribution.missing["phone"] is why
    assert found.attribution.missing["customer"] is Missing.NOT_SENT


def test_a_malformed_user_to_user_is_shown_and_the_headers_count() -> None:
    found = attribute(call({"User-to-User": "zz;encoding=hex", "X-Agent-Id": "op-17"}), None, None, None)
    assert (found.agent, found.attribution.agent) == ("op-17", Source.HEADER)
    assert found.attribution.malformed == ("User-to-User",)
    assert found.attribution.missing["department"] is Missing.MALFORMED


def test_a_malformed_header_is_missing_for_its_own_value_alone() -> None:
    found = attribute(call({"X-Agent-Id": "x" * 129, "X-Department": "a\x07b"}), None, None, None).attribution
    assert found.malformed == ("X-Agent-Id", "X-Department")
    assert (found.missing["agent"], found.missing["department"]) == (Missing.MALFORMED, Missing.MALFORMED)
    assert found.missing["conversation_id"] is Missing.NOT_SENT


def test_a_known_customer_is_called_by_his_name() -> None:
    found = attribute(call(), Route("csat"), None, ANNA)
    assert (found.customer, found.contact_id) == (ANNA.person, "contact-1")
    assert found.attribution.customer is Source.CONTACT


def test_a_name_that_was_sent_is_not_mixed_with_the_known_one() -> None:
    headers = {"X-Customer-Name": "%D0%9E%D0%BB%D1%8C%D0%B3%D0%B0", "X-Customer-Id": "c-7"}
    found = attribute(call(headers), None, None, ANNA)
    assert found.customer == Person(id="c-7", first_name="Ольга")
    assert found.contact_id == "contact-1"
    only_id = attribute(call({"X-Customer-Id": "c-7"}), None, None, ANNA)
    assert only_id.customer == Person(id="c-7", first_name="Анна", last_name="Ким")


@pytest.mark.parametrize(
    ("name", "person"),
    [
        ("Анна", Person(first_name="Анна")),
        ('"Анна Ким"', Person(first_name="Анна", last_name="Ким")),
        ("Анна Львовна Ким", Person(first_name="Анна", middle_name="Львовна", last_name="Ким")),
    ],
)
def test_a_name_of_one_two_or_three_words(name: str, person: Person) -> None:
    assert attribute(call({"X-Customer-Name": name}), None, None, None).customer == person


def test_every_number_that_he_may_be_known_by() -> None:
    found = call(UUI | HEADERS | {"P-Asserted-Identity": "<sip:+74950000004@pbx>"})
    assert found.phones == ("74950000002", "74950000003", "74950000004", "74950000005")


def test_a_header_that_is_not_read_says_nothing() -> None:
    found = heard("sip:701@o", FROM, {"X-Agent-Id": "op-17"}, HeaderNames(agent=""))
    assert attribute(found, None, None, None).agent == ""


@given(
    st.dictionaries(st.sampled_from([*HEADERS, *UUI, "P-Asserted-Identity"]), st.text(max_size=160)),
    st.text(),
)
def test_no_header_makes_it_raise_and_all_is_accounted_for(headers: dict[str, str], remote: str) -> None:
    found = attribute(call(headers, remote), None, None, None).attribution
    for value in VALUES:
        assert (found.source(value) is None) == (value in found.missing)
