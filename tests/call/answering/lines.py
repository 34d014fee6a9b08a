"""Lines in numbers: what a far end does, as evidence on virtual time."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from bot.call.answering.classifier import Classifier, Verdict
from bot.call.answering.evidence import Evidence, LineUp, OwnWords, Peak, Sound, Words
from bot.core.audio import FRAME_S

NOTHING = Peak(0.0, 0.0)


class Line:
    """Built up piece by piece: `Line().up().voice(0.5).quiet(1)`."""

    def __init__(self) -> None:
        self.evidence: list[Evidence] = []
        self.now = 0.0

    def up(self) -> Line:
        self.evidence.append(LineUp(self.now))
        return self

    def voice(self, seconds: float, *, echo_dbfs: float = -120.0) -> Line:
        return self._sound(seconds, 0.95, -22.0, NOTHING, echo_dbfs=echo_dbfs)

    def quiet(self, seconds: float) -> Line:
        return self._sound(seconds, 0.01, -60.0, NOTHING)

    def tone(self, hz: float, seconds: float) -> Line:
        return self._sound(seconds, 0.4, -18.0, Peak(hz, 0.99))

    def data(self, seconds: float) -> Line:
        """V.21, as a fax sends it."""
        return self._sound(seconds, 0.05, -18.0, Peak(1750.0, 0.4), fsk=0.97)

    def words(self, text: str) -> Line:
        self.evidence.append(Words(self.now, text))
        return self

    def we_say(self, text: str) -> Line:
        self.evidence.append(OwnWords(self.now, text))
        return self

    def phrases(self, *seconds: float, pause_s: float = 0.4) -> Line:
        """Speech with short pauses, as of one who reads."""
        for part in seconds:
            self.voice(part).quiet(pause_s)
        return self

    def _sound(
        self,
        seconds: float,
        voice: float,
        level: float,
        peak: Peak,
        *,
        fsk: float = 0.0,
        echo_dbfs: float = -120.0,
    ) -> Line:
        for _ in range(round(seconds / FRAME_S)):
            self.evidence.append(Sound(round(self.now, 4), voice, level, peak, fsk=fsk, echo_dbfs=echo_dbfs))
            self.now = round(self.now + FRAME_S, 4)
        return self


def verdicts(evidence: Iterable[Evidence], *, finish: bool = False) -> list[Verdict]:
    classifier = Classifier()
    found = list(_pushed(classifier, evidence))
    last = classifier.finish() if finish else None
    return [*found, last] if last is not None else found


def _pushed(classifier: Classifier, evidence: Iterable[Evidence]) -> Iterator[Verdict]:
    for item in evidence:
        verdict = classifier.push(item)
        if verdict is not None:
            yield verdict
