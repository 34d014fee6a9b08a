"""The widest hours in which anybody is rung, by his own clock. A campaign may be narrower, never wider.

No federal law of Russia sets hours for surveys. The nearest that sets any for calls to people is that on
debts: on working days not from 22 to 8 o'clock, on days off and holidays not from 20 to 9, by the local
time of whoever is called (230-ФЗ of 3 July 2016, article 7, part 3, item 1). The frame is that, and an
hour narrower at both ends of a working day. Other countries have no wider one.
"""

from __future__ import annotations

from datetime import timedelta

from bot.triage.shifts import Span

WORKING_DAY: Span = (9 * 60, 21 * 60)
DAY_OFF: Span = (9 * 60, 20 * 60)
"""Minutes after midnight."""

RINGING = timedelta(minutes=1)
"""A telephone rings for a while: nobody is dialled so late that it would ring after his hours."""


def frame_of(*, day_off: bool) -> Span:
    return DAY_OFF if day_off else WORKING_DAY
