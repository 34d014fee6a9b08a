"""Opus for telephony: 20 ms packets of 16 kHz mono, by libopus as PyAV carries it (RFC 6716, RFC 7587).

The encoder takes 16 kHz as it is. The decoder knows 48 kHz alone, and a short filter brings it down (0.5 ms,
telephony/resample.py). On the wire both are `opus/48000/2`, whatever is inside.
"""

from __future__ import annotations

import fractions

import numpy as np
import structlog
from av import AudioFrame
from av.codec import CodecContext
from av.error import FFmpegError
from av.packet import Packet

from telephony.resample import Resampler

log = structlog.get_logger()

OPUS_RATE = 16000
"""Samples a second of what is encoded and of what comes out of the decoder."""

OPUS_CLOCK = 48000
"""Ticks a second of an RTP timestamp of Opus (RFC 7587, 4.1)."""

_BITS = 32000
"""Wide-band speech without audible loss (RFC 7587, 3.1.1: 16 to 40 kbit/s)."""

_ENCODING = {
    "application": "voip",
    "frame_duration": "20",
    "compression_level": "5",  # half of the processor time of the best, and speech sounds the same
    "fec": "1",  # a browser makes a lost packet good from the next one
    "packet_loss": "10",
}


class OpusEncoder:
    """One stream. Its own delay is 6.5 ms (the codec looks so far ahead)."""

    def __init__(self) -> None:
        codec = CodecContext.create("libopus", "w")
        codec.sample_rate = OPUS_RATE
        codec.layout = "mono"
        codec.format = "s16"
        codec.bit_rate = _BITS
        codec.time_base = fractions.Fraction(1, OPUS_RATE)
        codec.options = dict(_ENCODING)
        self._codec = codec
        self._samples = 0

    def encode(self, data: bytes) -> list[bytes]:
        """One frame of 20 ms (640 bytes): the packets that are ready."""
        sound = np.frombuffer(data, "<i2")
        frame = AudioFrame.from_ndarray(sound[None, :], format="s16", layout="mono")
        frame.sample_rate = OPUS_RATE
        frame.pts = self._samples
        self._samples += len(sound)
        return [bytes(packet) for packet in self._codec.encode(frame)]


class OpusDecoder:
    """One stream; what is not Opus is silence of no length, and said once."""

    def __init__(self) -> None:
        codec = CodecContext.create("libopus", "r")
        codec.sample_rate = OPUS_CLOCK
        codec.layout = "mono"
        codec.format = "s16"
        self._codec = codec
        self._down = Resampler(OPUS_CLOCK, OPUS_RATE)
        self._complained = False

    def decode(self, payload: bytes) -> bytes:
        if not payload:
            return b""
        try:
            frames = self._codec.decode(Packet(payload))
        except FFmpegError as error:
            if not self._complained:
                self._complained = True
                log.warning("a packet that is no Opus", reason=str(error))
            return b""
        return b"".join(self._down.convert(frame.to_ndarray().tobytes()) for frame in frames)
