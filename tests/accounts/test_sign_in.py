"""How often signing in may be tried."""

from __future__ import annotations

import pytest
from limits import RateLimitItemPerHour

from bot.accounts.accounts import Accounts
from bot.accounts.roles import Role
from bot.accounts.sign_in import SignIn, TryLimits
from bot.core.errors import SignInRefused, TooManyTries

PASSWORD = "верблюд и четыре окна"
LIMITS = TryLimits(
    here=RateLimitItemPerHour(3), account=RateLimitItemPerHour(5), address=RateLimitItemPerHour(8)
)


@pytest.fixture
async def sign_in(accounts: Accounts) -> SignIn:
    for login in ("irina", "oleg"):
        await accounts.add(login, PASSWORD, Role.AGENT)
    return SignIn(accounts, LIMITS)


async def guess(sign_in: SignIn, times: int, login: str = "irina", address: str = "192.0.2.1") -> None:
    for _ in range(times):
        with pytest.raises(SignInRefused):
            await sign_in.sign_in(login, "wrong guess", address)


async def test_the_right_password_does_not_help_whoever_guessed_too_often(sign_in: SignIn) -> None:
    await guess(sign_in, 3)
    with pytest.raises(TooManyTries) as refused:
        await sign_in.sign_in("Irina", PASSWORD, "192.0.2.1")
    assert 0 < refused.value.wait_s <= 3600
    assert (await sign_in.sign_in("irina", PASSWORD, "192.0.2.2")).login == "irina"  # she herself, elsewhere


async def test_one_account_guessed_at_from_many_addresses(sign_in: SignIn) -> None:
    for number in range(5):
        await guess(sign_in, 1, address=f"192.0.2.{number}")
    with pytest.raises(TooManyTries):
        await sign_in.sign_in("irina", PASSWORD, "192.0.2.99")
    assert (await sign_in.sign_in("oleg", PASSWORD, "192.0.2.99")).login == "oleg"


async def test_many_accounts_guessed_at_from_one_address(sign_in: SignIn) -> None:
    for number in range(8):
        await guess(sign_in, 1, login=f"user{number}")
    with pytest.raises(TooManyTries):
        await sign_in.sign_in("oleg", PASSWORD, "192.0.2.1")


async def test_a_success_forgets_the_typing_errors_before_it(sign_in: SignIn) -> None:
    for _ in range(2):
        await guess(sign_in, 2)
        await sign_in.sign_in("irina", PASSWORD, "192.0.2.1")
