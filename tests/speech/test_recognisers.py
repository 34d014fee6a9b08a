"""Models change under a worker: calls keep theirs, new ones get the new, and what nobody hears with goes."""

from __future__ import annotations

import pytest

from bot.core.errors import RecogniserUnavailable
from bot.speech.recognisers import Recognisers
from bot.speech.settings import RecogniserSettings, SpeechSettings


class Model:
    """A recogniser as far as leases go: nothing of it is heard with here."""

    def __init__(self, name: str) -> None:
        self.name = name
        self.closed = 0

    @property
    def vocabulary(self) -> frozenset[str]:
        return frozenset()

    def open(self, rate: int, expectation: object) -> object:
        raise AssertionError("nothing is heard here")

    def close(self) -> None:
        self.closed += 1


class Shelf:
    """Loads models by name, but for those that are broken."""

    def __init__(self, *broken: str) -> None:
        self.broken = set(broken)
        self.loaded: dict[str, Model] = {}
        self.editions: dict[str, int] = {}

    async def load(self, name: str, settings: SpeechSettings) -> Model:
        if name in self.broken:
            raise RecogniserUnavailable(f"{name} is broken")
        self.loaded[name] = Model(name)
        return self.loaded[name]

    def edition(self, name: str, settings: SpeechSettings) -> int:
        return self.editions.get(name, 1)


def speech(model: str, *, by_language: dict[str, str] | None = None, by_survey: dict[str, str] | None = None):  # type: ignore[no-untyped-def]
    return SpeechSettings(
        recogniser=RecogniserSettings(model, by_language=by_language or {}, by_survey=by_survey or {})
    )


async def test_a_call_is_heard_by_the_model_of_its_survey_else_of_its_language() -> None:
    shelf = Shelf()
    recognisers = Recognisers(shelf.load, shelf.edition)
    await recognisers.use(speech("ru", by_language={"en": "en"}, by_survey={"nps": "big"}))
    heard = {
        (language, survey): recognisers.lease(language, survey).recogniser.name  # type: ignore[attr-defined]
        for language in ("ru", "en", "kk")
        for survey in ("nps", "csat")
    }
    assert heard == {
        ("ru", "nps"): "big",
        ("ru", "csat"): "ru",
        ("en", "nps"): "big",
        ("en", "csat"): "en",
        ("kk", "nps"): "big",
        ("kk", "csat"): "ru",
    }


async def test_a_model_that_is_replaced_stays_until_its_last_call_is_over() -> None:
    shelf = Shelf()
    recognisers = Recognisers(shelf.load, shelf.edition)
    assert await recognisers.use(speech("old")) == ("old",)
    first, second = recognisers.lease("ru", ""), recognisers.lease("ru", "")
    assert await recognisers.use(speech("new")) == ("new",)
    assert recognisers.names == ("new",)
    assert recognisers.lease("ru", "").recogniser is shelf.loaded["new"]
    first.release()
    first.release()
    assert shelf.loaded["old"].closed == 0
    second.release()
    assert (shelf.loaded["old"].closed, shelf.loaded["new"].closed) == (1, 0)


async def test_what_is_named_still_is_not_loaded_again_and_what_nobody_leased_goes_at_once() -> None:
    shelf = Shelf()
    recognisers = Recognisers(shelf.load, shelf.edition)
    await recognisers.use(speech("ru", by_language={"en": "en"}))
    ru = shelf.loaded["ru"]
    assert await recognisers.use(speech("ru", by_language={"en": "better"})) == ("better",)
    assert recognisers.lease("ru", "").recogniser is ru
    assert (ru.closed, shelf.loaded["en"].closed) == (0, 1)


async def test_a_model_that_cannot_be_loaded_changes_nothing() -> None:
    shelf = Shelf("broken")
    recognisers = Recognisers(shelf.load, shelf.edition)
    await recognisers.use(speech("ru"))
    with pytest.raises(RecogniserUnavailable, match="broken"):
        await recognisers.use(speech("new", by_language={"en": "broken"}))
    assert recognisers.names == ("ru",)
    assert (shelf.loaded["ru"].closed, shelf.loaded["new"].closed) == (0, 1)
    recognisers.close()
    assert shelf.loaded["ru"].closed == 1


async def test_a_model_that_was_given_words_is_loaded_anew_by_its_old_name() -> None:
    shelf = Shelf()
    recognisers = Recognisers(shelf.load, shelf.edition)
    await recognisers.use(speech("own"))
    lease, before = recognisers.lease("ru", ""), shelf.loaded["own"]
    assert await recognisers.use(speech("own")) == ()
    shelf.editions["own"] = 2
    assert await recognisers.use(speech("own")) == ("own",)
    assert recognisers.lease("ru", "").recogniser is shelf.loaded["own"] is not before
    assert before.closed == 0
    lease.release()
    assert before.closed == 1
