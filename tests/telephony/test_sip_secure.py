"""TLS and SRTP between our stack and a foreign one: Debian's baresip."""

from __future__ import annotations

import asyncio
import subprocess
from pathlib import Path

import pytest

from bot.core.endings import EndKind
from bot.core.errors import DialFailed
from telephony.tones import tone
from tests.telephony.conformance import best_dbfs, collect, joined
from tests.telephony.peers import baresip, sip_endpoint


@pytest.fixture(scope="module")
def certificate(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Of 127.0.0.1, signed by itself, with its key in the same file."""
    file = tmp_path_factory.mktemp("tls") / "peer.pem"
    subprocess.run(
        [
            "openssl", "req", "-x509", "-newkey", "rsa:2048", "-nodes", "-days", "2",
            "-subj", "/CN=127.0.0.1", "-addext", "subjectAltName=IP:127.0.0.1",
            "-keyout", file.with_name("key"), "-out", file,
        ],
        check=True, capture_output=True,
    )  # fmt: skip
    file.write_text(file.read_text() + file.with_name("key").read_text())
    return file


@pytest.mark.parametrize(("srtp", "menc"), [("", ""), ("sdes", "srtp-mand"), ("dtls", "dtls_srtp")])
async def test_a_tone_goes_there_and_back_over_tls(
    tmp_path: Path, certificate: Path, srtp: str, menc: str
) -> None:
    async with (
        baresip(tmp_path, "PCMA", certificate=certificate, menc=menc) as uri,
        sip_endpoint(
            echo_control=False, transport="tls", ca_file=str(certificate), srtp=srtp, codecs=("PCMA",)
        ) as endpoint,
    ):
        leg = await endpoint.dial(uri, timeout_s=5)
        await collect(leg, 25)  # until DTLS has shaken hands, no sound passes
        hearing = asyncio.create_task(collect(leg, 60))
        await leg.play(tone(1.2, 8000, hz=1000)).done()
        assert best_dbfs(joined(await hearing), 1000) == pytest.approx(-12, abs=1.5)
        await leg.hang_up()


async def test_a_certificate_of_nobody_known_is_refused(tmp_path: Path, certificate: Path) -> None:
    async with (
        baresip(tmp_path, "PCMA", certificate=certificate) as uri,
        sip_endpoint(transport="tls") as endpoint,
    ):
        with pytest.raises(DialFailed) as refused:
            await endpoint.dial(uri, timeout_s=5)
        assert refused.value.cause.kind in (EndKind.UNREACHABLE, EndKind.FAILED)


@pytest.mark.parametrize("srtp", ["sdes", "dtls"])
async def test_who_does_not_encrypt_is_not_talked_to(tmp_path: Path, srtp: str) -> None:
    async with baresip(tmp_path, "PCMA") as uri, sip_endpoint(srtp=srtp) as endpoint:
        with pytest.raises(DialFailed):
            await endpoint.dial(uri, timeout_s=5)
