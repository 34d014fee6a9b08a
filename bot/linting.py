"""What lint needs of this machine: a voice to measure with, a recogniser's words, the agents' table."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import lru_cache
from pathlib import Path

import structlog

from bot.settings import Settings
from bot.surveys.course import DEFAULT_TARGET
from bot.surveys.lint import Tools
from bot.words import words

log = structlog.get_logger()


@contextmanager
def lint_tools(settings: Settings, tell: Callable[[str], None] = log.warning) -> Iterator[Tools]:
    """The tools of this machine, each of which is started when a survey first needs it.

    `tell` is called with what could not be checked here.

    Using one raises SynthesiserUnavailable (seconds, phonemes) or ModelMissing (vocabulary).
    """
    from bot.speech.measuring import SpeechMeter

    speech = settings.speech_settings()

    def read_aloud(text: str) -> str:
        from bot.speech.normalise import normalise

        return normalise(text)

    def recorded_seconds(file: Path) -> float:
        from bot.speech.files import read_audio

        return read_audio(file).seconds

    @lru_cache
    def vocabulary(language: str) -> frozenset[str] | None:
        """None where the recogniser's model is for another language, or does not tell its words."""
        from bot.speech.models import ensure_model, find_entry
        from bot.speech.vocabulary import read_vocabulary

        entry = find_entry(speech.recogniser.model_for(language), speech.models_dir)
        if entry.language != language:
            return None
        known = read_vocabulary(ensure_model(entry.name, speech.models_dir, speech.var_dir))
        if not known:
            tell(
                words(
                    f"{entry.name} не говорит, какие слова знает (нет graph/words.txt): "
                    "слова вариантов и подписей не проверены",
                    f"{entry.name} does not tell which words it knows (no graph/words.txt): "
                    "the words of options and labels were not checked",
                )
            )
        return known or None

    with SpeechMeter() as meter:
        yield Tools(
            seconds=meter.seconds,
            phonemes=meter.phonemes,
            read_aloud=read_aloud,
            vocabulary=vocabulary,
            recorded_seconds=recorded_seconds,
            targets=frozenset({DEFAULT_TARGET, *settings.handover.agents}),
        )
