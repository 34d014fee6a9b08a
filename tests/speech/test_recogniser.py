from __future__ import annotations

import asyncio
import threading
from collections.abc import AsyncIterator, Iterator
from pathlib import Path

import pytest

from bot.core.audio import Frame
from bot.core.directives import ScaleExpected, YesNoExpected
from bot.core.errors import RecogniserUnavailable
from bot.core.ports import Recogniser
from bot.speech.heard import HeardWord, better_known, mostly_unknown
from bot.speech.recogniser import VoskRecogniser, VoskStream
from bot.speech.settings import RecogniserSettings
from tests.speech.sounds import Clip, around, clip, clips, frames, silent_frame, sound_of

NPS = ScaleExpected(low=0, high=10)


async def listen(stream: VoskStream, sound: Iterator[Frame]) -> list[str]:
    return [await stream.feed(frame) for frame in sound]


@pytest.mark.parametrize("rate", [8000, 16000])
@pytest.mark.parametrize("said", clips(), ids=lambda c: c.name)
async def test_every_sentence_is_exact_on_lines_of_both_rates(
    recogniser: VoskRecogniser, said: Clip, rate: int
) -> None:
    stream = recogniser.open(rate, NPS)
    await listen(stream, frames(around(sound_of(said.path, rate), 0.1, 0.4)))
    assert (await stream.finish()).text == said.text


def test_a_recording_is_transcribed_as_a_stream_is(recogniser: VoskRecogniser) -> None:
    said = clip("039_nsh")
    assert recogniser.transcribe(sound_of(said.path)).text == said.text


async def test_word_times_are_media_times_even_after_a_gap_in_them(recogniser: VoskRecogniser) -> None:
    sound = around(sound_of(clip("009_nsh").path), 0.5, 0.5)
    plain, late, torn = (recogniser.open(8000) for _ in range(3))
    await listen(plain, frames(sound))
    await listen(late, frames(sound, at=60.0))
    await listen(torn, (Frame(f.data, f.rate, f.at + (3.0 if f.at > 0.3 else 0.0)) for f in frames(sound)))
    (first,) = (await plain.finish()).words
    assert 0.5 <= first.start < first.end <= 0.5 + sound_of(clip("009_nsh").path).seconds
    for stream, shift in ((late, 60.0), (torn, 3.0)):
        (word,) = (await stream.finish()).words
        assert word.start == pytest.approx(first.start + shift, abs=0.002)
        assert word.end == pytest.approx(first.end + shift, abs=0.002)


async def test_partials_grow_while_the_caller_speaks(recogniser: VoskRecogniser) -> None:
    said = clip("046_nsh")
    stream = recogniser.open(8000, NPS)
    partials = await listen(stream, frames(around(sound_of(said.path), 0.1, 0.4)))
    stream.close()
    assert partials[0] == ""
    assert partials[-1] == said.text
    assert "больше" in partials


async def test_speech_with_a_long_pause_stays_one_turn(recogniser: VoskRecogniser) -> None:
    """Vosk's own endpointer cuts after 0.5 s of silence; its segments must be joined again."""
    first, second = clip("027_nsh"), clip("032_elena")
    stream = recogniser.open(8000)
    one, two = around(sound_of(first.path), 0.2, 2.5), around(sound_of(second.path), 0.0, 0.5)
    await listen(stream, frames(one))
    partials = await listen(stream, frames(two, at=one.seconds))
    heard = await stream.finish()
    assert heard.text == f"{first.text} {second.text}"
    assert partials[-1] == heard.text
    assert heard.words[3].start > one.seconds - 0.1
    assert [w.start for w in heard.words] == sorted(w.start for w in heard.words)


async def test_silence_and_an_unfed_stream_give_nothing(recogniser: VoskRecogniser) -> None:
    fed, unfed = recogniser.open(8000), recogniser.open(8000)
    await listen(fed, (silent_frame(i * 0.02, concealed=True) for i in range(50)))
    assert (await fed.finish()).text == ""
    assert (await unfed.finish()).words == ()


async def test_many_lines_at_once_do_not_mix(recogniser: VoskRecogniser) -> None:
    said = clips() * 2

    async def one(what: Clip) -> str:
        stream = recogniser.open(8000)
        await listen(stream, frames(around(sound_of(what.path), 0.1, 0.4)))
        return (await stream.finish()).text

    assert await asyncio.gather(*(one(what) for what in said)) == [what.text for what in said]


def sounding_frame(at: float) -> Frame:
    return Frame(b"\xe8\x03" * 160, 8000, at)


class _Held:
    """A decoder that waits for the test; it notes what each hop to the pool decoded."""

    def __init__(self) -> None:
        self.may_go = threading.Event()
        self.hops: list[int] = []

    def accept(self, data: bytes) -> None:
        assert self.may_go.wait(10)
        self.hops.append(len(data) // 320)

    def text(self) -> str:
        return f"{sum(self.hops)}"

    def settle(self) -> str:
        return self.text()

    def finish(self) -> list[object]:
        return []


async def test_a_slow_decoder_holds_no_line_and_catches_up_in_one_hop(
    model_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    recogniser = VoskRecogniser(model_path, RecogniserSettings(feed_wait_s=0.005))
    held = _Held()
    monkeypatch.setattr(recogniser, "decoder", lambda rate, phrases, fits: held)
    stream = recogniser.open(8000)
    loop = asyncio.get_running_loop()
    begun = loop.time()
    assert [await stream.feed(sounding_frame(i * 0.02)) for i in range(20)] == [""] * 20
    assert loop.time() - begun < 2.0  # twenty frames, with a decoder that never answers
    held.may_go.set()
    await stream.finish()
    assert held.hops[0] >= 1
    assert sum(held.hops) == 20
    assert len(held.hops) == 2  # what had queued up went together
    recogniser.close()


Counted = tuple[VoskStream, _Held]


@pytest.fixture
async def counted(model_path: Path, monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[Counted]:
    """A turn, and what of it was decoded."""
    recogniser, decoder = VoskRecogniser(model_path), _Held()
    decoder.may_go.set()
    monkeypatch.setattr(recogniser, "decoder", lambda rate, phrases, fits: decoder)
    yield recogniser.open(8000), decoder
    recogniser.close()


async def test_of_the_silence_before_the_first_sound_a_little_is_decoded(counted: Counted) -> None:
    stream, decoder = counted
    for number in range(100):
        await stream.feed(silent_frame(number * 0.02))
    assert decoder.hops == []
    for number in range(100, 110):
        await stream.feed(sounding_frame(number * 0.02))
    for number in range(110, 150):  # silence behind it is heard as it was
        await stream.feed(silent_frame(number * 0.02))
    await stream.finish()
    assert sum(decoder.hops) == 20 + 10 + 40


async def test_nothing_is_decoded_before_somebody_speaks(counted: Counted) -> None:
    """A street, or what an echo leaves of a prompt, is no silence, and costs nothing all the same."""
    stream, decoder = counted
    for number in range(100):
        await stream.feed(sounding_frame(number * 0.02), 0.2)
    assert decoder.hops == []
    await stream.feed(sounding_frame(2.0), 0.5)
    for number in range(101, 120):  # once he has begun all of it is heard
        await stream.feed(sounding_frame(number * 0.02), 0.1)
    await stream.finish()
    assert sum(decoder.hops) == 20 + 1 + 19


async def test_between_a_pause_and_the_next_voice_nothing_is_decoded(counted: Counted) -> None:
    """What was settled is settled: the silence behind a turn teaches nothing, and costs nothing."""
    stream, decoder = counted
    for number in range(10):
        await stream.feed(sounding_frame(number * 0.02), 0.9)
    await stream.settle()
    for number in range(10, 100):
        await stream.feed(sounding_frame(number * 0.02), 0.1)
    assert sum(decoder.hops) == 10
    await stream.feed(sounding_frame(2.0), 0.9)
    await stream.finish()
    assert sum(decoder.hops) == 10 + 20 + 1


async def test_words_after_a_long_silence_are_where_they_were_said(recogniser: VoskRecogniser) -> None:
    said = clip("009_nsh")
    soon, late = recogniser.open(8000), recogniser.open(8000)
    await listen(soon, frames(around(sound_of(said.path), 0.4, 0.5)))
    await listen(late, frames(around(sound_of(said.path), 4.4, 0.5)))
    (first,), (word,) = (await soon.finish()).words, (await late.finish()).words
    assert (word.text, word.start) == (first.text, pytest.approx(first.start + 4.0, abs=0.05))


async def test_a_closed_stream_refuses_frames_and_a_closed_recogniser_says_so(model_path: Path) -> None:
    recogniser = await VoskRecogniser.load(model_path)
    stream, other = recogniser.open(8000), recogniser.open(8000)
    await stream.feed(sounding_frame(0.0))
    stream.close()
    with pytest.raises(RecogniserUnavailable, match="finished"):
        await stream.feed(sounding_frame(0.02))
    recogniser.close()
    with pytest.raises(RecogniserUnavailable, match="decoding failed"):
        await listen(other, (sounding_frame(i * 0.02) for i in range(4)))
    with pytest.raises(RecogniserUnavailable):
        await other.finish()


async def test_a_frame_of_another_rate_is_refused(recogniser: VoskRecogniser) -> None:
    stream = recogniser.open(16000)
    with pytest.raises(ValueError, match="8000 Hz"):
        await stream.feed(silent_frame(0.0, 8000))


def test_a_folder_that_is_no_model_is_refused(tmp_path: Path) -> None:
    with pytest.raises(RecogniserUnavailable, match="не модель Vosk"):
        VoskRecogniser(tmp_path)
    (tmp_path / "am").mkdir()
    (tmp_path / "am" / "final.mdl").write_bytes(b"junk")
    with pytest.raises(RecogniserUnavailable, match="не загружает"):
        VoskRecogniser(tmp_path)


def test_the_vocabulary_is_the_models_words(recogniser: VoskRecogniser) -> None:
    port: Recogniser = recogniser
    assert {"десять", "оператором", "звоните", "ёлка"} & port.vocabulary == {
        "десять",
        "оператором",
        "звоните",
    }
    assert not {"[unk]", "<eps>", "#0"} & port.vocabulary
    assert len(port.vocabulary) == 879


@pytest.mark.parametrize("expectation", [NPS, YesNoExpected()], ids=["nps", "yes_no"])
@pytest.mark.parametrize(
    "said",
    [c for c in clips() if c.intent in ("complain", "request_agent", "opt_out", "callback_later")],
    ids=lambda c: c.name,
)
async def test_a_closed_question_with_a_grammar_hears_interruptions(
    model_path: Path, said: Clip, expectation: ScaleExpected | YesNoExpected
) -> None:
    recogniser = VoskRecogniser(model_path, RecogniserSettings(grammar=True, feed_wait_s=5.0))
    assert recogniser.takes_grammars
    stream = recogniser.open(8000, expectation)
    await listen(stream, frames(around(sound_of(said.path), 0.1, 0.4)))
    assert (await stream.finish()).text == said.text
    recogniser.close()


@pytest.mark.parametrize(
    ("name", "expectation", "decodings"),
    [
        ("056_elena", YesNoExpected(), 2),  # «всё отлично спасибо большое»
        ("016_elena", YesNoExpected(), 2),  # «ставлю три»
        ("020_nsh", YesNoExpected(), 1),  # «да»: what the grammar knows is not decoded twice
        ("056_elena", None, 1),
    ],
)
async def test_what_a_grammar_does_not_know_is_heard_again_openly(
    model_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    name: str,
    expectation: YesNoExpected | None,
    decodings: int,
) -> None:
    recogniser = VoskRecogniser(model_path, RecogniserSettings(grammar=True, feed_wait_s=5.0))
    made: list[object] = []
    decoder = recogniser.decoder
    monkeypatch.setattr(
        recogniser,
        "decoder",
        lambda rate, phrases, fits: made.append(phrases) or decoder(rate, phrases, fits),
    )
    said = clip(name)
    stream = recogniser.open(8000, expectation)
    heard = around(sound_of(said.path), 0.5, 0.4)
    partial = await listen(stream, frames(heard))
    transcript = await stream.finish()
    assert (transcript.text, len(made)) == (said.text, decodings)
    assert made[-1] is None or decodings == 1
    assert 0.4 < transcript.words[0].start < transcript.words[-1].end < heard.seconds
    if decodings == 2:
        assert "[unk]" in partial[-1]
    assert recogniser.transcribe(heard, expectation).text == said.text
    recogniser.close()


def test_a_noise_that_is_no_word_openly_either_stays_unknown() -> None:
    """The second hearing is taken only where it knows more."""
    unknown = HeardWord(word="[unk]", start=0.1, end=0.4, conf=0.5)
    known = HeardWord(word="да", start=0.1, end=0.4, conf=0.5)
    assert mostly_unknown([unknown, known])
    assert not mostly_unknown([unknown, known, known])
    assert not mostly_unknown([])
    assert better_known([unknown], [unknown]) == [unknown]
    assert better_known([], [unknown]) == [unknown]
    assert better_known([unknown, known], [unknown]) == [unknown, known]
    assert better_known([unknown, known], [unknown, known]) == [unknown, known]
