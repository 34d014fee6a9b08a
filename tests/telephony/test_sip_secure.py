"""TLS and SRTP between our stack and a foreign one: Debian's baresip, and sipp where it calls in."""

from __future__ import annotations

import asyncio
import ipaddress
import json
import os
import subprocess
import sys
from pathlib import Path

import pytest
from cryptography import x509

from bot.core.endings import EndKind
from bot.core.errors import DialFailed
from bot.settings import PROJECT
from telephony.sip import SipLeg
from telephony.tones import tone
from tests.telephony.authority import DAY, HERE, Authority
from tests.telephony.conformance import best_dbfs, collect, joined
from tests.telephony.named import ANOTHER, DIALLED
from tests.telephony.peers import SCENARIOS, baresip, sip_endpoint, sipp

ELSEWHERE = x509.IPAddress(ipaddress.ip_address("127.0.0.2"))


@pytest.fixture(scope="module")
def authority(tmp_path_factory: pytest.TempPathFactory) -> Authority:
    return Authority(tmp_path_factory.mktemp("tls"))


@pytest.mark.parametrize(("srtp", "menc"), [("", ""), ("sdes", "srtp-mand"), ("dtls", "dtls_srtp")])
async def test_a_tone_goes_there_and_back_over_tls(
    tmp_path: Path, authority: Authority, srtp: str, menc: str
) -> None:
    async with (
        baresip(tmp_path, "PCMA", certificate=authority.issue(HERE), menc=menc) as uri,
        sip_endpoint(
            echo_control=False, transport="tls", ca_file=str(authority.file), srtp=srtp, codecs=("PCMA",)
        ) as endpoint,
    ):
        leg = await endpoint.dial(uri, timeout_s=5)
        await collect(leg, 25)  # until DTLS has shaken hands, no sound passes
        hearing = asyncio.create_task(collect(leg, 60))
        await leg.play(tone(1.2, 8000, hz=1000)).done()
        assert best_dbfs(joined(await hearing), 1000) == pytest.approx(-12, abs=1.5)
        await leg.hang_up()


async def refused(folder: Path, certificate: Path, ca_file: str) -> None:
    """Whoever shows this certificate is not talked to."""
    async with (
        baresip(folder, "PCMA", certificate=certificate) as uri,
        sip_endpoint(transport="tls", ca_file=ca_file) as endpoint,
    ):
        with pytest.raises(DialFailed) as failure:
            await endpoint.dial(uri, timeout_s=5)
        assert failure.value.cause.kind in (EndKind.UNREACHABLE, EndKind.FAILED)


async def test_a_certificate_of_nobody_known_is_refused(tmp_path: Path, authority: Authority) -> None:
    await refused(tmp_path, authority.issue(HERE), ca_file="")


async def test_an_expired_certificate_is_refused(tmp_path: Path, authority: Authority) -> None:
    await refused(tmp_path, authority.issue(HERE, -DAY), str(authority.file))


def test_a_certificate_of_another_name_is_refused() -> None:
    """One of the name that is dialled is not."""
    alone = ["unshare", *([] if os.geteuid() == 0 else ["--user", "--map-root-user"]), "--net", "--mount"]
    done = subprocess.run(
        [*alone, sys.executable, "-m", "tests.telephony.named"],
        cwd=PROJECT, capture_output=True, text=True, timeout=60,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    assert json.loads(done.stdout.splitlines()[-1]) == {DIALLED: True, ANOTHER: False}


@pytest.mark.xfail(strict=True, reason="the stack compares names alone: see docs/administrators.md")
async def test_a_certificate_of_another_address_is_refused(tmp_path: Path, authority: Authority) -> None:
    await refused(tmp_path, authority.issue(ELSEWHERE), str(authority.file))


@pytest.mark.parametrize("srtp", ["sdes", "dtls"])
async def test_who_does_not_encrypt_is_not_talked_to(tmp_path: Path, srtp: str) -> None:
    async with baresip(tmp_path, "PCMA") as uri, sip_endpoint(srtp=srtp) as endpoint:
        with pytest.raises(DialFailed):
            await endpoint.dial(uri, timeout_s=5)


@pytest.mark.parametrize("srtp", ["sdes", "dtls"])
async def test_who_calls_in_and_does_not_encrypt_is_refused(tmp_path: Path, srtp: str) -> None:
    """With 488 (RFC 3261, 21.4.26), and nobody is told of the call."""
    scenario = tmp_path / "not_acceptable.xml"
    scenario.write_text((SCENARIOS / "uac_refused.xml").read_text().replace('"486"', '"488"'))
    calls: list[SipLeg] = []
    async with (
        sip_endpoint(calls.append, srtp=srtp) as endpoint,
        sipp(scenario, tmp_path, calls=endpoint.address) as peer,
    ):
        assert await peer.succeeded(), peer.log
        assert (calls, endpoint.legs) == ([], ())
