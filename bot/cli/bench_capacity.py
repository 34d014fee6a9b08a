"""`otklik bench capacity`: how many survey calls at once a node holds here, and what ends first."""

from __future__ import annotations

import asyncio
import json
import os
import time
from collections.abc import Callable
from contextlib import suppress
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Annotated, Any

import typer

from bot.cli.bench_capacity_tables import TARGET_CALLS, show, write_capacity
from bot.cli.bench_node import BenchNode, Callers, bench_settings, hold, running, stopping, tell
from bot.cli.bench_options import AsJson, Audio, Noise, Seed, Turns, Write
from bot.cli.bench_reply_gap import AUDIO, SEED, about
from bot.core.errors import BadInput
from bot.settings_load import load_settings
from bot.sim.bench.capacity import (
    Point,
    ended,
    least_not_held,
    mb_per_call,
    most_held,
    next_load,
    point_of,
)
from bot.sim.bench.pieces import read_pieces
from bot.sim.bench.plan import TURNS
from bot.sim.bench.processes import everybody, family
from bot.sim.messages import Dial, PeerSpec
from bot.sim.peer_process import PeerProcess
from bot.words import words

KEPT = "capacity{}.json"
"""In the folder of what a node writes, amid so much noise: `bench soak` holds 80 % of what is found here."""

REFUSED_WITHIN_S = 5.0


@dataclass(frozen=True, slots=True)
class Refusal:
    """What a caller met who rang a node with all lines taken; `status` is SIP's, None for no answer."""

    status: int | None
    answered: bool
    after_ms: int


@dataclass(slots=True)
class Found:
    """What there is so far: loads that were measured, and the node that has just so many lines."""

    idle_mb: float | None
    points: list[Point]
    full: Point | None = None
    refusal: Refusal | None = None


def capacity(
    first: Annotated[
        int, typer.Option(min=1, max=250, help=words("с чего начать", "what to begin with"))
    ] = 20,
    most: Annotated[
        int, typer.Option(min=1, max=250, help=words("больше не пробовать", "no more than so many"))
    ] = 60,
    step: Annotated[
        int, typer.Option(min=1, max=50, help=words("с какой точностью", "how exactly to know it"))
    ] = 2,
    turns: Turns = TURNS,
    as_json: AsJson = False,
    audio: Audio = AUDIO,
    noise: Noise = None,
    seed: Seed = SEED,
    write: Write = None,
) -> None:
    """Сколько звонков сразу держит узел на этой машине: p95 паузы до 1 с, ни одного опоздавшего звука.

    Ctrl-C: закончить с тем, что измерено."""
    pieces = read_pieces(audio)
    began = time.monotonic()
    found = asyncio.run(_search(Callers(pieces, turns, seed, noise), first, most, step))
    settings = load_settings()
    told = summary(found) | about(settings)
    told |= {"seconds": round(time.monotonic() - began, 1), "seed": seed, "noise_dbfs": noise}
    settings.var_dir.mkdir(parents=True, exist_ok=True)
    _kept(settings.var_dir, noise).write_text(json.dumps(told, ensure_ascii=False), encoding="utf-8")
    if write is not None:
        write_capacity(write, told)
    if as_json:
        typer.echo(json.dumps(told, ensure_ascii=False))
    else:
        show(told)


def capacity_found(folder: Path, noise_dbfs: float | None = None) -> int:
    """What `bench capacity` found on this machine before, amid the same noise. Raises BadInput where it has
    not run, or was not able to say."""
    command = "otklik bench capacity" + ("" if noise_dbfs is None else f" --noise {noise_dbfs:g}")
    hint = words(f"{command}, или --calls ЧИСЛО", f"{command}, or --calls NUMBER")
    with suppress(OSError, ValueError, KeyError, TypeError):
        kept = json.loads(_kept(folder, noise_dbfs).read_text(encoding="utf-8"))
        if kept["cpus"] == os.cpu_count() and int(kept["calls"]) > 0:
            return int(kept["calls"])
    raise BadInput(
        words("не измерено, сколько звонков держит узел", "how many calls the node holds is not measured"),
        hint=hint,
    )


def _kept(folder: Path, noise_dbfs: float | None) -> Path:
    return folder / KEPT.format("" if noise_dbfs is None else f"{noise_dbfs:g}")


def summary(found: Found) -> dict[str, Any]:
    """What the command prints. Where the node with just so many lines was measured, the figures are its own:
    then the load was held twice."""
    held = most_held(found.points)
    best = found.full or held
    idle_mb = found.idle_mb or 0.0
    end, broken = ended(found.points, os.cpu_count() or 1), least_not_held(found.points)
    return {
        "calls": best.calls if best is not None and best.held else 0,
        "limit": end.limit.value,
        "limit_share": round(end.share, 3) if end.share is not None else None,
        "limit_used_up": end.used_up,
        "limit_calls": end.calls,
        "limit_shares": {resource.value: round(share, 3) for resource, share in end.shares.items()},
        "not_held": {"calls": broken.calls, "problems": list(broken.problems)}
        if broken is not None
        else None,
        "target_calls": TARGET_CALLS,
        "reply_gap_p50_ms": best.gap_p50_ms if best is not None else None,
        "reply_gap_p95_ms": best.gap_p95_ms if best is not None else None,
        "late_share": round(best.late, 6) if best is not None else None,
        "torn_share": round(best.torn, 6) if best is not None else None,
        "core_seconds_per_call_minute": round(best.core_s_per_minute, 3) if best is not None else None,
        "callers_cores": round(best.callers_cores, 2) if best is not None else None,
        "mb_per_call": round(mb_per_call(found.points, idle_mb), 2),
        "idle_mb": round(idle_mb, 1),
        "refused": asdict(found.refusal) if found.refusal is not None else None,
        "points": [
            {**asdict(point), "held": point.held, "problems": list(point.problems)}
            for point in sorted(found.points, key=lambda each: each.calls)
        ],
    }


async def _search(callers: Callers, first: int, most: int, step: int) -> Found:
    """What was held once is asked for again, of a node that is full with it: where it fails there, the search
    goes on below."""
    found, lines = Found(None, []), min(most + 5, 255)

    def following() -> int | None:
        return next_load(found.points, first=first, most=most, step=step)

    with stopping() as stop:
        while not stop.is_set():
            await _grow(found, callers, following, lines, stop)
            held = most_held(found.points)
            if held is None or stop.is_set():
                break
            await fill(found, held.calls, callers, stop)
            if found.full is None or found.full.held:
                break
            found.points.append(found.full)
            found.full = found.refusal = None
    return found


async def _grow(
    found: Found, callers: Callers, following: Callable[[], int | None], lines: int, stop: asyncio.Event
) -> None:
    """More loads on a node of so many lines, until none is to follow: it is known how many are held."""
    calls = following()
    if calls is None:
        return
    async with running(bench_settings("capacity", lines)) as node:
        if found.idle_mb is None:
            found.idle_mb = _memory_mb(node)
        while calls is not None and not stop.is_set():
            measured = await hold(node, callers, calls, stop)
            if not stop.is_set():
                found.points.append(point_of(measured))
                _tell_point(found.points[-1])
            calls = following()


async def fill(found: Found, calls: int, callers: Callers, stop: asyncio.Event) -> None:
    """A node that has just so many lines: all of them are taken, and one more caller rings."""
    tell(words(f"узел с {calls} линиями, и звонит ещё один", f"a node of {calls} lines, and one more rings"))
    async with running(bench_settings("capacity-full", calls)) as node:
        ringing = asyncio.create_task(_one_more(node))
        try:
            measured = await hold(node, callers, calls, stop)
            if not stop.is_set():
                found.full = point_of(measured)
                found.refusal = await ringing
                _tell_point(found.full)
        finally:
            ringing.cancel()
            with suppress(asyncio.CancelledError):
                await ringing


async def _one_more(node: BenchNode) -> Refusal:
    """Once every line is taken."""
    peer = await PeerProcess.start(PeerSpec(name="one-more", user="one-more"))
    try:
        while (await node.control.request("status"))["free_lines"] > 0:  # noqa: ASYNC110  nobody tells of it
            await asyncio.sleep(0.5)
        began = time.monotonic()
        peer.tell(Dial(target=f"sip:turns@{node.sip}"))
        report = await peer.report(0, REFUSED_WITHIN_S)
        after_ms = round((time.monotonic() - began) * 1000)
        return Refusal(
            status=report.status if report is not None else None,
            answered=report is not None and report.answered,
            after_ms=after_ms,
        )
    finally:
        await peer.close()


def _memory_mb(node: BenchNode) -> float:
    seen = everybody()
    return sum(seen[pid].rss_mb for pid in family(node.watched.root, seen))


def _tell_point(point: Point) -> None:
    tell(
        words(
            f"звонков {point.calls}: пауза p95 {point.gap_p95_ms} мс, опоздало {point.late:.3%}, "
            f"оборвано {point.torn:.3%}, не удалось {point.failed}; узел {point.node_cores:.2f} ядра, "
            f"телефоны {point.callers_cores:.2f}, занято {point.busy:.0%}",
            f"{point.calls} calls: reply gap p95 {point.gap_p95_ms} ms, late {point.late:.3%}, "
            f"torn {point.torn:.3%}, failed {point.failed}; node {point.node_cores:.2f} cores, "
            f"telephones {point.callers_cores:.2f}, busy {point.busy:.0%}",
        )
        + ("" if point.held else " ✗ " + ", ".join(point.problems))
    )
