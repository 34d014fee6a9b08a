"""Who took the call, on virtual time: timing, tones and words, alone and against each other."""

from __future__ import annotations

import copy

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bot.core.answerer import Answerer
from bot.core.endings import Disposition
from tests.call.answering.lines import Line, verdicts

HUMAN, VOICEMAIL, ANNOUNCEMENT = Answerer.HUMAN, Answerer.VOICEMAIL, Answerer.ANNOUNCEMENT
IVR, SECRETARY, SILENCE, FAX = Answerer.IVR, Answerer.SECRETARY, Answerer.SILENCE, Answerer.FAX


def up() -> Line:
    return Line().up().quiet(0.5)


def sit(line: Line) -> Line:
    return line.tone(950, 0.34).tone(1400, 0.34).tone(1800, 0.34)


def busy(line: Line, times: int) -> Line:
    for _ in range(times):
        line.tone(425, 0.36).quiet(0.36)
    return line


LINES = {
    "alo": (up().voice(0.4).quiet(1.0), [HUMAN]),
    "alo, and again": (up().voice(0.4).quiet(1.2).voice(0.4).quiet(1.5), [HUMAN]),
    "a firm's greeting": (up().phrases(1.2, 1.4, 0.8, pause_s=0.3).quiet(1.5), [HUMAN]),
    "a talker": (up().phrases(2.0, 1.6, 1.4, pause_s=0.4).quiet(2.0), [HUMAN]),
    "alo, then a complaint": (up().voice(0.4).quiet(1.2).phrases(*[2.0] * 8).quiet(1), [HUMAN]),
    "alo on a recorded line": (up().voice(0.5).quiet(0.3).tone(1400, 0.4).quiet(2), [HUMAN]),
    "a beep and alo": (up().tone(1400, 0.4).quiet(0.5).voice(0.4).quiet(1), [HUMAN]),
    "alo, and keys by mistake": (up().voice(0.4).quiet(1).tone(697, 0.1).quiet(1), [HUMAN]),
    "a pure vowel within speech": (up().voice(1.0).tone(380, 0.24).voice(1.5).quiet(2), [HUMAN]),
    "greeting and beep": (up().phrases(2.0, 1.5).quiet(0.3).tone(1000, 0.5).quiet(0.5), [VOICEMAIL]),
    "a beep long after the greeting": (up().phrases(2.0, 1.5).quiet(2.2).tone(800, 0.5).quiet(1),
                                       [HUMAN, VOICEMAIL]),
    "a concert A beeps": (up().phrases(2.0, 1.5).tone(440, 1.0).quiet(0.5), [VOICEMAIL]),
    "a long greeting without a beep": (up().phrases(*[2.0] * 5), [VOICEMAIL]),
    "hello, then a mailbox": (up().voice(0.6).quiet(1.5).phrases(2.0, 2.0).tone(950, 0.4).quiet(1),
                              [HUMAN, VOICEMAIL]),
    "SIT after the answer": (sit(up()).voice(2.0), [ANNOUNCEMENT]),
    "busy after the answer": (busy(up().voice(0.8).quiet(0.2), 4), [ANNOUNCEMENT]),
    "a switchboard rings on": (up().phrases(1.5, 1.5).tone(425, 1.0).quiet(3), [IVR]),
    "nothing": (Line().up().quiet(5), [SILENCE]),
    "nothing, then alo": (Line().up().quiet(5).voice(0.5).quiet(1), [SILENCE, HUMAN]),
    "fax answers": (up().tone(2100, 2.6), [FAX]),
    "fax calls": (up().tone(1100, 0.5).quiet(3), [FAX]),
    "fax data": (up().data(1.0), [FAX]),
}  # fmt: skip


@pytest.mark.parametrize("name", LINES)
def test_timing_and_tones_decide(name: str) -> None:
    line, expected = LINES[name]
    found: list[Answerer] = []
    for verdict in verdicts(line.evidence):
        if found[-1:] != [verdict.answerer]:
            found.append(verdict.answerer)
    assert found == expected


WORDED = [
    ("оставьте сообщение после сигнала", VOICEMAIL, None),
    ("абонент временно недоступен попробуйте позвонить позднее", ANNOUNCEMENT, Disposition.UNAVAILABLE),
    ("набранный вами номер не существует", ANNOUNCEMENT, Disposition.INVALID_NUMBER),
    ("вы неправильно набрали номер", ANNOUNCEMENT, Disposition.INVALID_NUMBER),
    ("линия занята", ANNOUNCEMENT, Disposition.BUSY),
    ("чтобы связаться с продажами нажмите один", IVR, None),
    ("сейчас он не может ответить", SECRETARY, None),
    ("это голосовой помощник что ему передать", SECRETARY, None),
    ("абонент недоступен оставьте сообщение после сигнала", VOICEMAIL, None),
]


@pytest.mark.parametrize(("text", "answerer", "outcome"), WORDED)
def test_words_decide_at_once(text: str, answerer: Answerer, outcome: Disposition | None) -> None:
    line = up().voice(2.0).words(text)
    (verdict,) = verdicts(line.evidence)
    assert (verdict.answerer, verdict.outcome) == (answerer, outcome)
    assert verdict.at == pytest.approx(2.5)
    assert verdict.reasons[0].startswith("words: ")


@pytest.mark.parametrize(
    "text",
    ["алло слушаю", "да говорите", "сейчас не могу говорить перезвоните позже", "кто это", "я за рулём",
     "какой номер вы набрали", "один раз звонили уже", "вы ошиблись номером", "я не могу ответить занят"],
)  # fmt: skip
def test_what_people_say_is_no_machine(text: str) -> None:
    line = up().voice(1.5).words(text).quiet(1.5)
    assert [verdict.answerer for verdict in verdicts(line.evidence)] == [HUMAN]


def test_a_secretary_that_reveals_itself_late_revises_the_verdict() -> None:
    line = up().voice(0.6).words("алло").quiet(1.0).we_say("Здравствуйте!").quiet(5.0).voice(3.0)
    line.words("алло абонент не может ответить я его голосовой помощник").quiet(1)
    first, second = verdicts(line.evidence)
    assert (first.answerer, first.revised) == (HUMAN, False)
    assert (second.answerer, second.revised) == (SECRETARY, True)


@pytest.mark.parametrize(
    "text",
    ["скорость ответа и вежливость оператора", "ужасный у вас голосовой помощник", "это голосовой помощник",
     "я оставил сообщение на сайте", "мне всё время говорят нажмите один", "все операторы заняты были",
     "звоню а там автоответчик", "линия всё время занята", "никто не может ответить", "один или два балла",
     "телефон поддержки выключен", "секретарь ваша нахамила"],
)  # fmt: skip
@pytest.mark.parametrize("greets", [True, False])
def test_a_customer_who_speaks_of_machines_is_none(text: str, greets: bool) -> None:
    line = up().voice(0.4).quiet(1) if greets else Line().up().quiet(5)
    line.we_say("Здравствуйте! Оцените нас от нуля до десяти.").quiet(5).voice(5.0).words(text).quiet(2)
    assert not any(verdict.answerer.is_machine for verdict in verdicts(line.evidence))


TALK = up().voice(0.4).quiet(1).we_say("Здравствуйте! Оцените нас.").quiet(5)


@pytest.mark.parametrize(
    ("hz", "after_s", "machine"),
    [(1000, 1.5, True), (1000, 0.6, False), (1400, 3.0, False)],
    ids=["silence after it", "he talks on", "a recorded line"],
)
def test_a_beep_in_a_talk_is_a_mailbox_only_if_it_listens(hz: float, after_s: float, machine: bool) -> None:
    line = copy.deepcopy(TALK).phrases(2.0, 2.0).tone(hz, 0.4).quiet(after_s).phrases(1.5).quiet(1)
    assert any(verdict.answerer is VOICEMAIL for verdict in verdicts(line.evidence)) is machine


def test_a_long_answer_of_somebody_who_was_silent_at_first_is_no_mailbox() -> None:
    line = Line().up().quiet(2.5).we_say("Почему вы так решили?").quiet(0.5).phrases(*[2.0] * 6)
    assert not any(verdict.answerer.is_machine for verdict in verdicts(line.quiet(2).evidence))


def test_busy_after_a_talk_is_somebody_who_hung_up() -> None:
    *_, last = verdicts(busy(copy.deepcopy(TALK).voice(0.5).quiet(1), 4).evidence)
    assert last.outcome is Disposition.HUNG_UP


def test_a_person_may_put_us_through() -> None:
    line = copy.deepcopy(TALK).phrases(2.0).tone(425, 1.0).quiet(4).tone(425, 1.0).quiet(1)
    assert [verdict.answerer for verdict in verdicts(line.evidence)] == [HUMAN]


def test_our_own_words_coming_back_are_no_machine() -> None:
    line = up().voice(0.5).quiet(1.0).we_say("Это голосовой помощник компании Ромашка.").quiet(1)
    line.words("это голосовой помощник компании").quiet(3)
    assert [verdict.answerer for verdict in verdicts(line.evidence)] == [HUMAN]


def test_our_own_sound_coming_back_is_no_speech() -> None:
    line = Line().up().voice(9.0, echo_dbfs=-20.0)
    assert [verdict.answerer for verdict in verdicts(line.evidence)] == [SILENCE]


def test_a_carriers_words_before_the_answer_are_not_the_answerers() -> None:
    line = Line().quiet(0.3).voice(2.0).words("абонент недоступен").quiet(1).up().quiet(0.4).voice(0.4)
    *early, last = verdicts(line.words("алло").quiet(1).evidence)
    assert {(verdict.answerer, verdict.early) for verdict in early} == {(ANNOUNCEMENT, True)}
    assert early[-1].outcome is Disposition.UNAVAILABLE
    assert (last.answerer, last.early, last.revised) == (HUMAN, False, False)


def test_speech_before_the_answer_is_the_carriers_even_without_known_words() -> None:
    (verdict,) = verdicts(Line().quiet(0.3).voice(2.0).quiet(1).evidence)
    assert (verdict.answerer, verdict.early) == (ANNOUNCEMENT, True)


def test_an_announcement_that_goes_on_through_the_answer_is_no_person() -> None:
    line = Line().quiet(0.3).voice(2.0).up().voice(2.0).quiet(2)
    early, *later = verdicts(line.evidence)
    assert early.early
    assert {verdict.answerer for verdict in later} == {ANNOUNCEMENT}


def test_ringing_before_the_answer_says_nothing() -> None:
    line = Line().tone(425, 1.0).quiet(4).tone(425, 1.0).up().quiet(0.4).voice(0.4).quiet(1)
    assert [verdict.answerer for verdict in verdicts(line.evidence)] == [HUMAN]


def test_a_recording_that_ends_too_soon_is_in_doubt_a_person() -> None:
    (verdict,) = verdicts(up().voice(1.0).evidence, finish=True)
    assert verdict.answerer is HUMAN
    assert verdict.reasons[0].startswith("doubt")


@given(
    st.lists(
        st.tuples(st.floats(0.1, 2.2), st.floats(0.3, 2.5)).map(
            lambda pair: (round(pair[0], 2), round(pair[1], 2))
        ),
        min_size=1,
        max_size=8,
    )
)
def test_however_a_person_pauses_timing_never_makes_a_machine_of_him(talk: list[tuple[float, float]]) -> None:
    """Short utterances with a pause of a second (and the frames at its ends) within the first 7 s."""
    line = up()
    for spoken, pause in talk:
        line.voice(spoken).quiet(pause)
    monologue = 0.0
    for spoken, pause in talk:
        monologue += spoken
        if pause >= 1.04:
            break
        monologue += pause
    machines = [verdict for verdict in verdicts(line.quiet(2).evidence) if verdict.answerer.is_machine]
    assert not machines or monologue >= 6.9


@given(st.lists(st.sampled_from(["voice", "quiet", "tone", "words", "up"]), max_size=25), st.booleans())
def test_verdicts_are_told_once_and_in_order(steps: list[str], answered: bool) -> None:
    line = Line().up() if answered else Line()
    for step in steps:
        match step:
            case "voice":
                line.voice(0.7)
            case "quiet":
                line.quiet(0.6)
            case "tone":
                line.tone(1000, 0.3)
            case "words":
                line.words("оставьте сообщение")
            case "up":
                line.up()
    found = verdicts(line.evidence, finish=True)
    assert [verdict.at for verdict in found] == sorted(verdict.at for verdict in found)
    for verdict in found:
        assert verdict.reasons
        assert verdict.at <= line.now + 0.02
