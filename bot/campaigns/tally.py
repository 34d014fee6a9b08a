"""What a campaign's attempts came to. Every attempt is in exactly one column, so the columns sum."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from enum import StrEnum

from bot.core.endings import Disposition


class Column(StrEnum):
    """What people who steer a campaign tell apart; `open` are attempts that are not over."""

    OPEN = "open"
    COMPLETED = "completed"
    TALKED = "talked"
    PROMISED = "promised"
    OPTED_OUT = "opted_out"
    MACHINE = "machine"
    NOBODY = "nobody"
    BAD_NUMBER = "bad_number"
    FAILED = "failed"
    CANCELLED = "cancelled"


COLUMN_OF: Mapping[Disposition, Column] = {
    Disposition.COMPLETED: Column.COMPLETED,
    Disposition.PARTIAL: Column.TALKED,
    Disposition.TRANSFERRED: Column.TALKED,
    Disposition.REFUSED: Column.TALKED,
    Disposition.HUNG_UP: Column.TALKED,
    Disposition.NO_INPUT: Column.TALKED,
    Disposition.CALLBACK: Column.PROMISED,
    Disposition.OPTED_OUT: Column.OPTED_OUT,
    Disposition.VOICEMAIL: Column.MACHINE,
    Disposition.SECRETARY: Column.MACHINE,
    Disposition.IVR: Column.MACHINE,
    Disposition.FAX: Column.MACHINE,
    Disposition.UNAVAILABLE: Column.NOBODY,
    Disposition.BUSY: Column.NOBODY,
    Disposition.NO_ANSWER: Column.NOBODY,
    Disposition.DECLINED: Column.NOBODY,
    Disposition.WRONG_PERSON: Column.BAD_NUMBER,
    Disposition.INVALID_NUMBER: Column.BAD_NUMBER,
    Disposition.FAILED: Column.FAILED,
    Disposition.INTERRUPTED: Column.FAILED,
    Disposition.CANCELLED: Column.CANCELLED,
}


@dataclass(frozen=True, slots=True)
class Tally:
    """`columns` has every column, be it 0, in their order; they sum to `attempts`."""

    attempts: int
    columns: Mapping[Column, int]


def tally(dispositions: Iterable[Disposition | None]) -> Tally:
    """Of attempts, by what each came to; None for one that is not over."""
    counted = Counter(Column.OPEN if each is None else COLUMN_OF[each] for each in dispositions)
    return Tally(counted.total(), {column: counted[column] for column in Column})
