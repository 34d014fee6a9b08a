"""A call's course, its picture and its waveform, from events alone."""

from __future__ import annotations

from io import BytesIO
from pathlib import Path

import pytest

from bot.core.events import ConsentHeard, PromptEnded, RecordingStarted, call_event
from bot.web.journal.event_words import kind_words
from bot.web.journal.talk import every, recording_begins_s, rows
from bot.web.journal.timeline import HEIGHT, WIDTH, timeline
from bot.web.journal.waveform import waveform
from tests.store.talk import START
from tests.web.calls import record, talk

EVENTS = talk("call-1")


def test_a_prompt_ends_where_it_was_cut_off() -> None:
    place = next(n for n, each in enumerate(EVENTS) if isinstance(each, PromptEnded))
    cut = EVENTS[place].model_copy(update={"heard_s": 0.5, "completed": False})
    said = next(row for row in rows([*EVENTS[:place], cut]) if row.who == "bot")
    assert (said.start_s, said.end_s, said.note) == (2.0, 2.5, ("перебит", "interrupted"))


def test_what_has_no_media_time_is_placed_by_the_clock() -> None:
    found = {row.told[1]: row.start_s for row in rows(EVENTS) if row.told}
    assert found["answered"] == 0.0
    assert found["signal: complaint, waiting"] == 8.0


def test_an_older_recording_begins_where_the_consent_was_over() -> None:
    consent = ConsentHeard(call_id="call-1", seq=90, at=START, media_s=7.5)
    started = RecordingStarted(call_id="call-1", seq=91, at=START, file="call-1.wav")
    assert recording_begins_s([consent, started]) == 7.5
    assert recording_begins_s([consent, started.model_copy(update={"media_s": 7.6})]) == 7.6
    assert recording_begins_s([]) == 0.0


@pytest.mark.parametrize(("numbers", "shown"), [(True, "sip:+79001234560@trunk"), (False, "***60")])
def test_the_number_is_whole_only_for_whoever_may_see_it(numbers: bool, shown: str) -> None:
    told = every(EVENTS, numbers=numbers)
    assert dict(told[0].fields)["remote"] == shown
    assert ("+7900123456" in str(told)) is numbers


def test_every_kind_of_event_has_a_name() -> None:
    kinds = call_event.json_schema()["discriminator"]["mapping"]
    named = {kind: kind_words(_OfKind(kind)) for kind in kinds}  # type: ignore[arg-type]
    assert [kind for kind, (ru, _) in named.items() if kind == ru] == []


class _OfKind:
    def __init__(self, kind: str) -> None:
        self.kind = kind


def test_the_picture_has_the_sound_where_it_was(tmp_path: Path) -> None:
    with record(tmp_path, "call-1", 10.0).open("rb") as file:
        sound = waveform(file, bars=100)
    assert sound is not None
    assert (sound.seconds, len(sound.caller)) == (10.0, 100)
    assert [sound.caller[20], sound.caller[80], sound.bot[20]] == [pytest.approx(0.244, abs=0.01), 0.0, 0.0]
    picture = timeline(rows(EVENTS), sound, begins_s=1.0)
    assert picture is not None
    assert picture.seconds >= 11
    assert picture.caller.startswith(f"M{WIDTH / picture.seconds:.1f} ")
    assert picture.ticks[-1] == (WIDTH, picture.seconds)
    assert all(0 <= bar.x <= bar.x + bar.width <= WIDTH and 0 <= bar.y <= HEIGHT for bar in picture.bars)
    said = {(bar.who, bar.x) for bar in picture.bars}
    assert ("caller", round(5 / picture.seconds * WIDTH, 1)) in said


def test_what_is_no_sound_is_not_drawn() -> None:
    assert waveform(BytesIO(b"RIFF....not a sound")) is None
    assert timeline([], None, 0.0) is None
