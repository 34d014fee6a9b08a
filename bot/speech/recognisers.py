"""The recognisers of a worker: the model for each language and survey, changed while calls go on.

A call leases the recogniser that its language and survey have when it begins, and keeps it to its end. A
model that is no longer named is let go with the last call that leased it.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from typing import Protocol

import structlog

from bot.core.ports import Recogniser
from bot.speech.models import ensure_model, find_entry, model_path
from bot.speech.recogniser import VoskRecogniser
from bot.speech.settings import RecogniserSettings, SpeechSettings

log = structlog.get_logger(__name__)


class Loaded(Recogniser, Protocol):
    """A recogniser that holds threads and memory until it is closed."""

    def close(self) -> None: ...


Load = Callable[[str, SpeechSettings], Awaitable[Loaded]]
Edition = Callable[[str, SpeechSettings], object]
"""What of a model's name is installed now: another one after it was fetched anew or given words."""


async def load_vosk(name: str, settings: SpeechSettings) -> VoskRecogniser:
    """Raises ModelMissing, RecogniserUnavailable."""
    path = await asyncio.to_thread(ensure_model, name, settings.models_dir, settings.var_dir)
    language = find_entry(name, settings.models_dir).language
    return await VoskRecogniser.load(path, settings.recogniser, language=language)


def edition_of(name: str, settings: SpeechSettings) -> object:
    """The folder itself: a model is replaced by another folder in its place, never written into."""
    try:
        found = model_path(find_entry(name, settings.models_dir), settings.var_dir).stat()
    except FileNotFoundError:  # it is unpacked when it is loaded
        return None
    return found.st_ino, found.st_mtime_ns


class _Model:
    def __init__(self, name: str, edition: object, recogniser: Loaded) -> None:
        self.name = name
        self.edition = edition
        self.recogniser = recogniser
        self.leases = 0
        self.named = True

    def close_if_idle(self) -> None:
        if not self.named and not self.leases:
            log.info("recogniser let go", model=self.name)
            self.recogniser.close()


class Lease:
    """A recogniser for as long as a call lasts."""

    def __init__(self, model: _Model) -> None:
        self._model: _Model | None = model
        model.leases += 1
        self.recogniser: Recogniser = model.recogniser

    def release(self) -> None:
        """More than once is as good as once."""
        model, self._model = self._model, None
        if model is not None:
            model.leases -= 1
            model.close_if_idle()


class Recognisers:
    """For one event loop. `use` before the first lease, `close` at the end."""

    def __init__(self, load: Load = load_vosk, edition: Edition = edition_of) -> None:
        self._load = load
        self._edition = edition
        self._models: dict[str, _Model] = {}
        self._settings = RecogniserSettings()
        self._changing = asyncio.Lock()

    async def use(self, settings: SpeechSettings) -> tuple[str, ...]:
        """From now on calls are heard by these settings' models; says which were loaded.

        All are loaded before the first of them is used: where one cannot be, everything stays as it was.
        Raises ModelMissing, RecogniserUnavailable.
        """
        async with self._changing:
            wanted = settings.recogniser.models
            fresh: dict[str, _Model] = {}
            try:
                for name in wanted:
                    known = self._models.get(name)
                    if known is None or known.edition != await self._installed(name, settings):
                        recogniser = await self._load(name, settings)
                        fresh[name] = _Model(name, await self._installed(name, settings), recogniser)
            except BaseException:
                for model in fresh.values():
                    model.recogniser.close()
                raise
            before = self._models
            self._models = {name: fresh.get(name) or before[name] for name in wanted}
            self._settings = settings.recogniser
            for name, model in before.items():
                model.named = self._models.get(name) is model
                model.close_if_idle()
            return tuple(fresh)

    async def _installed(self, name: str, settings: SpeechSettings) -> object:
        return await asyncio.to_thread(self._edition, name, settings)  # the lines' loop reads no files

    def lease(self, language: str, survey_id: str) -> Lease:
        return Lease(self._models[self._settings.model_for(language, survey_id)])

    @property
    def names(self) -> tuple[str, ...]:
        return tuple(self._models)

    def close(self) -> None:
        """Ends all of them; calls that are still heard fail with RecogniserUnavailable."""
        for model in self._models.values():
            model.recogniser.close()
        self._models = {}
