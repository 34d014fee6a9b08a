"""What the nodes of one run of the tests say: each sentence is synthesised once for all of them.

A prompt's file is named by all that shapes its sound, and several processes may share the folder
(`bot.speech.prompts`). A node of a test finds what another one has made, as it would after a restart.
"""

from __future__ import annotations

import os
import tempfile
from pathlib import Path

import pytest

_FOLDER = "TESTED_PROMPTS"
"""The variable that names the folder, for the processes that run tests side by side."""


def keep_prompts(config: pytest.Config) -> None:
    """Until this run is over."""
    if _FOLDER not in os.environ:
        folder = tempfile.TemporaryDirectory(prefix="otklik-prompts-")
        os.environ[_FOLDER] = folder.name
        config.add_cleanup(folder.cleanup)


def share_prompts(var: Path) -> None:
    """With the node whose folder this is, unless it has some of its own."""
    prompts = var / "prompts"
    if not prompts.exists():
        prompts.symlink_to(os.environ[_FOLDER])
