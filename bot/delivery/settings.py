"""Settings of what goes out: mail, and what is an alert. They load neither a database nor a mail library:
every process of a node reads them."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Literal

from pydantic import SecretStr

from bot.core.alerts import AlertKind

Security = Literal["starttls", "tls", "none"]


@dataclass(frozen=True, slots=True)
class MailSettings:
    """`security`: `starttls` begins in the open and goes on under TLS or not at all, `tls` begins under it.
    An empty `host` means that there is no mail."""

    host: str = ""
    port: int = 587
    security: Security = "starttls"
    user: str = ""
    password: SecretStr = field(default_factory=lambda: SecretStr(""))
    sender: str = ""
    timeout_s: float = 20.0


@dataclass(frozen=True, slots=True)
class AlertRules:
    """A wave: within `window_s` seconds at least `opt_outs` customers ask never to be called again, and they
    are at least the `share` (0 to 1) of the calls that were answered meanwhile. With `opt_outs` 0 no wave is
    looked for; what a low score is, each survey says by its rule `low_score`. `mail_to` are the addresses
    that are told at once."""

    low_score: bool = True
    opt_outs: int = 5
    window_s: float = 3600.0
    share: float = 0.05
    mail_to: tuple[str, ...] = ()

    @property
    def kinds(self) -> tuple[AlertKind, ...]:
        """Those that are looked for, shown and told."""
        low = (AlertKind.LOW_SCORE,) if self.low_score else ()
        return (*low, AlertKind.OPT_OUT_WAVE) if self.opt_outs else low

    def since(self, now: datetime) -> datetime:
        """Where the window begins that ends now."""
        return now - timedelta(seconds=self.window_s)
