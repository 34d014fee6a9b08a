"""The settings of the speech room. They come in as a value; nothing here reads the environment."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Literal

STAY_PROBABILITY = 0.35
"""Voice probability from which speech goes on, and a word may lie there: 0.15 less than where it begins, as
Silero VAD's reference does."""


@dataclass(frozen=True, slots=True)
class EndpointingSettings:
    """When a caller has begun, and when he has finished. Seconds of media time."""

    start_probability: float = 0.5
    """Voice probability from which silence becomes speech (Silero VAD's own default)."""
    stay_probability: float = STAY_PROBABILITY
    """Voice probability below which speech becomes silence."""
    voiced_dbfs: float = -45.0
    """What is softer than this is no voice, however sure the VAD is: it rings on for ~0.1 s after a word."""
    min_speech_s: float = 0.06
    """Shorter bursts (clicks, line noise) do not start a turn."""
    min_wordless_s: float = 0.15
    """A turn without a recognised word and less voice than this is dropped as a noise."""
    pause_s: float = 0.16
    """Silence after which speech is reported as ended (it may go on later in the same turn): longer than
    the silence within a word, whose plosives take up to 0.12 s."""
    complete_silence_s: float = 0.25
    """Silence that ends a whole and unambiguous answer to a closed question: the gap between people who
    talk to each other is about 0.2 s."""
    likely_silence_s: float = 0.6
    """Silence that ends an answer that may go on («один…»), and a wish («повторите пожалуйста»)."""
    open_silence_s: float = 1.2
    """Silence that ends an open answer: people think while they tell something."""
    incomplete_silence_s: float = 1.7
    """Silence that ends a turn which is not whole («ну… наверное…»): pauses of up to 1.5 s are thought."""
    closed_max_s: float = 15.0
    """A closed answer longer than this is cut; open questions carry their own limit."""


@dataclass(frozen=True, slots=True)
class RecogniserSettings:
    model: str = "vosk-model-otklik-demo-ru"
    """The model for Russian."""
    by_language: Mapping[str, str] = field(default_factory=dict)
    """The models for other languages, or for Russian as well, by language."""
    by_survey: Mapping[str, str] = field(default_factory=dict)
    """Models of single surveys, by the survey's id."""
    threads: int = 2
    """Threads that decode, shared by all lines of the process; Vosk releases the GIL."""
    hop_s: float = 0.08
    """Sound that is gathered before it is handed to a thread: each hand-over costs as much Python as the
    decoding of a frame costs C++, and Python is what a worker's lines share. The network reads some 0.2 s at
    once, so that a partial changes no oftener; and where words decide, `settle` waits for no hop."""
    feed_wait_s: float = 0.02
    """How long `feed` waits for its frame to be decoded before it returns the partial of before."""
    least_voice: float = STAY_PROBABILITY
    """Voice probability from which a word may lie there."""
    grammar: bool = False
    """Give closed questions a runtime grammar, where the model supports it."""

    def model_for(self, language: str, survey_id: str = "") -> str:
        """The name of the model that hears a language, or one survey. Where none is known for a language,
        the Russian one listens: keys are taken all the same."""
        return self.by_survey.get(survey_id) or self.by_language.get(language) or self.model

    @property
    def models(self) -> tuple[str, ...]:
        """Every model that may be needed, the Russian one first."""
        return tuple(dict.fromkeys((self.model, *self.by_language.values(), *self.by_survey.values())))


@dataclass(frozen=True, slots=True)
class SynthesiserSettings:
    engine: Literal["espeak", "silero", "rhvoice"] = "espeak"
    silero_model: str = "v5_cis_base_nostress"
    foreign_models: tuple[tuple[str, str], ...] = ()
    """Silero models of other languages; where a language has none, eSpeak NG speaks it."""
    voice: str = "ru"
    """eSpeak NG: a voice name such as `ru` or `ru+f3`; Silero: a speaker such as `ru_zhadyra`; RHVoice:
    a voice such as `elena`."""
    socket: Path = Path("var/run/synthesiser.sock")
    timeout_s: float = 30.0
    loudness_lufs: float = -23.0
    """Programme loudness of every prompt, whoever spoke it: EBU R128's target. The voiced part of it has an
    RMS of about -22 dBFS, somewhat above telephony's nominal -26 (ITU-T P.56)."""
    edge_s: float = 0.02
    """Silence kept before and after a prompt."""


@dataclass(frozen=True, slots=True)
class PromptSettings:
    folder: Path = Path("var/prompts")
    memory_mb: int = 64
    """Prompts kept in memory, so that a running call never waits for the disk."""


@dataclass(frozen=True, slots=True)
class FetchSettings:
    """How `otklik models fetch` reaches the publishers."""

    proxy: str = ""
    """`http://host:port`; "" is what the environment says (HTTPS_PROXY, NO_PROXY)."""
    mirrors: tuple[str, ...] = ()
    """Addresses of folders that hold the models' files; asked before the publishers."""


@dataclass(frozen=True, slots=True)
class SpeechSettings:
    models_dir: Path = Path("models")
    var_dir: Path = Path("var")
    recogniser: RecogniserSettings = field(default_factory=RecogniserSettings)
    endpointing: EndpointingSettings = field(default_factory=EndpointingSettings)
    synthesiser: SynthesiserSettings = field(default_factory=SynthesiserSettings)
    prompts: PromptSettings = field(default_factory=PromptSettings)
    fetch: FetchSettings = field(default_factory=FetchSettings)
