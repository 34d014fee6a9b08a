"""The way through a bridge and back, measured by clicks: from one party's recording alone. Pure.

One party sends short tones. The other, as soon as one arrives, sends one back in its next packet. The round
trip is from the moment at which the click leaves the first party's clock to the moment at which the answer's
packet is at its socket: whatever holds a click up, the network's jitter on both ways and the other party's
packet clock (up to 20 ms) included. What a phone's own jitter buffer adds is the phone's.
"""

from __future__ import annotations

import wave
from collections.abc import Iterable, Sequence
from pathlib import Path

import numpy as np
from pydantic import BaseModel, ConfigDict

from bot.core.errors import AudioInvalid
from bot.core.percentiles import percentile
from bot.sim.g711 import Samples
from bot.sim.packets import Packet

CLICK_S = 0.04
CLICK_HZ = 1000.0
_CLICK_LEVEL = 0.5
_HEARD_LEVEL = 0.08
"""Of full scale: 16 dB below the click, and far above what a codec makes of silence."""

QUIET_S = 0.2
"""A click begins where it was quiet for so long before."""

LIMIT_S = 0.8
"""An answer that comes later belongs to no click: it is lost."""


FILE = "bridge.json"
"""The printed figures, in a capture's folder."""


class _Model(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")


class BridgeRecord(_Model):
    """One bridged call: `name`.wav is what its first party sent (left) and received (right). `frames` are
    the frame times of both lines while it was measured, and `concealed` how many of them had no sound."""

    name: str
    kind: str
    rate: int
    frames: int
    concealed: int


class KindFigures(_Model):
    """Of one kind of bridge: the round trips, in ms, and the clicks that were not answered."""

    clicks: int
    lost: int
    p50_ms: float | None
    p95_ms: float | None
    max_ms: float | None
    concealed_share: float


class BridgeFigures(_Model):
    """What the command prints. `jitter_ms` was added to each packet of both parties, evenly from 0 up."""

    seed: int
    jitter_ms: float
    calls: int
    kinds: dict[str, KindFigures]


def click(rate: int) -> Samples:
    """A tone of 40 ms that begins at once."""
    wave_ = np.sin(2 * np.pi * CLICK_HZ / rate * (np.arange(round(CLICK_S * rate)) + rate / CLICK_HZ / 4))
    sound: Samples = np.rint(32767 * _CLICK_LEVEL * wave_).astype(np.int16)
    return sound


def has_click(samples: Samples) -> bool:
    return bool(samples.size) and int(np.abs(samples.astype(np.int32)).max()) > 32767 * _HEARD_LEVEL


def onsets(channel: Samples, rate: int) -> list[int]:
    """The samples at which clicks begin."""
    loud = np.flatnonzero(np.abs(channel.astype(np.int32)) > 32767 * _HEARD_LEVEL)
    if not loud.size:
        return []
    new = np.flatnonzero(np.diff(loud, prepend=loud[0] - rate) > QUIET_S * rate)
    return [int(place) for place in loud[new]]


def round_trips_ms(sent: Samples, received: Samples, rate: int) -> list[float | None]:
    """For each click that was sent; None where no answer came."""
    heard = onsets(received, rate)
    trips: list[float | None] = []
    for began in onsets(sent, rate):
        answers = [place for place in heard if began < place <= began + LIMIT_S * rate]
        trips.append(round((answers[0] - began) * 1000 / rate, 1) if answers else None)
    return trips


def laid(packets: Iterable[Packet], origin: float, seconds: float, rate: int) -> Samples:
    """A channel of so many seconds from the time `origin` on: the sound of each packet begins when the
    packet was at the socket."""
    channel = np.zeros(round(seconds * rate), np.int16)
    for packet in packets:
        begin = round((packet.at - origin) * rate)
        if 0 <= begin < channel.size:
            part = packet.samples[: channel.size - begin]
            # Two packets that jitter brought together overlap: what is louder is what is heard.
            place = channel[begin : begin + part.size]
            np.copyto(place, part, where=np.abs(part.astype(np.int32)) > np.abs(place.astype(np.int32)))
    return channel


def write_record(folder: Path, record: BridgeRecord, sent: Samples, received: Samples) -> None:
    folder.mkdir(parents=True, exist_ok=True)
    with wave.open(str(folder / f"{record.name}.wav"), "wb") as file:
        file.setnchannels(2)
        file.setsampwidth(2)
        file.setframerate(record.rate)
        file.writeframes(np.column_stack([sent, received]).astype("<i2").tobytes())
    (folder / f"{record.name}.json").write_text(record.model_dump_json(indent=2) + "\n", encoding="utf-8")


def read_record(file: Path) -> tuple[BridgeRecord, Samples, Samples]:
    """From its `.json`. Raises AudioInvalid."""
    try:
        record = BridgeRecord.model_validate_json(file.read_bytes())
        with wave.open(str(file.with_suffix(".wav")), "rb") as sound:
            data = np.frombuffer(sound.readframes(sound.getnframes()), "<i2").astype(np.int16)
    except (OSError, EOFError, wave.Error, ValueError) as error:
        raise AudioInvalid(f"{file}: not the record of a bridge: {error}") from error
    return record, data[0::2], data[1::2]


def figures_of(
    records: Sequence[tuple[BridgeRecord, Samples, Samples]], *, seed: int, jitter_ms: float
) -> BridgeFigures:
    kinds = {}
    for kind in dict.fromkeys(record.kind for record, _, _ in records):
        of_kind = [each for each in records if each[0].kind == kind]
        trips = [trip for record, sent, heard in of_kind for trip in round_trips_ms(sent, heard, record.rate)]
        known = [trip for trip in trips if trip is not None]
        frames = sum(record.frames for record, _, _ in of_kind)
        kinds[kind] = KindFigures(
            clicks=len(trips),
            lost=len(trips) - len(known),
            p50_ms=percentile(known, 50) if known else None,
            p95_ms=percentile(known, 95) if known else None,
            max_ms=max(known) if known else None,
            concealed_share=round(sum(r.concealed for r, _, _ in of_kind) / frames, 5) if frames else 0.0,
        )
    return BridgeFigures(seed=seed, jitter_ms=jitter_ms, calls=len(records), kinds=kinds)


def write_figures(folder: Path, found: BridgeFigures) -> None:
    """Beside the records."""
    (folder / FILE).write_text(found.model_dump_json() + "\n", encoding="utf-8")


def measure_again(folder: Path) -> tuple[BridgeFigures, BridgeFigures]:
    """The figures that were printed, and those of the captured sound, measured now. Raises AudioInvalid."""
    try:
        printed = BridgeFigures.model_validate_json((folder / FILE).read_bytes())
    except (OSError, ValueError) as error:
        raise AudioInvalid(
            f"{folder / FILE}: not the figures of a bridge: {error}", hint="otklik bench bridge --capture DIR"
        ) from error
    records = [read_record(file.with_suffix(".json")) for file in sorted(folder.glob("*.wav"))]
    return printed, figures_of(records, seed=printed.seed, jitter_ms=printed.jitter_ms)
