"""How much of everything a rebuild takes. `FULL` makes the model that may ship; `QUICK` proves the chain."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

HOME = Path(__file__).resolve().parent.parent
PROJECT = HOME.parent.parent
TEXTS = HOME / "texts"
WORK = HOME / "work"


@dataclass(frozen=True, slots=True)
class Plan:
    """Numbers of a rebuild. Counts of sentences are per voice."""

    name: str
    words: int
    """How many of the vocabulary, 0 for all; the numbers and yes and no come first."""
    espeak_variants: int
    espeak_sentences: int
    """Per variant: there are many of them, and each is cheap."""
    voice_sentences: int
    espeak_answers: int
    voice_answers: int
    """Bare answers beside the sentences, of which the network learns at last: a word or two alone."""
    unknown_share: float
    """Of the sentences, those made of words that the model does not know."""
    aligned_with: int
    """Sentences that train the aligner."""
    aligner_passes: int
    copies: int
    """How often each sentence goes over another telephone line into the training data."""
    nonspeech_s: int
    hidden: int
    pieces: int
    """Pieces of 2 s in a step of the training."""
    epochs: float
    finishing_epochs: float
    """At a low rate, when all else is learnt."""
    left_out_epochs: float
    left_out_steps: int
    """At the least: where few voices teach, half an epoch of them teaches nothing."""
    left_out_voices: int
    """Voices that are left out one at a time, 0 for all."""
    tune_sentences: int
    test_sentences: int
    voices: tuple[str, ...] = ()
    """Only these engines; empty for whichever are installed."""


FULL = Plan(
    name="full",
    words=0,
    espeak_variants=32,
    espeak_sentences=75,
    voice_sentences=1500,
    espeak_answers=60,
    voice_answers=400,
    unknown_share=0.35,
    aligned_with=2000,
    aligner_passes=10,
    copies=4,
    nonspeech_s=3600,
    hidden=256,
    pieces=24,
    epochs=4.0,
    finishing_epochs=0.5,
    left_out_epochs=0.5,
    left_out_steps=800,
    left_out_voices=0,
    tune_sentences=120,
    test_sentences=60,
)

QUICK = Plan(
    name="quick",
    words=40,
    espeak_variants=4,
    espeak_sentences=50,
    voice_sentences=60,
    espeak_answers=20,
    voice_answers=20,
    unknown_share=0.2,
    aligned_with=120,
    aligner_passes=5,
    copies=2,
    nonspeech_s=120,
    hidden=96,
    pieces=6,
    epochs=10.0,
    finishing_epochs=2.0,
    left_out_epochs=4.0,
    left_out_steps=2,
    left_out_voices=1,
    tune_sentences=16,
    test_sentences=16,
    voices=("espeak",),
)
