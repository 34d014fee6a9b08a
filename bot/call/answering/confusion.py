"""How well answerers are told apart: a table of truth against verdict, and the time to decide."""

from __future__ import annotations

import csv
import re
from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

from bot.call.answering.classifier import Verdict
from bot.call.answering.recorded import Reader
from bot.core.answerer import Answerer
from bot.core.audio import FRAME_S, SAMPLE_BYTES
from bot.core.errors import BadInput, Place

MANIFEST = "manifest.tsv"


@dataclass(frozen=True, slots=True)
class Clip:
    """One line of the manifest. `answered_s` is None where the line was never answered; `knowable_s` is the
    time in the clip from which on a careful listener knows the class; `said` are its sentences."""

    file: Path
    answerer: Answerer
    part: str
    answered_s: float | None
    knowable_s: float
    said: tuple[str, ...] = ()

    def true_words(self) -> Callable[[int], Reader]:
        """A recogniser that makes no mistake: it gives all words at the moment at which one can know. What
        it is opened for the second time for, is what is said after the answer."""
        answered_s = self.answered_s or 0.0
        before = (" ".join(self.said), self.knowable_s)
        after = (" ".join(self.said), self.knowable_s)
        if answered_s:
            before, after = (self.said[0], answered_s / 2), (self.said[-1], self.knowable_s - answered_s)
        turns = iter((before, after))
        return lambda rate: _TrueWords(rate, *next(turns))


class _TrueWords:
    def __init__(self, rate: int, text: str, from_s: float) -> None:
        self._rate, self._from_s = rate, from_s
        self._text = " ".join(re.findall(r"\w+", text.lower()))
        self._fed_s = 0.0

    def accept(self, data: bytes) -> None:
        self._fed_s += len(data) / (SAMPLE_BYTES * self._rate)

    def text(self) -> str:
        return self._text if self._fed_s >= self._from_s - FRAME_S else ""


@dataclass(frozen=True, slots=True)
class Judged:
    """What was said of one clip in the end, and at first."""

    clip: Clip
    first: Verdict | None
    last: Verdict | None

    @property
    def right(self) -> bool:
        return self.last is not None and self.last.answerer is self.clip.answerer

    @property
    def decided_s(self) -> float | None:
        """Seconds from the answer (the beginning, where there was none) to the verdict that stood."""
        return None if self.last is None else self.last.at - (self.clip.answered_s or 0.0)

    @property
    def late_s(self) -> float | None:
        """Seconds from the time when the truth could be known to the verdict; negative for a guess."""
        return None if self.last is None else self.last.at - self.clip.knowable_s


def read_manifest(folder: Path) -> tuple[Clip, ...]:
    """Raises BadInput with the line that is wrong."""
    path = folder / MANIFEST
    try:
        with path.open(encoding="utf-8", newline="") as file:
            return tuple(
                _clip(folder, row, Place(str(path), number))
                for number, row in enumerate(csv.DictReader(file, delimiter="\t"), start=2)
            )
    except OSError as error:
        raise BadInput(
            f"нет {path}: {error.strerror}", hint="--data ПАПКА с manifest.tsv, как tests/data/amd"
        ) from error


def _clip(folder: Path, row: dict[str, str], place: Place) -> Clip:
    try:
        return Clip(
            folder / row["file"],
            Answerer(row["class"]),
            row["part"],
            float(row["answered_s"]) if row["answered_s"] else None,
            float(row["knowable_s"]),
            tuple(re.findall("«([^«»]+)»", row.get("what") or "")),
        )
    except (KeyError, ValueError, TypeError) as error:
        known = ", ".join(Answerer)
        raise BadInput(
            f"строка не читается: {error}",
            hint=f"столбцы file, class ({known}), part, answered_s, knowable_s",
            place=place,
        ) from error


@dataclass(frozen=True, slots=True)
class Summary:
    """`table[truth][verdict]` counts clips; the verdict "" is none. Times in seconds."""

    table: dict[Answerer, Counter[str]]
    human_as_machine: int
    humans: int
    machine_as_human: int
    machines: int
    right: int
    clips: int
    decided: dict[Answerer, tuple[float, float]]
    late: dict[Answerer, tuple[float, float]]


def summary(judged: Sequence[Judged]) -> Summary:
    """`decided` and `late` have the median and the 95th percentile of the right verdicts of a class."""
    table: dict[Answerer, Counter[str]] = {answerer: Counter() for answerer in Answerer}
    for one in judged:
        table[one.clip.answerer][one.last.answerer.value if one.last else ""] += 1
    people = [one for one in judged if one.clip.answerer is Answerer.HUMAN]
    machines = [one for one in judged if one.clip.answerer.is_machine]
    return Summary(
        table,
        human_as_machine=sum(one.last is not None and one.last.answerer.is_machine for one in people),
        humans=len(people),
        machine_as_human=sum(one.last is None or not one.last.answerer.is_machine for one in machines),
        machines=len(machines),
        right=sum(one.right for one in judged),
        clips=len(judged),
        decided=_spread(judged, "decided_s"),
        late=_spread(judged, "late_s"),
    )


def _spread(judged: Sequence[Judged], field: str) -> dict[Answerer, tuple[float, float]]:
    spread = {}
    for answerer in Answerer:
        times = sorted(getattr(one, field) for one in judged if one.right and one.clip.answerer is answerer)
        if times:
            spread[answerer] = (_percentile(times, 0.5), _percentile(times, 0.95))
    return spread


def _percentile(ordered: Sequence[float], share: float) -> float:
    """The smallest value that `share` of them do not exceed (nearest rank)."""
    return round(ordered[min(len(ordered) - 1, max(0, -int(-share * len(ordered) // 1) - 1))], 3)
