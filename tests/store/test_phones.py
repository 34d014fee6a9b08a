from __future__ import annotations

import pytest

from bot.store.phones import phone_key


@pytest.mark.parametrize(
    "address",
    [
        "sip:+79001234567@trunk.example",
        "sip:89001234567@127.0.0.1:5062;transport=tcp",
        "sips:79001234567@trunk?Subject=x",
        "tel:+7-900-123-45-67",
        "tel:+79001234567;ext=5",
        "8 (900) 123-45-67",
        "sip:+79001234567:secret@trunk",
        " +7.900.123.4567 ",
    ],
)
def test_one_phone_has_one_key(address: str) -> None:
    assert phone_key(address) == "79001234567"


@pytest.mark.parametrize(
    ("address", "key"),
    [
        ("sip:Anna@PBX.example:5060", "anna@pbx.example"),
        ("sip:anna@127.0.0.1:5071;transport=udp", "anna@127.0.0.1:5071"),
        ("sip:101@pbx", "101@pbx"),
        ("sip:127.0.0.1:5071", "127.0.0.1:5071"),
        ("sip:+4930123456@trunk", "4930123456"),
        ("sip:8123456789012345678@trunk", "8123456789012345678@trunk"),
    ],
)
def test_what_is_no_number_is_known_by_its_place(address: str, key: str) -> None:
    assert phone_key(address) == key
