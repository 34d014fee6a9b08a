"""Guessing passwords, keeping a session that should be dead, being led elsewhere after the form."""

from __future__ import annotations

from datetime import timedelta
from urllib.parse import urljoin, urlsplit

import pytest

from bot.accounts.accounts import Accounts
from bot.accounts.passwords import Passwords
from bot.accounts.roles import Role
from bot.accounts.sign_in import TRIES, SignIn, source_of
from bot.core.clock import ManualClock
from bot.core.errors import LinkRefused, SignInRefused, TooManyTries
from bot.web.links import OPEN_FOR
from bot.web.pages import own_path
from bot.web.parts import Parts
from tests.accounts.conftest import QUICK
from tests.web.conftest import PASSWORD, Client, csrf_of, sign_in
from tests.web.conftest import client as client
from tests.web.conftest import clock as clock
from tests.web.conftest import control as control
from tests.web.conftest import parts as parts
from tests.web.conftest import worker as worker

FRESH = "другая фраза из слов"


def cookie_of(client: Client) -> str:
    return next(c.value for c in client.session.cookie_jar if c.key == "otklik_session")


async def test_a_password_changed_by_its_owner_gives_this_browser_another_session(
    client: Client, parts: Parts
) -> None:
    await sign_in(client, parts, Role.ADMIN)
    old = cookie_of(client)
    form = {"current": PASSWORD, "fresh": FRESH, "again": FRESH, "csrf": await csrf_of(client, "/account")}
    async with client.post("/account/password", data=form, allow_redirects=False) as reply:
        assert reply.status == 303
    assert await parts.sessions.find(old) is None
    assert cookie_of(client) != old
    assert await parts.sessions.find(cookie_of(client)) is not None


async def test_another_role_or_another_password_ends_every_session(client: Client, parts: Parts) -> None:
    await sign_in(client, parts, Role.AGENT)
    old = cookie_of(client)
    await parts.accounts.change("irina", role=Role.MANAGER)
    assert await parts.sessions.find(old) is None
    again = await parts.sessions.begin(await parts.accounts.named("irina"))
    await parts.accounts.set_password("irina", FRESH)
    assert await parts.sessions.find(again) is None


async def test_no_writing_of_a_login_gives_an_account_more_tries(parts: Parts) -> None:
    """From a new address each time, as machines of a botnet do."""
    await parts.accounts.add("irina", PASSWORD, Role.ADMIN)
    written = ("irina", "IRINA", "ｉrina", "iｒina", " irina ", "ｉｒｉｎａ", "irinａ\u3000")
    for number in range(30):
        with pytest.raises(SignInRefused):
            await parts.sign_in.sign_in(written[number % len(written)], "wrong", f"198.51.100.{number}")
    with pytest.raises(TooManyTries):
        await parts.sign_in.sign_in("ｉｒina", PASSWORD, "203.0.113.1")


async def test_a_source_has_fifty_tries_in_five_minutes_for_all_accounts_together(parts: Parts) -> None:
    """By the limits that a node has: other names, other addresses of one network, and one that is right."""
    await parts.accounts.add("irina", PASSWORD, Role.ADMIN)
    door = parts.sign_in
    assert TRIES.address.get_expiry() == 300
    await door.sign_in("irina", PASSWORD, "2001:db8:1:2::1")
    for number in range(49):
        with pytest.raises(SignInRefused):
            await door.sign_in(f"guess-{number}", "wrong", f"2001:db8:1:2::{number:x}")
    with pytest.raises(TooManyTries) as refused:
        await door.sign_in("irina", PASSWORD, "2001:db8:1:2:ffff::1")
    assert 0 < refused.value.wait_s <= 300
    assert (await door.sign_in("irina", PASSWORD, "2001:db8:1:3::1")).login == "irina"


@pytest.mark.parametrize(
    ("address", "source"),
    [
        ("2001:db8:1:2::1", "2001:db8:1:2::/64"),
        ("2001:db8:1:2:ffff::9", "2001:db8:1:2::/64"),
        ("::ffff:198.51.100.7", "198.51.100.7"),
        ("198.51.100.7", "198.51.100.7"),
        ("fe80::1%eth0", "fe80::/64"),
        ("unknown", "unknown"),
    ],
)
def test_whoever_has_a_network_of_ipv6_is_one_source(address: str, source: str) -> None:
    assert source_of(address) == source


class Counting(Passwords):
    """`hashes` made or compared: what the time of an answer is made of."""

    def __init__(self) -> None:
        super().__init__(QUICK)
        self.hashes = 0

    def _fits(self, kept: str, password: str) -> bool:
        self.hashes += 1
        assert kept.startswith("$argon2id$")
        return super()._fits(kept, password)


async def test_neither_text_nor_work_tells_who_is_known(parts: Parts) -> None:
    passwords = Counting()
    accounts = Accounts(parts.db, passwords, parts.clock)
    await accounts.add("irina", PASSWORD, Role.ADMIN)
    door, told = SignIn(accounts), set()
    for number, login in enumerate(("irina", "nobody", "no login at all", "")):
        with pytest.raises(SignInRefused) as refused:
            await door.sign_in(login, "wrong", "198.51.100.1")
        told.add(str(refused.value))
        assert passwords.hashes == number + 1
    assert len(told) == 1


ELSEWHERE = (
    "//evil.example", "///evil.example", "/\\evil.example", "\\/evil.example",
    "https://evil.example", "https:evil.example",
    "javascript:alert(1)", "/\t/evil.example", "/\n/evil.example", "\t//evil.example", " //evil.example",
    "/%0d%0aSet-Cookie:x=1", "/./\\evil.example", "/..//evil.example", "evil.example", "",
    None, "\x00//evil.example",
)  # fmt: skip


@pytest.mark.parametrize("following", ELSEWHERE, ids=repr)
def test_after_the_form_nobody_is_led_to_another_site(following: str | None) -> None:
    here = "https://otklik.example.ru/sign-in"
    led = urlsplit(urljoin(here, own_path(following).replace("\\", "/")))
    assert (led.scheme, led.netloc) == ("https", "otklik.example.ru")


async def test_a_ticket_opens_nothing_once_its_time_is_over(parts: Parts, clock: ManualClock) -> None:
    token, _ = await parts.links.make("nps", timedelta(hours=1), first_name="Анна")
    await parts.links.redeem(token)
    clock.advance(3600 + OPEN_FOR.total_seconds() - 1)
    assert (await parts.links.find(token)).redeemed
    clock.advance(2)
    with pytest.raises(LinkRefused):
        await parts.links.find(token)
