"""Which models a node uses, what is better and how to get it: for `doctor` and the node's first screen."""

from __future__ import annotations

from collections.abc import Iterable
from typing import NamedTuple

from bot.speech.models import WITH_WORDS, find_entry, is_installed, model_path, read_manifest
from bot.speech.settings import SpeechSettings
from bot.speech.vocabulary import read_vocabulary
from bot.surveys.schema import Survey
from bot.words import words

_BETTER = {"vosk-model-otklik-demo-ru": "vosk-model-small-ru-0.22"}
"""What serves real callers better. A large model is better still and costs memory and time: a choice, no
advice."""
_MIT_VOICE = "v5_cis_base_nostress"


class Advice(NamedTuple):
    """`better` is what to do for something better; "" where nothing is to be said."""

    used: str
    better: str = ""

    def __str__(self) -> str:
        return f"{self.used}; {self.better}" if self.better else self.used


def recognition(speech: SpeechSettings) -> Advice:
    """Raises ModelMissing, SettingsInvalid where the manifest cannot be read."""
    name = speech.recogniser.model
    others = (*speech.recogniser.by_language.items(), *speech.recogniser.by_survey.items())
    used = ", ".join((name, *(f"{for_what}: {model}" for for_what, model in others)))
    better = _BETTER.get(name.removesuffix(WITH_WORDS))
    if better is None:
        return Advice(used)
    used += words(": учебная", ": for demonstration")
    if known := len(read_vocabulary(model_path(find_entry(name, speech.models_dir), speech.var_dir))):
        used += words(f", слов {known}, людей не слышала", f", {known} words")
    said = words(f"для живых клиентов лучше {better}", f"{better} is better for real callers")
    return Advice(used, f"{said}: {get_and_use(better, speech)}")


def unheard(speech: SpeechSettings, language: str, survey_id: str = "") -> str:
    """What a survey lacks whose language its recogniser does not know, and what helps; "" where it does.

    Raises ModelMissing, SettingsInvalid where the manifest cannot be read.
    """
    model = speech.recogniser.model_for(language, survey_id)
    if (other := find_entry(model, speech.models_dir).language) == language:
        return ""
    said = words(
        f"речь на языке {language} не распознаётся, ответить можно только клавишами",
        f"speech in {language} is not recognised, keys alone give answers",
    )
    if survey_id in speech.recogniser.by_survey:
        return f"{said}: " + words(
            f"{model} — модель языка {other}, исправьте speech.survey_models.{survey_id}",
            f"{model} is a model of {other}, mend speech.survey_models.{survey_id}",
        )
    entries = read_manifest(speech.models_dir).values()
    fitting = [entry.name for entry in entries if (entry.kind, entry.language) == ("asr", language)]
    return f"{said}: {get_and_use(fitting[0], speech)}" if fitting else said


def unheard_of(speech: SpeechSettings, surveys: Iterable[Survey]) -> str:
    """What those of these surveys lack that are not heard in their language, each once; "" where all are.

    Raises ModelMissing, SettingsInvalid where the manifest cannot be read.
    """
    which: dict[str, list[str]] = {}
    for survey in surveys:
        if lacking := unheard(speech, survey.language, survey.id):
            which.setdefault(lacking, []).append(survey.id)
    return "; ".join(f"{', '.join(names)}: {lacking}" for lacking, names in which.items())


def voice(speech: SpeechSettings) -> Advice:
    """Raises ModelMissing, SettingsInvalid where the manifest cannot be read."""
    engine = speech.synthesiser.engine
    if engine == "silero":
        return Advice(f"Silero {speech.synthesiser.silero_model}")
    if engine == "rhvoice":
        return Advice(f"RHVoice {speech.synthesiser.voice}")
    used = words("eSpeak NG: разборчиво, но роботом", "eSpeak NG: robotic")
    return Advice(used, words("приятнее Silero: ", "Silero sounds better: ") + silero_steps(speech))


def silero_steps(speech: SpeechSettings, name: str = _MIT_VOICE) -> str:
    extra = words("поставить extra silero (docs/speech.md)", "install the extra silero (docs/speech.md)")
    return f"{get_and_use(name, speech)}; {extra}"


def get_and_use(name: str, speech: SpeechSettings) -> str:
    """The commands that bring a model into use: without the first where it is here already."""
    use = f"otklik models use {name}"
    here = is_installed(find_entry(name, speech.models_dir), speech.models_dir, speech.var_dir)
    return use if here else f"otklik models fetch {name} && {use}"
