"""What counts as an alert: pure, from numbers and moments that come in from outside."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime

from bot.delivery.settings import AlertRules
from bot.store.alerts import Wave


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
