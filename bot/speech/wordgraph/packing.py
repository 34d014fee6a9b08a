"""A model's folder as an archive that is the same, byte for byte, whenever and wherever it is packed."""

from __future__ import annotations

import gzip
import io
import tarfile
from pathlib import Path


def pack(folder: Path, archive: Path, *, within: str = "") -> None:
    """All files of a folder, below `within` in the archive. Nothing of when and by whom it was packed goes
    in."""
    held = io.BytesIO()
    with tarfile.open(fileobj=held, mode="w", format=tarfile.USTAR_FORMAT) as tar:
        for file in sorted(path for path in folder.rglob("*") if path.is_file()):
            about = tarfile.TarInfo(str(within / file.relative_to(folder)))
            about.size = file.stat().st_size
            tar.addfile(about, io.BytesIO(file.read_bytes()))
    with archive.open("wb") as out, gzip.GzipFile("", "wb", 9, out, mtime=0) as zipped:
        zipped.write(held.getvalue())
