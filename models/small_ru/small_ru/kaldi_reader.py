"""Takes an acoustic model apart that `kaldi_model.write` wrote: what was written is what was meant."""

from __future__ import annotations

import struct
from pathlib import Path

import numpy as np
import numpy.typing as npt

from small_ru.kaldi_model import SELECT, Acoustic, Affine, Floats


def read(file: Path) -> Acoustic:
    """Its phones are numbers, as the names stand in another file (phones.txt). Raises ValueError where
    something stands there that `write` does not write."""
    data = _Reader(file.read_bytes())
    data.expect(b"\0B")
    data.token("<TransitionModel>", "<Topology>")
    numbers, entry_of = data.int32s(), data.int32s()
    stays = [_read_entry(data) for _ in range(data.int32())]
    data.token("</Topology>", "<Triples>")
    triples = [(data.int32(), data.int32(), data.int32()) for _ in range(data.int32())]
    data.token("</Triples>", "<LogProbs>")
    data.same(len(data.vector()), 2 * len(numbers) + 1)
    data.token("</LogProbs>", "</TransitionModel>", "<Nnet3>")
    lines = data.until(b"\n\n").decode().splitlines()
    inputs = dict(_named(line) for line in lines if " component=" in line)
    data.token("<NumComponents>")
    affine = dict(found for _ in range(data.int32()) if (found := _read_component(data)))
    data.token("</Nnet3>", "<LeftContext>")
    context = data.int32()
    data.token("<RightContext>")
    data.same(data.int32(), context)
    data.token("<Priors>")
    priors = data.vector()
    names = [name.removesuffix(".affine") for name in affine if name != SELECT]
    layers = {name: Affine(_offsets(inputs[f"{name}.affine"]), *affine[f"{name}.affine"]) for name in names}
    return Acoustic(
        phones=tuple(map(str, numbers)),
        outputs=tuple(output for _, _, output in triples),
        stays=tuple(stays[entry_of[number]] for number in numbers),
        hidden=tuple(layer for name, layer in layers.items() if name.startswith("hidden")),
        heads=tuple((name, layer) for name, layer in layers.items() if not name.startswith("hidden")),
        priors=priors,
        context=context,
    )


def _read_entry(data: _Reader) -> float:
    """How likely the phones of a topology entry are to last."""
    data.same(tuple(data.int32() for _ in range(4)), (2, 0, 2, 0))
    stay = data.float32()
    data.same(data.int32(), 1)
    data.float32()
    data.same(tuple(data.int32() for _ in range(2)), (-1, 0))
    return stay


def _read_component(data: _Reader) -> tuple[str, tuple[Floats, Floats]] | None:
    """An affine map by its name; None for what has no weights."""
    data.token("<ComponentName>")
    name, kind = data.word(), data.word()
    if kind != "<FixedAffineComponent>":
        data.until(f"</{kind[1:]} ".encode())
        return None
    data.token("<LinearParams>")
    weights = data.matrix()
    data.token("<BiasParams>")
    bias = data.vector()
    data.token("</FixedAffineComponent>")
    return name, (weights, bias)


def _named(line: str) -> tuple[str, str]:
    """A node's name, and where it takes its input from."""
    fields = line.split(" ", 3)
    return fields[1].removeprefix("name="), fields[3].removeprefix("input=")


def _offsets(inputs: str) -> tuple[int, ...]:
    """`Append(Offset(x, -1), x, Offset(x, 1))` are -1, 0 and 1; a plain `x` is 0."""
    parts = inputs.removeprefix("Append(").replace("Offset(", "").replace(")", "").split(", ")
    numbers = [int(part) if part.lstrip("-").isdigit() else None for part in parts]
    after = [*numbers[1:], None]
    return tuple(next_one or 0 for one, next_one in zip(numbers, after, strict=True) if one is None)


class _Reader:
    """The other side of `kaldi_model`'s writer."""

    def __init__(self, data: bytes) -> None:
        self._data = data
        self._at = 0

    def expect(self, wanted: bytes) -> None:
        found = self._take(len(wanted))
        if found != wanted:
            raise ValueError(f"{wanted!r} was expected at {self._at - len(wanted)}, not {found!r}")

    def token(self, *tokens: str) -> None:
        for token in tokens:
            self.expect(f"{token} ".encode())

    def word(self) -> str:
        return self.until(b" ").decode()

    def until(self, end: bytes) -> bytes:
        """What stands before the next `end`, which is passed over."""
        place = self._data.index(end, self._at)
        found = self._data[self._at : place]
        self._at = place + len(end)
        return found

    def same(self, found: object, wanted: object) -> None:
        if found != wanted:
            raise ValueError(f"{wanted} was expected before {self._at}, not {found}")

    def int32(self) -> int:
        self.expect(b"\4")
        return int(struct.unpack("<i", self._take(4))[0])

    def float32(self) -> float:
        self.expect(b"\4")
        return float(struct.unpack("<f", self._take(4))[0])

    def int32s(self) -> list[int]:
        return [int(value) for value in self._array("<i4", self.int32())]

    def vector(self) -> Floats:
        self.token("FV")
        return self._array("<f4", self.int32())

    def matrix(self) -> Floats:
        self.token("FM")
        rows, columns = self.int32(), self.int32()
        return self._array("<f4", rows * columns).reshape(rows, columns)

    def _array(self, kind: str, count: int) -> npt.NDArray[np.float32]:
        return np.frombuffer(self._take(4 * count), kind).copy()

    def _take(self, count: int) -> bytes:
        found = self._data[self._at : self._at + count]
        if len(found) < count:
            raise ValueError(f"the file ends at {len(self._data)}, before all of it was read")
        self._at += count
        return found
