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
    `timezone` is the clock of the company (IANA)."""

    host: str
    port: int
    address: str
    secret: str
    modules: Path
    session_s: float = 12 * 3600.0
    behind_proxy: bool = False
    cert: str = ""
    key: str = ""
    timezone: str = "Europe/Moscow"

    @property
    def secure(self) -> bool:
        return self.address.startswith("https://")
