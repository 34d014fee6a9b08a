"""Trying a draft against the real Rasa: what is not published is talked through, and nothing is kept."""

from __future__ import annotations

from pathlib import Path

import pytest

from bot.call.dialogue import RasaDialogue
from bot.core.errors import BadInput
from bot.draft_talks import KEPT_S, DraftTalks
from bot.surveys.loader import survey_hash, to_json
from dialogue.actions.shelf import DRAFTS
from tests.dialogue.surveys import nps_survey


async def test_a_draft_is_talked_through_to_its_end(rasa: RasaDialogue, surveys_dir: Path) -> None:
    hello = "Здравствуйте, {customer.first_name|}! Это короткий опрос."
    draft = nps_survey().model_copy(update={"version": 99, "title": "Черновик", "introduction": hello})
    now = [0.0]
    talks = DraftTalks(rasa, surveys_dir / DRAFTS, clock=lambda: now[0])
    talk = await talks.begin(to_json(draft), owner="oleg", customer="Елена")
    assert not (surveys_dir / f"{survey_hash(draft)}.json").exists(), "no call comes upon it"
    assert "Елена" in talk["lines"][0]["text"] + talk["lines"][1]["text"]
    talk_id = talk["talk_id"]
    with pytest.raises(BadInput, match="уже нет"):
        talks.find(talk_id, "anna")
    turns = 0
    while talk["disposition"] is None and turns < 20:
        line = "!" if talk["handing_over"] else "десять" if not talk["answers"] else "да"
        talk = await talks.turn(talk_id, line, "oleg")
        turns += 1
    assert talk["disposition"] == "completed"
    assert talk["answers"][0]["value"] == "10"
    assert talk["keypad"] is None
    sounds = [line["sound"] for line in talk["lines"] if line["sound"] is not None]
    assert sounds == list(range(len(sounds)))
    now[0] = KEPT_S + 1
    await talks.begin(to_json(draft), owner="oleg")
    with pytest.raises(BadInput, match="уже нет"):
        await talks.turn(talk_id, "да", "oleg")
