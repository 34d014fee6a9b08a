"""The API against its own description: whatever the schema can say, and what it cannot (Schemathesis)."""

from __future__ import annotations

import asyncio
from pathlib import Path
from typing import Any

import schemathesis
from aiohttp.test_utils import TestServer
from hypothesis import HealthCheck, Phase, given, settings
from limits import RateLimitItemPerSecond
from schemathesis import GenerationMode
from schemathesis.checks import CHECKS
from schemathesis.specs.openapi import checks as _openapi_checks

from bot.core.clock import ManualClock
from bot.store.database import Database
from bot.store.settings import StoreSettings
from bot.web.api.guard import LIMITS, ApiLimits
from bot.web.api.openapi import document
from bot.web.server import make_app
from tests.web.api import ApiNode

EXAMPLES = 10
"""Of each operation, as the schema says and as it does not: some five seconds in all."""

NOT_CHECKED = {"positive_data_acceptance"}
"""Which strings are telephone numbers and surveys that run, no schema can say."""


async def test_every_answer_is_as_described(tmp_path: Path, clock: ManualClock) -> None:
    async with Database.open(StoreSettings(f"sqlite+aiosqlite:///{tmp_path}/otklik.sqlite")) as db:
        await db.upgrade()
        node = ApiNode(tmp_path, db, clock)
        app = make_app(node.parts)
        app[LIMITS] = ApiLimits(RateLimitItemPerSecond(100_000), RateLimitItemPerSecond(100_000))
        headers = await node.token()
        async with TestServer(app) as server:
            asked = await asyncio.to_thread(_ask_everything, str(server.make_url("/")), headers)
    assert asked.keys() == {"POST /api/v1/calls", "GET /api/v1/calls/{id}", "POST /api/v1/announcements"}
    assert {201, 422} <= asked["POST /api/v1/announcements"]
    assert 422 in asked["POST /api/v1/calls"]
    assert 404 in asked["GET /api/v1/calls/{id}"]


def _ask_everything(url: str, headers: dict[str, str]) -> dict[str, set[int]]:
    """The statuses that each operation answered with. Raises for an answer that is not as described."""
    schema = schemathesis.openapi.from_dict(document(url.rstrip("/")))
    operations = [found.ok() for found in schema.get_all_operations()]
    return {
        operation.label: {status for mode in GenerationMode for status in _ask(operation, mode, url, headers)}
        for operation in operations
    }


def _ask(operation: Any, mode: GenerationMode, url: str, headers: dict[str, str]) -> set[int]:
    checks = [check for check in CHECKS.get_all() if check.__name__ not in NOT_CHECKED]
    assert _openapi_checks.response_schema_conformance in checks, "its checks are known once it is imported"
    statuses: set[int] = set()

    @settings(
        max_examples=EXAMPLES,
        phases=[Phase.generate],
        deadline=None,
        database=None,
        derandomize=True,
        suppress_health_check=list(HealthCheck),
    )
    @given(case=operation.as_strategy(generation_mode=mode))
    def every(case: Any) -> None:
        answer = case.call(base_url=url, headers=headers)
        case.validate_response(answer, checks=checks, headers=headers)
        statuses.add(answer.status_code)

    every()
    return statuses
