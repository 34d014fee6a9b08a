"""What a process that decodes allocates with."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

from bot.core.allocator import for_decoding


def test_a_process_that_decodes_has_mimalloc_in_it() -> None:
    program = "print(open('/proc/self/maps').read())"
    env = {**os.environ, **for_decoding({})}
    done = subprocess.run(
        [sys.executable, "-c", program], env=env, capture_output=True, text=True, timeout=60
    )
    assert "libmimalloc" in done.stdout
    assert not done.stderr


def test_what_is_preloaded_already_stays_alone() -> None:
    assert Path(for_decoding({"LD_PRELOAD": ""})["LD_PRELOAD"]).name == "libmimalloc.so.3"
    assert for_decoding({"LD_PRELOAD": "/usr/lib/faketime.so"}) == {"OPENBLAS_NUM_THREADS": "1"}
