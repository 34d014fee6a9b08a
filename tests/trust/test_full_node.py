"""A node whose lines are all taken, as `otklik bench capacity` fills it."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator
from tempfile import TemporaryDirectory

import pytest

from bot.cli.bench_capacity import Found, fill, summary
from bot.cli.bench_node import Callers
from bot.cli.bench_reply_gap import AUDIO, SEED
from bot.sim.bench.pieces import read_pieces

LINES, TURNS = 2, 1


@pytest.fixture
def var(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """In a short path: a socket's may have 107 bytes."""
    with TemporaryDirectory(prefix="otklik-") as folder:
        monkeypatch.setenv("OTKLIK_VAR", folder)
        yield


@pytest.mark.usefixtures("var")
def test_a_full_node_refuses_the_next_caller_and_the_others_go_on() -> None:
    found = Found(idle_mb=500.0, points=[])
    asyncio.run(fill(found, LINES, Callers(read_pieces(AUDIO), TURNS, SEED), asyncio.Event()))
    refusal, full = found.refusal, found.full
    assert refusal is not None
    assert (refusal.status, refusal.answered) == (486, False)
    assert refusal.after_ms < 2000
    assert full is not None
    assert full.failed == 0
    assert full.gap_p95_ms is not None
    assert 0 < full.worker_cores < full.node_cores
    assert full.callers_cores > 0
    assert full.core_s_per_minute > 0
    told = summary(found)
    assert told["core_seconds_per_call_minute"] == round(full.core_s_per_minute, 3)
    assert told["refused"]["status"] == 486
