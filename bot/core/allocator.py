"""How a process that decodes takes and gives back memory: by mimalloc. And one thread for a matrix product.

Kaldi's decoders take and give back many small pieces between a few large ones. glibc's malloc joins free
neighbours and searches its lists for one that fits; with 24 decoders by turns that is a third of decoding
(`python -m benchmarks.decoders_by_turns`: 0.0259 and 0.0152 core-seconds a second of sound).
The products are too small to be shared out: their threads would only wait for one another.
"""

from __future__ import annotations

from collections.abc import Mapping
from importlib.metadata import PackageNotFoundError, files

_LIBRARY = "libmimalloc.so.3"


def for_decoding(environment: Mapping[str, str]) -> dict[str, str]:
    """What is to be set, beside `environment`, for a process that decodes. Where something is preloaded
    already it stays alone: two libraries that each take the place of functions may break one another, as
    libfaketime and mimalloc do. Without mimalloc, which is there for Linux alone, the system's own does."""
    told = {"OPENBLAS_NUM_THREADS": "1"}
    library = _mimalloc()
    if library is not None and not environment.get("LD_PRELOAD"):
        told["LD_PRELOAD"] = library
    return told


def _mimalloc() -> str | None:
    try:
        found = files("cmeel-mimalloc") or ()
    except PackageNotFoundError:
        return None
    return next((str(file.locate()) for file in found if file.name == _LIBRARY), None)
