"""What its node knows of a media worker: where it is found, and how it ends."""

from __future__ import annotations

import signal
from pathlib import Path

from bot.settings import Settings

GOODBYE_S = 10.0
"""How long an apology and a hang-up may take once the live calls have had their `call.drain_s`."""

ORPHANED = signal.SIGHUP
"""Control is gone, and with it the dialogue: nobody could answer a caller any more, and he is told so."""


def socket_path(settings: Settings, index: int) -> Path:
    return settings.run_dir / f"worker-{index}.sock"


def dialogs_dir(settings: Settings, index: int) -> Path:
    """What is needed to hang up for a worker that died: one file for each call that is up."""
    return settings.run_dir / f"dialogs-{index}"
