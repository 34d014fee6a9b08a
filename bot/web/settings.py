"""What the pages may be told."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

MODULES = Path(__file__).resolve().parent / "node_modules"
"""Where set-up installs what the pages load from npm, as the lock beside it says."""


@dataclass(frozen=True, slots=True)
class WebSettings:
    """`address` is where people find the pages (`https://otklik.example.ru`); cookies are `secure` where
    it is HTTPS. `timezone` is the company's, by which pages tell time. `secret` signs links and form tokens.
    `cert` and `key` are PEM files, "" without TLS."""

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

    @property
    def secure(self) -> bool:
        return self.address.startswith("https://")
