"""«Не записывайте»: the survey goes on without sound, and nothing of the refusal is an answer."""

from __future__ import annotations

import pytest

from bot.core.context import UserTurn
from bot.core.directives import Ask, Offer, OptOut, Say, StopRecording
from bot.core.intents import Intent
from bot.surveys import flow
from bot.surveys.cues import wants_no_recording
from bot.surveys.flow import Stage
from bot.surveys.privacy import unrecorded
from bot.surveys.prompts import prompts
from tests.surveys.turns import NPS, Talk, context, say

NINE = say("девять", Intent.ANSWER_SCORE)
YES = say("да решили", Intent.AFFIRM)
PLEASE_DONT = say("не записывайте", Intent.DENY)
AGAINST = say("нет я против записи", Intent.DENY)

REFUSALS = [
    "не записывайте",
    "не записывайте меня пожалуйста",
    "я против записи",
    "нет я против этой записи",
    "не пишите меня",
    "не надо меня записывать",
    "не хочу чтобы меня записывали",
    "я не согласен на запись",
    "не разрешаю записывать разговор",
    "выключите запись",
    "прекратите записывать",
    "удалите запись",
    "давайте без записи",
    "do not record me",
    "stop recording",
]
OTHERS = [
    "записывайте",
    "да можно записывать",
    "не пишите мне больше",
    "не записали мою заявку",
    "пришла без записи к врачу",
    "удалите запись к врачу",
    "меня не записали на приём",
    "вы записываете разговор",
    "против ничего не имею",
    "девять",
    "не звоните мне",
]


@pytest.mark.parametrize("text", REFUSALS)
def test_in_so_many_words(text: str) -> None:
    assert wants_no_recording(text)


@pytest.mark.parametrize("text", OTHERS)
def test_other_words_about_recordings_are_none(text: str) -> None:
    assert not wants_no_recording(text)


@pytest.mark.parametrize("before", [(), (NINE,), (NINE, YES)], ids=["scale", "yes_no", "open"])
@pytest.mark.parametrize("refusal", [PLEASE_DONT, AGAINST])
def test_at_any_question_it_stops_the_recording_and_the_question_is_put_again(
    before: tuple[UserTurn, ...], refusal: UserTurn
) -> None:
    talk = Talk().turn(*before)
    asked, failures, values = talk.state.question_id, talk.state.failures, dict(talk.values)
    stop, told, again = talk.turn(refusal).last
    assert stop == StopRecording(words=refusal.text)
    assert isinstance(told, Say)
    assert told.text == unrecorded(NPS)
    assert isinstance(again, Ask)
    assert again.question_id == asked
    assert (talk.state.failures, talk.values) == (failures, values)


def test_an_answer_in_the_same_breath_counts() -> None:
    talk = Talk().turn(say("девять только не записывайте меня", Intent.DENY))
    assert talk.values == {"nps": 9}
    assert talk.of(StopRecording)


def test_it_is_said_once() -> None:
    talk = Talk().turn(PLEASE_DONT, PLEASE_DONT)
    assert len(talk.of(StopRecording)) == 1
    assert talk.state.failures == 1


def test_at_an_offer_it_declines_nothing() -> None:
    talk = Talk().turn(NINE, say("нет не решили", Intent.DENY), say("всё хорошо", Intent.PRAISE))
    assert talk.state.stage is Stage.OFFER
    stop, told, offer = talk.turn(AGAINST).last
    assert isinstance(stop, StopRecording)
    assert isinstance(told, Say)
    assert isinstance(offer, Offer)
    assert talk.state.stage is Stage.OFFER


def test_with_another_wish_both_are_granted() -> None:
    opted_out = Talk().turn(say("не записывайте и больше не звоните", Intent.OPT_OUT))
    assert opted_out.of(StopRecording)
    assert opted_out.of(OptOut)
    asked = Talk().turn(say("не записывайте соедините с оператором", Intent.REQUEST_AGENT))
    assert [each.kind for each in asked.last] == ["stop_recording", "say", "signal", "transfer"]


def test_over_the_farewell_too() -> None:
    talk = Talk().turn(NINE, YES, say("всё хорошо", Intent.PRAISE), PLEASE_DONT)
    assert [each.kind for each in talk.last] == ["stop_recording", "say"]
    assert talk.state.stage is Stage.ENDED


def test_a_version_without_the_sentence_has_one() -> None:
    old = NPS.model_copy(update={"texts": NPS.texts.model_copy(update={"unrecorded": ""})})
    talk = Talk(old).turn(PLEASE_DONT)
    assert unrecorded(old) in [each.text for each in talk.of(Say)]
    assert unrecorded(old) in prompts(old, context(old))
    assert flow.current_question(talk.state) == "nps"
