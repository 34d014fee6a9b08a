"""The heartbeat: pure with times given, and on an event loop whose clock the test owns."""

from __future__ import annotations

import asyncio
import time
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from telephony.pacer import Beat, Pacer
from telephony.virtual_time import run


class Member:
    def __init__(self) -> None:
        self.ticks: list[tuple[float, int]] = []

    def tick(self, count: int) -> None:
        self.ticks.append((asyncio.get_running_loop().time(), count))


def test_a_late_look_finds_all_the_ticks_that_were_missed() -> None:
    beat = Beat(start=100.0)
    assert beat.due(100.019) == 0
    assert beat.due(100.020) == 1
    assert beat.due(100.421) == 20
    assert beat.next_at == pytest.approx(100.44)


@given(st.lists(st.floats(0, 0.5), min_size=1, max_size=300))
def test_however_it_is_looked_at_no_tick_is_lost_and_none_is_made_up(pauses: list[float]) -> None:
    beat, now, total = Beat(start=0.0), 0.0, 0
    for pause in pauses:
        now += pause
        total += beat.due(now)
        assert now - beat.next_at < 1e-6  # nothing that is due is left
        assert abs(total * 0.02 - now) <= 0.02 + 1e-6


def test_ten_minutes_do_not_drift() -> None:
    async def long_call() -> None:
        pacer, member = Pacer(), Member()
        pacer.add(member)
        await asyncio.sleep(600)
        pacer.remove(member)
        assert sum(count for _, count in member.ticks) == pytest.approx(600 / 0.02, abs=1)
        assert member.ticks[-1][0] == pytest.approx(600, abs=0.021)

    run(long_call())


async def test_a_loop_that_stood_still_catches_up_at_once() -> None:
    pacer, member = Pacer(), Member()
    began = asyncio.get_running_loop().time()
    pacer.add(member)
    await asyncio.sleep(0.05)
    time.sleep(0.4)  # noqa: ASYNC251  the fault under test
    await asyncio.sleep(0.03)
    pacer.remove(member)
    assert max(count for _, count in member.ticks) >= 18
    for index, (at, _) in enumerate(member.ticks):
        told = sum(count for _, count in member.ticks[: index + 1]) * 0.02
        assert told <= at - began + 1e-6


def test_one_member_that_fails_does_not_stop_the_others() -> None:
    class Broken:
        def tick(self, count: int) -> None:
            raise ValueError("broken")

    async def beat() -> None:
        faults: list[dict[str, Any]] = []
        asyncio.get_running_loop().set_exception_handler(lambda _, context: faults.append(context))
        pacer, member = Pacer(), Member()
        pacer.add(Broken())
        pacer.add(member)
        await asyncio.sleep(0.1)
        pacer.remove(member)
        assert len(member.ticks) >= 4
        assert all(isinstance(fault["exception"], ValueError) for fault in faults)
        assert len(faults) >= 4

    run(beat())


def test_a_pacer_without_members_is_idle() -> None:
    async def idle() -> None:
        pacer, member = Pacer(), Member()
        pacer.add(member)
        await asyncio.sleep(0.1)
        pacer.remove(member)
        seen = len(member.ticks)
        await asyncio.sleep(1)
        assert len(member.ticks) == seen
        pacer.add(member)
        await asyncio.sleep(0.1)
        assert len(member.ticks) > seen
        at, count = member.ticks[seen]
        assert at == pytest.approx(1.12)
        assert count == 1  # a new beat, not a burst of what was idle
        pacer.remove(member)

    run(idle())
