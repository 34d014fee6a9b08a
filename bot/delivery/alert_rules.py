"""What counts as an alert: pure, from numbers and moments that come in from outside."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from bot.store.alerts import Wave
from bot.store.tables_notices import AlertKind


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


def wave(opted_out: Sequence[tuple[datetime, str]], answered: int, rules: AlertRules) -> Wave | None:
    """Of the opt-outs of one window, oldest first, each with its call. It is named after the one by which
    they became enough, so that whoever counts them, now or a moment later, finds the same wave.

    >>> at = datetime(2026, 3, 1, 9)
    >>> wave([(at, "a"), (at, "b"), (at, "c")], 40, AlertRules(opt_outs=2)).call_id
    'b'
    >>> wave([(at, "a"), (at, "b"), (at, "c")], 400, AlertRules(opt_outs=2)) is None
    True
    """
    count = len(opted_out)
    if not rules.opt_outs or count < rules.opt_outs or count < rules.share * answered:
        return None
    enough_at, call_id = opted_out[rules.opt_outs - 1]
    return Wave(call_id, opted_out[0][0], max(enough_at, opted_out[-1][0]), count, answered)
