"""Recognition by Vosk: one warm model, a stream for each turn, decoding off the event loop.

Vosk's decoding releases the GIL, so a small pool of threads serves all lines. A stream never has
more than one hop to the pool under way; the frames that arrive meanwhile are decoded together by
the next one. Vosk's own endpointer is not used: where it cuts the sound into segments they are
put together again, and the end of a turn is forced by `finish`.
"""

from __future__ import annotations

import asyncio
import time
from collections import deque
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import TypeVar

import numpy as np
import structlog
import vosk

from bot.core.audio import FRAME_S, SAMPLE_BYTES, Frame, Pcm, inaudible
from bot.core.directives import Expectation, OpenExpected
from bot.core.errors import RecogniserUnavailable
from bot.core.ports import Transcript
from bot.core.realtime import behind_the_lines
from bot.speech.alternatives import Fits
from bot.speech.decoding import Decoder, Decoders
from bot.speech.endpointing.completeness import fits
from bot.speech.grammar import phrases_for
from bot.speech.heard import HeardWord, better_known, mostly_unknown
from bot.speech.settings import RecogniserSettings
from bot.speech.vocabulary import read_vocabulary
from bot.speech.voiced import Voiced
from bot.words import words

log = structlog.get_logger(__name__)
T = TypeVar("T")

_GAP_S = 0.001
_LEAD_S = 0.4
"""Of what comes before a voice, a turn's first one or the next after a pause, so much is decoded: what a
decoder needs to settle, and more than the voice activity lags."""
_WARM_UP_S = 1.0


@dataclass(frozen=True, slots=True)
class _Anchor:
    """From this second of the decoded sound on, the media time is `at` plus what passed since."""

    decoded_s: float
    at: float


class VoskStream:
    """One turn's recognition (`ports.RecognitionStream`). Made by `VoskRecogniser.open`."""

    def __init__(
        self, recogniser: VoskRecogniser, rate: int, phrases: tuple[str, ...] | None, fits: Fits | None = None
    ) -> None:
        self._recogniser = recogniser
        self._rate = rate
        self._phrases = phrases
        self._fits = fits
        self._decoder: Decoder | None = None
        self._heard = bytearray()  # all of it, while there is a grammar that may prove too narrow
        self._hop_bytes = round(recogniser.settings.hop_s * rate) * SAMPLE_BYTES
        self._queued = bytearray()
        self._hop: asyncio.Future[None] | None = None
        self._failure: BaseException | None = None
        self._partial = ""
        self._anchors: list[_Anchor] = []
        self._fed_s = 0.0
        self._lead: deque[Frame] | None = _fresh_lead()  # None while somebody speaks
        self._voiced = Voiced(recogniser.settings.least_voice)
        self._closed = False

    async def feed(self, frame: Frame, voice: float = 1.0) -> str:
        """Take one frame; the partial text so far.

        Frames are decoded `hop_s` at a time, from a little before the first voice on. Waits for that, but
        no longer than `feed_wait_s`: when the machine is slow the partial lags behind and the line does
        not. Raises RecogniserUnavailable.
        """
        if self._failure is not None:
            raise self._failure
        if self._closed:
            raise RecogniserUnavailable("this stream is finished", hint="open one stream a turn")
        if frame.rate != self._rate:
            raise ValueError(f"a frame at {frame.rate} Hz in a stream at {self._rate} Hz")
        self._voiced.add(frame.at, voice)
        if self._lead is not None:
            if voice < self._recogniser.settings.least_voice or inaudible(frame.data):
                self._lead.append(frame)
                return self._partial
            for before in self._lead:
                self._take(before)
            self._lead = None
        self._take(frame)
        if len(self._queued) < self._hop_bytes:
            return self._partial
        hop = self._ensure_hop()
        await asyncio.wait((hop,), timeout=self._recogniser.settings.feed_wait_s)
        if hop.done():
            hop.result()
        return self._partial

    async def settle(self) -> str:
        """Force a result on everything fed, and go on, with the next voice: the text so far. Raises
        RecogniserUnavailable."""
        await self._ensure_hop()
        self._partial = await self._recogniser.run(self._settle)
        if self._lead is None:
            self._lead = _fresh_lead()
        return self._partial

    async def finish(self) -> Transcript:
        """Force the final result, after everything fed is decoded. What a grammar hardly knew a word of is
        decoded once more from the beginning, openly. Raises RecogniserUnavailable."""
        self._closed = True
        await self._ensure_hop()  # it goes on until nothing is queued
        heard = await self._recogniser.run(self._finish)
        if self._phrases is not None and mostly_unknown(heard):
            openly = await self._recogniser.run(self._recogniser.openly, bytes(self._heard), self._rate)
            heard = better_known(openly, heard)
        self._heard.clear()
        placed = tuple(word.placed(self._media_time) for word in heard)
        return self._voiced.believed(Transcript(text=" ".join(word.text for word in placed), words=placed))

    def close(self) -> None:
        self._closed = True
        self._queued.clear()
        self._heard.clear()
        if self._hop is None or self._hop.done():
            self._decoder = None  # else the hop under way lets go of it

    def _take(self, frame: Frame) -> None:
        self._follow(frame)
        self._queued += frame.data
        if self._phrases is not None:
            self._heard += frame.data

    def _follow(self, frame: Frame) -> None:
        expected = self._media_time(self._fed_s) if self._anchors else None
        if expected is None or abs(frame.at - expected) > _GAP_S:
            self._anchors.append(_Anchor(self._fed_s, frame.at))
        self._fed_s += len(frame.data) / (SAMPLE_BYTES * self._rate)

    def _media_time(self, decoded_s: float) -> float:
        if not self._anchors:
            return decoded_s
        anchor = self._anchors[0]
        for later in self._anchors[1:]:
            if later.decoded_s > decoded_s:
                break
            anchor = later
        return anchor.at + decoded_s - anchor.decoded_s

    def _ensure_hop(self) -> asyncio.Future[None]:
        if self._hop is None or self._hop.done():
            self._hop = asyncio.ensure_future(self._drain())
            self._hop.add_done_callback(self._note_failure)
        return self._hop

    def _note_failure(self, hop: asyncio.Future[None]) -> None:
        if not hop.cancelled():
            self._failure = hop.exception()

    async def _drain(self) -> None:
        while self._queued:
            data = bytes(self._queued)
            self._queued.clear()
            self._partial = await self._recogniser.run(self._decode, data)

    def _decode(self, data: bytes) -> str:
        if self._decoder is None:
            self._decoder = self._recogniser.decoder(self._rate, self._phrases, self._fits)
        self._decoder.accept(data)
        return self._decoder.text()

    def _settle(self) -> str:
        return self._decoder.settle() if self._decoder else ""

    def _finish(self) -> list[HeardWord]:
        decoder, self._decoder = self._decoder, None
        return decoder.finish() if decoder else []


class VoskRecogniser:
    """A loaded, warm Vosk model (`ports.Recogniser`). Use it from one event loop; `close` it at the end."""

    def __init__(
        self, model_path: Path, settings: RecogniserSettings | None = None, *, language: str = "ru"
    ) -> None:
        """Loads and warms up; blocking, so a running loop uses `load`. `language` is the model's.

        Raises RecogniserUnavailable for a folder that Vosk cannot read.
        """
        self._settings = settings or RecogniserSettings()
        self._language = language
        started = time.monotonic()
        self._decoders = Decoders(_load(model_path))
        self._vocabulary = read_vocabulary(model_path)
        self._grammars = all((model_path / "graph" / name).is_file() for name in ("HCLr.fst", "Gr.fst"))
        self._pool = ThreadPoolExecutor(
            self._settings.threads, thread_name_prefix="decoder", initializer=behind_the_lines
        )
        # The first use of a full-vocabulary model costs half a second; no caller shall wait for it.
        self.transcribe(_noise(_WARM_UP_S, 8000))
        log.info(
            "recogniser ready",
            model=model_path.name,
            vocabulary_size=len(self._vocabulary),
            grammars=self._grammars,
            seconds=round(time.monotonic() - started, 3),
        )

    @classmethod
    async def load(
        cls, model_path: Path, settings: RecogniserSettings | None = None, *, language: str = "ru"
    ) -> VoskRecogniser:
        return await asyncio.to_thread(cls, model_path, settings, language=language)

    @property
    def vocabulary(self) -> frozenset[str]:
        return self._vocabulary

    @property
    def takes_grammars(self) -> bool:
        """Whether the model can be given a runtime grammar (a precompiled HCLG ignores it)."""
        return self._grammars

    @property
    def settings(self) -> RecogniserSettings:
        return self._settings

    def open(self, rate: int, expectation: Expectation | None = None) -> VoskStream:
        """A stream for one turn. Listens openly, unless the settings ask for grammars and the model
        takes them; every grammar holds the interruptions. Of a model that takes none, the alternatives are
        weighed by what is expected."""
        phrases = None
        if self._settings.grammar and self._grammars:
            phrases = phrases_for(expectation, self._vocabulary, self._language)
        return VoskStream(self, rate, phrases, self._weighing(expectation))

    def transcribe(self, pcm: Pcm, expectation: Expectation | None = None) -> Transcript:
        """Recognises a whole recording, openly, or by the grammar of what is expected where the model
        takes one, else weighed by it. Blocking: for files, not for calls."""
        phrases = phrases_for(expectation, self._vocabulary, self._language) if self._grammars else None
        heard = self._decoded(pcm.data, pcm.rate, phrases, self._weighing(expectation))
        if phrases is not None and mostly_unknown(heard):
            heard = better_known(self.openly(pcm.data, pcm.rate), heard)
        placed = tuple(word.placed(lambda s: s) for word in heard)
        return Transcript(text=" ".join(word.text for word in placed), words=placed)

    def openly(self, data: bytes, rate: int) -> list[HeardWord]:
        """All of a turn at once, without a grammar. Blocking."""
        return self._decoded(data, rate, None, None)

    def _weighing(self, expectation: Expectation | None) -> Fits | None:
        if self._grammars or expectation is None or isinstance(expectation, OpenExpected):
            return None
        return partial(fits, expectation)

    def _decoded(
        self, data: bytes, rate: int, phrases: tuple[str, ...] | None, fits: Fits | None
    ) -> list[HeardWord]:
        decoder = self.decoder(rate, phrases, fits)
        step = rate // 5 * SAMPLE_BYTES
        for offset in range(0, len(data), step):
            decoder.accept(data[offset : offset + step])
        return decoder.finish()

    async def run(self, work: Callable[..., T], *args: object) -> T:
        """Runs blocking decoder work in the pool. Raises RecogniserUnavailable for Vosk's failures."""
        try:
            return await asyncio.get_running_loop().run_in_executor(self._pool, work, *args)
        except Exception as exc:  # Vosk raises nothing more precise; a closed pool RuntimeError
            raise RecogniserUnavailable(f"decoding failed: {exc}", hint="load the recogniser again") from exc

    def decoder(self, rate: int, phrases: tuple[str, ...] | None, fits: Fits | None = None) -> Decoder:
        return self._decoders.open(rate, phrases, fits)

    def close(self) -> None:
        """Ends the threads; streams that are open fail with RecogniserUnavailable."""
        self._pool.shutdown(wait=False, cancel_futures=True)


def _fresh_lead() -> deque[Frame]:
    return deque(maxlen=round(_LEAD_S / FRAME_S))


def _load(path: Path) -> vosk.Model:
    hint = "otklik models list"
    if not (path / "am" / "final.mdl").is_file():
        raise RecogniserUnavailable(words(f"{path} не модель Vosk", f"{path} is not a Vosk model"), hint=hint)
    try:
        return vosk.Model(str(path))
    except Exception as exc:  # Vosk raises nothing more precise
        said = words(f"Vosk не загружает {path}: {exc}", f"Vosk cannot load {path}: {exc}")
        raise RecogniserUnavailable(said, hint=hint) from exc


def _noise(seconds: float, rate: int) -> Pcm:
    samples = np.random.default_rng(0).normal(0.0, 3000.0, round(seconds * rate))
    return Pcm(samples.astype("<i2").tobytes(), rate)
