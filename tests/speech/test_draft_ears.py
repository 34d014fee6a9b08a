"""Whoever tries a survey aloud in the pages is heard as callers are."""

from __future__ import annotations

import base64
import json
from io import StringIO
from pathlib import Path

from bot.draft_process import HEARD_AT, Ears, serve
from bot.settings import DEMO_MODEL
from bot.speech.settings import RecogniserSettings, SpeechSettings
from bot.surveys.lint import NO_TOOLS
from tests.speech.conftest import MODELS
from tests.speech.sounds import clip, sound_of


def test_what_is_said_into_the_microphone_becomes_words(model_path: Path, tmp_path: Path) -> None:
    said = clip("009_nsh")
    sound = base64.b64encode(sound_of(said.path, HEARD_AT).data).decode()
    orders = [{"do": "hear", "pcm": each, "language": "ru"} for each in (sound, "")]
    answers = StringIO()
    var = next(folder.parent for folder in model_path.parents if folder.name == "models")
    ears = Ears(SpeechSettings(MODELS, var, RecogniserSettings(model=DEMO_MODEL)))
    serve(StringIO("".join(json.dumps(each) + "\n" for each in orders)), answers, tmp_path, NO_TOOLS, ears)
    heard, nothing = map(json.loads, answers.getvalue().splitlines())
    assert heard == {"text": said.text}
    assert nothing == {"text": ""}
