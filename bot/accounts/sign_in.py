"""Signing in, and how often it may be tried."""

from __future__ import annotations

import ipaddress
import time
from dataclasses import dataclass

from limits import RateLimitItem, RateLimitItemPerMinute
from limits.aio.storage import MemoryStorage
from limits.aio.strategies import MovingWindowRateLimiter

from bot.accounts.accounts import Account, Accounts, plain_login
from bot.core.errors import SignInRefused, TooManyTries
from bot.words import words


@dataclass(frozen=True, slots=True)
class TryLimits:
    """How many tries there are for one account from one address, for one account from anywhere (slowly
    guessing machines), and from one address for whatever account."""

    here: RateLimitItem
    account: RateLimitItem
    address: RateLimitItem


TRIES = TryLimits(
    here=RateLimitItemPerMinute(5, 5),
    account=RateLimitItemPerMinute(30, 15),
    address=RateLimitItemPerMinute(50, 5),
)


def source_of(address: str) -> str:
    """What tries are counted by: of IPv6 the /64, for whoever has one has all of its addresses (RFC 6177)."""
    try:
        ip = ipaddress.ip_address(address.partition("%")[0])
    except ValueError:
        return address
    if isinstance(ip, ipaddress.IPv6Address):
        if ip.ipv4_mapped is not None:
            return str(ip.ipv4_mapped)
        return str(ipaddress.IPv6Network((int(ip) >> 64 << 64, 64)))
    return str(ip)


class SignIn:
    """Kept in memory: a node that is started anew has forgotten who tried too often, and that is 15
    minutes at most."""

    def __init__(self, accounts: Accounts, limits: TryLimits = TRIES) -> None:
        self._accounts = accounts
        self._limits = limits
        self._tries = MovingWindowRateLimiter(MemoryStorage())

    async def sign_in(self, login: str, password: str, address: str) -> Account:
        """Raises SignInRefused, which does not tell whether the login or the password is wrong, and
        TooManyTries. Every try counts until one succeeds."""
        who, source = plain_login(login)[:64], source_of(address)
        for item, *key in (
            (self._limits.address, "address", source),
            (self._limits.here, "here", who, source),
            (self._limits.account, "account", who),
        ):
            if not await self._tries.hit(item, *key):
                window = await self._tries.get_window_stats(item, *key)
                wait_s = max(1, round(window.reset_time - time.time()))
                raise TooManyTries(
                    words("слишком много попыток входа", "too many tries to sign in"),
                    hint=words(f"следующая через {wait_s} с", f"the next one in {wait_s} s"),
                    wait_s=wait_s,
                )
        account = await self._accounts.known_by(login, password)
        if account is None:
            raise SignInRefused(
                words("имя или пароль не подходят", "the login or the password is wrong"),
                hint=words("забытый пароль сменит администратор", "an administrator can set another"),
            )
        await self._tries.clear(self._limits.here, "here", who, source)
        await self._tries.clear(self._limits.account, "account", who)
        return account
