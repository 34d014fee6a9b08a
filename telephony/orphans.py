"""Calls that outlived the process that held them: remembered on disk while they last, ended from outside.

<folder>/<hash of the Call-ID>.json      one for each call that is up, or rings at the far end
"""

from __future__ import annotations

import asyncio
import hashlib
import json
from contextlib import suppress
from dataclasses import asdict
from pathlib import Path

import structlog

from bot.core.files import write_whole
from telephony.dialog import Dialog, Dialogs, farewell

log = structlog.get_logger(__name__)

_T1_S = 0.5
_TRIES = 4
"""A BYE is repeated after T1, 2 T1, 4 T1 (RFC 3261, 17.1.2.2); after that the far end is gone as well."""


class DialogKeeper:
    """Keeps a file for each call that is up, or that we ring. `see` takes the SIP trace, in one thread."""

    def __init__(self, folder: Path) -> None:
        folder.mkdir(parents=True, exist_ok=True, mode=0o700)
        self._folder = folder
        self._dialogs = Dialogs()

    def see(self, traced: str) -> None:
        changed = self._dialogs.see(traced)
        if changed is None:
            return
        call_id, dialog = changed
        path = self._folder / f"{hashlib.sha256(call_id.encode()).hexdigest()[:32]}.json"
        try:
            if dialog is None:
                path.unlink(missing_ok=True)
            else:
                # No fsync: it must outlive this process, not a loss of power, which ends calls as well.
                write_whole(path, json.dumps(asdict(dialog)).encode(), durable=False)
        except OSError as error:
            log.warning("call not remembered for its end", reason=error.strerror)


async def end_orphans(folder: Path) -> int:
    """Hang up on every far end that a dead process left on the line; how many there were.

    Called when no process holds calls of this folder.
    """
    files = await asyncio.to_thread(lambda: sorted(folder.glob("*.json")))
    await asyncio.gather(*(_end(file) for file in files))
    return len(files)


async def _end(file: Path) -> None:
    try:
        kept = json.loads(await asyncio.to_thread(file.read_text, encoding="utf-8"))
        dialog = Dialog(**{**kept, "routes": tuple(kept["routes"])})
        answered = await _take_leave(dialog)
        log.info("orphaned call ended", sip_call_id=dialog.call_id, answered=answered)
    except (OSError, ValueError, TypeError, KeyError) as error:
        log.warning("orphaned call not ended", file=file.name, reason=str(error))
    await asyncio.to_thread(file.unlink, missing_ok=True)


class _Answer(asyncio.DatagramProtocol):
    def __init__(self) -> None:
        self.came: asyncio.Future[None] = asyncio.get_running_loop().create_future()

    def datagram_received(self, data: bytes, addr: tuple[str | object, int]) -> None:
        final = data.startswith(b"SIP/2.0 ") and not data.startswith(b"SIP/2.0 1")
        if final and not self.came.done():
            self.came.set_result(None)

    def error_received(self, exc: Exception) -> None:
        if not self.came.done():
            self.came.set_exception(exc)


async def _take_leave(dialog: Dialog) -> bool:
    """Whether the far end confirmed. Raises OSError where it cannot be reached."""
    host, _, port = dialog.peer.rpartition(":")
    loop = asyncio.get_running_loop()
    transport, answer = await loop.create_datagram_endpoint(_Answer, remote_addr=(host, int(port)))
    try:
        ours = transport.get_extra_info("sockname")
        request = farewell(dialog, f"{ours[0]}:{ours[1]}")
        for attempt in range(_TRIES):
            transport.sendto(request)
            with suppress(TimeoutError):
                async with asyncio.timeout(_T1_S * 2**attempt):
                    await asyncio.shield(answer.came)
                return True
        return False
    finally:
        answer.came.cancel()
        transport.close()
