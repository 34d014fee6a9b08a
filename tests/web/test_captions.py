"""What a customer's page shows for a call's events: keys that mean what they say, captions, the state."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bot.call.keys import KeyPad
from bot.core.answer import AnswerStatus
from bot.core.context import TurnSource, UserTurn
from bot.core.directives import (
    ChoiceExpected,
    ChoiceOption,
    ConfirmExpected,
    DateExpected,
    Expectation,
    MultiChoiceExpected,
    NumberExpected,
    OpenExpected,
    ScaleExpected,
    ScaleLabel,
    YesNoExpected,
)
from bot.core.endings import Disposition, EndKind
from bot.core.events import (
    Answered,
    CallEnded,
    CallEvent,
    CallStarted,
    HandoverConnected,
    HandoverStarted,
    ListeningStarted,
    PromptStarted,
    RecordingStarted,
    SignalRaised,
    TalkHeard,
    TurnHeard,
)
from bot.surveys.answers import parse
from bot.surveys.loader import load_survey
from bot.web.customers.captions import Captions
from bot.web.customers.keys import keys_for
from tests.node.running import SHORT_SURVEYS

OPTIONS = tuple(ChoiceOption(id=f"o{n}", say=(f"вариант {n}",)) for n in range(1, 4))
CLOSED: tuple[Expectation, ...] = (
    ScaleExpected(low=0, high=10),
    ScaleExpected(low=1, high=5, labels=(ScaleLabel(code=5, say=("отлично",)),)),
    YesNoExpected(),
    NumberExpected(low=0, high=11),
    ChoiceExpected(options=OPTIONS),
    ChoiceExpected(options=tuple(ChoiceOption(id=f"o{n}", say=(f"{n}",)) for n in range(1, 13))),
)


def collected(expectation: Expectation, keys: str) -> str:
    """What the call makes of these keys; none of them may be left for the next question."""
    pad = KeyPad(expectation, gap_s=2.0)
    for place, key in enumerate(keys):
        assert not pad.complete(0.0), f"{keys[place:]} would be pressed at the next question"
        pad.press(key, 0.0)
    assert pad.complete(0.0), f"{keys} would wait for another key"
    return pad.keys


@pytest.mark.parametrize("expectation", CLOSED, ids=lambda each: each.kind)
def test_each_key_is_one_whole_answer_and_no_two_are_alike(expectation: Expectation) -> None:
    for asked in (expectation, ConfirmExpected(of=expectation, candidates=())):  # type: ignore[arg-type]
        values = []
        for key in keys_for(asked, "ru").keys:
            turn = UserTurn(source=TurnSource.DTMF, digits=collected(asked, key.keys))
            answer = parse(expectation, turn)
            assert getattr(answer, "status", None) is AnswerStatus.ANSWERED, key
            values.append(str(answer.value))  # type: ignore[union-attr]
            if expectation.kind in ("scale", "number"):
                assert str(answer.value) == key.label  # type: ignore[union-attr]
        assert len(set(values)) == len(values)


@given(st.integers(0, 20), st.integers(1, 60))
def test_a_scale_of_any_length_is_keyed_whole(low: int, length: int) -> None:
    expectation = ScaleExpected(low=low, high=low + length)
    for key in keys_for(expectation, "en").keys:
        assert collected(expectation, key.keys) == key.label


def test_every_kind_of_question_has_its_layout() -> None:
    several = MultiChoiceExpected(options=OPTIONS, at_most=2)
    layouts = {
        "several": several,
        "pad": NumberExpected(low=0, high=500),
        "done": OpenExpected(),
        "list": YesNoExpected(),
    }
    for layout, expectation in layouts.items():
        assert keys_for(expectation, "ru").layout == layout
    assert keys_for(DateExpected(horizon_days=3), "ru").layout == "pad"
    assert [key.keys for key in keys_for(several, "ru").keys] == ["1", "2", "3", "0"]
    assert keys_for(several, "ru").at_most == 2
    assert [key.label for key in keys_for(YesNoExpected(), "en").keys] == ["Yes", "No"]
    assert keys_for(CLOSED[1], "ru").keys[-1].word == "отлично"


# Captions -------------------------------------------------------------------------------------

SURVEY = load_survey(SHORT_SURVEYS / "nps.yaml")


def make(kind: type[Any], **fields: Any) -> CallEvent:
    event: CallEvent = kind(call_id="call-1", seq=1, at=datetime(2026, 1, 1, tzinfo=UTC), **fields)
    return event


def started() -> CallEvent:
    return make(
        CallStarted,
        direction="inbound",
        remote="webrtc:x",
        survey_id="nps",
        survey_hash="h",
        attempt_id="a",
    )


def put(question_id: str, purpose: str = "question") -> CallEvent:
    return make(PromptStarted, prompt=1, purpose=purpose, text="…?", duration_s=1.0, question_id=question_id)


def told(*events: CallEvent) -> list[dict[str, Any]]:
    captions = Captions(lambda digest: SURVEY)
    return [each for event in (started(), *events) for each in captions.told(event)]


def test_keys_are_there_before_the_question_is_spoken_out_and_once() -> None:
    turn = make(TurnHeard, question_id="nps", source=TurnSource.SPEECH, text="восемь с [unk] [unk] плюсом")
    shown = told(put("nps"), make(ListeningStarted, question_id="nps", expects="scale"), turn, put("nps"))
    assert [each["what"] for each in shown] == ["said", "keys", "listening", "turn", "said", "keys"]
    assert len(shown[1]["keys"]) == 11
    assert shown[3]["text"] == "восемь с … плюсом"


def test_an_offer_and_a_question_of_our_own_have_keys_as_well() -> None:
    offer = told(put("offer", "offer"))
    assert [key["keys"] for key in offer[1]["keys"]] == ["1", "2"]
    strange = told(put("when"), make(ListeningStarted, question_id="when", expects="date"))
    assert [each["what"] for each in strange] == ["said", "keys", "listening"]
    assert strange[1]["layout"] == "pad"


def test_the_state_follows_the_call_to_its_end() -> None:
    shown = told(
        make(Answered, codec="opus", rate=16000),
        make(RecordingStarted, file="x.wav"),
        make(HandoverStarted, target="responsible", form="bridge", reason="low_score", whisper="оценка два"),
        make(HandoverConnected, target="responsible"),
        make(TalkHeard, side="agent", text="добрый день", started_s=1.0, ended_s=2.0),
        make(CallEnded, cause=EndKind.LOCAL_HANGUP, disposition=Disposition.TRANSFERRED, duration_s=9.0),
    )
    assert shown == [
        {"what": "state", "state": "talking"},
        {"what": "recording", "on": True},
        {"what": "state", "state": "calling_agent"},
        {"what": "state", "state": "with_agent"},
        {"what": "talk", "side": "agent", "text": "добрый день"},
        {"what": "ended", "disposition": "transferred"},
    ]


def test_what_triage_thinks_of_a_customer_is_not_shown_to_him() -> None:
    signal = make(SignalRaised, name="angry", rule="angry", words="безобразие")
    whisper = make(
        HandoverStarted, target="responsible", form="bridge", reason="angry", whisper="клиент злится"
    )
    assert "зл" not in str(told(signal, whisper))
    assert told(signal) == []
