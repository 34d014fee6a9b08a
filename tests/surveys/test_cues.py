"""Wishes that words alone settle: no more calls, another time to call, a person; on sets that may be read."""

from __future__ import annotations

from pathlib import Path

import pytest

from bot.core.context import TurnSource, UserTurn
from bot.core.directives import Understood
from bot.core.intents import Intent
from bot.surveys.cues import asks_for_a_person, plain_intent
from bot.surveys.no_calls import limits_calls, wants_no_more_calls
from bot.surveys.understanding import understand
from bot.surveys.wishes import Wish, wish_of

SETS = Path(__file__).parents[1] / "data" / "cues"
NLU = Path(__file__).parents[1] / "data" / "nlu"


def rows(path: Path) -> list[list[str]]:
    lines = path.read_text("utf-8").splitlines()
    return [line.split("\t") for line in lines if line and not line.startswith("#")]


def sentences(kind: str) -> list[str]:
    return [text for meant, text in rows(SETS / "no_calls.tsv") if meant == kind]


@pytest.mark.parametrize("text", sentences("never"))
def test_an_opt_out_is_never_missed(text: str) -> None:
    assert wants_no_more_calls(text)
    assert not limits_calls(text)


@pytest.mark.parametrize("text", sentences("limit"))
def test_another_time_or_number_is_no_opt_out(text: str) -> None:
    assert not wants_no_more_calls(text)
    assert limits_calls(text)


@pytest.mark.parametrize("text", sentences("neither"))
def test_what_only_sounds_like_it_is_neither(text: str) -> None:
    assert not wants_no_more_calls(text)
    assert not limits_calls(text)


@pytest.mark.parametrize(("asks", "text"), rows(SETS / "person.tsv"))
def test_a_person_is_asked_for_here_and_now(asks: str, text: str) -> None:
    assert asks_for_a_person(text) == (asks == "yes")
    assert (plain_intent(text) is Intent.REQUEST_AGENT) == (asks == "yes")


@pytest.mark.parametrize("name", ["dev", "dev_0_2", "held_out_0_3"])
def test_no_other_intent_is_taken_for_an_opt_out(name: str) -> None:
    """Counts alone: the held-out sentences stay unread."""
    others = [text for intent, _, text in rows(NLU / f"{name}.tsv") if intent != Intent.OPT_OUT]
    meant = [text for intent, _, text in rows(NLU / f"{name}.tsv") if intent == Intent.OPT_OUT]
    assert len(others) > 200
    assert sum(map(wants_no_more_calls, others)) == 0
    assert sum(map(limits_calls, meant)) == 0


def ranked(text: str, **chances: float) -> Understood | None:
    ranking = [{"name": name, "confidence": chance} for name, chance in chances.items()]
    return understand({"text": text, "intent_ranking": ranking})


def test_a_model_that_is_sure_of_an_opt_out_is_overruled_by_a_time() -> None:
    """«Не звоните в обед» is wished to be rung otherwise, however sure the model is."""
    found = ranked("не звоните в обед", opt_out=0.9, callback_later=0.05)
    assert found is not None
    assert found.intent is Intent.CALLBACK_LATER
    assert found.confidence == pytest.approx(0.95)
    turn = UserTurn(
        source=TurnSource.SPEECH, text="не звоните в обед", intent=found.intent, intent_confidence=0.95
    )
    assert wish_of(turn) is Wish.CALLBACK
    never = ranked("не звоните мне никогда", opt_out=0.2, callback_later=0.8)
    assert never is not None
    assert never.intent is Intent.OPT_OUT
