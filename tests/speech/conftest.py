from __future__ import annotations

import logging
from collections.abc import Iterator
from pathlib import Path

import pytest
import structlog

from bot.speech.models import ensure_model
from bot.speech.recogniser import VoskRecogniser
from bot.speech.settings import RecogniserSettings
from tests.speech.sounds import MODELS


@pytest.fixture(scope="session")
def model_path(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return ensure_model("vosk-model-otklik-demo-ru", MODELS, tmp_path_factory.mktemp("var"))


@pytest.fixture
def logs_as_before() -> Iterator[None]:
    """For tests of commands, which turn the logs of the process to stderr."""
    yield
    structlog.reset_defaults()
    logging.getLogger().handlers.clear()


@pytest.fixture(scope="session")
def recogniser(model_path: Path) -> Iterator[VoskRecogniser]:
    made = VoskRecogniser(model_path, RecogniserSettings(feed_wait_s=5.0))
    yield made
    made.close()
