"""The files of `deploy/`, each asked by the program or the schema that it is for."""

from __future__ import annotations

import re
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
from ruamel.yaml import YAML

from bot.settings import CONFIG_VARIABLE, PROJECT, Settings
from bot.settings_load import load_settings
from tests.cluster.edge import DEPLOY, program

UNITS = sorted((DEPLOY / "systemd").glob("*.service"))
EXPOSURE = 20
"""Tenths of systemd's scale of 10: "OK" is what it calls a service below 5.0; ours are at 1.7."""


def run(*command: str | Path) -> subprocess.CompletedProcess[str]:
    return subprocess.run(command, check=False, capture_output=True, text=True, timeout=60)


def test_kamailio_takes_its_configuration_as_it_ships(tmp_path: Path) -> None:
    kamailio = program("kamailio", "kamailio")
    done = run(kamailio, "-c", "-f", DEPLOY / "kamailio" / "kamailio.cfg", "-Y", tmp_path)
    assert done.returncode == 0, done.stderr
    assert "udp: 192.0.2.10" in done.stdout + done.stderr, "site.cfg was read"
    assert "ERROR" not in done.stderr


def test_kamailio_says_what_a_site_without_an_address_lacks(tmp_path: Path) -> None:
    shutil.copy(DEPLOY / "kamailio" / "kamailio.cfg", tmp_path)
    done = run(program("kamailio", "kamailio"), "-c", "-f", tmp_path / "kamailio.cfg", "-Y", tmp_path)
    assert done.returncode != 0
    assert "could not resolve LISTEN" in done.stderr, "the name by which site.cfg sets it"


def verify(folder: Path, change: tuple[str, str] = ("", "")) -> str:
    """What systemd has to say against the units, with the project in the place of /opt/otklik."""
    for unit in UNITS:
        text = unit.read_text(encoding="utf-8").replace("/opt/otklik", str(PROJECT))
        (folder / unit.name).write_text(text.replace(*change) if change[0] else text, encoding="utf-8")
    done = run(program("systemd-analyze", "systemd"), "verify", "--man=no", *folder.glob("*.service"))
    return done.stdout + done.stderr


def test_systemd_has_nothing_against_the_units(tmp_path: Path) -> None:
    assert len(UNITS) == 3
    assert verify(tmp_path) == ""


def test_systemd_would_say_what_is_wrong_in_a_unit(tmp_path: Path) -> None:
    assert "PrivateTemp" in verify(tmp_path, ("PrivateTmp=", "PrivateTemp="))
    assert "not executable" in verify(tmp_path, ("/usr/bin/rtpengine", "/usr/bin/rtpmotor"))


@pytest.mark.parametrize("unit", UNITS, ids=lambda unit: str(unit.stem))
def test_the_units_are_hardened(unit: Path) -> None:
    analyze = program("systemd-analyze", "systemd")
    done = run(analyze, "security", "--offline=true", "--no-pager", f"--threshold={EXPOSURE}", unit)
    assert done.returncode == 0, done.stdout
    assert "NoNewPrivileges=yes" in unit.read_text(encoding="utf-8")


def compose() -> dict[str, Any]:
    loaded: dict[str, Any] = YAML(typ="safe").load(DEPLOY / "compose.yaml")
    return loaded


def schema_says(file: Path) -> subprocess.CompletedProcess[str]:
    return run(sys.executable, "-m", "check_jsonschema", "--builtin-schema", "vendor.compose-spec", file)


def test_the_compose_file_is_of_the_specification(tmp_path: Path) -> None:
    assert schema_says(DEPLOY / "compose.yaml").returncode == 0, schema_says(DEPLOY / "compose.yaml").stdout
    wrong = tmp_path / "compose.yaml"
    text = (DEPLOY / "compose.yaml").read_text(encoding="utf-8")
    wrong.write_text(text.replace("stop_grace_period:", "stop_grace:"), encoding="utf-8")
    assert schema_says(wrong).returncode != 0


def test_the_compose_file_says_that_it_was_not_run_here() -> None:
    for name in ("compose.yaml", "Dockerfile"):
        assert "by the project's tests" in (DEPLOY / name).read_text(encoding="utf-8")


def in_environment(patch: pytest.MonkeyPatch, variables: dict[str, str]) -> Settings:
    for name, value in variables.items():
        patch.setenv(name, re.sub(r"\$\{ADDRESS[^}]*\}", "192.0.2.10", value))
    return load_settings()


def test_the_nodes_of_the_compose_file_understand_their_settings(monkeypatch: pytest.MonkeyPatch) -> None:
    services = compose()["services"]
    nodes = []
    for name in ("node-1", "node-2"):
        with monkeypatch.context() as patch:
            nodes.append(in_environment(patch, services[name]["environment"]))
    assert [node.node.name for node in nodes] == ["node-1", "node-2"]
    assert nodes[0].sip.trunk.proxy == "192.0.2.10:5060"
    for section, key in (("sip", "port"), ("sip", "rtp_ports"), ("dialogue", "rasa_port"), ("web", "port")):
        first, second = (getattr(getattr(node, section), key) for node in nodes)
        assert first != second, f"{section}.{key}: both are on one machine"


def test_a_node_understands_the_settings_that_ship(monkeypatch: pytest.MonkeyPatch) -> None:
    lines = (DEPLOY / "otklik.env").read_text(encoding="utf-8").splitlines()
    secrets = dict(line.split("=", 1) for line in lines if line and not line.startswith("#"))
    secrets = {name: value.replace("CHANGE-ME-64-hex-digits", "0" * 64) for name, value in secrets.items()}
    settings = in_environment(monkeypatch, {CONFIG_VARIABLE: str(DEPLOY / "otklik.toml"), **secrets})
    assert settings.store.url.get_secret_value().startswith("postgresql+asyncpg://")
    destinations = (DEPLOY / "kamailio" / "dispatcher.list").read_text(encoding="utf-8")
    assert f"1 sip:{settings.sip.host}:{settings.sip.port} " in destinations
    assert f"udp:{settings.sip.trunk.proxy}" in (DEPLOY / "kamailio" / "site.cfg").read_text(encoding="utf-8")
    unit = (DEPLOY / "systemd" / "otklik-node.service").read_text(encoding="utf-8")
    minutes = re.search(r"TimeoutStopSec=(\d+)min", unit)
    assert minutes is not None
    assert int(minutes[1]) * 60 >= settings.call.drain_s + 30, "systemd waits until the node is drained"


def test_the_tool_of_the_edge_says_what_is_wrong(tmp_path: Path) -> None:
    tool = DEPLOY / "kamailio" / "otklik-edge"
    assert run(tool).returncode == 2
    done = subprocess.run(
        [tool, "list"],
        env={"PATH": "/usr/bin:/bin:/usr/sbin", "OTKLIK_EDGE_SOCKET": f"unix:{tmp_path}/none"},
        check=False, capture_output=True, text=True, timeout=10,
    )  # fmt: skip
    assert done.returncode == 3
    assert "none" in done.stderr
