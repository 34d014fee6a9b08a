"""What the pages may be told."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

MODULES = Path(__file__).resolve().parent / "node_modules"
"""Where set-up installs what the pages load from npm, as the lock beside it says."""


@dataclass(frozen=True, slots=True)
class WebSettings:
    """`address` is where people find the pages (`https://otklik.example.ru`); cookies are `secure` where
    it is HTTPS. `secret` signs links and form tokens. `cert` and `key` are PEM files, "" without TLS.
    `recordings` is the folder of the calls' sound, `spool` that of their events, `recording_keys` the file
    of the sound's keys, None where it is not encrypted; `timezone` the clock of the company (IANA). `uploads`
    is where files that were sent wait to be imported, None for a folder that goes with the process;
    `largest_upload` is in bytes."""

    host: str
    port: int
    address: str
    secret: str
    modules: Path
    session_s: float = 12 * 3600.0
    timezone: str = "Europe/Moscow"
    behind_proxy: bool = False
    cert: str = ""
    key: str = ""
    recordings: Path = Path("var/recordings")
    spool: Path = Path("var/spool")
    recording_keys: Path | None = None
    uploads: Path | None = None
    largest_upload: int = 200 * 2**20

    @property
    def secure(self) -> bool:
        return self.address.startswith("https://")
