"""Who may use the API, how often, and how much he may send.

Only a token in `Authorization: Bearer` opens it. A browser's cookie does not, so there is nothing that
another site could make a browser do, and no form token is asked for.
"""

from __future__ import annotations

import time
from collections.abc import Awaitable, Callable
from functools import wraps
from typing import Any, TypeVar

from aiohttp import web
from limits import RateLimitItem, RateLimitItemPerMinute
from limits.aio.storage import MemoryStorage
from limits.aio.strategies import MovingWindowRateLimiter
from pydantic import BaseModel, ValidationError
from pydantic_core import from_json

from bot.accounts.sign_in import source_of
from bot.accounts.tokens import ApiToken, Scope
from bot.core.texts import can_be_kept
from bot.web.api.problems import UNREADABLE, Problem, invalid, too_large, too_often, unkept
from bot.web.parts import parts_of
from bot.web.who import address_of

LARGEST = 16 * 2**10
"""In bytes: every field at its longest, in any writing of JSON, is about 10 kB."""

REQUESTS = RateLimitItemPerMinute(600)
"""Of one token: ten a second is more than any switchboard ends talks."""

WRONG_TOKENS = RateLimitItemPerMinute(30)
"""From one address. Nobody guesses 256 bits; a program with an old token is not to wear out the database."""

_WHO = web.RequestKey("api_token", ApiToken)

Handler = Callable[[web.Request], Awaitable[web.StreamResponse]]
ModelT = TypeVar("ModelT", bound=BaseModel)


class ApiLimits:
    """Kept in memory, as those of signing in are (`bot.accounts.sign_in`)."""

    def __init__(
        self, requests: RateLimitItem = REQUESTS, wrong_tokens: RateLimitItem = WRONG_TOKENS
    ) -> None:
        self._requests = requests
        self._wrong = wrong_tokens
        self._seen = MovingWindowRateLimiter(MemoryStorage())

    async def count(self, token: ApiToken) -> None:
        """Raises Problem (429)."""
        if not await self._seen.hit(self._requests, "token", token.name):
            raise too_often(await self._wait_s(self._requests, "token", token.name))

    async def may_try(self, address: str) -> None:
        """Raises Problem (429) where too many wrong tokens came from there."""
        if not await self._seen.test(self._wrong, "address", address):
            raise too_often(await self._wait_s(self._wrong, "address", address))

    async def wrong(self, address: str) -> None:
        await self._seen.hit(self._wrong, "address", address)

    async def _wait_s(self, item: RateLimitItem, *key: str) -> int:
        window = await self._seen.get_window_stats(item, *key)
        return max(1, round(window.reset_time - time.time()))


LIMITS = web.AppKey("api_limits", ApiLimits)


def may(scope: Scope) -> Callable[[Handler], Handler]:
    """Only with a token that is good for this. Raises Problem: 401, 403, 429."""

    def mark(handler: Handler) -> Handler:
        @wraps(handler)
        async def guarded(request: web.Request) -> web.StreamResponse:
            limits = request.config_dict[LIMITS]
            token = await _token(request, limits)
            await limits.count(token)
            if scope not in token.scopes:
                raise Problem(
                    403,
                    "scope",
                    ("Сюда нельзя", "Not allowed"),
                    (f"токену {token.name} это не разрешено", f"the token {token.name} may not"),
                    (f"нужен токен с правом {scope}", f"a token that may {scope} is needed"),
                    headers={"WWW-Authenticate": f'Bearer error="insufficient_scope", scope="{scope}"'},
                )
            request[_WHO] = token
            return await handler(request)

        return guarded

    return mark


async def _token(request: web.Request, limits: ApiLimits) -> ApiToken:
    address = source_of(address_of(request))
    await limits.may_try(address)
    kind, _, given = request.headers.get("Authorization", "").partition(" ")
    found = await parts_of(request).tokens.find(given.strip()) if kind.lower() == "bearer" else None
    if found is None:
        await limits.wrong(address)
        raise Problem(
            401,
            "token",
            ("Нужен токен", "A token is needed"),
            (
                "токена нет, он отозван или его срок вышел",
                "there is no token, or it is revoked or has run out",
            ),
            ("Authorization: Bearer …; otklik tokens add",) * 2,
            headers={"WWW-Authenticate": "Bearer"},
        )
    return found


def token_of(request: web.Request) -> ApiToken:
    """Only within a handler that is marked with `may`."""
    return request[_WHO]


async def read(request: web.Request, model: type[ModelT]) -> ModelT:
    """The body, as the model says. Raises Problem: 400, 413, 415, 422."""
    if request.content_type != "application/json":
        raise Problem(
            415,
            "media_type",
            UNREADABLE,
            ("нужен JSON", "JSON is needed"),
            ("Content-Type: application/json",) * 2,
        )
    if (request.content_length or 0) > LARGEST:
        raise too_large(LARGEST)
    body = await request.content.read(LARGEST + 1)
    while len(body) <= LARGEST and not request.content.at_eof():
        body += await request.content.read(LARGEST + 1)
    if len(body) > LARGEST:
        raise too_large(LARGEST)
    try:
        given: Any = from_json(body, allow_inf_nan=False)
    except ValueError as error:
        said = (f"это не JSON: {error}", f"this is no JSON: {error}")
        raise Problem(400, "no_json", UNREADABLE, said) from error
    if not can_be_kept(given):
        raise unkept()
    try:
        return model.model_validate(given)
    except ValidationError as error:
        raise invalid(error) from error
