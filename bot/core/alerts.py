"""What managers are told of at once."""

from __future__ import annotations

from enum import StrEnum


class AlertKind(StrEnum):
    LOW_SCORE = "low_score"  # of a call: its survey's rule of that name stands
    OPT_OUT_WAVE = "opt_out_wave"  # many who ask never to be called again within a short time
