"""Passwords: which are good enough, and how they are kept (Argon2id, RFC 9106)."""

from __future__ import annotations

import asyncio
import secrets
import unicodedata

from argon2 import PasswordHasher
from argon2.exceptions import InvalidHashError, VerifyMismatchError

from bot.core.errors import BadInput
from bot.words import words

SHORTEST = 10
LONGEST = 256
"""In characters: NIST SP 800-63B asks for 8 at least and to allow 64; nobody types more than 256."""

AT_ONCE = 2
"""Hashes that are being made at a time: each takes 64 MiB and four threads (RFC 9106, section 4)."""


ONCE_LETTERS = "abcdefghjkmnpqrstuvwxyz23456789"
"""None of those that are taken for one another when they are read aloud or copied by hand: i, l, o, 0, 1."""


def one_time() -> str:
    """A password to be told to somebody, who changes it at once: `k7mq-3fza-w9tn-hc4e`, 79 random bits."""
    groups = ("".join(secrets.choice(ONCE_LETTERS) for _ in range(4)) for _ in range(4))
    return "-".join(groups)


def checked(password: str) -> str:
    """The password as it is hashed: in Unicode's NFKC, so that every keyboard gives the same one.

    Raises BadInput for one that is too short or too long.
    """
    password = unicodedata.normalize("NFKC", password)
    if not SHORTEST <= len(password) <= LONGEST:
        raise BadInput(
            words(
                f"в пароле {len(password)} знаков, нужно от {SHORTEST} до {LONGEST}",
                f"the password has {len(password)} characters, {SHORTEST} to {LONGEST} are needed",
            ),
            hint=words("подойдёт фраза из нескольких слов", "a phrase of several words will do"),
        )
    return password


class Passwords:
    """Hashing runs in threads: nobody else waits for it."""

    def __init__(self, hasher: PasswordHasher | None = None) -> None:
        self._hasher = hasher or PasswordHasher()
        self._turns = asyncio.Semaphore(AT_ONCE)
        self._nobodys = ""

    async def hash(self, password: str) -> str:
        """Raises BadInput for a password that will not do."""
        async with self._turns:
            return await asyncio.to_thread(self._hasher.hash, checked(password))

    async def fits(self, kept: str, password: str) -> bool:
        """Whether it is the password that `kept` is the hash of. With an empty `kept` (there is no such
        account) it takes as long as ever and is False: time does not tell who is known here."""
        given = unicodedata.normalize("NFKC", password)[: LONGEST + 1]
        async with self._turns:
            if not self._nobodys:
                self._nobodys = await asyncio.to_thread(self._hasher.hash, "nobody's password")
            fitting = await asyncio.to_thread(self._fits, kept or self._nobodys, given)
        return fitting and bool(kept)

    def is_outdated(self, kept: str) -> bool:
        """Whether it was made with less than what is asked of a hash today."""
        return self._hasher.check_needs_rehash(kept)

    def _fits(self, kept: str, password: str) -> bool:
        try:
            return self._hasher.verify(kept, password)
        except (VerifyMismatchError, InvalidHashError):
            return False
