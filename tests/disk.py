"""A disk that takes nothing, for real: the kernel refuses, root and whoever has the file open as well."""

from __future__ import annotations

import os
import resource
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path


@contextmanager
def no_file_beyond(size: int) -> Iterator[None]:
    """Writing past `size` bytes of a file writes up to there and then fails with EFBIG."""
    soft, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (size, hard))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, (soft, hard))


def set_read_only(on: bool, *files: Path) -> None:
    """As on a disk that was mounted read-only: by chattr(1), which modes do not match. They are asked of
    nobody but him who opens the file, and not of root at all."""
    rights = [] if os.geteuid() == 0 else ["sudo", "-n"]
    subprocess.run([*rights, "chattr", "+i" if on else "-i", *files], check=True)
