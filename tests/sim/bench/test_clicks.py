"""The delay of a bridge from sound alone, where the truth is known."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from bot.core.errors import AudioInvalid
from bot.sim.bench.clicks import (
    BridgeRecord,
    click,
    figures_of,
    has_click,
    laid,
    measure_again,
    onsets,
    round_trips_ms,
    write_figures,
    write_record,
)
from bot.sim.g711 import Samples, decode, encode
from bot.sim.packets import Packet


def channel(starts: list[int], rate: int, seconds: float = 4.0) -> Samples:
    sound = np.random.default_rng(1).integers(-60, 60, round(seconds * rate)).astype(np.int16)
    for start in starts:
        part = click(rate)
        sound[start : start + part.size] = part
    return sound


@pytest.mark.parametrize("rate", [8000, 16000])
def test_a_click_is_found_to_the_sample_and_once(rate: int) -> None:
    assert onsets(channel([1000, 9000, 20000], rate), rate) == [1000, 9000, 20000]
    assert onsets(np.zeros(rate, np.int16), rate) == []


def test_it_survives_a_telephone_s_codec() -> None:
    sound = decode("PCMA", encode("PCMA", channel([1000, 9000], 8000)))
    assert onsets(sound, 8000) == [1000, 9000]
    assert has_click(sound[1000:1160])
    assert not has_click(sound[:900])


def test_a_round_trip_is_from_a_click_to_its_answer() -> None:
    sent = channel([0, 8000, 16000, 24000], 8000)
    received = channel([1200, 9440, 25600], 8000)
    assert round_trips_ms(sent, received, 8000) == [150.0, 180.0, None, 200.0]


def test_packets_lie_where_they_arrived_and_the_louder_one_is_heard() -> None:
    tone, still = click(8000)[:160], np.zeros(160, np.int16)
    packets = [Packet(10.0, 1, 0, still), Packet(10.1, 1, 160, tone), Packet(10.11, 1, 320, still)]
    sound = laid(packets, 10.0, 0.5, 8000)
    assert onsets(sound, 8000) == [800]
    assert (sound[800:960] == tone).all()
    assert sound.size == 4000


def test_figures_are_made_by_kind_and_can_be_made_again_from_the_sound(tmp_path: Path) -> None:
    records = []
    for number, (kind, rate, delay_s) in enumerate(
        [("sip-sip", 8000, 0.15), ("sip-sip", 8000, 0.19), ("sip-webrtc", 16000, 0.2)]
    ):
        starts = [place * rate for place in range(3)]
        heard = [start + round(delay_s * rate) for start in starts[: 3 - (number == 2)]]
        record = BridgeRecord(name=f"{kind}-{number}", kind=kind, rate=rate, frames=200, concealed=number)
        records.append((record, channel(starts, rate), channel(heard, rate)))
    found = figures_of(records, seed=1, jitter_ms=30)
    sip, page = found.kinds["sip-sip"], found.kinds["sip-webrtc"]
    assert (sip.clicks, sip.lost, sip.p50_ms, sip.p95_ms, sip.max_ms) == (6, 0, 150.0, 190.0, 190.0)
    assert sip.concealed_share == pytest.approx(1 / 400)
    assert (page.clicks, page.lost, page.p95_ms, page.concealed_share) == (3, 1, 200.0, 0.01)
    for each in records:
        write_record(tmp_path, *each)
    write_figures(tmp_path, found)
    assert measure_again(tmp_path) == (found, found)


def test_a_folder_without_a_capture_is_refused(tmp_path: Path) -> None:
    with pytest.raises(AudioInvalid, match="not the figures of a bridge"):
        measure_again(tmp_path)
