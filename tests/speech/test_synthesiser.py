from __future__ import annotations

import asyncio
import signal
import stat
import subprocess
import sys
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from bot.core.audio import Pcm
from bot.core.errors import ModelMissing, PortInUse, SynthesiserUnavailable
from bot.core.ports import Synthesiser
from bot.speech.loudness import loudness
from bot.speech.settings import SpeechSettings, SynthesiserSettings
from bot.speech.sound import Samples, to_samples
from bot.speech.synth_process import SynthesiserServer, make_engine, synthesise
from bot.speech.synthesiser import (
    SynthesiserClient,
    engine_name,
    spawned_synthesiser,
    synthesiser_command,
)
from bot.speech.wire import SpeakRequest
from tests.speech.sounds import MODELS, PROJECT

QUESTION = "Оцените по шкале от 0 до 10, насколько вы готовы рекомендовать нас?"


@pytest.fixture
def settings(tmp_path_factory: pytest.TempPathFactory) -> SpeechSettings:
    folder = tmp_path_factory.mktemp("s")  # short: a socket's path has 107 bytes at most
    return SpeechSettings(
        models_dir=MODELS, var_dir=folder, synthesiser=SynthesiserSettings(socket=folder / "s.sock")
    )


@asynccontextmanager
async def process(settings: SpeechSettings) -> AsyncIterator[asyncio.subprocess.Process]:
    """The real process, ready."""
    child = await asyncio.create_subprocess_exec(
        *synthesiser_command(settings), cwd=PROJECT, stdout=-1, stderr=asyncio.subprocess.DEVNULL
    )
    assert child.stdout is not None
    try:
        assert await child.stdout.readline() == b"ready\n"
        yield child
    finally:
        if child.returncode is None:
            child.terminate()
        await child.wait()


@pytest.fixture(scope="module")
def shared(tmp_path_factory: pytest.TempPathFactory) -> Iterator[SynthesiserSettings]:
    """One real process for all the tests that leave it alone: its start takes seconds."""
    folder = tmp_path_factory.mktemp("s")
    settings = SpeechSettings(
        models_dir=MODELS, var_dir=folder, synthesiser=SynthesiserSettings(socket=folder / "s.sock")
    )
    command = synthesiser_command(settings)
    with subprocess.Popen(command, cwd=PROJECT, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL) as child:
        assert child.stdout is not None
        try:
            assert child.stdout.readline() == b"ready\n"
            yield settings.synthesiser
        finally:
            child.terminate()


@asynccontextmanager
async def connected(settings: SynthesiserSettings) -> AsyncIterator[SynthesiserClient]:
    client = SynthesiserClient(settings)
    try:
        yield client
    finally:
        await client.close()


@pytest.mark.parametrize(("voice", "rate"), [("", 8000), ("ru+f3", 16000)])
async def test_espeak_speaks_trimmed_and_level_at_both_rates(
    shared: SynthesiserSettings, voice: str, rate: int
) -> None:
    async with connected(shared) as client:
        port: Synthesiser = client
        pcm = await port.speak(QUESTION, voice=voice, language="ru", rate=rate)
    samples = to_samples(pcm)
    assert pcm.rate == rate
    assert 3.0 < pcm.seconds < 6.0
    assert loudness(samples, rate) == pytest.approx(-23.0, abs=0.2)
    assert np.abs(samples).max() < 0.9
    for edge in (samples, samples[::-1]):
        assert np.flatnonzero(np.abs(edge) > 0.003)[0] / rate < 0.05


async def test_voices_differ_and_stress_marks_are_not_read_aloud(shared: SynthesiserSettings) -> None:
    async with connected(shared) as client:
        male = await client.speak("десять", voice="ru+m3")
        female = await client.speak("десять", voice="ru+f3")
        marked, plain = await client.speak("зам+ок"), await client.speak("замок")
        assert (await client.speak("  ")).data == b""
    assert _pitch(female) > _pitch(male) * 1.2
    assert marked.seconds == pytest.approx(plain.seconds, rel=0.03)


def _pitch(pcm: Pcm) -> float:
    """Hz, by the strongest autocorrelation between 70 and 350 Hz over the middle of a sound."""
    samples = to_samples(pcm)
    middle = samples[len(samples) // 3 : len(samples) * 2 // 3]
    lags = range(pcm.rate // 350, pcm.rate // 70)
    return pcm.rate / max(lags, key=lambda lag: float(middle[lag:] @ middle[:-lag]) / (len(middle) - lag))


async def test_an_unknown_voice_is_refused_and_the_service_goes_on(shared: SynthesiserSettings) -> None:
    async with connected(shared) as client:
        for voice in ("nobody", "ru+nobody"):
            with pytest.raises(SynthesiserUnavailable, match="нет голоса") as caught:
                await client.speak("да", voice=voice)
            assert "ru+f3" in caught.value.hint
        assert (await client.speak("да")).seconds > 0.1


async def test_several_clients_and_requests_at_once_get_each_their_own(shared: SynthesiserSettings) -> None:
    words = {"да": 0.0, "девять": 0.0, QUESTION: 0.0}
    async with connected(shared) as one, connected(shared) as two:
        for word in words:
            words[word] = (await one.speak(word)).seconds
        again = await asyncio.gather(*(client.speak(word) for client in (one, two) for word in words))
    assert [pcm.seconds for pcm in again] == pytest.approx([*words.values()] * 2, rel=0.03)


async def test_a_cancelled_request_does_not_answer_the_next_one(shared: SynthesiserSettings) -> None:
    async with connected(shared) as client:
        expected = await client.speak("нет")
        asked = asyncio.create_task(client.speak(QUESTION))
        for _ in range(20):
            await asyncio.sleep(0)  # far enough to have sent it, too early for its sound
        assert not asked.done()
        asked.cancel()
        with pytest.raises(asyncio.CancelledError):
            await asked
        assert (await client.speak("нет")).seconds == pytest.approx(expected.seconds, rel=0.03)


async def test_a_client_outlives_a_killed_process(settings: SpeechSettings) -> None:
    async with connected(settings.synthesiser) as client:
        async with process(settings) as child:
            first = await client.speak("да")
            child.send_signal(signal.SIGKILL)
            await child.wait()
        assert settings.synthesiser.socket.is_socket()  # what a killed process leaves behind
        async with process(settings):  # the supervisor starts it anew; the client notices by itself
            assert (await client.speak("да")).seconds == pytest.approx(first.seconds, rel=0.03)
        with pytest.raises(SynthesiserUnavailable, match="синтезатор не отвечает"):
            await client.speak("да")


async def test_the_process_ends_on_sigterm_and_removes_its_socket(settings: SpeechSettings) -> None:
    async with process(settings) as child:
        mode = settings.synthesiser.socket.stat().st_mode
        assert stat.S_ISSOCK(mode)
        assert stat.S_IMODE(mode) == 0o600
        child.terminate()
        assert await child.wait() == 0
    assert not settings.synthesiser.socket.exists()


async def test_nobody_there_is_told_with_what_to_do(settings: SpeechSettings) -> None:
    with pytest.raises(SynthesiserUnavailable, match="синтезатор не отвечает") as caught:
        await SynthesiserClient(settings.synthesiser).speak("да")
    assert "otklik serve" in caught.value.hint


class _Engine:
    """An engine of the test: a tone for every text, and a fault for one of them."""

    name = "tone"

    def __init__(self) -> None:
        self.asked: list[tuple[str, str]] = []

    def speak(self, text: str, *, voice: str, language: str, rate: int) -> tuple[Samples, int]:
        self.asked.append((text, voice))
        if text.lower() == "ошибка":
            raise ZeroDivisionError("inside the engine")
        return np.sin(np.arange(2205, dtype=np.float32)), 22050


def test_the_engine_is_given_normalised_text_and_the_default_voice() -> None:
    engine = _Engine()
    request = SpeakRequest(text="от 0 до 10", voice="", language="ru", rate=8000)
    pcm = synthesise(engine, request, SynthesiserSettings(voice="ru+f2"))
    assert engine.asked == [("от ноля до десяти", "ru+f2")]
    assert (pcm.rate, pcm.seconds) == (8000, pytest.approx(0.1, abs=0.005))


@asynccontextmanager
async def serving(settings: SpeechSettings) -> AsyncIterator[SynthesiserServer]:
    server = SynthesiserServer(_Engine(), settings.synthesiser)
    await server.start()
    try:
        yield server
    finally:
        await server.stop()


async def test_a_fault_of_the_engine_concerns_one_text(settings: SpeechSettings) -> None:
    async with serving(settings), connected(settings.synthesiser) as client:
        with pytest.raises(SynthesiserUnavailable, match="inside the engine"):
            await client.speak("ошибка")
        assert (await client.speak("да")).seconds == pytest.approx(0.1, abs=0.005)


async def test_a_process_that_hangs_is_given_up_in_time(settings: SpeechSettings) -> None:
    left = asyncio.Event()

    async def never(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.read()
        writer.close()
        await writer.wait_closed()
        left.set()

    server = await asyncio.start_unix_server(never, settings.synthesiser.socket)
    client = SynthesiserClient(replace(settings.synthesiser, timeout_s=0.1))
    with pytest.raises(SynthesiserUnavailable, match=r"за 0\.1 с"):
        await client.speak("да")
    await left.wait()  # the client hung up
    server.close()


@pytest.mark.parametrize(
    "sent", [b"\xff\xff\xff\xff", b"\x00\x00\x00\x02{]", b"\x00\x00\x00\x02{}", b"\x00"], ids=str
)
async def test_garbage_closes_that_connection_alone(settings: SpeechSettings, sent: bytes) -> None:
    async with serving(settings):
        reader, writer = await asyncio.open_unix_connection(settings.synthesiser.socket)
        writer.write(sent)
        writer.write_eof()
        assert await reader.read() == b""
        writer.close()
        async with connected(settings.synthesiser) as client:
            assert (await client.speak("да")).data


async def test_a_second_synthesiser_on_the_same_socket_is_refused(settings: SpeechSettings) -> None:
    async with serving(settings):
        with pytest.raises(PortInUse, match="другой синтезатор"):
            await SynthesiserServer(_Engine(), settings.synthesiser).start()


async def test_a_socket_path_that_is_too_long_is_explained(tmp_path: Path) -> None:
    settings = SynthesiserSettings(socket=tmp_path / ("x" * 120))
    with pytest.raises(SynthesiserUnavailable, match="длиннее 107"):
        await SynthesiserServer(_Engine(), settings).start()


async def test_a_process_that_cannot_start_says_why(settings: SpeechSettings) -> None:
    silero = replace(settings, synthesiser=replace(settings.synthesiser, engine="silero"))
    with pytest.raises(SynthesiserUnavailable, match=r"не запускается: .*(torch|не установлена)") as caught:
        async with spawned_synthesiser(silero):
            pass
    assert caught.value.hint.startswith(("поставьте extra silero", "otklik models fetch"))
    odd = replace(settings, synthesiser=replace(settings.synthesiser, engine="nobody"))  # type: ignore[arg-type]
    with pytest.raises(SynthesiserUnavailable, match=r"завершился \(2\)") as caught:
        async with spawned_synthesiser(odd):
            pass
    assert "invalid choice: 'nobody'" in caught.value.hint


def test_the_engine_is_chosen_by_the_settings(settings: SpeechSettings) -> None:
    with pytest.raises(ModelMissing) as caught:
        make_engine(SynthesiserSettings(engine="silero"), MODELS, settings.var_dir)
    assert caught.value.hint
    with pytest.raises(ModelMissing, match="нет в списке"):
        make_engine(SynthesiserSettings(engine="silero", silero_model="nobody"), MODELS, settings.var_dir)


def test_the_name_tells_all_that_shapes_the_sound() -> None:
    base = SynthesiserSettings()
    others = [
        replace(base, engine="silero"),
        replace(base, voice="ru+f3"),
        replace(base, loudness_lufs=-20.0),
        replace(base, edge_s=0.0),
    ]
    assert len({engine_name(s) for s in (base, *others)}) == 5
    assert engine_name(replace(base, socket=Path("/elsewhere"), timeout_s=1.0)) == engine_name(base)
    assert "espeak" in engine_name(base)
    assert "ru-normalizr-" in engine_name(base)


def test_the_client_does_not_load_the_engine_or_the_dictionaries() -> None:
    """The engine is GPL-3 and the dictionaries are heavy: neither belongs into a media worker."""
    code = (
        "import sys, bot.speech.synthesiser, bot.speech.prompts\n"
        "loaded = {'espeakng_loader', 'bot.speech.espeak', 'ru_normalizr', 'torch'} & set(sys.modules)\n"
        "sys.exit(str(loaded) if loaded else 0)"
    )
    assert subprocess.run([sys.executable, "-c", code], cwd=PROJECT, check=False).returncode == 0
