"""What set-up decides by itself: how uv is brought, what a child may see, what is never installed."""

from __future__ import annotations

import json
import re
import tomllib
from collections.abc import Sequence
from pathlib import Path

import pages
import peers
import pytest
import setup
from steps import Failed, Missing, Workshop

from dialogue.training import SOURCES


class Recorded(Workshop):
    """Notes commands instead of running them; those whose words match `fails` fail."""

    def __init__(self, root: Path, fails: str = "") -> None:
        super().__init__(root)
        self.commands: list[str] = []
        self.fails = fails

    def run(self, command: Sequence[str | Path], **options: object) -> None:
        words = " ".join(map(str, command))
        self.commands.append(words)
        if self.fails and re.search(self.fails, words):
            raise Failed(words)


def test_uv_is_pinned_and_comes_through_the_machines_own_pip(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(setup, "has_module", lambda name: True)
    workshop = Recorded(tmp_path)
    setup.install_uv(workshop)
    venv, pip = workshop.commands
    assert re.search(r"-m venv --clear .*/\.tools$", venv)
    assert pip.endswith(f"pip install --no-deps uv=={setup.UV_VERSION}")


def test_uv_comes_without_venv_where_there_is_pip(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(setup, "has_module", lambda name: name == "pip")
    monkeypatch.setattr(setup, "ROOT", tmp_path)
    workshop = Recorded(tmp_path)
    setup.install_uv(workshop)
    (pip,) = workshop.commands
    assert f"--target {tmp_path / '.tools'} uv=={setup.UV_VERSION}" in pip


def test_without_venv_and_pip_the_package_is_named(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(setup, "has_module", lambda name: False)
    with pytest.raises(Missing, match=r"apt-get install python3\.\d+-venv"):
        setup.install_uv(Recorded(tmp_path))


def test_another_machine_is_refused_before_anything_is_made(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("platform.machine", lambda: "aarch64")
    with pytest.raises(Missing, match="x86_64"):
        setup.check_machine()


def test_uv_is_not_led_astray(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("VIRTUAL_ENV", "elsewhere")
    monkeypatch.setenv("PYENV_VERSION", "3.11.7")  # what a pyenv shim leaves to its children
    monkeypatch.setenv("UV_INDEX_URL", "a mirror")  # the machine's own settings stay
    environment = setup.uv_environment()
    assert not {"VIRTUAL_ENV", "PYENV_VERSION"} & environment.keys()
    assert environment["UV_INDEX_URL"] == "a mirror"


def test_every_input_of_every_step_is_there(root: Path, tmp_path: Path) -> None:
    steps = setup.all_steps(Workshop(tmp_path))
    assert [step.key for step in steps] == ["tools", "bot", "pages", "dialogue", "speech", "rasa"]
    for step in steps:
        for given in step.inputs:
            assert given.exists(), f"{step.key}: {given.relative_to(root)}"


def test_only_one_step_and_what_it_needs(tmp_path: Path) -> None:
    steps = setup.all_steps(Workshop(tmp_path))
    assert [step.key for step in steps if setup.wanted(step, ["bot"])] == ["tools", "bot"]
    assert all(setup.wanted(step, None) for step in steps)


def locked(lock: Path) -> set[str]:
    return {package["name"] for package in tomllib.loads(lock.read_text(encoding="utf-8"))["package"]}


def by_default(lock: Path, project: str) -> set[str]:
    """The names of everything that `uv sync` without options installs."""
    packages = {entry["name"]: entry for entry in tomllib.loads(lock.read_text(encoding="utf-8"))["package"]}
    top = packages[project]
    queue = list(top.get("dependencies", []))
    for group in top.get("dev-dependencies", {}).values():
        queue += group
    found: set[str] = set()
    while queue:
        wanted = queue.pop()
        name = wanted["name"]
        if name not in found:
            found.add(name)
            queue += packages[name].get("dependencies", [])
            for extra in wanted.get("extra", []):
                queue += packages[name].get("optional-dependencies", {}).get(extra, [])
    return found


@pytest.mark.parametrize(
    ("lock", "project"), [("uv.lock", "otklik"), ("dialogue/uv.lock", "otklik-dialogue")]
)
def test_torch_is_never_installed_by_default(root: Path, lock: str, project: str) -> None:
    names = by_default(root / lock, project)
    assert len(names) > 40  # the walk did walk
    assert not {name for name in names if name == "torch" or name.startswith("nvidia-")}


def test_no_index_is_named(root: Path) -> None:
    files = [root / "Makefile", root / "pyproject.toml", root / "dialogue/pyproject.toml", root / ".ci/run"]
    for file in [*files, *(root / "tools").glob("*.py")]:
        text = file.read_text(encoding="utf-8")
        assert not re.search(r"https?://|index-url|--index|\[\[tool\.uv\.index", text), file.name


def test_uv_fits_what_the_project_requires(root: Path) -> None:
    wanted = tomllib.loads((root / "pyproject.toml").read_text(encoding="utf-8"))["tool"]["uv"][
        "required-version"
    ]
    least = tuple(map(int, wanted.removeprefix(">=").split(".")))
    assert tuple(map(int, setup.UV_VERSION.split("."))) >= least


# The pages' files ------------------------------------------------------------------------------


def test_the_pages_files_are_pinned_to_no_registry(root: Path) -> None:
    """The machine's own npm settings say where they come from; their content is what the lock says."""
    text = (root / "bot/web/package-lock.json").read_text(encoding="utf-8")
    packages = json.loads(text)["packages"]
    assert "://" not in text
    assert len(packages) > 4
    assert all(each["integrity"].startswith("sha512-") for place, each in packages.items() if place)


def test_the_machines_npm_installs_the_pages_files(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("shutil.which", lambda name: f"/usr/bin/{name}")
    monkeypatch.setattr(pages, "node_version", lambda: pages.OLDEST_NODE)
    workshop = Recorded(tmp_path)
    pages.install(workshop, tmp_path / "web", tmp_path / "uv", "", {})
    (npm,) = workshop.commands
    assert npm.startswith(f"npm ci --prefix {tmp_path / 'web'} --ignore-scripts")


@pytest.mark.parametrize(("npm", "node"), [(None, 0), ("/usr/bin/npm", 12)])
def test_node_comes_from_pypi_where_there_is_none_or_an_old_one(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, npm: str | None, node: int
) -> None:
    monkeypatch.setattr("shutil.which", lambda name: npm)
    monkeypatch.setattr(pages, "node_version", lambda: node)
    workshop = Recorded(tmp_path)
    pages.install(workshop, tmp_path / "web", tmp_path / "uv", "", {})
    wheel, ci = workshop.commands
    assert f"--target {tmp_path / '.tools/node'} {pages.NODE_WHEEL}" in wheel
    assert re.match(rf"{tmp_path}/\.tools/node/\S+/bin/node \S+/npm-cli\.js ci --prefix ", ci)


# Debian packages for the tests ----------------------------------------------------------------


def test_absent_packages_are_found_by_their_files(tmp_path: Path) -> None:
    assert peers.absent(tmp_path) == list(peers.PEERS)
    for pattern in [*peers.PEERS["baresip-core"], *peers.PEERS["postgresql"]]:
        file = tmp_path / pattern.lstrip("/").replace("*", "15")
        file.parent.mkdir(parents=True, exist_ok=True)
        file.touch()
    assert peers.absent(tmp_path) == [
        "sip-tester",
        "redis-server",
        "kamailio",
        "rtpengine-daemon",
        "systemd",
        "iproute2",
        "e2fsprogs",
        "libfaketime",
        "nftables",
        "chromium",
        "libfst-tools",
        "libfst22-plugins-base",
    ]


def test_without_apt_the_command_is_told(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(peers, "apt_get", lambda workshop: None)
    with pytest.raises(Missing, match="sudo apt-get install --no-install-recommends sip-tester redis-server"):
        peers.install(Recorded(tmp_path), ["sip-tester", "redis-server"])


def test_apt_is_tried_again_with_fresh_lists(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(peers, "apt_get", lambda workshop: ["apt-get"])
    monkeypatch.setattr(peers, "absent", lambda: [])
    workshop = Recorded(tmp_path, fails="never")
    peers.install(workshop, ["sip-tester"])
    assert len(workshop.commands) == 1

    class Stale(Recorded):
        def run(self, command: Sequence[str | Path], **options: object) -> None:
            super().run(command)
            self.fails = ""

    stale = Stale(tmp_path, fails="install")
    peers.install(stale, ["sip-tester"])
    install = "apt-get install --yes --no-install-recommends sip-tester"
    assert stale.commands == [install, "apt-get update", install]


def test_sudo_that_asks_for_a_password_is_not_used(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("shutil.which", lambda name: f"/usr/bin/{name}")
    monkeypatch.setattr("os.geteuid", lambda: 1000)
    assert peers.apt_get(Recorded(tmp_path, fails="sudo -n true")) is None
    with_sudo = peers.apt_get(Recorded(tmp_path))
    assert with_sudo is not None
    assert with_sudo[:2] == ["sudo", "-n"]
    monkeypatch.setattr("os.geteuid", lambda: 0)
    as_root = peers.apt_get(Recorded(tmp_path))
    assert as_root is not None
    assert "sudo" not in as_root


def test_a_model_is_trained_anew_when_anything_that_it_is_made_from_changes() -> None:
    assert set(setup.RASA_SOURCES) == set(SOURCES)
