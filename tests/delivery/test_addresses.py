from __future__ import annotations

import socket

import pytest
from aiohttp.abc import AbstractResolver, ResolveResult

from bot.core.errors import BadInput
from bot.delivery.addresses import PrivateAddress, PublicResolver, checked, is_public


@pytest.mark.parametrize(
    "url",
    ["https://crm.example.ru/hook?key=1", "https://8.8.8.8/", "https://[2001:4860:4860::8888]:8443/h"],
)
def test_public_addresses_by_https(url: str) -> None:
    assert checked(f" {url} ", private=False) == url


@pytest.mark.parametrize(
    ("url", "told"),
    [
        ("http://crm.example.ru/hook", "https"),
        ("http://10.0.0.5/hook", "https"),
        ("ftp://crm.example.ru", "не адрес"),
        ("crm.example.ru/hook", "не адрес"),
        ("https://", "не адрес"),
        ("https://crm.example.ru:99999/", "не адрес"),
        ("https://user:pass@crm.example.ru/", "пароля"),
        ("https://crm.example.ru/#x", "пароля"),
        ("https://10.0.0.5/", "--private"),
        ("https://192.168.1.1/", "--private"),
        ("https://169.254.169.254/latest/meta-data", "--private"),
        ("https://100.64.0.1/", "--private"),
        ("https://127.0.0.1/", "--private"),
        ("http://127.0.0.1:9000/", "--private"),
        ("https://localhost/", "--private"),
        ("https://[::1]/", "--private"),
        ("https://[fd00::1]/", "--private"),
        ("https://[::ffff:10.0.0.5]/", "--private"),
        ("https://0.0.0.0/", "--private"),
        ("https://224.0.0.1/", "--private"),
        (f"https://crm.example.ru/{'a' * 2000}", "не адрес"),
    ],
)
def test_what_messages_may_not_go_to(url: str, told: str) -> None:
    with pytest.raises(BadInput, match=told):
        checked(url, private=False)


@pytest.mark.parametrize("url", ["http://127.0.0.1:9000/", "http://localhost/", "https://10.0.0.5/"])
def test_within_the_network_where_it_is_meant(url: str) -> None:
    assert checked(url, private=True) == url


def test_http_leaves_this_machine_in_no_case() -> None:
    with pytest.raises(BadInput, match="https"):
        checked("http://10.0.0.5/", private=True)


@pytest.mark.parametrize(
    ("address", "public"),
    [("8.8.8.8", True), ("10.1.2.3", False), ("::ffff:8.8.8.8", True),
     ("2002:a00:5::", False), ("fe80::1%eth0", False)],
)  # fmt: skip
def test_the_inner_address_counts(address: str, public: bool) -> None:
    assert is_public(address) is public


class Names(AbstractResolver):
    def __init__(self, *hosts: str) -> None:
        self.hosts = hosts

    async def resolve(
        self, host: str, port: int = 0, family: socket.AddressFamily = socket.AF_INET
    ) -> list[ResolveResult]:
        return [
            ResolveResult(hostname=host, host=each, port=port, family=family, proto=0, flags=0)
            for each in self.hosts
        ]

    async def close(self) -> None: ...


async def test_a_name_gives_its_public_addresses_only() -> None:
    found = await PublicResolver(Names("10.0.0.1", "8.8.8.8")).resolve("crm.example.ru", 443)
    assert [each["host"] for each in found] == ["8.8.8.8"]


async def test_a_name_that_turned_to_the_inside_is_refused() -> None:
    with pytest.raises(PrivateAddress, match=r"crm\.example\.ru"):
        await PublicResolver(Names("10.0.0.1", "::1")).resolve("crm.example.ru", 443)


async def test_numbers_that_only_a_c_library_takes_for_an_address_are_seen_through() -> None:
    with pytest.raises(BadInput, match="четыре числа"):
        checked("https://2130706433/", private=False)
    with pytest.raises(PrivateAddress):
        await PublicResolver().resolve("2130706433", 443)
