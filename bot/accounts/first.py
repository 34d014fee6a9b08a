"""Where nobody can let anybody in: the first administrator."""

from __future__ import annotations

from bot.accounts.accounts import Accounts
from bot.accounts.passwords import one_time
from bot.accounts.roles import Role
from bot.core.errors import AccountTaken

LOGIN = "admin"


async def first_admin(accounts: Accounts) -> str | None:
    """The one-time password of `admin`, who was made because there is no administrator; None where there is
    one. It is kept as a hash like any other: it is told now or never."""
    if await accounts.count(Role.ADMIN):
        return None
    password = one_time()
    try:
        await accounts.add(LOGIN, password, Role.ADMIN, once=True)
    except AccountTaken:
        return None  # another node of this database was quicker, or somebody without the role has the name
    return password
