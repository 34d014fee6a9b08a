"""The simulated phone against Debian's baresip: media both ways with a stack that is not ours."""

from __future__ import annotations

import asyncio
import wave
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

from bot.core.endings import EndKind
from bot.sim.capture import two_channels
from bot.sim.sounds import read_tone, tone
from tests.ports import free_port
from tests.sim.phones import media, phone, until
from tests.sim.test_sipp import listening

CONFIG = """\
module_path /usr/lib/baresip/modules
module g711.so
module aufile.so
module aubridge.so
module_app account.so
module_app menu.so
sip_listen 127.0.0.1:{port}
net_interface 127.0.0.1
audio_source aufile,{folder}/tone.wav
audio_player aubridge,sink
audio_alert aubridge,sink
audio_srate 8000-8000
audio_channels 1-1
rtp_ports {rtp}-{rtp_end}
"""


@asynccontextmanager
async def baresip(folder: Path) -> AsyncIterator[str]:
    """A phone that answers at once and plays 440 Hz; its address."""
    port, rtp = free_port(), free_port()
    with wave.open(str(folder / "tone.wav"), "wb") as file:
        file.setparams((1, 2, 8000, 0, "NONE", ""))
        file.writeframes(tone(440, 8000 * 30).tobytes())
    (folder / "config").write_text(CONFIG.format(port=port, folder=folder, rtp=rtp, rtp_end=rtp + 10))
    (folder / "contacts").write_text("")
    (folder / "accounts").write_text(
        f"<sip:bares@127.0.0.1:{port}>;regint=0;answermode=auto;audio_codecs=pcma\n"
    )
    log = folder / "baresip.log"
    with log.open("wb") as output:
        process = await asyncio.create_subprocess_exec(
            "baresip", "-f", str(folder), stdin=asyncio.subprocess.PIPE, stdout=output, stderr=output
        )
        try:
            await listening(port)
            yield f"sip:bares@127.0.0.1:{port}"
        except BaseException as error:
            error.add_note(log.read_text(errors="replace"))
            raise
        finally:
            if process.returncode is None:
                process.terminate()
            await process.wait()


async def test_a_tone_comes_back_from_baresip_and_keys_reach_it(tmp_path: Path) -> None:
    async with baresip(tmp_path) as uri, phone("ivan") as ivan, media() as rtp:
        call = await ivan.agent.call(uri, rtp)
        assert call.answered_at is not None
        await rtp.say(tone(700, 8000))
        await rtp.press("5")
        _, received = two_channels(rtp.sent, rtp.received, call.answered_at, 1.2)
        reading = read_tone(received, 440)
        assert reading.dominance > 0.9
        assert reading.heard_s >= 0.8
        log = tmp_path / "baresip.log"
        await until(lambda: "received event: '5' (end=1)" in log.read_text(errors="replace"))
        await call.hang_up()
        assert (await asyncio.shield(call.ended)).kind is EndKind.LOCAL_HANGUP
