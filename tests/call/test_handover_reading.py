"""What an agent's word, and a waiting caller's, decides."""

from __future__ import annotations

import pytest

from bot.call.handover_reading import decision_of, wants_no_more
from bot.call.listening import Heard
from bot.core.context import TurnSource


def spoken(text: str) -> Heard:
    return Heard(TurnSource.SPEECH, 1.0, text=text)


def keyed(digits: str) -> Heard:
    return Heard(TurnSource.DTMF, 1.0, digits=digits)


@pytest.mark.parametrize("text", ["да", "принимаю", "соединяйте", "да конечно", "давайте", "да беру", "yes"])
def test_he_takes_it(text: str) -> None:
    assert decision_of(spoken(text)) is True


@pytest.mark.parametrize(
    "text",
    ["нет", "не могу", "сейчас не могу", "я занят", "нет не надо", "не принимаю", "да не могу", "no"],
)
def test_he_does_not(text: str) -> None:
    assert decision_of(spoken(text)) is False


@pytest.mark.parametrize(
    "text", ["", "[unk]", "алло", "да слушаю", "алло да слушаю вас", "оставьте сообщение после сигнала"]
)
def test_who_answers_his_telephone_has_decided_nothing(text: str) -> None:
    assert decision_of(spoken(text)) is None


def test_keys() -> None:
    assert decision_of(keyed("1")) is True
    assert decision_of(keyed("2")) is False
    assert decision_of(keyed("3")) is None
    assert decision_of(Heard(TurnSource.SILENCE, 1.0)) is None


@pytest.mark.parametrize("heard", [keyed("2"), spoken("не надо"), spoken("ой отмена"), spoken("не нужно")])
def test_a_caller_does_not_want_to_wait(heard: Heard) -> None:
    assert wants_no_more(heard)


@pytest.mark.parametrize(
    "heard", [keyed("1"), keyed("5"), spoken("нет"), spoken("да"), spoken("подожди я по телефону")]
)
def test_he_goes_on_waiting(heard: Heard) -> None:
    assert not wants_no_more(heard)
