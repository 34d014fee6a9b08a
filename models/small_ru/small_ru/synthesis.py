"""Sentences are spoken: each voice's own ones, in many manners, by two processes."""

from __future__ import annotations

import multiprocessing
import random
import zlib
from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import soxr

from bot.speech.sound import trim
from bot.words import words
from small_ru.corpus import NO_LABELS, RATE, Utterance, save
from small_ru.phrases import Phrases
from small_ru.voices import Manner, Role, Voice, open_engine

PROCESSES = 2
_EDGE_S = 0.12
_LEAST_S, _LEAST_BARE_S = 0.15, 0.06
"""What is shorter was not spoken; a quick «да» is very short."""
_ENDS = (".", ".", ".", "?", "!", "")
_SEEDS = {Role.TRAIN: 11, Role.TUNE: 12, Role.TEST: 13}
"""The sentences of tuning and of the test are drawn apart from those of the training."""


@dataclass(frozen=True, slots=True)
class Line:
    """What to say: the words, the same with punctuation and stress, and how."""

    text: str
    written: str
    known: bool
    manner: Manner
    least_s: float = _LEAST_S


def lines(
    phrases: Phrases,
    marked: Mapping[str, str],
    voice: Voice,
    count: int,
    role: Role,
    unknown_share: float,
    *,
    bare: bool = False,
) -> list[Line]:
    """A voice's sentences, bare answers if so wanted. The same voice and role say the same; every fourth
    long one has a comma."""
    about = f"{voice.engine}/{voice.name}{'/answers' if bare else ''}"
    rng = random.Random(_SEEDS[role] * 1_000_003 + zlib.crc32(about.encode()))
    least_s = _LEAST_BARE_S if bare else _LEAST_S
    known_sentence = phrases.bare_or_like if bare else phrases.sentence
    found = []
    for _ in range(count):
        known = rng.random() >= unknown_share
        text = known_sentence(rng) if known else phrases.unknown_sentence(rng)
        written = [marked[word] for word in text.split()]
        if len(written) > 2 and rng.random() < 0.25:
            written[rng.randrange(len(written) - 1)] += ","
        rate, pitch = (0.75, 1.4), (0.8, 1.25)
        if role != Role.TRAIN:
            rate, pitch = (0.9, 1.2), (0.95, 1.05)
        manner = Manner(rng.uniform(*rate), rng.uniform(*pitch))
        found.append(Line(text, " ".join(written) + rng.choice(_ENDS), known, manner, least_s))
    return found


def say_all(
    jobs: Sequence[tuple[Voice, Sequence[Line], Path]], work: Path, tell: Callable[[str], None]
) -> None:
    """Blocking. A file that is there already is kept. Raises SynthesiserUnavailable."""
    wanted = [job for job in jobs if not job[2].exists()]
    context = multiprocessing.get_context("spawn")
    # A process a voice: eSpeak's pitch flutters by a sequence that goes on from one text to the next.
    with ProcessPoolExecutor(PROCESSES, mp_context=context, max_tasks_per_child=1) as pool:
        spoken = pool.map(_say, *zip(*wanted, strict=True), [work] * len(wanted)) if wanted else []
        for (voice, said, _), seconds in zip(wanted, spoken, strict=True):
            about = f"  {voice.engine} {voice.name}: "
            tell(
                about + words(f"фраз {len(said)}, {seconds:.0f} с", f"{len(said)} sentences, {seconds:.0f} s")
            )


def _say(voice: Voice, said: Sequence[Line], file: Path, work: Path) -> float:
    """Seconds of sound; in a process of the pool."""
    engine = open_engine(voice.engine, work)
    utterances = []
    for line in said:
        samples, rate = engine.speak(line.written, voice.name, line.manner)
        samples = trim(samples, rate, _EDGE_S)
        if len(samples) < rate * line.least_s:
            continue
        sound = soxr.resample(samples, rate, RATE)
        sound = np.clip(sound * 32768, -32768, 32767).astype(np.int16)
        utterances.append(Utterance(line.text, sound, line.known, NO_LABELS))
    save(file, utterances)
    return sum(len(one.sound) for one in utterances) / RATE
