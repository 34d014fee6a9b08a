"""Which route a called number takes, and which telephone stands in an address."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bot.core.attribution import Missing
from bot.inbound.numbers import phone_of, route_for, user_of

ROUTES = {"701": "a", "+74951234567": "b", "7495123*": "c", "7495*": "d", "survey": "e"}


@pytest.mark.parametrize(
    ("called", "route"),
    [
        ("701", "a"),
        ("7015", None),
        ("74951234567", "b"),
        ("+7 (495) 123-45-67", "b"),
        ("84951234567", "b"),
        ("84951239999", "c"),
        ("74951239999", "c"),
        ("74959999999", "d"),
        ("Survey", "e"),
        ("", None),
        ("74990000000", None),
    ],
)
def test_the_most_exact_route_is_taken(called: str, route: str | None) -> None:
    assert route_for(called, ROUTES) == route


def test_a_star_alone_is_every_other_number() -> None:
    assert route_for("5", {"*": "all", "5*": "five"}) == "five"
    assert route_for("6", {"*": "all", "5*": "five"}) == "all"


@pytest.mark.parametrize(
    ("address", "phone"),
    [
        ("sip:+74950000001@pbx", "74950000001"),
        ('"Anna, K" <sip:84950000001@pbx;user=phone>;tag=1', "74950000001"),
        ("<tel:+7-495-000-00-01>", "74950000001"),
        ("<tel:+74950000001>, <sip:+74950000002@pbx>", "74950000001"),
        ("+7 495 000-00-01", "74950000001"),
        ("sip:%2B74950000001@pbx", "74950000001"),
        ("", Missing.NOT_SENT),
        ("sip:101@pbx", Missing.NO_NUMBER),
        ('"Anna" <sip:anna@pbx>', Missing.NO_NUMBER),
        ('"Anonymous" <sip:anonymous@anonymous.invalid>', Missing.WITHHELD),
        ("sip:Restricted@pbx", Missing.WITHHELD),
        ("sip:74950000001@anonymous.invalid", Missing.WITHHELD),
    ],
)
def test_the_telephone_in_an_address(address: str, phone: str | Missing) -> None:
    found = phone_of(address)
    assert (found, type(found)) == (phone, type(phone))


@given(st.text(max_size=200) | st.text(alphabet=st.sampled_from('<>"@:;sip tel+7%'), max_size=60))
def test_no_text_makes_it_raise(text: str) -> None:
    phone_of(text)
    user_of(text)
    route_for(text, ROUTES)
