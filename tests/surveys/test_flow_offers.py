"""What is offered to an unhappy customer, and what his answer to it does."""

from __future__ import annotations

import pytest

from bot.core.context import UserTurn
from bot.core.directives import (
    Callback,
    End,
    Offer,
    OfferAnswered,
    Transfer,
)
from bot.core.endings import Disposition
from bot.core.intents import Intent, Topic
from tests.surveys.said import LATER, NO, PERSON, REFUSE_ONE, TWO, UNRESOLVED, WAITED, YES
from tests.surveys.turns import HANDOVER_FAILED, SILENCE, Talk, keys, say


def test_a_declined_offer_ends_well_when_nothing_is_left() -> None:
    talk = Talk().turn(TWO, UNRESOLVED, WAITED, NO)
    assert talk.kinds == ["offer_answered", "end"]
    assert [answered.accepted for answered in talk.of(OfferAnswered)] == [False]
    assert talk.of(End)[0].disposition is Disposition.COMPLETED


def test_whoever_declined_is_not_offered_again() -> None:
    talk = Talk().turn(say("двойка очень долго ждал", Intent.COMPLAIN, topic=Topic.WAITING), NO)
    talk.turn(UNRESOLVED, say("долго ждал", Intent.COMPLAIN, topic=Topic.WAITING))
    assert len(talk.of(Offer)) == 1
    assert talk.of(End)[0].disposition is Disposition.COMPLETED


@pytest.mark.parametrize(
    ("turn", "accepted"),
    [
        (say("давайте"), True),
        (keys("1"), True),
        (PERSON, True),
        (say("было бы славно", Intent.AFFIRM), True),
        (keys("2"), False),
        (say("спасибо не надо"), False),
        (REFUSE_ONE, False),
        (say("как-нибудь сам справлюсь", Intent.DENY), False),
    ],
)
def test_an_offer_is_answered_in_many_ways(turn: UserTurn, accepted: bool) -> None:
    talk = Talk().turn(TWO, UNRESOLVED, WAITED, turn)
    assert [answered.accepted for answered in talk.of(OfferAnswered)] == [accepted]
    assert len(talk.of(Transfer)) == accepted


def test_a_weak_intent_does_not_decide_an_offer() -> None:
    talk = Talk().turn(TWO, UNRESOLVED, WAITED, say("бурбулятор", Intent.AFFIRM, sure=0.59))
    assert talk.kinds == ["say", "offer"]


def test_silence_after_an_offer_is_asked_once_more_and_then_taken_for_no() -> None:
    talk = Talk().turn(TWO, UNRESOLVED, WAITED, SILENCE)
    first, second = talk.of(Offer)
    assert second.attempt == 2
    assert first.text != second.text
    talk.turn(SILENCE, SILENCE)
    assert [answered.accepted for answered in talk.of(OfferAnswered)] == [False]
    assert talk.of(End)[0].disposition is Disposition.COMPLETED


def test_at_an_offer_no_more_calls_comes_first() -> None:
    talk = Talk().turn(TWO, UNRESOLVED, WAITED, say("больше не звоните"))
    assert talk.kinds == ["offer_answered", "opt_out", "end"]


def test_at_an_offer_later_means_that_an_agent_rings() -> None:
    talk = Talk().turn(TWO, UNRESOLVED, WAITED, LATER)
    assert talk.kinds == ["offer_answered", "callback", "end"]
    assert (talk.of(Callback)[0].by, talk.of(Callback)[0].when) == ("agent", "перезвоните завтра")


def test_a_failed_handover_is_told_and_becomes_a_callback() -> None:
    talk = Talk().turn(TWO, UNRESOLVED, WAITED, YES)
    talk.turn(say("алло"))
    assert talk.last == ()
    talk.turn(HANDOVER_FAILED)
    assert talk.kinds == ["say", "callback", "end"]
    assert talk.of(Callback)[0].by == "agent"
    assert talk.of(End)[0].disposition is Disposition.CALLBACK
    assert "перезвонят" in talk.of(End)[0].text
