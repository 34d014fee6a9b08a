from __future__ import annotations

import asyncio
import json
import sys
from pathlib import Path

from bot.sim.capture import write_capture
from tests.sim.fake_node import fake_node
from tests.sim.test_measure import channel, say, turns


async def otklik(*arguments: str | Path) -> tuple[int, str, str]:
    process = await asyncio.create_subprocess_exec(
        sys.executable,
        "-c",
        "from bot.cli.app import main; main()",
        "simulate",
        *map(str, arguments),
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.PIPE,
    )
    out, err = await process.communicate()
    assert process.returncode is not None
    return process.returncode, out.decode(), err.decode()


async def test_it_prints_what_was_heard_and_stored_and_fails_where_it_is_not_as_expected(
    tmp_path: Path,
) -> None:
    scenario = tmp_path / "scenario.yaml"
    scenario.write_text(
        "calls: [{name: busy, survey: nps, caller: {on_invite: busy}, expect: {disposition: completed}}]"
    )
    async with fake_node(tmp_path / "control.sock", {"nps": []}) as node:
        code, out, err = await otklik(
            scenario, "--node", node.server.path, "--json", tmp_path / "report.json"
        )
    assert code == 1
    (call,) = json.loads(out)["calls"]
    assert (call["name"], call["disposition"], call["ok"]) == ("busy", "busy", False)
    assert json.loads((tmp_path / "report.json").read_text()) == json.loads(out)
    assert "исход busy, а ожидался completed" in err


async def test_a_capture_is_measured_again_and_what_cannot_be_used_is_refused(tmp_path: Path) -> None:
    sent, received = channel(6, (1.0, 2.0)), channel(6, (2.35, 4.0))
    listed = turns(say(1.0, 2.0), ended=5).model_copy(update={"reply_gaps_ms": (350,)})
    write_capture(tmp_path, listed, sent, received)
    (again, broken, neither) = await asyncio.gather(
        otklik("--recompute", tmp_path), otklik(tmp_path / "none.yaml", "--node", tmp_path / "x"), otklik()
    )
    assert again[0] == 0
    assert json.loads(again[1])[0]["reply_gaps_ms"] == [350]
    assert (broken[0], neither[0]) == (2, 2)
    assert "none.yaml" in broken[2]
    assert "Traceback" not in broken[2] + neither[2]


async def test_no_node(tmp_path: Path) -> None:
    scenario = tmp_path / "scenario.yaml"
    scenario.write_text("calls: [{name: busy, survey: nps}]")
    code, _, err = await otklik(scenario, "--node", tmp_path / "none.sock")
    assert code == 3
    assert "otklik serve" in err
