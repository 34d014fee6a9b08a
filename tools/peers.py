"""The programs that the tests talk to, as Debian packages them."""

from __future__ import annotations

import os
import shutil
from pathlib import Path

from speak import text
from steps import Failed, Missing, Step, Workshop

PEERS: dict[str, tuple[str, ...]] = {
    "sip-tester": ("/usr/bin/sipp",),
    "baresip-core": (
        "/usr/bin/baresip",
        "/usr/lib/baresip/modules/g722.so",
        "/usr/lib/baresip/modules/opus.so",
    ),
    "postgresql": ("/usr/lib/postgresql/*/bin/postgres", "/usr/lib/postgresql/*/bin/initdb"),
    "redis-server": ("/usr/bin/redis-server",),
    "kamailio": (
        "/usr/sbin/kamailio",
        "/usr/sbin/kamcmd",
        "/usr/lib/*/kamailio/modules/dispatcher.so",
        "/usr/lib/*/kamailio/modules/rtpengine.so",
    ),
    "rtpengine-daemon": ("/usr/bin/rtpengine",),
    "systemd": ("/usr/bin/systemd-analyze",),
    "iproute2": ("/usr/bin/ip",),
    "e2fsprogs": ("/usr/bin/chattr",),
    "libfaketime": ("/usr/lib/*/faketime/libfaketime.so.1",),
    "nftables": ("/usr/sbin/nft",),
    "chromium": ("/usr/bin/chromium",),
    "libfst-tools": ("/usr/bin/fstconvert",),
    "libfst22-plugins-base": ("/usr/lib/*/fst/22/olabel_lookahead-fst.so",),
}
"""Package -> the files that must be there for it (glob patterns); G.722 and Opus are baresip modules."""


def absent(root: Path = Path("/")) -> list[str]:
    """The packages of which some file is not there."""
    return [
        package
        for package, files in PEERS.items()
        if not all(any(root.glob(pattern.lstrip("/"))) for pattern in files)
    ]


def step(workshop: Workshop) -> Step:
    """The files are looked at each time: what is missing is part of what the stamp is made from."""
    missing = absent()
    return Step(
        key="peers",
        title=text("пакеты Debian для тестов", "Debian packages for the tests"),
        inputs=[],
        salt=" ".join([*PEERS, "missing:", *missing]),
        made=[],
        run=lambda: install(workshop, missing),
    )


def install(workshop: Workshop, packages: list[str]) -> None:
    if not packages:
        return
    by_hand = f"sudo apt-get install --no-install-recommends {' '.join(packages)}"
    apt = apt_get(workshop)
    if apt is None:
        raise Missing(
            text(
                f"для тестов не хватает: {', '.join(packages)}.\n  Поставьте: {by_hand}",
                f"the tests need: {', '.join(packages)}.\n  Install them: {by_hand}",
            )
        )
    command = [*apt, "install", "--yes", "--no-install-recommends", *packages]
    try:
        workshop.run(command, keep_lock=False)
    except Missing:
        raise
    except Failed:  # package lists that are old or were never fetched
        workshop.run([*apt, "update"], keep_lock=False, hint=by_hand)
        workshop.run(command, keep_lock=False, hint=by_hand)
    if left := absent():
        raise Failed(text(f"после установки не нашлось: {left}", f"still missing after installation: {left}"))


def apt_get(workshop: Workshop) -> list[str] | None:
    """apt-get as root, or through sudo where that asks no password; None where neither is to be had."""
    if shutil.which("apt-get") is None:
        return None
    words = ["env", "DEBIAN_FRONTEND=noninteractive", "apt-get", "-o", "DPkg::Lock::Timeout=300"]
    if os.geteuid() == 0:
        return words
    if shutil.which("sudo") is None:
        return None
    try:
        workshop.run(["sudo", "-n", "true"], keep_lock=False)
    except Failed:
        return None
    return ["sudo", "-n", *words]
