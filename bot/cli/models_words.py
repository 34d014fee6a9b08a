"""`otklik models words`: words that the small recogniser does not know yet."""

from __future__ import annotations

from typing import Annotated

import typer

from bot.logs import configure_logs
from bot.settings import DEMO_MODEL
from bot.settings_load import load_settings
from bot.speech.measuring import RUSSIAN, SpeechMeter
from bot.speech.wordgraph.adding import add_words
from bot.speech.wordgraph.g2p import phones, stressed_vowel, with_stress
from bot.words import words

app = typer.Typer(
    no_args_is_help=True, help=words("Слова малой модели из поставки", "Words of the small model that ships")
)


@app.callback()
def _words() -> None:
    """Слова, которых малая модель не знает."""


@app.command("add")
def add(
    new: Annotated[
        list[str],
        typer.Argument(
            help=words("Слова; ударение — плюсом: нахам+ил", "Words; + before the stressed vowel: нахам+ил")
        ),
    ],
) -> None:
    """Добавить слова в малую модель, за секунды и без обучения. Прежняя модель остаётся, как была.

    Ударение без плюса подсказывает eSpeak NG. Нужны программы OpenFst: libfst-tools, libfst22-plugins-base.
    """
    configure_logs("warning")
    settings = load_settings().speech_settings()
    with SpeechMeter() as meter:
        heard = meter.phonemes([word.replace("+", "") for word in new], RUSSIAN)
    stressed = [with_stress(word.lower(), sounds) for word, sounds in zip(new, heard, strict=True)]
    lexicon = {stressed_vowel(word)[0]: phones(word) for word in stressed}
    name, added = add_words(DEMO_MODEL, lexicon, settings.models_dir, settings.var_dir)
    for word, marked in zip(lexicon, stressed, strict=True):
        said = " ".join(lexicon[word])
        state = words("добавлено", "added") if word in added else words("уже есть", "known already")
        typer.echo(f"{marked}: {state} [{said}]")
    if not added:
        typer.echo(words("Новых слов нет.", "No new words."))
    elif settings.recogniser.model != name:
        typer.echo(words(f"Включить: otklik models use {name}", f"To use it: otklik models use {name}"))
    else:
        typer.echo(words(f"Узлу: otklik models use {name}", f"For the node: otklik models use {name}"))
