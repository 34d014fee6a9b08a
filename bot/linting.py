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

    def vocabulary(language: str, survey_id: str) -> frozenset[str] | None:
        """Those of the model that will hear the survey; None where that is for another language, or does not
        tell its words."""
        return words_of(speech.recogniser.model_for(language, survey_id), language)

    @lru_cache
    def words_of(model: str, language: str) -> frozenset[str] | None:
        from bot.speech.models import ensure_model, find_entry
        from bot.speech.vocabulary import read_vocabulary

        if find_entry(model, speech.models_dir).language != language:
            return None
        known = read_vocabulary(ensure_model(model, speech.models_dir, speech.var_dir))
        if not known:
            tell(
                words(
                    f"{model} не говорит, какие слова знает (нет graph/words.txt): "
                    "слова вариантов и подписей не проверены",
                    f"{model} does not tell which words it knows (no graph/words.txt): "
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
