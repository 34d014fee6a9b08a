"""What `otklik doctor` says of the rules that a real nftables holds: as they were loaded, of settings that
were changed since, and changed by hand."""

from __future__ import annotations

import os
import shlex
import subprocess
from functools import cache
from pathlib import Path
from typing import Any

import pytest

from bot.findings import State
from bot.firewall import differences, ruleset
from bot.settings_load import load_settings
from bot.sip_door import LIST, door, door_of, nft

LOADED: dict[str, Any] = {
    "host": "192.0.2.1",
    "port": 5070,
    "rtp_ports": "30000-30999",
    "trunk": {"domain": "192.0.2.7:5060"},
    # Neighbours, of which nft makes one network, or a range where that would be none.
    "allowed": ("10.0.0.0/25", "10.0.0.128/25", "198.51.100.1", "198.51.100.2", "2001:db8::/64"),
    "media": ("192.0.2.9",),
    "calls_per_s": 7,
}
WEBRTC = "31000-31999"


def settings(webrtc: str = WEBRTC, **sip: Any) -> Any:
    return load_settings(sip={**LOADED, **sip}, webrtc={"ports": webrtc}, web={"port": 8080})


@cache
def listed(rules: str, *by_hand: str) -> str:
    """What nft prints, in a network of its own, of rules that were loaded and changed by these commands."""
    alone = ["unshare", *([] if os.geteuid() == 0 else ["--user", "--map-root-user"]), "--net"]
    command = nft()
    assert command is not None
    steps = [[command, "-f", "-"], *([command, each] for each in by_hand), [command, *LIST]]
    shell = " && ".join(map(shlex.join, steps))
    done = subprocess.run(
        [*alone, "sh", "-c", shell], input=rules, capture_output=True, text=True, timeout=60
    )
    assert done.returncode == 0, done.stderr
    return done.stdout


async def rules(**sip: Any) -> str:
    return ruleset(await door_of(settings(**sip)))


@pytest.mark.parametrize(
    "sip",
    [
        {},
        {"calls_per_s": 5},  # nft's own default of a burst: it leaves that out
        {"allowed": (), "media": ()},
        {"trunk": {"domain": ""}, "allowed": ("2001:db8::7",), "calls_per_s": 1000},
    ],
)
async def test_rules_as_they_are_loaded_differ_in_nothing(sip: dict[str, Any]) -> None:
    wanted = await door_of(settings(**sip))
    assert differences(wanted, listed(ruleset(wanted))) == ()
    assert differences(wanted, ruleset(wanted)) == ()


@pytest.mark.parametrize(
    ("sip", "told"),
    [
        ({"calls_per_s": 5}, ("calls_per_s: 7; по настройкам 5",)),
        (
            {"trunk": {"domain": "192.0.2.8:5060"}},
            (
                "callers4: нет 192.0.2.8", "callers4: лишние 192.0.2.7",
                "sound4: нет 192.0.2.8", "sound4: лишние 192.0.2.7",
            ),
        ),
        (
            {"allowed": ("10.0.0.0/25", "198.51.100.2", "2001:db8::/64")},
            (
                "callers4: лишние 10.0.0.128/25, 198.51.100.1",
                "sound4: лишние 10.0.0.128/25, 198.51.100.1",
            ),
        ),
        ({"media": ("192.0.2.9", "2001:db9::1")}, ("sound6: нет 2001:db9::1",)),
        (
            {"allowed": ("198.51.100.1", "198.51.100.2")},
            (
                "callers4: лишние 10.0.0.0/24", "callers6: лишние 2001:db8::/64",
                "sound4: лишние 10.0.0.0/24", "sound6: лишние 2001:db8::/64",
            ),
        ),
    ],
)  # fmt: skip
async def test_settings_that_were_changed_since_are_told(sip: dict[str, Any], told: tuple[str, ...]) -> None:
    assert differences(await door_of(settings(**sip)), listed(await rules())) == told


@pytest.mark.parametrize(
    ("sip", "ports"),
    [
        ({"port": 5080}, "5080, 30000-30999, 31000-31999"),
        ({"rtp_ports": "40000-40999"}, "5070, 40000-40999, 31000-31999"),
        ({"webrtc": "32000-32999"}, "5070, 30000-30999, 32000-32999"),
    ],
)
async def test_ports_that_were_changed_since_are_told(sip: dict[str, Any], ports: str) -> None:
    [told] = differences(await door_of(settings(**sip)), listed(await rules()))
    assert told == f"порты: 5070, 30000-30999, 31000-31999; по настройкам {ports}"


@pytest.mark.parametrize(
    ("by_hand", "told"),
    [
        ("flush chain inet otklik input", ("нет ни одного правила",)),
        (
            "insert rule inet otklik input udp dport 5070 accept",
            ("лишнее правило «udp dport 5070 accept»",),
        ),
        ("flush set inet otklik callers6", ("callers6: нет 2001:db8::/64",)),
    ],
)
async def test_what_was_changed_by_hand_is_told(by_hand: str, told: tuple[str, ...]) -> None:
    assert differences(await door_of(settings()), listed(await rules(), by_hand)) == told


async def test_a_table_without_its_sets_chain_or_last_rule_is_told() -> None:
    wanted = await door_of(settings())
    sets = tuple(f"нет набора {name}{version}" for name in ("callers", "sound") for version in (4, 6))
    assert differences(wanted, listed("table inet otklik { }")) == (*sets, "нет ни одного правила")
    drop = "udp dport 30000-30999 counter name strange_sound drop"
    without = listed("\n".join(line for line in (await rules()).splitlines() if drop not in line))
    assert differences(wanted, without) == (f"нет правила «{drop}»",)


async def test_doctor_is_content_with_rules_of_these_settings_alone(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """It asks nft for what was compared above."""
    loaded = tmp_path / "loaded"
    loaded.write_text(listed(await rules()))
    file = tmp_path / "nft"
    file.write_text(f'#!/bin/sh\n[ "$*" = "{" ".join(LIST)}" ] && cat {shlex.quote(str(loaded))}\n')
    file.chmod(0o755)
    monkeypatch.setenv("PATH", str(tmp_path), prepend=":")
    assert (await door(settings())).state is State.OK
    older = await door(settings(calls_per_s=8))
    assert older.state is State.ADVICE
    assert "calls_per_s: 7; по настройкам 8" in older.found
    assert "nft -f otklik.nft" in older.hint
