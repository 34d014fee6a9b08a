"""Presence and claims that several nodes share, in Redis.

    PREFIX:states        hash: agent -> what he chose
    PREFIX:desks:NODE    sorted set: agent, by the moment until which his desk counts as open
    PREFIX:claims        sorted set: [agent, department, call] as JSON, by the moment at which it ends

A claim is checked and made by one script, so that of two nodes exactly one gets the last place. All
moments are Redis's own, in milliseconds: the nodes' clocks need not agree.
"""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Collection, Iterator
from contextlib import contextmanager
from typing import Self

import redis.asyncio
from redis.exceptions import RedisError

from bot.core.errors import SettingsInvalid, Unavailable
from bot.triage.directory import Presence, PresenceState
from bot.triage.presence import Place, PresenceSettings

CONNECT_S = 3.0

_NOW = """
local time = redis.call('TIME')
local now = time[1] * 1000 + math.floor(time[2] / 1000)
"""

_CLAIM = (
    _NOW
    + """
redis.call('ZREMRANGEBYSCORE', KEYS[1], '-inf', now)
local member, ttl, limit, bound = ARGV[1], tonumber(ARGV[2]), tonumber(ARGV[3]), tonumber(ARGV[4])
if not redis.call('ZSCORE', KEYS[1], member) then
  local wanted, his, theirs = cjson.decode(member), 0, 0
  for _, taken in ipairs(redis.call('ZRANGE', KEYS[1], 0, -1)) do
    local claim = cjson.decode(taken)
    if claim[1] == wanted[1] then his = his + 1 end
    if claim[2] == wanted[2] then theirs = theirs + 1 end
  end
  if his >= limit or (bound >= 0 and theirs >= bound) then return 0 end
end
redis.call('ZADD', KEYS[1], now + ttl, member)
return 1
"""
)

_RELEASE = """
for _, taken in ipairs(redis.call('ZRANGE', KEYS[1], 0, -1)) do
  local claim = cjson.decode(taken)
  if claim[1] == ARGV[1] and claim[3] == ARGV[2] then redis.call('ZREM', KEYS[1], taken) end
end
return 1
"""

_RENEW = (
    _NOW
    + """
redis.call('ZREMRANGEBYSCORE', KEYS[1], '-inf', now)
local live = {}
for place = 2, #ARGV do live[ARGV[place]] = true end
for _, taken in ipairs(redis.call('ZRANGE', KEYS[1], 0, -1)) do
  if live[cjson.decode(taken)[3]] then redis.call('ZADD', KEYS[1], now + tonumber(ARGV[1]), taken) end
end
return 1
"""
)

_SEEN = _NOW + "return redis.call('ZADD', KEYS[1], now + tonumber(ARGV[1]), ARGV[2])"

_STANDING = (
    _NOW
    + """
redis.call('ZREMRANGEBYSCORE', KEYS[1], '-inf', now)
return redis.call('ZRANGE', KEYS[1], 0, -1)
"""
)


class RedisBoard:
    """A `PresenceBoard`. Make it with `open`; nothing is connected before it is used."""

    def __init__(self, client: redis.asyncio.Redis, settings: PresenceSettings) -> None:
        self._redis = client
        self._ttl_ms = max(1, round(settings.ttl_s * 1000))
        self._states = f"{settings.prefix}:states"
        self._desks = f"{settings.prefix}:desks:{settings.node}"
        self._claims = f"{settings.prefix}:claims"
        self._claim = client.register_script(_CLAIM)
        self._release = client.register_script(_RELEASE)
        self._renew = client.register_script(_RENEW)
        self._seen = client.register_script(_SEEN)
        self._standing = client.register_script(_STANDING)

    @classmethod
    def open(cls, url: str, settings: PresenceSettings) -> Self:
        """Raises SettingsInvalid for a URL that names no Redis."""
        try:
            client = redis.asyncio.Redis.from_url(
                url,
                decode_responses=True,
                socket_connect_timeout=CONNECT_S,
                socket_timeout=CONNECT_S,
            )
        except ValueError as error:
            raise SettingsInvalid(
                f"presence.url: {error}", hint="redis://имя:пароль@узел:6379/0; пусто: в самом узле"
            ) from error
        return cls(client, settings)

    async def choose(self, agent_id: str, state: PresenceState | None) -> None:
        with _reaching():
            if state is None:
                await self._redis.hdel(self._states, agent_id)
            else:
                await self._redis.hset(self._states, agent_id, state.value)

    async def desk_seen(self, agent_id: str) -> None:
        with _reaching():
            await self._seen(keys=[self._desks], args=[self._ttl_ms, agent_id])

    async def desk_gone(self, agent_id: str) -> None:
        with _reaching():
            await self._redis.zrem(self._desks, agent_id)

    async def presences(self) -> dict[str, Presence]:
        with _reaching():
            states = {
                str(key): str(value) for key, value in (await self._redis.hgetall(self._states)).items()
            }
            desks = set(await self._standing(keys=[self._desks]))
        return {
            agent_id: Presence(
                PresenceState(states[agent_id]) if agent_id in states else None, agent_id in desks
            )
            for agent_id in {*states, *desks}
        }

    async def claim(self, place: Place) -> bool:
        member = json.dumps([place.agent_id, place.department, place.call_id])
        bound = -1 if place.department_limit is None else place.department_limit
        with _reaching():
            return bool(
                await self._claim(keys=[self._claims], args=[member, self._ttl_ms, place.limit, bound])
            )

    async def release(self, call_id: str, agent_id: str) -> None:
        with _reaching():
            await self._release(keys=[self._claims], args=[agent_id, call_id])

    async def renew(self, call_ids: Collection[str]) -> None:
        if call_ids:
            with _reaching():
                await self._renew(keys=[self._claims], args=[self._ttl_ms, *call_ids])

    async def live(self) -> dict[str, int]:
        with _reaching():
            taken = await self._standing(keys=[self._claims])
        return dict(Counter(json.loads(member)[0] for member in taken))

    async def close(self) -> None:
        await self._redis.aclose()


@contextmanager
def _reaching() -> Iterator[None]:
    try:
        yield
    except (RedisError, OSError, TimeoutError) as error:
        raise Unavailable(
            f"присутствие сотрудников недоступно: Redis не отвечает ({type(error).__name__})",
            hint="запустите Redis или исправьте presence.url",
        ) from error
